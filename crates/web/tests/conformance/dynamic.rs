//! `oidcc-dynamic-certification-test-plan`: clients that register themselves.

use axum::http::Method;
use octroi_oauth::jwt::{SigningAlgorithm, SigningKeyPair};
use serde_json::{Value, json};

use crate::{
    relying::{CALLBACK, Rp, World, location, parameter, request},
    support::{Answer, PUBLIC},
};

async fn permission(world: &World, uses: u32) -> String {
    let body = json!({ "label": "suite", "uses": uses });
    let made = world.house.post(&world.operator, "/api/v1/initial-access-tokens", &[], &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["token"].as_str().unwrap().to_owned()
}

async fn send(world: &World, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let text = if body.is_null() { String::new() } else { body.to_string() };
    world.house.send(method, path, &[("authorization", &bearer), ("content-type", "application/json")], text).await
}

async fn register(world: &World, members: Value) -> Answer {
    let token = permission(world, 1).await;
    let mut body = json!({ "redirect_uris": [CALLBACK], "client_name": "Suite" });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    send(world, Method::POST, "/oauth/register", &token, &body).await
}

async fn registered(world: &World, members: Value) -> (Rp, Value) {
    let made = register(world, members).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    (Rp { id: text("client_id"), secret: text("client_secret"), key: None }, made)
}

#[tokio::test]
async fn oidcc_server() {
    let world = World::open().await;
    let (rp, made) = registered(&world, json!({})).await;
    assert_eq!((&made["client_secret_expires_at"], &made["token_endpoint_auth_method"]), (&json!(0), &json!("client_secret_basic")));
    assert_eq!(made["registration_client_uri"], format!("{PUBLIC}/oauth/register/{}", rp.id));
    let tokens = world.tokens(&rp, &[]).await;
    assert!(tokens["id_token"].is_string());
}

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({ "id_token_signed_response_alg": "RS256" })).await;
    let tokens = world.tokens(&rp, &[]).await;
    let header = octroi_oauth::foreign::header(tokens["id_token"].as_str().unwrap()).unwrap();
    assert_eq!(format!("{:?}", header.alg), "RS256");
}

#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let world = World::open().await;
    let refused = register(&world, json!({ "id_token_signed_response_alg": "none" })).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_client_metadata")));
}

#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({ "userinfo_signed_response_alg": "RS256" })).await;
    let tokens = world.tokens(&rp, &[]).await;
    let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(told.headers["content-type"], "application/jwt");
    let claims = world.claims(&told.text).await;
    let now = world.house.now().seconds();
    let essential = (&claims["iss"], &claims["aud"], &claims["iat"], &claims["exp"], &claims["sub"]);
    assert_eq!(essential, (&json!(PUBLIC), &json!(rp.id), &json!(now), &json!(now + 600), &json!(world.alice_id)));
    assert_eq!(claims["email"], "alice@paris.example");
}

#[tokio::test]
async fn oidcc_ensure_redirect_uri_in_authorization_request() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({})).await;
    let page = world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "")])).await;
    assert!(page.status == 400 && !page.headers.contains_key("location"));
}

#[tokio::test]
async fn oidcc_redirect_uri_query_ok() {
    let world = World::open().await;
    let with_query = format!("{CALLBACK}?foo=bar");
    let (rp, _) = registered(&world, json!({ "redirect_uris": [with_query] })).await;
    let address = world.through(&world.alice, &request(&rp, &[("redirect_uri", &with_query)])).await;
    assert!(parameter(&address, "foo").as_deref() == Some("bar") && parameter(&address, "code").is_some(), "{address}");
}

#[tokio::test]
async fn oidcc_redirect_uri_query_mismatch() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({ "redirect_uris": [format!("{CALLBACK}?foo=bar")] })).await;
    assert_eq!(world.authorize(&world.alice, &request(&rp, &[("redirect_uri", &format!("{CALLBACK}?bar=foo"))])).await.status, 400);
}

#[tokio::test]
async fn oidcc_redirect_uri_query_added() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({})).await;
    assert_eq!(world.authorize(&world.alice, &request(&rp, &[("redirect_uri", &format!("{CALLBACK}?foo=bar"))])).await.status, 400);
}

#[tokio::test]
async fn oidcc_redirect_uri_regfrag() {
    let world = World::open().await;
    let refused = register(&world, json!({ "redirect_uris": [format!("{CALLBACK}#foobar")] })).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_redirect_uri")));
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let world = World::open().await;
    assert_eq!(
        world.house.get("/.well-known/openid-configuration").await.json()["registration_endpoint"],
        format!("{PUBLIC}/oauth/register")
    );
}

/// What a client says of itself, on the page that asks whether one agrees.
async fn consent(world: &World, members: Value) -> Answer {
    let (rp, _) = registered(world, members).await;
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[])).await);
    world.get(&asked, &world.alice).await
}

/// The suite's tester looks for the picture. Here it is not loaded: no page of ours loads anything of another site.
#[tokio::test]
async fn oidcc_registration_logo_uri() {
    let world = World::open().await;
    let page = consent(&world, json!({ "logo_uri": "https://rp.example/logo.png" })).await;
    assert!(page.text.contains("Suite") && !page.text.contains("logo.png"));
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("img-src 'self'"));
    assert_eq!(world.web.asked.lock().unwrap().len(), 0, "nor fetched by us");
}

#[tokio::test]
async fn oidcc_registration_policy_uri() {
    let world = World::open().await;
    assert!(consent(&world, json!({ "policy_uri": "https://rp.example/policy" })).await.text.contains("https://rp.example/policy"));
}

#[tokio::test]
async fn oidcc_registration_tos_uri() {
    let world = World::open().await;
    assert!(consent(&world, json!({ "tos_uri": "https://rp.example/tos" })).await.text.contains("https://rp.example/tos"));
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let first = world.tokens(&rp, &[]).await;
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    let second = world.token(&rp, &refresh).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let (before, after) =
        (world.claims(first["id_token"].as_str().unwrap()).await, world.claims(second.json()["id_token"].as_str().unwrap()).await);
    assert_eq!((&before["sub"], &before["aud"]), (&after["sub"], &after["aud"]));
}

/// No request object is read, and none takes the place of what stands outside.
#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({})).await;
    let address = world.through(&world.alice, &request(&rp, &[("request", "eyJhbGciOiJub25lIn0.e30.")])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("request_not_supported"));
}

#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let world = World::open().await;
    let signing = world.signing_client(json!({})).await;
    let keys = json!({ "keys": [signing.key.as_ref().unwrap().jwk()] });
    world.web.there.lock().unwrap().insert("https://rp.example/jwks".to_owned(), keys.to_string());
    let (rp, _) =
        registered(&world, json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/jwks" })).await;
    let rp = Rp { key: signing.key, ..rp };
    world.tokens(&rp, &[]).await;
}

#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let world = World::open().await;
    let sector = "https://sector.example/uris.json";
    world.web.there.lock().unwrap().insert(sector.to_owned(), json!([CALLBACK, "https://second.example/cb"]).to_string());
    let pairwise = |uris: &[&str]| json!({ "subject_type": "pairwise", "sector_identifier_uri": sector, "redirect_uris": uris });
    let (one, _) = registered(&world, pairwise(&[CALLBACK])).await;
    let (two, _) = registered(&world, pairwise(&[CALLBACK, "https://second.example/cb"])).await;
    let (alone, _) = registered(&world, json!({ "subject_type": "pairwise" })).await;
    let subject = async |rp: &Rp| world.claims(world.tokens(rp, &[]).await["id_token"].as_str().unwrap()).await["sub"].clone();
    assert_eq!(subject(&one).await, subject(&two).await, "one sector knows one subject");
    assert_ne!(subject(&one).await, subject(&alone).await);
    assert_ne!(subject(&one).await, json!(world.alice_id));
}

#[tokio::test]
async fn oidcc_registration_sector_bad() {
    let world = World::open().await;
    let sector = "https://sector.example/uris.json";
    world.web.there.lock().unwrap().insert(sector.to_owned(), json!(["https://other.example/cb"]).to_string());
    let refused = register(&world, json!({ "subject_type": "pairwise", "sector_identifier_uri": sector })).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_client_metadata")));
}

#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let world = World::open().await;
    let (rp, _) = registered(&world, json!({})).await;
    let before = world.tokens(&rp, &[]).await;
    world.house.app.rotate_sign_on_keys(world.house.now()).await.unwrap();
    let after = world.tokens(&rp, &[]).await;
    let kid = |tokens: &Value| octroi_oauth::foreign::header(tokens["id_token"].as_str().unwrap()).unwrap().kid;
    assert_ne!(kid(&before), kid(&after));
    // Nothing that was signed before fails, here or at the client.
    assert_eq!(world.userinfo(before["access_token"].as_str().unwrap()).await.status, 200);
    for tokens in [&before, &after] {
        world.claims(tokens["id_token"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn oidcc_refresh_token_rp_key_rotation() {
    let world = World::open().await;
    let first = world.signing_client(json!({})).await;
    let second = world.signing_client(json!({})).await;
    let publish = |rp: &Rp| {
        let keys = json!({ "keys": [rp.key.as_ref().unwrap().jwk()] });
        world.web.there.lock().unwrap().insert("https://rp.example/jwks".to_owned(), keys.to_string());
    };
    publish(&first);
    let members = json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/jwks", "grant_types": ["authorization_code", "refresh_token"],
    });
    let (rp, _) = registered(&world, members).await;
    let tokens = world.tokens(&Rp { id: rp.id.clone(), secret: String::new(), key: first.key }, &[]).await;
    publish(&second);
    let rotated = Rp { id: rp.id, secret: String::new(), key: second.key };
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    // At once; that a stranger cannot make us ask all day is in strict.rs.
    assert_eq!(world.token(&rotated, &refresh).await.status, 200);
}

#[tokio::test]
async fn oidcc_ensure_client_assertion_with_iss_aud_succeeds() {
    let world = World::open().await;
    let key = world.signing_client(json!({})).await.key;
    let members = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.as_ref().unwrap().jwk()] } });
    let (rp, _) = registered(&world, members).await;
    let rp = Rp { key, ..rp };
    assert_eq!(world.assertion(&rp)["aud"], PUBLIC, "the issuer, and not the token endpoint");
    world.tokens(&rp, &[]).await;
}

/// RFC 7591 section 3, RFC 7592: nobody registers without a permission, and it is used up; a registration is changed by its
/// own token alone.
#[tokio::test]
async fn registering_needs_a_permission() {
    let world = World::open().await;
    let body = json!({ "redirect_uris": [CALLBACK] });
    let headers = [("content-type", "application/json")];
    let nobody = world.house.send(Method::POST, "/oauth/register", &headers, body.to_string()).await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["error"]), (401, &json!("invalid_token")));
    let token = permission(&world, 1).await;
    let bad = send(&world, Method::POST, "/oauth/register", &token, &json!({})).await;
    assert_eq!((bad.status.as_u16(), &bad.json()["error"]), (400, &json!("invalid_redirect_uri")));
    let made = send(&world, Method::POST, "/oauth/register", &token, &body).await;
    assert_eq!(made.status, 201, "a refusal does not use it up: {}", made.text);
    assert_eq!(send(&world, Method::POST, "/oauth/register", &token, &body).await.status, 401, "it was for one client");
    let expired = permission(&world, 5).await;
    world.house.wait(31 * 86_400);
    assert_eq!(send(&world, Method::POST, "/oauth/register", &expired, &body).await.status, 401);

    let made = made.json();
    let path = format!("/oauth/register/{}", made["client_id"].as_str().unwrap());
    let own = made["registration_access_token"].as_str().unwrap();
    let read = send(&world, Method::GET, &path, own, &Value::Null).await.json();
    assert_eq!((&read["client_id"], read.get("client_secret")), (&made["client_id"], None));
    assert_eq!(send(&world, Method::GET, &path, &token, &Value::Null).await.status, 401);
    let elsewhere = json!({ "redirect_uris": ["https://rp.example/new"], "client_id": made["client_id"] });
    assert_eq!(send(&world, Method::PUT, &path, own, &json!({ "redirect_uris": [CALLBACK], "client_id": "sso_x" })).await.status, 400);
    let changed = send(&world, Method::PUT, &path, own, &elsewhere).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["redirect_uris"]), (200, &json!(["https://rp.example/new"])));
    assert_eq!(send(&world, Method::DELETE, &path, own, &Value::Null).await.status, 204);
    assert_eq!(send(&world, Method::GET, &path, own, &Value::Null).await.status, 401);
}

/// What an operator trusted is what they saw: a client that sends people's data elsewhere, or wants more of it, asks them again.
#[tokio::test]
async fn a_client_that_changes_itself_is_no_longer_first_party() {
    let world = World::open().await;
    let new_key = || {
        serde_json::to_value(SigningKeyPair::from_pkcs8("k", &SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap()).unwrap().jwk())
            .unwrap()
    };
    let base = json!({
        "client_name": "Cantine", "redirect_uris": [CALLBACK], "scope": "openid email", "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [new_key()] },
    });
    for (changes, stays) in [
        (json!({ "jwks": { "keys": [new_key()] }, "contacts": ["a@rp.example"] }), true),
        (json!({ "scope": "openid" }), true),
        (json!({ "redirect_uris": ["https://other.example/cb"] }), false),
        (json!({ "scope": "openid email profile" }), false),
        (json!({ "scope": null }), false),
        (json!({ "client_name": "Autre" }), false),
    ] {
        let token = permission(&world, 1).await;
        let made = send(&world, Method::POST, "/oauth/register", &token, &base).await.json();
        let id = made["client_id"].as_str().unwrap();
        let path = format!("/api/v1/clients/{id}");
        let headers = [
            ("content-type", "application/json"),
            ("cookie", world.operator.cookie.as_str()),
            ("x-csrf-token", world.operator.csrf.as_str()),
        ];
        let trusted = json!({ "metadata": base, "first_party": true }).to_string();
        let answer = world.house.send(Method::PUT, &path, &headers, trusted).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["first_party"]), (200, &json!(true)), "{}", answer.text);
        let mut changed = base.clone();
        changed["client_id"] = json!(id);
        for (name, value) in changes.as_object().unwrap() {
            changed[name] = value.clone();
        }
        changed.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let own = made["registration_access_token"].as_str().unwrap();
        let answer = send(&world, Method::PUT, &format!("/oauth/register/{id}"), own, &changed).await;
        assert_eq!(answer.status, 200, "{changes}: {}", answer.text);
        let now = world.house.send(Method::GET, &path, &headers, "").await.json();
        assert_eq!(now["first_party"], json!(stays), "{changes}");
    }
}

/// RFC 6749 section 3.3: a scope has one word at least.
#[tokio::test]
async fn scopes_that_are_none_of_ours_leave_no_empty_scope() {
    let world = World::open().await;
    let made = register(&world, json!({ "scope": "read write" })).await;
    assert_eq!((made.status.as_u16(), made.json().get("scope")), (201, None), "{}", made.text);
    let made = register(&world, json!({ "scope": "read openid" })).await;
    assert_eq!(made.json()["scope"], "openid");
}
