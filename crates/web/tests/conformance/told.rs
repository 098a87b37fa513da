//! What makers of clients are told when something does not fit, and what their libraries are let do all the same.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use octroi_oauth::jwt::{SigningAlgorithm, SigningKeyPair};
use serde_json::{Value, json};

use crate::{
    relying::{ASSERTION, CALLBACK, Prover, VERIFIER, World, parameter, request},
    support::Answer,
};

const OWN_NAME: (&str, &str) = ("grant_type", "client_credentials");

fn description(answer: &Answer) -> String {
    answer.json()["error_description"].as_str().unwrap_or_default().to_owned()
}

/// Nobody signed it: the algorithm alone is looked at.
fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode([0; 64]))
}

#[tokio::test]
async fn an_algorithm_that_is_not_taken_is_named() {
    let world = World::open().await;
    // FAPI 2.0 has no RS256; the keys are fetched, so that nobody could see it at registration.
    let key = SigningKeyPair::of(SigningAlgorithm::Rs256, "k", &SigningKeyPair::generate(SigningAlgorithm::Rs256).unwrap()).unwrap();
    let keys = json!({ "keys": [key.jwk()] }).to_string();
    world.web.there.lock().unwrap().insert("https://rp.example/jwks".to_owned(), keys);
    let rp = world
        .client(json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/jwks",
            "require_pushed_authorization_requests": true, "grant_types": ["client_credentials"], "redirect_uris": [],
        }))
        .await;
    let rs256 = key.sign("JWT", &world.assertion(&rp)).unwrap();
    let es512 = unsigned(&json!({ "alg": "ES512" }), &world.assertion(&rp));
    for (assertion, algorithm) in [(&rs256, "RS256"), (&es512, "ES512")] {
        let pairs = [OWN_NAME, ("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
        let refused = world.post("/oauth/token", &[], &pairs).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &json!("invalid_client")));
        let why = description(&refused);
        assert!(why.contains(&format!("the algorithm {algorithm} is not accepted; sign with ES256, ")), "{why}");
    }
    let rp = world.client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [], "scope": "read" })).await;
    let claims = json!({ "jti": "1", "htm": "POST", "htu": "https://x", "iat": 0 });
    let proof = unsigned(&json!({ "typ": "dpop+jwt", "alg": "ES512", "jwk": { "kty": "EC" } }), &claims);
    let refused = world.as_client(&rp, "/oauth/token", &[("dpop", &proof)], &[OWN_NAME]).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_dpop_proof")));
    assert!(description(&refused).contains("the algorithm ES512 is not accepted; sign with ES256, "), "{}", refused.text);
}

#[tokio::test]
async fn keys_that_can_never_sign_are_refused_where_somebody_reads_it() {
    let world = World::open().await;
    let point = "A".repeat(88);
    let unknown = json!({ "kty": "EC", "crv": "P-521", "alg": "ES512", "x": point, "y": point });
    let register = async |keys: Value, chosen: &str| {
        let metadata = json!({
            "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": keys },
            "token_endpoint_auth_signing_alg": chosen,
        });
        world.create(&json!({ "metadata": metadata })).await
    };
    let refused = register(json!([unknown]), "ES256").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["errors"][0]["pointer"]), (422, &json!("/metadata/jwks")), "{}", refused.text);
    let key = SigningKeyPair::of(SigningAlgorithm::Rs256, "k", &SigningKeyPair::generate(SigningAlgorithm::Rs256).unwrap()).unwrap();
    let rs256 = serde_json::to_value(key.jwk()).unwrap();
    assert_eq!(register(json!([unknown, rs256]), "RS256").await.status, 201, "one of them will do");
    let refused = register(json!([unknown, rs256]), "PS256").await;
    assert!(refused.status == 422 && refused.text.contains("one for PS256 is needed"), "{}", refused.text);
}

#[tokio::test]
async fn a_token_that_is_bound_says_what_it_wants() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let prover = Prover::new();
    let code = world.code(&rp, &[]).await;
    let proof = prover.prove(&world, "POST", "/oauth/token", None);
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let bound = world.as_client(&rp, "/oauth/token", &[("dpop", &proof)], &pairs).await.json();
    let refused = world.userinfo(bound["access_token"].as_str().unwrap()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &json!("invalid_token")));
    assert!(description(&refused).contains("bound to a key: send it as `Authorization: DPoP`"), "{}", refused.text);
    assert!(refused.headers["www-authenticate"].to_str().unwrap().contains("bound to a key"));
    let plain = world.tokens(&rp, &[]).await;
    let header = format!("DPoP {}", plain["access_token"].as_str().unwrap());
    let refused = world.house.send(axum::http::Method::GET, "/oauth/userinfo", &[("authorization", &header)], "").await;
    assert_eq!(refused.status, 401);
    assert!(description(&refused).contains("not bound to a key: send it as `Authorization: Bearer`"), "{}", refused.text);
}

/// The gateway's stages mean nothing to a relying party that mistyped its name.
#[tokio::test]
async fn a_mistyped_client_is_not_told_of_stages() {
    let world = World::open().await;
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let pairs = [OWN_NAME, ("token", "x"), ("client_id", "cantine"), ("client_secret", "x")];
        let refused = world.post(path, &[], &pairs).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &json!("invalid_client")), "{path}");
        assert!(!description(&refused).contains("stage"), "{path}: {}", refused.text);
    }
}

/// simple-oauth2 wants JSON of an answer that nobody has to read (RFC 7009 section 2.2).
#[tokio::test]
async fn a_revocation_is_answered_in_json() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let done = world.as_client(&rp, "/oauth/revoke", &[], &[("token", "unknown")]).await;
    assert_eq!(
        (done.status.as_u16(), &done.headers["content-type"], done.text.as_str()),
        (200, &"application/json".parse().unwrap(), "{}")
    );
}

/// A space too many in a file of settings cannot be seen: it is said.
#[tokio::test]
async fn a_space_too_many_is_said() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    for (scope, why) in [("openid  email", "scopes stand one space apart"), ("openid \"email\"", "`email` is no scope")] {
        let address = world.through(&world.alice, &request(&rp, &[("scope", scope)])).await;
        assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_scope"));
        assert!(parameter(&address, "error_description").unwrap().contains(why), "{address}");
    }
}

/// RFC 6750 section 3.1.
#[tokio::test]
async fn who_shows_no_token_is_not_told_that_it_is_wrong() {
    let world = World::open().await;
    let json = ("content-type", "application/json");
    let challenge = |answer: &Answer| answer.headers["www-authenticate"].to_str().unwrap().to_owned();
    for (method, path) in [("POST", "/oauth/register"), ("GET", "/oauth/register/sso_aaaaaaaaaaaaaaaaaaaaaa")] {
        let method: axum::http::Method = method.parse().unwrap();
        let nothing = world.house.send(method.clone(), path, &[json], "{}").await;
        assert_eq!((nothing.status.as_u16(), challenge(&nothing).as_str()), (401, "Bearer realm=\"octroi\""));
        let wrong = world.house.send(method, path, &[json, ("authorization", "Bearer x")], "{}").await;
        assert_eq!((wrong.status.as_u16(), challenge(&wrong).contains("error=\"invalid_token\"")), (401, true));
    }
}

/// Auth.js makes somebody's profile of the ID token alone.
#[tokio::test]
async fn what_the_scopes_give_stands_in_the_id_token_on_demand() {
    let world = World::open().await;
    let members = json!({ "claims_in_id_token": true, "grant_types": ["authorization_code", "refresh_token"] });
    let (usual, rp) = (world.client(json!({})).await, world.client(members).await);
    let scope = ("scope", "openid email profile organizations");
    let claims = world.claims(world.tokens(&usual, &[scope]).await["id_token"].as_str().unwrap()).await;
    assert!(claims.get("email").is_none() && claims.get("name").is_none(), "{claims}");
    let tokens = world.tokens(&rp, &[scope]).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let again = world.token(&rp, &refresh).await.json();
    for tokens in [&tokens, &again] {
        let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
        let claims = world.claims(tokens["id_token"].as_str().unwrap()).await;
        for (name, value) in told.as_object().unwrap() {
            assert_eq!(claims.get(name), Some(value), "{name}");
        }
        assert_eq!((&claims["email"], &claims["name"]), (&json!("alice@paris.example"), &json!("Alice Martin")));
        assert!(claims.get("siret").is_none(), "no scope gives it: {claims}");
    }
    let less = world.claims(world.tokens(&rp, &[("scope", "openid email")]).await["id_token"].as_str().unwrap()).await;
    assert!(less["email"].is_string() && less.get("name").is_none(), "{less}");
}
