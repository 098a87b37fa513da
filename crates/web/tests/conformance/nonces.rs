//! Nonces in DPoP proofs (RFC 9449 sections 8 and 9), where the operator wants them.

use axum::http::Method;
use octroi_app::sign_on::settings::SignOnSettings;
use serde_json::json;

use crate::{
    relying::{CALLBACK, Prover, VERIFIER, World, request},
    support::{Answer, PUBLIC},
};

fn nonce(answer: &Answer) -> String {
    answer.headers["dpop-nonce"].to_str().unwrap().to_owned()
}

fn prove(world: &World, prover: &Prover, method: &str, path: &str, nonce: &str, token: Option<&str>) -> String {
    let mut claims = json!({
        "jti": uuid::Uuid::new_v4(), "htm": method, "htu": format!("{PUBLIC}{path}"), "iat": world.house.now().seconds(), "nonce": nonce,
    });
    if let Some(token) = token {
        claims["ath"] = json!(octroi_oauth::dpop::ath(token));
    }
    prover.sign(&claims)
}

/// A client begins without, is told which, and goes on with it; an old one is told the new one.
#[tokio::test]
async fn a_client_learns_the_nonce_and_goes_on() {
    let world = World::settled(SignOnSettings { dpop_nonces: true, ..SignOnSettings::default() }).await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let prover = Prover::new();
    // Pushed with a proof: asked for there first.
    let none = prover.prove(&world, "POST", "/oauth/par", None);
    let asked = world.as_client(&rp, "/oauth/par", &[("dpop", &none)], &request(&rp, &[])).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["error"]), (400, &json!("use_dpop_nonce")));
    assert!(asked.headers["access-control-expose-headers"].to_str().unwrap().contains("DPoP-Nonce"));
    let good = prove(&world, &prover, "POST", "/oauth/par", &nonce(&asked), None);
    assert_eq!(world.as_client(&rp, "/oauth/par", &[("dpop", &good)], &request(&rp, &[])).await.status, 201);
    let code = world.code(&rp, &[]).await;
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let none = prover.prove(&world, "POST", "/oauth/token", None);
    let asked = world.as_client(&rp, "/oauth/token", &[("dpop", &none)], &exchange).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["error"]), (400, &json!("use_dpop_nonce")));
    let proof = prove(&world, &prover, "POST", "/oauth/token", &nonce(&asked), None);
    let tokens = world.as_client(&rp, "/oauth/token", &[("dpop", &proof)], &exchange).await;
    assert_eq!(tokens.status, 200, "asking for the nonce did not use the code up: {}", tokens.text);
    let first = nonce(&tokens);
    let tokens = tokens.json();
    let token = tokens["access_token"].as_str().unwrap();
    let told = async |proof: &str| {
        let headers = [("authorization", format!("DPoP {token}")), ("dpop", proof.to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.house.send(Method::GET, "/oauth/userinfo", &headers, "").await
    };
    let refused = told(&prover.prove(&world, "GET", "/oauth/userinfo", Some(token))).await;
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    assert!(refused.status == 401 && challenge.starts_with("DPoP ") && challenge.contains("error=\"use_dpop_nonce\""), "{challenge}");
    assert_eq!(told(&prove(&world, &prover, "GET", "/oauth/userinfo", &nonce(&refused), Some(token))).await.status, 200);
    // It lives on for a while, and not for good.
    world.house.wait(300);
    let late = told(&prove(&world, &prover, "GET", "/oauth/userinfo", &first, Some(token))).await;
    assert_eq!(late.status, 200, "{}", late.text);
    assert_ne!(nonce(&late), first, "the next one is told with the answer");
    world.house.wait(600);
    let old = told(&prove(&world, &prover, "GET", "/oauth/userinfo", &first, Some(token))).await;
    assert_eq!((old.status.as_u16(), &old.json()["error"]), (401, &json!("use_dpop_nonce")));
    for made_up in ["", "x", &"n".repeat(43)] {
        assert_eq!(told(&prove(&world, &prover, "GET", "/oauth/userinfo", made_up, Some(token))).await.status, 401, "{made_up}");
    }
}

/// Where they are not asked for, none is told; one that is not ours is refused all the same.
#[tokio::test]
async fn without_the_setting_nothing_changes() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    let prover = Prover::new();
    let own = [("grant_type", "client_credentials")];
    let plain = world.as_client(&rp, "/oauth/token", &[("dpop", &prover.prove(&world, "POST", "/oauth/token", None))], &own).await;
    assert!(plain.status == 200 && !plain.headers.contains_key("dpop-nonce"), "{}", plain.text);
    let foreign = prove(&world, &prover, "POST", "/oauth/token", "of another server", None);
    let refused = world.as_client(&rp, "/oauth/token", &[("dpop", &foreign)], &own).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("use_dpop_nonce")));
    let ours = prove(&world, &prover, "POST", "/oauth/token", &nonce(&refused), None);
    assert_eq!(world.as_client(&rp, "/oauth/token", &[("dpop", &ours)], &own).await.status, 200, "and told which would do");
}
