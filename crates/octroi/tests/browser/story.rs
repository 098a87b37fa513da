//! The main job, from the home page to the refused call, by an applicant and a reviewer who only see the pages:
//! in French and in English, without JavaScript, on a phone, and with the keyboard alone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    driver::{self, ENGLISH, FRENCH, PHONE, Settings},
    filling,
    harness::{QF, call, members},
    person::{DOWN, ENTER, Person, SPACE},
    words::Words,
    world::{World, wait, world},
};

/// Somebody at a browser, who uses the mouse or the keyboard alone, and reads one language.
struct Teller {
    person: Person,
    words: &'static Words,
    keyboard: bool,
}

impl Teller {
    fn new(world: &World, settings: Settings, keyboard: bool) -> Self {
        Self { person: world.person(settings), words: Words::of(settings.language), keyboard }
    }

    /// A link or a button, by its words as they stand on the page.
    #[track_caller]
    fn press(&self, text: &str) {
        if self.keyboard {
            let before = self.person.page();
            self.person.tab_to(text);
            self.person.driver.press(ENTER);
            self.person.left(&before);
        } else {
            self.person.click(text);
        }
    }

    /// The same, by the key of its words in `locales/`.
    #[track_caller]
    fn press_word(&self, key: &str) {
        self.press(self.words.get(key));
    }

    /// A box.
    #[track_caller]
    fn tick(&self, key: &str) {
        let label = self.words.get(key);
        if self.keyboard {
            self.person.tab_to(label);
            self.person.driver.press(SPACE);
        } else {
            self.person.click(label);
        }
    }

    /// A radio button: Tab reaches one of its group, and arrows the others.
    #[track_caller]
    fn choose(&self, label: &str) {
        if !self.keyboard {
            return self.person.click(label);
        }
        self.person.tab_to_group(label);
        for _ in 0..20 {
            if self.person.driver.focused().1.starts_with(label) {
                return self.person.driver.press(SPACE);
            }
            self.person.driver.press(DOWN);
        }
        panic!("no arrow leads to “{label}” on {}", self.person.path());
    }

    #[track_caller]
    fn fill(&self, key: &str, text: &str) {
        if self.keyboard {
            self.person.tab_to(self.words.get(key));
            self.person.driver.press(text);
        } else {
            self.person.fill(self.words.get(key), text);
        }
    }

    /// From the home page into one's account.
    #[track_caller]
    fn sign_in(&self, world: &World, role: &str) {
        let (email, password) = world.account(role);
        // Who, and then with what. In the form: the menu has a link of the same name.
        for (key, typed) in [("sign-in-email", &email), ("sign-in-password", &password)] {
            self.fill(key, typed);
            if self.keyboard {
                let before = self.person.page();
                self.person.driver.press(ENTER);
                self.person.left(&before);
            } else {
                self.person.send("/sign-in");
            }
        }
        self.person.see(self.words.get("sign-out"));
    }
}

/// What the steps of the form are filled with: its own example, under a title of the test's.
fn example(world: &World, title: &str) -> Value {
    let shown = wait(world.demo.nobody().get("/definitions/api-particulier")).ok(200);
    let form = shown["forms"].as_array().unwrap().iter().find(|form| form["slug"] == "libre").unwrap();
    let mut example = form["example"].clone();
    example["title"] = title.into();
    example["scopes"] = json!(["cnaf_quotient_familial", "cnaf_enfants"]);
    example
}

/// From the home page to a submitted request; its id.
fn apply(teller: &Teller, world: &World, title: &str) -> String {
    let (person, words) = (&teller.person, teller.words);
    person.go("/");
    teller.press_word("home-need");
    teller.press("API Particulier");
    teller.press_word("api-apply");
    teller.press(if words.get("menu") == Words::of("fr").get("menu") { "Demande libre" } else { "Free request" });
    teller.press_word("start-sign-in");
    teller.sign_in(world, "applicant");
    teller.press_word("start-begin");
    let example = example(world, title);
    let mut steps = 0;
    while person.path().contains("/steps/") {
        let before = person.page();
        if teller.keyboard {
            filling::by_keyboard(person, &example, words.get("form-next"));
            person.driver.press(ENTER);
            person.left(&before);
        } else {
            filling::by_hand(person, &example);
            teller.press_word("form-next");
        }
        steps += 1;
        assert!(steps < 12, "no way out of the steps at {}", person.path());
    }
    assert!(steps >= 4, "{steps} steps");
    assert!(person.path().ends_with("/summary"), "{}:\n{}", person.path(), person.text());
    person.see(title);
    if person.has_field(words.get("terms-accept")) {
        teller.tick("terms-accept");
    }
    teller.press_word("summary-submit");
    let path = person.path();
    let id = path.strip_prefix("/access-requests/").unwrap_or_else(|| panic!("{path}:\n{}", person.text())).to_owned();
    person.see(title);
    id
}

/// The reviewer finds the request in the list, and approves it; the permit.
fn approve(teller: &Teller, world: &World, title: &str, id: &str) -> String {
    let (person, words) = (&teller.person, teller.words);
    person.go("/");
    teller.press_word("sign-in");
    teller.sign_in(world, "reviewer");
    teller.press_word("menu-review");
    teller.fill("review-words", title);
    teller.press_word("review-submit");
    person.see(title);
    teller.press(id);
    person.see(words.get("review-who"));
    teller.choose(words.get("decision-approve"));
    teller.press_word("decision-send");
    let shown = wait(world.program("reviewer").get(&format!("/access-requests/{id}"))).ok(200);
    assert_eq!(shown["state"], "approved", "{}:\n{}", person.path(), person.text());
    let permit = shown["permit"].as_str().unwrap().to_owned();
    person.see(&permit);
    permit
}

/// An application of a stage, its subscription under the permit, and its key, read off the page that shows it once.
fn connect(teller: &Teller, stage: &str, title: &str, permit: &str) -> String {
    let (person, words) = (&teller.person, teller.words);
    teller.press_word("menu-applications");
    teller.press_word("application-new");
    let name = format!("{title} {stage}");
    teller.fill("application-name", &name);
    teller.choose(words.get(&format!("stage-{stage}")));
    teller.press_word("application-create");
    person.see(&name);
    teller.press_word("application-subscribe");
    teller.press("API Particulier");
    // One's only permit and plan are chosen already.
    if person.has_button(permit) {
        teller.choose(permit);
    }
    teller.tick("subscription-accept-terms");
    teller.press_word("subscribe-now");
    person.see(permit);
    teller.press_word("credential-new");
    teller.choose(words.get("credential-kind-api_key"));
    teller.press_word("credential-make");
    person.see(words.get("credential-once"));
    let key = person.driver.run("return document.querySelector('main pre code').textContent", &[]);
    teller.press_word("credential-kept");
    person.see(&name);
    key.as_str().unwrap().trim().to_owned()
}

/// From the application, which the last page was about, to its calls: this one is there, under its permit.
fn see_the_call(teller: &Teller, permit: &str) {
    let person = &teller.person;
    teller.press_word("application-usage");
    teller.press_word("usage-traces");
    let deadline = Instant::now() + Duration::from_secs(20);
    // Traces are kept a moment after the answer has left.
    while !person.sees(permit) {
        assert!(Instant::now() < deadline, "no call on {}:\n{}", person.path(), person.text());
        std::thread::sleep(Duration::from_millis(200));
        person.go(&person.path());
    }
    person.see("quotient_familial");
}

/// The reviewer ends the permit from the list of permits.
fn revoke(teller: &Teller, title: &str, permit: &str) {
    let (person, words) = (&teller.person, teller.words);
    teller.press_word("menu-review");
    teller.press_word("review-permits-title");
    teller.fill("review-words", title);
    teller.press_word("review-submit");
    person.see(title);
    teller.press(&format!("{} {permit}", words.get("permit-revoke-of")));
    teller.fill("permit-reason", "Le service a fermé.");
    teller.press_word("permit-revoke");
    person.see(permit);
}

fn tell(settings: Settings, keyboard: bool) {
    if !driver::present() {
        return;
    }
    let world = world();
    let mode = format!("{} {}{}", settings.language, settings.size.0, if keyboard { " clavier" } else { "" });
    let title = format!("Cantine {mode}{}", if settings.javascript { "" } else { " sans script" });
    let applicant = Teller::new(world, settings, keyboard);
    let id = apply(&applicant, world, &title);
    let reviewer = Teller::new(world, settings, keyboard);
    let permit = approve(&reviewer, world, &title, &id);
    let mut keys = Vec::new();
    for stage in ["sandbox", "production"] {
        let key = connect(&applicant, stage, &title, &permit);
        let body = wait(call(&format!("{}{QF}", world.demo.gateway(stage)), &[("X-Api-Key", &key)])).ok(200);
        // What was asked for, and nothing else.
        assert_eq!(members(&body["data"]), ["enfants", "quotient_familial"], "{stage}");
        see_the_call(&applicant, &permit);
        keys.push((stage, key));
    }
    revoke(&reviewer, &title, &permit);
    for (stage, key) in keys {
        wait(call(&format!("{}{QF}", world.demo.gateway(stage)), &[("X-Api-Key", &key)])).problem(403, "permit_revoked");
    }
}

#[test]
fn in_french() {
    tell(FRENCH, false);
}

#[test]
fn in_french_without_javascript() {
    tell(Settings { javascript: false, ..FRENCH }, false);
}

#[test]
fn in_english_on_a_phone() {
    tell(Settings { size: PHONE, ..ENGLISH }, false);
}

#[test]
fn with_the_keyboard_alone() {
    tell(FRENCH, true);
}
