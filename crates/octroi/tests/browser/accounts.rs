//! Somebody opens an account, gives it a passkey and codes, and comes in with each: in a real browser, with a virtual authenticator.

use octroi_oauth::totp;
use serde_json::{Value, json};

use crate::{
    checks,
    driver::{self, ENGLISH, FRENCH, Settings},
    person::Person,
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

#[track_caller]
fn sound(person: &Person) {
    let faults = checks::faults(person);
    assert!(faults.is_empty(), "{}: {}", person.path(), faults.join("\n"));
}

/// Presses the button of the form that a passkey fills in, and waits for the page that follows.
#[track_caller]
fn passkey(person: &Person, end: &str) {
    let before = person.page();
    person.send(end);
    person.left(&before);
}

fn live(settings: Settings, words: &Words, email: &str) {
    let world = world();
    let person = world.person(settings);
    let authenticator = json!({ "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true });
    let id: Value = person.driver.post("/webauthn/authenticator", authenticator);
    assert!(id.is_string(), "{id}");

    person.go("/sign-up");
    person.fill(words.get("sign-in-email"), email);
    person.send("/sign-up");
    sound(&person);
    person.fill(words.get("mail-code"), &code_of(&last_mail(world, email)));
    person.send("/sign-up/code");
    person.fill(words.get("given-name"), "Léa");
    person.fill(words.get("family-name"), "Martin");
    person.fill(words.get("password-new"), PASSWORD);
    sound(&person);
    person.send("/sign-up/finish");
    person.see("Léa Martin");

    person.go("/account/passkeys");
    person.fill(words.get("passkey-name"), "Portable");
    passkey(&person, "/account/passkeys");
    person.see("Portable");
    sound(&person);
    person.click(words.get("sign-out"));
    person.go("/sign-in");
    passkey(&person, "/sign-in/passkey");
    person.see("Léa Martin");

    // An application for codes, and then the password is not enough.
    person.go("/account/second-factor");
    person.send("/account/totp/begin");
    sound(&person);
    person.fill(words.get("totp-code"), &totp_code(&person));
    person.send("/account/totp");
    person.see(words.get("recovery-once"));
    sound(&person);
    let code = person.driver.run("return document.querySelector('main figure.code code').textContent.split('\\n')[0]", &[]);
    person.click(words.get("sign-out"));
    person.go("/sign-in?login_hint=x");
    person.fill(words.get("sign-in-email"), email);
    person.send("/sign-in");
    sound(&person);
    person.fill(words.get("sign-in-password"), PASSWORD);
    person.send("/sign-in");
    person.see(words.get("second-factor-code-hint"));
    sound(&person);
    person.fill(words.get("second-factor-code"), code.as_str().unwrap());
    person.send("/sign-in/second-factor");
    person.see("Léa Martin");
    // And with the passkey as the second factor.
    person.click(words.get("sign-out"));
    person.go("/sign-in");
    person.fill(words.get("sign-in-email"), email);
    person.send("/sign-in");
    person.fill(words.get("sign-in-password"), PASSWORD);
    person.send("/sign-in");
    passkey(&person, "/sign-in/second-factor/passkey");
    person.see("Léa Martin");
    person.go("/account/sessions");
    person.see(words.get("session-this"));
    sound(&person);
    assert_eq!(person.complaints(), Vec::<String>::new());
}

#[test]
fn an_account_a_passkey_and_codes_in_french() {
    if driver::present() {
        live(FRENCH, Words::of("fr"), "lea.fr@rivebelle.example");
    }
}

#[test]
fn an_account_a_passkey_and_codes_in_english() {
    if driver::present() {
        live(ENGLISH, Words::of("en"), "lea.en@rivebelle.example");
    }
}
