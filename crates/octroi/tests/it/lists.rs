//! Finding: lists, counts, search, the public register, statistics; who sees what of them.

use serde_json::{Value, json};

use crate::harness::{Answer, Demo, QF, call, engines};

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn count(counts: &Value, state: &str) -> u64 {
    counts["states"].as_array().unwrap().iter().find(|found| found["state"] == state).unwrap()["count"].as_u64().unwrap()
}

#[tokio::test]
async fn requests_are_found_counted_and_kept_apart() {
    for engine in engines() {
        let demo = Demo::start(engine);
        let (applicant, reviewer, stranger) =
            (demo.sign_in("applicant").await, demo.sign_in("reviewer").await, demo.sign_in("stranger").await);
        let before = reviewer.get("/access-requests/counts").await.ok(200);
        let title = |title: &str| json!({ "title": title, "scopes": ["cnaf_quotient_familial"] });
        let (first, _) = applicant.submitted("api-particulier", "libre", title("Zélandine « Les Œillets »")).await;
        let (second, _) = applicant.submitted("api-particulier", "libre", title("Piscine")).await;
        let (third, _) = applicant.draft("api-particulier", "libre", title("Zélandine des Prés")).await;
        let permit = reviewer.approve(&second).await;
        let after = reviewer.get("/access-requests/counts").await.ok(200);
        for (state, more) in [("draft", 1), ("submitted", 1), ("approved", 1), ("refused", 0)] {
            assert_eq!(count(&after, state), count(&before, state) + more, "{state}");
        }
        assert_eq!(after["total"].as_u64().unwrap(), before["total"].as_u64().unwrap() + 3);

        let find = async |query: &str| ids(&reviewer.get(&format!("/access-requests?{query}")).await.ok(200));
        assert_eq!(find("q=zelandine+oeill").await, [first.as_str()]);
        assert_eq!(find("q=Z%C3%89LANDINE&sort=created").await, [third.as_str(), first.as_str()]);
        assert_eq!(find("q=zelandine&state=submitted,changes_requested").await, [first.as_str()]);
        assert_eq!(find(&format!("q={}", permit.to_lowercase())).await, [second.as_str()]);
        assert_eq!(find(&format!("q={first}")).await, [first.as_str()]);
        assert_eq!(find("q=oeillets+nobody").await, [] as [&str; 0]);
        assert_eq!(find("q=zelandine&provider=dgfip").await, [] as [&str; 0]);
        let queue = find("state=submitted&sort=submitted").await;
        assert_eq!(queue.last(), Some(&first), "the last to come is the last in the queue");
        let line = &reviewer.get("/access-requests?q=oeillets").await.ok(200)["items"][0];
        assert!(line["submitted_at"].is_string(), "{line}");
        // An organisation by its SIRET; the applicant's name, and their own view of it.
        let siret = line["organization"]["siret"].as_str().unwrap();
        assert!(find(&format!("organization={siret}&limit=100")).await.contains(&first));
        assert_eq!(find("organization=13002526500013").await, [] as [&str; 0]);
        assert!(ids(&applicant.get("/access-requests?q=oeillets").await.ok(200)).contains(&first));
        // A search cannot be used to look further than one may see, nor can the counts.
        assert_eq!(ids(&stranger.get("/access-requests?q=oeillets").await.ok(200)), [] as [&str; 0]);
        assert_eq!(stranger.get(&format!("/access-requests/counts?q={first}")).await.ok(200)["total"], 0);
        assert_eq!(stranger.get(&format!("/permits/counts?q={permit}")).await.ok(200)["total"], 0);
        assert_eq!(reviewer.get(&format!("/permits/counts?q={permit}")).await.ok(200)["total"], 1);
        demo.nobody().get("/access-requests/counts").await.ok(401);
        for wrong in ["sort=best", "state=lost", "stage=moon", "organization=x", "kind=all", "applicant=x"] {
            reviewer.get(&format!("/access-requests?{wrong}")).await.ok(422);
        }
    }
}

#[tokio::test]
async fn the_register_shows_permits_in_force_and_nobody() {
    for engine in engines() {
        let demo = Demo::start(engine);
        let (applicant, reviewer, nobody) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await, demo.nobody());
        let purpose = "Tarif, \"juste\";\nligne deux";
        let answers = json!({ "title": "=cmd|' /C calc'!A0", "purpose": purpose, "scopes": ["cnaf_quotient_familial"] });
        let (request, _) = applicant.submitted("api-particulier", "libre", answers).await;
        let csv = async |query: &str| -> Answer {
            Answer::read(nobody.http.get(format!("{}/register.csv{query}", demo.portal())).send().await.unwrap()).await
        };
        let lines = csv("").await.text.matches("\r\n").count();
        let permit = reviewer.approve(&request).await;
        let find = async |query: &str| nobody.get(&format!("/register?{query}")).await.ok(200);
        let found = find(&format!("q={permit}")).await;
        assert_eq!((found["total"].as_u64(), ids(&found)), (Some(1), vec![permit.clone()]));
        let entry = &found["items"][0];
        assert_eq!((entry["purpose"].as_str(), entry["scopes"][0].as_str()), (Some(purpose), Some("cnaf_quotient_familial")));
        assert!(entry["legal_basis"].is_string() && entry["siret"].as_str().is_some_and(|siret| siret.len() == 14), "{entry}");
        assert_eq!(find("q=cmd+calc").await["total"], 1);
        // Nothing of the applicant and of the contacts: neither in what is shown nor by what is asked.
        let me = applicant.get("/me").await.ok(200)["user"].clone();
        let (email, name) = (me["email"].as_str().unwrap(), me["name"].as_str().unwrap());
        let told = reviewer.get(&format!("/permits/{permit}")).await.ok(200);
        let contact = told["answers"].as_object().unwrap().values().find_map(|value| value["email"].as_str()).unwrap();
        let text = found.to_string();
        for secret in [email, contact, me["id"].as_str().unwrap()] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert_eq!(find(&format!("q={}", email.replace('@', "%40"))).await["total"], 0);
        assert_eq!(find(&format!("q={}+cmd", name.split(' ').next_back().unwrap())).await["total"], 0);

        let whole = csv("").await;
        assert_eq!(whole.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        assert_eq!(whole.text.matches("\r\n").count(), lines + 1);
        assert!(whole.text.starts_with("id,definition,provider,") && !whole.text.contains(email), "{}", whole.text);
        let own = csv(&format!("?q={permit}")).await.text;
        assert!(own.contains("'=cmd|' /C calc'!A0") && own.contains("\"Tarif, \"\"juste\"\";\nligne deux\""), "{own}");
        csv("?colour=red").await.problem(422, "invalid");
        // Revoked, it is gone at once.
        reviewer.post(&format!("/permits/{permit}/revoke"), json!({ "reason": "fin" })).await.ok(200);
        assert_eq!(find(&format!("q={permit}")).await["total"], 0);
        assert_eq!(csv("").await.text.matches("\r\n").count(), lines);
    }
}

#[tokio::test]
async fn statistics_tell_totals_and_nobody() {
    for engine in engines() {
        let demo = Demo::start(engine);
        let (applicant, reviewer) = (demo.sign_in("applicant").await, demo.sign_in("reviewer").await);
        let (request, _) = applicant.submitted("api-particulier", "libre", json!({ "scopes": ["cnaf_quotient_familial"] })).await;
        let permit = reviewer.approve(&request).await;
        let client = applicant.client("production", "dinum/api-particulier", Some(&permit)).await;
        call(&format!("{}{QF}", demo.gateway("production")), &[("X-Api-Key", &client.key)]).await.ok(200);
        // Whoever reads traces has those of every call so far written.
        applicant.get("/traces?limit=1").await.ok(200);

        let told = demo.nobody().get("/statistics").await.ok(200);
        let in_force = demo.nobody().get("/register?limit=1").await.ok(200)["total"].clone();
        assert_eq!(told["permits_in_force"], in_force);
        let months = told["months"].as_array().unwrap();
        assert_eq!(months.len(), 12);
        let sum = |member: &str| months.iter().map(|month| month[member].as_u64().unwrap()).sum::<u64>();
        assert!(sum("approved") >= 1 && sum("submitted") >= sum("approved"), "{told}");
        assert_eq!(sum("approved") + sum("refused"), told["decisions"]["decided"].as_u64().unwrap());
        assert!(told["decisions"]["median_hours"].is_number() && told["decisions"]["p90_hours"].is_number());
        let opened: u64 = months.iter().map(|month| month["opened"]["total"].as_u64().unwrap()).sum();
        assert_eq!(opened, told["requests"]["total"].as_u64().unwrap(), "the demo is younger than a year");
        for groups in ["definitions", "providers"] {
            let total: u64 = told[groups].as_array().unwrap().iter().map(|group| group["requests"]["total"].as_u64().unwrap()).sum();
            assert_eq!(total, told["requests"]["total"].as_u64().unwrap(), "{groups}");
        }
        let calls = told["calls"].as_array().unwrap();
        let api = calls.iter().find(|calls| calls["api"] == "dinum/api-particulier").unwrap();
        assert!(api["total"].as_u64().unwrap() >= 1 && api["days"].as_array().unwrap().len() == 30, "{api}");
        assert_eq!(told["call_days"].as_array().unwrap().len(), 30);
        // A private API is not even named, and no consumer is.
        let text = told.to_string();
        assert!(!text.contains("annuaire-interne") && !text.contains(&client.id), "{text}");
    }
}
