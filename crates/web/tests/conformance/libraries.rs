//! What libraries of relying parties do in practice, beside what they register.

use serde_json::{Value, json};

use crate::{
    relying::{Rp, World, basic},
    support::Answer,
};

const OWN_NAME: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "read")];

async fn by_header(world: &World, rp: &Rp) -> Answer {
    world.post("/oauth/token", &[("authorization", &basic(rp))], &OWN_NAME).await
}

async fn in_body(world: &World, rp: &Rp) -> Answer {
    let mut pairs = OWN_NAME.to_vec();
    pairs.extend([("client_id", rp.id.as_str()), ("client_secret", rp.secret.as_str())]);
    world.post("/oauth/token", &[], &pairs).await
}

async fn machine(world: &World, method: &str) -> Rp {
    let members = json!({
        "token_endpoint_auth_method": method, "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "read",
    });
    world.client(members).await
}

/// Authlib revokes by the header whatever is registered; openid-client 6 sends the secret of a client that it registers in
/// the body, whatever RFC 7591 takes as the default.
#[tokio::test]
async fn a_secret_is_taken_by_the_header_and_in_the_body() {
    let world = World::open().await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let rp = machine(&world, method).await;
        assert_eq!(by_header(&world, &rp).await.status, 200, "{method}");
        assert_eq!(in_body(&world, &rp).await.status, 200, "{method}");
        let other = Rp { id: rp.id.clone(), secret: format!("{}x", rp.secret), key: None };
        assert_eq!(by_header(&world, &other).await.status, 401, "{method}");
        assert_eq!(in_body(&world, &other).await.status, 401, "{method}");
        // Twice is once too often (RFC 6749 section 2.3).
        let twice = [OWN_NAME[0], OWN_NAME[1], ("client_id", rp.id.as_str()), ("client_secret", rp.secret.as_str())];
        assert_eq!(world.post("/oauth/token", &[("authorization", &basic(&rp))], &twice).await.status, 400, "{method}");
    }
    // Who registered a key, or nothing, is not let in by a secret.
    let signs = world.signing_client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "read" })).await;
    let pretends = Rp { id: signs.id.clone(), secret: "a secret".to_owned(), key: None };
    assert_eq!(by_header(&world, &pretends).await.status, 401);
    assert_eq!(in_body(&world, &pretends).await.status, 401);
}

/// openid-client 5 reads `jwks_uri` once a minute, even for a key that it does not know: the key is there before the first
/// sign-in, not from it on.
#[tokio::test]
async fn keys_are_published_before_they_sign() {
    let world = World::open().await;
    let published = async |world: &World| {
        let answer: Value = world.house.get("/oauth/jwks").await.json();
        answer["keys"].as_array().unwrap().iter().map(|key| key["alg"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!published(&world).await.contains(&"EdDSA".to_owned()));
    let rp = world.client(json!({ "id_token_signed_response_alg": "EdDSA" })).await;
    let before = published(&world).await;
    assert!(before.contains(&"EdDSA".to_owned()), "{before:?}");
    world.tokens(&rp, &[]).await;
    assert_eq!(published(&world).await.len(), before.len());
}

/// Clients are kept in memory: what is changed is in force in the next answer all the same.
#[tokio::test]
async fn a_change_of_a_client_is_in_force_at_once() {
    let world = World::open().await;
    let rp = machine(&world, "client_secret_basic").await;
    let token = by_header(&world, &rp).await.json()["access_token"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/clients/{}", rp.id);
    let act = async |what: &str| {
        let answer = world.house.post(&world.operator, &format!("{path}/{what}"), &[], &json!({})).await;
        assert!(answer.status.is_success(), "{what}: {}", answer.text);
        answer.json()
    };
    for _ in 0..3 {
        assert_eq!(by_header(&world, &rp).await.status, 200);
        act("suspend").await;
        assert_eq!(by_header(&world, &rp).await.status, 401);
        assert_eq!(world.userinfo(&token).await.status, 401);
        act("resume").await;
    }
    let anew = act("secret").await["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(by_header(&world, &rp).await.status, 401, "the old secret");
    assert_eq!(by_header(&world, &Rp { id: rp.id.clone(), secret: anew, key: None }).await.status, 200);
}
