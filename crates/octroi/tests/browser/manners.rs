//! Progress and doubt: nothing typed is lost, and what was clicked twice is done once.

use serde_json::{Value, json};

use crate::{
    driver::{self, FRENCH, Settings},
    harness::Caller,
    person::Person,
    words::Words,
    world::{World, wait, world},
};

const NO_SCRIPT: Settings = Settings { javascript: false, ..FRENCH };

/// A new draft, and a browser on its first step, signed in by the page.
fn on_first_step(world: &World, settings: Settings) -> (Person, String, Caller) {
    let program = world.program("applicant");
    let draft = wait(program.post("/access-requests", json!({ "definition": "api-particulier", "form": "libre" }))).ok(201);
    let id = draft["id"].as_str().unwrap().to_owned();
    let person = world.person(settings);
    // A session of its own: it is going to end.
    person.is(&world.sign_in("applicant"));
    person.go(&format!("/access-requests/{id}/steps/1"));
    (person, id, program)
}

fn title(program: &Caller, id: &str) -> Value {
    wait(program.get(&format!("/access-requests/{id}"))).ok(200)["answers"]["title"].clone()
}

#[test]
fn what_was_typed_outlives_the_session() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    let (email, password) = world.account("applicant");
    for settings in [FRENCH, NO_SCRIPT] {
        let (person, id, program) = on_first_step(world, settings);
        person.fill("Nom du projet", "Tarifs « du soir » & <du matin>");
        person.fill("Description du projet", "Deux\nlignes");
        person.forget();
        person.click(words.get("form-next"));
        person.see(words.get("session-ended"));
        person.fill(words.get("sign-in-email"), &email);
        person.send("/sign-in");
        person.fill(words.get("sign-in-password"), &password);
        person.send("/sign-in");
        person.click(words.get("resume-send"));
        person.see(words.get("form-back"));
        assert_eq!(person.path().split('?').next(), Some(format!("/access-requests/{id}/steps/2").as_str()));
        assert_eq!(title(&program, &id), "Tarifs « du soir » & <du matin>");
    }
}

#[test]
fn what_was_typed_is_there_after_going_back() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    let (person, ..) = on_first_step(world, FRENCH);
    // Sent, then back; and a page that was left without sending.
    person.fill("Nom du projet", "Piscine");
    person.fill("Description du projet", "Tarifs");
    person.click(words.get("form-next"));
    person.see(words.get("form-back"));
    person.back();
    person.see("Nom du projet");
    assert_eq!(person.value("Nom du projet"), "Piscine");
    person.fill("Nom du projet", "Piscine et patinoire");
    person.click(words.get("footer-legal"));
    person.back();
    person.see("Nom du projet");
    assert_eq!(person.value("Nom du projet"), "Piscine et patinoire");
}

#[test]
fn two_clicks_do_it_once() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    for settings in [FRENCH, NO_SCRIPT] {
        let program = world.program("vendor_applicant");
        let count = || wait(program.get("/access-requests")).ok(200)["items"].as_array().unwrap().len();
        let before = count();
        let person = world.person(settings);
        world.dress(&person, Some("vendor_applicant"));
        person.go("/start/api-particulier/libre");
        let button = person.button(words.get("start-begin"));
        person.driver.double_click(&button);
        person.see(words.get("form-later"));
        assert_eq!(count(), before + 1, "{settings:?}");
    }
}

/// A secret is on one answer and on no other: not on the second of two clicks, not when the page is loaded again, not after going back.
#[test]
fn a_secret_is_shown_once() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    let program = world.program("applicant");
    for settings in [FRENCH, NO_SCRIPT] {
        let made = wait(program.post("/applications", json!({ "name": "Deux clics", "stage": "sandbox" }))).ok(201);
        let id = made["id"].as_str().unwrap();
        let person = world.person(settings);
        world.dress(&person, Some("applicant"));
        person.go(&format!("/applications/{id}/credentials/new"));
        person.click(words.get("credential-kind-api_key"));
        let button = person.button(words.get("credential-make"));
        person.driver.double_click(&button);
        person.see(words.get("credential-made"));
        let shown = wait(program.get(&format!("/applications/{id}"))).ok(200);
        assert_eq!(shown["credentials"].as_array().unwrap().len(), 1, "{settings:?}: {shown}");
        // Sent again by loading the answer again: nothing more is made, and nothing shown.
        person.driver.post("/refresh", json!({}));
        person.see(words.get("credential-gone"));
        let shown = wait(program.get(&format!("/applications/{id}"))).ok(200);
        assert_eq!(shown["credentials"].as_array().unwrap().len(), 1, "{settings:?}: {shown}");
    }
}

/// French where the browser prefers it, else English; and what was chosen stays.
#[test]
fn the_language_is_the_readers() {
    if !driver::present() {
        return;
    }
    let (world, french, english) = (world(), Words::of("fr"), Words::of("en"));
    let person = world.person(Settings { language: "de,fr;q=0.5", ..FRENCH });
    person.go("/");
    person.see(french.get("home-title"));
    person.click(french.get("other-language"));
    person.see(english.get("home-title"));
    person.go("/apis");
    person.see(english.get("catalogue-title"));
    assert_eq!(person.driver.run("return document.documentElement.lang", &[]), "en");
}

#[test]
fn a_draft_is_saved_while_one_thinks() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    let (person, id, program) = on_first_step(world, FRENCH);
    person.fill("Nom du projet", "Médiathèque");
    person.see(words.get("form-saved-at"));
    assert_eq!(title(&program, &id), "Médiathèque");
    // The save changed the version; the button still sends what it shows.
    person.fill("Description du projet", "Prêt de livres");
    person.click(words.get("form-next"));
    person.see(words.get("form-back"));
}

#[test]
fn errors_lead_to_their_field() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    let person = world.person(FRENCH);
    world.dress(&person, Some("applicant"));
    person.go(&world.path("/access-requests/{draft}/transfer"));
    person.fill(words.get("transfer-email"), "nobody@nowhere.example");
    person.click(words.get("transfer-do"));
    // The list of errors has the focus; its first link leads to the field, which holds what was typed.
    let focused = "return document.activeElement.id";
    assert_eq!(person.driver.run(focused, &[]), "errors");
    person.driver.press(crate::person::TAB);
    person.driver.press(crate::person::ENTER);
    assert_eq!(person.driver.run("return document.activeElement.name", &[]), "email");
    assert_eq!(person.value(words.get("transfer-email")), "nobody@nowhere.example");
}

#[test]
fn the_button_to_copy_has_its_place_before_it_comes() {
    if !driver::present() {
        return;
    }
    let (world, words) = (world(), Words::of("fr"));
    let person = world.person(FRENCH);
    person.go("/dev/components");
    assert!(person.has_button(words.get("copy")));
    let heights = "const code = document.querySelector('[data-copy]'), after = code.offsetHeight;
        [...code.querySelectorAll('button, [role=status]')].forEach((part) => part.remove());
        return [code.offsetHeight, after]";
    let heights = person.driver.run(heights, &[]);
    assert_eq!(heights[0], heights[1]);
}
