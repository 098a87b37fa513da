//! The main job: apply, review, permit, credential, call, masked answer, trace, revoke, refused.

use serde_json::{Value, json};

use crate::harness::{Demo, QF, call, engines, members};

#[tokio::test]
async fn from_request_to_masked_answer_to_refusal() {
    for engine in engines() {
        let demo = Demo::start(engine);
        for stage in ["sandbox", "production"] {
            tell(&demo, stage).await;
        }
        let (sound, said) = demo.verify_ledger();
        assert!(sound, "{said}");
    }
}

async fn tell(demo: &Demo, stage: &str) {
    let (applicant, reviewer, administrator) =
        (demo.sign_in("applicant").await, demo.sign_in("reviewer").await, demo.sign_in("api_administrator").await);
    let scopes = json!({ "title": format!("Cantine {stage}"), "scopes": ["cnaf_quotient_familial", "cnaf_enfants"] });
    let (request, version) = applicant.submitted("api-particulier", "libre", scopes).await;

    // The reviewer finds it, reads it, and approves the version that was read.
    let list = reviewer.get("/access-requests?state=submitted&limit=100").await.ok(200);
    assert!(list["items"].as_array().unwrap().iter().any(|item| item["id"] == request.as_str()));
    let approval = reviewer.post(&format!("/access-requests/{request}/approve"), json!({ "version": version })).await.ok(200);
    let permit = approval["permit"].as_str().unwrap().to_owned();
    assert!(permit.starts_with('H'));

    // At that moment the application gets a token and calls.
    let client = applicant.client(stage, "dinum/api-particulier", Some(&permit)).await;
    let gateway = demo.gateway(stage);
    let token = client.token(gateway).await;
    let bearer = format!("Bearer {token}");
    let url = format!("{gateway}{QF}");
    for (name, value) in [("Authorization", bearer.as_str()), ("X-Api-Key", &client.key), ("KeyId", &client.key)] {
        let answer = call(&url, &[(name, value)]).await;
        assert_eq!(answer.header("octroi-error"), None);
        let body = answer.ok(200);
        // Exactly the fields of the granted scopes.
        assert_eq!(members(&body["data"]), ["enfants", "quotient_familial"], "{body}");
        assert_eq!(body["data"]["quotient_familial"]["valeur"], 872);
        assert!(body["data"]["enfants"].as_array().is_some_and(|children| !children.is_empty()));
    }
    // An operation that no granted scope opens.
    let other = url.replace("quotient_familial", "prime_activite");
    let refused = call(&other, &[("Authorization", &bearer)]).await;
    assert!(refused.header("www-authenticate").is_some_and(|value| value.contains("insufficient_scope")));
    refused.problem(403, "scope_missing");

    // Both sides see the calls, at once.
    for reader in [&applicant, &administrator] {
        let traces = reader.get(&format!("/traces?application={}&limit=100", client.id)).await.ok(200);
        let statuses: Vec<u64> = traces["items"].as_array().unwrap().iter().filter_map(|trace| trace["status"].as_u64()).collect();
        assert_eq!(statuses, [403, 200, 200, 200], "{traces}");
        let first = &traces["items"][1];
        assert_eq!(first["operation"], "GET /v3/dss/quotient_familial/identite");
        assert_eq!(first["permit"], permit.as_str());
        assert!(first["masked_fields"].as_u64().is_some_and(|count| count >= 2), "{first}");
        assert!(!traces.to_string().contains("MOREL"), "a trace never holds the query");
    }

    // One click revokes, and the very next call is refused, whatever the credential.
    reviewer.post(&format!("/permits/{permit}/revoke"), json!({ "reason": "Le service a fermé." })).await.ok(200);
    for (name, value) in [("Authorization", bearer.as_str()), ("X-Api-Key", &client.key)] {
        let refused = call(&url, &[(name, value)]).await;
        assert_eq!(refused.header("octroi-error"), Some("permit_revoked"));
        refused.problem(403, "permit_revoked");
    }
    evidence(demo, &request, &permit).await;
}

/// The ledger and the mails tell the same story.
async fn evidence(demo: &Demo, request: &str, permit: &str) {
    let applicant = demo.sign_in("applicant").await;
    let actions = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().rev().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    };
    let of_request = applicant.get(&format!("/ledger?subject={request}")).await.ok(200);
    assert_eq!(
        actions(&of_request),
        ["access_request.created", "access_request.edited", "access_request.submitted", "access_request.approved"]
    );
    let of_permit = applicant.get(&format!("/ledger?subject={permit}")).await.ok(200);
    assert_eq!(actions(&of_permit), ["permit.granted", "permit.revoked"]);
    let mailbox = demo.nobody().get("/dev/mailbox?to=applicant%40rivebelle.example").await.ok(200);
    let subjects: Vec<&str> = mailbox["items"].as_array().unwrap().iter().filter_map(|mail| mail["subject"].as_str()).collect();
    for expected in [
        format!("Votre demande {request} est bien arrivée"),
        format!("Votre demande {request} est acceptée"),
        format!("Votre habilitation {permit} est révoquée"),
    ] {
        assert!(subjects.contains(&expected.as_str()), "{expected}: {subjects:?}");
    }
}

#[tokio::test]
async fn an_amendment_keeps_the_permit_and_then_replaces_it_under_the_same_key() {
    for engine in engines() {
        let demo = Demo::start(engine);
        let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
        let (request, _) = applicant.submitted("api-particulier", "libre", json!({ "scopes": ["cnaf_quotient_familial"] })).await;
        let first = reviewer.approve(&request).await;
        let client = applicant.client("sandbox", "dinum/api-particulier", Some(&first)).await;
        let url = format!("{}{QF}", demo.gateway("sandbox"));
        let fields = async || members(&call(&url, &[("X-Api-Key", &client.key)]).await.ok(200)["data"]);
        assert_eq!(fields().await, ["quotient_familial"]);

        let amendment = applicant.post(&format!("/permits/{first}/amend"), json!({})).await.ok(201);
        let id = amendment["id"].as_str().unwrap();
        applicant
            .patch(&format!("/access-requests/{id}"), json!({ "answers": { "scopes": ["cnaf_quotient_familial", "cnaf_adresse"] } }))
            .await
            .ok(200);
        applicant.post(&format!("/access-requests/{id}/submit"), json!({})).await.ok(200);
        // The old permit stays in force, with its old scopes, until the amendment is approved.
        assert_eq!(fields().await, ["quotient_familial"]);
        let second = reviewer.approve(id).await;
        assert_eq!(fields().await, ["adresse", "quotient_familial"]);
        let old = applicant.get(&format!("/permits/{first}")).await.ok(200);
        assert_eq!((old["state"].as_str(), old["superseded_by"].as_str()), (Some("superseded"), Some(second.as_str())));
        assert_eq!(old["scopes"], json!(["cnaf_quotient_familial"]));
    }
}

#[tokio::test]
async fn suspended_resumed_and_a_new_key_take_effect_on_the_next_call() {
    let demo = crate::harness::shared();
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let (request, _) = applicant.submitted("api-particulier", "libre", json!({ "scopes": ["cnaf_quotient_familial"] })).await;
    let permit = reviewer.approve(&request).await;
    let client = applicant.client("production", "dinum/api-particulier", Some(&permit)).await;
    let url = format!("{}{QF}", demo.gateway("production"));
    for _ in 0..5 {
        call(&url, &[("X-Api-Key", &client.key)]).await.ok(200);
        reviewer.post(&format!("/permits/{permit}/suspend"), json!({ "reason": "vérification" })).await.ok(200);
        call(&url, &[("X-Api-Key", &client.key)]).await.problem(403, "permit_suspended");
        reviewer.post(&format!("/permits/{permit}/resume"), json!({})).await.ok(200);
    }
    let second = applicant.post(&format!("/applications/{}/credentials", client.id), json!({ "kind": "api_key" })).await.ok(201);
    let new_key = second["secret"].as_str().unwrap();
    call(&url, &[("X-Api-Key", new_key)]).await.ok(200);
    applicant.delete(&format!("/credentials/{}", client.key_id)).await.ok(200);
    call(&url, &[("X-Api-Key", &client.key)]).await.problem(401, "invalid_credential");
    call(&url, &[("X-Api-Key", new_key)]).await.ok(200);
}

#[tokio::test]
async fn sandbox_then_production_keeps_what_was_filled_in() {
    let demo = crate::harness::shared();
    let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
    let (request, _) = applicant.submitted("api-impot-particulier", "libre", json!({ "title": "Aides communales" })).await;
    let permit = reviewer.approve(&request).await;
    let application = applicant.post("/applications", json!({ "name": "p", "stage": "production" })).await.ok(201);
    let subscribe = format!("/applications/{}/subscriptions", application["id"].as_str().unwrap());
    let body = json!({ "api": "dgfip/impot-particulier", "permit": permit, "accept_terms": true });
    let refused = applicant.post(&subscribe, body).await.ok(422);
    assert_eq!(refused["errors"][0]["code"], "wrong_stage");

    let next = applicant.post(&format!("/permits/{permit}/next-stage"), json!({})).await.ok(201);
    let id = next["id"].as_str().unwrap();
    assert_eq!((next["stage"].as_str(), next["answers"]["title"].as_str()), (Some("production"), Some("Aides communales")));
    let missing = applicant.post(&format!("/access-requests/{id}/submit"), json!({})).await.ok(422);
    let pointers: Vec<&str> = missing["errors"].as_array().unwrap().iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert!(pointers.contains(&"/answers/calls_per_minute"), "{missing}");
    let shown = applicant.get("/definitions/api-impot-particulier").await.ok(200);
    let form = shown["forms"].as_array().unwrap().iter().find(|form| form["slug"] == "libre").unwrap();
    let example = form["later_stages"]["production"]["example"].clone();
    applicant.patch(&format!("/access-requests/{id}"), json!({ "answers": example })).await.ok(200);
    applicant.post(&format!("/access-requests/{id}/submit"), json!({})).await.ok(200);
    let production = reviewer.approve(id).await;
    applicant.post(&subscribe, json!({ "api": "dgfip/impot-particulier", "permit": production, "accept_terms": true })).await.ok(201);
    // The sandbox permit is still in force beside it.
    assert_eq!(applicant.get(&format!("/permits/{permit}")).await.ok(200)["state"], "active");
}
