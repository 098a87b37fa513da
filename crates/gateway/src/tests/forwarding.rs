//! What reaches the upstream, and what comes back.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use serde_json::{Value, json};

use super::rig::Rig;

fn names(seen: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = seen["headers"].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn identity_comes_from_the_gateway_alone() {
    let rig = Rig::start().await;
    let forged = "X-JWT-Assertion: f\r\nx-jwt-assertion: f\r\nX_JWT_Assertion: f\r\nX-Jwt_Assertion: f\r\nX-User: f\r\nX-User-Id: f\r\nX-Consumer-Id: f\r\nX-Forwarded-For: 6.6.6.6\r\n\
         X-Forwarded-Host: f\r\nX-Forwarded-Proto: f\r\nX-Forwarded-Prefix: f\r\nForwarded: for=f\r\nX-Real-IP: f\r\nX-Original-URL: f\r\nX-Rewrite-URL: f\r\nX-HTTP-Method-Override: DELETE\r\n\
         Cookie: f=f\r\nOctroi-Scopes: f\r\nX-Api-Scopes: f\r\nX-Authenticated-Userid: f\r\nX-Credential-Id: f\r\nTE: trailers\r\nKeep-Alive: f\r\nUpgrade: f\r\nProxy-Authorization: f\r\n\
         Connection: X-Mine, keep-alive\r\nX-Mine: f\r\nAccept: a/b\r\ncpro-account: kept\r\nTrailer: X\r\n";
    let seen =
        rig.send(&format!("GET /dila/open/v1/echo?q=1 HTTP/1.1\r\nHost: gate\r\nX-Api-Key: {}\r\n{forged}\r\n", rig.key)).await.json();
    assert_eq!(
        names(&seen),
        ["accept", "cpro-account", "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-jwt-assertion", "x-request-id"]
    );
    for (name, value) in [
        ("host", rig.upstream.address.to_string().as_str()),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "gate.test"),
        ("x-forwarded-proto", "https"),
        ("cpro-account", "kept"),
    ] {
        assert_eq!(seen["headers"][name], json!([value]));
    }
    let assertions = seen["headers"]["x-jwt-assertion"].as_array().unwrap();
    assert_eq!(assertions.len(), 1);
    check_assertion(&rig, assertions[0].as_str().unwrap()).await;
}

async fn check_assertion(rig: &Rig, token: &str) {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let [head, claims, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (head_json, claims_json) = (read(head), read(claims));
    assert_eq!(head_json, json!({"typ": "JWT", "alg": "ES256", "kid": "a1"}));
    assert_eq!(
        claims_json["organization"],
        json!({"id": "00000000-0000-0000-0000-0000000000c1", "name": "Ville", "siret": "21750001600019"})
    );
    assert_eq!((claims_json["stage"].as_str(), claims_json["aud"].as_str()), (Some("sandbox"), Some("dila/open")));
    let keys = rig.send("GET /.well-known/jwks.json HTTP/1.1\r\nHost: g\r\n\r\n").await.json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "a1").unwrap();
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(key[coordinate].as_str().unwrap()).unwrap());
    }
    let public = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED, point);
    public.verify(format!("{head}.{claims}").as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let other = rig.get("/dila/open/v1/echo").await.json();
    assert_eq!(other["headers"]["x-jwt-assertion"][0], token, "sent again for some seconds");
}

#[tokio::test]
async fn bodies_pass_both_ways() {
    let rig = Rig::start().await;
    let post = |framing: &str, body: &str| {
        format!("POST /dila/open/v1/echo HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\n{framing}\r\n\r\n{body}", rig.key)
    };
    let sized = rig.send(&post("Content-Length: 5", "hello")).await.json();
    assert_eq!((sized["body"].as_str(), sized["headers"]["content-length"][0].as_str()), (Some("hello"), Some("5")));
    let chunked = rig.send(&post("Transfer-Encoding: chunked", "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-User: f\r\n\r\n")).await.json();
    assert_eq!((chunked["body"].as_str(), chunked["headers"]["transfer-encoding"][0].as_str()), (Some("hello"), Some("chunked")));
    let mut wire = rig.connect().await;
    wire.write(&post("Content-Length: 5\r\nExpect: 100-continue", "")).await;
    wire.until("100 Continue\r\n\r\n").await;
    wire.write("hello").await;
    assert_eq!(wire.answer().await.status, 100);
    assert_eq!(wire.answer().await.json()["body"], "hello");
    let head =
        rig.send(&format!("HEAD /dila/open/v1/echo HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\nConnection: close\r\n\r\n", rig.key)).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn answers_stream_as_they_come() {
    let rig = Rig::start().await;
    let mut wire = rig.connect().await;
    wire.write(&format!("GET /dila/open/v1/stream HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\n\r\n", rig.key)).await;
    wire.until("first ").await;
    rig.upstream.go_on.notify_waiters();
    assert_eq!(wire.answer().await.body, "first second");
}

#[tokio::test]
async fn masked_answers_show_what_the_scopes_open_or_nothing() {
    let mut rig = Rig::start().await;
    let family = rig.get("/dinum/masked/v1/family").await;
    assert_eq!(family.body, r#"{"data":{"quotient":1.50,"enfants":[{"nom":"A"},{"nom":"B"}]}}"#);
    for name in ["etag", "server", "set-cookie", "octroi-error"] {
        assert_eq!(family.header(name), None, "{name}");
    }
    for (path, code) in [
        ("html", "answer_not_maskable"),
        ("encoded", "answer_not_maskable"),
        ("broken", "answer_not_maskable"),
        ("truncated", "upstream_invalid"),
        ("large", "answer_too_large"),
    ] {
        let answer = rig.get(&format!("/dinum/masked/v1/{path}")).await;
        assert_eq!(answer.refusal(), (502, code), "{path}");
        assert!(!answer.body.contains("canary"), "{path}");
    }
    let failed = rig.get("/dinum/masked/v1/failed").await;
    assert_eq!((failed.status, failed.body.as_str(), failed.header("octroi-error")), (500, r#"{"errors":[{"title":"t"}]}"#, None));
    let moved = rig.get("/dinum/masked/v1/moved").await;
    assert_eq!((moved.status, moved.header("location")), (302, Some("/dinum/masked/v1/there?x=1")));
    let masked = format!(
        "GET /dinum/masked/v1/echo HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\nAccept-Encoding: gzip\r\nRange: bytes=0-1\r\n\r\n",
        rig.key
    );
    assert!(names(&rig.send(&masked).await.json()).contains(&"accept-encoding"), "an operation without a mask is left alone");
    let head = format!("HEAD /dinum/masked/v1/family HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\nConnection: close\r\n\r\n", rig.key);
    assert_eq!(rig.send(&head).await.status, 200);
    assert_eq!(rig.traces(10).await.iter().filter(|trace| trace.masked_fields > 0).count(), 2);
}

#[tokio::test]
async fn an_upstream_that_fails_is_told_from_the_gateway() {
    let mut rig = Rig::start().await;
    assert_eq!(rig.get("/dila/down/v1/echo").await.refusal(), (502, "upstream_unreachable"));
    let started = std::time::Instant::now();
    assert_eq!(rig.get("/dila/open/v1/slow").await.refusal(), (504, "upstream_timeout"));
    assert!(started.elapsed() < Duration::from_secs(4));
    let traces = rig.traces(2).await;
    assert!(traces.iter().all(|trace| trace.refusal.is_some() && trace.application.is_some()));
}

#[tokio::test]
async fn a_client_that_leaves_stops_the_upstream_call() {
    let mut rig = Rig::start().await;
    let mut wire = rig.connect().await;
    wire.write(&format!("GET /dila/open/v1/slow HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\n\r\n", rig.key)).await;
    while rig.upstream.calls.load(SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(wire);
    let started = std::time::Instant::now();
    while rig.upstream.aborted.load(SeqCst) == 0 {
        assert!(started.elapsed() < Duration::from_secs(1), "the upstream call goes on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.traces(1).await[0].status, 499);
}

#[tokio::test]
async fn an_answer_that_is_cut_upstream_is_cut_downstream() {
    let mut rig = Rig::start().await;
    rig.change(|state| {
        let mut document = (*state.apis[0].document).clone();
        document.api.contracts[0].operations.push("GET /v1/truncated".parse().unwrap());
        state.apis[0].document = document.into();
        state.apis[0].version = 2;
    });
    let answer = rig.get("/dila/open/v1/truncated").await;
    assert!(answer.body.ends_with("<cut>"), "{answer:?}");
    assert_eq!(rig.traces(1).await[0].refusal.as_deref(), Some("upstream_invalid"));
}

#[tokio::test]
async fn requests_are_checked_against_the_contract_where_asked() {
    let rig = Rig::start().await;
    assert_eq!(rig.get("/dila/checked/v1/checked?n=1").await.status, 200);
    for query in ["", "?n=x", "?n=1&m=2"] {
        let answer = rig.get(&format!("/dila/checked/v1/checked{query}")).await;
        assert_eq!(answer.refusal(), (400, "request_invalid"), "{query}");
        assert_eq!(answer.json()["errors"][0]["in"], "query");
    }
    assert_eq!(rig.upstream.calls.load(SeqCst), 1);
}

#[tokio::test]
async fn mocks_answer_without_an_upstream() {
    let rig = Rig::start().await;
    let answer = rig.get("/dila/mocked/v1/echo").await;
    assert_eq!((answer.status, answer.header("octroi-error")), (501, None));
    assert_eq!(rig.upstream.calls.load(SeqCst), 0);
}
