//! `fapi2-security-profile-final-test-plan`, with `private_key_jwt` and DPoP: a client that has to push its requests is held
//! to it whole.

use serde_json::{Value, json};

use crate::{
    relying::{ASSERTION, CALLBACK, Prover, Rp, VERIFIER, World, location, parameter, request},
    support::{Answer, PUBLIC},
};

pub async fn client(world: &World) -> Rp {
    let members = json!({
        "grant_types": ["authorization_code", "refresh_token"], "require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true,
    });
    world.signing_client(members).await
}

pub async fn push(world: &World, rp: &Rp, more: &[(&str, &str)]) -> Answer {
    world.as_client(rp, "/oauth/par", &[], &request(rp, more)).await
}

pub async fn pushed(world: &World, rp: &Rp, more: &[(&str, &str)]) -> String {
    let answer = push(world, rp, more).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!((5..600).contains(&answer.json()["expires_in"].as_i64().unwrap()));
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

/// Pushes with an assertion of these claims.
pub async fn push_as(world: &World, rp: &Rp, claims: &Value) -> Answer {
    let assertion = rp.key.as_ref().unwrap().sign("JWT", claims).unwrap();
    let mut pairs = request(rp, &[]);
    pairs.extend([("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())]);
    world.post("/oauth/par", &[], &pairs).await
}

pub fn with(world: &World, rp: &Rp, name: &str, value: Value) -> Value {
    let mut claims = world.assertion(rp);
    claims[name] = value;
    claims
}

/// Where the browser ends, with this pushed.
pub async fn ended(world: &World, rp: &Rp, more: &[(&str, &str)]) -> String {
    let uri = pushed(world, rp, more).await;
    world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await
}

pub fn at_token(world: &World, prover: &Prover) -> String {
    prover.prove(world, "POST", "/oauth/token", None)
}

pub fn jkt(prover: &Prover) -> String {
    octroi_oauth::dpop::thumbprint(&prover.jwk).unwrap()
}

/// Tokens of a whole sign-in, bound to the key of the prover.
pub async fn bound(world: &World, rp: &Rp, prover: &Prover, more: &[(&str, &str)]) -> Value {
    let code = code(world, rp, more).await;
    let answer = exchange(world, rp, &code, Some(&at_token(world, prover)), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

pub async fn code(world: &World, rp: &Rp, more: &[(&str, &str)]) -> String {
    let uri = pushed(world, rp, more).await;
    let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await;
    parameter(&address, "code").unwrap_or_else(|| panic!("{address}"))
}

pub async fn exchange(world: &World, rp: &Rp, code: &str, proof: Option<&str>, more: &[(&str, &str)]) -> Answer {
    let mut pairs = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    for (name, value) in more {
        pairs.retain(|(found, _)| found != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    let headers: Vec<(&str, &str)> = proof.map(|proof| ("dpop", proof)).into_iter().collect();
    world.as_client(rp, "/oauth/token", &headers, &pairs).await
}

pub async fn userinfo(world: &World, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proof.map(|proof| ("dpop", proof)));
    world.house.send(axum::http::Method::GET, "/oauth/userinfo", &headers, "").await
}

#[track_caller]
pub fn check(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default()), (status, error), "{}", answer.text);
}

#[tokio::test]
async fn fapi2_security_profile_final_discovery_end_point_verification() {
    let world = World::open().await;
    let found = world.house.get("/.well-known/oauth-authorization-server").await.json();
    let has = |name: &str, value: &str| found[name].as_array().is_some_and(|list| list.contains(&json!(value)));
    assert!(found["authorization_response_iss_parameter_supported"] == true && found["issuer"] == PUBLIC, "{found}");
    for (name, value) in [
        ("code_challenge_methods_supported", "S256"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("dpop_signing_alg_values_supported", "ES256"),
        ("dpop_signing_alg_values_supported", "PS256"),
        ("token_endpoint_auth_signing_alg_values_supported", "EdDSA"),
        ("grant_types_supported", "authorization_code"),
        ("response_types_supported", "code"),
    ] {
        assert!(has(name, value), "{name}: {value}");
    }
    assert!(!has("code_challenge_methods_supported", "plain") && !has("response_types_supported", "code id_token"));
    assert_eq!(found["pushed_authorization_request_endpoint"], format!("{PUBLIC}/oauth/par"));
}

#[tokio::test]
async fn fapi2_security_profile_final_happy_flow() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    let answer = exchange(&world, &rp, &code, Some(&prover.prove(&world, "POST", "/oauth/token", None)), &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.claims(token).await["cnf"]["jkt"], json!(octroi_oauth::dpop::thumbprint(&prover.jwk).unwrap()));
    let told = userinfo(&world, "DPoP", token, Some(&prover.prove(&world, "GET", "/oauth/userinfo", Some(token)))).await;
    assert_eq!(told.status, 200, "{}", told.text);
    // The refresh of a confidential client is bound to the client, not to the key (RFC 9449 section 5).
    let other = Prover::new();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let again = world.as_client(&rp, "/oauth/token", &[("dpop", &other.prove(&world, "POST", "/oauth/token", None))], &refresh).await;
    assert_eq!(again.status, 200, "{}", again.text);
}

#[tokio::test]
async fn fapi2_security_profile_final_user_rejects_authentication() {
    let world = World::open().await;
    let rp = client(&world).await;
    let uri = pushed(&world, &rp, &[]).await;
    let asked = location(&world.authorize(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await);
    let page = world.get(&asked, &world.alice).await;
    let csrf = crate::relying::hidden(&page.text, "_csrf");
    let left = world.form(&asked, &world.alice, &[("_csrf", &csrf), ("choice", "refuse")]).await;
    let address = left.headers["refresh"].to_str().unwrap().strip_prefix("0; url=").unwrap().to_owned();
    assert_eq!((parameter(&address, "error").as_deref(), parameter(&address, "iss").as_deref()), (Some("access_denied"), Some(PUBLIC)));
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_authorization_request_without_state_success() {
    let world = World::open().await;
    let rp = client(&world).await;
    let address = ended(&world, &rp, &[("state", "")]).await;
    assert_eq!(parameter(&address, "state"), None);
    assert!(parameter(&address, "code").is_some(), "{address}");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_authorization_request_without_nonce_success() {
    let world = World::open().await;
    let rp = client(&world).await;
    let address = ended(&world, &rp, &[("nonce", "")]).await;
    assert!(parameter(&address, "state").is_some());
    assert!(parameter(&address, "code").is_some(), "{address}");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success() {
    let world = World::open().await;
    let (rp, prover, nonce) = (client(&world).await, Prover::new(), "n".repeat(64));
    let tokens = bound(&world, &rp, &prover, &[("nonce", &nonce)]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["nonce"], nonce);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_other_scope_order_succeeds() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let tokens = bound(&world, &rp, &prover, &[("scope", "email openid")]).await;
    let mut given: Vec<&str> = tokens["scope"].as_str().unwrap().split(' ').collect();
    given.sort_unstable();
    assert!(given == ["email", "openid"] && tokens["id_token"].is_string());
}

#[tokio::test]
async fn fapi2_security_profile_final_test_claims_parameter_identity_claims() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let claims = r#"{"userinfo":{"given_name":null,"family_name":{"essential":true}},"id_token":{"email":null}}"#;
    let tokens = bound(&world, &rp, &prover, &[("scope", "openid"), ("claims", claims)]).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["email"], "alice@paris.example");
    let told = userinfo(&world, "DPoP", token, Some(&prover.prove(&world, "GET", "/oauth/userinfo", Some(token)))).await.json();
    assert_eq!((&told["given_name"], &told["family_name"], told.get("email")), (&json!("Alice"), &json!("Martin"), None));
}

#[tokio::test]
async fn fapi2_security_profile_final_access_token_type_header_case_sensitivity() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let tokens = bound(&world, &rp, &prover, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    for scheme in ["DPoP", "dpop", "DPOP", "dPoP"] {
        let told = userinfo(&world, scheme, token, Some(&prover.prove(&world, "GET", "/oauth/userinfo", Some(token)))).await;
        assert_eq!(told.status, 200, "{scheme}: {}", told.text);
    }
}

#[tokio::test]
async fn fapi2_security_profile_final_check_dpop_proof_nbf_exp() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let now = world.house.now().seconds();
    // `nbf` and `exp` are no claims of a proof (RFC 9449 section 4.2): `iat` decides.
    let claims = json!({ "jti": "a", "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now, "nbf": now, "exp": now + 300 });
    let code = code(&world, &rp, &[]).await;
    assert_eq!(exchange(&world, &rp, &code, Some(&prover.sign(&claims)), &[]).await.status, 200);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let now = world.house.now().seconds();
    let claims = json!({ "jti": "a", "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now - 10 });
    let code = code(&world, &rp, &[]).await;
    assert_eq!(exchange(&world, &rp, &code, Some(&prover.sign(&claims)), &[]).await.status, 200);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let now = world.house.now().seconds();
    let claims = json!({ "jti": "a", "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now + 10 });
    let code = code(&world, &rp, &[]).await;
    assert_eq!(exchange(&world, &rp, &code, Some(&prover.sign(&claims)), &[]).await.status, 200);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let proof = prover.prove(&world, "POST", "/oauth/par", None);
    let pairs = request(&rp, &[]);
    let other = jkt(&Prover::new());
    let mut wrong = pairs.clone();
    wrong.push(("dpop_jkt", &other));
    check(&world.as_client(&rp, "/oauth/par", &[("dpop", &proof)], &wrong).await, 400, "invalid_dpop_proof");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let proof = prover.prove(&world, "POST", "/oauth/par", None);
    let uri = world.as_client(&rp, "/oauth/par", &[("dpop", &proof)], &request(&rp, &[])).await.json();
    let asking = [("client_id", rp.id.as_str()), ("request_uri", uri["request_uri"].as_str().unwrap())];
    let code = parameter(&world.through(&world.alice, &asking).await, "code").unwrap();
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &Prover::new())), &[]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[("dpop_jkt", &jkt(&prover))]).await;
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &Prover::new())), &[]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_dpop_auth_code_binding_success() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let tokens = bound(&world, &rp, &prover, &[("dpop_jkt", &jkt(&prover))]).await;
    assert_eq!(world.claims(tokens["access_token"].as_str().unwrap()).await["cnf"]["jkt"], jkt(&prover));
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_different_nonce_inside_and_outside_request_object() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let uri = pushed(&world, &rp, &[("nonce", "inside")]).await;
    // What was pushed counts, and nothing beside it (RFC 9126 section 4).
    let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri), ("nonce", "outside")]).await;
    let code = parameter(&address, "code").unwrap();
    let tokens = exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[]).await.json();
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["nonce"], "inside");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let uri = pushed(&world, &rp, &[("state", "inside")]).await;
    // What was pushed counts, and nothing beside it (RFC 9126 section 4).
    let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri), ("state", "outside")]).await;
    assert_eq!(parameter(&address, "state").as_deref(), Some("inside"));
    drop(prover);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_authorization_request_with_long_nonce() {
    let world = World::open().await;
    let (rp, prover, nonce) = (client(&world).await, Prover::new(), "n".repeat(384));
    let tokens = bound(&world, &rp, &prover, &[("nonce", &nonce)]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["nonce"], nonce);
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_authorization_request_with_long_state() {
    let world = World::open().await;
    let (rp, state) = (client(&world).await, "s".repeat(384));
    assert_eq!(parameter(&ended(&world, &rp, &[("state", &state)]).await, "state"), Some(state));
}

#[tokio::test]
async fn fapi2_security_profile_final_state_only_outside_request_object_not_used() {
    let world = World::open().await;
    let rp = client(&world).await;
    let uri = pushed(&world, &rp, &[("state", "")]).await;
    let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri), ("state", "outside")]).await;
    assert!(parameter(&address, "state").is_none() && parameter(&address, "code").is_some(), "{address}");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("redirect_uri", "")]).await, 400, "invalid_request");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_registered_redirect_uri() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("redirect_uri", "https://evil.example/cb")]).await, 400, "invalid_request");
}

#[tokio::test]
async fn fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri() {
    let world = World::open().await;
    // A server may take addresses that a client did not register, because it pushed them itself. This one does not.
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("redirect_uri", &format!("{CALLBACK}?dummy=1"))]).await, 400, "invalid_request");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("redirect_uri", "")]).await, 400, "invalid_request");
    // Nor at the authorisation endpoint: a page of ours, and no redirect.
    let page = world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "")])).await;
    assert!(page.status == 400 && !page.headers.contains_key("location"));
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_response_type_code_idtoken_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("response_type", "code id_token")]).await, 400, "unsupported_response_type");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_response_type_token_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    check(&push(&world, &rp, &[("response_type", "token")]).await, 400, "unsupported_response_type");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_client_id_in_token_endpoint() {
    let world = World::open().await;
    let (rp, other, prover) = (client(&world).await, client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[("client_id", &other.id)]).await, 401, "invalid_client");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_holder_of_key_required() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let unbound = code(&world, &rp, &[]).await;
    check(&exchange(&world, &rp, &unbound, None, &[]).await, 400, "invalid_dpop_proof");
    let code = code(&world, &rp, &[]).await;
    let tokens = exchange(&world, &rp, &code, Some(&prover.prove(&world, "POST", "/oauth/token", None)), &[]).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let good = || prover.prove(&world, "GET", "/oauth/userinfo", Some(token));
    check(&userinfo(&world, "Bearer", token, None).await, 401, "invalid_token");
    check(&userinfo(&world, "Bearer", token, Some(&good())).await, 401, "invalid_token");
    check(
        &userinfo(&world, "DPoP", token, Some(&Prover::new().prove(&world, "GET", "/oauth/userinfo", Some(token)))).await,
        401,
        "invalid_dpop_proof",
    );
    check(
        &userinfo(&world, "DPoP", token, Some(&prover.prove(&world, "GET", "/oauth/userinfo", Some("other")))).await,
        401,
        "invalid_dpop_proof",
    );
    check(
        &userinfo(&world, "DPoP", token, Some(&prover.prove(&world, "POST", "/oauth/userinfo", Some(token)))).await,
        401,
        "invalid_dpop_proof",
    );
    let once = good();
    assert_eq!(userinfo(&world, "DPoP", token, Some(&once)).await.status, 200);
    check(&userinfo(&world, "DPoP", token, Some(&once)).await, 401, "invalid_dpop_proof");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client() {
    let world = World::open().await;
    let (rp, other, prover) = (client(&world).await, client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    check(&exchange(&world, &other, &code, Some(&at_token(&world, &prover)), &[]).await, 400, "invalid_grant");
    check(
        &exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[("redirect_uri", "https://rp.example/other")]).await,
        400,
        "invalid_grant",
    );
}

#[tokio::test]
async fn fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    let tokens = exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[]).await.json();
    world.house.wait(1);
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[]).await, 400, "invalid_grant");
    let token = tokens["access_token"].as_str().unwrap();
    check(&userinfo(&world, "DPoP", token, Some(&prover.prove(&world, "GET", "/oauth/userinfo", Some(token)))).await, 401, "invalid_token");
}

#[tokio::test]
async fn fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let code = code(&world, &rp, &[]).await;
    world.house.wait(61);
    check(&exchange(&world, &rp, &code, Some(&at_token(&world, &prover)), &[]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_final_dpop_negative_tests() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let now = world.house.now().seconds();
    let good = json!({ "jti": "one", "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now });
    let but = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        prover.sign(&claims)
    };
    let code = code(&world, &rp, &[]).await;
    for bad in [
        but("jti", Value::Null),
        but("jti", json!("")),
        but("htm", json!("GET")),
        but("htm", json!("post")),
        but("htu", json!(format!("{PUBLIC}/oauth/par"))),
        but("htu", json!("https://other.example/oauth/token")),
        but("iat", Value::Null),
        but("iat", json!(now - 3_600)),
        but("iat", json!(now + 3_600)),
        "a.b.c".to_owned(),
        String::from("x"),
    ] {
        check(&exchange(&world, &rp, &code, Some(&bad), &[]).await, 400, "invalid_dpop_proof");
    }
    // Two of them, and one that was used.
    let (first, second) = (prover.sign(&good), but("jti", json!("two")));
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    check(&world.as_client(&rp, "/oauth/token", &[("dpop", &first), ("dpop", &second)], &pairs).await, 400, "invalid_dpop_proof");
    assert_eq!(exchange(&world, &rp, &code, Some(&first), &[]).await.status, 200);
    check(&exchange(&world, &rp, &code, Some(&first), &[]).await, 400, "invalid_dpop_proof");
}

#[tokio::test]
async fn fapi2_security_profile_final_refresh_token() {
    let world = World::open().await;
    let (rp, other, prover) = (client(&world).await, client(&world).await, Prover::new());
    let tokens = bound(&world, &rp, &prover, &[]).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    check(&world.as_client(&other, "/oauth/token", &[("dpop", &at_token(&world, &prover))], &refresh).await, 400, "invalid_grant");
    check(&world.as_client(&rp, "/oauth/token", &[], &refresh).await, 400, "invalid_dpop_proof");
    let again = world.as_client(&rp, "/oauth/token", &[("dpop", &at_token(&world, &prover))], &refresh).await;
    assert_eq!((again.status.as_u16(), &again.json()["token_type"]), (200, &json!("DPoP")));
}
