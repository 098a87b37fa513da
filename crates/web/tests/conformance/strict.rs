//! What an examiner from outside found, who takes each standard at its word.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use octroi_oauth::jwt::{SigningAlgorithm, SigningKeyPair};
use serde_json::{Value, json};

use crate::{
    relying::{ASSERTION, World, request},
    support::PUBLIC,
};

const OWN_NAME: (&str, &str) = ("grant_type", "client_credentials");

/// A key as libraries of today name it (RFC 9864): openid-client 6 says `Ed25519`, never `EdDSA`.
struct Ed25519 {
    key: EncodingKey,
    jwk: Value,
}
impl Ed25519 {
    fn new() -> Self {
        let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::EdDsa).unwrap();
        let jwk = SigningKeyPair::of(SigningAlgorithm::EdDsa, "", &pkcs8).unwrap().jwk().unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        for member in ["kid", "use", "alg"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        Self { key: EncodingKey::from_ed_der(&pkcs8), jwk }
    }

    fn sign(&self, mut header: Value, claims: &Value) -> String {
        header["alg"] = json!("Ed25519");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::EdDSA).unwrap();
        format!("{signed}.{signature}")
    }
}

#[tokio::test]
async fn an_ed25519_key_is_known_by_the_name_of_today() {
    let world = World::open().await;
    let key = Ed25519::new();
    let mut jwk = key.jwk.clone();
    jwk.as_object_mut().unwrap().extend([("alg".to_owned(), json!("Ed25519")), ("kid".to_owned(), json!("one"))]);
    let tomorrow = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "two", "pub": "AAAA" });
    let rp = world
        .client(json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [tomorrow, jwk] }, "token_endpoint_auth_signing_alg": "Ed25519",
            "grant_types": ["client_credentials"], "redirect_uris": [],
        }))
        .await;
    let assertion = key.sign(json!({ "kid": "one" }), &world.assertion(&rp));
    let now = world.house.now().seconds();
    let claims = json!({ "jti": "p-1", "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now });
    let proof = key.sign(json!({ "typ": "dpop+jwt", "jwk": key.jwk }), &claims);
    let pairs = [OWN_NAME, ("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
    let answer = world.post("/oauth/token", &[("dpop", &proof)], &pairs).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["token_type"], "DPoP");
    for document in ["/.well-known/openid-configuration", "/.well-known/oauth-protected-resource"] {
        let document = world.house.get(document).await.json();
        assert!(document["dpop_signing_alg_values_supported"].as_array().unwrap().contains(&json!("Ed25519")), "{document}");
    }
}

/// RFC 8252 section 7.3 and RFC 9700 section 2.1: the port is free for applications on the machine, and for nobody else.
#[tokio::test]
async fn the_port_is_free_for_native_applications_alone() {
    let world = World::open().await;
    for (kind, status) in [("native", 303), ("web", 400)] {
        let members = json!({ "application_type": kind, "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"] });
        let rp = world.client(members).await;
        let asked = world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "http://127.0.0.1:51004/cb")])).await;
        assert_eq!(asked.status, status, "{kind}: {}", asked.text);
        assert_eq!(world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "http://127.0.0.1/cb")])).await.status, 303, "{kind}");
    }
}
