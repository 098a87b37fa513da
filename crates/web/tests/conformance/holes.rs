//! What an attacker tries beyond the modules: each was open once, or nearly.

use axum::http::Method;
use serde_json::{Value, json};

use crate::{
    relying::{CALLBACK, CHALLENGE, FORM, Rp, VERIFIER, World, encoded, hidden, location, parameter, request},
    support::{Answer, PUBLIC},
};

async fn register(world: &World, members: Value) -> Answer {
    let body = json!({ "label": "suite", "uses": 1 });
    let token = world.house.post(&world.operator, "/api/v1/initial-access-tokens", &[], &body).await.json();
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    world.house.send(Method::POST, "/oauth/register", &headers, members.to_string()).await
}

async fn put(world: &World, path: &str, bearer: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {bearer}");
    world.house.send(Method::PUT, path, &[("authorization", &bearer), ("content-type", "application/json")], body.to_string()).await
}

/// Who registers by itself does not give itself the scopes of an API; what the operator gave stays, and no more.
#[tokio::test]
async fn a_client_does_not_give_itself_scopes() {
    let world = World::open().await;
    let members = json!({
        "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "client_credentials"], "scope": "openid email dossiers:write",
    });
    let made = register(&world, members.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(made["scope"], "openid email");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let rp = Rp { id: text("client_id"), secret: text("client_secret"), key: None };
    let own = async |scope: &str| world.token(&rp, &[("grant_type", "client_credentials"), ("scope", scope)]).await;
    assert_eq!(own("dossiers:write").await.json()["error"], "invalid_scope");
    // Nor later on.
    let (place, token) = (format!("/oauth/register/{}", rp.id), text("registration_access_token"));
    let mut again = members;
    again["client_id"] = json!(rp.id);
    assert_eq!(put(&world, &place, &token, &again).await.json()["scope"], "openid email");
    assert_eq!(own("dossiers:write").await.json()["error"], "invalid_scope");
    // The operator may, and the client keeps that when it changes something else.
    let headers =
        [("content-type", "application/json"), ("cookie", world.operator.cookie.as_str()), ("x-csrf-token", world.operator.csrf.as_str())];
    let given = json!({ "metadata": {
        "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "client_credentials"], "scope": "openid dossiers:read",
    } });
    let path = format!("/api/v1/clients/{}", rp.id);
    let given = world.house.send(Method::PUT, &path, &headers, given.to_string()).await;
    assert_eq!(given.status, 200, "{}", given.text);
    again["scope"] = json!("openid dossiers:read dossiers:write");
    assert_eq!(put(&world, &place, &token, &again).await.json()["scope"], "openid dossiers:read");
    assert_eq!(own("dossiers:read").await.status, 200);
    assert_eq!(own("dossiers:write").await.json()["error"], "invalid_scope");
}

/// Any program on the machine can pretend to be a native application: what was agreed to once does not serve it.
#[tokio::test]
async fn a_native_client_is_asked_for_each_time() {
    let world = World::open().await;
    for (address, first_party) in [("http://127.0.0.1/cb", false), ("fr.example.app:/cb", false), ("http://127.0.0.1/cb", true)] {
        let members = json!({ "application_type": "native", "token_endpoint_auth_method": "none", "redirect_uris": [address] });
        let rp = world.client_with(members, json!({ "first_party": first_party })).await;
        for _ in 0..2 {
            let asked = location(&world.authorize(&world.alice, &request(&rp, &[("redirect_uri", address)])).await);
            let page = world.get(&asked, &world.alice).await;
            assert!(page.status == 200 && page.text.contains("Agree and go on"), "{address}: {}", page.text);
            let sent = world.form(&asked, &world.alice, &[("_csrf", &hidden(&page.text, "_csrf")), ("choice", "agree")]).await;
            assert_eq!(location(&sent), asked);
            assert!(parameter(&location(&world.get(&asked, &world.alice).await), "code").is_some());
        }
        let silent = world.through(&world.alice, &request(&rp, &[("redirect_uri", address), ("prompt", "none")])).await;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("consent_required"), "{address}");
    }
    // A site's address is its own: there, once is enough.
    let rp = world.client(json!({ "token_endpoint_auth_method": "none" })).await;
    world.code(&rp, &[]).await;
    assert!(parameter(&world.through(&world.alice, &request(&rp, &[("prompt", "none")])).await, "code").is_some());
}

/// An address that the client gave up while somebody was signing in gets nothing.
#[tokio::test]
async fn an_address_that_was_given_up_gets_nothing() {
    let world = World::open().await;
    let rp = world.client(json!({ "redirect_uris": [CALLBACK, "https://old.example/cb"] })).await;
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "https://old.example/cb")])).await);
    let page = world.get(&asked, &world.alice).await;
    let csrf = hidden(&page.text, "_csrf");
    world.form(&asked, &world.alice, &[("_csrf", &csrf), ("choice", "agree")]).await;
    let body = json!({ "metadata": { "redirect_uris": [CALLBACK] } });
    let headers =
        [("content-type", "application/json"), ("cookie", world.operator.cookie.as_str()), ("x-csrf-token", world.operator.csrf.as_str())];
    let changed = world.house.send(Method::PUT, &format!("/api/v1/clients/{}", rp.id), &headers, body.to_string()).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let after = world.get(&asked, &world.alice).await;
    assert!(after.status == 404 && !after.headers.contains_key("location") && !after.text.contains("old.example"), "{}", after.text);
    let refused = world.form(&asked, &world.alice, &[("_csrf", &csrf), ("choice", "refuse")]).await;
    assert!(refused.status == 404 && !refused.headers.contains_key("refresh"), "{}", refused.text);
}

/// A thief who is quick enough to use a token in the moment of grace is found out when both go on.
#[tokio::test]
async fn a_family_does_not_fork() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let first = world.tokens(&rp, &[]).await;
    let refresh = async |tokens: &Value| {
        world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())]).await
    };
    let (mine, theirs) = (refresh(&first).await.json(), refresh(&first).await.json());
    world.house.wait(60);
    let next = refresh(&mine).await;
    assert_eq!(next.status, 200);
    world.house.wait(60);
    assert_eq!(refresh(&theirs).await.json()["error"], "invalid_grant", "two families would go on for a month");
    assert_eq!(refresh(&next.json()).await.json()["error"], "invalid_grant", "and both end");
    assert_eq!(world.userinfo(next.json()["access_token"].as_str().unwrap()).await.status, 401);
}

/// Fifty at once with one refresh token: whatever is given, one line of it goes on.
#[tokio::test]
async fn a_refresh_token_at_once_goes_on_once() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let first = world.tokens(&rp, &[]).await;
    let body = encoded(&[("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())]);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (router, header, body) = (world.house.router.clone(), crate::relying::basic(&rp), body.clone());
            tokio::spawn(async move {
                let request = axum::http::Request::post("/oauth/token").header("authorization", header).header(FORM.0, FORM.1);
                let answer = tower::ServiceExt::oneshot(router, request.body(axum::body::Body::from(body)).unwrap()).await.unwrap();
                let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
                serde_json::from_slice::<Value>(&body).unwrap()
            })
        })
        .collect();
    let mut given = Vec::new();
    for task in tasks {
        given.extend(task.await.unwrap()["refresh_token"].as_str().map(str::to_owned));
    }
    assert!(!given.is_empty());
    world.house.wait(60);
    let refresh = async |token: &str| world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
    let line = refresh(&given[0]).await;
    assert_eq!(line.status, 200);
    world.house.wait(60);
    for other in given.iter().skip(1) {
        assert_eq!(refresh(other).await.json()["error"], "invalid_grant");
    }
}

/// Codes and refresh tokens of many sign-ins at once, with what is worth nothing among them: each is answered for itself.
#[tokio::test]
async fn at_once_each_is_answered_for_itself() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let other = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let mut sent: Vec<(bool, String)> = Vec::new();
    for _ in 0..8 {
        let tokens = world.tokens(&rp, &[]).await;
        sent.push((true, encoded(&[("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())])));
        let code = world.code(&rp, &[]).await;
        let exchange = |code: &str| {
            let pairs = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
            encoded(&pairs)
        };
        sent.push((true, exchange(&code)));
        sent.push((false, exchange("ocod_unknown")));
        sent.push((false, encoded(&[("grant_type", "refresh_token"), ("refresh_token", "unknown")])));
        let theirs = world.tokens(&other, &[]).await;
        sent.push((false, encoded(&[("grant_type", "refresh_token"), ("refresh_token", theirs["refresh_token"].as_str().unwrap())])));
        sent.push((false, exchange(&world.code(&other, &[]).await)));
    }
    let tasks: Vec<_> = sent
        .into_iter()
        .map(|(good, body)| {
            let (router, header) = (world.house.router.clone(), crate::relying::basic(&rp));
            tokio::spawn(async move {
                let request = axum::http::Request::post("/oauth/token").header("authorization", header).header(FORM.0, FORM.1);
                let answer = tower::ServiceExt::oneshot(router, request.body(axum::body::Body::from(body)).unwrap()).await.unwrap();
                let body = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
                (good, serde_json::from_slice::<Value>(&body).unwrap())
            })
        })
        .collect();
    let mut made = std::collections::HashSet::new();
    for task in tasks {
        let (good, answer) = task.await.unwrap();
        if good {
            assert!(made.insert(answer["refresh_token"].as_str().unwrap().to_owned()), "{answer}");
        } else {
            assert_eq!(answer["error"], "invalid_grant", "{answer}");
        }
    }
    // Each of them goes on.
    for token in &made {
        assert_eq!(world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await.status, 200);
    }
}

/// Two clients cannot find out by their tokens that they have the same person.
#[tokio::test]
async fn pairwise_clients_share_no_name() {
    let world = World::open().await;
    let mut seen: Vec<(String, String)> = Vec::new();
    for host in ["one", "two"] {
        let address = format!("https://{host}.example/cb");
        let rp = world.client(json!({ "subject_type": "pairwise", "redirect_uris": [address] })).await;
        let there = world.through(&world.alice, &request(&rp, &[("redirect_uri", &address), ("scope", "openid")])).await;
        let code = parameter(&there, "code").unwrap();
        let exchange =
            [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", &address), ("code_verifier", VERIFIER)];
        let claims = world.claims(world.token(&rp, &exchange).await.json()["id_token"].as_str().unwrap()).await;
        seen.push((claims["sub"].as_str().unwrap().to_owned(), claims["sid"].as_str().unwrap().to_owned()));
    }
    assert!(seen[0].0 != seen[1].0 && seen[0].1 != seen[1].1, "{seen:?}");
    assert!(seen.iter().all(|(sub, sid)| *sub != world.alice_id && sid.len() == 43));
}

/// Naming a client whose keys cannot be had does not make us ask for them at will.
#[tokio::test]
async fn keys_that_cannot_be_had_are_not_asked_for_at_will() {
    let world = World::open().await;
    let rp = world.client(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/jwks" })).await;
    let key = world.signing_client(json!({})).await.key;
    let rp = Rp { key, ..rp };
    for _ in 0..5 {
        assert_eq!(world.token(&rp, &[("grant_type", "authorization_code"), ("code", "x")]).await.json()["error"], "invalid_client");
    }
    assert_eq!(world.web.asked.lock().unwrap().len(), 1);
    // Bytes that are no keys count the same.
    world.web.there.lock().unwrap().insert("https://rp.example/other".into(), "<html>".into());
    let other = world.client(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/other" })).await;
    let other = Rp { key: rp.key, ..other };
    for _ in 0..5 {
        world.token(&other, &[("grant_type", "authorization_code"), ("code", "x")]).await;
    }
    assert_eq!(world.web.asked.lock().unwrap().len(), 2);
}

/// Whatever is ours is good for its own purpose alone: every kind of secret at every place that takes one.
#[tokio::test]
async fn nothing_of_ours_passes_for_another_thing() {
    let world = World::open().await;
    let members = json!({ "grant_types": ["authorization_code", "refresh_token"], "backchannel_logout_uri": "https://rp.example/out" });
    let rp = world.client(members).await;
    let tokens = world.tokens(&rp, &[]).await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let made = register(&world, json!({ "redirect_uris": [CALLBACK] })).await.json();
    let initial = world.house.post(&world.operator, "/api/v1/initial-access-tokens", &[], &json!({ "label": "x" })).await.json();
    let pushed = world.as_client(&rp, "/oauth/par", &[], &request(&rp, &[])).await.json()["request_uri"].as_str().unwrap().to_owned();
    let code = world.code(&rp, &[]).await;
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "consent")])).await);
    let word = asked.rsplit('/').next().unwrap().to_owned();
    let kinds = [
        ("code", code),
        ("refresh", text("refresh_token")),
        ("access", text("access_token")),
        ("id_token", text("id_token")),
        ("secret", rp.secret.clone()),
        ("registration", made["registration_access_token"].as_str().unwrap().to_owned()),
        ("initial", initial["token"].as_str().unwrap().to_owned()),
        ("pushed", pushed),
        ("word", word),
        ("session", world.alice.split_once('=').unwrap().1.to_owned()),
    ];
    for (kind, secret) in &kinds {
        let say = |place: &str| format!("{kind} at {place}");
        let token = async |pairs: &[(&str, &str)]| world.token(&rp, pairs).await.status.as_u16();
        if *kind != "code" {
            let pairs =
                [("grant_type", "authorization_code"), ("code", secret.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
            assert_eq!(token(&pairs).await, 400, "{}", say("code"));
        }
        if *kind != "refresh" {
            assert_eq!(token(&[("grant_type", "refresh_token"), ("refresh_token", secret)]).await, 400, "{}", say("refresh_token"));
        }
        if *kind != "access" {
            assert_eq!(world.userinfo(secret).await.status, 401, "{}", say("userinfo"));
        }
        if *kind != "access" && *kind != "refresh" {
            let told = world.as_client(&rp, "/oauth/introspect", &[], &[("token", secret)]).await.json();
            assert_eq!(told, json!({ "active": false }), "{}", say("introspection"));
        }
        if *kind != "initial" {
            let bearer = format!("Bearer {secret}");
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
            let body = json!({ "redirect_uris": [CALLBACK] }).to_string();
            assert_eq!(world.house.send(Method::POST, "/oauth/register", &headers, body).await.status, 401, "{}", say("registration"));
        }
        let place = format!("/oauth/register/{}", rp.id);
        let bearer = format!("Bearer {secret}");
        assert_eq!(
            world.house.send(Method::GET, &place, &[("authorization", &bearer)], "").await.status,
            401,
            "{}",
            say("another's registration")
        );
        assert_eq!(
            world.house.send(Method::GET, "/api/v1/me", &[("authorization", &bearer)], "").await.status,
            401,
            "{}",
            say("the REST API")
        );
        if *kind != "id_token" {
            let out = world.get(&format!("/oauth/logout?{}", encoded(&[("id_token_hint", secret)])), &world.alice).await;
            assert_eq!(out.status, 400, "{}", say("logout"));
        }
        if *kind != "pushed" {
            let page = world
                .authorize(&world.alice, &[("client_id", &rp.id), ("request_uri", &format!("urn:ietf:params:oauth:request_uri:{secret}"))])
                .await;
            assert_eq!(page.status, 400, "{}", say("request_uri"));
        }
        if *kind != "session" {
            let me = world.house.send(Method::GET, "/api/v1/me", &[("cookie", &format!("octroi_session={secret}"))], "").await;
            assert_eq!(me.status, 401, "{}", say("the session cookie"));
        }
    }
}

/// Too much of anything, twice the same, and bytes that are no text: refused, and never a fault of ours.
#[tokio::test]
async fn what_is_too_much_is_refused() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let header = crate::relying::basic(&rp);
    let token = async |body: String| {
        let headers = [FORM, ("authorization", header.as_str())];
        let answer = world.house.send(Method::POST, "/oauth/token", &headers, body.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!("invalid_request")), "{:.80}", body);
    };
    token("a".repeat(20_000)).await;
    token("resource=x&".repeat(200)).await;
    for twice in ["grant_type", "code", "client_id", "redirect_uri", "code_verifier", "scope"] {
        token(format!("grant_type=authorization_code&{twice}=a&{twice}=a")).await;
    }
    token("grant_type=authorization_code&code=%FF%FE".into()).await;
    let deep = format!("{}{}", "{\"userinfo\":{\"a\":{\"value\":".to_owned() + &"[".repeat(800), "]".repeat(800));
    let many = (0..200).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    for (name, value) in [
        ("claims", deep.as_str()),
        ("scope", &many),
        ("scope", "openid\u{202e}email"),
        ("scope", "openid  email"),
        ("nonce", &"n".repeat(2_000)),
        ("login_hint", &"l".repeat(2_000)),
        ("max_age", "99999999999999999999"),
        ("prompt", "none login"),
        ("code_challenge", &"c".repeat(5_000)),
        ("dpop_jkt", &"c".repeat(5_000)),
        ("resource", "javascript:alert(1)"),
        ("acr_values", &many),
    ] {
        let address = world.through(&world.alice, &request(&rp, &[(name, value)])).await;
        let error = parameter(&address, "error").unwrap_or_default();
        assert!(["invalid_request", "invalid_scope", "invalid_target"].contains(&error.as_str()), "{name}: {address:.300}");
        let why = parameter(&address, "error_description").unwrap();
        assert!(why.bytes().all(|b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{why}");
    }
    // What the client keeps in `state` comes back whole, or not at all.
    let state = "s".repeat(5_000);
    assert_eq!(parameter(&world.through(&world.alice, &request(&rp, &[("state", &state)])).await, "state"), Some(state));
    let nested = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(register(&world, serde_json::from_str(&"[".repeat(0)).unwrap_or(Value::String(nested))).await.status, 400);
    assert_eq!(
        world.post("/oauth/introspect", &[("authorization", &header)], &[("token", &"t".repeat(12_000))]).await.json(),
        json!({ "active": false })
    );
    assert_eq!(world.userinfo(&"t".repeat(12_000)).await.status, 401);
    assert_eq!(world.token(&rp, &[("grant_type", "authorization_code"), ("code", CHALLENGE)]).await.json()["error"], "invalid_grant");
}

/// A client that was told of one organisation does not find out about others by naming them.
#[tokio::test]
async fn naming_an_organization_tells_nothing() {
    let world = World::open().await;
    world.join().await;
    let rp = world.client(json!({})).await;
    let ask = [("scope", "openid organization"), ("siret_hint", "21750001600019")];
    world.code(&rp, &ask).await;
    let silent = async |siret: &str| {
        let more = [("scope", "openid organization"), ("siret_hint", siret), ("prompt", "none")];
        world.through(&world.alice, &request(&rp, &more)).await
    };
    assert!(parameter(&silent("21750001600019").await, "code").is_some(), "the one that she agreed to");
    // One that she belongs to, and one that she does not: the same answer.
    let (member, stranger) = (silent("13002526500013").await, silent("55208131766522").await);
    assert_eq!(parameter(&member, "error").as_deref(), Some("interaction_required"));
    assert_eq!(member, stranger);
    // Asked, she may agree.
    world.code(&rp, &[("scope", "openid organization"), ("siret_hint", "13002526500013")]).await;
    assert!(parameter(&silent("13002526500013").await, "code").is_some());
}

/// A secret that is posted where none belongs does not get into an address.
#[tokio::test]
async fn a_posted_secret_stays_out_of_the_address() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let posted = world.post("/oauth/authorize", &[], &request(&rp, &[("client_secret", &rp.secret), ("client_assertion", "a.b.c")])).await;
    let address = location(&posted);
    assert!(!address.contains(&rp.secret) && !address.contains("client_assertion") && address.contains("client_id"), "{address}");
}

/// RFC 9470: an API that is told how somebody signed in may want more, and gets it by a request of the client.
#[tokio::test]
async fn an_api_may_ask_for_a_stronger_or_later_sign_in() {
    let world = World::open().await;
    let api = world
        .client_with(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] }), json!({ "serves": "https://api.example" }))
        .await;
    let rp = world.client(json!({ "scope": "openid email read" })).await;
    let asking = [("scope", "openid read"), ("resource", "https://api.example")];
    let tokens = world.tokens(&rp, &asking).await;
    let look = async |tokens: &Value| {
        world.as_client(&api, "/oauth/introspect", &[], &[("token", tokens["access_token"].as_str().unwrap())]).await.json()
    };
    let told = look(&tokens).await;
    assert_eq!(told["acr"], "eidas1");
    assert_eq!(told["auth_time"], world.house.now().seconds());
    // Stronger: a second factor comes first; where none can be shown, it is said so.
    let mut more = asking.to_vec();
    more.push(("acr_values", "eidas1-mfa"));
    let place = location(&world.authorize(&world.alice, &request(&rp, &more)).await);
    assert!(location(&world.get(&place, &world.alice).await).starts_with("/sign-in/second-factor"));
    // Later: not with the sign-in of then.
    world.house.wait(120);
    let mut late = asking.to_vec();
    late.push(("max_age", "60"));
    let place = location(&world.authorize(&world.alice, &request(&rp, &late)).await);
    assert!(location(&world.get(&place, &world.alice).await).starts_with("/sign-in/again"));
    let again = world.sign_in("alice@paris.example").await;
    let address = world.onward(&again, place).await;
    let tokens = world.exchange(&rp, &parameter(&address, "code").unwrap()).await.json();
    assert_eq!(look(&tokens).await["auth_time"], world.house.now().seconds());
}

/// RFC 9728, and what browsers of other sites may read.
#[tokio::test]
async fn what_the_portal_wants_of_a_token_is_written_down() {
    let world = World::open().await;
    let found = world.house.get("/.well-known/oauth-protected-resource").await;
    assert_eq!(found.headers["access-control-allow-origin"], "*");
    let found = found.json();
    assert_eq!((&found["resource"], &found["authorization_servers"]), (&json!(PUBLIC), &json!([PUBLIC])));
    let refused = world.house.get("/oauth/userinfo").await;
    let challenges: Vec<&str> = refused.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
    let named = format!("resource_metadata=\"{PUBLIC}/.well-known/oauth-protected-resource\"");
    assert!(
        refused.status == 401 && challenges.len() == 2 && challenges.iter().all(|challenge| challenge.contains(&named)),
        "{challenges:?}"
    );
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/oauth/jwks",
        "/oauth/token",
        "/oauth/userinfo",
        "/oauth/revoke",
        "/oauth/par",
    ] {
        let headers =
            [("origin", "https://spa.example"), ("access-control-request-method", "POST"), ("access-control-request-headers", "dpop")];
        let asked = world.house.send(Method::OPTIONS, path, &headers, "").await;
        assert_eq!((asked.status.as_u16(), &asked.headers["access-control-allow-origin"]), (204, &"*".parse().unwrap()), "{path}");
        assert!(
            asked.headers["access-control-allow-headers"].to_str().unwrap().contains("DPoP")
                && !asked.headers.contains_key("access-control-allow-credentials")
        );
    }
    // Not where the cookie is looked at.
    for path in ["/oauth/authorize", "/oauth/logout", "/account/applications"] {
        assert!(!world.get(path, &world.alice).await.headers.contains_key("access-control-allow-origin"), "{path}");
    }
}
