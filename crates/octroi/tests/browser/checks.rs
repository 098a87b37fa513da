//! What holds on every page: accessible by axe's rules in light and dark, as wide as the window, small,
//! still, and alone on the network.

use serde_json::{Value, json};

use crate::{
    driver::{DESKTOP, PHONE, axe_file},
    person::Person,
};

/// Bytes of HTML.
const PAGE_LIMIT: u64 = 50_000;
/// Of the layout's shift.
const STILL: f64 = 0.01;
/// CSS pixels: 1280 at 200 %.
const ZOOMED: (u32, u32) = (640, 450);

/// Every rule but those of level AAA, those that axe has given up, and the one that asks for a person's look.
const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1], only = arguments[0];
    const left_out = ['wcag2aaa', 'wcag21aaa', 'wcag22aaa', 'deprecated', 'obsolete'];
    const rules = {};
    for (const rule of axe.getRules()) {
        rules[rule.ruleId] = { enabled: rule.ruleId !== 'hidden-content' && !rule.tags.some((tag) => left_out.includes(tag)) };
    }
    const options = only ? { runOnly: { type: 'rule', values: only } } : { rules };
    options.iframes = false;
    axe.run(document, { ...options, resultTypes: ['violations'] }).then(
        (found) => done(found.violations.map((fault) => fault.id + ': ' + fault.help + '\\n' +
            fault.nodes.slice(0, 5).map((node) => '    ' + node.html.slice(0, 300) + '\\n        ' + node.failureSummary.replace(/\\s+/g, ' ')).join('\\n'))),
        (error) => done(['axe: ' + error]));
";
const SHIFTS: &str = "
    const done = arguments[arguments.length - 1];
    const told = [];
    const watch = new PerformanceObserver((list) => told.push(...list.getEntries()));
    watch.observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(
        told.concat(watch.takeRecords()).filter((shift) => !shift.hadRecentInput).map((shift) => shift.value)), 20)));
";
/// What sticks out of the window, unless it scrolls by itself.
const WIDE: &str = "
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) return null;
    const scrolls = (element) => { for (let at = element.parentElement; at; at = at.parentElement) {
        if (getComputedStyle(at).overflowX !== 'visible') return true; } return false; };
    const wide = [...document.body.querySelectorAll('*')].filter((element) => element.getBoundingClientRect().right > page.clientWidth + 1 && !scrolls(element));
    return page.scrollWidth + ' px wide in ' + page.clientWidth + ': ' + wide.slice(-3).map((element) => element.outerHTML.slice(0, 160)).join(' | ');
";

/// Gives axe to every page that is going to be loaded: quicker than to send it to each, as it is long.
pub fn bring_axe(person: &Person) {
    person.driver.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": std::fs::read_to_string(axe_file()).unwrap() }));
}

/// axe's complaints about what is shown; of these rules alone, if any are named.
pub fn axe(person: &Person, only: &[&str]) -> Vec<String> {
    // Once for each page: it is long.
    if person.driver.run("return window.axe === undefined", &[]) == json!(true) {
        person.driver.run(&std::fs::read_to_string(axe_file()).unwrap(), &[]);
    }
    let only = if only.is_empty() { Value::Null } else { json!(only) };
    match person.driver.run_later(RUN_AXE, &[only]) {
        Value::Array(faults) => faults.iter().map(|fault| format!("axe {}", fault.as_str().unwrap())).collect(),
        other => panic!("{other}"),
    }
}

/// What is wrong with the page as it is shown now, at any width, in light and dark. Leaves the window at `DESKTOP`, light.
pub fn faults(person: &Person) -> Vec<String> {
    let mut wrong = light_faults(person);
    person.driver.dark(true);
    wrong.extend(axe(person, &["color-contrast", "link-in-text-block"]).into_iter().map(|fault| format!("dark: {fault}")));
    person.driver.dark(false);
    wrong
}

/// The same in light alone: colours are the same in both languages.
pub fn light_faults(person: &Person) -> Vec<String> {
    let driver = &person.driver;
    // What is folded is part of the page; a group of which one alone opens is taken apart for that.
    driver.run("document.querySelectorAll('details').forEach((part) => { part.removeAttribute('name'); part.open = true; })", &[]);
    let mut wrong = axe(person, &[]);
    wrong.extend(dialogs(person));
    wrong.extend(wide(person, "1280 px"));
    wrong.extend(narrow(person));
    wrong.extend(
        axe(person, &["target-size", "scrollable-region-focusable", "aria-hidden-focus"])
            .into_iter()
            .map(|fault| format!("320 px: {fault}")),
    );
    driver.resize(DESKTOP);
    wrong
}

/// What is wrong with the width of the page. Leaves the window at `DESKTOP`.
pub fn widths(person: &Person) -> Vec<String> {
    let mut wrong: Vec<String> = wide(person, "1280 px").into_iter().collect();
    wrong.extend(narrow(person));
    person.driver.resize(DESKTOP);
    wrong
}

/// The same, from larger letters down to a phone, whose width it keeps.
fn narrow(person: &Person) -> Vec<String> {
    let driver = &person.driver;
    driver.run("document.documentElement.style.fontSize = '200%'", &[]);
    let mut wrong: Vec<String> = wide(person, "twice the size of letters").into_iter().collect();
    driver.run("document.documentElement.style.fontSize = ''", &[]);
    driver.resize(ZOOMED);
    wrong.extend(wide(person, "zoom 200 %"));
    driver.resize(PHONE);
    wrong.extend(wide(person, "320 px"));
    wrong
}

/// What is wrong with the questions that open over the page.
fn dialogs(person: &Person) -> Vec<String> {
    let count = person.driver.run("return document.querySelectorAll('dialog').length", &[]).as_u64().unwrap_or_default();
    let mut wrong = Vec::new();
    for number in 0..count {
        person.driver.run("document.querySelectorAll('dialog')[arguments[0]].showModal()", &[json!(number)]);
        wrong.extend(axe(person, &[]).into_iter().map(|fault| format!("dialog {number}: {fault}")));
        person.driver.run("document.querySelectorAll('dialog')[arguments[0]].close()", &[json!(number)]);
    }
    wrong
}

/// Does the page fit the window's width?
pub fn wide(person: &Person, at: &str) -> Option<String> {
    person.driver.run(WIDE, &[]).as_str().map(|what| format!("{at}: {what}"))
}

/// Loads a page, and says what is wrong with how it loads.
pub fn load(person: &Person, path: &str, expected: u16) -> Vec<String> {
    let driver = &person.driver;
    driver.log("performance");
    driver.log("browser");
    person.go(path);
    let mut wrong = Vec::new();
    let shift = || -> f64 { driver.run_later(SHIFTS, &[]).as_array().unwrap().iter().filter_map(Value::as_f64).sum() };
    // A tenth of what counts as good (web.dev, CLS 0.1): below it nobody sees anything move. On a machine that does other things
    // a page is painted while it still arrives: what moves by itself moves each time.
    let mut least = shift();
    if least > STILL {
        person.go(path);
        least = least.min(shift());
    }
    if least > STILL {
        wrong.push(format!("the layout shifts by {least}"));
    }
    let load =
        driver.run("const load = performance.getEntriesByType('navigation')[0]; return [load.responseStatus, load.decodedBodySize]", &[]);
    if load[0].as_u64() != Some(u64::from(expected)) {
        wrong.push(format!("status {} instead of {expected}", load[0]));
    }
    if load[1].as_u64().is_none_or(|size| size > PAGE_LIMIT) {
        wrong.push(format!("{} bytes of HTML", load[1]));
    }
    if driver.run("return document.getAnimations().length", &[]) != json!(0) {
        wrong.push("it moves, though less motion is asked for".to_owned());
    }
    wrong.extend(elsewhere(person));
    // The browser itself complains about a page that is an error.
    let own = |complaint: &String| expected >= 400 && complaint.contains("Failed to load resource");
    wrong.extend(person.complaints().into_iter().filter(|complaint| !own(complaint)).map(|complaint| format!("console: {complaint}")));
    wrong
}

/// Requests to anybody but the portal, since the last look.
pub fn elsewhere(person: &Person) -> Vec<String> {
    let mut asked = Vec::new();
    for entry in person.driver.log("performance") {
        let message: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
        let message = &message["message"];
        if message["method"] == "Network.requestWillBeSent" {
            let url = message["params"]["request"]["url"].as_str().unwrap();
            if !url.starts_with(&person.base) && !url.starts_with("data:") {
                asked.push(format!("asks {url}"));
            }
        }
    }
    asked
}
