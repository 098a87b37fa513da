//! Abuse case 13, with the whole program: guesses fired at once, over a `kill -9`, and the owner who comes in all the same.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use crate::harness::{Demo, engines};

const EMAIL: &str = "applicant@rivebelle.example";

/// The statuses of many wrong passwords at once; 0 where no answer came. The program is killed when so much time has gone by.
async fn fire(demo: &mut Demo, times: usize, kill_after: Option<Duration>) -> BTreeMap<u16, usize> {
    let address = format!("{}/api/v1/session", demo.portal());
    let client = reqwest::Client::new();
    let tasks: Vec<_> = (0..times)
        .map(|number| {
            let (client, address) = (client.clone(), address.clone());
            tokio::spawn(async move {
                let body = json!({ "email": EMAIL, "password": format!("wrong guess number {number}") });
                client.post(address).json(&body).send().await.map_or(0, |answer| answer.status().as_u16())
            })
        })
        .collect();
    if let Some(after) = kill_after {
        tokio::time::sleep(after).await;
        demo.kill();
    }
    let mut statuses = BTreeMap::new();
    for task in tasks {
        *statuses.entry(task.await.unwrap()).or_default() += 1;
    }
    statuses
}

async fn by_page(demo: &Demo, browser: &reqwest::Client, password: &str) -> (u16, Option<String>) {
    let form = [("email", EMAIL), ("password", password)];
    let answer = browser.post(format!("{}/sign-in", demo.portal())).form(&form).send().await.unwrap();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_13_guesses_stay_counted_when_the_program_is_killed() {
    for engine in engines() {
        let mut demo = Demo::start(engine);
        let accounts = demo.file["accounts"].as_array().unwrap();
        let password = accounts.iter().find(|account| account["email"] == EMAIL).unwrap()["password"].as_str().unwrap().to_owned();
        let browser = || {
            let plain = reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none());
            plain.build().unwrap()
        };
        let (owner, stranger) = (browser(), browser());
        assert_eq!(by_page(&demo, &owner, &password).await, (303, Some("/dashboard".to_owned())));

        let first = fire(&mut demo, 200, Some(Duration::from_millis(300))).await;
        demo.launch();
        let second = fire(&mut demo, 200, None).await;
        let of = |seen: &BTreeMap<u16, usize>, status: u16| seen.get(&status).copied().unwrap_or(0);
        assert!(of(&first, 401) + of(&second, 401) <= 10, "{engine:?}: {first:?}, then {second:?}");
        assert_eq!(of(&second, 401) + of(&second, 429), 200, "{engine:?}: {second:?}");

        // The right password comes too late for a stranger, and not for the browser that its owner is known by.
        assert_eq!(by_page(&demo, &stranger, &password).await.0, 429, "{engine:?}");
        assert_eq!(by_page(&demo, &owner, &password).await, (303, Some("/dashboard".to_owned())), "{engine:?}");
        let (sound, said) = demo.verify_ledger();
        assert!(sound, "{engine:?}: {said}");
    }
}
