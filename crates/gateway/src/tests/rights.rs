//! Who may call what: credentials, subscriptions, permits, scopes, limits.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use octroi_domain::{
    Moment, Number,
    application::{ApplicationState, SubscriptionState},
    feed::PermitStatus,
};
use serde_json::json;

use super::rig::{ISSUER, Rig, set};

const FAMILY: &str = "/dinum/masked/v1/family";

#[tokio::test]
async fn every_obstacle_has_its_code_and_is_felt_by_the_next_call() {
    let mut rig = Rig::start().await;
    assert_eq!(rig.get(FAMILY).await.status, 200);
    macro_rules! check {
        ($code:literal, |$state:ident| $change:expr) => {{
            let before = rig.state.clone();
            rig.change(|$state| $change);
            let answer = rig.get(FAMILY).await;
            assert_eq!(answer.refusal(), (403, $code));
            assert_eq!(answer.json()["code"], $code);
            rig.change(|state| {
                let version = state.version;
                *state = before;
                state.version = version;
            });
            assert_eq!(rig.get(FAMILY).await.status, 200, "after {}", $code);
        }};
    }
    check!("application_suspended", |state| state.applications[0].state = ApplicationState::Suspended);
    check!("subscription_missing", |state| drop(state.subscriptions.remove(1)));
    check!("subscription_pending", |state| state.subscriptions[1].state = SubscriptionState::Pending);
    check!("subscription_suspended", |state| state.subscriptions[1].state = SubscriptionState::Suspended);
    check!("subscription_revoked", |state| state.subscriptions[1].state = SubscriptionState::Revoked);
    check!("permit_missing", |state| state.subscriptions[1].permit = None);
    check!("permit_suspended", |state| state.subscriptions[1].permit.as_mut().unwrap().status = PermitStatus::Suspended);
    check!("permit_superseded", |state| state.subscriptions[1].permit.as_mut().unwrap().status = PermitStatus::Superseded);
    check!("permit_revoked", |state| state.subscriptions[1].permit.as_mut().unwrap().status = PermitStatus::Revoked);
    check!("permit_expired", |state| state.subscriptions[1].permit.as_mut().unwrap().status = PermitStatus::Expired);
    check!("permit_expired", |state| state.subscriptions[1].permit.as_mut().unwrap().expires_at = Some(Moment::from_micros(1)));
    check!("terms_not_accepted", |state| state.subscriptions[1].terms_accepted = Some(1));
    check!("scope_missing", |state| state.subscriptions[1].permit.as_mut().unwrap().scopes = set("unrelated"));
    check!("scope_missing", |state| state.subscriptions[1].permit.as_mut().unwrap().scopes = set(""));
    assert_eq!(rig.get("/dila/unsubscribed/v1/echo").await.refusal(), (403, "subscription_missing"));
    assert_eq!(rig.get("/dila/elsewhere/v1/echo").await.refusal(), (404, "not_open_on_stage"));
    assert_eq!(rig.get("/dila/tokens/v1/echo").await.refusal(), (403, "credential_kind_not_accepted"));
    let token = rig.access_token("").await;
    assert_eq!(rig.get_with("/dila/tokens/v1/echo", &token).await.refusal(), (403, "address_not_allowed"));
    let missing = rig.get("/dinum/masked/v1/closed").await;
    assert_eq!(missing.header("www-authenticate"), Some("Bearer realm=\"octroi\", error=\"insufficient_scope\", scope=\"other\""));
}

#[tokio::test]
async fn one_answer_for_unknown_revoked_and_expired() {
    let mut rig = Rig::start().await;
    let good = rig.access_token("").await;
    assert_eq!(rig.get_with(FAMILY, &good).await.status, 200);
    let strip = |answer: super::rig::Answer| {
        let mut body = answer.json();
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").unwrap().contains("invalid_token"));
        body["request_id"] = json!(null);
        body["instance"] = json!(null);
        body
    };
    let unknown = strip(rig.get_with(FAMILY, "x.y.z").await);
    let mistyped = format!("{}a", &rig.key[..rig.key.len() - 1]);
    assert_eq!(strip(rig.get_with(FAMILY, &mistyped).await), unknown);
    assert_eq!(strip(rig.get_with(FAMILY, &rig.secret).await), unknown, "a client secret is no API key");
    let jti = rig.handle.introspect(&good).unwrap().jti;
    rig.change(|state| state.revoked_tokens.push(jti));
    assert_eq!(strip(rig.get_with(FAMILY, &good).await), unknown);
    assert!(rig.handle.introspect(&good).is_none());
    let other = rig.access_token("").await;
    assert_eq!(rig.get_with(FAMILY, &other).await.status, 200);
    rig.change(|state| state.credentials[1].revoked = true);
    assert_eq!(strip(rig.get_with(FAMILY, &other).await), unknown, "a token dies with its secret");
    assert_eq!(rig.token("").await.status, 401);
    rig.change(|state| state.credentials[0].revoked = true);
    assert_eq!(strip(rig.get(FAMILY).await), unknown);
    let traces = rig.traces(8).await;
    let revoked = traces.iter().rev().find(|trace| trace.operation.as_deref() == Some("GET /v1/family")).unwrap();
    assert!(revoked.application.is_some() && revoked.status == 401, "its use is traced to its owner");
}

#[tokio::test]
async fn credentials_are_one_and_not_in_the_query() {
    let rig = Rig::start().await;
    let get = |more: String| format!("GET {FAMILY}?access_token={}&apikey={} HTTP/1.1\r\nHost: g\r\n{more}\r\n", rig.key, rig.key);
    let none = rig.send(&get(String::new())).await;
    assert_eq!(none.refusal(), (401, "missing_credential"));
    assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"octroi\""));
    let key = &rig.key;
    assert_eq!(rig.send(&get(format!("X-Api-Key: {key}\r\nKeyId: {key}\r\n"))).await.refusal(), (400, "ambiguous_credential"));
    assert_eq!(rig.send(&get(format!("X-Api-Key: {key}\r\nX-Api-Key: {key}\r\n"))).await.refusal(), (400, "malformed_request"));
    assert_eq!(rig.send(&get("Authorization: Basic eDp5\r\n".into())).await.refusal(), (401, "invalid_credential"));
    for header in ["X-Api-Key", "KeyId", "Authorization: Bearer"] {
        let line = if header.contains(':') { format!("{header} {key}\r\n") } else { format!("{header}: {key}\r\n") };
        assert_eq!(rig.send(&get(line)).await.status, 200, "{header}");
    }
    assert_eq!(rig.handle.last_used().len(), 1);
    assert!(rig.handle.last_used().is_empty());
}

#[tokio::test]
async fn tokens_carry_scopes_and_permits_bound_them() {
    let mut rig = Rig::start().await;
    let answer = rig.token("&scope=openid").await;
    let body = answer.json();
    assert_eq!(
        (body["token_type"].as_str(), body["expires_in"].as_i64(), body["scope"].as_str()),
        (Some("Bearer"), Some(3_600), Some("enfants quotient"))
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(rig.token("&scope=other").await.json()["error"], "invalid_scope");
    assert_eq!(rig.token("&client_id=x").await.json()["error"], "invalid_request");
    let narrow = rig.access_token("&scope=quotient+openid").await;
    assert_eq!(rig.get_with(FAMILY, &narrow).await.body, r#"{"data":{"quotient":1.50}}"#);
    let wide = rig.access_token("").await;
    assert_eq!(rig.get_with(FAMILY, &wide).await.json()["data"]["enfants"], json!([{"nom": "A"}, {"nom": "B"}]));
    let claims = rig.handle.introspect(&wide).unwrap();
    assert_eq!((claims.iss.as_str(), claims.aud.as_str(), claims.octroi_stage.as_str()), (ISSUER, "https://gate.test", "sandbox"));
    // The permit shrinks: the token in hand shrinks with it, although it was verified before.
    rig.change(|state| state.subscriptions[1].permit.as_mut().unwrap().scopes = set("enfants"));
    assert_eq!(rig.get_with(FAMILY, &narrow).await.refusal(), (403, "scope_missing"));
    assert_eq!(rig.get_with(FAMILY, &wide).await.json(), json!({"data": {"enfants": [{"nom": "A"}, {"nom": "B"}]}}));
    rig.change(|state| state.applications[0].state = ApplicationState::Suspended);
    assert_eq!(rig.token("").await.json()["error"], "invalid_client");
    assert!(rig.handle.introspect(&wide).is_none());
}

#[tokio::test]
async fn forged_tokens_are_401_and_reach_nothing() {
    let rig = Rig::start().await;
    let good = rig.access_token("").await;
    let [head, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = Rig::start().await.access_token("").await;
    for forged in [
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        format!("eyJhbGciOiJub25lIn0.{claims}."),
        format!("{head}.{claims}.{}", &signature[1..]),
        format!("{head}.{claims}.{signature}="),
        format!("{head}.{claims}.{signature}.{signature}"),
        format!("{head}.{claims}A.{signature}"),
        other,
        "a".repeat(9_000),
    ] {
        assert_eq!(rig.get_with(FAMILY, &forged).await.refusal(), (401, "invalid_credential"), "{forged}");
    }
    assert_eq!(rig.upstream.calls.load(SeqCst), 0);
}

#[tokio::test]
async fn a_quota_is_exact_under_parallel_fire_over_two_threads() {
    let mut rig = Rig::start().await;
    let raw = format!("GET /dila/tight/v1/echo HTTP/1.1\r\nHost: g\r\nX-Api-Key: {}\r\nConnection: close\r\n\r\n", rig.key);
    let address = rig.handle.local_addr();
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let raw = raw.clone();
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                stream.write_all(raw.as_bytes()).await.unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.unwrap();
                answer
            })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        let answer = call.await.unwrap();
        let limited = answer.starts_with("HTTP/1.1 429");
        assert!(limited || answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("ratelimit-policy: \"second\";q=1000;w=1, \"day\";q=20;w=86400"), "{answer}");
        assert_eq!(limited, answer.contains("retry-after: ") && answer.contains("octroi-error: quota_exceeded"));
        passed += u32::from(!limited);
    }
    assert_eq!((passed, rig.upstream.calls.load(SeqCst)), (20, 20));
    assert_eq!(rig.handle.day_uses().iter().map(|(_, used)| used.used).max(), Some(20));
    rig.change(|_| {});
    assert_eq!(rig.get("/dila/tight/v1/echo").await.refusal(), (429, "quota_exceeded"), "a swap keeps the count");
}

#[tokio::test]
async fn it_fails_closed() {
    let mut rig = Rig::with(|settings| settings.max_view_age = Duration::from_millis(150)).await;
    assert!(rig.handle.is_ready());
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert!(!rig.handle.is_ready());
    let old = rig.get(FAMILY).await;
    assert_eq!((old.refusal(), old.header("retry-after")), ((503, "view_too_old"), Some("1")));
    assert_eq!(rig.get("/dila/open/v1/echo").await.status, 200, "an open API stays open");
    rig.handle.confirm();
    assert_eq!(rig.get(FAMILY).await.status, 200);
    // A state that does not compile changes nothing.
    let mut broken = rig.state.clone();
    broken.version += 1;
    broken.keys[0].pkcs8.clear();
    assert!(rig.handle.publish(&broken).is_err());
    assert_eq!((rig.get(FAMILY).await.status, rig.handle.version()), (200, Some(1)));
    // No key to sign with: nothing restricted leaves.
    rig.change(|state| state.keys.truncate(1));
    assert_eq!(rig.get(FAMILY).await.status, 503);
    // Traces that can go nowhere.
    let (sink, _full) = crate::trace::channel(1, "/nonexistent/octroi/spill".into());
    let settings = crate::Settings::new(octroi_domain::stage::Stage::Sandbox, ([127, 0, 0, 1], 0).into(), ISSUER, "https://gate.test");
    let handle = crate::start(settings, sink).unwrap();
    rig.handle = handle;
    assert_eq!(rig.get(FAMILY).await.refusal(), (503, "no_snapshot"));
    rig.handle.publish(&rig.state).unwrap();
    assert_eq!(rig.get("/dila/open/v1/echo").await.status, 503, "no key for the assertion");
    assert_eq!(rig.get(FAMILY).await.refusal(), (503, "trace_unavailable"));
}

#[tokio::test]
async fn problems_speak_the_callers_language_and_traces_hold_no_path() {
    let mut rig = Rig::start().await;
    let answer =
        rig.send("GET /dila/open/v1/echo/canary?canary=1 HTTP/1.1\r\nHost: g\r\nX-Request-Id: mine-1\r\nAccept-Language: fr\r\n\r\n").await;
    let body = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        (body["type"].as_str(), body["title"].as_str(), body["request_id"].as_str()),
        (Some("urn:octroi:problem:missing_credential"), Some("Identifiant absent"), Some("mine-1"))
    );
    assert_eq!(answer.header("x-request-id"), Some("mine-1"));
    let forged = rig.send("GET /x HTTP/1.1\r\nHost: g\r\nX-Request-Id: a b\r\n\r\n").await;
    assert_eq!(forged.json()["instance"], format!("urn:uuid:{}", forged.header("x-request-id").unwrap()));
    assert_eq!(rig.get(FAMILY).await.status, 200);
    let traces = rig.traces(3).await;
    assert!(!serde_json::to_string(&traces).unwrap().contains("canary"));
    let last = traces.iter().find(|trace| trace.status == 200).unwrap();
    assert_eq!(last.operation.as_deref(), Some("GET /v1/family"));
    assert_eq!((last.permit, last.refusal.as_deref(), last.address), (Some(Number::new(7)), None, Some([127, 0, 0, 1].into())));
    assert_eq!(last.masked_fields, 4);
    assert!(last.duration_us >= last.upstream_us && last.upstream_us > 0 && last.response_bytes > 10);
    let stats = rig.handle.stats();
    assert_eq!((stats.calls, stats.refused, stats.answered_2xx, stats.masked_fields), (3, 2, 1, 4));
    assert!(stats.refusals.contains(&("unknown_route", 1)));
}
