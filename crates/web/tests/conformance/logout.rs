//! `oidcc-rp-initiated-logout-certification-test-plan` and `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.

use serde_json::{Value, json};

use crate::{
    relying::{Rp, World, encoded, hidden, location, parameter},
    support::{Answer, PUBLIC},
};

const THEN: &str = "https://rp.example/out";

/// A client that somebody has just signed in to: its ID token.
async fn signed_in(world: &World, members: Value) -> (Rp, String) {
    let mut all = json!({ "post_logout_redirect_uris": [THEN] });
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let rp = world.client(all).await;
    let tokens = world.tokens(&rp, &[]).await;
    (rp, tokens["id_token"].as_str().unwrap().to_owned())
}

async fn logout(world: &World, pairs: &[(&str, &str)]) -> Answer {
    world.get(&format!("/oauth/logout?{}", encoded(pairs)), &world.alice).await
}

async fn is_out(world: &World) -> bool {
    world.get("/dashboard", &world.alice).await.status == 303
}

/// The page that asks, answered with yes.
async fn confirm(world: &World, page: &Answer) -> Answer {
    assert!(page.status == 200 && page.text.contains("Sign out?"), "{}", page.text);
    assert!(!is_out(world).await, "nothing happens before the answer");
    let mut pairs = vec![("_csrf".to_owned(), hidden(&page.text, "_csrf"))];
    for name in ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"] {
        if page.text.contains(&format!("name=\"{name}\"")) {
            pairs.push((name.to_owned(), hidden(&page.text, name)));
        }
    }
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.form("/oauth/logout/confirm", &world.alice, &pairs).await
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let world = World::open().await;
    let found = world.house.get("/.well-known/openid-configuration").await.json();
    assert_eq!(found["end_session_endpoint"], format!("{PUBLIC}/oauth/logout"));
}

#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let world = World::open().await;
    let found = world.house.get("/.well-known/openid-configuration").await.json();
    assert_eq!((&found["backchannel_logout_supported"], &found["backchannel_logout_session_supported"]), (&json!(true), &json!(true)));
    assert_eq!(found["end_session_endpoint"], format!("{PUBLIC}/oauth/logout"));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let world = World::open().await;
    let (rp, hint) = signed_in(&world, json!({})).await;
    let out = logout(&world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", THEN), ("state", "s 1")]).await;
    let address = location(&out);
    assert!(address.starts_with(THEN) && parameter(&address, "state").as_deref() == Some("s 1"), "{address}");
    assert!(is_out(&world).await);
    let silent = world.through(&world.alice, &crate::relying::request(&rp, &[("prompt", "none")])).await;
    assert_eq!(parameter(&silent, "error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let world = World::open().await;
    let (_, hint) = signed_in(&world, json!({})).await;
    for bad in ["https://rp.example/out/", "https://rp.example/out?foo=bar", "https://evil.example/", "https://rp.example/out#x"] {
        let page = logout(&world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", bad)]).await;
        assert!(page.status == 400 && !page.headers.contains_key("location"), "{bad}");
    }
    assert!(!is_out(&world).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let world = World::open().await;
    let (_, hint) = signed_in(&world, json!({})).await;
    let page = logout(&world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", &format!("{THEN}?extra=1"))]).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let world = World::open().await;
    let (_, hint) = signed_in(&world, json!({})).await;
    let (head, signature) = hint.rsplit_once('.').unwrap();
    let turned: String = signature.chars().rev().collect();
    let page = logout(&world, &[("id_token_hint", &format!("{head}.{turned}")), ("post_logout_redirect_uri", THEN)]).await;
    assert_eq!(page.status, 400);
    assert!(!is_out(&world).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let world = World::open().await;
    let (rp, _) = signed_in(&world, json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    for bad in ["x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", access] {
        assert_eq!(logout(&world, &[("id_token_hint", bad), ("post_logout_redirect_uri", THEN)]).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let world = World::open().await;
    let (rp, _) = signed_in(&world, json!({})).await;
    let page = logout(&world, &[("client_id", &rp.id), ("post_logout_redirect_uri", THEN), ("state", "s")]).await;
    let left = confirm(&world, &page).await;
    assert!(left.status == 200 && left.headers["refresh"] == format!("0; url={THEN}?state=s"), "{}", left.text);
    assert!(is_out(&world).await);
}

/// omniauth_openid_connect sends the address alone: nobody knows whose it is, and the person is no less signed out for that.
#[tokio::test]
async fn an_address_that_nobody_vouches_for_is_not_gone_to() {
    for address in [THEN, "https://evil.example/"] {
        let world = World::open().await;
        signed_in(&world, json!({})).await;
        let page = logout(&world, &[("post_logout_redirect_uri", address), ("state", "s")]).await;
        let out = confirm(&world, &page).await;
        assert!(out.status == 200 && out.text.contains("You are signed out"), "{}", out.text);
        assert!(!out.headers.contains_key("refresh") && !out.text.contains(address), "{}", out.text);
        assert!(is_out(&world).await);
        let nobody = logout(&world, &[("post_logout_redirect_uri", address)]).await;
        assert!(nobody.status == 200 && !nobody.headers.contains_key("location") && !nobody.text.contains(address));
    }
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let world = World::open().await;
    signed_in(&world, json!({})).await;
    let page = logout(&world, &[]).await;
    let out = confirm(&world, &page).await;
    assert!(out.status == 200 && out.text.contains("You are signed out"), "{}", out.text);
    assert!(is_out(&world).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let world = World::open().await;
    let (_, hint) = signed_in(&world, json!({})).await;
    let out = logout(&world, &[("id_token_hint", &hint), ("state", "s")]).await;
    assert!(out.status == 200 && out.text.contains("You are signed out"));
    assert!(is_out(&world).await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let world = World::open().await;
    let (_, hint) = signed_in(&world, json!({})).await;
    assert_eq!(location(&logout(&world, &[("id_token_hint", &hint), ("post_logout_redirect_uri", THEN)]).await), THEN);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let world = World::open().await;
    signed_in(&world, json!({})).await;
    let page = logout(&world, &[("state", "s")]).await;
    assert!(confirm(&world, &page).await.text.contains("You are signed out"));
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let world = World::open().await;
    let (_, hint) = signed_in(&world, json!({ "backchannel_logout_uri": "https://rp.example/backchannel" })).await;
    let (other, other_hint) = signed_in(
        &world,
        json!({ "backchannel_logout_uri": "https://other.example/backchannel", "id_token_signed_response_alg": "RS256" }),
    )
    .await;
    let (id_token, other_token) = (world.claims(&hint).await, world.claims(&other_hint).await);
    world.house.app.deliver_logouts(world.house.now()).await.unwrap();
    assert!(world.web.posted.lock().unwrap().is_empty());
    logout(&world, &[("id_token_hint", &hint)]).await;
    world.web.answers.lock().unwrap().push(503);
    assert_eq!(world.house.app.deliver_logouts(world.house.now()).await.unwrap(), 2);
    let posted = world.web.posted.lock().unwrap().clone();
    assert_eq!(posted.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>().len(), 2);
    for (address, form) in &posted {
        let token = form.strip_prefix("logout_token=").unwrap();
        assert_eq!(octroi_oauth::foreign::header(token).unwrap().typ.as_deref(), Some("logout+jwt"));
        let claims = world.claims(token).await;
        // Each client knows the session by the name in its own ID token.
        let id_token = if address.contains("other") { &other_token } else { &id_token };
        assert_eq!((&claims["iss"], &claims["sub"], &claims["sid"]), (&json!(PUBLIC), &id_token["sub"], &id_token["sid"]));
        assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
        let mine = if address.contains("other") { json!(other.id) } else { id_token["aud"].clone() };
        assert_eq!(claims["aud"], mine);
        assert!(claims.get("nonce").is_none() && claims["jti"].is_string() && claims["exp"].is_i64());
    }
    // The one that could not be told is told again.
    assert_eq!(world.house.app.deliver_logouts(world.house.now()).await.unwrap(), 0);
    world.house.wait(15);
    assert_eq!(world.house.app.deliver_logouts(world.house.now()).await.unwrap(), 1);
}

/// The portal's own button tells clients too, and ends what was given in the session but for what outlives it.
#[tokio::test]
async fn signing_out_of_the_portal_ends_what_was_given() {
    let world = World::open().await;
    let rp = world
        .client(
            json!({ "grant_types": ["authorization_code", "refresh_token"], "backchannel_logout_uri": "https://rp.example/backchannel" }),
        )
        .await;
    let online = world.tokens(&rp, &[]).await;
    let offline = world.tokens(&rp, &[("scope", "openid offline_access")]).await;
    let unused = world.code(&rp, &[]).await;
    let home = world.get("/dashboard", &world.alice).await;
    let csrf = home.text.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(world.form("/sign-out", &world.alice, &[("_csrf", &csrf)]).await.status, 303);
    assert_eq!(world.house.app.deliver_logouts(world.house.now()).await.unwrap(), 1);
    assert_eq!(world.userinfo(online["access_token"].as_str().unwrap()).await.status, 401);
    let refresh = |tokens: &Value| tokens["refresh_token"].as_str().unwrap().to_owned();
    let ended = world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", &refresh(&online))]).await;
    assert_eq!(ended.json()["error"], "invalid_grant");
    assert_eq!(world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", &refresh(&offline))]).await.status, 200);
    assert_eq!(world.exchange(&rp, &unused).await.json()["error"], "invalid_grant", "a code of a session that ended");
}
