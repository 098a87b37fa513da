//! Connections as the operator sets them up, by the REST API and by pages.

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    provider::{SECRET, World},
    support::{
        EMAIL, PASSWORD,
        browser::{Browser, main},
    },
};

async fn put(world: &World, path: &str, body: &Value) -> crate::support::Answer {
    let by = &world.operator;
    let headers = [("content-type", "application/json"), ("cookie", by.cookie.as_str()), ("x-csrf-token", by.csrf.as_str())];
    world.house.send(Method::PUT, path, &headers, body.to_string()).await
}

#[tokio::test]
async fn a_connection_by_the_rest_api() {
    let world = World::open(json!({})).await;
    let read = async |path: &str| world.house.send(Method::GET, path, &[("cookie", &world.operator.cookie)], "").await;
    let one = read("/api/v1/connections/idp").await;
    assert_eq!(one.status, 200, "{}", one.text);
    let view = one.json();
    assert_eq!(view["redirect_uri"], "http://localhost:3000/auth/idp/callback");
    assert_eq!((&view["has_secret"], &view["version"], &view["link_policy"]), (&json!(true), &json!(1), &json!("never")));
    assert!(!one.text.contains(SECRET) && !read("/api/v1/connections").await.text.contains(SECRET));
    let settings = json!({
        "name": { "fr": "A", "en": "B" }, "issuer": "https://idp.example", "client_id": "octroi", "link_policy": "verified_email",
        "scopes": ["email"],
    });
    let changed = put(&world, "/api/v1/connections/idp", &json!({ "settings": settings, "version": 1 })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!((&changed.json()["scopes"], &changed.json()["has_secret"]), (&json!(["openid", "email"]), &json!(true)));
    put(&world, "/api/v1/connections/idp", &json!({ "settings": settings, "version": 1 })).await.problem(409, "stale_version");
    // The secret that one provider gave is not shown to another.
    let mut moved = settings.clone();
    moved["issuer"] = json!("https://evil.example");
    let answer = put(&world, "/api/v1/connections/idp", &json!({ "settings": moved })).await;
    assert!(answer.status == 422 && answer.text.contains("/client_secret"), "{}", answer.text);
    world.connect("idp", json!({})).await.problem(409, "already_exists");
    for (changes, pointer) in [
        (json!({ "name": { "fr": "", "en": "B" } }), "/name"),
        (json!({ "client_secret": null }), "/client_secret"),
        (json!({ "client_secret": "court" }), "/client_secret"),
        (json!({ "client_id": "" }), "/client_id"),
        (json!({ "scopes": ["a b"] }), "/scopes"),
        (json!({ "purpose": { "product": { "front": "http://product.example" } } }), "/purpose/product/front"),
        (
            json!({ "purpose": { "product": { "front": "https://product.example", "hand_off": "query_legacy" } } }),
            "/purpose/product/query_legacy_allowed",
        ),
    ] {
        let answer = world.connect("bad", changes.clone()).await;
        assert!(answer.status == 422 && answer.text.contains(pointer), "{changes}: {}", answer.text);
    }
    // Nobody else, and evidence without the secret.
    assert_eq!(world.house.get("/api/v1/connections").await.status, 401);
    let ledger = read("/api/v1/ledger?subject=connection%3Aidp").await;
    assert!(ledger.text.contains("connection.created") && ledger.text.contains("connection.changed"), "{}", ledger.text);
    assert!(!ledger.text.contains(SECRET));
    let by = &world.operator;
    let headers = [("cookie", by.cookie.as_str()), ("x-csrf-token", by.csrf.as_str())];
    assert_eq!(world.house.send(Method::DELETE, "/api/v1/connections/idp", &headers, "").await.status, 204);
    assert_eq!(read("/api/v1/connections/idp").await.status, 404);
}

#[tokio::test]
async fn our_key_is_published_where_we_sign() {
    let world = World::open(json!({ "client_auth": "private_key_jwt", "client_secret": null })).await;
    let keys = world.house.get("/auth/idp/jwks").await;
    assert_eq!((keys.status.as_u16(), keys.json()["keys"][0]["kty"].as_str().unwrap()), (200, "EC"));
    assert!(!keys.text.contains("\"d\""));
    let (ada, _) = world.come().await;
    assert_eq!(ada.leads_to(), "/dashboard");
    let seen = world.provider.seen.lock().unwrap();
    let form = format!("?{}", seen[0].2.as_deref().unwrap());
    let sent = crate::provider::parameter(&form, "client_assertion").unwrap();
    let set = serde_json::from_value(keys.json()).unwrap();
    let expected = octroi_oauth::client_assertion::Expected {
        client_id: "octroi",
        issuer: "https://idp.example",
        addresses: &[],
        now: world.house.now().seconds(),
    };
    octroi_oauth::client_assertion::check(&sent, &set, &octroi_oauth::foreign::FAPI, expected).unwrap();
}

#[tokio::test]
async fn a_connection_by_pages() {
    let world = World::open(json!({ "link_policy": "admin" })).await;
    let mut odile = Browser::at(&world.house);
    odile.sign_in(EMAIL, PASSWORD).await;
    assert!(odile.get("/operator/connections").await.text.contains("AgentConnect"));
    odile.get("/operator/connections/new").await;
    let typed = [
        ("slug", "pc"),
        ("name_fr", "ProConnect"),
        ("name_en", ""),
        ("issuer", "https://fca.example/api/v2"),
        ("client_id", "abc"),
        ("client_secret", "un secret reçu"),
        ("client_auth", "secret_post"),
        ("scopes", "openid email siret"),
        ("link_policy", "verified_email"),
        ("purpose", "portal"),
        ("trusts_organizations", "true"),
        ("active", "true"),
    ];
    let wrong = odile.post("/operator/connections/new", &typed).await;
    assert_eq!(wrong.status, 422);
    let inside = main(&wrong.text);
    assert!(inside.contains("value=\"https://fca.example/api/v2\"") && !inside.contains("un secret"), "{inside}");
    let mut typed = typed;
    typed[2] = ("name_en", "ProConnect");
    let page = odile.send("/operator/connections/new", &typed).await;
    assert!(page.text.contains("/auth/pc/callback") && !page.text.contains("un secret"), "{}", main(&page.text));
    odile.get("/operator/connections/pc/edit").await;
    let typed: Vec<_> = typed.into_iter().filter(|(name, _)| !["slug", "client_secret", "active"].contains(name)).collect();
    let page = odile.send("/operator/connections/pc/edit", &typed).await;
    assert!(page.text.contains("Stopped"), "{}", main(&page.text));
    assert_eq!(odile.get("/auth/pc/login").await.status, 404);
    assert!(odile.get("/operator/connections/pc/delete").await.text.contains("will not open this portal"));
    odile.send("/operator/connections/pc/delete", &[]).await;
    assert_eq!(odile.get("/operator/connections/pc").await.status, 404);
    assert!(odile.get("/operator/connections/idp").await.text.contains("No request waits"));
}
