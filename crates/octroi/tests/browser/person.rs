//! Somebody in front of a browser: what they see, click and type, by the words on the page.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::driver::{Driver, Element, Settings, target};

/// How long a person waits for a page.
const PATIENCE: Duration = Duration::from_secs(60);
/// Keys that have no character (WebDriver, section 17.4.2).
pub const TAB: &str = "\u{E004}";
pub const ENTER: &str = "\u{E007}";
pub const SPACE: &str = " ";
pub const DOWN: &str = "\u{E015}";

/// What all scripts below share: the words of an element as a person reads them.
const WORDS: &str = "
    const words = (text) => (text || '').replace(/[\\s\\u00a0\\u202f]+/g, ' ').trim();
    const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length > 0;
    const pick = (all, named, wanted) => {
        const ranks = [(name) => name === wanted, (name) => name.startsWith(wanted), (name) => name.includes(wanted)];
        for (const rank of ranks) { const found = all.find((element) => rank(named(element))); if (found) return found; }
        return null;
    };
";
/// What can be clicked and is named so.
const CLICKABLE: &str = "
    const all = [...document.querySelectorAll('a[href], button, summary, label, input[type=submit], [role=button]')]
        .filter((element) => seen(element) && !element.closest('[aria-hidden=true]'));
    const named = (element) => words(element.getAttribute('aria-label') || element.innerText || element.value);
    return pick(all, named, words(arguments[0]));
";
/// Does a click on it lead to another page? Not within the page, and not where a script opens a question instead.
const LEADS: &str = "
    const target = arguments[0].closest('a[href], button, input[type=submit]');
    if (target === null || target.dataset.dialog !== undefined && target.getAttribute('role') === 'button') return false;
    if (target.tagName === 'A') return !target.hasAttribute('download') && target.href.split('#')[0] !== location.href.split('#')[0];
    return target.type === 'submit' && target.form !== null && target.form.method !== 'dialog';
";
/// The field under this label.
const FIELD: &str = "
    const all = [...document.querySelectorAll('input:not([type=hidden]), select, textarea')];
    const named = (element) => words(element.getAttribute('aria-label') || [...(element.labels || [])].map((label) => label.innerText).join(' '));
    return pick(all, named, words(arguments[0]));
";

pub struct Person {
    pub driver: Driver,
    pub base: String,
}

impl Person {
    pub fn at(portal: &str, settings: Settings) -> Self {
        Self { driver: Driver::start(settings), base: portal.to_owned() }
    }

    #[track_caller]
    pub fn go(&self, path: &str) {
        self.driver.post("/url", json!({ "url": format!("{}{path}", self.base) }));
    }

    /// Path and query of the page.
    #[track_caller]
    pub fn path(&self) -> String {
        let url = self.driver.get("/url");
        let url = url.as_str().unwrap();
        url.strip_prefix(&self.base).unwrap_or(url).to_owned()
    }

    /// To the page before, whole: what its fields held is put back while it loads.
    #[track_caller]
    pub fn back(&self) {
        let before = self.page();
        self.driver.post("/back", json!({}));
        self.left(&before);
    }

    /// Signed out, as when a session ends: no page says so.
    pub fn forget(&self) {
        self.driver.ask(reqwest::Method::DELETE, "/cookie", None).unwrap();
    }

    /// Becomes somebody, without the sign-in page, which has tests of its own.
    pub fn is(&self, cookies: &[(String, String)]) {
        // A cookie can be set only for the site that is shown.
        self.go("/");
        self.forget();
        for (name, value) in cookies {
            self.driver.post("/cookie", json!({ "cookie": { "name": name, "value": value, "httpOnly": true, "sameSite": "Lax" } }));
        }
    }

    /// All the words of the page.
    #[track_caller]
    pub fn text(&self) -> String {
        let text = self.driver.run(&format!("{WORDS} return words(document.body.innerText)"), &[]);
        text.as_str().unwrap().to_owned()
    }

    pub fn sees(&self, text: &str) -> bool {
        let script = format!("{WORDS} return words(document.body.innerText).includes(words(arguments[0])) ? document.body : null");
        self.driver.find(&script, &[json!(text)]).is_some()
    }

    /// Waits until the words are there.
    #[track_caller]
    pub fn see(&self, text: &str) {
        if !self.wait(|| self.sees(text)) {
            panic!("“{text}” is not on {}:\n{}", self.path(), self.text());
        }
    }

    #[track_caller]
    pub fn see_no(&self, text: &str) {
        assert!(!self.sees(text), "“{text}” is on {}:\n{}", self.path(), self.text());
    }

    fn wait(&self, done: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        true
    }

    #[track_caller]
    fn named(&self, script: &str, name: &str) -> Element {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.driver.find(&format!("{WORDS}{script}"), &[json!(name)]) {
                return found;
            }
            assert!(Instant::now() < deadline, "nothing is called “{name}” on {}:\n{}", self.path(), self.text());
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    /// A link, a button, a label: by its words.
    #[track_caller]
    pub fn button(&self, name: &str) -> Element {
        self.named(CLICKABLE, name)
    }
    #[track_caller]
    pub fn field(&self, label: &str) -> Element {
        self.named(FIELD, label)
    }
    pub fn has_button(&self, name: &str) -> bool {
        self.driver.find(&format!("{WORDS}{CLICKABLE}"), &[json!(name)]).is_some()
    }
    pub fn has_field(&self, label: &str) -> bool {
        self.driver.find(&format!("{WORDS}{FIELD}"), &[json!(label)]).is_some()
    }

    #[track_caller]
    pub fn click(&self, name: &str) {
        let element = self.button(name);
        self.press(&element).unwrap_or_else(|error| panic!("“{name}” on {} cannot be clicked: {error}", self.path()));
    }

    /// A click; where it leads to another page, that page is there afterwards: the driver itself does not always wait.
    #[track_caller]
    fn press(&self, element: &Element) -> Result<(), String> {
        let leads = self.driver.run(LEADS, &[element.json()]) == json!(true);
        let before = self.page();
        self.driver.click(element)?;
        if leads {
            self.left(&before);
        }
        Ok(())
    }

    /// Types into the field of this label, in place of what it holds.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        let element = self.field(label);
        self.driver.clear(&element);
        self.driver.type_into(&element, text);
    }

    /// What the field of this label holds.
    #[track_caller]
    pub fn value(&self, label: &str) -> String {
        self.field(label);
        let script = format!("{WORDS} return (function () {{ {FIELD} }}).apply(null, arguments).value");
        self.driver.run(&script, &[json!(label)]).as_str().unwrap().to_owned()
    }

    /// Sends the form of the page that leads to a path ending so.
    #[track_caller]
    pub fn send(&self, end: &str) {
        let script = "return [...document.querySelectorAll('main form[method=post]')].find((form) => form.getAttribute('action').endsWith(arguments[0]))\
            .querySelector('button:not([type=button], [aria-hidden=true], [name=insert])')";
        let button = self.driver.find(script, &[json!(end)]).unwrap_or_else(|| panic!("no form to {end} on {}", self.path()));
        self.press(&button).unwrap_or_else(|error| panic!("the form to {end} on {} cannot be sent: {error}", self.path()));
    }

    /// A mark of the page that is shown: another page, or the same one loaded again, has another.
    #[track_caller]
    pub fn page(&self) -> Value {
        self.driver.run("return performance.timeOrigin", &[])
    }

    /// Waits until another page is there.
    #[track_caller]
    pub fn left(&self, before: &Value) {
        let gone = || {
            let now = self.driver.ask(
                reqwest::Method::POST,
                "/execute/sync",
                Some(json!({ "script": "return document.readyState === 'complete' ? performance.timeOrigin : null", "args": [] })),
            );
            now.is_ok_and(|now| !now.is_null() && now != *before)
        };
        assert!(self.wait(gone), "{} stays", self.path());
    }

    /// Presses Tab until what is called so, or so and something more, has the focus.
    #[track_caller]
    pub fn tab_to(&self, name: &str) {
        let mut met = Vec::new();
        for _ in 0..250 {
            self.driver.press(TAB);
            let (_, label) = self.driver.focused();
            if label.strip_prefix(name).is_some_and(|more| !more.starts_with(char::is_alphanumeric)) {
                return;
            }
            met.push(label);
        }
        panic!("Tab does not reach “{name}” on {}; it meets {met:?}", self.path());
    }

    /// Presses Tab until a radio button of the group that has this one has the focus.
    #[track_caller]
    pub fn tab_to_group(&self, label: &str) {
        let script = format!(
            "{WORDS} const wanted = [...document.querySelectorAll('input[type=radio]')].find((radio) => words(radio.labels[0].innerText).startsWith(words(arguments[0])));
            return wanted !== undefined && document.activeElement.type === 'radio' && document.activeElement.name === wanted.name"
        );
        for _ in 0..250 {
            self.driver.press(TAB);
            if self.driver.run(&script, &[json!(label)]) == json!(true) {
                return;
            }
        }
        panic!("Tab does not reach the group of “{label}” on {}:\n{}", self.path(), self.text());
    }

    /// Keeps a picture of the whole page.
    pub fn picture(&self, file: &Path) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, STANDARD.decode(self.driver.whole_page()).unwrap()).unwrap();
    }

    /// Errors of the console since the last look.
    pub fn complaints(&self) -> Vec<String> {
        let wrong = |entry: &Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        self.driver.log("browser").iter().filter(|entry| wrong(entry)).map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}
impl Drop for Person {
    fn drop(&mut self) {
        // What the page looked like when the test gave up.
        if std::thread::panicking() {
            let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
            let shot = self.driver.ask(reqwest::Method::GET, "/screenshot", None);
            if let Some(png) = shot.ok().and_then(|shot| STANDARD.decode(shot.as_str()?).ok()) {
                let file = target().join("browser").join(format!("{name}.png"));
                let _ = std::fs::create_dir_all(file.parent().unwrap_or(&file)).and_then(|()| std::fs::write(&file, png));
                eprintln!("the page is kept in {}", file.display());
            }
        }
    }
}
