//! `fapi2-security-profile-final-test-plan`, second half: pushed requests, assertions and PKCE.

use serde_json::{Value, json};

use crate::{
    fapi2::{at_token, check, client, code, exchange, jkt, push, push_as, pushed, with},
    relying::{CALLBACK, CHALLENGE, Prover, Rp, VERIFIER, World, location, parameter, request},
    support::PUBLIC,
};

#[tokio::test]
async fn fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let proof = prover.prove(&world, "POST", "/oauth/par", None);
    let uri = world.as_client(&rp, "/oauth/par", &[("dpop", &proof)], &request(&rp, &[("dpop_jkt", &jkt(&prover))])).await.json();
    let asking = [("client_id", rp.id.as_str()), ("request_uri", uri["request_uri"].as_str().unwrap())];
    let code = parameter(&world.through(&world.alice, &asking).await, "code").unwrap();
    assert_eq!(exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[]).await.status, 200);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    let address = world.through(&world.alice, &request(&rp, &[])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_signed_client_assertion_with_rs256_fails() {
    let world = World::open().await;
    let rsa = octroi_oauth::jwt::SigningAlgorithm::Rs256;
    let rsa = octroi_oauth::jwt::SigningKeyPair::of(rsa, "rp-1", &octroi_oauth::jwt::SigningKeyPair::generate(rsa).unwrap()).unwrap();
    let rp = world.signing_client(json!({ "require_pushed_authorization_requests": true, "jwks": { "keys": [rsa.jwk()] } })).await;
    let rp = Rp { key: Some(rsa), ..rp };
    check(&push_as(&world, &rp, &world.assertion(&rp)).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", &rp.id),
    ];
    check(&world.post("/oauth/token", &[("dpop", &at_token(&world, &prover))], &pairs).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "exp", json!(world.house.now().seconds() - 300))).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "aud", json!("https://other.example"))).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "sub", Value::Null)).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "nbf", json!(world.house.now().seconds() + 61))).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_test_array_as_audience_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "aud", json!([PUBLIC, "https://other.example"]))).await, 401, "invalid_client");
    check(&push_as(&world, &rp, &with(&world, &rp, "aud", json!([PUBLIC]))).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "aud", json!(format!("{PUBLIC}/oauth/par")))).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push_as(&world, &rp, &with(&world, &rp, "aud", json!(format!("{PUBLIC}/oauth/token")))).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted() {
    let world = World::open().await;
    let rp = client(&world).await;
    let claims = with(&world, &rp, "nbf", json!(world.house.now().seconds() + 8));
    assert_eq!(push_as(&world, &rp, &claims).await.status, 201);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_invalid_client_assertions_fail() {
    let world = World::open().await;
    let rp = client(&world).await;
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("sso_aaaaaaaaaaaaaaaaaaaaaa")),
        ("sub", json!("sso_aaaaaaaaaaaaaaaaaaaaaa")),
        ("exp", Value::Null),
        ("exp", json!("4000000000")),
        ("jti", Value::Null),
    ] {
        check(&push_as(&world, &rp, &with(&world, &rp, name, value.clone())).await, 401, "invalid_client");
    }
    let once = world.assertion(&rp);
    assert_eq!(push_as(&world, &rp, &once).await.status, 201);
    check(&push_as(&world, &rp, &once).await, 401, "invalid_client");
    // Of another's key.
    let stranger = Rp { id: rp.id.clone(), ..client(&world).await };
    check(&push_as(&world, &stranger, &world.assertion(&rp)).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds() {
    let world = World::open().await;
    let rp = client(&world).await;
    let uri = pushed(&world, &rp, &[]).await;
    let asking = [("client_id", rp.id.as_str()), ("request_uri", uri.as_str())];
    // Opened twice before it is answered: a page that is loaded again.
    location(&world.authorize(&world.alice, &asking).await);
    let second = location(&world.authorize(&world.alice, &asking).await);
    assert!(parameter(&world.onward(&world.alice, second).await, "code").is_some());
}

#[tokio::test]
async fn fapi2_security_profile_final_par_attempt_reuse_request_uri() {
    let world = World::open().await;
    let rp = client(&world).await;
    let uri = pushed(&world, &rp, &[]).await;
    let asking = [("client_id", rp.id.as_str()), ("request_uri", uri.as_str())];
    // Opened twice before it is answered: a page that is loaded again.
    let first = location(&world.authorize(&world.alice, &asking).await);
    let second = location(&world.authorize(&world.alice, &asking).await);
    assert!(parameter(&world.onward(&world.alice, first).await, "code").is_some());
    let page = world.authorize(&world.alice, &asking).await;
    assert!(page.status == 400 && !page.headers.contains_key("location"), "after that it is used up");
    assert_eq!(world.get(&second, &world.alice).await.status, 404, "and so is what was open");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_attempt_to_use_expired_request_uri() {
    let world = World::open().await;
    let rp = client(&world).await;
    let uri = pushed(&world, &rp, &[]).await;
    world.house.wait(91);
    let page = world.authorize(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await;
    assert!(page.status == 400 && !page.headers.contains_key("location"));
}

#[tokio::test]
async fn fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client() {
    let world = World::open().await;
    let (rp, other) = (client(&world).await, client(&world).await);
    let uri = pushed(&world, &rp, &[]).await;
    let page = world.authorize(&world.alice, &[("client_id", &other.id), ("request_uri", &uri)]).await;
    assert!(page.status == 400 && !page.headers.contains_key("location"));
}

#[tokio::test]
async fn fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param() {
    let world = World::open().await;
    let rp = client(&world).await;
    let uri = pushed(&world, &rp, &[]).await;
    check(&push(&world, &rp, &[("request_uri", &uri)]).await, 400, "invalid_request");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_attempt_invalid_http_method() {
    let world = World::open().await;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = world.house.send(method.parse().unwrap(), "/oauth/par", &[], "").await;
        assert_eq!(answer.status, 405, "{method}");
    }
}

#[tokio::test]
async fn fapi2_security_profile_final_par_ensure_pkce_required() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("code_challenge", ""), ("code_challenge_method", "")]).await, 400, "invalid_request");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_pkce_code_verifier_required() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[("code_verifier", "")]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[("code_verifier", CHALLENGE)]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_plain_pkce_rejected() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("code_challenge_method", "plain")]).await, 400, "invalid_request");
    check(&push(&world, &rp, &[("code_challenge_method", "")]).await, 400, "invalid_request");
}

#[tokio::test]
async fn fapi2_security_profile_final_par_without_duplicate_parameters() {
    let world = World::open().await;
    let rp = client(&world).await;
    let mut twice = request(&rp, &[]);
    twice.push(("state", "second"));
    check(&world.as_client(&rp, "/oauth/par", &[], &twice).await, 400, "invalid_request");
    // What was pushed and what stands in the address do not have to be said twice.
    let uri = pushed(&world, &rp, &[]).await;
    let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await;
    assert!(parameter(&address, "code").is_some(), "{address}");
}
