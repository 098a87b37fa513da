//! Attacks on the sign-on, with the reply that each has to get.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

use crate::relying::{CALLBACK, CHALLENGE, Rp, VERIFIER, World, basic, hidden, location, parameter, request};

/// Every spelling that is not the registered address is shown a page, and sent nowhere.
#[tokio::test]
async fn redirect_uris_are_compared_character_by_character() {
    let world = World::open().await;
    let rp = world.client_with(json!({}), json!({ "first_party": true })).await;
    for bad in [
        "https://rp.example/cb/",
        "https://rp.example/cb?x",
        "https://rp.example/cb#x",
        "https://rp.example/CB",
        "https://rp.example/cb%2f",
        "https://rp.example/cb/../evil",
        "https://rp.example/./cb",
        "https://rp.example//cb",
        "https://rp.example:443/cb",
        "https://rp.example.evil.example/cb",
        "https://evil.example/https://rp.example/cb",
        "https://rp.example@evil.example/cb",
        "https://evil.example\\@rp.example/cb",
        "https://user:pass@rp.example/cb",
        "HTTPS://rp.example/cb",
        "https://RP.example/cb",
        "http://rp.example/cb",
        "//rp.example/cb",
        "/cb",
        "rp.example/cb",
        "javascript:alert(1)//https://rp.example/cb",
        "data:text/html,x",
        "https://rp.еxample/cb",
        "https://rp.example/cb ",
        " https://rp.example/cb",
        "https://rp.example/cb\u{0}",
        "https://rp.example/cb%00",
        "https://rp.example/cb\r\nSet-Cookie: a=b",
        "https://rp.example/cb;x",
        "https://rp.example./cb",
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "null",
        "*",
    ] {
        for more in [&[][..], &[("scope", "a\tb")], &[("response_type", "token")], &[("prompt", "none")]] {
            let mut pairs = request(&rp, &[("redirect_uri", bad)]);
            pairs.extend(more);
            let mut seen = std::collections::BTreeSet::new();
            pairs.reverse();
            pairs.retain(|(name, _)| seen.insert(*name));
            let page = world.authorize(&world.alice, &pairs).await;
            assert!(
                page.status == 400 && !page.headers.contains_key("location") && !page.headers.contains_key("refresh"),
                "{bad} {more:?}"
            );
            assert!(!page.text.contains("evil.example") && !page.text.contains("alert(1)"), "{bad}");
        }
    }
}

#[tokio::test]
async fn parameters_do_not_come_twice() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let mut pairs = request(&rp, &[]);
    pairs.push(("redirect_uri", "https://evil.example/"));
    let page = world.authorize(&world.alice, &pairs).await;
    assert!(page.status == 400 && !page.headers.contains_key("location"));
    let unknown = world.authorize(&world.alice, &request(&rp, &[("client_id", "sso_aaaaaaaaaaaaaaaaaaaaaa")])).await;
    assert!(unknown.status == 400 && !unknown.headers.contains_key("location"));
}

/// One way of authenticating, the registered one; never a fall-back.
#[tokio::test]
async fn clients_are_not_confused() {
    let world = World::open().await;
    let (rp, other) = (world.client(json!({})).await, world.client(json!({})).await);
    let public = world.client(json!({ "token_endpoint_auth_method": "none" })).await;
    let code = world.code(&rp, &[]).await;
    let exchange = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let try_with = async |headers: &[(&str, &str)], more: &[(&str, &str)]| {
        let mut pairs = exchange.to_vec();
        pairs.extend(more);
        let answer = world.post("/oauth/token", headers, &pairs).await;
        (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let header = basic(&rp);
    let by_header = ("authorization", header.as_str());
    assert_eq!(try_with(&[by_header], &[("client_secret", &rp.secret)]).await, (400, "invalid_request".into()), "two at once");
    assert_eq!(try_with(&[by_header], &[("client_id", &other.id)]).await, (400, "invalid_request".into()));
    assert_eq!(try_with(&[], &[("client_id", &rp.id)]).await, (401, "invalid_client".into()), "no secret");
    assert_eq!(try_with(&[], &[("client_id", &rp.id), ("client_secret", &other.secret)]).await, (401, "invalid_client".into()));
    assert_eq!(try_with(&[], &[("client_id", &public.id), ("client_secret", "x")]).await, (401, "invalid_client".into()), "it has none");
    assert_eq!(try_with(&[], &[("client_id", &public.id)]).await, (400, "invalid_grant".into()), "another client's code");
    let wrong = basic(&Rp { id: rp.id.clone(), secret: other.secret.clone(), key: None });
    let answer = world.post("/oauth/token", &[("authorization", &wrong)], &exchange).await;
    assert_eq!((answer.status.as_u16(), answer.headers["www-authenticate"].to_str().unwrap()), (401, "Basic realm=\"octroi\""));
    let path = format!("/oauth/token?client_id={}&client_secret={}", rp.id, rp.secret);
    assert_eq!(world.post(&path, &[], &exchange).await.status, 400, "a secret in the address");
    assert_eq!(try_with(&[by_header], &[]).await.0, 200, "and none of these used the code up");
}

/// PKCE cannot be taken away on the way (RFC 9700 section 4.8).
#[tokio::test]
async fn pkce_is_not_downgraded() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = world.code(&rp, &none).await;
    assert_eq!(world.exchange(&rp, &code).await.json()["error"], "invalid_grant", "a verifier without a challenge");
    let public = world.client(json!({ "token_endpoint_auth_method": "none" })).await;
    for bad in [&none[..], &[("code_challenge_method", "plain")], &[("code_challenge_method", "")]] {
        let address = world.through(&world.alice, &request(&public, bad)).await;
        assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_request"), "{bad:?}");
    }
    let code = world.code(&public, &[]).await;
    let pairs = |verifier: &'static str| {
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", verifier)].to_vec()
    };
    assert_eq!(world.token(&public, &pairs(CHALLENGE)).await.json()["error"], "invalid_grant");
    assert_eq!(world.token(&public, &pairs(VERIFIER)).await.status, 200);
}

/// A refresh token that two hold ends for both; a lost answer does not.
#[tokio::test]
async fn a_stolen_refresh_token_ends_the_family() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let first = world.tokens(&rp, &[]).await;
    let refresh = async |tokens: &Value| {
        world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())]).await
    };
    let second = refresh(&first).await.json();
    world.house.wait(5);
    let again = refresh(&first).await;
    assert_eq!(again.status, 200, "the answer was lost, perhaps");
    world.house.wait(20);
    let stolen = refresh(&first).await;
    assert_eq!((stolen.status.as_u16(), &stolen.json()["error"]), (400, &json!("invalid_grant")));
    for tokens in [&second, &again.json()] {
        assert_eq!(refresh(tokens).await.json()["error"], "invalid_grant");
        assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 401);
    }
}

/// A JWT that is nearly ours is none.
#[tokio::test]
async fn tokens_are_not_forged() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let good = tokens["access_token"].as_str().unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let header: Value = serde_json::from_slice(&B64.decode(parts[0]).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&B64.decode(parts[1]).unwrap()).unwrap();
    let with = |part: &Value, name: &str, value: Value| {
        let mut part = part.clone();
        part[name] = value;
        B64.encode(part.to_string())
    };
    let mut forged: Vec<String> = Vec::new();
    for alg in ["none", "None", "nOnE", "HS256", "RS256", "ES384", "EdDSA", ""] {
        forged.push(format!("{}.{}.{}", with(&header, "alg", json!(alg)), parts[1], parts[2]));
        forged.push(format!("{}.{}.", with(&header, "alg", json!(alg)), parts[1]));
    }
    for kid in ["", "../../../etc/passwd", "' OR 1=1 --", "http://127.0.0.1:1/k", "x", &"k".repeat(3_000)] {
        forged.push(format!("{}.{}.{}", with(&header, "kid", json!(kid)), parts[1], parts[2]));
    }
    for (name, value) in [("jku", json!("http://127.0.0.1:1/")), ("crit", json!(["exp"])), ("typ", json!("JWT")), ("b64", json!(false))] {
        forged.push(format!("{}.{}.{}", with(&header, name, value), parts[1], parts[2]));
    }
    for (name, value) in
        [("exp", json!("4000000000")), ("exp", json!(4_000_000_000_i64)), ("sub", json!("x")), ("scope", json!("openid profile"))]
    {
        forged.push(format!("{}.{}.{}", parts[0], with(&claims, name, value), parts[2]));
    }
    forged.extend([
        format!("{}.{}.{}", parts[0], parts[1], B64.encode([0; 64])),
        format!("{good}."),
        format!("{good}="),
        format!("{} ", &good[..good.len() - 1]),
        parts[..2].join("."),
        String::new(),
        ".".into(),
        "x".repeat(9_000),
        // Of ours, but not for this.
        tokens["id_token"].as_str().unwrap().to_owned(),
    ]);
    for token in &forged {
        let answer = world.userinfo(token).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{token}: {}", answer.text);
        assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("error="), "{token}");
    }
    assert!(world.web.posted.lock().unwrap().is_empty(), "nothing was fetched");
    assert_eq!(world.userinfo(good).await.status, 200);
    world.house.wait(3_600);
    assert_eq!(world.userinfo(good).await.status, 401, "out of date");
    // An access token does not pass as a hint, nor as a session.
    let address = world.through(&world.alice, &request(&rp, &[("id_token_hint", good)])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_request"));
}

/// What one person chose is of no use to another, and nothing is agreed to without the form's token.
#[tokio::test]
async fn consent_cannot_be_taken_from_another() {
    let world = World::open().await;
    let rp = world.client(json!({ "client_name": "<b>Cantine</b>\"'" })).await;
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("login_hint", "\"><script>alert(1)</script>")])).await);
    let page = world.get(&asked, &world.alice).await;
    assert!(!page.text.contains("<b>Cantine") && !page.text.contains("<script>alert"), "shown as it was typed");
    assert_eq!(page.headers["content-security-policy"].to_str().unwrap().matches("frame-ancestors 'none'").count(), 1);
    let forged = world.form(&asked, &world.alice, &[("_csrf", "x"), ("choice", "agree")]).await;
    assert_ne!(forged.status, 303, "asked once more, by a page of ours");
    assert!(world.get(&asked, &world.alice).await.status == 200, "nothing was agreed to");
    let agreed = world.form(&asked, &world.alice, &[("_csrf", &hidden(&page.text, "_csrf")), ("choice", "agree")]).await;
    assert_eq!(location(&agreed), asked);
    // Somebody else opens the same address: what was agreed to was not theirs.
    let other = world.operator_cookie().await;
    let theirs = world.get(&asked, &other).await;
    assert!(theirs.status == 200 && theirs.text.contains("Agree and go on"), "{}", theirs.text);
    let address = world.onward(&world.alice, asked.clone()).await;
    assert!(parameter(&address, "code").is_some());
    assert_eq!(world.get(&asked, &world.alice).await.status, 404, "answered once");
    assert_eq!(world.get("/oauth/authorize/..%2f..%2f", &world.alice).await.status.as_u16() / 100, 4);
    assert!(world.get("/oauth/authorize/unknown", &world.alice).await.text.contains("This sign-in is over"));
}

/// Fifty at once with one code: one of them gets tokens, and because there were others, they end.
#[tokio::test]
async fn a_code_is_exchanged_once_even_at_once() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let code = world.code(&rp, &[]).await;
    let header = basic(&rp);
    let pairs = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let body = crate::relying::encoded(&pairs);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (router, header, body) = (world.house.router.clone(), header.clone(), body.clone());
            tokio::spawn(async move {
                let request = axum::http::Request::post("/oauth/token")
                    .header("authorization", header)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(axum::body::Body::from(body));
                tower::ServiceExt::oneshot(router, request.unwrap()).await.unwrap().status().as_u16()
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    assert_eq!(
        (statuses.iter().filter(|status| **status == 200).count(), statuses.iter().filter(|status| **status == 400).count()),
        (1, 19)
    );
}
