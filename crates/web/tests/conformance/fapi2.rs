//! `fapi2-security-profile-final-test-plan`, with `private_key_jwt` and DPoP: a client that has to push its requests is held
//! to it whole.

use serde_json::{Value, json};

use crate::{
    relying::{ASSERTION, CALLBACK, CHALLENGE, Prover, Rp, VERIFIER, World, location, parameter, request},
    support::{Answer, PUBLIC},
};

async fn client(world: &World) -> Rp {
    let members = json!({
        "grant_types": ["authorization_code", "refresh_token"], "require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true,
    });
    world.signing_client(members).await
}

async fn push(world: &World, rp: &Rp, more: &[(&str, &str)]) -> Answer {
    world.as_client(rp, "/oauth/par", &[], &request(rp, more)).await
}

async fn pushed(world: &World, rp: &Rp, more: &[(&str, &str)]) -> String {
    let answer = push(world, rp, more).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!((5..600).contains(&answer.json()["expires_in"].as_i64().unwrap()));
    answer.json()["request_uri"].as_str().unwrap().to_owned()
}

async fn code(world: &World, rp: &Rp, more: &[(&str, &str)]) -> String {
    let uri = pushed(world, rp, more).await;
    let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await;
    parameter(&address, "code").unwrap_or_else(|| panic!("{address}"))
}

async fn exchange(world: &World, rp: &Rp, code: &str, proof: Option<&str>, more: &[(&str, &str)]) -> Answer {
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

async fn userinfo(world: &World, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proof.map(|proof| ("dpop", proof)));
    world.house.send(axum::http::Method::GET, "/oauth/userinfo", &headers, "").await
}

#[track_caller]
fn check(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default()), (status, error), "{}", answer.text);
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
async fn fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails() {
    let world = World::open().await;
    let rp = client(&world).await;
    let address = world.through(&world.alice, &request(&rp, &[])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_request"));
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
async fn fapi2_security_profile_final_par_expired_and_other_client() {
    let world = World::open().await;
    let (rp, other) = (client(&world).await, client(&world).await);
    let uri = pushed(&world, &rp, &[]).await;
    assert_eq!(world.authorize(&world.alice, &[("client_id", &other.id), ("request_uri", &uri)]).await.status, 400);
    world.house.wait(91);
    assert_eq!(world.authorize(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await.status, 400);
}

#[tokio::test]
async fn fapi2_security_profile_final_par_refusals() {
    let world = World::open().await;
    let rp = client(&world).await;
    for (more, error) in [
        (&[("request_uri", "urn:ietf:params:oauth:request_uri:x")][..], "invalid_request"),
        (&[("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("redirect_uri", "https://evil.example/")], "invalid_request"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("scope", "openid organization")], "ok"),
    ] {
        let answer = push(&world, &rp, more).await;
        if error == "ok" { assert_eq!(answer.status, 201) } else { check(&answer, 400, error) }
    }
    let mut twice = request(&rp, &[]);
    twice.push(("state", "second"));
    check(&world.as_client(&rp, "/oauth/par", &[], &twice).await, 400, "invalid_request");
    assert_eq!(world.house.get("/oauth/par").await.status, 405);
}

#[tokio::test]
async fn fapi2_security_profile_final_client_assertions() {
    let world = World::open().await;
    let rp = client(&world).await;
    let now = world.house.now().seconds();
    let send = async |claims: &Value, alg_key: Option<&octroi_oauth::jwt::SigningKeyPair>| {
        let assertion = alg_key.or(rp.key.as_ref()).unwrap().sign("JWT", claims).unwrap();
        let mut pairs = request(&rp, &[]);
        pairs.extend([("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())]);
        world.post("/oauth/par", &[], &pairs).await
    };
    let with = |name: &str, value: Value| {
        let mut claims = world.assertion(&rp);
        claims[name] = value;
        claims
    };
    // Eight seconds ahead are a clock that is a little fast; sixty are not.
    assert_eq!(send(&with("nbf", json!(now + 8)), None).await.status, 201);
    for bad in [
        with("nbf", json!(now + 60)),
        with("aud", json!([PUBLIC, "https://other.example"])),
        with("aud", json!(format!("{PUBLIC}/oauth/par"))),
        with("aud", json!(format!("{PUBLIC}/oauth/token"))),
        with("aud", json!("https://other.example")),
        with("sub", Value::Null),
        with("sub", json!("sso_aaaaaaaaaaaaaaaaaaaaaa")),
        with("exp", json!(now - 1)),
    ] {
        check(&send(&bad, None).await, 401, "invalid_client");
    }
    let once = world.assertion(&rp);
    assert_eq!(send(&once, None).await.status, 201);
    check(&send(&once, None).await, 401, "invalid_client");
    let rsa = octroi_oauth::jwt::SigningAlgorithm::Rs256;
    let rsa = octroi_oauth::jwt::SigningKeyPair::of(rsa, "rp-1", &octroi_oauth::jwt::SigningKeyPair::generate(rsa).unwrap()).unwrap();
    let rs256 = world.signing_client(json!({ "require_pushed_authorization_requests": true, "jwks": { "keys": [rsa.jwk()] } })).await;
    let assertion = rsa.sign("JWT", &world.assertion(&rs256)).unwrap();
    let mut pairs = request(&rs256, &[]);
    pairs.extend([("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())]);
    check(&world.post("/oauth/par", &[], &pairs).await, 401, "invalid_client");
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
async fn fapi2_security_profile_final_dpop_binding() {
    let world = World::open().await;
    let (rp, prover) = (client(&world).await, Prover::new());
    let jkt = octroi_oauth::dpop::thumbprint(&prover.jwk).unwrap();
    let code = code(&world, &rp, &[("dpop_jkt", &jkt)]).await;
    let theirs = Prover::new().prove(&world, "POST", "/oauth/token", None);
    check(&exchange(&world, &rp, &code, Some(&theirs), &[]).await, 400, "invalid_grant");
    let mine = prover.prove(&world, "POST", "/oauth/token", None);
    assert_eq!(exchange(&world, &rp, &code, Some(&mine), &[]).await.status, 200);
    // At the pushed request, what is said and what is proven have to be the same.
    let proof = prover.prove(&world, "POST", "/oauth/par", None);
    let other = octroi_oauth::dpop::thumbprint(&Prover::new().jwk).unwrap();
    check(
        &world.as_client(&rp, "/oauth/par", &[("dpop", &proof)], &request(&rp, &[("dpop_jkt", &other)])).await,
        400,
        "invalid_dpop_proof",
    );
    let now = world.house.now().seconds();
    for (iat, status) in [(now - 10, 201), (now + 10, 201), (now - 120, 400), (now + 120, 400)] {
        let claims = json!({ "jti": uuid::Uuid::new_v4(), "htm": "POST", "htu": format!("{PUBLIC}/oauth/par"), "iat": iat });
        let answer = world.as_client(&rp, "/oauth/par", &[("dpop", &prover.sign(&claims))], &request(&rp, &[])).await;
        assert_eq!(answer.status.as_u16(), status, "{iat}: {}", answer.text);
    }
}

#[tokio::test]
async fn fapi2_security_profile_final_codes() {
    let world = World::open().await;
    let (rp, other, prover) = (client(&world).await, client(&world).await, Prover::new());
    let proof = || prover.prove(&world, "POST", "/oauth/token", None);
    let one = code(&world, &rp, &[]).await;
    check(&exchange(&world, &other, &one, Some(&proof()), &[]).await, 400, "invalid_grant");
    check(&exchange(&world, &rp, &one, Some(&proof()), &[("code_verifier", "")]).await, 400, "invalid_grant");
    check(&exchange(&world, &rp, &one, Some(&proof()), &[("code_verifier", CHALLENGE)]).await, 400, "invalid_grant");
    check(&exchange(&world, &rp, &one, Some(&proof()), &[("redirect_uri", "https://rp.example/other")]).await, 400, "invalid_grant");
    assert_eq!(exchange(&world, &rp, &one, Some(&proof()), &[]).await.status, 200);
    world.house.wait(1);
    check(&exchange(&world, &rp, &one, Some(&proof()), &[]).await, 400, "invalid_grant");
    let late = code(&world, &rp, &[]).await;
    world.house.wait(61);
    check(&exchange(&world, &rp, &late, Some(&proof()), &[]).await, 400, "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_final_state_and_nonce() {
    let world = World::open().await;
    let rp = client(&world).await;
    let long = "x".repeat(384);
    for (state, nonce) in [("", ""), (long.as_str(), long.as_str())] {
        let uri = pushed(&world, &rp, &[("state", state), ("nonce", nonce)]).await;
        let address = world.through(&world.alice, &[("client_id", &rp.id), ("request_uri", &uri)]).await;
        assert_eq!(parameter(&address, "state").unwrap_or_default(), state);
    }
}
