//! Clients that show a certificate (RFC 8705), which the proxy in front hands on (RFC 9440).

use axum::http::Method;
use octroi_app::sign_on::settings::{Certificates, SignOnSettings};
use serde_json::{Value, json};

use crate::{
    relying::{CALLBACK, FORM, Rp, VERIFIER, World, encoded, request},
    support::{ADDRESS, Answer, PROXY},
};

/// Of `CN=cantine.rivebelle.example,O=Ville de Rivebelle,C=FR`; of another; and of the first, out of date.
const ONE: &str = "MIICIzCCAcigAwIBAgIBATAKBggqhkjOPQQDAjBOMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSIwIAYDVQQDDBljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlMCAXDTI1MDEwMTAwMDAwMFoYDzIxMjUwMTAxMDAwMDAwWjBOMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSIwIAYDVQQDDBljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEP3GGr+UbLKljiFwLLYHXqbK9eaQd2UJHyBUfqlKCV8bV1lOwfux+7pZEva453qNpgGyNKiUQkXFNm8pYEUpjXqOBlDCBkTBbBgNVHREEVDBSghljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlhhh1cm46ZnI6cml2ZWJlbGxlOmNhbnRpbmWHBMAAAgeBFWFwaUByaXZlYmVsbGUuZXhhbXBsZTATBgNVHSUEDDAKBggrBgEFBQcDAjAdBgNVHQ4EFgQUgm/MqGa8P4Cd8oet1j2y3t+sWu0wCgYIKoZIzj0EAwIDSQAwRgIhANNTUW5AYQXziSnKHG0OfdxTvheuZUAxt8TvOKi+GMigAiEA6vekDMYvo/6UYv61/efzXaJlzbEeWqNefCTb1Fdpdp0=";
const OTHER: &str = "MIIB4jCCAYmgAwIBAgIBATAKBggqhkjOPQQDAjBMMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSAwHgYDVQQDDBdvdGhlci5yaXZlYmVsbGUuZXhhbXBsZTAgFw0yNTAxMDEwMDAwMDBaGA8yMTI1MDEwMTAwMDAwMFowTDELMAkGA1UEBhMCRlIxGzAZBgNVBAoMElZpbGxlIGRlIFJpdmViZWxsZTEgMB4GA1UEAwwXb3RoZXIucml2ZWJlbGxlLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASRmNTOYJUUx8c73s/w1iksPAiY/9xWSrZ3b+E831JqMUYPiR5U8d+jzUi/dAWh6dfN3uUNRDZiyokO5c/2gODEo1owWDAiBgNVHREEGzAZghdvdGhlci5yaXZlYmVsbGUuZXhhbXBsZTATBgNVHSUEDDAKBggrBgEFBQcDAjAdBgNVHQ4EFgQUbaj1NAfTYmwX4ZZG7jE6pG0jdmIwCgYIKoZIzj0EAwIDRwAwRAIgfWIpfz5fVsVj4Mu13/g/yh4o1SNbeywlWQOAV2Fg1TQCIGHglUav/EeJ9nEwQK5WxwUXf5Kr4JUHmtQEl9qvDtfw";
const OLD: &str = "MIIB5zCCAY2gAwIBAgIBATAKBggqhkjOPQQDAjBOMQswCQYDVQQGEwJGUjEbMBkGA1UECgwSVmlsbGUgZGUgUml2ZWJlbGxlMSIwIAYDVQQDDBljYW50aW5lLnJpdmViZWxsZS5leGFtcGxlMB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowTjELMAkGA1UEBhMCRlIxGzAZBgNVBAoMElZpbGxlIGRlIFJpdmViZWxsZTEiMCAGA1UEAwwZY2FudGluZS5yaXZlYmVsbGUuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPAMhzX7niQehIuwtZig/HgykP0YQQC/TZSDfTHBfwfEikd0pE3luI4rNORwTr1wuBXo+Epki8m9yMUd10Tv1WSjXDBaMCQGA1UdEQQdMBuCGWNhbnRpbmUucml2ZWJlbGxlLmV4YW1wbGUwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0OBBYEFNYuhWrV7YGNk76lUOdFm+hK1z0IMAoGCCqGSM49BAMCA0gAMEUCIQCsww/3wkvPhqNzh+eiTh6LCvcDmGVYW6ae0/vy+sxgVQIgFH1dz/BpfFailKfKiD8g68+fdphN3TiOpUQ39DW8X68=";
const NAME: &str = "CN=cantine.rivebelle.example,O=Ville de Rivebelle,C=FR";

async fn world(certificates: Certificates) -> World {
    World::settled(SignOnSettings { certificates, ..SignOnSettings::default() }).await
}

/// A client known by the subject of its certificate.
async fn client(world: &World, more: Value) -> Rp {
    let mut members = json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME,
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    });
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.client(members).await
}

/// Through the proxy, which says that this certificate was shown.
async fn with(world: &World, path: &str, certificate: Option<&str>, pairs: &[(&str, &str)]) -> Answer {
    let header = certificate.map(|text| format!(":{text}:"));
    let mut headers = vec![FORM, ("x-forwarded-for", "198.51.100.9")];
    headers.extend(header.as_deref().map(|text| ("client-cert", text)));
    world.house.send_from(PROXY, Method::POST, path, &headers, encoded(pairs)).await
}

async fn userinfo(world: &World, token: &str, certificate: Option<&str>) -> Answer {
    let header = certificate.map(|text| format!(":{text}:"));
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(header.as_deref().map(|text| ("client-cert", text)));
    world.house.send_from(PROXY, Method::GET, "/oauth/userinfo", &headers, "").await
}

#[track_caller]
fn check(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default()), (status, error), "{}", answer.text);
}

#[tokio::test]
async fn a_client_is_known_by_its_certificate() {
    let world = world(Certificates::Verified).await;
    let rp = client(&world, json!({})).await;
    let own = [("grant_type", "client_credentials"), ("client_id", rp.id.as_str())];
    assert_eq!(with(&world, "/oauth/token", Some(ONE), &own).await.status, 200);
    check(&with(&world, "/oauth/token", Some(OTHER), &own).await, 401, "invalid_client");
    check(&with(&world, "/oauth/token", Some(OLD), &own).await, 401, "invalid_client");
    check(&with(&world, "/oauth/token", None, &own).await, 401, "invalid_client");
    check(&with(&world, "/oauth/token", Some("AAAA"), &own).await, 400, "invalid_request");
    // Its certificate and nothing else: a secret would be another way.
    let mut two = own.to_vec();
    two.push(("client_secret", "x"));
    check(&with(&world, "/oauth/token", Some(ONE), &two).await, 401, "invalid_client");
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let pairs = [("token", "x"), ("client_id", rp.id.as_str())];
        assert_eq!(with(&world, path, Some(ONE), &pairs).await.status, 200, "{path}");
        check(&with(&world, path, None, &pairs).await, 401, "invalid_client");
    }
    assert_eq!(with(&world, "/oauth/par", Some(ONE), &request(&rp, &[])).await.status, 201);
}

/// Anybody can write a header; it counts from the proxy alone.
#[tokio::test]
async fn a_header_that_the_proxy_did_not_send_is_not_there() {
    let world = world(Certificates::Verified).await;
    let rp = client(&world, json!({})).await;
    let header = format!(":{ONE}:");
    let body = || encoded(&[("grant_type", "client_credentials"), ("client_id", &rp.id)]);
    for headers in [
        vec![FORM, ("client-cert", header.as_str())],
        vec![FORM, ("Client-Cert", header.as_str()), ("x-forwarded-for", "10.0.0.1")],
        vec![FORM, ("client-cert", header.as_str()), ("client-cert", header.as_str())],
    ] {
        check(&world.house.send_from(ADDRESS, Method::POST, "/oauth/token", &headers, body()).await, 401, "invalid_client");
    }
    // Twice, through the proxy: one of them is forged.
    let twice = [FORM, ("client-cert", header.as_str()), ("client-cert", header.as_str())];
    check(&world.house.send_from(PROXY, Method::POST, "/oauth/token", &twice, body()).await, 400, "invalid_request");
}

#[tokio::test]
async fn a_token_is_bound_to_the_certificate() {
    let world = world(Certificates::Verified).await;
    let rp = client(&world, json!({ "tls_client_certificate_bound_access_tokens": true })).await;
    let code = world.code(&rp, &[]).await;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", &rp.id),
    ];
    let tokens = with(&world, "/oauth/token", Some(ONE), &exchange).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let tokens = tokens.json();
    let token = tokens["access_token"].as_str().unwrap();
    let thumbprint = octroi_oauth::certificate::Certificate::from_header(&format!(":{ONE}:")).unwrap().thumbprint();
    assert_eq!((&tokens["token_type"], &world.claims(token).await["cnf"]), (&json!("Bearer"), &json!({ "x5t#S256": thumbprint })));
    assert_eq!(userinfo(&world, token, Some(ONE)).await.status, 200);
    check(&userinfo(&world, token, Some(OTHER)).await, 401, "invalid_token");
    check(&userinfo(&world, token, None).await, 401, "invalid_token");
    // Not through the proxy: the header is nobody's.
    let header = format!(":{ONE}:");
    let authorization = format!("Bearer {token}");
    let forged = [("authorization", authorization.as_str()), ("client-cert", header.as_str())];
    check(&world.house.send_from(ADDRESS, Method::GET, "/oauth/userinfo", &forged, "").await, 401, "invalid_token");
    let told = with(&world, "/oauth/introspect", Some(ONE), &[("token", token), ("client_id", &rp.id)]).await.json();
    assert_eq!((&told["active"], &told["cnf"]), (&json!(true), &json!({ "x5t#S256": thumbprint })));
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap()), ("client_id", &rp.id)];
    let again = with(&world, "/oauth/token", Some(ONE), &refresh).await.json();
    assert_eq!(world.claims(again["access_token"].as_str().unwrap()).await["cnf"], json!({ "x5t#S256": thumbprint }));
}

/// A client that proves itself otherwise may have its tokens bound all the same; a public one its refresh tokens too.
#[tokio::test]
async fn others_bind_their_tokens_too() {
    let world = world(Certificates::Any).await;
    let bound = json!({
        "token_endpoint_auth_method": "none", "tls_client_certificate_bound_access_tokens": true,
        "grant_types": ["authorization_code", "refresh_token"],
    });
    let rp = world.client(bound).await;
    let code = world.code(&rp, &[]).await;
    let exchange = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", &rp.id),
    ];
    check(&with(&world, "/oauth/token", None, &exchange).await, 400, "invalid_request");
    let tokens = with(&world, "/oauth/token", Some(ONE), &exchange).await.json();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap()), ("client_id", &rp.id)];
    check(&with(&world, "/oauth/token", Some(OTHER), &refresh).await, 400, "invalid_grant");
    assert_eq!(with(&world, "/oauth/token", Some(ONE), &refresh).await.status, 200);
}

/// Where the proxy takes any certificate, a name in it proves nothing: the certificate itself is registered.
#[tokio::test]
async fn self_signed_certificates_are_registered_whole() {
    let world = world(Certificates::Any).await;
    let named = json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME, "redirect_uris": [CALLBACK] });
    let refused = world.create(&json!({ "metadata": named })).await;
    refused.problem(422, "invalid");
    let key = |text: &str| {
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x5c": [text],
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] })
    };
    let members = json!({
        "token_endpoint_auth_method": "self_signed_tls_client_auth", "grant_types": ["client_credentials"], "redirect_uris": [],
    });
    let mut own = members.clone();
    own["jwks"] = key(ONE);
    let rp = world.client(own).await;
    let pairs = [("grant_type", "client_credentials"), ("client_id", rp.id.as_str())];
    assert_eq!(with(&world, "/oauth/token", Some(ONE), &pairs).await.status, 200);
    check(&with(&world, "/oauth/token", Some(OTHER), &pairs).await, 401, "invalid_client");
    check(&with(&world, "/oauth/token", None, &pairs).await, 401, "invalid_client");
    // From an address of the client's: a new certificate is found.
    let mut fetched = members;
    fetched["jwks_uri"] = json!("https://rp.example/keys");
    let rp = world.client(fetched).await;
    world.web.there.lock().unwrap().insert("https://rp.example/keys".into(), key(OTHER).to_string());
    let pairs = [("grant_type", "client_credentials"), ("client_id", rp.id.as_str())];
    assert_eq!(with(&world, "/oauth/token", Some(OTHER), &pairs).await.status, 200);
    check(&with(&world, "/oauth/token", Some(ONE), &pairs).await, 401, "invalid_client");
}

/// Said where it is done, and only there.
#[tokio::test]
async fn the_metadata_says_what_is_offered() {
    let methods = |world: &World| {
        let house = world.house.router.clone();
        async move {
            let request = axum::http::Request::get("/.well-known/openid-configuration").body(axum::body::Body::empty()).unwrap();
            let answer = tower::ServiceExt::oneshot(house, request).await.unwrap();
            let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
            serde_json::from_slice::<Value>(&body).unwrap()
        }
    };
    let off = World::open().await;
    let found = methods(&off).await;
    assert_eq!(found["tls_client_certificate_bound_access_tokens"], false);
    assert!(!found["token_endpoint_auth_methods_supported"].to_string().contains("tls") && found.get("mtls_endpoint_aliases").is_none());
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        let metadata = json!({ "token_endpoint_auth_method": method, "tls_client_auth_san_dns": "a.example", "redirect_uris": [CALLBACK] });
        assert_eq!(off.create(&json!({ "metadata": metadata })).await.status, 422, "{method}");
    }
    let address = Some("https://mtls.example".to_owned());
    let on = World::settled(SignOnSettings { certificates: Certificates::Verified, certificate_url: address, dpop_nonces: false }).await;
    let found = methods(&on).await;
    assert_eq!(found["tls_client_certificate_bound_access_tokens"], true);
    assert!(found["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("tls_client_auth")));
    assert_eq!(found["mtls_endpoint_aliases"]["token_endpoint"], "https://mtls.example/oauth/token");
    // A name that says nothing, or two of them.
    for names in [
        json!({}),
        json!({ "tls_client_auth_subject_dn": "cantine" }),
        json!({ "tls_client_auth_san_dns": "a", "tls_client_auth_san_uri": "b:c" }),
    ] {
        let mut metadata = json!({ "token_endpoint_auth_method": "tls_client_auth", "redirect_uris": [CALLBACK] });
        metadata.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
        assert_eq!(on.create(&json!({ "metadata": metadata })).await.status, 422, "{metadata}");
    }
}

/// The operator registers one on the page, where certificates are offered.
#[tokio::test]
async fn the_operator_registers_a_client_by_its_certificate() {
    let world = world(Certificates::Verified).await;
    let cookie = world.operator.cookie.clone();
    let page = world.get("/operator/clients/new", &cookie).await;
    assert!(page.text.contains("tls_client_auth") && page.text.contains("name=\"certificate_name\""), "{}", page.text);
    let csrf = crate::relying::hidden(&page.text, "_csrf");
    let fields = |name| {
        [
            ("_csrf", csrf.as_str()),
            ("name", "Cantine"),
            ("redirects", CALLBACK),
            ("method", "tls_client_auth"),
            ("bound", "on"),
            ("certificate_name", name),
        ]
    };
    for wrong in ["", "cantine"] {
        let refused = world.form("/operator/clients/new", &cookie, &fields(wrong)).await;
        assert!(refused.status == 422 && refused.text.contains("Cantine"), "{}", refused.text);
    }
    let made = world.form("/operator/clients/new", &cookie, &fields(NAME)).await;
    assert!(made.status == 200 && made.text.contains(NAME), "{}", made.text);
    let off = World::open().await;
    let page = off.get("/operator/clients/new", &off.operator.cookie).await;
    assert!(page.status == 200 && !page.text.contains("tls_client_auth") && !page.text.contains("certificate_name"));
}
