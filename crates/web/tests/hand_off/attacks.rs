//! What was possible in the first product, and what else somebody may try: none of it succeeds.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use serde_json::json;
use tracing::{
    Event, Id, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    support::browser::main,
    world::{CITY, FRONT, MINISTRY, ORIGIN, Somebody, VERIFIER, World, ada, bearer, fetch, location, log_in, parameter, way_back},
};

const WISH: &str = "?code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Everything that is logged, whatever its level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);
impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0.lock().unwrap(), "{field}={value:?} ");
    }
}
impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Weakness 1: a bearer secret in the address stays in logs, histories and referrers.
#[tokio::test]
async fn a_token_in_the_address_is_in_no_log_and_soon_worth_nothing() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let world = World::with(json!({ "hand_off": "query_legacy", "query_legacy_allowed": true }), json!({})).await;
    let answer = log_in(&world, &mut world.browser(), "", &ada()).await;
    let token = parameter(&location(&answer), "api_token").unwrap();
    assert_eq!(bearer(&world, &token).await.status, 200);
    let said = log.0.lock().unwrap().clone();
    assert!(said.contains("query_legacy"), "there is a warning: {said}");
    assert!(!said.contains(&token), "the log holds the token");
    assert_eq!(world.house.app.hand_off_counts().of(octroi_domain::connection::HandOff::QueryLegacy), 1);
    assert_eq!(
        (&answer.headers["referrer-policy"], &answer.headers["cache-control"]),
        (&"no-referrer".parse().unwrap(), &"no-store".parse().unwrap())
    );
    let ledger = world.house.send(Method::GET, "/api/v1/ledger", &[("cookie", &world.operator.cookie)], "").await;
    assert!(ledger.text.contains("product_login.opened") && !ledger.text.contains(&token));
    // Nor is it taken from an address.
    assert_eq!(world.house.get(&format!("/auth/me?api_token={token}&access_token={token}")).await.status, 401);
    // Nor does it open anything else of ours.
    let other = world.house.send(Method::GET, "/api/v1/me", &[("authorization", &format!("Bearer {token}"))], "").await;
    assert_eq!(other.status, 401);
    world.house.wait(900);
    assert_eq!(bearer(&world, &token).await.status, 401);
}

/// The mode is off, unless the operator wants it.
#[tokio::test]
async fn a_token_in_the_address_is_asked_for_explicitly() {
    let world = World::open().await;
    let refused = world.connect(json!({ "hand_off": "query_legacy" }), json!({})).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    for front in [
        "http://catalogue.example/",
        "https://catalogue.example/#x",
        "https://u@catalogue.example/",
        "javascript:alert(1)",
        "//evil.example/",
    ] {
        assert_eq!(world.connect(json!({ "front": front }), json!({})).await.status, 422, "{front}");
    }
}

/// Weakness 2: the landing page takes any login, the attacker's too.
#[tokio::test]
async fn nobody_is_logged_in_by_a_link_of_somebody_else() {
    let world = World::with(json!({}), json!({})).await;
    let mallory = Somebody { sub: "mallory", email: "mallory@ville.example", ..ada() };
    let mut attacker = world.browser();
    let link = way_back(&world, &mut attacker, "", &mallory).await;
    // The victim follows the attacker's answer: with no flow of their own, and with one.
    for started in [false, true] {
        let mut victim = world.browser();
        if started {
            way_back(&world, &mut victim, "", &ada()).await;
        }
        let page = victim.get(&link).await;
        assert!(page.status == 400 && !page.headers.contains_key("location"), "{}: {}", page.status, main(&page.text));
        assert!(victim.cookie("octroi_product_catalogue").is_none());
    }
}

/// The same by a code: it is worth nothing where its verifier and cookie are not.
#[tokio::test]
async fn a_code_of_somebody_else_is_worth_nothing() {
    let world = World::with(json!({ "hand_off": "code" }), json!({})).await;
    let mut attacker = world.browser();
    let stolen = location(&log_in(&world, &mut attacker, WISH, &ada()).await);
    let code = parameter(&stolen, "code").unwrap();
    let mut victim = world.browser();
    log_in(&world, &mut victim, "?code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &ada()).await;
    let body = json!({ "code": code, "code_verifier": VERIFIER });
    let refused = fetch(&mut victim, Method::POST, "/auth/exchange", ORIGIN, &[], body).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_grant")));
}

/// Weakness 3: whoever once had a signed token picked an organisation in the name of anybody.
#[tokio::test]
async fn nobody_picks_for_somebody_else() {
    let world = World::with(json!({}), json!({})).await;
    world.import("victim@ville.example", MINISTRY, "ADMIN").await;
    let both = |sub, email| Somebody { sub, email, sirets: vec![CITY, MINISTRY], ..ada() };
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    let mine = location(&log_in(&world, &mut attacker, "", &both("mallory", "mallory@ville.example")).await);
    let theirs = location(&log_in(&world, &mut victim, "", &both("victim", "victim@ville.example")).await);
    // The victim's choice, in the attacker's browser: seen and made by nobody.
    let seen = attacker.get(&theirs).await;
    assert!(seen.status == 400 && !seen.text.contains("victim@"), "{}", main(&seen.text));
    attacker.get(&mine).await;
    assert_eq!(attacker.post(&theirs, &[("choice", "organization"), ("organization_siret", CITY)]).await.status, 400);
    let json_way = theirs.replace("/next/", "/choices/");
    assert_eq!(fetch(&mut attacker, Method::POST, &json_way, ORIGIN, &[], json!({ "organization_siret": CITY })).await.status, 404);
    // Their own choice, with somebody else's address and an organisation that is not theirs: what is sent besides says nothing.
    let other = "35600000000048";
    attacker.get(&mine).await;
    let refused =
        attacker.post(&mine, &[("choice", "organization"), ("organization_siret", other), ("email", "victim@ville.example")]).await;
    assert_eq!(refused.status, 422, "{}", main(&refused.text));
    let fields = [("choice", "organization"), ("organization_siret", MINISTRY), ("email", "victim@ville.example"), ("role", "ADMIN")];
    assert_eq!(location(&attacker.post(&mine, &fields).await), FRONT);
    let me = fetch(&mut attacker, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json();
    assert_eq!((&me["email"], &me["role"]), (&json!("mallory@ville.example"), &json!("USER")));
    // Ten minutes, and no more.
    world.house.wait(600);
    assert_eq!(victim.get(&theirs).await.status, 400);
}

/// Weakness 4: an address that the provider gives to somebody else, and another provider's.
#[tokio::test]
async fn an_address_that_changes_hands_takes_nothing_along() {
    let world = World::with(json!({}), json!({ "link_policy": "verified_email" })).await;
    world.import("ada@ville.example", CITY, "ADMIN").await;
    let mut first = world.browser();
    log_in(&world, &mut first, "", &ada()).await;
    let before = fetch(&mut first, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json();
    assert_eq!(before["role"], "ADMIN");
    let mut second = world.browser();
    log_in(&world, &mut second, "", &Somebody { sub: "new-owner", ..ada() }).await;
    let after = fetch(&mut second, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json();
    assert_eq!((&after["email"], &after["role"], &after["legacy_reference"]), (&before["email"], &json!("USER"), &json!(null)));
    assert_ne!(after["sub"], before["sub"]);
    // And an account follows its person, not the address.
    log_in(&world, &mut first, "", &Somebody { email: "ada@ministere.example", ..ada() }).await;
    let moved = fetch(&mut first, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.json();
    assert_eq!((&moved["sub"], &moved["email"]), (&before["sub"], &json!("ada@ministere.example")));
}

#[tokio::test]
async fn an_answer_counts_once_in_its_flow() {
    let world = World::with(json!({}), json!({})).await;
    let mut browser = world.browser();
    let back = way_back(&world, &mut browser, "", &ada()).await;
    // The state of one flow with the code of another.
    let mut second = world.browser();
    let other = way_back(&world, &mut second, "", &ada()).await;
    let mixed = back.replace(&parameter(&back, "code").unwrap(), &parameter(&other, "code").unwrap());
    assert!(!browser.get(&mixed).await.headers.contains_key("location"));
    // Used up by it; and by a good one.
    assert_eq!(browser.get(&back).await.status, 400);
    assert_eq!(location(&second.get(&other).await), FRONT);
    assert_eq!(second.get(&other).await.status, 400);
    // Nothing at all, and an error: a page that says what to do, never a fault of ours.
    for bad in ["/auth/catalogue/callback", "/auth/catalogue/callback?code=x", "/auth/catalogue/callback?error=access_denied"] {
        let page = world.browser().get(bad).await;
        assert_eq!(page.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn nothing_of_an_address_says_who_somebody_is_or_where_they_go() {
    let world = World::with(json!({}), json!({})).await;
    let mut browser = world.browser();
    let query = "?role=ADMIN&front=https%3A%2F%2Fevil.example%2F&return_to=https%3A%2F%2Fevil.example%2F&redirect_uri=https%3A%2F%2Fevil.example&email=x%40y.example";
    let back = way_back(&world, &mut browser, query, &ada()).await;
    let to = location(&browser.get(&format!("{back}&role=ADMIN&front=https%3A%2F%2Fevil.example%2F")).await);
    assert_eq!(to, FRONT);
    let me = fetch(&mut browser, Method::GET, "/auth/me?role=ADMIN", ORIGIN, &[], json!({})).await.json();
    assert_eq!((&me["role"], &me["email"]), (&json!("USER"), &json!("ada@ville.example")));
}
