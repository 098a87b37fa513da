//! None, one, or several organisations; and the choice of one.

use axum::http::Method;
use serde_json::json;

use crate::{
    support::browser::main,
    world::{CITY, FRONT, MINISTRY, ORIGIN, Somebody, World, ada, fetch, location, log_in},
};

fn of_two() -> Somebody {
    Somebody { sirets: vec![CITY, MINISTRY], ..ada() }
}

#[tokio::test]
async fn none_that_the_product_knows_is_helped() {
    let only = json!({ "organizations": { "listed": { MINISTRY: null } } });
    let world = World::with(only, json!({})).await;
    let to = location(&log_in(&world, &mut world.browser(), "", &ada()).await);
    assert_eq!(to, "https://catalogue.example/auth/datapass/create-organization");
    assert!(world.rest(Method::GET, "/accounts", json!({})).await.json()["items"].as_array().unwrap().is_empty());
    let nobody = Somebody { sirets: vec![], ..ada() };
    assert_eq!(location(&log_in(&world, &mut world.browser(), "", &nobody).await), to);
}

#[tokio::test]
async fn one_stands_for_another() {
    let parent = json!({ "hand_off": "fragment", "organizations": { "listed": { CITY: MINISTRY } } });
    let world = World::with(parent, json!({})).await;
    let to = location(&log_in(&world, &mut world.browser(), "", &ada()).await);
    assert!(to.contains(&format!("organization_siret={MINISTRY}&")), "{to}");
}

#[tokio::test]
async fn one_of_several_is_chosen_on_a_page() {
    let world = World::with(json!({}), json!({})).await;
    let mut browser = world.browser();
    let choice = location(&log_in(&world, &mut browser, "", &of_two()).await);
    assert!(choice.starts_with("/auth/catalogue/next/"), "{choice}");
    let page = browser.get(&choice).await;
    assert!(
        page.status == 200 && page.text.contains("Organisme 13002526500013") && page.text.contains("For which organisation?"),
        "{}",
        main(&page.text)
    );
    assert!(page.headers["content-security-policy"].to_str().unwrap().ends_with("form-action 'self' https://catalogue.example"));
    let none = browser.post(&choice, &[("choice", "organization")]).await;
    assert!(none.status == 422 && none.text.contains("Choose one of these organisations"), "{}", main(&none.text));
    let page = browser.post(&choice, &[("choice", "organization"), ("organization_siret", MINISTRY)]).await;
    assert_eq!(location(&page), FRONT);
    let me = fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json();
    assert_eq!((&me["organization_siret"], me["organizations"].as_array().unwrap().len()), (&json!(MINISTRY), 2));
    // Once: the way back in history leads nowhere.
    let again = browser.post(&choice, &[("choice", "organization"), ("organization_siret", CITY)]).await;
    assert!(again.status == 400 && again.text.contains("https://catalogue.example/"), "{}", main(&again.text));
    // The next login goes on with it, unless the front asks for another choice, or it is theirs no more.
    let mut later = world.browser();
    assert_eq!(location(&log_in(&world, &mut later, "", &of_two()).await), FRONT);
    assert!(location(&log_in(&world, &mut later, "?prompt=select_organization", &of_two()).await).starts_with("/auth/catalogue/next/"));
    assert_eq!(location(&log_in(&world, &mut later, "", &ada()).await), FRONT);
    let me = fetch(&mut later, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json();
    assert_eq!(me["organization_siret"], CITY);
    // What was given for the other organisation has ended.
    assert_eq!(fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.status, 401);
}

#[tokio::test]
async fn one_of_several_is_chosen_by_the_front() {
    let world = World::with(json!({ "hand_off": "fragment", "details": { "front_picks": true } }), json!({})).await;
    let mut browser = world.browser();
    let pick = location(&log_in(&world, &mut browser, "", &of_two()).await);
    let start = "https://catalogue.example/auth/datapass/pick-organization?connection=catalogue&token=";
    let word = pick.strip_prefix(start).unwrap().to_owned();
    let path = format!("/auth/catalogue/choices/{word}");
    let shown = fetch(&mut browser, Method::GET, &path, ORIGIN, &[], json!({})).await;
    assert_eq!(
        (shown.status.as_u16(), &shown.json()["email"], &shown.json()["organizations"][0]["siret"]),
        (200, &json!("ada@ville.example"), &json!(CITY))
    );
    assert_eq!(
        fetch(&mut browser, Method::POST, &path, "https://evil.example", &[], json!({ "organization_siret": CITY })).await.status,
        403
    );
    let chosen = fetch(&mut browser, Method::POST, &path, ORIGIN, &[], json!({ "organization_siret": CITY })).await;
    assert!(chosen.json()["location"].as_str().unwrap().starts_with(&format!("{FRONT}#organization_siret={CITY}&")), "{}", chosen.text);
    assert_eq!(fetch(&mut browser, Method::POST, &path, ORIGIN, &[], json!({ "organization_siret": CITY })).await.status, 404);
}
