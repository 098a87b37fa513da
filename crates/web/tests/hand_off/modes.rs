//! The four ways of being handed over.

use axum::http::Method;
use serde_json::json;

use crate::world::{CHALLENGE, CITY, FRONT, ORIGIN, VERIFIER, World, ada, bearer, fetch, location, log_in, parameter};

const WISH: &str = "?code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=front-1";

#[tokio::test]
async fn by_a_session_that_no_script_reads() {
    let world = World::with(json!({}), json!({})).await;
    let mut browser = world.browser();
    let answer = log_in(&world, &mut browser, "?state=front-1", &ada()).await;
    assert_eq!(location(&answer), format!("{FRONT}?state=front-1"));
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let session = cookies.iter().find(|text| text.starts_with("octroi_product_catalogue=")).unwrap();
    assert!(session.contains("; HttpOnly; SameSite=Lax; Max-Age=43200"), "{session}");
    let me = fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await;
    assert_eq!(
        (me.status.as_u16(), &me.headers["access-control-allow-origin"]),
        (200, &ORIGIN.parse::<axum::http::HeaderValue>().unwrap())
    );
    assert_eq!(me.headers["access-control-allow-credentials"], "true");
    let person = me.json();
    assert_eq!(
        (&person["email"], &person["organization_siret"], &person["role"]),
        (&json!("ada@ville.example"), &json!(CITY), &json!("USER"))
    );
    // Scripts of another site neither read it nor are told anything.
    let other = fetch(&mut browser, Method::GET, "/auth/me?connection=catalogue", "https://evil.example", &[], json!({})).await;
    assert_eq!(other.status, 401);
    assert!(!other.headers.contains_key("access-control-allow-origin") && !other.text.contains("ada"));
    // A logout needs the word that only the front could read.
    let csrf = person["csrf_token"].as_str().unwrap().to_owned();
    assert_eq!(fetch(&mut browser, Method::POST, "/auth/logout", ORIGIN, &[], json!({})).await.status, 403);
    let foreign = fetch(
        &mut browser,
        Method::POST,
        "/auth/logout?connection=catalogue",
        "https://evil.example",
        &[("x-csrf-token", &csrf)],
        json!({}),
    )
    .await;
    assert_eq!(foreign.status, 403);
    let kept = browser.cookies.clone();
    let out = fetch(&mut browser, Method::POST, "/auth/logout", ORIGIN, &[("x-csrf-token", &csrf)], json!({})).await;
    assert_eq!(out.status, 200, "{}", out.text);
    let at_provider = out.json()["logout_url"].as_str().unwrap().to_owned();
    assert!(at_provider.starts_with("https://op.example/logout?") && parameter(&at_provider, "id_token_hint").is_some(), "{at_provider}");
    // Ended on the server: the cookie is worth nothing.
    browser.cookies = kept;
    assert_eq!(fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.status, 401);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_twelve_hours() {
    let world = World::with(json!({}), json!({})).await;
    let mut browser = world.browser();
    log_in(&world, &mut browser, "", &ada()).await;
    for _ in 0..12 {
        world.house.wait(3_500);
        assert_eq!(fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.status, 200);
    }
    world.house.wait(1_300);
    assert_eq!(fetch(&mut browser, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.status, 401, "twelve hours");
    let mut idle = world.browser();
    log_in(&world, &mut idle, "", &ada()).await;
    world.house.wait(3_601);
    assert_eq!(fetch(&mut idle, Method::GET, "/auth/me", ORIGIN, &[], json!({})).await.status, 401, "an hour");
}

#[tokio::test]
async fn over_tls_cookies_belong_to_the_host() {
    let world = World::open_at("https://octroi.example").await;
    assert_eq!(world.connect(json!({}), json!({})).await.status, 201);
    let mut browser = world.browser();
    let answer = log_in(&world, &mut browser, "", &ada()).await;
    let cookies: Vec<&str> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    for name in ["__Host-octroi-product-catalogue=", "__Host-octroi-way-catalogue="] {
        let cookie = cookies.iter().find(|text| text.starts_with(name)).unwrap();
        assert!(
            cookie.contains("; Path=/; HttpOnly; SameSite=Lax") && cookie.ends_with("; Secure") && !cookie.contains("Domain"),
            "{cookie}"
        );
    }
}

#[tokio::test]
async fn by_a_code_that_counts_once() {
    let world = World::with(json!({ "hand_off": "code" }), json!({})).await;
    let mut browser = world.browser();
    let answer = log_in(&world, &mut browser, WISH, &ada()).await;
    let to = location(&answer);
    assert!(to.starts_with(&format!("{FRONT}#code=")), "{to}");
    assert_eq!((parameter(&to, "state").as_deref(), answer.headers["referrer-policy"].to_str().unwrap()), (Some("front-1"), "no-referrer"));
    let body = json!({ "code": parameter(&to, "code").unwrap(), "code_verifier": VERIFIER });
    // Of another origin, from another browser, without the verifier: nothing, and nothing is used up.
    let refused = fetch(&mut browser, Method::POST, "/auth/exchange", "https://evil.example", &[], body.clone()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_grant")));
    assert!(!refused.headers.contains_key("access-control-allow-origin"));
    assert_eq!(fetch(&mut world.browser(), Method::POST, "/auth/exchange", ORIGIN, &[], body.clone()).await.status, 400);
    let guess = json!({ "code": body["code"], "code_verifier": "x".repeat(43) });
    assert_eq!(fetch(&mut browser, Method::POST, "/auth/exchange", ORIGIN, &[], guess).await.status, 400);
    let way = browser.cookies.clone();
    let given = fetch(&mut browser, Method::POST, "/auth/exchange", ORIGIN, &[], body.clone()).await;
    assert_eq!(given.status, 200, "{}", given.text);
    assert_eq!(given.headers["access-control-allow-origin"], ORIGIN);
    let given = given.json();
    let token = given["access_token"].as_str().unwrap();
    assert_eq!((given["token_type"].as_str(), given["expires_in"].as_u64(), &given["role"]), (Some("Bearer"), Some(900), &json!("USER")));
    assert_eq!(bearer(&world, token).await.json()["sub"], given["sub"]);
    // Whoever shows the code again ends what it gave.
    browser.cookies = way;
    assert_eq!(fetch(&mut browser, Method::POST, "/auth/exchange", ORIGIN, &[], body).await.status, 400);
    assert_eq!(bearer(&world, token).await.status, 401);
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let world = World::with(json!({ "hand_off": "code", "details": { "code_in_query": true } }), json!({})).await;
    let mut browser = world.browser();
    let to = location(&log_in(&world, &mut browser, WISH, &ada()).await);
    assert!(to.starts_with(&format!("{FRONT}?code=")), "{to}");
    world.house.wait(60);
    let body = json!({ "code": parameter(&to, "code").unwrap(), "code_verifier": VERIFIER });
    assert_eq!(fetch(&mut browser, Method::POST, "/auth/exchange", ORIGIN, &[], body).await.status, 400);
}

#[tokio::test]
async fn a_login_by_code_is_refreshed_by_a_cookie_that_turns() {
    let world = World::with(json!({ "hand_off": "code" }), json!({})).await;
    let mut browser = world.browser();
    let to = location(&log_in(&world, &mut browser, WISH, &ada()).await);
    let body = json!({ "code": parameter(&to, "code").unwrap(), "code_verifier": VERIFIER });
    let first = fetch(&mut browser, Method::POST, "/auth/exchange", ORIGIN, &[], body).await.json();
    let stolen = browser.cookies.clone();
    world.house.wait(901);
    assert_eq!(bearer(&world, first["access_token"].as_str().unwrap()).await.status, 401, "it is short");
    assert_eq!(fetch(&mut browser, Method::POST, "/auth/refresh", "https://evil.example", &[], json!({})).await.status, 401);
    let second = fetch(&mut browser, Method::POST, "/auth/refresh", ORIGIN, &[], json!({})).await;
    assert_eq!(second.status, 200, "{}", second.text);
    let second = second.json();
    assert_eq!((bearer(&world, second["access_token"].as_str().unwrap()).await.status.as_u16(), &second["sub"]), (200, &first["sub"]));
    // One that was replaced is in two hands: the login ends.
    world.house.wait(11);
    let mut thief = world.browser();
    thief.cookies = stolen;
    assert_eq!(fetch(&mut thief, Method::POST, "/auth/refresh", ORIGIN, &[], json!({})).await.status, 400);
    assert_eq!(bearer(&world, second["access_token"].as_str().unwrap()).await.status, 401);
    assert_eq!(fetch(&mut browser, Method::POST, "/auth/refresh", ORIGIN, &[], json!({})).await.status, 400);
}

#[tokio::test]
async fn a_login_by_code_needs_a_challenge() {
    let world = World::with(json!({ "hand_off": "code" }), json!({})).await;
    let mut browser = world.browser();
    for bad in ["", "?code_challenge=short", "?code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain"] {
        let page = browser.get(&format!("/auth/catalogue/login{bad}")).await;
        assert!(page.status == 400 && !page.headers.contains_key("location"), "{bad}: {}", page.status);
    }
    assert!(WISH.contains(CHALLENGE));
}

#[tokio::test]
async fn a_front_of_another_site_gets_a_code_bound_to_its_verifier_and_nothing_to_refresh() {
    let world = World::with(json!({ "hand_off": "code", "details": { "other_site": true } }), json!({})).await;
    let mut browser = world.browser();
    let to = location(&log_in(&world, &mut browser, WISH, &ada()).await);
    let body = json!({ "code": parameter(&to, "code").unwrap(), "code_verifier": VERIFIER });
    // Its requests carry no cookie of ours.
    let given = fetch(&mut world.browser(), Method::POST, "/auth/exchange", ORIGIN, &[], body).await;
    assert!(given.status == 200 && !given.headers.contains_key("set-cookie"), "{}", given.text);
}

#[tokio::test]
async fn only_the_front_may_ask() {
    let world = World::with(json!({ "hand_off": "code" }), json!({})).await;
    for (origin, open) in
        [(ORIGIN, true), ("https://catalogue.example.evil.example", false), ("http://catalogue.example", false), ("null", false)]
    {
        for path in ["/auth/me", "/auth/exchange", "/auth/refresh", "/auth/logout", "/auth/catalogue/choices/x"] {
            let asked = [("origin", origin), ("access-control-request-method", "POST")];
            let answer = world.house.send(Method::OPTIONS, path, &asked, "").await;
            let allowed = answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!((answer.status.as_u16(), allowed.as_deref()), (204, open.then_some(ORIGIN)), "{origin} {path}");
        }
    }
}

#[tokio::test]
async fn by_the_address_as_the_first_product_had_it() {
    let legacy = json!({ "hand_off": "query_legacy", "query_legacy_allowed": true });
    let world = World::with(legacy, json!({})).await;
    let mut browser = world.browser();
    let answer = log_in(&world, &mut browser, "", &ada()).await;
    let to = location(&answer);
    let query = to.strip_prefix(&format!("{FRONT}?")).unwrap();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["organization_siret", "email", "role", "api_token"]);
    let token = &pairs[3].1;
    assert!(pairs[0].1 == CITY && pairs[1].1 == "ada@ville.example" && pairs[2].1 == "USER");
    assert!(token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store")] {
        assert_eq!(answer.headers[name], value);
    }
    assert_eq!(bearer(&world, token).await.json()["organization_siret"], CITY);
    // Its front links to the login with a slash at the end.
    let begun = world.browser().get("/auth/catalogue/login/").await;
    assert!(location(&begun).starts_with("https://op.example/authorize?"), "{}", begun.text);
    // Each login has its own.
    let again = location(&log_in(&world, &mut world.browser(), "", &ada()).await);
    assert_ne!(parameter(&again, "api_token").as_ref(), Some(token));
    world.house.wait(900);
    assert_eq!(bearer(&world, token).await.status, 401, "it is short");
}

#[tokio::test]
async fn by_one_parameter_or_by_the_fragment() {
    let legacy = json!({ "hand_off": "query_legacy", "query_legacy_allowed": true, "details": { "user_info": true, "token_seconds": 60 } });
    let world = World::with(legacy, json!({})).await;
    let to = location(&log_in(&world, &mut world.browser(), "", &ada()).await);
    let info: serde_json::Value = serde_json::from_str(&parameter(&to, "user_info").unwrap()).unwrap();
    let members: Vec<&String> = info.as_object().unwrap().keys().collect();
    assert_eq!(members, ["api_token", "email", "organization_siret", "role"]);
    let world = World::with(json!({ "hand_off": "fragment" }), json!({})).await;
    let to = location(&log_in(&world, &mut world.browser(), "?state=a", &ada()).await);
    assert!(to.starts_with(&format!("{FRONT}#organization_siret={CITY}&email=ada%40ville.example&role=USER&api_token=")), "{to}");
    assert!(to.ends_with("&state=a") && !to.contains('?'), "{to}");
    assert_eq!(bearer(&world, &parameter(&to, "api_token").unwrap()).await.status, 200);
}

#[tokio::test]
async fn what_was_given_ends_with_the_account_the_session_of_the_provider_and_the_connection() {
    let world = World::with(json!({ "hand_off": "fragment" }), json!({})).await;
    let token = async || {
        let to = location(&log_in(&world, &mut world.browser(), "", &ada()).await);
        parameter(&to, "api_token").unwrap()
    };
    let first = token().await;
    let accounts = world.rest(Method::GET, "/accounts", json!({})).await.json();
    let account = accounts["items"][0].clone();
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1, "{accounts}");
    let path = format!("/accounts/{}", account["id"].as_str().unwrap());
    let changed = world.rest(Method::PATCH, &path, json!({ "role": "ADMIN", "version": account["version"] })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(bearer(&world, &first).await.status, 401, "the account changed");
    let second = token().await;
    assert_eq!(bearer(&world, &second).await.json()["role"], "ADMIN");
    let told = world.provider.logout_token(world.house.now().seconds(), "s-ada");
    let answer = world.house.form("/auth/catalogue/backchannel-logout", &format!("logout_token={told}")).await;
    assert_eq!((answer.status.as_u16(), bearer(&world, &second).await.status.as_u16()), (200, 401), "{}", answer.text);
    let third = token().await;
    assert_eq!(world.rest(Method::DELETE, &format!("{path}/logins"), json!({})).await.status, 204);
    assert_eq!(bearer(&world, &third).await.status, 401, "the operator ended it");
    let fourth = token().await;
    let stopped = world.rest(Method::PATCH, &path, json!({ "active": false })).await;
    assert_eq!((stopped.status.as_u16(), bearer(&world, &fourth).await.status.as_u16()), (200, 401));
    let page = log_in(&world, &mut world.browser(), "", &ada()).await;
    assert!(page.status == 409 && page.text.contains("is stopped"), "{}", page.status);
}
