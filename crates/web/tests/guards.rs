//! What keeps others out of an account: counted guesses, second factors, recent proofs, cookies that change.

mod support;

use axum::http::Method;
use octroi_domain::account::SecondFactor;
use serde_json::json;
use support::{
    EMAIL, House, PASSWORD, PUBLIC,
    browser::{Browser, code_of, mails, main},
    phone::{Phone, set_up},
};

/// Abuse case 13: brute force, and lock-out as a denial of service.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_guesses_at_once_ten_are_looked_at_and_the_owner_still_comes_in() {
    let house = House::open(PUBLIC, true).await;
    let mut owner = Browser::at(&house);
    owner.sign_in(EMAIL, PASSWORD).await;
    let guess = |email: &'static str| {
        let router = house.router.clone();
        tokio::spawn(async move {
            use tower::ServiceExt;
            let body = json!({ "email": email, "password": "wrong wrong wrong" }).to_string();
            let request = axum::http::Request::builder()
                .method(Method::POST)
                .uri("/api/v1/session")
                .header("content-type", "application/json")
                .body(axum::body::Body::from(body))
                .unwrap();
            let response = router.oneshot(request).await.unwrap();
            (response.status().as_u16(), response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse::<u32>().unwrap()))
        })
    };
    let mut answers = Vec::new();
    for task in (0..200).map(|_| guess(EMAIL)).collect::<Vec<_>>() {
        answers.push(task.await.unwrap());
    }
    let looked_at = answers.iter().filter(|(status, _)| *status == 401).count();
    assert_eq!(looked_at, 10);
    assert!(answers.iter().all(|(status, wait)| matches!((status, wait), (401, None) | (429, Some(1..=61)))), "{answers:?}");
    // A stranger's browser has to wait, even with the right password; the one that the owner knows does not.
    let stranger = Browser::at(&house).post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert!(stranger.status == 429 && stranger.text.contains("Too many attempts") && stranger.headers.contains_key("retry-after"));
    owner.cookies.retain(|(name, _)| name == "octroi_browser");
    owner.sign_in(EMAIL, PASSWORD).await;
    // The delay grows, over a restart too: it stands in the database.
    house.wait(61);
    assert_eq!(guess(EMAIL).await.unwrap().0, 401);
    assert_eq!(guess(EMAIL).await.unwrap(), (429, Some(121)));
    // Nobody's account is counted in the same way.
    let mut nobody = Vec::new();
    for _ in 0..12 {
        nobody.push(guess("nobody@example.org").await.unwrap().0);
    }
    assert_eq!(nobody.iter().filter(|status| **status == 401).count(), 10, "{nobody:?}");
}

#[tokio::test]
async fn codes_of_mails_are_guessed_ten_times_at_most() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let code = code_of(&mails(&house, EMAIL).await[0]);
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    for _ in 0..10 {
        assert_eq!(ada.post("/sign-in/mail/code", &[("code", wrong)]).await.status, 422);
    }
    assert_eq!(ada.post("/sign-in/mail/code", &[("code", &code)]).await.status, 429, "one has to wait");
    house.wait(61);
    assert_eq!(ada.post("/sign-in/mail/code", &[("code", &code)]).await.status, 422, "and the proof is dead");
    // Mails are counted too: five, and then it takes longer and longer.
    let mut sent = 1;
    for _ in 0..8 {
        house.wait(31);
        if ada.post("/sign-in/mail", &[("email", EMAIL)]).await.status == 303 {
            sent += 1;
        }
    }
    assert_eq!(sent, 5);
    let soon = ada.post("/sign-in/mail", &[("email", EMAIL)]).await;
    assert!(soon.status == 429 && soon.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_code_of_an_application_works_once_and_recovery_codes_once_each() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    let before = ada.cookie("octroi_session").unwrap().to_owned();
    let (phone, codes) = set_up(&mut ada).await;
    let mut old = Browser::at(&house);
    old.cookies.push(("octroi_session".into(), before));
    assert!(ada.is_in().await && !old.is_in().await, "abuse case 18: a new cookie with each proof, and the old one is worth nothing");
    let shown = ada.get("/account/second-factor").await;
    assert!(shown.text.contains("10 are left") && !shown.text.contains(&codes[0]), "shown once");

    // The password is not enough any more, and opens nothing by itself.
    let mut second = Browser::at(&house);
    second.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(second.leads_to(), "/sign-in/second-factor");
    assert!(!second.is_in().await);
    second.get("/sign-in/second-factor").await;
    let used = phone.shows(&house);
    assert_eq!(second.post("/sign-in/second-factor", &[("code", &used)]).await.status, 422, "the code that set it up was used");
    house.wait(30);
    let code = phone.shows(&house);
    second.post("/sign-in/second-factor", &[("code", &code)]).await;
    assert_eq!(second.leads_to(), "/dashboard");
    let mut third = Browser::at(&house);
    third.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    third.get("/sign-in/second-factor").await;
    assert_eq!(third.post("/sign-in/second-factor", &[("code", &code)]).await.status, 422, "no replay");
    third.post("/sign-in/second-factor", &[("code", &codes[3].to_uppercase())]).await;
    assert_eq!(third.leads_to(), "/dashboard");
    let mut fourth = Browser::at(&house);
    fourth.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    fourth.get("/sign-in/second-factor").await;
    assert_eq!(fourth.post("/sign-in/second-factor", &[("code", &codes[3])]).await.status, 422, "once each");
    assert!(mails(&house, EMAIL).await[0].contains("Un code de secours a servi"));

    // A program sends both at once.
    let headers = [("content-type", "application/json")];
    let body = |code: Option<&str>| json!({ "email": EMAIL, "password": PASSWORD, "code": code }).to_string();
    let without = house.send(Method::POST, "/api/v1/session", &headers, body(None)).await;
    without.problem(403, "second_factor_required");
    assert!(!without.headers.contains_key("set-cookie"));
    house.wait(30);
    let with = house.send(Method::POST, "/api/v1/session", &headers, body(Some(&phone.shows(&house)))).await;
    assert_eq!(with.status, 200, "{}", with.text);

    // Guesses are counted, apart.
    let mut refused = 0;
    for _ in 0..12 {
        let answer = fourth.post("/sign-in/second-factor", &[("code", "000000")]).await;
        refused += usize::from(answer.status == 429);
    }
    assert!(refused >= 2, "{refused}");
    house.wait(3_700);
    second.sign_in_again(&phone).await;
    // New codes; the old ones are worth nothing. Then without.
    second.get("/account/second-factor").await;
    let page = second.post("/account/recovery-codes", &[]).await;
    assert!(page.status == 200 && !page.text.contains(&codes[5]), "{}", main(&page.text));
    second.get("/account/totp/remove").await;
    second.send("/account/totp/remove", &[]).await;
    Browser::at(&house).sign_in(EMAIL, PASSWORD).await;
}

impl Browser<'_> {
    async fn sign_in_again(&mut self, phone: &Phone) {
        self.last = None;
        self.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
        self.get("/sign-in/second-factor").await;
        let code = phone.shows(self.house);
        self.post("/sign-in/second-factor", &[("code", &code)]).await;
        assert_eq!(self.leads_to(), "/dashboard");
    }
}

#[tokio::test]
async fn a_role_that_demands_two_factors_is_held_back_until_they_are_shown() {
    let house = House::open_with(PUBLIC, true, SecondFactor::Required).await;
    let signed = house.sign_in().await;
    let cookie = [("cookie", signed.cookie.as_str())];
    let me = house.send(Method::GET, "/api/v1/me", &cookie, "").await.json();
    assert_eq!((&me["roles"], &me["second_factor_required"]), (&json!([]), &json!(true)));
    house.send(Method::GET, "/api/v1/users", &cookie, "").await.problem(403, "second_factor_required");
    house.post(&signed, "/api/v1/users", &[], &json!({})).await.problem(403, "second_factor_required");

    let mut operator = Browser::at(&house);
    operator.sign_in(EMAIL, PASSWORD).await;
    for path in ["/operator", "/dashboard"] {
        operator.get(path).await;
        assert!(operator.leads_to().starts_with("/sign-in/second-factor"), "{path}");
    }
    operator.get("/sign-in/second-factor").await;
    assert_eq!(operator.leads_to(), "/account/second-factor");
    let page = operator.get("/account/second-factor").await;
    assert!(page.text.contains("Your role asks for a second factor"), "{}", main(&page.text));
    let (phone, _) = set_up(&mut operator).await;
    assert_eq!(operator.get("/operator").await.status, 200);
    // The other session is asked for it now: nothing is lost on the way.
    let mut other = Browser::at(&house);
    let (name, value) = signed.cookie.split_once('=').unwrap();
    other.cookies.push((name.to_owned(), value.to_owned()));
    house.wait(30);
    other.get("/operator/people").await;
    assert_eq!(other.leads_to(), "/sign-in/second-factor?return_to=%2Foperator%2Fpeople");
    other.get("/sign-in/second-factor?return_to=%2Foperator%2Fpeople").await;
    let code = phone.shows(&house);
    other.post("/sign-in/second-factor", &[("code", &code)]).await;
    assert_eq!(other.leads_to(), "/operator/people");
    assert_eq!(other.get("/operator/people").await.status, 200);
    assert_ne!(other.cookie("octroi_session"), Some(value));
}

#[tokio::test]
async fn what_opens_an_account_changes_after_a_recent_proof_alone() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    ada.get("/account/password").await;
    house.wait(16 * 60);
    // A form that was open is not lost: the password, which stands in no page, is asked for again.
    let asked = ada.post("/account/password", &[("password", "dix canards au bord du lac")]).await;
    assert!(
        asked.status == 200 && asked.text.contains("Confirm that it is you") && !asked.text.contains("canards"),
        "{}",
        main(&asked.text)
    );
    for path in
        ["/account/email", "/account/password", "/account/passkeys", "/account/second-factor", "/account/sessions", "/account/delete"]
    {
        ada.get(path).await;
        assert!(ada.leads_to().starts_with("/sign-in/again?return_to=%2Faccount%2F"), "{path}");
    }
    assert_eq!(ada.get("/account").await.status, 200);
    let before = ada.cookie("octroi_session").unwrap().to_owned();
    ada.get("/sign-in/again?return_to=%2Faccount%2Fsessions").await;
    assert_eq!(ada.post("/sign-in/again", &[("password", "not this one, no")]).await.status, 401);
    ada.post("/sign-in/again", &[("password", PASSWORD)]).await;
    assert_eq!(ada.leads_to(), "/account/sessions");
    assert_ne!(ada.cookie("octroi_session"), Some(before.as_str()));
    assert_eq!(ada.get("/account/sessions").await.status, 200);
    // By a code of a mail too; another person's code proves nothing.
    house.wait(16 * 60);
    ada.get("/sign-in/again?return_to=%2Faccount%2Fpassword").await;
    ada.post("/sign-in/again/mail", &[]).await;
    let code = code_of(&mails(&house, EMAIL).await[0]);
    ada.post("/sign-in/again/code", &[("code", &code)]).await;
    assert_eq!(ada.leads_to(), "/account/password");
    // Roles are given after a recent proof alone.
    let signed = house.sign_in().await;
    let users = house.send(Method::GET, "/api/v1/users", &[("cookie", &signed.cookie)], "").await.json();
    let id = users["items"][0]["id"].as_str().unwrap().to_owned();
    house.wait(16 * 60);
    let body = json!({ "role": "operator", "perimeter": "platform" }).to_string();
    let headers = [("content-type", "application/json"), ("cookie", &signed.cookie), ("x-csrf-token", &signed.csrf)];
    let late = house.send(Method::PUT, &format!("/api/v1/users/{id}/roles"), &headers, body).await;
    late.problem(403, "recent_sign_in_required");
}

/// Abuse case 15: another site's form; and 18, sessions that end.
#[tokio::test]
async fn other_sites_and_dead_sessions_change_nothing() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    let jar = ada.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    for (path, body) in [
        ("/account/password", "password=dix+canards+au+bord"),
        ("/account/delete", "email=operator%40example.org"),
        ("/account/totp/begin", ""),
    ] {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let foreign = house.send(Method::POST, path, &[form, ("cookie", &jar), ("origin", "https://evil.example")], body).await;
        assert_eq!(foreign.status, 403, "{path}");
        let without_token = house.send(Method::POST, path, &[form, ("cookie", &jar)], body).await;
        assert!(without_token.status != 303, "{path}: nothing is done without the form's token");
    }
    assert!(ada.is_in().await);
    // An hour without use.
    house.wait(61 * 60);
    assert!(!ada.is_in().await);
    Browser::at(&house).sign_in(EMAIL, PASSWORD).await;
}
