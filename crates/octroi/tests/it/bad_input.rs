//! Bad input gets a helpful refusal, and changes nothing.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, shared};

async fn raw(caller: &Caller, method: Method, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = caller.http.request(method, format!("{}/api/v1{path}", caller.portal)).header("Content-Type", content_type).body(body);
    Answer::read(request.header("X-CSRF-Token", caller.csrf.clone().unwrap_or_default()).send().await.unwrap()).await
}

#[tokio::test]
async fn fields_and_scopes_are_named() {
    let demo = shared();
    let applicant = demo.sign_in("applicant").await;
    let (id, version) = applicant.draft("api-particulier", "libre", json!({})).await;
    let path = format!("/access-requests/{id}");
    for (answers, pointer, code) in [
        (json!({ "colour": "red" }), "/answers/colour", "unknown_field"),
        (json!({ "scopes": ["cnaf_quotient_familial", "nothing"] }), "/answers/scopes/1", "invalid"),
        (json!({ "title": 5 }), "/answers/title", "invalid"),
        (json!({ "retention_months": "12" }), "/answers/retention_months", "invalid"),
        (json!({ "contact_dpo": { "email": "x" } }), "/answers/contact_dpo/email", "invalid"),
    ] {
        let problem = applicant.patch(&path, json!({ "answers": answers })).await.problem(422, "invalid");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().any(|error| error["pointer"] == pointer && error["code"] == code), "{problem}");
    }
    for (body, named) in [
        (json!({ "answers": {}, "state": "approved" }), "state"),
        (json!({ "answer": {} }), "answer"),
        (json!({ "answers": [] }), "/answers"),
    ] {
        let problem = applicant.patch(&path, body).await.ok(422);
        assert!(problem["errors"].to_string().contains(named), "{problem}");
    }
    let after = applicant.get(&path).await.ok(200);
    assert_eq!(after["version"].as_u64(), Some(version), "nothing was changed");
}

#[tokio::test]
async fn scope_rules_are_judged_on_submit() {
    let demo = shared();
    let applicant = demo.sign_in("applicant").await;
    for (scopes, says) in [
        (json!(["dgfip_rfr"]), "dgfip_annee_n_moins_1"),
        (json!(["dgfip_annee_n_moins_2_si_indispo_n_moins_1", "dgfip_annee_n_moins_1"]), "dgfip_annee_n_moins_1"),
        (json!(["dgfip_annee_n_moins_1", "dgfip_annee_df_au_3112_si_deces_ctb_mp", "dgfip_indiIFI"]), "dgfip_indiIFI"),
        (json!(["dgfip_annee_n_moins_1", "dgfip_IndLep", "dgfip_rfr"]), "dgfip_IndLep"),
    ] {
        let (id, _) = applicant.draft("api-impot-particulier", "libre", json!({ "scopes": scopes })).await;
        let problem = applicant.post(&format!("/access-requests/{id}/submit"), json!({})).await.problem(422, "invalid");
        let error = &problem["errors"][0];
        assert_eq!((error["code"].as_str(), error["pointer"].as_str()), (Some("scope_rule"), Some("/answers/scopes")), "{problem}");
        assert!(problem.to_string().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn states_and_versions_are_guarded() {
    let demo = shared();
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let (id, version) = applicant.draft("api-particulier", "libre", json!({})).await;
    let at = |what: &str| format!("/access-requests/{id}/{what}");
    reviewer.post(&at("approve"), json!({ "version": version })).await.problem(409, "wrong_state");
    applicant.post(&at("submit"), json!({ "version": version - 1 })).await.problem(409, "stale_version");
    applicant.send(Method::POST, &at("submit"), Some(json!({})), &[("If-Match", "\"1\"")]).await.problem(412, "stale_version");
    let submitted = applicant.post(&at("submit"), json!({})).await.ok(200);
    applicant.patch(&format!("/access-requests/{id}"), json!({ "answers": { "title": "changed" } })).await.problem(409, "wrong_state");
    applicant.post(&at("submit"), json!({})).await.problem(409, "wrong_state");
    applicant.post(&at("archive"), json!({})).await.problem(409, "wrong_state");
    reviewer.post(&at("approve"), json!({ "version": version })).await.problem(409, "stale_version");
    let wrong_hash = "0".repeat(64);
    reviewer
        .post(&at("approve"), json!({ "version": submitted["version"], "content_hash": wrong_hash }))
        .await
        .problem(409, "stale_version");
    reviewer.post(&at("approve"), json!({})).await.problem(422, "invalid");
    reviewer.post(&at("approve"), json!({ "version": submitted["version"] })).await.ok(200);
    reviewer.post(&at("approve"), json!({ "version": submitted["version"] })).await.problem(409, "wrong_state");
    reviewer.post(&at("refuse"), json!({ "message": "x" })).await.problem(409, "wrong_state");
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let demo = shared();
    let applicant = demo.sign_in("applicant").await;
    let json_type = "application/json";
    for body in [
        "",
        "{",
        "[]",
        "\"x\"",
        "{\"name\":\"a\",\"name\":\"b\",\"stage\":\"sandbox\"}",
        "{\"name\":\"a\",\"stage\":\"sandbox\"} x",
        "\u{feff}{\"name\":\"a\",\"stage\":\"sandbox\"}",
        "{\"name\":\"a\",\"stage\":\"sandbox\",}",
        "{'name':'a'}",
    ] {
        let answer = raw(&applicant, Method::POST, "/applications", json_type, body).await;
        assert_eq!(answer.status.as_u16(), 400, "{body}: {}", answer.text);
    }
    let nested = format!("{{\"name\":\"a\",\"stage\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(raw(&applicant, Method::POST, "/applications", json_type, nested).await.status.as_u16(), 400);
    assert_eq!(raw(&applicant, Method::POST, "/applications", json_type, vec![b' '; 2_000_000]).await.status.as_u16(), 413);
    for other in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        assert_eq!(
            raw(&applicant, Method::POST, "/applications", other, "{\"name\":\"a\",\"stage\":\"sandbox\"}").await.status.as_u16(),
            415
        );
    }
    applicant.get("/nowhere").await.problem(404, "unknown_route");
    let wrong = applicant.delete("/applications").await;
    assert!(wrong.header("allow").is_some_and(|allow| allow.contains("GET") && allow.contains("POST")));
    wrong.problem(405, "method_not_allowed");
    for (path, status) in [
        ("/access-requests?colour=red", 422),
        ("/access-requests?limit=0", 422),
        ("/access-requests?limit=1e9", 422),
        ("/access-requests?cursor=x", 422),
        ("/access-requests?limit=1&limit=2", 400),
        ("/access-requests?state=none", 422),
    ] {
        assert_eq!(applicant.get(path).await.status.as_u16(), status, "{path}");
    }
    for id in ["D0", "D-1", "d1", "1", "H1", "D999999999999999999999", "x", "D1'--"] {
        applicant.get(&format!("/access-requests/{id}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn sessions_are_guarded() {
    let demo = shared();
    let applicant = demo.sign_in("applicant").await;
    let body = Some(json!({ "name": "x", "stage": "sandbox" }));
    for csrf in [None, Some("wrong".to_owned())] {
        let caller = Caller { csrf, ..applicant.clone() };
        caller.send(Method::POST, "/applications", body.clone(), &[]).await.problem(403, "csrf");
    }
    applicant.send(Method::POST, "/applications", body.clone(), &[("Origin", "https://evil.example")]).await.problem(403, "csrf");
    applicant.send(Method::POST, "/applications", body, &[("Sec-Fetch-Site", "cross-site")]).await.problem(403, "csrf");
    let wrong = json!({ "email": "applicant@rivebelle.example", "password": "not the password" });
    let one = demo.nobody().post("/session", wrong).await;
    let other = demo.nobody().post("/session", json!({ "email": "nobody@nowhere.example", "password": "not the password" })).await;
    assert_eq!(one.status.as_u16(), 401);
    let same = |answer: &Answer| -> Value { json!([answer.json()["code"], answer.json()["detail"], answer.status.as_u16()]) };
    assert_eq!(same(&one), same(&other), "the answer does not tell whether the account exists");
    applicant.delete("/session").await;
    applicant.get("/me").await.problem(401, "sign_in_required");
    for _ in 0..12 {
        demo.nobody().post("/session", json!({ "email": "flood@nowhere.example", "password": "not the password" })).await;
    }
    let flood = demo.nobody().post("/session", json!({ "email": "flood@nowhere.example", "password": "x" })).await;
    assert!(flood.header("retry-after").is_some());
    flood.problem(429, "too_many_attempts");
}

#[tokio::test]
async fn the_same_idempotency_key_acts_once() {
    let demo = shared();
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let (id, version) = applicant.submitted("api-particulier", "libre", json!({})).await;
    let path = format!("/access-requests/{id}/approve");
    let approve = || reviewer.send(Method::POST, &path, Some(json!({ "version": version })), &[("Idempotency-Key", "approve-once")]);
    // Twenty at once, then one more: one permit, one answer.
    let mut answers = Vec::new();
    let (a, b, c, d, e) = tokio::join!(approve(), approve(), approve(), approve(), approve());
    answers.extend([a, b, c, d, e]);
    answers.push(approve().await);
    let permits: std::collections::BTreeSet<String> =
        answers.into_iter().map(|answer| answer.ok(200)["permit"].as_str().unwrap().to_owned()).collect();
    assert_eq!(permits.len(), 1);
    reviewer
        .send(Method::POST, &path, Some(json!({ "version": version, "message": "other" })), &[("Idempotency-Key", "approve-once")])
        .await
        .ok(422);
    let without: Vec<u16> = futures(5, || reviewer.post(&path, json!({ "version": version }))).await;
    assert!(without.iter().all(|status| *status == 409), "{without:?}");

    let application =
        applicant.post("/applications", json!({ "name": "x", "stage": "sandbox" })).await.ok(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/applications/{application}/credentials");
    let make = || applicant.send(Method::POST, &path, Some(json!({ "kind": "api_key" })), &[("Idempotency-Key", "key-1")]);
    let first = make().await.ok(201);
    let again = make().await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert!(!again.text.contains(first["secret"].as_str().unwrap()), "a secret is shown once");
    let held = applicant.get(&format!("/applications/{application}")).await.ok(200);
    assert_eq!(held["credentials"].as_array().unwrap().len(), 1);
    assert!(!held.to_string().contains(first["secret"].as_str().unwrap()));
}

async fn futures<F: Future<Output = Answer>>(count: usize, make: impl Fn() -> F) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(make().await.status.as_u16());
    }
    statuses
}
