//! What an examiner from outside found, who takes each standard at its word.

use axum::http::Method;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use octroi_oauth::jwt::{SigningAlgorithm, SigningKeyPair};
use serde_json::{Value, json};

use crate::{
    relying::{ASSERTION, CALLBACK, CHALLENGE, FORM, Prover, World, basic, encoded, hidden, location, parameter, request},
    support::{Answer, PUBLIC},
};

const OWN_NAME: (&str, &str) = ("grant_type", "client_credentials");

/// A key as libraries of today name it (RFC 9864): openid-client 6 says `Ed25519`, never `EdDSA`.
struct Ed25519 {
    key: EncodingKey,
    jwk: Value,
}
impl Ed25519 {
    fn new() -> Self {
        let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::EdDsa).unwrap();
        let jwk = SigningKeyPair::of(SigningAlgorithm::EdDsa, "", &pkcs8).unwrap().jwk().unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        for member in ["kid", "use", "alg"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        Self { key: EncodingKey::from_ed_der(&pkcs8), jwk }
    }

    fn sign(&self, mut header: Value, claims: &Value) -> String {
        header["alg"] = json!("Ed25519");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::EdDSA).unwrap();
        format!("{signed}.{signature}")
    }
}

#[tokio::test]
async fn an_ed25519_key_is_known_by_the_name_of_today() {
    let world = World::open().await;
    let key = Ed25519::new();
    let mut jwk = key.jwk.clone();
    jwk.as_object_mut().unwrap().extend([("alg".to_owned(), json!("Ed25519")), ("kid".to_owned(), json!("one"))]);
    let tomorrow = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "two", "pub": "AAAA" });
    let rp = world
        .client(json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [tomorrow, jwk] }, "token_endpoint_auth_signing_alg": "Ed25519",
            "grant_types": ["client_credentials"], "redirect_uris": [],
        }))
        .await;
    let assertion = key.sign(json!({ "kid": "one" }), &world.assertion(&rp));
    let now = world.house.now().seconds();
    let claims = json!({ "jti": "p-1", "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now });
    let proof = key.sign(json!({ "typ": "dpop+jwt", "jwk": key.jwk }), &claims);
    let pairs = [OWN_NAME, ("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
    let answer = world.post("/oauth/token", &[("dpop", &proof)], &pairs).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["token_type"], "DPoP");
    for document in ["/.well-known/openid-configuration", "/.well-known/oauth-protected-resource"] {
        let document = world.house.get(document).await.json();
        assert!(document["dpop_signing_alg_values_supported"].as_array().unwrap().contains(&json!("Ed25519")), "{document}");
    }
}

/// RFC 8252 section 7.3 and RFC 9700 section 2.1: the port is free for applications on the machine, and for nobody else.
#[tokio::test]
async fn the_port_is_free_for_native_applications_alone() {
    let world = World::open().await;
    for (kind, status) in [("native", 303), ("web", 400)] {
        let members = json!({ "application_type": kind, "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"] });
        let rp = world.client(members).await;
        let asked = world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "http://127.0.0.1:51004/cb")])).await;
        assert_eq!(asked.status, status, "{kind}: {}", asked.text);
        assert_eq!(world.authorize(&world.alice, &request(&rp, &[("redirect_uri", "http://127.0.0.1/cb")])).await.status, 303, "{kind}");
    }
}

/// RFC 6749 section 3.3: a request without `scope` has a default, and an answer says one scope at least, or nothing of them.
#[tokio::test]
async fn a_scope_is_never_empty() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let told = world.tokens(&rp, &[("scope", "")]).await;
    assert_eq!(told["scope"], "openid");
    assert!(told["id_token"].is_string(), "{told}");
    let registered = world.client(json!({ "scope": "openid email" })).await;
    assert_eq!(world.tokens(&registered, &[("scope", "")]).await["scope"], "openid email");
    let nothing = location(&world.authorize(&world.alice, &request(&rp, &[("scope", "nothing-known")])).await);
    assert_eq!(parameter(&nothing, "error").as_deref(), Some("invalid_scope"), "{nothing}");
    let machine = world.client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    let told = world.token(&machine, &[OWN_NAME]).await;
    assert!(told.status == 200 && told.json().get("scope").is_none(), "{}", told.text);
    assert_eq!((&told.headers["cache-control"], &told.headers["pragma"]), (&"no-store".parse().unwrap(), &"no-cache".parse().unwrap()));
}

fn challenges(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// RFC 6750 sections 2.2 and 3.1, RFC 9449 section 7.1.
#[tokio::test]
async fn userinfo_answers_in_the_terms_of_what_was_shown() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let body = encoded(&[("access_token", token)]);
    let by_get = world.house.send(Method::GET, "/oauth/userinfo", &[FORM], body.clone()).await;
    assert!(by_get.status == 400 && by_get.json()["error"] == "invalid_request", "{}", by_get.text);
    assert_eq!(world.house.send(Method::POST, "/oauth/userinfo", &[FORM], body).await.status, 200);
    let basic = world.house.send(Method::GET, "/oauth/userinfo", &[("authorization", &basic(&rp))], "").await;
    assert!(basic.status == 401 && basic.text.is_empty(), "{}", basic.text);
    let offered = challenges(&basic);
    assert!(offered.len() == 2 && offered.iter().all(|challenge| !challenge.contains("error=")), "{offered:?}");
    for scheme in ["Bearer", "DPoP"] {
        let unknown = world.house.send(Method::GET, "/oauth/userinfo", &[("authorization", &format!("{scheme} nothing"))], "").await;
        let told = challenges(&unknown).remove(0);
        assert!(unknown.status == 401 && told.starts_with(scheme) && told.contains("error=\"invalid_token\""), "{told}");
        assert_eq!(told.contains("algs=\"ES256 "), scheme == "DPoP", "{told}");
    }
}

/// RFC 7519 sections 4.1.4 and 4.1.5: whoever says when a proof ends, or begins, means it.
#[tokio::test]
async fn a_proof_ends_when_it_says_so() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    let (prover, now) = (Prover::new(), world.house.now().seconds());
    let basic = basic(&rp);
    for (name, when, status) in [("exp", now - 100, 400), ("nbf", now + 100, 400), ("exp", now + 100, 200), ("nbf", now - 100, 200)] {
        let mut claims = json!({ "jti": format!("{name}{when}"), "htm": "POST", "htu": format!("{PUBLIC}/oauth/token"), "iat": now });
        claims[name] = json!(when);
        let proof = prover.sign(&claims);
        let answer = world.post("/oauth/token", &[("authorization", &basic), ("dpop", &proof)], &[OWN_NAME]).await;
        assert_eq!(answer.status, status, "{name} {when}: {}", answer.text);
    }
}

/// RFC 8725 section 3.11: what a key signed for another purpose proves nothing here.
#[tokio::test]
async fn an_assertion_is_of_its_own_type() {
    let world = World::open().await;
    let rp = world.signing_client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    for (typ, status) in [
        ("JWT", 200),
        ("jwt", 200),
        ("client-authentication+jwt", 200),
        ("application/client-authentication+jwt", 200),
        ("at+jwt", 401),
        ("dpop+jwt", 401),
        ("logout+jwt", 401),
        ("", 401),
    ] {
        let assertion = rp.key.as_ref().unwrap().sign(typ, &world.assertion(&rp)).unwrap();
        let pairs = [OWN_NAME, ("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
        let answer = world.post("/oauth/token", &[], &pairs).await;
        assert_eq!(answer.status, status, "{typ}: {}", answer.text);
    }
}

/// Initiating User Registration 1.0 section 4.1: whoever is signed in already is offered to open another account.
#[tokio::test]
async fn prompt_create_is_not_passed_over() {
    let world = World::open().await;
    let rp = world.client_with(json!({}), json!({ "first_party": true })).await;
    world.house.wait(1);
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "create")])).await);
    let page = world.get(&asked, &world.alice).await;
    assert!(page.status == 200 && page.text.contains("Open another account"), "{}", page.text);
    assert!(hidden(&page.text, "return_to").starts_with("/sign-up?return_to="), "{}", page.text);
    let keep = world.form(&asked, &world.alice, &[("_csrf", &hidden(&page.text, "_csrf")), ("choice", "account")]).await;
    assert!(parameter(&location(&world.get(&location(&keep), &world.alice).await), "code").is_some());
    // Who came by this very request has done what was asked.
    let asked = location(&world.authorize("", &request(&rp, &[("prompt", "create")])).await);
    assert!(location(&world.get(&asked, "").await).starts_with("/sign-up?"));
    world.house.wait(1);
    let later = world.sign_in("alice@paris.example").await;
    assert!(parameter(&location(&world.get(&asked, &later).await), "code").is_some());
}

/// OpenID Connect Core section 3.1.2.1: a client that has people asked, has them asked, whoever it is.
#[tokio::test]
async fn prompt_consent_asks_for_a_first_party_too() {
    let world = World::open().await;
    let rp = world.client_with(json!({}), json!({ "first_party": true })).await;
    assert!(location(&world.authorize(&world.alice, &request(&rp, &[])).await).starts_with(CALLBACK));
    let asked = location(&world.authorize(&world.alice, &request(&rp, &[("prompt", "consent")])).await);
    let page = world.get(&asked, &world.alice).await;
    assert!(page.status == 200 && page.text.contains("value=\"agree\""), "{}", page.text);
    assert!(parameter(&world.onward(&world.alice, asked).await, "code").is_some());
}

/// A client whose keys were read a moment ago replaces them, and signs with the new one at once.
#[tokio::test]
async fn a_new_key_is_believed_at_once() {
    let world = World::open().await;
    let keys = ["one", "two", "three"]
        .map(|kid| SigningKeyPair::of(SigningAlgorithm::Es256, kid, &SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap()).unwrap());
    let rp = world
        .client(json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "https://rp.example/jwks", "grant_types": ["client_credentials"],
            "redirect_uris": [],
        }))
        .await;
    for (key, status) in keys.iter().zip([200, 200, 401]) {
        let set = json!({ "keys": [key.jwk()] }).to_string();
        world.web.there.lock().unwrap().insert("https://rp.example/jwks".to_owned(), set);
        let assertion = key.sign("JWT", &world.assertion(&rp)).unwrap();
        let pairs = [OWN_NAME, ("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
        let answer = world.post("/oauth/token", &[], &pairs).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    // But not each time: else whoever names the client has us ask it at will.
    assert_eq!(world.web.asked.lock().unwrap().len(), 2);
}

/// RFC 9449 section 10: a code for a key that cannot be is worth nothing to anybody.
#[tokio::test]
async fn dpop_jkt_is_a_thumbprint() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    let back = location(&world.authorize(&world.alice, &request(&rp, &[("dpop_jkt", "x")])).await);
    assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"), "{back}");
    let good = location(&world.authorize(&world.alice, &request(&rp, &[("dpop_jkt", CHALLENGE)])).await);
    assert!(good.starts_with("/oauth/authorize/"), "{good}");
}

/// RFC 9110 section 12.4.2.
#[tokio::test]
async fn an_answer_is_signed_for_those_who_take_it() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    for (accept, kind) in [
        ("application/token-introspection+jwt;q=0, application/json", "application/json"),
        ("application/json, application/token-introspection+jwt; q=0.0", "application/json"),
        ("application/json;q=0.1, Application/Token-Introspection+JWT;q=0.9", "application/token-introspection+jwt"),
        ("*/*", "application/json"),
    ] {
        let headers = [("authorization", basic(&rp)), ("accept", accept.to_owned())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = world.post("/oauth/introspect", &headers, &[("token", "nothing")]).await;
        assert_eq!(answer.headers["content-type"], kind, "{accept}");
    }
}

/// The two addresses of the token endpoint are one: a page of another site is told what it did wrong at either.
#[tokio::test]
async fn a_page_elsewhere_reads_every_refusal_of_the_token_endpoint() {
    let world = World::open().await;
    for path in ["/oauth/token", "/token"] {
        let answer =
            world.post(path, &[("origin", "https://spa.example")], &[("grant_type", "authorization_code"), ("client_id", "x")]).await;
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}");
        assert_eq!(world.house.send(Method::OPTIONS, path, &[("origin", "https://spa.example")], "").await.status, 204, "{path}");
    }
}

/// RFC 7591: keys are public ones, and a member says one thing.
#[tokio::test]
async fn registering_is_read_strictly() {
    let world = World::open().await;
    let token =
        world.house.post(&world.operator, "/api/v1/initial-access-tokens", &[], &json!({ "label": "strict", "uses": 9 })).await.json();
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let register = async |body: String| {
        world.house.send(Method::POST, "/oauth/register", &[("authorization", &bearer), ("content-type", "application/json")], body).await
    };
    let twice = format!(r#"{{"redirect_uris":["{CALLBACK}"],"redirect_uris":["https://other.example/cb"]}}"#);
    let answer = register(twice).await;
    assert!(answer.status == 400 && answer.json()["error"] == "invalid_client_metadata", "{}", answer.text);
    let mut private = serde_json::to_value(Prover::new().jwk).unwrap();
    private["d"] = json!("AAAA");
    let answer = register(json!({ "redirect_uris": [CALLBACK], "jwks": { "keys": [private] } }).to_string()).await;
    assert!(answer.status == 400 && answer.text.contains("private key"), "{}", answer.text);
    assert_eq!(register(json!({ "redirect_uris": [CALLBACK] }).to_string()).await.status, 201);
}

/// OAuth 2.0 Multiple Response Types section 2.1: the mode that pages without a server ask for.
#[tokio::test]
async fn an_answer_comes_in_the_fragment_where_that_is_asked() {
    let world = World::open().await;
    let rp = world.client_with(json!({}), json!({ "first_party": true })).await;
    let back = location(&world.authorize(&world.alice, &request(&rp, &[("response_mode", "fragment")])).await);
    let (address, fragment) = back.split_once('#').unwrap();
    assert_eq!(address, CALLBACK);
    let told = format!("{CALLBACK}?{fragment}");
    assert_eq!(parameter(&told, "state").as_deref(), Some("state-1"));
    assert_eq!(parameter(&told, "iss").as_deref(), Some(PUBLIC));
    let tokens = world.exchange(&rp, &parameter(&told, "code").unwrap()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    let denied = location(&world.authorize("", &request(&rp, &[("response_mode", "fragment"), ("prompt", "none")])).await);
    assert!(denied.starts_with(&format!("{CALLBACK}#error=login_required")), "{denied}");
    let modes = world.house.get("/.well-known/openid-configuration").await.json()["response_modes_supported"].clone();
    assert_eq!(modes, json!(["query", "fragment", "form_post"]));
}

/// RP-Initiated Logout section 2: a client posts so that the ID token is in no address, history or log.
#[tokio::test]
async fn a_posted_logout_keeps_the_hint_out_of_the_address() {
    let world = World::open().await;
    let rp = world.client_with(json!({ "post_logout_redirect_uris": ["https://rp.example/out"] }), json!({ "first_party": true })).await;
    let tokens = world.tokens(&rp, &[]).await;
    let hint = tokens["id_token"].as_str().unwrap();
    let asked = [("id_token_hint", hint), ("post_logout_redirect_uri", "https://rp.example/out"), ("state", "a b&c")];
    let posted = world.post("/oauth/logout", &[("origin", "https://rp.example")], &asked).await;
    assert_eq!(location(&posted), "/oauth/logout");
    let set = posted.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("Path=/oauth/logout;") && set.contains("Max-Age=60"), "{set}");
    let kept = set.split(';').next().unwrap();
    let out = world.get("/oauth/logout", &format!("{}; {kept}", world.alice)).await;
    let to = location(&out);
    assert!(to.starts_with("https://rp.example/out?") && parameter(&to, "state").as_deref() == Some("a b&c"), "{to}");
    let cookies: Vec<&str> = out.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|cookie| cookie.starts_with("octroi_leaving=;") && cookie.contains("Max-Age=0")), "{cookies:?}");
    assert_eq!(world.userinfo(tokens["access_token"].as_str().unwrap()).await.status, 401, "the session is over");
    // What is too long for a cookie goes as it did.
    let long = "x".repeat(4_000);
    let posted = world.post("/oauth/logout", &[], &[("state", long.as_str())]).await;
    assert_eq!(location(&posted), format!("/oauth/logout?state={long}"));
}

/// OAuth 2.0 Multiple Response Types section 2.1: how an answer travels holds for a refusal too, of whatever else is wrong.
#[tokio::test]
async fn a_refusal_travels_as_the_answer_would() {
    let world = World::open().await;
    let rp = world.client(json!({})).await;
    for wrong in [("max_age", "x"), ("prompt", "none login"), ("response_type", "token"), ("scope", "a\tb")] {
        let page = world.authorize(&world.alice, &request(&rp, &[("response_mode", "form_post"), wrong])).await;
        assert!(page.status == 200 && page.text.contains(&format!("action=\"{CALLBACK}\"")), "{wrong:?}: {}", page.text);
        assert!(page.text.contains("name=\"error\"") && page.text.contains("name=\"iss\""), "{wrong:?}: {}", page.text);
        let back = location(&world.authorize(&world.alice, &request(&rp, &[("response_mode", "fragment"), wrong])).await);
        assert!(back.starts_with(&format!("{CALLBACK}#error=")), "{wrong:?}: {back}");
        let back = location(&world.authorize(&world.alice, &request(&rp, &[wrong])).await);
        assert!(back.starts_with(&format!("{CALLBACK}?error=")), "{wrong:?}: {back}");
    }
    let back = location(&world.authorize(&world.alice, &request(&rp, &[("response_mode", "pigeon")])).await);
    assert_eq!(parameter(&back, "error").as_deref(), Some("invalid_request"), "{back}");
}

/// RFC 6750 section 3.1: a good token that is not enough is not a bad one.
#[tokio::test]
async fn the_token_of_a_machine_is_not_enough_for_userinfo() {
    let world = World::open().await;
    let rp = world.client(json!({ "grant_types": ["client_credentials"], "redirect_uris": [] })).await;
    let token = world.token(&rp, &[OWN_NAME]).await.json();
    let answer = world.userinfo(token["access_token"].as_str().unwrap()).await;
    assert!(answer.status == 403 && answer.json()["error"] == "insufficient_scope", "{}", answer.text);
}

/// RFC 7591 section 2.1: what is registered agrees with itself, and says nothing that nobody said.
#[tokio::test]
async fn what_is_registered_agrees_with_itself() {
    let world = World::open().await;
    let token =
        world.house.post(&world.operator, "/api/v1/initial-access-tokens", &[], &json!({ "label": "agrees", "uses": 9 })).await.json();
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let register = async |body: Value| {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        world.house.send(Method::POST, "/oauth/register", &headers, body.to_string()).await
    };
    let machine = register(json!({ "grant_types": ["client_credentials"] })).await;
    assert!(machine.status == 201 && machine.json()["response_types"] == json!([]), "{}", machine.text);
    assert!(machine.json().get("client_name").is_none(), "{}", machine.text);
    let people = register(json!({ "redirect_uris": [CALLBACK] })).await;
    assert_eq!(people.json()["response_types"], json!(["code"]));
    let neither = register(json!({ "redirect_uris": [CALLBACK], "response_types": [] })).await;
    assert!(neither.status == 400 && neither.json()["error"] == "invalid_client_metadata", "{}", neither.text);
}

/// A request travels through the browser, where anybody can ask for less than the client registered.
#[tokio::test]
async fn the_level_that_is_registered_cannot_be_asked_away() {
    let world = World::open().await;
    let rp = world.client(json!({ "default_acr_values": ["eidas1-mfa"] })).await;
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"eidas1"}}}"#;
    for less in
        [("acr_values", ""), ("acr_values", "eidas1"), ("acr_values", "eidas0 nonsense"), ("acr_values", "x"), ("claims", essential)]
    {
        let asked = location(&world.authorize(&world.alice, &request(&rp, &[less])).await);
        let page = world.get(&asked, &world.alice).await;
        assert!(location(&page).starts_with("/account") || location(&page).starts_with("/sign-in"), "{less:?}: {}", location(&page));
        let silent = world.through(&world.alice, &request(&rp, &[less, ("prompt", "none")])).await;
        assert_eq!(parameter(&silent, "error").as_deref(), Some("login_required"), "{less:?}");
    }
    // What the person can never reach here is refused, and not passed over.
    let rp = world.client(json!({ "default_acr_values": ["eidas1"] })).await;
    let tokens = world.tokens(&rp, &[("acr_values", "eidas0")]).await;
    assert_eq!(world.claims(tokens["id_token"].as_str().unwrap()).await["acr"], "eidas0", "more is there than was asked for");
}

/// An API decides by the organisation that the person acts for; who may introspect is told of the one of the grant.
#[tokio::test]
async fn introspection_tells_the_organization_of_the_grant() {
    let world = World::open().await;
    world.join().await;
    let rp = world.client(json!({})).await;
    let tokens = world.tokens(&rp, &[("scope", "openid siret"), ("siret_hint", "13002526500013")]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let told = world.as_client(&rp, "/oauth/introspect", &[], &[("token", token)]).await.json();
    assert_eq!((&told["siret"], told.get("organization_id"), told.get("label")), (&json!("13002526500013"), None, None), "{told}");
    let tokens = world.tokens(&rp, &[("scope", "openid organization"), ("siret_hint", "13002526500013")]).await;
    let told = world.as_client(&rp, "/oauth/introspect", &[], &[("token", tokens["access_token"].as_str().unwrap())]).await.json();
    assert_eq!((&told["siret"], &told["organization_id"]), (&json!("13002526500013"), &json!(world.organizations[1])), "{told}");
    let tokens = world.tokens(&rp, &[]).await;
    let told = world.as_client(&rp, "/oauth/introspect", &[], &[("token", tokens["access_token"].as_str().unwrap())]).await.json();
    assert!(told["active"] == true && told.get("siret").is_none(), "{told}");
}

/// With `prompt=none` the client goes on with the organisation that was chosen for it in this session, and with no other's choice.
#[tokio::test]
async fn who_cannot_be_asked_goes_on_with_the_organization_of_before() {
    let world = World::open().await;
    world.join().await;
    let rp = world.client(json!({})).await;
    let silent = [("scope", "openid siret"), ("prompt", "none")];
    let address = world.through(&world.alice, &request(&rp, &silent)).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("interaction_required"), "nothing was chosen yet");
    world.tokens(&rp, &[("scope", "openid siret"), ("siret_hint", "13002526500013")]).await;
    let tokens = world.tokens(&rp, &silent).await;
    let told = world.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(told["siret"], "13002526500013");
    let other = world.client(json!({ "client_name": "Piscine" })).await;
    let address = world.through(&world.alice, &request(&other, &silent)).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("interaction_required"), "another client's choice is not this one's");
    let again = World { alice: world.sign_in("alice@paris.example").await, ..world };
    let address = again.through(&again.alice, &request(&rp, &silent)).await;
    assert_eq!(parameter(&address, "error").as_deref(), Some("interaction_required"), "nor another session's");
}
