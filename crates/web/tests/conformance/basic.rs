//! What the modules of the OpenID conformance suite assert of a provider, plan `oidcc-basic-certification-test-plan` and
//! `oidcc-config-certification-test-plan`: one test for each module, under its name.

use axum::http::Method;
use serde_json::json;

use crate::{
    relying::{self, CALLBACK, World, encoded, location, parameter, request},
    support::PUBLIC,
};

#[tokio::test]
async fn oidcc_server() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]), (&json!("Bearer"), &json!(3600), &json!("openid email")));
    assert_eq!(tokens.get("refresh_token"), None, "the client did not register the grant type");
    let claims = world.claims(tokens["id_token"].as_str().unwrap()).await;
    let now = world.house.now().seconds();
    for (name, expected) in [
        ("iss", json!(PUBLIC)),
        ("aud", json!(rp.id)),
        ("sub", json!(world.alice_id)),
        ("nonce", json!("nonce-1")),
        ("iat", json!(now)),
        ("exp", json!(now + 600)),
        ("auth_time", json!(now)),
        ("acr", json!("eidas1")),
        ("amr", json!(["pwd"])),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    assert_eq!(claims.get("email"), None, "in the code flow, scopes are for userinfo");
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let address = world.through(&world.alice, &request(&rp, &[("response_type", "")])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_request"));
    assert_eq!((parameter(&address, "state").as_deref(), parameter(&address, "iss").as_deref()), (Some("state-1"), Some(PUBLIC)));
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let world = World::open().await;
    for (algorithm, hash) in [("ES256", 22), ("RS256", 22), ("EdDSA", 43)] {
        let rp = world.client(json!({ "id_token_signed_response_alg": algorithm })).await;
        let tokens = world.tokens(&rp, &[]).await;
        let token = tokens["id_token"].as_str().unwrap();
        let header = octroi_oauth::foreign::header(token).unwrap();
        assert_eq!(format!("{:?}", header.alg), algorithm);
        let named = world.jwks().await.keys.iter().any(|key| key.common.key_id == header.kid);
        assert!(named, "its key is published under its kid");
        assert_eq!(world.claims(token).await["at_hash"].as_str().unwrap().len(), hash);
    }
}

#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let world = World::open().await;
    let metadata = json!({ "redirect_uris": [CALLBACK], "id_token_signed_response_alg": "none" });
    let refused = world.create(&json!({ "metadata": metadata })).await;
    assert_eq!(refused.problem(422, "invalid")["errors"][0]["pointer"], "/metadata/id_token_signed_response_alg");
}

#[tokio::test]
async fn oidcc_userinfo_get() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(told.headers["content-type"], "application/json");
    assert_eq!(told.json()["sub"], json!(world.alice_id));
    assert_eq!(told.json()["email"], "alice@paris.example");
    assert_eq!(told.json().get("given_name"), None, "no scope asked for it");
}

#[tokio::test]
async fn oidcc_userinfo_post_header() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let told = world.post("/oauth/userinfo", &[("authorization", &bearer)], &[]).await;
    assert_eq!((told.status.as_u16(), &told.json()["sub"]), (200, &json!(world.alice_id)));
}

#[tokio::test]
async fn oidcc_userinfo_post_body() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let told = world.post("/oauth/userinfo", &[], &[("access_token", token)]).await;
    assert_eq!((told.status.as_u16(), &told.json()["sub"]), (200, &json!(world.alice_id)));
    let twice = world.post("/oauth/userinfo", &[("authorization", &format!("Bearer {token}"))], &[("access_token", token)]).await;
    assert_eq!(twice.status, 400);
    let address = world.house.get(&format!("/oauth/userinfo?access_token={token}")).await;
    assert_eq!((address.status.as_u16(), &address.json()["error"]), (400, &json!("invalid_request")));
    let nothing = world.house.get("/oauth/userinfo").await;
    let challenge = nothing.headers["www-authenticate"].to_str().unwrap();
    assert!(nothing.status == 401 && challenge.starts_with("Bearer realm=\"octroi\"") && !challenge.contains("error"), "{challenge}");
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("nonce", "")]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await.get("nonce"), None);
}

#[tokio::test]
async fn oidcc_scope_profile() {
    let world = World::open().await;
    let told = scope(&world, "openid profile").await;
    let expected = ("Alice Martin", "Alice", "Martin", "fr");
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    assert_eq!((&*text("name"), &*text("given_name"), &*text("family_name"), &*text("locale")), expected);
    assert!(told["updated_at"].is_i64() && told.get("email").is_none(), "{told}");
}

#[tokio::test]
async fn oidcc_scope_email() {
    let world = World::open().await;
    let told = scope(&world, "openid email").await;
    assert!(told["email"].is_string() && told["email_verified"].is_boolean() && told.get("name").is_none(), "{told}");
}

#[tokio::test]
async fn oidcc_scope_address() {
    let world = World::open().await;
    assert_eq!(scope(&world, "openid address").await, json!({ "sub": world.alice_id }), "accepted; nothing is known");
}

#[tokio::test]
async fn oidcc_scope_phone() {
    let world = World::open().await;
    assert_eq!(scope(&world, "openid phone").await, json!({ "sub": world.alice_id }), "accepted; nothing is known");
}

#[tokio::test]
async fn oidcc_scope_all() {
    let world = World::open().await;
    let told = scope(&world, "openid profile email address phone").await;
    assert!(told["name"].is_string() && told["email"].is_string(), "{told}");
}

async fn scope(world: &World, scope: &str) -> serde_json::Value {
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("scope", scope)]).await;
    assert_eq!(tokens["scope"], scope);
    world.userinfo(tokens["access_token"].as_str().unwrap()).await.json()
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let world = World::open().await;
    let rp = world.client(json!({ "redirect_uris": [CALLBACK, "https://rp.example/cb?a=b"] })).await;
    let address = world.through(&world.alice, &request(&rp, &[("redirect_uri", "https://rp.example/cb?a=b")])).await;
    assert!(address.starts_with("https://rp.example/cb?a=b&code=") && parameter(&address, "state").is_some(), "{address}");
}

#[tokio::test]
async fn oidcc_display_page() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.code(&rp, &[("display", "page")]).await;
}

#[tokio::test]
async fn oidcc_display_popup() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.code(&rp, &[("display", "popup")]).await;
}

#[tokio::test]
async fn oidcc_prompt_login() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let first = world.tokens(&rp, &[]).await;
    world.house.wait(5);
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "login")])).await);
    let again = location(&world.get(&asked, &world.alice).await);
    assert!(again.starts_with("/sign-in/again?return_to=%2Foauth%2Fauthorize%2F"), "{again}");
    let fresh = world.sign_in("alice@paris.example").await;
    let address = world.onward(&fresh, asked).await;
    let tokens = world.exchange(&rp, &parameter(&address, "code").unwrap()).await.json();
    let time = async |tokens: &serde_json::Value| world.claims(tokens["id_token"].as_str().unwrap()).await["auth_time"].as_i64().unwrap();
    assert_eq!(time(&tokens).await - time(&first).await, 5);
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let address = world.through("", &request(&rp, &[("prompt", "none")])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let silent = request(&rp, &[("prompt", "none")]);
    let address = world.through(&world.alice, &silent).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("consent_required"));
    let first = world.tokens(&rp, &[]).await;
    let answer = world.authorize(&world.alice, &silent).await;
    let address = location(&answer);
    assert!(address.starts_with(CALLBACK), "nothing is asked, and nothing is in between: {address}");
    let second = world.exchange(&rp, &parameter(&address, "code").unwrap()).await.json();
    let claims = [world.claims(first["id_token"].as_str().unwrap()).await, world.claims(second["id_token"].as_str().unwrap()).await];
    assert_eq!((&claims[0]["sub"], &claims[0]["auth_time"]), (&claims[1]["sub"], &claims[1]["auth_time"]));
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.tokens(&rp, &[]).await;
    world.house.wait(2);
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("max_age", "1")])).await);
    assert!(location(&world.get(&asked, &world.alice).await).starts_with("/sign-in/again?"));
    let fresh = world.sign_in("alice@paris.example").await;
    let address = world.onward(&fresh, asked).await;
    let tokens = world.exchange(&rp, &parameter(&address, "code").unwrap()).await.json();
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["auth_time"], world.house.now().seconds());
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.tokens(&rp, &[]).await;
    let signed_in = world.house.now().seconds();
    world.house.wait(30);
    let tokens = world.tokens(&rp, &[("max_age", "10000")]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["auth_time"], signed_in);
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.code(&rp, &[("extra", "foobar")]).await;
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let address = world.through(&world.alice, &request(&rp, &[("prompt", "none"), ("id_token_hint", hint)])).await;
    assert!(parameter(&address, "code").is_some(), "{address}");
    let other = world.operator_cookie().await;
    let address = world.through(&other, &request(&rp, &[("prompt", "none"), ("id_token_hint", hint)])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("login_required"), "another person is signed in");
}

#[tokio::test]
async fn oidcc_login_hint() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let asked = location(&world.authorize("", &request(&rp, &[("login_hint", "alice@paris.example")])).await);
    let sign_in = location(&world.get(&asked, "").await);
    assert!(sign_in.starts_with("/sign-in?return_to=") && sign_in.ends_with("&login_hint=alice%40paris.example"), "{sign_in}");
}

#[tokio::test]
async fn oidcc_ui_locales() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let asked = world.authorize(&world.alice, &request(&rp, &[("ui_locales", "se fr en")])).await;
    assert!(asked.headers["set-cookie"].to_str().unwrap().starts_with("octroi_lang=fr;"));
    world.code(&rp, &[("ui_locales", "se")]).await;
}

#[tokio::test]
async fn oidcc_claims_locales() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.code(&rp, &[("claims_locales", "se")]).await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("acr_values", "eidas0 unknown:level")]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["acr"], "eidas0", "what was asked for, where more is there");
}

#[tokio::test]
async fn oidcc_codereuse() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let code = world.code(&rp, &[]).await;
    let first = world.exchange(&rp, &code).await.json();
    let again = world.exchange(&rp, &code).await;
    assert_eq!((again.status.as_u16(), &again.json()["error"]), (400, &json!("invalid_grant")));
    let ended = world.userinfo(first["access_token"].as_str().unwrap()).await;
    assert_eq!((ended.status.as_u16(), &ended.json()["error"]), (401, &json!("invalid_token")), "what the code gave ends");
}

#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let code = world.code(&rp, &[]).await;
    let first = world.exchange(&rp, &code).await.json();
    world.house.wait(30);
    assert_eq!(world.userinfo(first["access_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(world.exchange(&rp, &code).await.json()["error"], "invalid_grant");
    assert_eq!(world.userinfo(first["access_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let page = world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "https://rp.example/other")])).await;
    assert_eq!(page.status, 400);
    assert!(!page.headers.contains_key("location") && page.text.contains("<h1>"), "a page, and no way there");
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    // From the client's own page: another origin, and without the cookie.
    let posted =
        world.post("/oauth/authorize", &[("origin", "https://rp.example"), ("sec-fetch-site", "cross-site")], &request(&rp, &[])).await;
    let place = location(&posted);
    let asked = location(&world.get(&place, &world.alice).await);
    let address = world.onward(&world.alice, asked).await;
    assert_eq!(world.exchange(&rp, &parameter(&address, "code").unwrap()).await.status, 200);
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let world = World::open().await;
    let rp = world.client(json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let exchange = [("grant_type", "authorization_code"), ("redirect_uri", CALLBACK), ("code_verifier", relying::VERIFIER)];
    let code = world.code(&rp, &[]).await;
    let mut pairs = exchange.to_vec();
    pairs.extend([("code", code.as_str()), ("client_id", &rp.id), ("client_secret", &rp.secret)]);
    let answer = world.post("/oauth/token", &[], &pairs).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let code = world.code(&rp, &[]).await;
    let mut pairs = exchange.to_vec();
    pairs.extend([("code", code.as_str()), ("client_id", &rp.id), ("client_secret", "another")]);
    assert_eq!(world.post("/oauth/token", &[], &pairs).await.status, 401);
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let address = world.through(&world.alice, &request(&rp, &[("request_uri", "https://rp.example/request.jwt")])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("request_uri_not_supported"));
}

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let address = world.through(&world.alice, &request(&rp, &[("request", "eyJhbGciOiJub25lIn0.e30.")])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("request_not_supported"));
}

#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let page = world.authorize(&world.alice, &request(&rp, &[("request", "eyJhbGciOiJub25lIn0.e30."), ("redirect_uri", "")])).await;
    assert_eq!(page.status, 400, "without an address outside it, there is nowhere to go");
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let claims = r#"{"userinfo":{"name":{"essential":true}},"id_token":{"email":null,"auth_time":{"essential":true}}}"#;
    let tokens = world.tokens(&rp, &[("scope", "openid"), ("claims", claims)]).await;
    let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(told, json!({ "sub": world.alice_id, "name": "Alice Martin" }));
    let token = world.claims(tokens["id_token"].as_str().unwrap()).await;
    assert!(token["email"] == "alice@paris.example" && token["auth_time"].is_i64(), "{token}");
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let first = world.tokens(&rp, &[("scope", "openid offline_access"), ("prompt", "consent")]).await;
    world.house.wait(1);
    let refresh = first["refresh_token"].as_str().unwrap();
    let second = world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let second = second.json();
    assert!(second["refresh_token"].is_string() && second["access_token"] != first["access_token"]);
    let claims = [world.claims(first["id_token"].as_str().unwrap()).await, world.claims(second["id_token"].as_str().unwrap()).await];
    for name in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(claims[0][name], claims[1][name], "{name}");
    }
    assert_ne!(claims[0]["iat"], claims[1]["iat"]);
    // Another client's.
    let other = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let stolen = second["refresh_token"].as_str().unwrap();
    assert_eq!(world.token(&other, &[("grant_type", "refresh_token"), ("refresh_token", stolen)]).await.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let code = world.code(&rp, &[]).await;
    assert_eq!(world.exchange(&rp, &code).await.status, 200);
    // A confidential client may leave it out.
    let code = world.code(&rp, &[("code_challenge", ""), ("code_challenge_method", "")]).await;
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    assert_eq!(world.token(&rp, &pairs).await.status, 200);
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let world = World::open().await;
    let found = world.house.get("/.well-known/openid-configuration").await;
    assert_eq!((found.status.as_u16(), &found.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    assert_eq!(found.headers["access-control-allow-origin"], "*");
    let found = found.json();
    assert_eq!(found["issuer"], PUBLIC);
    for (name, value) in found.as_object().unwrap() {
        if let Some(path) = value.as_str().and_then(|text| text.strip_prefix(PUBLIC)).filter(|path| !path.is_empty()) {
            let there = world.house.send(Method::HEAD, path, &[], "").await.status;
            assert_ne!(there, 404, "{name}: {path}");
        }
    }
    for (name, wanted) in [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("code_challenge_methods_supported", "S256"),
        ("scopes_supported", "openid"),
        ("claims_supported", "email"),
    ] {
        assert!(found[name].as_array().unwrap().iter().any(|value| value == wanted), "{name}: {wanted}");
    }
    assert_eq!(world.house.get("/.well-known/oauth-authorization-server").await.json(), found);
    assert!(world.jwks().await.keys.iter().all(|key| key.common.key_id.is_some()));
    assert_eq!(encoded(&[("a", "b c")]), "a=b+c");
}
