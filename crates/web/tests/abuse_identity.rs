//! Abuse of accounts, sessions and ways in, with the exact reply that each gets. A name says the case of the threat model; the table of all
//! of them is in `docs/security.md`.
#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test: what is not there fails it")]

mod support;

use std::{collections::BTreeMap, time::Instant};

use axum::{
    body::Body,
    http::{Method, Request},
};
use octroi_domain::{account::SecondFactor, policy::Action};
use serde_json::{Value, json};
use support::{
    Answer, EMAIL, House, PASSWORD, PUBLIC,
    browser::{Browser, code_of, link_of, mails, main},
    phone::set_up,
};
use tower::ServiceExt;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const GOOD: &str = "sept nuages sur le quai";

fn wrong(code: &str) -> &'static str {
    if code == "00000000" { "00000001" } else { "00000000" }
}

/// The statuses of many requests that are sent at once.
async fn at_once(house: &House, times: usize, request: impl Fn() -> Request<Body>) -> BTreeMap<u16, usize> {
    let tasks: Vec<_> = (0..times)
        .map(|_| {
            let (router, request) = (house.router.clone(), request());
            tokio::spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() })
        })
        .collect();
    let mut statuses = BTreeMap::new();
    for task in tasks {
        *statuses.entry(task.await.unwrap()).or_default() += 1;
    }
    statuses
}

fn jar(browser: &Browser<'_>) -> String {
    browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// 10 codes are looked at whatever was sent, then 429 with the seconds to wait; and neither codes, nor mails, nor second factors that a stranger
/// uses up are those of a browser that its owner has signed in with.
#[tokio::test]
async fn case_13_a_stranger_cannot_use_up_the_guesses_or_mails_of_a_known_browser() {
    let house = House::open(PUBLIC, true).await;
    let mut owner = Browser::at(&house);
    owner.sign_in(EMAIL, PASSWORD).await;
    owner.cookies.retain(|(name, _)| name == "octroi_browser");

    let mut stranger = Browser::at(&house);
    stranger.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let code = code_of(&mails(&house, EMAIL).await[0]);
    for _ in 0..10 {
        assert_eq!(stranger.post("/sign-in/mail/code", &[("code", wrong(&code))]).await.status, 422);
    }
    let late = stranger.post("/sign-in/mail/code", &[("code", &code)]).await;
    assert_eq!((late.status.as_u16(), late.headers["retry-after"].to_str().unwrap()), (429, "61"));
    // Another mail begins no new count.
    for _ in 0..6 {
        house.wait(31);
        stranger.post("/sign-in/mail", &[("email", EMAIL)]).await;
    }
    let more = stranger.post("/sign-in/mail", &[("email", EMAIL)]).await;
    assert!(more.status == 429 && more.headers.contains_key("retry-after"), "{}", more.status);
    let mut second = Browser::at(&house);
    assert_eq!(second.post("/reset-password", &[("email", EMAIL)]).await.status, 429, "one count for all mails to an address");

    // The owner is none of this business.
    owner.last = None;
    owner.post("/sign-in/mail", &[("email", EMAIL)]).await;
    assert_eq!(owner.leads_to(), "/sign-in/mail");
    let code = code_of(&mails(&house, EMAIL).await[0]);
    owner.get("/sign-in/mail").await;
    assert_eq!(owner.post("/sign-in/mail/code", &[("code", wrong(&code))]).await.status, 422);
    owner.post("/sign-in/mail/code", &[("code", &code)]).await;
    assert_eq!(owner.leads_to(), "/dashboard");

    // By the API of the same browser neither.
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    for _ in 0..12 {
        let body = json!({ "email": EMAIL, "password": "wrong wrong wrong" }).to_string();
        house.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body).await;
    }
    let headers = [("content-type", "application/json")];
    house.send(Method::POST, "/api/v1/session", &headers, body.clone()).await.problem(429, "too_many_attempts");
    let known = format!("octroi_browser={}", owner.cookie("octroi_browser").unwrap());
    let headers = [("content-type", "application/json"), ("cookie", known.as_str())];
    assert_eq!(house.send(Method::POST, "/api/v1/session", &headers, body).await.status, 200);

    // A thief of the password does not keep the owner from the second factor.
    let (phone, _) = set_up(&mut owner).await;
    house.wait(3_600 * 25);
    let mut thief = Browser::at(&house);
    thief.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(thief.leads_to(), "/sign-in/second-factor");
    thief.get("/sign-in/second-factor").await;
    let mut statuses = BTreeMap::new();
    for _ in 0..14 {
        *statuses.entry(thief.post("/sign-in/second-factor", &[("code", "abcdabcdabcdabcd")]).await.status.as_u16()).or_insert(0) += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(422, 10), (429, 4)]));
    owner.cookies.retain(|(name, _)| name == "octroi_browser");
    owner.last = None;
    owner.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    owner.get("/sign-in/second-factor").await;
    let code = phone.shows(&house);
    owner.post("/sign-in/second-factor", &[("code", &code)]).await;
    assert_eq!(owner.leads_to(), "/dashboard");
}

/// Two hundred codes at once: ten are looked at, whichever door they come by.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn case_13_codes_and_second_factors_fired_at_once_are_looked_at_ten_times() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    set_up(&mut ada).await;
    let mut thief = Browser::at(&house);
    thief.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    let cookies = jar(&thief);
    let fire = |path: &'static str, cookies: String, code: &'static str| {
        move || {
            let request = Request::post(path).header(FORM.0, FORM.1).header("cookie", &cookies);
            request.body(Body::from(format!("code={code}"))).unwrap()
        }
    };
    let statuses = at_once(&house, 200, fire("/sign-in/second-factor", cookies, "abcdabcdabcdabcd")).await;
    assert_eq!(statuses, BTreeMap::from([(422, 10), (429, 190)]));

    let mut other = Browser::at(&house);
    other.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let code = wrong(&code_of(&mails(&house, EMAIL).await[0]));
    let cookies = jar(&other);
    let statuses = at_once(&house, 200, fire("/sign-in/mail/code", cookies, code)).await;
    assert_eq!(statuses, BTreeMap::from([(422, 10), (429, 190)]));
}

/// One request after another for each of two addresses: the status, the headers and the length of what is said do not tell which has an account.
#[tokio::test]
async fn case_14_no_header_and_no_length_tells_whether_an_account_exists() {
    let house = House::open(PUBLIC, true).await;
    // As long as the other, so that lengths can be compared.
    let nobody = "abcdefgh@example.org";
    assert_eq!(nobody.len(), EMAIL.len());
    let shape = |answer: &Answer, email: &str| {
        let mut headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .filter(|(name, _)| *name != "x-request-id")
            .map(|(name, value)| {
                let value = value.to_str().unwrap().to_owned();
                let cut = if *name == "set-cookie" { value.split_once('=').unwrap().0.to_owned() } else { value };
                (name.to_string(), cut.replace(email, "ADDRESS").replace(&email.replace('@', "%40"), "ADDRESS"))
            })
            .collect();
        headers.sort();
        (answer.status.as_u16(), headers, answer.text.len())
    };
    let forms: [(&str, &[(&str, &str)]); 6] = [
        ("/sign-in", &[]),
        ("/sign-in", &[("password", "wrong wrong wrong")]),
        ("/sign-in", &[("password", "")]),
        ("/sign-in/mail", &[]),
        ("/sign-up", &[]),
        ("/reset-password", &[]),
    ];
    for (path, more) in forms {
        let mut seen = Vec::new();
        for email in [EMAIL, nobody] {
            let mut browser = Browser::at(&house);
            let mut fields = vec![("email", email)];
            fields.extend(more);
            let first = shape(&*browser.post(path, &fields).await, email);
            // A code that nobody sent, and a passkey: what is asked for names no key of anybody.
            let code = shape(&*browser.post(&format!("{path}/code"), &[("code", "12345678")]).await, email);
            let options = browser.post("/sign-in/passkey/options", &[]).await;
            let offered: Value = serde_json::from_str(&options.text).unwrap();
            assert_eq!(offered["publicKey"].get("allowCredentials").cloned().unwrap_or(json!([])), json!([]), "{path} {email}");
            seen.push((first, code, shape(&options, email)));
        }
        assert_eq!(seen[0], seen[1], "{path} {more:?}");
    }
    for body in [json!({ "password": "wrong wrong wrong" }), json!({ "password": "" }), json!({ "password": "x".repeat(2_000) })] {
        let mut seen = Vec::new();
        for email in [EMAIL, nobody] {
            let mut body = body.clone();
            body["email"] = json!(email);
            let answer = house.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body.to_string()).await;
            assert_eq!(answer.status, 401);
            let mut problem = answer.json();
            problem.as_object_mut().unwrap().remove("request_id");
            seen.push((shape(&answer, email), problem));
        }
        assert_eq!(seen[0], seen[1]);
    }
}

/// The same work for a wrong password and for nobody: without it the second would answer tens of times sooner.
#[tokio::test]
async fn case_14_a_wrong_password_and_nobody_take_the_same_time() {
    let house = House::open(PUBLIC, false).await;
    let mut taken = [Vec::new(), Vec::new()];
    for round in 0..9 {
        let nobody = format!("nobody{round}@example.org");
        for (which, email) in [EMAIL, nobody.as_str()].into_iter().enumerate() {
            let body = json!({ "email": email, "password": "wrong wrong wrong" }).to_string();
            let began = Instant::now();
            let answer = house.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body).await;
            taken[which].push(began.elapsed());
            assert_eq!(answer.status, 401);
        }
    }
    // The shortest of each, which a busy machine disturbs least.
    let shortest = taken.map(|times| times.into_iter().min().unwrap().as_secs_f64());
    let (longer, shorter) = (shortest[0].max(shortest[1]), shortest[0].min(shortest[1]));
    assert!(longer < shorter * 3.0, "{shortest:?}");
}

/// Every route that changes something, by the session of somebody: another site, by whatever it can send, gets 403 and changes nothing.
#[tokio::test]
async fn case_15_no_change_is_made_for_another_site() {
    let house = House::open(PUBLIC, true).await;
    let signed = house.sign_in().await;
    let before = house.app.store().verify_ledger(|_| ()).await.unwrap();
    let mut tried = 0;
    for route in octroi_web::routes() {
        if route.method == Method::GET || route.method == Method::OPTIONS || route.action == Action::UseOAuthEndpoint {
            continue;
        }
        let path = route.path.replace("{id}", "00000000-0000-4000-8000-000000000000").replace(['{', '}'], "");
        let rest = path.starts_with("/api/v1/");
        for says in
            [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
        {
            let (kind, body) = if rest { ("application/json", "{}".to_owned()) } else { (FORM.1, format!("_csrf={}", signed.csrf)) };
            let mut headers = vec![("content-type", kind), ("cookie", signed.cookie.as_str()), says];
            if rest {
                headers.push(("x-csrf-token", &signed.csrf));
            }
            let answer = house.send(route.method.clone(), &path, &headers, body).await;
            assert_eq!(answer.status, 403, "{} {path} {says:?}: {}", route.method, answer.text);
            assert!(answer.text.contains("csrf") || !rest, "{path}");
            assert!(!answer.headers.contains_key("set-cookie"), "{path}");
            tried += 1;
        }
        if rest && route.action != Action::SignIn {
            // What a form can send without asking: no token.
            for kind in ["text/plain", FORM.1, "multipart/form-data; boundary=x", "application/json"] {
                let answer =
                    house.send(route.method.clone(), &path, &[("content-type", kind), ("cookie", &signed.cookie)], "{\"a\":\"=\"}").await;
                assert_eq!(answer.problem(403, "csrf")["status"], 403, "{path} {kind}");
            }
        }
    }
    assert!(tried > 400, "{tried}");
    assert_eq!(format!("{:?}", house.app.store().verify_ledger(|_| ()).await.unwrap()), format!("{before:?}"), "nothing was done");
    assert_eq!(house.send(Method::GET, "/api/v1/me", &[("cookie", &signed.cookie)], "").await.status, 200);
    // No method is another one in disguise.
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let answer = house.send(Method::GET, "/api/v1/session", &[("cookie", &signed.cookie), (name, "DELETE")], "").await;
        assert_eq!(answer.status, 405, "{name}");
    }
}

/// Wherever a way back is given, it leads to a page of ours or nowhere.
#[tokio::test]
async fn case_17_ways_back_stay_here() {
    let house = House::open(PUBLIC, true).await;
    for evil in [
        "https://evil.example",
        "http:evil.example",
        "HTTPS://evil.example/",
        "//evil.example",
        "///evil.example",
        "////evil.example/%2f..",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "/%2f/evil.example",
        "/%2e%2e//evil.example",
        "/..//evil.example",
        "/./..//evil.example",
        "/;@evil.example",
        "@evil.example",
        "evil.example",
        ".evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nLocation: https://evil.example",
        "/\u{0}/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/a\"><script>",
        "http://localhost:3000@evil.example/",
        "http://localhost:3000.evil.example/",
        "/／evil.example",
    ] {
        let mut ways: Vec<(String, String)> = Vec::new();
        let mut browser = Browser::at(&house);
        browser.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD), ("return_to", evil)]).await;
        ways.push(("/sign-in".into(), browser.leads_to()));
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", evil).finish();
        let already = browser.get(&format!("/sign-in?{query}")).await;
        ways.push(("/sign-in again".into(), already.headers["location"].to_str().unwrap().to_owned()));
        browser.get("/sign-in/again").await;
        browser.post("/sign-in/again", &[("password", PASSWORD), ("return_to", evil)]).await;
        ways.push(("/sign-in/again".into(), browser.leads_to()));
        let language = browser.post("/language", &[("language", "en"), ("return_to", evil)]).await;
        ways.push(("/language".into(), language.headers["location"].to_str().unwrap().to_owned()));
        browser.get("/account/name").await;
        browser.post("/sign-out", &[("return_to", evil)]).await;
        ways.push(("/sign-out".into(), browser.leads_to()));
        for (from, to) in ways {
            assert!(["/", "/dashboard", "/account"].contains(&to.as_str()), "{from} with {evil:?} leads to {to}");
        }
        for page in ["/sign-in", "/sign-up", "/reset-password", "/sign-in/mail", "/sign-in/second-factor"] {
            let answer = house.send(Method::GET, &format!("{page}?{query}"), &[("accept", "text/html")], "").await;
            // The switch of languages comes back to this very page.
            let text = answer.text.replace(&query, "");
            assert!(!text.contains("evil.example") && !text.contains("alert(1)"), "{page} {evil:?}");
            let to = answer.headers.get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
            assert!(to.is_empty() || to.starts_with("/sign-in"), "{page} {evil:?}: {to}");
        }
    }
}

/// A cookie that was there before is never what somebody signs in to; each proof has a new one; an old one is worth nothing, in any face.
#[tokio::test]
async fn case_18_a_session_is_new_each_time_and_ends_on_the_server() {
    let house = House::open(PUBLIC, true).await;
    let api = async |cookie: &str| house.send(Method::GET, "/api/v1/me", &[("cookie", cookie)], "").await;
    let of = |browser: &Browser<'_>| format!("octroi_session={}", browser.cookie("octroi_session").unwrap());
    // Fixation: a value of the attacker's, and a session of the attacker's own.
    let planted = "A".repeat(43);
    let mut victim = Browser::at(&house);
    victim.cookies.push(("octroi_session".into(), planted.clone()));
    victim.sign_in(EMAIL, PASSWORD).await;
    assert_ne!(victim.cookie("octroi_session"), Some(planted.as_str()));
    api(&format!("octroi_session={planted}")).await.problem(401, "sign_in_required");

    // One browser, one session: who comes in next ends the one of before, on the server too.
    let mut lea = Browser::at(&house);
    lea.post("/sign-up", &[("email", "lea@ville.example")]).await;
    let code = code_of(&mails(&house, "lea@ville.example").await[0]);
    lea.get("/sign-up/code").await;
    lea.send("/sign-up/code", &[("code", &code)]).await;
    lea.post("/sign-up/finish", &[("given_name", "Léa"), ("family_name", "Martin"), ("password", GOOD)]).await;
    let hers = of(&lea);
    assert_eq!(api(&hers).await.json()["user"]["email"], "lea@ville.example");
    lea.last = None;
    lea.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    let his = of(&lea);
    assert_eq!(api(&his).await.json()["user"]["email"], EMAIL);
    api(&hers).await.problem(401, "sign_in_required");

    // Step-up: new, and the old one is dead; so is one that was signed out of, whoever still has it.
    lea.get("/sign-in/again").await;
    lea.post("/sign-in/again", &[("password", PASSWORD)]).await;
    let stepped = of(&lea);
    assert_ne!(stepped, his);
    api(&his).await.problem(401, "sign_in_required");
    lea.get("/account/name").await;
    lea.post("/sign-out", &[]).await;
    assert!(lea.cookie("octroi_session").is_none());
    api(&stepped).await.problem(401, "sign_in_required");
    let page = house.send(Method::GET, "/account", &[("cookie", &stepped), ("accept", "text/html")], "").await;
    assert_eq!((page.status.as_u16(), page.headers["location"].to_str().unwrap()), (303, "/sign-in?return_to=%2Faccount"));

    // Tossed in beside the real one: neither counts.
    api(&format!("{}; octroi_session={planted}", of(&victim))).await.problem(401, "sign_in_required");
    assert_eq!(api(&of(&victim)).await.status, 200);
    // A session is no key, and its CSRF token no session.
    let token = form_token(&house, &of(&victim)).await;
    let bearer = format!("Bearer {}", victim.cookie("octroi_session").unwrap());
    house.send(Method::GET, "/api/v1/me", &[("authorization", &bearer)], "").await.problem(401, "invalid_credential");
    api(&format!("octroi_session={token}")).await.problem(401, "sign_in_required");
}

/// The CSRF token that the forms of a session carry.
async fn form_token(house: &House, cookie: &str) -> String {
    let page = house.send(Method::GET, "/account/name", &[("cookie", cookie), ("accept", "text/html")], "").await;
    main(&page.text).split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Used all day, it ends after twelve hours; unused, after one.
#[tokio::test]
async fn case_18_a_session_ends_after_twelve_hours_or_one_without_use() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    for minutes in (0..12 * 60).step_by(45) {
        assert!(ada.is_in().await, "after {minutes} minutes");
        // The use is noted beside the answer.
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        house.wait(45 * 60);
    }
    assert!(!ada.is_in().await, "after twelve hours");
    ada.sign_in(EMAIL, PASSWORD).await;
    house.wait(59 * 60);
    assert!(ada.is_in().await);
    tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    house.wait(60 * 60);
    assert!(!ada.is_in().await, "after an hour without use");
}

/// Over TLS, ended by a proxy in front, the cookies are bound to this host alone.
#[tokio::test]
async fn case_18_cookies_are_bound_to_the_host_over_tls() {
    let house = House::open("https://portail.example.fr", true).await;
    let body = format!("email={}&password={}", EMAIL.replace('@', "%40"), PASSWORD.replace(' ', "+"));
    let headers = [FORM, ("origin", "https://portail.example.fr"), ("host", "10.0.0.3:3000"), ("x-forwarded-proto", "http")];
    let answer = house.send(Method::POST, "/sign-in", &headers, body).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    for name in ["__Host-octroi", "__Host-octroi-browser"] {
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(&format!("{name}="))).unwrap();
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.to_lowercase().contains("domain"), "{cookie}");
    }
    assert!(answer.headers["strict-transport-security"].to_str().unwrap().contains("max-age="));
    // The name that a sub-domain could set counts for nothing.
    let value = cookies.iter().find_map(|cookie| cookie.strip_prefix("__Host-octroi=")).unwrap().split(';').next().unwrap();
    let plain = format!("octroi_session={value}");
    house.send(Method::GET, "/api/v1/me", &[("cookie", &plain)], "").await.problem(401, "sign_in_required");
    let own = format!("__Host-octroi={value}");
    assert_eq!(house.send(Method::GET, "/api/v1/me", &[("cookie", &own)], "").await.status, 200);
}

/// A role that is taken away is gone with the next request, in the session that is open.
#[tokio::test]
async fn case_18_a_role_that_is_taken_away_is_gone_at_once() {
    let house = House::open(PUBLIC, true).await;
    let operator = house.sign_in().await;
    let new = json!({ "email": "eve@ville.example", "given_name": "Eve", "family_name": "M", "password": GOOD,
        "roles": [{ "role": "operator", "perimeter": "platform" }] });
    let id = house.post(&operator, "/api/v1/users", &[], &new).await.json()["id"].as_str().unwrap().to_owned();
    let body = json!({ "email": "eve@ville.example", "password": GOOD }).to_string();
    let signed = house.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body).await;
    let eve = signed.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(house.send(Method::GET, "/api/v1/users", &[("cookie", &eve)], "").await.status, 200);
    let headers = [("content-type", "application/json"), ("cookie", operator.cookie.as_str()), ("x-csrf-token", &operator.csrf)];
    let body = json!({ "role": "operator", "perimeter": "platform" }).to_string();
    assert_eq!(house.send(Method::DELETE, &format!("/api/v1/users/{id}/roles"), &headers, body).await.status, 200);
    house.send(Method::GET, "/api/v1/users", &[("cookie", &eve)], "").await.problem(403, "role_missing");
}

/// What one may not set of oneself is no member of any form or body.
#[tokio::test]
async fn case_19_nobody_sets_what_is_not_theirs_to_set() {
    let house = House::open(PUBLIC, true).await;
    // A sign-up whose last form says more than it should.
    let mut eve = Browser::at(&house);
    eve.post("/sign-up", &[("email", "eve@ville.example")]).await;
    let code = code_of(&mails(&house, "eve@ville.example").await[0]);
    eve.get("/sign-up/code").await;
    eve.send("/sign-up/code", &[("code", &code), ("email", EMAIL)]).await;
    let more = [
        ("given_name", "Eve"),
        ("family_name", "Martin"),
        ("password", GOOD),
        ("email", "eve@interieur.gouv.fr"),
        ("role", "operator"),
        ("roles", "operator:platform"),
        ("email_verified", "true"),
        ("id", "00000000-0000-4000-8000-000000000000"),
        ("organization", "21750001600019"),
        ("level", "certified"),
    ];
    eve.post("/sign-up/finish", &more).await;
    assert_eq!(eve.leads_to(), "/dashboard");
    let cookie = jar(&eve);
    let me = house.send(Method::GET, "/api/v1/me", &[("cookie", &cookie)], "").await.json();
    assert_eq!((&me["user"]["email"], &me["email_verified"]), (&json!("eve@ville.example"), &json!(true)));
    assert_eq!((&me["roles"], &me["organizations"]), (&json!([]), &json!([])));

    let token = form_token(&house, &cookie).await;
    let send = async |method: Method, path: &str, body: String| {
        let headers = [("content-type", "application/json"), ("cookie", cookie.as_str()), ("x-csrf-token", token.as_str())];
        house.send(method, path, &headers, body).await
    };
    let name = json!({ "given_name": "Eva", "family_name": "Martin" });
    for (member, value) in [
        ("email_verified", json!(true)),
        ("email", json!("eve@gouv.fr")),
        ("roles", json!([{ "role": "operator", "perimeter": "platform" }])),
        ("id", json!("x")),
        ("__proto__", json!({})),
        ("password_hash", json!("x")),
    ] {
        let mut body = name.clone();
        body[member] = value;
        let problem = send(Method::PUT, "/api/v1/me/name", body.to_string()).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{member}"), "{problem}");
    }
    let twice = "{\"given_name\":\"a\",\"given_name\":\"b\",\"family_name\":\"c\"}".to_owned();
    send(Method::PUT, "/api/v1/me/name", twice).await.problem(400, "malformed_json");
    for wrong in [json!(["Eva"]), json!(7), json!(null), json!({ "a": "b" })] {
        let body = json!({ "given_name": wrong, "family_name": "Martin" });
        send(Method::PUT, "/api/v1/me/name", body.to_string()).await.problem(422, "invalid");
    }
    assert_eq!(send(Method::PUT, "/api/v1/me/name", name.to_string()).await.json()["user"]["name"], "Eva Martin");
    for (member, value) in [("level", json!("certified")), ("proof", json!("identity_provider")), ("user", json!("x"))] {
        let mut body = json!({ "number": "21750001600019", "name": "Rivebelle" });
        body[member] = value;
        send(Method::POST, "/api/v1/joinings", body.to_string()).await.problem(422, "invalid");
    }
    let joined = send(Method::POST, "/api/v1/joinings", json!({ "number": "21750001600019", "name": "R" }).to_string()).await;
    assert_eq!((joined.status.as_u16(), &joined.json()["level"]), (201, &json!("unverified")), "{}", joined.text);
}

/// Lines, directions and colours do not leave the field that they were typed in.
#[tokio::test]
async fn case_23_nothing_typed_becomes_a_header_a_line_or_another_reader() {
    let house = House::open(PUBLIC, true).await;
    for email in [
        "eve@ville.example\r\nBcc: all@ville.example",
        "eve@ville.example\nBcc: all@ville.example",
        "eve@ville.example,all@ville.example",
        "eve@ville.example;all@ville.example",
        "<eve@ville.example>",
        "Eve <eve@ville.example>",
        "eve@ville.example\0",
        "eve@ville.example\u{202e}",
        "\"eve\r\n\"@ville.example",
    ] {
        for path in ["/sign-up", "/sign-in/mail", "/reset-password"] {
            let answer = Browser::at(&house).post(path, &[("email", email)]).await;
            assert_eq!(answer.status, 422, "{path} {email:?}");
        }
    }
    assert!(mails(&house, "all@ville.example").await.is_empty() && mails(&house, "eve@ville.example").await.is_empty());
    let mut eve = Browser::at(&house);
    eve.post("/sign-up", &[("email", "eve@ville.example")]).await;
    let code = code_of(&mails(&house, "eve@ville.example").await[0]);
    eve.get("/sign-up/code").await;
    eve.send("/sign-up/code", &[("code", &code)]).await;
    for name in [
        "Eve\r\nBcc: all@ville.example",
        "Eve\n.\nMAIL FROM:<x>",
        "Eve\u{1b}[31m",
        "Eve\u{202e}",
        "Eve\u{200b}",
        "\0",
        "<b>Eve</b>",
        "https://eve.example",
    ] {
        let answer = eve.post("/sign-up/finish", &[("given_name", name), ("family_name", "M"), ("password", GOOD)]).await;
        assert_eq!(answer.status, 422, "{name:?}");
    }
    eve.post("/sign-up/finish", &[("given_name", "Eve"), ("family_name", "M"), ("password", GOOD)]).await;
    assert_eq!(eve.leads_to(), "/dashboard");
    // What a browser says of itself is shown to its owner, as text.
    let cookie = jar(&eve);
    let agent = [("user-agent", "<script>alert(1)</script>"), ("x-request-id", "a b<script>"), FORM, ("cookie", cookie.as_str())];
    let body = format!("email=eve%40ville.example&password={}", GOOD.replace(' ', "+"));
    let answer = house.send(Method::POST, "/sign-in", &agent, body).await;
    assert_eq!(answer.status, 303);
    assert!(answer.headers["x-request-id"].to_str().unwrap().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    let session =
        answer.headers.get_all("set-cookie").iter().find_map(|set| set.to_str().unwrap().strip_prefix("octroi_session=")).unwrap();
    let session = format!("octroi_session={}", session.split(';').next().unwrap());
    let page = house.send(Method::GET, "/account/sessions", &[("cookie", &session), ("accept", "text/html")], "").await;
    assert!(page.status == 200 && !page.text.contains("<script>alert"), "{}", main(&page.text));
}

/// What opens an account is in the files in no form that opens it, and on no page a second time.
#[tokio::test]
async fn case_24_nothing_that_opens_an_account_is_in_the_files() {
    let house = House::open(PUBLIC, false).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    ada.get("/account/second-factor").await;
    let page = ada.send("/account/totp/begin", &[]).await;
    let phone = support::phone::Phone::reads(&page.text);
    let key = main(&page.text).split("<code>").nth(1).unwrap().split("</code>").next().unwrap().replace(' ', "");
    let code = phone.shows(&house);
    let page = ada.post("/account/totp", &[("code", &code)]).await;
    let recovery = main(&page.text).split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    let mut secrets: Vec<Vec<u8>> = vec![PASSWORD.into(), key.into_bytes(), phone.0.clone()];
    for line in recovery.lines() {
        secrets.extend([line.into(), line.replace('-', "").into_bytes()]);
    }
    secrets.extend(
        ada.cookies
            .iter()
            .filter(|(name, _)| name.starts_with("octroi_s") || name.starts_with("octroi_b"))
            .map(|(_, value)| value.clone().into_bytes()),
    );
    assert!(secrets.len() > 20, "{}", secrets.len());
    for path in ["/account", "/account/second-factor", "/account/sessions"] {
        let again = ada.get(path).await;
        assert_eq!((again.status.as_u16(), again.headers["cache-control"].to_str().unwrap()), (200, "no-store"), "{path}");
        assert!(!recovery.lines().any(|line| again.text.contains(line)), "{path}");
    }
    if !house.is_of_files() {
        return;
    }
    let files = house.files();
    assert!(files.windows(EMAIL.len()).any(|part| part == EMAIL.as_bytes()), "it is these files");
    for secret in &secrets {
        assert!(!files.windows(secret.len()).any(|part| part == secret.as_slice()), "{}", String::from_utf8_lossy(secret));
    }
}

/// A word is good for one door: at every other it is unknown, and not used up.
#[tokio::test]
async fn case_32_no_word_opens_another_door() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let link = link_of(&mails(&house, EMAIL).await[0], "/sign-in/link/");
    let sign_in = link.strip_prefix("/sign-in/link/").unwrap().split('?').next().unwrap().to_owned();
    ada.post("/reset-password", &[("email", EMAIL)]).await;
    let reset = link_of(&mails(&house, EMAIL).await[0], "/reset-password/").strip_prefix("/reset-password/").unwrap().to_owned();
    let mut other = Browser::at(&house);
    assert_eq!(other.get(&format!("/sign-in/link/{reset}")).await.status, 404);
    assert_eq!(other.post(&format!("/sign-in/link/{reset}"), &[]).await.status, 404);
    assert_eq!(other.get(&format!("/reset-password/{sign_in}")).await.status, 404);
    assert_eq!(other.post(&format!("/reset-password/{sign_in}"), &[("password", GOOD)]).await.status, 404);
    for word in [&sign_in, &reset] {
        assert_eq!(other.get(&format!("/oauth/authorize/{word}")).await.status, 404);
        let bearer = format!("Bearer {word}");
        house.send(Method::GET, "/api/v1/me", &[("authorization", &bearer)], "").await.problem(401, "invalid_credential");
        let userinfo = house.send(Method::GET, "/oauth/userinfo", &[("authorization", &bearer)], "").await;
        assert_eq!((userinfo.status.as_u16(), &userinfo.json()["error"]), (401, &json!("invalid_token")));
        let cookie = format!("octroi_session={word}");
        house.send(Method::GET, "/api/v1/me", &[("cookie", &cookie)], "").await.problem(401, "sign_in_required");
    }
    let mut signed = Browser::at(&house);
    signed.sign_in(EMAIL, PASSWORD).await;
    for word in [&sign_in, &reset] {
        assert_eq!(signed.get(&format!("/organizations/invitations/{word}")).await.status, 404);
        assert_eq!(signed.get(&format!("/invitations/{word}")).await.status, 404);
    }
    // A code that was sent to sign in proves no sign-up and no new address.
    let code = code_of(mails(&house, EMAIL).await.iter().find(|mail| mail.contains("/sign-in/link/")).unwrap());
    for path in ["/sign-up/code", "/account/email/code"] {
        let mut browser = ada.clone();
        browser.cookies.extend(signed.cookies.iter().filter(|(name, _)| name == "octroi_session").cloned());
        browser.get("/account/name").await;
        let answer = browser.post(path, &[("code", &code)]).await;
        assert_eq!(answer.status, 422, "{path}: {}", main(&answer.text));
    }
    // None of it used them up.
    ada.get(&link).await;
    assert_eq!(ada.leads_to(), "/dashboard");
    other.last = None;
    other.get(&format!("/reset-password/{reset}")).await;
    other.post(&format!("/reset-password/{reset}"), &[("password", GOOD)]).await;
    assert!(other.leads_to().starts_with("/sign-in"));
}

/// Links of mails, and where pages lead, are of the address that the settings give, whatever a request says.
#[tokio::test]
async fn case_40_no_request_says_where_links_lead() {
    let house = House::open(PUBLIC, true).await;
    for (path, start) in [("/reset-password", "/reset-password/"), ("/sign-in/mail", "/sign-in/link/")] {
        let headers = [
            FORM,
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "host=evil.example;proto=https"),
            ("x-original-host", "evil.example"),
        ];
        let answer = house.send(Method::POST, path, &headers, format!("email={}", EMAIL.replace('@', "%40"))).await;
        assert!(answer.status == 200 || answer.status == 303, "{}", answer.text);
        assert!(!answer.text.contains("evil.example") && !format!("{:?}", answer.headers).contains("evil.example"));
        let mail = mails(&house, EMAIL).await.remove(0);
        assert!(mail.contains(&format!("{PUBLIC}{start}")) && !mail.contains("evil.example"), "{mail}");
        house.wait(60);
    }
    let known = house.send(Method::GET, "/.well-known/openid-configuration", &[("host", "evil.example")], "").await;
    assert_eq!(known.json()["issuer"], PUBLIC);
}

/// Roles that demand two factors are held back in every face until both were shown, whatever door the first came by.
#[tokio::test]
async fn case_18_a_step_cannot_be_skipped() {
    let house = House::open_with(PUBLIC, true, SecondFactor::Required).await;
    let mut operator = Browser::at(&house);
    operator.sign_in(EMAIL, PASSWORD).await;
    let (phone, _) = set_up(&mut operator).await;
    let mut thief = Browser::at(&house);
    thief.post("/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(thief.leads_to(), "/sign-in/second-factor");
    assert!(thief.cookie("octroi_session").is_none(), "half in is not in");
    for path in ["/account", "/account/totp/remove", "/operator", "/sign-in/again", "/organizations"] {
        thief.get(path).await;
        assert!(thief.leads_to().starts_with("/sign-in?return_to="), "{path}");
    }
    for (path, fields) in
        [("/account/totp/remove", &[][..]), ("/account/password", &[("password", GOOD)]), ("/sign-in/again", &[("password", PASSWORD)])]
    {
        assert_eq!(thief.post(path, fields).await.status, 401, "{path}");
    }
    // A mail is no second factor beside a password, nor is the code of one.
    house.wait(60);
    thief.post("/sign-in/mail", &[("email", EMAIL)]).await;
    let link = link_of(&mails(&house, EMAIL).await[0], "/sign-in/link/");
    thief.get(&link).await;
    assert!(thief.leads_to().starts_with("/sign-in/second-factor"));
    // Nor does a new password take it away.
    house.wait(60);
    thief.post("/reset-password", &[("email", EMAIL)]).await;
    let link = link_of(&mails(&house, EMAIL).await[0], "/reset-password/");
    thief.get(&link).await;
    thief.post(&link, &[("password", GOOD)]).await;
    thief.last = None;
    thief.post("/sign-in", &[("email", EMAIL), ("password", GOOD)]).await;
    assert_eq!(thief.leads_to(), "/sign-in/second-factor");
    assert!(thief.cookie("octroi_session").is_none());
    // Half in as one, somebody else's step is none of theirs: another browser has no half.
    let mut elsewhere = Browser::at(&house);
    let code = phone.shows(&house);
    elsewhere.post("/sign-in/second-factor", &[("code", &code)]).await;
    assert_eq!(elsewhere.leads_to(), "/sign-in");
}

/// A hash made with the parameters of other days is made anew when its owner signs in, and then only.
#[tokio::test]
async fn a_weak_hash_is_renewed_at_sign_in() {
    const WEAK: &str = "$argon2id$v=19$m=8192,t=1,p=1$RtcPbEgO4qpn4caDWd+0+w$ZlQd869Wrwx+DDk8hhvOu4vL3guu5xb78zF475q66lw";
    let house = House::open(PUBLIC, false).await;
    let store = house.app.store();
    let id = store.read().user_by_email(EMAIL).await.unwrap().unwrap().id;
    let mut tx = store.write().await.unwrap();
    tx.user_set_password(id, WEAK).await.unwrap();
    tx.commit().await.unwrap();
    let kept = async || store.read().user_password(id).await.unwrap().unwrap();
    assert_eq!(Browser::at(&house).post("/sign-in", &[("email", EMAIL), ("password", "not this one, no")]).await.status, 401);
    assert_eq!(kept().await, WEAK);
    Browser::at(&house).sign_in(EMAIL, PASSWORD).await;
    let renewed = kept().await;
    assert!(renewed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{renewed}");
    Browser::at(&house).sign_in(EMAIL, PASSWORD).await;
    assert_eq!(kept().await, renewed, "once");
}

/// The longest password that may be chosen opens the account, however the keyboard writes its letters.
#[tokio::test]
async fn the_longest_password_is_one_of_128_characters_whatever_they_are() {
    let house = House::open(PUBLIC, true).await;
    let mut ada = Browser::at(&house);
    ada.sign_in(EMAIL, PASSWORD).await;
    let longest: String = "각🦊é모ΐ🌲".chars().cycle().take(128).collect();
    let apart: String =
        "\u{1100}\u{1161}\u{11a8}|🦊|e\u{301}|\u{1106}\u{1169}|\u{3b9}\u{308}\u{301}|🌲".split('|').cycle().take(128).collect();
    for (password, status) in [(format!("{longest}a"), 422), ("각🦊é모ΐ🌲각🦊é모ΐ".to_owned(), 422), (longest.clone(), 303)] {
        ada.get("/account/password").await;
        assert_eq!(ada.post("/account/password", &[("password", &password)]).await.status.as_u16(), status, "{password}");
    }
    for typed in [&longest, &apart] {
        Browser::at(&house).sign_in(EMAIL, typed).await;
    }
    assert!(
        apart.len() > 600 && Browser::at(&house).post("/sign-in", &[("email", EMAIL), ("password", &longest[3..])]).await.status == 401
    );
}
