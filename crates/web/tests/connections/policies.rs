//! Whose account it is: by policy; and the ways in of one's own account.

use serde_json::json;

use crate::{
    provider::World,
    support::browser::{Browser, mails, main},
};

const ADA: &str = "ada@rivebelle.example";
const PASSWORD: &str = "sept nuages sur le quai";

/// An account of before whose address was proven: by a sign-in by mail.
async fn proven(world: &World) {
    world.account(ADA, PASSWORD).await;
    let mut ada = Browser::at(&world.house);
    ada.get("/sign-in").await;
    ada.send("/sign-in/mail", &[("email", ADA)]).await;
    let code = crate::support::browser::code_of(&mails(&world.house, ADA).await[0]);
    ada.post("/sign-in/mail/code", &[("code", &code)]).await;
    assert_eq!(ada.leads_to(), "/dashboard");
}

#[tokio::test]
async fn the_sign_in_page_has_a_button_for_each_provider() {
    let world = World::open(json!({})).await;
    let made = world.connect("other", json!({ "active": false, "name": { "fr": "Autre", "en": "Other" } })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let product = json!({ "product": { "front": "https://product.example/" } });
    let made = world.connect("product", json!({ "purpose": product, "name": { "fr": "Produit", "en": "Product" } })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut ada = Browser::at(&world.house);
    let page = ada.get("/sign-in?return_to=%2Fapis&login_hint=ada%40rivebelle.example").await;
    let inside = main(&page.text);
    assert!(inside.contains("Sign in with AgentConnect") && !inside.contains("Other") && !inside.contains("Product"), "{inside}");
    assert!(inside.contains("/auth/idp/login?return_to=%2Fapis"), "{inside}");
    assert_eq!(ada.get("/auth/other/login").await.status, 404);
    assert_eq!(
        ada.get("/auth/product/login").await.status,
        303,
        "a product's connection is begun by the product, not by the portal's page"
    );
}

#[tokio::test]
async fn never_links_nothing_and_says_what_to_do() {
    let world = World::open(json!({ "link_policy": "never" })).await;
    proven(&world).await;
    let (mut ada, answer) = world.come().await;
    assert_eq!(answer.status, 409);
    let inside = main(&answer.text);
    assert!(inside.contains("An account has this address already") && inside.contains("Sign in to my account"), "{inside}");
    assert!(!ada.is_in().await);
    // From within, its owner does.
    ada.sign_in(ADA, PASSWORD).await;
    ada.get("/account/identities").await;
    let leave = ada.post("/account/identities/link", &[("connection", "idp")]).await;
    assert_eq!(leave.status, 200, "{}", main(&leave.text));
    let address = leave.text.split("href=\"https://idp.example/authorize").nth(1).unwrap().split('"').next().unwrap();
    let address = format!("https://idp.example/authorize{}", address.replace("&#38;", "&").replace("&amp;", "&"));
    ada.get(&world.provider.agree(&address)).await;
    assert_eq!(ada.leads_to(), "/account/identities");
    assert!(ada.get("/account/identities").await.text.contains("AgentConnect"));
    assert!(mails(&world.house, ADA).await[0].contains("s’ouvre maintenant avec"));
    let (mut again, _) = world.come().await;
    assert_eq!(again.leads_to(), "/dashboard");
    assert!(again.get("/account").await.text.contains(ADA));
}

#[tokio::test]
async fn verified_email_links_and_tells() {
    let world = World::open(json!({ "link_policy": "verified_email" })).await;
    proven(&world).await;
    let (mut ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
    assert!(ada.get("/organizations").await.text.contains("Ville de Paris"), "it is the account of before");
    assert!(mails(&world.house, ADA).await[0].contains("s’ouvre maintenant avec"));
}

#[tokio::test]
async fn the_password_of_the_account_confirms() {
    let world = World::open(json!({ "link_policy": "confirm_by_password" })).await;
    proven(&world).await;
    let mut ada = Browser::at(&world.house);
    world.go(&mut ada, "/auth/idp/login?return_to=%2Fapis").await;
    let page = ada.leads_to();
    assert_eq!(page, "/sign-in/existing-account?return_to=%2Fapis");
    assert!(!ada.is_in().await);
    assert!(ada.get(&page).await.text.contains("Type its password"));
    let wrong = ada.post("/sign-in/existing-account", &[("password", "not this one, surely")]).await;
    assert_eq!(wrong.status, 401, "{}", main(&wrong.text));
    ada.get(&page).await;
    ada.post("/sign-in/existing-account", &[("password", PASSWORD), ("return_to", "/apis")]).await;
    assert_eq!(ada.leads_to(), "/apis");
    assert!(ada.get("/account/identities").await.text.contains("AgentConnect"));
    // Once, and in that browser: nothing waits any more.
    let mut other = Browser::at(&world.house);
    other.get("/sign-in/existing-account").await;
    assert_eq!(other.leads_to(), "/sign-in");
}

#[tokio::test]
async fn guesses_of_that_password_are_counted() {
    let world = World::open(json!({ "link_policy": "confirm_by_password" })).await;
    proven(&world).await;
    let (mut eve, _) = world.come().await;
    let mut last = 0;
    for n in 0..11 {
        eve.get("/sign-in/existing-account").await;
        last = eve.post("/sign-in/existing-account", &[("password", &format!("a guess of eve {n}"))]).await.status.as_u16();
    }
    assert_eq!(last, 429);
    eve.get("/sign-in/existing-account").await;
    assert_eq!(eve.post("/sign-in/existing-account", &[("password", PASSWORD)]).await.status, 429, "the right one neither, now");
}

#[tokio::test]
async fn the_operator_decides() {
    let world = World::open(json!({ "link_policy": "admin" })).await;
    proven(&world).await;
    let (mut ada, answer) = world.come().await;
    assert!(answer.status == 200 && answer.text.contains("Your request is on its way"), "{}", main(&answer.text));
    assert!(!ada.is_in().await);
    world.come().await;
    let cookie = [("cookie", world.operator.cookie.as_str())];
    let list = world.house.send(axum::http::Method::GET, "/api/v1/connections/idp/link-requests", &cookie, "").await.json();
    let items = list["items"].as_array().unwrap();
    assert!(items.len() == 1 && items[0]["user"]["email"] == ADA, "{list}");
    let decide = format!("/api/v1/link-requests/{}/decide", items[0]["id"].as_str().unwrap());
    assert_eq!(world.house.post(&world.operator, &decide, &[], &json!({ "accept": true })).await.status, 204);
    world.house.post(&world.operator, &decide, &[], &json!({ "accept": false })).await.problem(409, "decided");
    let (ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
    // Another is refused, and told.
    let world = World::open(json!({ "link_policy": "admin" })).await;
    proven(&world).await;
    world.come().await;
    let cookie = [("cookie", world.operator.cookie.as_str())];
    let list = world.house.send(axum::http::Method::GET, "/api/v1/connections/idp/link-requests", &cookie, "").await.json();
    let decide = format!("/api/v1/link-requests/{}/decide", list["items"][0]["id"].as_str().unwrap());
    assert_eq!(world.house.post(&world.operator, &decide, &[], &json!({ "accept": false })).await.status, 204);
    assert_eq!(world.come().await.1.status, 409);
    assert!(mails(&world.house, ADA).await[0].contains("a été refusée"));
}

#[tokio::test]
async fn a_provider_that_is_trusted_names_the_organisation() {
    for (trusted, level) in [(true, "certified"), (false, "")] {
        let world = World::open(json!({ "trusts_organizations": trusted })).await;
        world.with(|manners| manners.userinfo["siret"] = json!("21750001600019"));
        let (ada, _) = world.come().await;
        let session = ada.cookie("octroi_session").unwrap();
        let cookie = format!("octroi_session={session}");
        let me = world.house.send(axum::http::Method::GET, "/api/v1/me", &[("cookie", &cookie)], "").await.json();
        let held = me["organizations"].as_array().unwrap();
        assert_eq!(held.first().map_or("", |one| one["level"].as_str().unwrap()), level, "{me}");
        assert!(!trusted || held[0]["siret"] == "21750001600019", "{me}");
    }
}

/// People change employers: what the provider no longer names is no longer proven.
#[tokio::test]
async fn organisations_are_looked_at_anew_at_each_sign_in() {
    let world = World::open(json!({ "trusts_organizations": true })).await;
    let come = async |sirets: &[&str]| {
        let organizations: Vec<_> =
            sirets.iter().map(|siret| json!({ "id": 1, "siret": siret, "label": "x", "is_external": false })).collect();
        world.with(|manners| manners.userinfo["organizations"] = json!(organizations));
        let (ada, _) = world.come().await;
        let cookie = format!("octroi_session={}", ada.cookie("octroi_session").unwrap());
        let me = world.house.send(axum::http::Method::GET, "/api/v1/me", &[("cookie", &cookie)], "").await.json();
        let mut held: Vec<String> = Vec::new();
        for one in me["organizations"].as_array().unwrap() {
            held.push(format!("{} {}", one["siret"].as_str().unwrap(), one["level"].as_str().unwrap()));
        }
        held.sort_unstable();
        held
    };
    assert_eq!(come(&["21750001600019"]).await, ["21750001600019 certified"]);
    assert_eq!(come(&["13002526500013", "12345678900000"]).await, ["13002526500013 certified", "21750001600019 unverified"]);
    assert_eq!(come(&[]).await, ["13002526500013 certified", "21750001600019 unverified"], "who names none says nothing");
}

/// The operator's role asks for two factors: those of the provider count when it is trusted to have seen them.
#[tokio::test]
async fn two_factors_of_the_provider_count_where_it_is_trusted() {
    for (trusted, amr, held_back) in [(false, "mfa", true), (true, "pwd", true), (true, "mfa", false)] {
        let world = World::open(json!({ "trusts_mfa": trusted })).await;
        world.with(|manners| manners.id_token = json!({ "amr": ["pwd", amr] }));
        let (ada, _) = world.come().await;
        let cookie = format!("octroi_session={}", ada.cookie("octroi_session").unwrap());
        let held = world.house.app.session(cookie.split_once('=').unwrap().1, world.house.now()).await.unwrap().unwrap();
        assert_eq!(held.session.authentication.is_multi_factor(), !held_back, "{trusted} {amr}");
    }
}

#[tokio::test]
async fn the_last_way_in_is_not_taken_away() {
    let world = World::open(json!({})).await;
    world.with(|manners| manners.userinfo["email_verified"] = json!(false));
    let (mut ada, _) = world.come().await;
    let unlink =
        |page: &str| format!("/account/identities/{}", page.split("/account/identities/").nth(1).unwrap().split('"').next().unwrap());
    let page = ada.get("/account/identities").await;
    let path = unlink(&page.text);
    assert!(path.ends_with("/unlink"), "{path}");
    let answer = ada.post(&path, &[]).await;
    assert!(answer.status == 409 && answer.text.contains("your only way in"), "{}", main(&answer.text));
    // Of another: not there.
    let other = World::open(json!({})).await;
    let (mut bob, _) = other.come().await;
    bob.get("/account/identities").await;
    assert_eq!(bob.post(&path, &[]).await.status, 404);
    // Who proved their address comes in by mail.
    let page = bob.get("/account/identities").await;
    let own = unlink(&page.text);
    bob.post(&own, &[]).await;
    assert_eq!(bob.leads_to(), "/account/identities");
    assert!(bob.get("/account/identities").await.text.contains("No provider opens your account"));
    assert!(mails(&other.house, ADA).await[0].contains("no longer opens with"));
}
