//! What an API's administrator does and sees, and what an application is told of itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Caller, Demo, QF, call, engines, shared};

const PRIVATE: &str = "/apis/dinum/annuaire-interne";

/// The word at the end of the latest invitation that was sent to this address.
async fn word(demo: &Demo, to: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let mails = demo.nobody().get(&format!("/dev/mailbox?to={to}")).await.ok(200);
        let texts = mails["items"].as_array().unwrap().iter().filter_map(|mail| mail["text"].as_str().map(str::to_owned));
        let found = texts.into_iter().find_map(|text| {
            let (_, rest) = text.split_once("/invitations/")?;
            Some(rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>())
        });
        if let Some(word) = found {
            return word;
        }
        assert!(Instant::now() < deadline, "no invitation came: {mails}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn application(caller: &Caller, stage: &str) -> String {
    let made = caller.post("/applications", json!({ "name": "Annuaire", "stage": stage })).await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_works_once_for_who_received_it() {
    for engine in engines() {
        let demo = Demo::start(engine);
        let administrator = demo.sign_in("api_administrator").await;
        let (stranger, applicant) = (demo.sign_in("stranger").await, demo.sign_in("applicant").await);
        let to = "stranger@hautmoulin.example";
        let invite = json!({ "email": "Stranger@hautmoulin.example", "language": "fr" });
        // Who does not administer the API is told nothing of it, not even that it exists.
        for path in ["/invitations", "/subscribers"] {
            stranger.get(&format!("{PRIVATE}{path}")).await.problem(404, "not_found");
            stranger.get(&format!("/apis/dinum/none{path}")).await.problem(404, "not_found");
        }
        stranger.post(&format!("{PRIVATE}/invitations"), invite.clone()).await.problem(404, "not_found");
        let bad = administrator.post(&format!("{PRIVATE}/invitations"), json!({ "email": "x" })).await.ok(422);
        assert_eq!(bad["errors"][0]["pointer"], "/email");
        // An API that a permit opens has no door beside it.
        administrator.post("/apis/dinum/api-particulier/invitations", invite.clone()).await.problem(409, "permit_required");

        let first = administrator.post(&format!("{PRIVATE}/invitations"), invite.clone()).await.ok(201);
        administrator.post(&format!("{PRIVATE}/invitations"), invite.clone()).await.problem(409, "already_invited");
        let withdrawn = administrator.delete(&format!("/invitations/{}", first["id"].as_str().unwrap())).await.ok(200);
        assert_eq!((first["state"].as_str(), withdrawn["state"].as_str()), (Some("open"), Some("withdrawn")));
        let dead = word(&demo, to).await;
        let mine = application(&stranger, "production").await;
        let accept = |word: &str, application: &str| json!({ "word": word, "application": application, "accept_terms": true });
        stranger.post("/invitations/accept", accept(&dead, &mine)).await.problem(409, "invitation_ended");

        let second = administrator.post(&format!("{PRIVATE}/invitations"), invite).await.ok(201);
        let mut good = word(&demo, to).await;
        while good == dead {
            tokio::time::sleep(Duration::from_millis(50)).await;
            good = word(&demo, to).await;
        }
        // The word is in the mail alone.
        assert!(!second.to_string().contains(&good));
        let listed = administrator.get(&format!("{PRIVATE}/invitations")).await.ok(200);
        assert!(!listed.to_string().contains(&good));
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        // Another account cannot use it, nor can it be used for what is another's, nor without an account.
        let others = application(&applicant, "production").await;
        applicant.post("/invitations/accept", accept(&good, &others)).await.problem(409, "other_address");
        stranger.post("/invitations/accept", accept(&good, &others)).await.ok(422);
        stranger.post("/invitations/accept", accept("nothing", &mine)).await.problem(404, "not_found");
        demo.nobody().post("/invitations/accept", accept(&good, &mine)).await.problem(401, "sign_in_required");
        stranger.get(PRIVATE).await.problem(404, "not_found");

        let subscription = stranger.post("/invitations/accept", accept(&good, &mine)).await.ok(201);
        assert_eq!((subscription["state"].as_str(), subscription["application"].as_str()), (Some("active"), Some(mine.as_str())));
        let again = application(&stranger, "production").await;
        stranger.post("/invitations/accept", accept(&good, &again)).await.problem(409, "invitation_ended");
        stranger.get(PRIVATE).await.ok(200);
        let subscribers = administrator.get(&format!("{PRIVATE}/subscribers?state=active")).await.ok(200);
        let held = subscribers["items"].as_array().unwrap().iter().find(|held| held["application"] == mine.as_str()).unwrap();
        assert_eq!(held["organization"]["name"], "Commune de Hautmoulin");
        let (sound, said) = demo.verify_ledger();
        assert!(sound, "{said}");
    }
}

/// What the administrator ended stays ended: ending one's own waiting subscription does not open a way round.
#[tokio::test]
async fn what_the_provider_stopped_stays_stopped() {
    let demo = Demo::start(crate::harness::Engine::Sqlite);
    let (administrator, vendor) = (demo.sign_in("api_administrator").await, demo.sign_in("stranger").await);
    let mine = application(&vendor, "sandbox").await;
    let body = json!({ "api": "dila/legifrance", "accept_terms": true });
    let subscribe = async || vendor.post(&format!("/applications/{mine}/subscriptions"), body.clone()).await;
    let state = |value: &Value| value["state"].as_str().unwrap().to_owned();
    let first = subscribe().await.ok(201);
    let id = first["id"].as_str().unwrap().to_owned();
    assert_eq!(state(&first), "active");
    // Ended by the subscriber, it may begin again.
    vendor.post(&format!("/subscriptions/{id}/revoke"), json!({})).await.ok(200);
    assert_eq!(state(&subscribe().await.ok(201)), "active");
    // Ended by the provider, it waits; and goes on waiting however often the subscriber ends it.
    administrator.post(&format!("/subscriptions/{id}/revoke"), json!({})).await.ok(200);
    for _ in 0..2 {
        assert_eq!(state(&subscribe().await.ok(201)), "pending");
        vendor.post(&format!("/subscriptions/{id}/revoke"), json!({})).await.ok(200);
    }
    assert_eq!(state(&subscribe().await.ok(201)), "pending");
    administrator.post(&format!("/subscriptions/{id}/activate"), json!({})).await.ok(200);
    vendor.post(&format!("/subscriptions/{id}/revoke"), json!({})).await.ok(200);
    assert_eq!(state(&subscribe().await.ok(201)), "active");
}

#[tokio::test]
async fn an_application_is_told_how_it_is_doing() {
    let demo = shared();
    let (applicant, reviewer, stranger) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await, demo.sign_in("stranger").await);
    let (request, _) = applicant.submitted("api-particulier", "libre", json!({})).await;
    let permit = reviewer.approve(&request).await;
    let client = applicant.client("sandbox", "dinum/api-particulier", Some(&permit)).await;
    let before = applicant.get(&format!("/applications/{}/usage", client.id)).await.ok(200);
    assert_eq!(before["subscriptions"][0]["last_call_at"], Value::Null);
    let quota = before["subscriptions"][0]["quota_per_day"].as_u64().unwrap();
    let url = format!("{}{QF}", demo.gateway("sandbox"));
    for _ in 0..3 {
        call(&url, &[("X-Api-Key", &client.key)]).await.ok(200);
    }
    let elsewhere = format!("{}/dila/legifrance/lf-engine-app/consult/ping", demo.gateway("sandbox"));
    call(&elsewhere, &[("X-Api-Key", &client.key)]).await.problem(403, "subscription_missing");
    // The counters are written four times a second.
    let deadline = Instant::now() + Duration::from_secs(5);
    let usage = loop {
        let usage = applicant.get(&format!("/applications/{}/usage", client.id)).await.ok(200);
        if usage["subscriptions"][0]["used_today"] == 3 {
            break usage;
        }
        assert!(Instant::now() < deadline, "{usage}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let subscription = &usage["subscriptions"][0];
    assert_eq!(subscription["left_today"].as_u64(), Some(quota - 3));
    assert!(subscription["last_call_at"].is_string());
    let error = &usage["errors"][0];
    assert_eq!((error["call"]["refusal"].as_str(), error["call"]["status"].as_u64()), (Some("subscription_missing"), Some(403)));
    assert!(error["explanation"]["detail"]["fr"].as_str().unwrap().contains("abonn"));
    stranger.get(&format!("/applications/{}/usage", client.id)).await.problem(404, "not_found");

    let counted = applicant.get(&format!("/traces/statistics?application={}", client.id)).await.ok(200);
    assert_eq!((counted["total"]["calls"].as_u64(), counted["total"]["refused"].as_u64()), (Some(4), Some(1)));
    assert_eq!(counted["items"].as_array().unwrap().iter().map(|item| item["calls"].as_u64().unwrap()).sum::<u64>(), 4);
    assert_eq!(counted["consumers"], json!([]));
    assert!(counted["total"]["p50_us"].as_u64().unwrap() > 0);
    // Who administers the API sees who calls; a stranger sees nothing of it.
    let query = format!("/traces/statistics?api=dinum/api-particulier&application={}", client.id);
    let seen = demo.sign_in("api_administrator").await.get(&query).await.ok(200);
    assert_eq!((seen["consumers"][0]["application"].as_str(), seen["consumers"][0]["calls"].as_u64()), (Some(client.id.as_str()), Some(3)));
    assert_eq!(stranger.get(&query).await.ok(200)["total"]["calls"], 0);
}

#[tokio::test]
async fn the_settings_tell_what_is_listened_on() {
    let demo = shared();
    let told = demo.sign_in("operator").await.get("/platform/settings").await.ok(200);
    let value = |name: &str| {
        let found = told.as_array().unwrap().iter().find(|setting| setting["name"] == name).unwrap();
        found["value"].as_str().unwrap().to_owned()
    };
    let port = |url: &str| url.rsplit(':').next().unwrap().to_owned();
    for (url, public, listen) in [
        (demo.portal(), "portal.public_url", "portal.listen"),
        (demo.gateway("sandbox"), "gateway.sandbox.public_url", "gateway.sandbox.listen"),
        (demo.gateway("production"), "gateway.production.public_url", "gateway.production.listen"),
    ] {
        assert_eq!((value(public).as_str(), port(&value(listen))), (url, port(url)), "{public}");
    }
    assert_ne!(port(&value("admin.listen")), "0");
}
