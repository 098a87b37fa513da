//! The gate, from outside: credentials, tokens, limits, refusals.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Demo, Engine, QF, call, shared, token};

async fn client(demo: &Demo, stage: &str, scopes: Value) -> (Client, String) {
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let (request, _) = applicant.submitted("api-particulier", "libre", json!({ "scopes": scopes })).await;
    let permit = reviewer.approve(&request).await;
    (applicant.client(stage, "dinum/api-particulier", Some(&permit)).await, permit)
}

#[tokio::test]
async fn tokens_as_on_piste_and_by_the_book() {
    let demo = shared();
    let (client, _) = client(demo, "sandbox", json!(["cnaf_quotient_familial", "cnaf_enfants"])).await;
    let (sandbox, production) = (demo.gateway("sandbox"), demo.gateway("production"));
    for base in [sandbox, demo.portal()] {
        let answer = token(base, &client.id, &client.secret, Some("openid")).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.ok(200);
        assert_eq!((body["token_type"].as_str(), body["expires_in"].as_i64()), (Some("Bearer"), Some(3600)));
        assert_eq!(body["scope"], "cnaf_enfants cnaf_quotient_familial");
    }
    // A narrower token shows less, although the permit covers more.
    let narrow = token(sandbox, &client.id, &client.secret, Some("cnaf_enfants")).await.ok(200);
    let bearer = format!("Bearer {}", narrow["access_token"].as_str().unwrap());
    let body = call(&format!("{sandbox}{QF}"), &[("Authorization", &bearer)]).await.ok(200);
    assert_eq!(crate::harness::members(&body["data"]), ["enfants"]);
    let refused = token(sandbox, &client.id, &client.secret, Some("cnaf_adresse")).await;
    assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (400, Some("invalid_scope")));
    for (base, id, secret) in [
        (production, client.id.as_str(), client.secret.as_str()),
        (sandbox, &client.id, "oct_test_secret_x"),
        (sandbox, "nobody", &client.secret),
        (sandbox, &client.id, &client.key),
    ] {
        let refused = token(base, id, secret, None).await;
        assert_eq!((refused.status.as_u16(), refused.json()["error"].as_str()), (401, Some("invalid_client")), "{base} {id}");
        assert!(refused.header("www-authenticate").is_some());
    }
    // HTTP Basic.
    let http = reqwest::Client::new();
    let basic = http
        .post(format!("{sandbox}/api/oauth/token"))
        .basic_auth(&client.id, Some(&client.secret))
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .unwrap();
    assert_eq!(basic.status().as_u16(), 200);
    // A token of one stage is nothing on the other.
    let refused = call(&format!("{production}{QF}"), &[("Authorization", &bearer)]).await;
    assert!(refused.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")));
    refused.problem(401, "invalid_credential");
}

#[tokio::test]
async fn introspection_and_revocation() {
    let demo = shared();
    let (client, _) = client(demo, "sandbox", json!(["cnaf_quotient_familial"])).await;
    let access = client.token(demo.gateway("sandbox")).await;
    let http = reqwest::Client::new();
    let post = async |path: &str, fields: &[(&str, &str)]| {
        Answer::read(
            http.post(format!("{}{path}", demo.portal())).basic_auth(&client.id, Some(&client.secret)).form(fields).send().await.unwrap(),
        )
        .await
    };
    let active = post("/oauth/introspect", &[("token", &access)]).await.ok(200);
    assert_eq!(
        (active["active"].as_bool(), active["client_id"].as_str(), active["scope"].as_str()),
        (Some(true), Some(client.id.as_str()), Some("cnaf_quotient_familial"))
    );
    assert_eq!(post("/oauth/introspect", &[("token", "nonsense")]).await.ok(200), json!({ "active": false }));
    let unknown = http.post(format!("{}/oauth/introspect", demo.portal())).form(&[("token", access.as_str())]).send().await.unwrap();
    assert_eq!(unknown.status().as_u16(), 401);
    let bearer = format!("Bearer {access}");
    let url = format!("{}{QF}", demo.gateway("sandbox"));
    call(&url, &[("Authorization", &bearer)]).await.ok(200);
    assert_eq!(post("/oauth/revoke", &[("token", &access)]).await.status.as_u16(), 200);
    call(&url, &[("Authorization", &bearer)]).await.problem(401, "invalid_credential");
    assert_eq!(post("/oauth/introspect", &[("token", &access)]).await.ok(200), json!({ "active": false }));
    assert_eq!(post("/oauth/revoke", &[("token", "nonsense")]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn one_answer_for_unknown_and_revoked() {
    let demo = shared();
    let (client, _) = client(demo, "sandbox", json!(["cnaf_quotient_familial"])).await;
    let applicant = demo.sign_in("applicant").await;
    applicant.delete(&format!("/credentials/{}", client.key_id)).await.ok(200);
    let url = format!("{}{QF}", demo.gateway("sandbox"));
    let unknown = "oct_test_key_0000000000000000000000000000000000000000000aaaaaa";
    let mut bodies = Vec::new();
    for (name, value) in [
        ("X-Api-Key", client.key.as_str()),
        ("X-Api-Key", unknown),
        ("X-Api-Key", "x"),
        ("KeyId", "x"),
        ("Authorization", "Bearer x.y.z"),
        ("Authorization", "Bearer x"),
    ] {
        let mut body = call(&url, &[(name, value)]).await.problem(401, "invalid_credential");
        body["request_id"] = Value::Null;
        body["instance"] = Value::Null;
        bodies.push(body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    call(&url, &[]).await.problem(401, "missing_credential");
    call(&url, &[("X-Api-Key", "a"), ("KeyId", "b")]).await.problem(400, "ambiguous_credential");
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let demo = shared();
    let (client, permit) = client(demo, "sandbox", json!(["cnaf_quotient_familial"])).await;
    let sandbox = demo.gateway("sandbox");
    let key = [("X-Api-Key", client.key.as_str())];
    call(&format!("{sandbox}/nobody/nothing/v1"), &key).await.problem(404, "unknown_route");
    call(&format!("{sandbox}/dinum/api-particulier/v3/nothing"), &key).await.problem(404, "unknown_route");
    call(&format!("{sandbox}/cassation/judilibre/v1.0/search?query=x"), &key).await.problem(403, "subscription_missing");
    let delete = reqwest::Client::new().delete(format!("{sandbox}{QF}")).header("X-Api-Key", &client.key).send().await.unwrap();
    assert!(delete.headers().contains_key("allow"));
    Answer::read(delete).await.problem(405, "method_not_allowed");
    for path in [
        "/dinum//api-particulier/v3/dss/quotient_familial/identite",
        "/dinum/api-particulier/v3/dss/quotient_familial%2fidentite",
        "/dinum/api-particulier/v3/x;y/z",
        "/dinum/api-particulier/v3/%64ss/quotient_familial/identite",
    ] {
        let status = raw_get(sandbox, path, &client.key);
        assert!(status == 400 || status == 404, "{path}: {status}");
    }
    // Traces of refusals are there for the subscriber, with their code.
    let applicant = demo.sign_in("applicant").await;
    let traces = applicant.get(&format!("/traces?application={}&limit=100", client.id)).await.ok(200);
    let codes: Vec<&str> = traces["items"].as_array().unwrap().iter().filter_map(|trace| trace["refusal"].as_str()).collect();
    assert!(codes.contains(&"subscription_missing"), "{codes:?}");
    // The application, suspended.
    applicant.post(&format!("/applications/{}/suspend", client.id), json!({})).await.ok(200);
    call(&format!("{sandbox}{QF}"), &key).await.problem(403, "application_suspended");
    applicant.post(&format!("/applications/{}/resume", client.id), json!({})).await.ok(200);
    call(&format!("{sandbox}{QF}"), &key).await.ok(200);
    assert!(permit.starts_with('H'));
}

/// A path sent as it is written: a client library would mend it first.
fn raw_get(base: &str, path: &str, key: &str) -> u16 {
    use std::io::{Read, Write};
    let host = base.strip_prefix("http://").unwrap().replace("localhost", "127.0.0.1");
    let mut stream = std::net::TcpStream::connect(&host).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_private_api_waits_for_its_administrator() {
    let demo = shared();
    let (applicant, administrator) = (demo.sign_in("applicant").await, demo.sign_in("api_administrator").await);
    let names = |list: Value| list.to_string();
    assert!(!names(demo.nobody().get("/apis").await.ok(200)).contains("annuaire-interne"));
    demo.nobody().get("/apis/dinum/annuaire-interne").await.problem(404, "not_found");
    assert!(names(administrator.get("/apis").await.ok(200)).contains("annuaire-interne"));
    // Nobody subscribes to what they cannot know of; its administrator enrols them.
    let client = applicant.client("sandbox", "dila/legifrance", None).await;
    let body = json!({ "api": "dinum/annuaire-interne", "accept_terms": true });
    let refused = applicant.post(&format!("/applications/{}/subscriptions", client.id), body).await.problem(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "unknown_api");
    let enrol = json!({ "application": client.id });
    applicant.post("/apis/dinum/annuaire-interne/subscribers", enrol.clone()).await.problem(404, "not_found");
    let enrolled = administrator.post("/apis/dinum/annuaire-interne/subscribers", enrol).await.ok(201);
    let id = enrolled["id"].as_str().unwrap();
    let api = applicant.get("/apis/dinum/annuaire-interne").await.ok(200);
    let operation = api["operations"][0]["operation"].as_str().unwrap().to_owned();
    let path = operation.strip_prefix("GET ").unwrap().split('{').next().unwrap().trim_end_matches('/').to_owned();
    let url = format!("{}{}{path}", demo.gateway("sandbox"), api["mount"].as_str().unwrap());
    // This API takes access tokens alone.
    call(&url, &[("X-Api-Key", &client.key)]).await.problem(403, "credential_kind_not_accepted");
    let bearer = format!("Bearer {}", client.token(demo.gateway("sandbox")).await);
    let with = [("Authorization", bearer.as_str())];
    if api["terms"].is_object() {
        call(&url, &with).await.problem(403, "terms_not_accepted");
        applicant.post(&format!("/subscriptions/{id}/accept-terms"), json!({})).await.ok(200);
    }
    applicant.post(&format!("/subscriptions/{id}/activate"), json!({})).await.problem(403, "role_missing");
    let status = call(&url, &with).await;
    assert_eq!(status.header("octroi-error"), None, "{}", status.text);
    administrator.post(&format!("/subscriptions/{id}/suspend"), json!({})).await.ok(200);
    call(&url, &with).await.problem(403, "subscription_suspended");
    administrator.post(&format!("/subscriptions/{id}/revoke"), json!({})).await.ok(200);
    call(&url, &with).await.problem(403, "subscription_revoked");
}

#[tokio::test]
async fn limits_are_exact_under_parallel_fire() {
    let demo = shared();
    let (client, _) = client(demo, "sandbox", json!(["cnaf_quotient_familial"])).await;
    let url = format!("{}{QF}", demo.gateway("sandbox"));
    let http = reqwest::Client::new();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = http.get(&url).header("X-Api-Key", &client.key);
        calls.spawn(async move { Answer::read(request.send().await.unwrap()).await });
    }
    let started = std::time::Instant::now();
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    while let Some(answer) = calls.join_next().await {
        let answer = answer.unwrap();
        *statuses.entry(answer.status.as_u16()).or_default() += 1;
        if answer.status == 429 {
            assert!(
                answer.header("retry-after").is_some()
                    && answer.header("ratelimit-limit").is_some()
                    && answer.header("ratelimit-policy").is_some()
            );
            answer.problem(429, "rate_exceeded");
        }
    }
    // The plan lets 20 through in any one second.
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    let passed = statuses[&200];
    assert!(passed >= 20 && passed <= 20 * seconds, "{statuses:?} in {seconds} s");
}

#[tokio::test]
async fn the_upstream_sees_our_headers_and_nobody_elses() {
    let demo = Demo::start(Engine::Sqlite);
    let (client, permit) = client(&demo, "production", json!(["cnaf_quotient_familial"])).await;
    // The upstream's own echo: what it receives straight, to know that it tells the truth.
    let echo = call(&format!("{}/echo?a=1", demo.file["upstream"].as_str().unwrap()), &[("X-Test", "yes")]).await.ok(200);
    assert_eq!(echo["headers"]["x-test"][0], "yes");
    let keys = call(&format!("{}/.well-known/jwks.json", demo.gateway("production")), &[]).await.ok(200);
    assert!(keys["keys"].as_array().is_some_and(|keys| keys.iter().all(|key| key["kty"] == "EC" && key.get("d").is_none())));
    call(&format!("{}{QF}", demo.gateway("production")), &[("X-Api-Key", &client.key), ("X-JWT-Assertion", "forged")]).await.ok(200);
    assert!(permit.starts_with('H'));
}
