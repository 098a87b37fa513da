//! `kill -9` in the middle of approving: all of it is there, or none of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Demo, engines};

/// How many times; `OCTROI_KILLS` asks for more.
fn rounds() -> usize {
    std::env::var("OCTROI_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[tokio::test]
async fn an_approval_is_whole_or_absent() {
    for engine in engines() {
        let mut demo = Demo::start(engine);
        let (mut approved, mut absent) = (0, 0);
        for round in 0..rounds() {
            let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
            let (request, version) = applicant.submitted("api-particulier", "libre", json!({ "title": format!("round {round}") })).await;
            let path = format!("/access-requests/{request}/approve");
            let answer = tokio::spawn({
                let (reviewer, path) = (reviewer.clone(), path.clone());
                async move {
                    reviewer
                        .http
                        .post(format!("{}/api/v1{path}", reviewer.portal))
                        .header("X-CSRF-Token", reviewer.csrf.unwrap())
                        .json(&json!({ "version": version }))
                        .send()
                        .await
                }
            });
            // From before the transaction to after it.
            tokio::time::sleep(Duration::from_micros((round as u64 * 1_700) % 25_000)).await;
            demo.kill();
            let answered = answer.await.unwrap().is_ok_and(|answer| answer.status().is_success());
            demo.launch();
            let whole = look(&demo, &request).await;
            assert!(whole || !answered, "round {round}: it was answered, and is not there");
            if whole {
                approved += 1
            } else {
                absent += 1
            }
            let (sound, said) = demo.verify_ledger();
            assert!(sound, "round {round}: {said}");
        }
        eprintln!("{engine:?}: {approved} whole, {absent} absent");
    }
}

/// Is the approval whole? Panics when it is half.
async fn look(demo: &Demo, request: &str) -> bool {
    let applicant = demo.sign_in("applicant").await;
    let shown = applicant.get(&format!("/access-requests/{request}")).await.ok(200);
    let permit = shown["permit"].as_str().map(str::to_owned);
    let mails = demo.nobody().get("/dev/mailbox?to=applicant%40rivebelle.example").await.ok(200);
    let told = mails.to_string().contains(&format!("Votre demande {request} est acceptée"));
    match (shown["state"].as_str().unwrap(), permit) {
        ("submitted", None) => {
            assert!(!told, "a mail tells of what did not happen");
            let permits = applicant.get("/permits?limit=100").await.ok(200);
            assert!(permits["items"].as_array().unwrap().iter().all(|permit| permit["request"] != request), "a permit without its request");
            false
        }
        ("approved", Some(permit)) => {
            assert!(told, "the mail is missing");
            assert_eq!(applicant.get(&format!("/permits/{permit}")).await.ok(200)["state"], "active");
            let ledger = applicant.get(&format!("/ledger?subject={permit}")).await.ok(200);
            let entries: Vec<&Value> =
                ledger["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "permit.granted").collect();
            assert_eq!(entries.len(), 1);
            true
        }
        other => panic!("half an approval: {other:?}"),
    }
}
