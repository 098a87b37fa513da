//! Named after the modules of `oidcc-client-basic-certification-test-plan`.

use serde_json::{Value, json};

use crate::{
    provider::{SECRET, Signing, World, basic},
    support::browser::main,
};

/// Nobody comes in, and is told so without the words of the protocol.
async fn refused(prepare: impl FnOnce(&World)) {
    let world = World::open(json!({})).await;
    prepare(&world);
    let (mut ada, answer) = world.come().await;
    assert_eq!(answer.status, 502, "{}", main(&answer.text));
    assert!(answer.text.contains("The answer cannot be trusted") && answer.text.contains("/auth/idp/login"), "{}", main(&answer.text));
    assert!(!ada.is_in().await, "nobody was signed in");
    let users = world.house.send(axum::http::Method::GET, "/api/v1/users", &[("cookie", &world.operator.cookie)], "").await;
    assert!(!users.text.contains("rivebelle"), "no account was made");
}

async fn with_claims(changes: Value) {
    refused(|world| world.with(|manners| manners.id_token = changes)).await;
}

#[tokio::test]
async fn oidcc_client_test() {
    let world = World::open(json!({})).await;
    let (mut ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
    let account = ada.get("/account").await;
    for told in ["Ada", "Lovelace", "ada@rivebelle.example"] {
        assert!(account.text.contains(told), "{told}: {}", main(&account.text));
    }
    assert!(!account.text.contains("is not verified"), "{}", main(&account.text));
    assert!(ada.get("/account/identities").await.text.contains("AgentConnect"));
    // The same subject opens the same account, under another address too.
    world.with(|manners| manners.userinfo["email"] = json!("ada.lovelace@rivebelle.example"));
    let (mut again, _) = world.come().await;
    assert_eq!(again.leads_to(), "/dashboard");
    assert!(again.get("/account").await.text.contains("ada@rivebelle.example"));
}

#[tokio::test]
async fn oidcc_client_test_invalid_iss() {
    with_claims(json!({ "iss": "https://idp.example/" })).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_sub() {
    with_claims(json!({ "sub": null })).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_aud() {
    with_claims(json!({ "aud": "another" })).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_aud() {
    with_claims(json!({ "aud": null })).await;
}

#[tokio::test]
async fn oidcc_client_test_missing_iat() {
    with_claims(json!({ "iat": null })).await;
}

#[tokio::test]
async fn oidcc_client_test_nonce_invalid() {
    with_claims(json!({ "nonce": "another" })).await;
}

#[tokio::test]
async fn oidcc_client_test_kid_absent_single_jwks() {
    let world = World::open(json!({})).await;
    world.with(|manners| manners.signing = Signing::Nameless);
    let (ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
}

/// Core section 10.1: with several keys that fit, the token has to say which.
#[tokio::test]
async fn oidcc_client_test_kid_absent_multiple_jwks() {
    refused(|world| world.with(|manners| (manners.signing, manners.twin_keys) = (Signing::Nameless, true))).await;
}

#[tokio::test]
async fn oidcc_client_test_idtoken_sig_rs256() {
    let world = World::open(json!({})).await;
    world.with(|manners| manners.signing = Signing::Rs256);
    let (ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
}

/// The module lets a relying party refuse; this one does, as RFC 8725 asks.
#[tokio::test]
async fn oidcc_client_test_idtoken_sig_none() {
    refused(|world| world.with(|manners| manners.signing = Signing::None)).await;
}

#[tokio::test]
async fn an_id_token_signed_with_our_own_secret_is_refused() {
    refused(|world| world.with(|manners| manners.signing = Signing::Hs256)).await;
}

#[tokio::test]
async fn oidcc_client_test_invalid_sig() {
    refused(|world| world.with(|manners| manners.signing = Signing::Forged)).await;
}

#[tokio::test]
async fn oidcc_client_test_userinfo_bearer_header() {
    let world = World::open(json!({})).await;
    let (ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
    let seen = world.provider.seen.lock().unwrap();
    let asked = seen.iter().find(|(address, ..)| address.ends_with("/userinfo")).unwrap();
    assert_eq!(asked.1.as_deref(), Some("Bearer their-access-token"));
}

#[tokio::test]
async fn oidcc_client_test_userinfo_invalid_sub() {
    refused(|world| world.with(|manners| manners.userinfo["sub"] = json!("somebody-else"))).await;
}

#[tokio::test]
async fn oidcc_client_test_scope_userinfo_claims() {
    let world = World::open(json!({ "scopes": ["email", "given_name", "usual_name", "siret"] })).await;
    world.with(|manners| {
        manners.userinfo = json!({ "sub": "ada-1", "email": "Ada@Rivebelle.Example", "email_verified": true, "given_name": "Ada", "usual_name": "Byron" });
    });
    let mut ada = crate::support::browser::Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let address = ada.leads_to();
    assert_eq!(crate::provider::parameter(&address, "scope").unwrap(), "openid email given_name usual_name siret");
    ada.get(&world.provider.agree(&address)).await;
    assert!(ada.get("/account").await.text.contains("Byron"));
}

#[tokio::test]
async fn oidcc_client_test_client_secret_basic() {
    let world = World::open(json!({})).await;
    world.come().await;
    let seen = world.provider.seen.lock().unwrap();
    let (_, authorization, form) = &seen[0];
    assert_eq!(basic(authorization.as_deref().unwrap()), "octroi:a+secret%2B+of+%2F+27+characters");
    assert!(!form.as_deref().unwrap().contains("secret"), "{form:?}");
}

#[tokio::test]
async fn the_secret_goes_into_the_body_where_that_was_agreed() {
    let world = World::open(json!({ "client_auth": "secret_post" })).await;
    world.come().await;
    let seen = world.provider.seen.lock().unwrap();
    let (_, authorization, form) = &seen[0];
    let form = form.as_deref().unwrap();
    assert!(authorization.is_none() && form.contains("client_id=octroi"), "{form}");
    assert_eq!(crate::provider::parameter(&format!("?{form}"), "client_secret").as_deref(), Some(SECRET));
}

/// ProConnect: levels by `claims`, essential; facts signed; no parameter that it does not list.
#[tokio::test]
async fn proconnect_is_asked_as_it_demands() {
    let settings = json!({ "acr_values": ["eidas1-mfa"], "signed_userinfo": true, "trusts_email": true, "trusts_mfa": true });
    let world = World::open(settings).await;
    world.with(|manners| {
        manners.signed_userinfo = true;
        manners.id_token = json!({ "acr": "eidas1-mfa", "amr": ["pwd", "otp", "mfa"] });
        manners.userinfo.as_object_mut().unwrap().remove("email_verified");
    });
    let mut ada = crate::support::browser::Browser::at(&world.house);
    ada.get("/auth/idp/login").await;
    let address = ada.leads_to();
    let query = address.split_once('?').unwrap().1;
    let mut names: Vec<_> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    names.sort_unstable();
    let listed =
        ["claims", "client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state"];
    assert_eq!(names, listed);
    let claims: Value = serde_json::from_str(&crate::provider::parameter(&address, "claims").unwrap()).unwrap();
    assert_eq!(claims, json!({ "id_token": { "acr": { "essential": true, "values": ["eidas1-mfa"] }, "amr": null } }));
    ada.get(&world.provider.agree(&address)).await;
    assert_eq!(ada.leads_to(), "/dashboard");
    assert!(!ada.get("/account").await.text.contains("is not verified"));
    // A level below is none; facts that are not signed neither.
    world.with(|manners| manners.id_token = json!({ "acr": "eidas1" }));
    assert_eq!(world.come().await.1.status, 502);
    world.with(|manners| {
        manners.id_token = json!({ "acr": "eidas1-mfa" });
        manners.signed_userinfo = false;
    });
    assert_eq!(world.come().await.1.status, 502);
}
