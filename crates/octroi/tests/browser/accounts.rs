//! Somebody whom a service sends here opens an account, proves it, joins their organisation, agrees, and is back at the service; then
//! comes in with a passkey, with codes, and is signed out everywhere: in a real browser, with a virtual authenticator.

use octroi_oauth::totp;
use serde_json::{Value, json};

use crate::{
    checks,
    driver::{self, ENGLISH, FRENCH, Settings},
    person::{ENTER, Person, SPACE},
    relying::RelyingParty,
    words::Words,
    world::{World, wait, world},
};

const PASSWORD: &str = "sept nuages sur le quai";

fn last_mail(world: &World, to: &str) -> String {
    let found = wait(world.demo.nobody().get(&format!("/dev/mailbox?to={to}"))).ok(200);
    found["items"][0]["text"].as_str().unwrap().to_owned()
}

fn code_of(mail: &str) -> String {
    let words: Vec<&str> = mail.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let four = |word: &str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    words.windows(2).find(|pair| four(pair[0]) && four(pair[1])).unwrap().concat()
}

/// What an application for codes shows for the key on the page.
fn totp_code(person: &Person) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let key = person.driver.run("return document.querySelector('main figure.code code').textContent", &[]);
    let (mut bits, mut held, mut seed) = (0, 0_u32, Vec::new());
    for letter in key.as_str().unwrap().chars().filter(|letter| *letter != ' ') {
        held = (held << 5) | u32::try_from(LETTERS.find(letter).unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            seed.push(u8::try_from(held >> bits).unwrap());
            held &= (1 << bits) - 1;
        }
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    totp::code(&seed, i64::try_from(now).unwrap() / totp::STEP)
}

/// The town of the example data, whose addresses are known to be its own.
const TOWN: &str = "21340001300016";

/// Somebody at a browser, with the mouse or the keyboard alone, whose every page is looked at.
struct Newcomer {
    person: Person,
    words: &'static Words,
    keyboard: bool,
    script: bool,
    email: String,
}

impl Newcomer {
    fn word(&self, key: &str) -> &str {
        self.words.get(key)
    }

    /// The page is sound: without scripts there is none to look with, but at how wide it is.
    #[track_caller]
    fn sound(&self) {
        let faults = if self.script { checks::faults(&self.person) } else { checks::widths(&self.person) };
        assert!(faults.is_empty(), "{}: {}", self.person.path(), faults.join("\n"));
    }

    #[track_caller]
    fn fill(&self, key: &str, text: &str) {
        if self.keyboard {
            self.person.tab_to(self.word(key));
            self.person.driver.press(text);
        } else {
            self.person.fill(self.word(key), text);
        }
    }

    /// Sends the form to a path that ends so, by its button of this name.
    #[track_caller]
    fn send(&self, end: &str, key: &str) {
        if self.keyboard {
            self.enter(key);
        } else {
            self.person.send(end);
        }
    }

    /// A link or a button.
    #[track_caller]
    fn press(&self, key: &str) {
        if self.keyboard {
            self.enter(key);
        } else {
            self.person.click(self.word(key));
        }
    }

    #[track_caller]
    fn enter(&self, key: &str) {
        let before = self.person.page();
        self.person.tab_to(self.word(key));
        self.person.driver.press(ENTER);
        self.person.left(&before);
    }

    /// Presses the button of a form that a passkey fills in, and waits for the page that follows.
    #[track_caller]
    fn passkey(&self, end: &str) {
        let before = self.person.page();
        self.person.send(end);
        self.person.left(&before);
    }

    /// From the service to the portal, with these wishes of the service.
    fn comes_from(&self, service: &RelyingParty, asked: &[(&str, &str)]) {
        self.person.driver.post("/url", json!({ "url": service.entrance(asked) }));
    }

    /// Back at the service, which knows who came.
    #[track_caller]
    fn is_at_the_service(&self) {
        self.person.see(&format!("Bonjour Léa, {TOWN}"));
    }

    #[track_caller]
    fn opens_an_account(&self, world: &World) {
        // The service said which address it knows.
        assert_eq!(self.person.value(self.word("sign-in-email")), self.email);
        self.sound();
        self.send("/sign-up", "sign-in-next");
        self.sound();
        self.fill("mail-code", "00000000");
        self.send("/sign-up/code", "sign-in-next");
        self.sound();
        self.fill("mail-code", &code_of(&last_mail(world, &self.email)));
        self.send("/sign-up/code", "sign-in-next");
        self.sound();
        self.fill("given-name", "Léa");
        self.fill("family-name", "Martin");
        self.fill("sign-in-password", PASSWORD);
        self.send("/sign-up/finish", "sign-up-open");
    }

    /// The service asks for two factors, and this account has one.
    #[track_caller]
    fn adds_a_passkey(&self) {
        self.person.see(self.word("second-factor-why"));
        self.sound();
        self.press("passkey-add");
        self.person.fill(self.word("passkey-name"), "Portable");
        self.sound();
        self.passkey("/account/passkeys");
        // Back where the second factor is asked for, which is there now.
        self.sound();
        self.passkey("/sign-in/second-factor/passkey");
    }

    /// The same with an application for codes; the codes to keep.
    #[track_caller]
    fn adds_an_application(&self) -> Vec<String> {
        self.person.see(self.word("second-factor-why"));
        self.sound();
        self.send("/account/totp/begin", "totp-begin");
        self.sound();
        self.fill("totp-code", &totp_code(&self.person));
        self.send("/account/totp", "account-confirm");
        self.person.see(self.word("recovery-once"));
        self.sound();
        let codes = self.person.driver.run("return document.querySelector('main figure.code code').textContent", &[]);
        self.press("recovery-kept");
        codes.as_str().unwrap().lines().map(str::to_owned).collect()
    }

    /// The service named the organisation, of which this person is no member yet.
    #[track_caller]
    fn joins(&self) {
        self.person.see(self.word("sign-on-missing"));
        self.sound();
        self.press("sign-on-join");
        self.person.see("Commune de Rivebelle");
        self.sound();
        self.send("/organizations/join", "join-ask");
    }

    #[track_caller]
    fn agrees(&self) {
        self.person.see(self.word("sign-on-shared"));
        self.person.see("Commune de Rivebelle");
        self.sound();
        if self.keyboard {
            self.person.tab_to(self.word("sign-on-agree"));
            self.person.driver.press(ENTER);
        } else {
            self.person.click(self.word("sign-on-agree"));
        }
        self.is_at_the_service();
    }

    /// The service signs the person out of the portal, and hears of it on the other way too.
    #[track_caller]
    fn leaves(&self, service: &RelyingParty) {
        self.person.driver.post("/url", json!({ "url": service.exit() }));
        self.person.see("Au revoir");
        service.is_told();
        self.person.go("/account");
        self.person.see(self.word("sign-in-next"));
    }

    #[track_caller]
    fn types_the_password(&self) {
        self.fill("sign-in-email", &self.email);
        self.send("/sign-in", "sign-in-next");
        self.sound();
        self.fill("sign-in-password", PASSWORD);
        self.send("/sign-in", "sign-in");
    }
}

fn newcomer(world: &World, settings: Settings, keyboard: bool, name: &str) -> Newcomer {
    let email = format!("{name}@rivebelle.example");
    Newcomer { person: world.person(settings), words: Words::of(settings.language), keyboard, script: settings.javascript, email }
}

fn live(settings: Settings, name: &str) {
    let world = world();
    let service = RelyingParty::start(world, "Cantine de Rivebelle");
    let lea = newcomer(world, settings, false, name);
    let person = &lea.person;
    let authenticator = json!({ "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true });
    let id: Value = person.driver.post("/webauthn/authenticator", authenticator);
    assert!(id.is_string(), "{id}");

    let asked = [("prompt", "create"), ("login_hint", lea.email.as_str()), ("siret_hint", TOWN), ("acr_values", "eidas1-mfa")];
    lea.comes_from(&service, &asked);
    lea.opens_an_account(world);
    lea.adds_a_passkey();
    lea.joins();
    lea.agrees();
    let (claims, userinfo) = service.last();
    assert_eq!((&claims["acr"], &userinfo["email"], &userinfo["email_verified"]), (&json!("eidas1-mfa"), &json!(lea.email), &json!(true)));
    lea.leaves(&service);

    // The passkey alone is two factors, and what was agreed to is not asked again.
    lea.comes_from(&service, &asked[3..]);
    lea.passkey("/sign-in/passkey");
    lea.is_at_the_service();
    // Asked with which account, and for which organisation, though there is one of each.
    lea.comes_from(&service, &[("prompt", "select_account")]);
    person.see(lea.word("sign-on-account-keep"));
    lea.sound();
    lea.press("sign-on-account-keep");
    lea.is_at_the_service();
    lea.comes_from(&service, &[("prompt", "select_organization")]);
    person.click("Commune de Rivebelle");
    lea.sound();
    lea.press("sign-on-go-on");
    lea.is_at_the_service();

    // An application for codes, and then the password is not enough: for the portal itself either.
    person.go("/account/second-factor");
    let codes = lea.adds_an_application();
    lea.sound();
    lea.press("sign-out");
    service.is_told();
    lea.comes_from(&service, &asked[3..]);
    lea.types_the_password();
    person.see(lea.word("second-factor-code-hint"));
    lea.sound();
    lea.fill("second-factor-code", &codes[0]);
    lea.send("/sign-in/second-factor", "second-factor-show");
    lea.is_at_the_service();
    person.go("/account/sessions");
    person.see(lea.word("session-this"));
    lea.sound();
    lea.press("sign-out");
    // And with the passkey as the second factor.
    person.go("/sign-in");
    lea.types_the_password();
    lea.passkey("/sign-in/second-factor/passkey");
    person.see("Léa Martin");
    // The browser itself complains of the code that was wrong.
    let complaints = person.complaints();
    assert!(complaints.len() == 1 && complaints[0].contains("422"), "{complaints:?}");
}

#[test]
fn from_a_service_to_an_account_and_back_in_french() {
    if driver::present() {
        live(FRENCH, "lea.fr");
    }
}

#[test]
fn from_a_service_to_an_account_and_back_in_english() {
    if driver::present() {
        live(ENGLISH, "lea.en");
    }
}

/// All but the passkey, which needs a script.
#[test]
fn from_a_service_to_an_account_without_javascript_by_keyboard() {
    if !driver::present() {
        return;
    }
    let world = world();
    let service = RelyingParty::start(world, "Médiathèque de Rivebelle");
    let lea = newcomer(world, Settings { javascript: false, ..FRENCH }, true, "lea.clavier");
    let asked = [("prompt", "create"), ("login_hint", lea.email.as_str()), ("siret_hint", TOWN), ("acr_values", "eidas1-mfa")];
    lea.comes_from(&service, &asked);
    lea.opens_an_account(world);
    let codes = lea.adds_an_application();
    lea.joins();
    lea.agrees();
    lea.leaves(&service);
    lea.comes_from(&service, &asked[3..]);
    lea.types_the_password();
    lea.fill("second-factor-code", &codes[1]);
    lea.send("/sign-in/second-factor", "second-factor-show");
    lea.is_at_the_service();
    // Somebody who does not agree is sent back all the same.
    lea.comes_from(&service, &[("prompt", "select_organization")]);
    lea.person.tab_to_group("Commune de Rivebelle");
    lea.person.driver.press(SPACE);
    lea.person.tab_to(lea.word("sign-on-give-up"));
    lea.person.driver.press(ENTER);
    lea.person.see("Refus : access_denied");
}
