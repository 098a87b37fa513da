//! The end of a session at both ends; named after `oidcc-client-rp-initiated-logout-rp-basic` and `oidcc-client-back-channel-logout-rp-basic`.

use serde_json::{Value, json};

use crate::{
    provider::{Signing, World, parameter},
    support::{Answer, browser::main},
};

async fn tell(world: &World, token: &str) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
    let answer = world.house.form("/auth/idp/backchannel-logout", &body).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer
}

#[tokio::test]
async fn oidcc_client_test_rp_initiated_logout() {
    let world = World::open(json!({})).await;
    let (mut ada, _) = world.come().await;
    ada.get("/dashboard").await;
    // The form of the header: its guard is the first of the page.
    let page = ada.get("/account/name").await;
    assert_eq!(page.status, 200);
    let out = ada.post("/sign-out", &[]).await;
    assert_eq!(out.status, 200, "{}", main(&out.text));
    let refresh = out.headers["refresh"].to_str().unwrap();
    let address = refresh.strip_prefix("0; url=").unwrap();
    assert!(address.starts_with("https://idp.example/end?"), "{address}");
    assert_eq!(parameter(address, "post_logout_redirect_uri").as_deref(), Some("http://localhost:3000/auth/idp/logged-out"));
    assert!(parameter(address, "state").unwrap().len() >= 32);
    assert_eq!(parameter(address, "id_token_hint").unwrap().split('.').count(), 3);
    assert!(!ada.is_in().await);
    ada.get("/auth/idp/logged-out?state=x").await;
    assert_eq!(ada.leads_to(), "/");
}

#[tokio::test]
async fn oidcc_client_test_backchannel_logout() {
    let world = World::open(json!({})).await;
    let (mut ada, _) = world.come().await;
    let (mut elsewhere, _) = world.come().await;
    world.with(|manners| {
        manners.userinfo = json!({ "sub": "bob", "email": "bob@rivebelle.example", "email_verified": true });
        manners.id_token = json!({ "sub": "bob", "sid": "another-session" });
    });
    let (mut bob, _) = world.come().await;
    assert!(ada.is_in().await && bob.is_in().await);
    let token = world.provider.logout_token("one", &json!({}));
    assert_eq!(tell(&world, &token).await.status, 200);
    assert!(!ada.is_in().await && !elsewhere.is_in().await && bob.is_in().await);
    // Once is once.
    assert_eq!(tell(&world, &token).await.status, 400);
    let by_session = world.provider.logout_token("two", &json!({ "sub": null, "sid": "another-session" }));
    assert_eq!(tell(&world, &by_session).await.status, 200);
    assert!(!bob.is_in().await);
}

async fn refused(changes: Value, signing: Signing) {
    let world = World::open(json!({})).await;
    let (mut ada, _) = world.come().await;
    world.with(|manners| manners.signing = signing);
    let answer = tell(&world, &world.provider.logout_token("one", &changes)).await;
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap()), (400, "invalid_request"), "{changes}");
    assert!(ada.is_in().await, "{changes}");
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_alg_none() {
    refused(json!({}), Signing::None).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_wrong_alg() {
    refused(json!({}), Signing::Hs256).await;
    refused(json!({}), Signing::Forged).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_no_event() {
    refused(json!({ "events": null }), Signing::Es256).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_wrong_event() {
    refused(json!({ "events": { "urn:something:else": {} } }), Signing::Es256).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_with_nonce() {
    refused(json!({ "nonce": "n" }), Signing::Es256).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_wrong_aud() {
    refused(json!({ "aud": "another" }), Signing::Es256).await;
}

#[tokio::test]
async fn oidcc_client_test_rp_backchannel_logout_wrong_iss() {
    refused(json!({ "iss": "https://evil.example" }), Signing::Es256).await;
}

#[tokio::test]
async fn what_is_no_notice_is_refused_in_the_form_of_the_rfc() {
    let world = World::open(json!({})).await;
    for body in ["", "logout_token=x", "logout_token=a.b.c", "other=x"] {
        let answer = world.house.form("/auth/idp/backchannel-logout", body).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap()), (400, "invalid_request"), "{body}");
    }
    assert_eq!(world.house.form("/auth/nobody/backchannel-logout", "logout_token=x").await.status, 404);
}
