//! The checks themselves: each finds the fault that it is for.

use crate::{
    checks,
    driver::{self, FRENCH, Settings},
    person::Person,
};

/// A page with one fault for each check.
const FAULTY: &str = "text/html,<html><head><title>x</title></head><body><h1>Un</h1><p id=p>deux</p><img src=http://127.0.0.1:19999/x.png>\
    <div style='width:900px'>wide</div><p style='color:%23ccc'>pale</p>\
    <script>setTimeout(()=>{const d=document.createElement('div');d.style.height='300px';document.body.prepend(d)},60);console.error('ouch')</script></body></html>";

#[test]
fn the_checks_see_what_is_wrong() {
    if !driver::present() {
        return;
    }
    let person = Person::at("data:", FRENCH);
    let loading = checks::load(&person, FAULTY, 200).join("\n");
    let shown = checks::faults(&person).join("\n");
    for (fault, found) in [
        ("asks http://127.0.0.1:19999/x.png", &loading),
        ("console: ", &loading),
        ("image-alt", &shown),
        ("html-has-lang", &shown),
        ("color-contrast", &shown),
        ("dark: axe color-contrast", &shown),
        ("320 px: 9", &shown),
        ("zoom 200 %: 9", &shown),
    ] {
        assert!(found.contains(fault), "{fault}:\n{found}");
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    person.go("text/html,<p>a</p>");
}

#[test]
fn a_browser_without_javascript_runs_none() {
    if !driver::present() {
        return;
    }
    let person = Person::at("data:", Settings { javascript: false, ..FRENCH });
    person.go("text/html,<p id=p>rien</p><noscript>sans</noscript><form><label>Nom <input></label><button type=button>Envoyer</button></form><script>p.textContent='script'</script>");
    person.see("sans");
    person.see_no("script");
    person.fill("Nom", "abc");
    assert_eq!(person.value("Nom"), "abc");
    person.click("Envoyer");
}
