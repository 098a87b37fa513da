//! Who may do what, seen from outside.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Demo, Engine, shared};

#[tokio::test]
async fn another_organisations_things_do_not_exist() {
    let demo = shared();
    let (applicant, stranger, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("stranger").await, demo.sign_in("reviewer").await);
    let (request, version) = applicant.submitted("api-particulier", "libre", json!({})).await;
    let permit = reviewer.approve(&request).await;
    let client = applicant.client("sandbox", "dinum/api-particulier", Some(&permit)).await;
    let subscription =
        applicant.get(&format!("/applications/{}", client.id)).await.ok(200)["subscriptions"][0]["id"].as_str().unwrap().to_owned();
    let nowhere = "0192f0c1-2222-4333-8444-555566667777";
    let cases = [
        (Method::GET, "/access-requests/{}", request.as_str(), "D999999", None),
        (Method::PATCH, "/access-requests/{}", &request, "D999999", Some(json!({ "answers": { "title": "x" } }))),
        (Method::POST, "/access-requests/{}/submit", &request, "D999999", Some(json!({}))),
        (Method::POST, "/access-requests/{}/approve", &request, "D999999", Some(json!({ "version": version }))),
        (Method::POST, "/access-requests/{}/refuse", &request, "D999999", Some(json!({ "message": "x" }))),
        (Method::POST, "/access-requests/{}/archive", &request, "D999999", None),
        (Method::GET, "/permits/{}", &permit, "H999999", None),
        (Method::POST, "/permits/{}/revoke", &permit, "H999999", Some(json!({ "reason": "x" }))),
        (Method::POST, "/permits/{}/amend", &permit, "H999999", None),
        (Method::GET, "/applications/{}", &client.id, nowhere, None),
        (Method::POST, "/applications/{}/credentials", &client.id, nowhere, Some(json!({ "kind": "api_key" }))),
        (
            Method::POST,
            "/applications/{}/subscriptions",
            &client.id,
            nowhere,
            Some(json!({ "api": "dila/legifrance", "accept_terms": true })),
        ),
        (Method::DELETE, "/credentials/{}", &client.key_id, nowhere, None),
        (Method::POST, "/subscriptions/{}/revoke", &subscription, nowhere, None),
    ];
    for (method, path, real, unreal, body) in cases {
        let mut answers = Vec::new();
        for id in [real, unreal] {
            let mut problem = stranger.send(method.clone(), &path.replace("{}", id), body.clone(), &[]).await.problem(404, "not_found");
            for own in ["request_id", "instance"] {
                problem[own] = json!(null);
            }
            answers.push(problem);
        }
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }
    // Nothing of it in the stranger's lists, and a permit of others opens nothing.
    for list in ["/access-requests?limit=100", "/permits?limit=100", "/traces?limit=100"] {
        let seen = stranger.get(list).await.ok(200).to_string();
        assert!(!seen.contains("Rivebelle"), "{list}");
    }
    let own = stranger.post("/applications", json!({ "name": "x", "stage": "sandbox" })).await.ok(201);
    let body = json!({ "api": "dinum/api-particulier", "permit": permit, "accept_terms": true });
    let refused = stranger.post(&format!("/applications/{}/subscriptions", own["id"].as_str().unwrap()), body).await.ok(422);
    assert_eq!(refused["errors"][0]["code"], "unknown_permit");
}

#[tokio::test]
async fn nobody_decides_for_their_own_organisation() {
    let demo = Demo::start(Engine::Sqlite);
    let operator = demo.sign_in("operator").await;
    let people = operator.get("/users?limit=100").await.ok(200);
    let id = |email: &str| {
        people["items"].as_array().unwrap().iter().find(|user| user["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let role = json!({ "role": "reviewer", "perimeter": "definition:api-particulier" });
    for email in ["applicant@rivebelle.example", "colleague@rivebelle.example"] {
        operator.send(Method::PUT, &format!("/users/{}/roles", id(email)), Some(role.clone()), &[]).await.ok(200);
    }
    let applicant = demo.sign_in("applicant").await;
    let (request, version) = applicant.submitted("api-particulier", "libre", json!({})).await;
    for role in ["applicant", "colleague"] {
        let caller = demo.sign_in(role).await;
        caller
            .post(&format!("/access-requests/{request}/approve"), json!({ "version": version }))
            .await
            .problem(403, "conflict_of_interest");
        caller.post(&format!("/access-requests/{request}/refuse"), json!({ "message": "x" })).await.problem(403, "conflict_of_interest");
    }
    // After a transfer to the other, still not.
    applicant.post(&format!("/access-requests/{request}/transfer"), json!({ "email": "colleague@rivebelle.example" })).await.ok(200);
    let version = applicant.get(&format!("/access-requests/{request}")).await.ok(200)["version"].clone();
    applicant
        .post(&format!("/access-requests/{request}/approve"), json!({ "version": version }))
        .await
        .problem(403, "conflict_of_interest");
    // Nobody gives themselves a role.
    let me = operator.get("/me").await.ok(200)["user"]["id"].as_str().unwrap().to_owned();
    operator.send(Method::PUT, &format!("/users/{me}/roles"), Some(role), &[]).await.problem(403, "conflict_of_interest");
    assert_eq!(applicant.get(&format!("/access-requests/{request}")).await.ok(200)["state"], "submitted");
}

#[tokio::test]
async fn roles_stop_where_they_end() {
    let demo = shared();
    let applicant = demo.sign_in("applicant").await;
    let (request, version) = applicant.submitted("api-particulier", "libre", json!({})).await;
    let approve = format!("/access-requests/{request}/approve");
    for role in ["observer", "developer"] {
        let caller = demo.sign_in(role).await;
        caller.get(&format!("/access-requests/{request}")).await.ok(200);
        caller.post(&approve, json!({ "version": version })).await.problem(403, "role_missing");
    }
    for role in ["api_administrator", "operator", "tax_reviewer"] {
        demo.sign_in(role).await.post(&approve, json!({ "version": version })).await.problem(404, "not_found");
    }
    let colleague = demo.sign_in("colleague").await;
    colleague.get(&format!("/access-requests/{request}")).await.ok(200);
    colleague.patch(&format!("/access-requests/{request}"), json!({ "answers": { "title": "x" } })).await.problem(403, "not_the_applicant");
    demo.nobody().get(&format!("/access-requests/{request}")).await.problem(401, "sign_in_required");
    demo.sign_in("manager").await.post(&approve, json!({ "version": version })).await.ok(200);
}

#[tokio::test]
async fn a_management_key_acts_for_its_organisation_and_never_as_a_person() {
    let demo = shared();
    let applicant = demo.sign_in("applicant").await;
    let (request, version) = applicant.submitted("api-particulier", "libre", json!({})).await;
    let application =
        applicant.post("/applications", json!({ "name": "gestion", "stage": "production", "management": true })).await.ok(201);
    let id = application["id"].as_str().unwrap();
    let key = applicant.post(&format!("/applications/{id}/credentials"), json!({ "kind": "api_key" })).await.ok(201)["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let nobody = demo.nobody();
    let with = [("X-Api-Key", key.as_str())];
    nobody.send(Method::GET, &format!("/access-requests/{request}"), None, &with).await.ok(200);
    nobody
        .send(Method::POST, "/applications", Some(json!({ "name": "by key", "stage": "sandbox" })), &with)
        .await
        .problem(403, "other_stage");
    nobody.send(Method::POST, "/applications", Some(json!({ "name": "by key", "stage": "production" })), &with).await.ok(201);
    for (path, body) in [
        (format!("/access-requests/{request}/approve"), json!({ "version": version })),
        (format!("/access-requests/{request}/submit"), json!({})),
        ("/access-requests".to_owned(), json!({ "definition": "api-particulier", "form": "libre" })),
        ("/applications".to_owned(), json!({ "name": "more", "stage": "production", "management": true })),
    ] {
        nobody.send(Method::POST, &path, Some(body), &with).await.problem(403, "person_required");
    }
    // A key without management rights is no credential here, and a bad key is 401, never a CSRF 403, whatever the cookie.
    let plain = demo.file["clients"][0]["api_key"].as_str().unwrap();
    for bad in [plain, "oct_live_key_unknown", "nonsense", ""] {
        applicant.send(Method::GET, "/me", None, &[("X-Api-Key", bad)]).await.problem(401, "invalid_credential");
        let without_csrf = crate::harness::Caller { csrf: None, ..applicant.clone() };
        without_csrf
            .send(Method::POST, "/applications", Some(json!({ "name": "x", "stage": "sandbox" })), &[("X-Api-Key", bad)])
            .await
            .problem(401, "invalid_credential");
    }
}
