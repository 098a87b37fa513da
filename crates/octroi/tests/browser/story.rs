//! The main job, from the home page to the refused call, by an applicant and a reviewer who only see the pages:
//! in French and in English, without JavaScript, on a phone, and with the keyboard alone.

use serde_json::Value;

use crate::{
    driver::{self, ENGLISH, FRENCH, PHONE, Settings},
    filling,
    harness::{QF, call},
    person::{ENTER, Person, SPACE},
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

    /// A box or a radio button.
    #[track_caller]
    fn tick(&self, key: &str) {
        if self.keyboard {
            self.person.tab_to(self.words.get(key));
            self.person.driver.press(SPACE);
        } else {
            self.person.click(self.words.get(key));
        }
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
        self.fill("sign-in-email", &email);
        self.fill("sign-in-password", &password);
        // In the form: the menu has a link of the same name.
        if self.keyboard {
            let before = self.person.page();
            self.person.driver.press(ENTER);
            self.person.left(&before);
        } else {
            self.person.send("/sign-in");
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
    example["scopes"] = serde_json::json!(["cnaf_quotient_familial", "cnaf_enfants"]);
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
    teller.tick("decision-approve");
    teller.press_word("decision-send");
    let shown = wait(world.program("reviewer").get(&format!("/access-requests/{id}"))).ok(200);
    assert_eq!(shown["state"], "approved", "{}:\n{}", person.path(), person.text());
    shown["permit"].as_str().unwrap().to_owned()
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
    assert!(permit.starts_with('H'));
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
