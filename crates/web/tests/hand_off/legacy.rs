//! Accounts of before: kept apart until their owners prove that they are theirs.

use axum::http::Method;
use serde_json::json;

use crate::{
    support::browser::{mails, main},
    world::{CITY, FRONT, MINISTRY, ORIGIN, Somebody, World, ada, fetch, location, log_in},
};

const OLD: &str = "mot de passe d'avant";

async fn me(browser: &mut crate::support::browser::Browser<'_>) -> serde_json::Value {
    fetch(browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json()
}

#[tokio::test]
async fn they_are_imported_all_or_none_and_never_shown() {
    let world = World::with(json!({}), json!({})).await;
    let bcrypt = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";
    let good = json!({ "email": "a@ville.example", "organization_siret": CITY });
    for (bad, pointer) in [
        (json!({ "email": "b@ville.example", "organization_siret": CITY, "password_hash": bcrypt }), "/items/1/password_hash"),
        (json!({ "email": "b@ville.example", "organization_siret": "123" }), "/items/1/organization_siret"),
        (json!({ "email": "b", "organization_siret": CITY }), "/items/1/email"),
        (json!({ "email": "A@ville.example", "organization_siret": CITY }), "/items/1/email"),
        (json!({ "email": "b@ville.example", "organization_siret": CITY, "role": "ROOT" }), "/items/1/role"),
    ] {
        let answer = world.rest(Method::POST, "/legacy-users", json!({ "items": [good, bad] })).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["errors"][0]["pointer"]), (422, &json!(pointer)), "{}", answer.text);
    }
    assert!(world.rest(Method::GET, "/legacy-users", json!({})).await.json()["items"].as_array().unwrap().is_empty());
    let id = world.import("ada@ville.example", CITY, "ADMIN").await;
    let listed = world.rest(Method::GET, "/legacy-users", json!({})).await;
    assert!(listed.text.contains("ada@ville.example") && !listed.text.contains("argon2"), "{}", listed.text);
    let ledger = world.house.send(Method::GET, "/api/v1/ledger", &[("cookie", &world.operator.cookie)], "").await;
    assert!(ledger.text.contains("legacy_user.imported") && !ledger.text.contains("ada@") && !ledger.text.contains("argon2"));
    assert_eq!(world.rest(Method::DELETE, &format!("/legacy-users/{id}"), json!({})).await.status, 204);
    assert_eq!(world.rest(Method::DELETE, &format!("/legacy-users/{id}"), json!({})).await.status, 404);
}

#[tokio::test]
async fn an_address_alone_gives_nothing() {
    let world = World::with(json!({}), json!({})).await;
    world.import("ada@ville.example", CITY, "ADMIN").await;
    let mut browser = world.browser();
    assert_eq!(location(&log_in(&world, &mut browser, "", &ada()).await), FRONT);
    let person = me(&mut browser).await;
    assert_eq!((&person["role"], &person["legacy_reference"]), (&json!("USER"), &json!(null)));
}

#[tokio::test]
async fn the_password_of_before_proves_it_once() {
    let world = World::with(json!({}), json!({ "link_policy": "confirm_by_password" })).await;
    world.import("ada@ville.example", CITY, "ADMIN").await;
    // Who only says that the address is theirs is asked nothing, and told nothing.
    let mallory = Somebody { sub: "mallory", verified: false, ..ada() };
    assert_eq!(location(&log_in(&world, &mut world.browser(), "", &mallory).await), FRONT);
    let mut browser = world.browser();
    let ask = location(&log_in(&world, &mut browser, "", &ada()).await);
    let page = browser.get(&ask).await;
    assert!(page.text.contains("You had an account already") && page.text.contains("type=\"password\""), "{}", main(&page.text));
    let wrong = browser.post(&ask, &[("choice", "password"), ("password", "guess")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("not the password of the account of before"), "{}", main(&wrong.text));
    assert_eq!(location(&browser.post(&ask, &[("choice", "password"), ("password", OLD)]).await), FRONT);
    let person = me(&mut browser).await;
    assert_eq!((&person["role"], &person["legacy_reference"]), (&json!("ADMIN"), &json!("42")));
    let listed = world.rest(Method::GET, "/legacy-users", json!({})).await.json();
    assert_eq!((&listed["items"][0]["linked_by"], &listed["items"][0]["has_password"]), (&json!("password"), &json!(false)));
    // The address of the account is told, once, how it was proven.
    let told = mails(&world.house, "ada@ville.example").await;
    assert!(told.len() == 1 && told[0].contains("son mot de passe a été donné"), "{told:?}");
    // A second person with the same address gets an account of their own.
    let other = Somebody { sub: "ada-2", ..ada() };
    let mut second = world.browser();
    assert_eq!(location(&log_in(&world, &mut second, "", &other).await), FRONT);
    assert_eq!(me(&mut second).await["role"], "USER");
}

#[tokio::test]
async fn guesses_are_counted_and_one_can_go_on_without() {
    let world = World::with(json!({}), json!({ "link_policy": "confirm_by_password" })).await;
    world.import("ada@ville.example", CITY, "ADMIN").await;
    let mut browser = world.browser();
    let ask = location(&log_in(&world, &mut browser, "", &ada()).await);
    browser.get(&ask).await;
    for _ in 0..10 {
        assert_eq!(browser.post(&ask, &[("choice", "password"), ("password", "guess")]).await.status, 422);
    }
    let page = browser.post(&ask, &[("choice", "password"), ("password", OLD)]).await;
    assert!(page.status == 429 && page.text.contains("Too many attempts"), "{}", main(&page.text));
    assert_eq!(location(&browser.post(&ask, &[("choice", "apart")]).await), FRONT);
    assert_eq!(me(&mut browser).await["role"], "USER");
}

#[tokio::test]
async fn a_verified_address_links_where_the_policy_says_so() {
    let world = World::with(json!({}), json!({ "link_policy": "verified_email" })).await;
    world.import("ada@ville.example", CITY, "ADMIN").await;
    let unsure = Somebody { sub: "unsure", verified: false, ..ada() };
    let mut browser = world.browser();
    log_in(&world, &mut browser, "", &unsure).await;
    assert_eq!(me(&mut browser).await["role"], "USER");
    let mut browser = world.browser();
    log_in(&world, &mut browser, "", &ada()).await;
    assert_eq!(me(&mut browser).await["role"], "ADMIN");
}

#[tokio::test]
async fn another_organisation_is_a_conflict_that_the_operator_decides() {
    let world = World::with(json!({}), json!({ "link_policy": "verified_email" })).await;
    world.import("ada@ville.example", MINISTRY, "ADMIN").await;
    for _ in 0..2 {
        let page = log_in(&world, &mut world.browser(), "", &ada()).await;
        assert!(
            page.status == 409 && page.text.contains("for another organisation") && page.text.contains("https://catalogue.example/"),
            "{}",
            main(&page.text)
        );
    }
    let disputes = world.rest(Method::GET, "/legacy-disputes", json!({})).await.json();
    assert_eq!((disputes["items"].as_array().unwrap().len(), &disputes["items"][0]["reason"]), (1, &json!("organization")), "{disputes}");
    let path = format!("/legacy-disputes/{}/decide", disputes["items"][0]["id"].as_str().unwrap());
    assert_eq!(world.rest(Method::POST, &path, json!({ "accept": true })).await.status, 200);
    assert_eq!(world.rest(Method::POST, &path, json!({ "accept": false })).await.status, 409);
    let mut browser = world.browser();
    assert_eq!(location(&log_in(&world, &mut browser, "", &ada()).await), FRONT);
    let person = me(&mut browser).await;
    assert_eq!((&person["role"], &person["organization_siret"]), (&json!("ADMIN"), &json!(CITY)));
}

#[tokio::test]
async fn the_operator_decides_where_the_policy_leaves_it_to_them() {
    let world = World::with(json!({}), json!({ "link_policy": "admin" })).await;
    world.import("ada@ville.example", CITY, "ADMIN").await;
    let mut browser = world.browser();
    let wait = location(&log_in(&world, &mut browser, "", &ada()).await);
    let page = browser.get(&wait).await;
    assert!(page.text.contains("The operator is checking") && !page.text.contains("type=\"password\""), "{}", main(&page.text));
    // The password is no proof here.
    assert_eq!(browser.post(&wait, &[("choice", "password"), ("password", OLD)]).await.status, 400);
    assert_eq!(location(&browser.post(&wait, &[("choice", "apart")]).await), FRONT);
    assert_eq!(me(&mut browser).await["role"], "USER");
    let mut operator = world.browser();
    operator.sign_in(crate::support::EMAIL, crate::support::PASSWORD).await;
    let page = operator.get("/operator/connections/catalogue/accounts").await;
    assert!(page.status == 200 && page.text.contains("It is theirs") && page.text.contains("ada@ville.example"), "{}", main(&page.text));
    let disputes = world.rest(Method::GET, "/legacy-disputes", json!({})).await.json();
    let path = format!("/operator/connections/catalogue/legacy-disputes/{}/accept", disputes["items"][0]["id"].as_str().unwrap());
    let page = operator.send(&path, &[]).await;
    assert!(page.status == 200 && page.text.contains("The decision is kept"), "{}", main(&page.text));
    assert!(operator.get("/operator/connections/catalogue/legacy-users").await.text.contains("Linked by the operator"));
    // The role changed: what was given before has ended.
    assert_eq!(fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.status, 401);
    log_in(&world, &mut browser, "", &ada()).await;
    assert_eq!(me(&mut browser).await["role"], "ADMIN");
}
