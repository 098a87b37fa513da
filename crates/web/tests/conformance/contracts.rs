//! What clients of French administrations rely on: both contracts of userinfo, the organisation of the grant, ProConnect's
//! words, introspection and machines.

use serde_json::{Value, json};

use crate::{
    relying::{CALLBACK, Rp, World, hidden, location, parameter, request},
    support::{Answer, EMAIL, PUBLIC},
};

async fn told(world: &World, tokens: &Value) -> Value {
    world.userinfo(tokens["access_token"].as_str().unwrap()).await.json()
}

/// The seed-era scope: every organisation, as a list.
#[tokio::test]
async fn organizations_is_a_list_of_all() {
    let world = World::open().await;
    world.join().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("scope", "openid email organizations")]).await;
    let told = told(&world, &tokens).await;
    let mut listed = told["organizations"].as_array().unwrap().clone();
    listed.sort_by_key(|organization| organization["siret"].to_string());
    assert_eq!(
        listed,
        [
            json!({ "id": world.organizations[1], "siret": "13002526500013", "label": "DINUM", "is_external": false }),
            json!({ "id": world.organizations[0], "siret": "21750001600019", "label": "Ville de Paris", "is_external": false }),
        ]
    );
    assert_eq!(told.get("siret"), None);
}

async fn choose(world: &World, rp: &Rp, organization: &str) -> Value {
    let asked = location(&world.authorize(&world.alice, &request(rp, &[("scope", "openid organization")])).await);
    let page = world.get(&asked, &world.alice).await;
    assert!(page.text.contains("For which organisation?"), "{}", page.text);
    let pairs = [("_csrf", hidden(&page.text, "_csrf")), ("choice", "organization".into()), ("organization", organization.to_owned())];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(location(&world.form(&asked, &world.alice, &pairs).await), asked);
    let address = world.onward(&world.alice, asked).await;
    world.exchange(rp, &parameter(&address, "code").unwrap()).await.json()
}

/// The later scope: one organisation, chosen for this grant; another client's choice changes nothing here.
#[tokio::test]
async fn organization_is_the_one_of_the_grant() {
    let world = World::open().await;
    world.join().await;
    let (one, two) = (world.client(json!({})).await, world.client(json!({})).await);
    let first = choose(&world, &one, &world.organizations[0]).await;
    let second = choose(&world, &two, &world.organizations[1]).await;
    let (first, second) = (told(&world, &first).await, told(&world, &second).await);
    assert_eq!(
        (&first["siret"], &first["label"], &first["is_external"]),
        (&json!("21750001600019"), &json!("Ville de Paris"), &json!(false))
    );
    assert_eq!(second["siret"], "13002526500013");
    // One that she does not belong to does not exist.
    let other =
        world.house.post(&world.operator, "/api/v1/organizations", &[], &json!({ "siret": "35600000000048", "name": "La Poste" })).await;
    let asked = location(&world.authorize(&world.alice, &request(&one, &[("scope", "openid organization")])).await);
    let page = world.get(&asked, &world.alice).await;
    let csrf = hidden(&page.text, "_csrf");
    let other = other.json()["id"].as_str().unwrap().to_owned();
    let sent = world.form(&asked, &world.alice, &[("_csrf", &csrf), ("choice", "organization"), ("organization", &other)]).await;
    assert_eq!(sent.status, 404);
}

#[tokio::test]
async fn siret_hint_names_the_organization() {
    let world = World::open().await;
    world.join().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("scope", "openid siret"), ("siret_hint", "13002526500013")]).await;
    assert_eq!(told(&world, &tokens).await, json!({ "sub": world.alice_id, "siret": "13002526500013" }));
    let silent = [("scope", "openid siret"), ("siret_hint", "35600000000048"), ("prompt", "none")];
    let address = world.through(&world.alice, &request(&rp, &silent)).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("interaction_required"), "she does not belong to it");
    let address = world.through(&world.alice, &request(&rp, &[("siret_hint", "123")])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("invalid_request"));
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "select_organization")])).await);
    assert!(world.get(&asked, &world.alice).await.text.contains("For which organisation?"));
}

/// ProConnect's scopes and its signed userinfo; levels in its words.
#[tokio::test]
async fn proconnect_clients() {
    let world = World::open().await;
    let rp = world.client(json!({ "userinfo_signed_response_alg": "ES256" })).await;
    let tokens = world.tokens(&rp, &[("scope", "openid given_name usual_name email uid siret"), ("acr_values", "eidas1")]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["acr"], "eidas1");
    let claims = world.claims(&world.userinfo(tokens["access_token"].as_str().unwrap()).await.text).await;
    for (name, value) in
        [("given_name", "Alice"), ("usual_name", "Martin"), ("siret", "21750001600019"), ("uid", &world.alice_id), ("aud", &rp.id)]
    {
        assert_eq!(claims[name], value, "{name}");
    }
    // What has to be and cannot be is refused.
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"eidas1-mfa"}}}"#;
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("claims", essential)])).await);
    assert!(location(&world.get(&asked, &world.alice).await).starts_with("/sign-in/second-factor?return_to="));
    let stranger = world.sign_in(EMAIL).await;
    let essential = r#"{"id_token":{"acr":{"essential":true,"values":["eidas1","eidas2"]}}}"#;
    let address = world.through(&stranger, &request(&rp, &[("claims", essential)])).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("unmet_authentication_requirements"), "nobody vouches for the operator");
}

#[tokio::test]
async fn prompts_ask_who_and_whether() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    world.tokens(&rp, &[]).await;
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "select_account")])).await);
    let page = world.get(&asked, &world.alice).await;
    assert!(page.text.contains("alice@paris.example") && page.text.contains("Use another account"));
    world.form(&asked, &world.alice, &[("_csrf", &hidden(&page.text, "_csrf")), ("choice", "account")]).await;
    assert!(parameter(&world.onward(&world.alice, asked).await, "code").is_some());
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "consent")])).await);
    assert!(world.get(&asked, &world.alice).await.text.contains("Agree and go on"), "asked again");
    let more = location(&world.authorize(&world.alice, &request(&rp, &[("scope", "openid email profile")])).await);
    assert!(more.starts_with("/oauth/authorize/"), "for more, she is asked");
    let create = location(&world.authorize("", &request(&rp, &[("prompt", "create")])).await);
    assert!(location(&world.get(&create, "").await).starts_with("/sign-up?return_to="));
    let ours = world.client_with(json!({}), json!({ "first_party": true })).await;
    assert!(location(&world.authorize(&world.alice, &request(&ours, &[])).await).starts_with(CALLBACK), "ours asks nothing");
}

#[tokio::test]
async fn form_post_carries_the_answer_in_a_form() {
    let world = World::open().await;
    let rp = world.client_with(json!({}), json!({ "first_party": true })).await;
    let page = world.authorize(&world.alice, &request(&rp, &[("response_mode", "form_post")])).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&format!("method=\"post\" action=\"{CALLBACK}\"")) && hidden(&page.text, "state") == "state-1");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("form-action 'self' https://rp.example"));
    assert_eq!(world.exchange(&rp, &hidden(&page.text, "code")).await.status, 200);
}

/// In a browser the way back to the client is not a redirect of a form of ours, which its policy would stop.
#[tokio::test]
async fn a_browser_leaves_by_a_page() {
    let world = World::open().await;
    let rp = world.client_with(json!({}), json!({ "first_party": true })).await;
    let path = format!("/oauth/authorize?{}", crate::relying::encoded(&request(&rp, &[])));
    let headers = [("accept", "text/html"), ("cookie", world.alice.as_str()), ("sec-fetch-site", "same-origin")];
    let page = world.house.send(axum::http::Method::GET, &path, &headers, "").await;
    assert!(
        page.status == 200 && page.headers["refresh"].to_str().unwrap().starts_with("0; url=https://rp.example/cb?code="),
        "{}",
        page.text
    );
}

async fn introspect(world: &World, rp: &Rp, token: &str) -> Answer {
    world.as_client(rp, "/oauth/introspect", &[], &[("token", token)]).await
}

#[tokio::test]
async fn who_may_look_into_a_token() {
    let world = World::open().await;
    let api = world
        .client_with(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] }), json!({ "serves": "https://api.example" }))
        .await;
    let rp = world
        .client(json!({ "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "scope": "openid email read" }))
        .await;
    let stranger = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("scope", "openid read"), ("resource", "https://api.example")]).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(world.claims(token).await["aud"], json!(["https://api.example", PUBLIC]));
    for asking in [&api, &rp] {
        let answer = introspect(&world, asking, token).await.json();
        assert_eq!((&answer["active"], &answer["client_id"], &answer["token_type"]), (&json!(true), &json!(rp.id), &json!("Bearer")));
        assert_eq!(answer.get("octroi_grant"), None);
    }
    assert_eq!(introspect(&world, &stranger, token).await.json(), json!({ "active": false }));
    for nothing in ["", "x", "a.b.c", tokens["id_token"].as_str().unwrap()] {
        assert!(
            matches!(introspect(&world, &rp, nothing).await.json(), answer if answer["active"] == false || answer["error"] == "invalid_request"),
            "{nothing}"
        );
    }
    let anybody = world.post("/oauth/introspect", &[], &[("token", token), ("client_id", &rp.id)]).await;
    assert_eq!(anybody.status, 401);
    let signed = world.as_client(&rp, "/oauth/introspect", &[("accept", "application/token-introspection+jwt")], &[("token", token)]).await;
    assert_eq!(signed.headers["content-type"], "application/token-introspection+jwt");
    let claims = world.claims(&signed.text).await;
    assert_eq!((&claims["aud"], &claims["token_introspection"]["active"]), (&json!(rp.id), &json!(true)));
    // Narrower: for the API alone, the token is no longer one for userinfo.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let narrow = world
        .token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", refresh), ("resource", "https://api.example"), ("scope", "read")])
        .await;
    let narrow = narrow.json();
    assert_eq!((&narrow["scope"], narrow.get("id_token")), (&json!("read"), None));
    assert_eq!(world.userinfo(narrow["access_token"].as_str().unwrap()).await.status, 401);
    let wide = [
        ("grant_type", "refresh_token"),
        ("refresh_token", narrow["refresh_token"].as_str().unwrap()),
        ("resource", "https://other.example"),
    ];
    assert_eq!(world.token(&rp, &wide).await.json()["error"], "invalid_target");
    // A client in its own name.
    let own = world
        .token(&rp, &[("grant_type", "client_credentials"), ("scope", "openid read"), ("resource", "https://api.example")])
        .await
        .json();
    let claims = world.claims(own["access_token"].as_str().unwrap()).await;
    assert_eq!((&claims["sub"], &claims["aud"], &claims["scope"]), (&json!(rp.id), &json!("https://api.example"), &json!("read")));
    let more = world.token(&rp, &[("grant_type", "client_credentials"), ("scope", "read write")]).await;
    assert_eq!((more.status.as_u16(), &more.json()["error"]), (400, &json!("invalid_scope")));
}

#[tokio::test]
async fn what_is_revoked_is_refused_at_once() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["authorization_code", "refresh_token"] })).await;
    let tokens = world.tokens(&rp, &[]).await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let other = world.client(json!({})).await;
    for token in [access, refresh, "unknown"] {
        assert_eq!(world.as_client(&other, "/oauth/revoke", &[], &[("token", token)]).await.status, 200);
    }
    assert_eq!(world.userinfo(access).await.status, 200, "another client's revocation does nothing");
    assert_eq!(world.as_client(&rp, "/oauth/revoke", &[], &[("token", access)]).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401);
    let next = world.token(&rp, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await.json();
    let (access, refresh) = (next["access_token"].as_str().unwrap(), next["refresh_token"].as_str().unwrap());
    assert_eq!(world.as_client(&rp, "/oauth/revoke", &[], &[("token", refresh)]).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401, "with the refresh token, the whole family");
    // A client that is suspended, and one that is deleted.
    let tokens = world.tokens(&rp, &[]).await;
    let access = tokens["access_token"].as_str().unwrap();
    let path = format!("/api/v1/clients/{}", rp.id);
    assert_eq!(world.house.post(&world.operator, &format!("{path}/suspend"), &[], &json!({})).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 401);
    assert_eq!(world.authorize(&world.alice, &request(&rp, &[])).await.status, 400);
    assert_eq!(world.token(&rp, &[("grant_type", "client_credentials")]).await.status, 401);
    assert_eq!(world.house.post(&world.operator, &format!("{path}/resume"), &[], &json!({})).await.status, 200);
    assert_eq!(world.userinfo(access).await.status, 200);
}

/// Clients are the operator's to register.
#[tokio::test]
async fn clients_are_run_by_the_operator() {
    let world = World::open().await;
    let body = json!({ "metadata": { "redirect_uris": [CALLBACK] } });
    let anybody =
        world.house.send(axum::http::Method::POST, "/api/v1/clients", &[("content-type", "application/json")], body.to_string()).await;
    anybody.problem(401, "sign_in_required");
    let made = world.create(&body).await.json();
    assert!(made["client_secret"].as_str().unwrap().starts_with("oct_sso_secret_"));
    let path = format!("/api/v1/clients/{}", made["id"].as_str().unwrap());
    let read = world.house.send(axum::http::Method::GET, &path, &[("cookie", &world.operator.cookie)], "").await.json();
    assert_eq!((read.get("client_secret"), &read["metadata"]["redirect_uris"]), (None, &json!([CALLBACK])), "shown once");
    let replaced = world.house.post(&world.operator, &format!("{path}/secret"), &[], &json!({})).await.json();
    assert_ne!(replaced["client_secret"], made["client_secret"]);
    let old = Rp { id: made["id"].as_str().unwrap().into(), secret: made["client_secret"].as_str().unwrap().into(), key: None };
    let code = world.code(&old, &[]).await;
    assert_eq!(world.exchange(&old, &code).await.status, 401);
    let bad = world.create(&json!({ "metadata": { "redirect_uris": ["http://rp.example/cb"] } })).await;
    assert_eq!(bad.problem(422, "invalid")["errors"][0]["pointer"], "/metadata/redirect_uris/0");
    world.create(&json!({ "metadata": { "redirect_uris": [CALLBACK] }, "access_token_seconds": 5 })).await.problem(422, "invalid");
}
