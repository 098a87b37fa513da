//! Relying parties and people who sign in to them, over a portal.

use axum::http::Method;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use octroi_app::sign_on::settings::SignOnSettings;
use octroi_oauth::{
    foreign::{self, ASYMMETRIC, Jwk, JwkSet},
    jwt::{SigningAlgorithm, SigningKeyPair},
};
use serde_json::{Value, json};

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use crate::support::{Answer, EMAIL, House, PASSWORD, PUBLIC, Signed};

pub const CALLBACK: &str = "https://rp.example/cb";
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The addresses of clients, without a network: what is posted is kept, and what is to be fetched is there.
#[derive(Default)]
pub struct Web {
    pub there: Mutex<HashMap<String, String>>,
    pub posted: Mutex<Vec<(String, String)>>,
    pub answers: Mutex<Vec<u16>>,
    /// What was asked for.
    pub asked: Mutex<Vec<String>>,
}
impl octroi_app::sign_on::outgoing::OutgoingPort for Web {
    fn get<'a>(&'a self, address: &'a str) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>> {
        self.asked.lock().unwrap().push(address.to_owned());
        let found = self.there.lock().unwrap().get(address).map(|text| text.clone().into_bytes());
        Box::pin(async move { found.ok_or_else(|| "answered 404".to_owned()) })
    }
    fn post_form<'a>(&'a self, address: &'a str, form: String) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>> {
        self.posted.lock().unwrap().push((address.to_owned(), form));
        let status = self.answers.lock().unwrap().pop().unwrap_or(200);
        Box::pin(async move { Ok(status) })
    }
}

/// A portal with two organisations, and Alice, who is a member of both.
pub struct World {
    pub house: House,
    pub operator: Signed,
    pub alice: String,
    pub alice_id: String,
    pub organizations: Vec<String>,
    pub web: Arc<Web>,
}

/// A client as its makers hold it.
pub struct Rp {
    pub id: String,
    pub secret: String,
    pub key: Option<SigningKeyPair>,
}

pub fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub fn parameter(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

pub fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().to_owned()
}

pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    page.split("<main").nth(1).unwrap().split(&start).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

impl World {
    pub async fn open() -> Self {
        Self::settled(SignOnSettings::default()).await
    }

    /// With these settings of the sign-on.
    pub async fn settled(settings: SignOnSettings) -> Self {
        let house = House::open(PUBLIC, true).await;
        house.app.settle_sign_on(settings);
        let web = Arc::new(Web::default());
        house.app.attach_outgoing(web.clone());
        let operator = house.sign_in().await;
        let mut organizations = Vec::new();
        for (siret, name) in [("21750001600019", "Ville de Paris"), ("13002526500013", "DINUM")] {
            let made = house.post(&operator, "/api/v1/organizations", &[], &json!({ "siret": siret, "name": name })).await;
            assert_eq!(made.status, 201, "{}", made.text);
            organizations.push(made.json()["id"].as_str().unwrap().to_owned());
        }
        let alice = json!({
            "email": "alice@paris.example", "given_name": "Alice", "family_name": "Martin", "password": PASSWORD,
            "organization": "21750001600019", "level": "verified",
        });
        let alice = house.post(&operator, "/api/v1/users", &[], &alice).await;
        assert_eq!(alice.status, 201, "{}", alice.text);
        let alice_id = alice.json()["id"].as_str().unwrap().to_owned();
        let mut world = Self { house, operator, alice: String::new(), alice_id, organizations, web };
        world.alice = world.sign_in("alice@paris.example").await;
        world
    }

    /// Alice belongs to the second organisation too.
    pub async fn join(&self) {
        let headers = [
            ("content-type", "application/json"),
            ("cookie", self.operator.cookie.as_str()),
            ("x-csrf-token", self.operator.csrf.as_str()),
        ];
        let body = json!({ "organization": "13002526500013", "level": "certified" }).to_string();
        let path = format!("/api/v1/users/{}/organizations", self.alice_id);
        let answer = self.house.send(Method::PUT, &path, &headers, body).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    /// A new session; its cookie.
    pub async fn sign_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD }).to_string();
        let answer = self.house.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    pub async fn operator_cookie(&self) -> String {
        self.sign_in(EMAIL).await
    }

    pub async fn create(&self, body: &Value) -> Answer {
        self.house.post(&self.operator, "/api/v1/clients", &[], body).await
    }

    /// A client with these members beside its name and address.
    pub async fn client(&self, members: Value) -> Rp {
        self.client_with(members, json!({})).await
    }

    pub async fn client_with(&self, members: Value, terms: Value) -> Rp {
        let mut metadata = json!({ "client_name": "Cantine", "redirect_uris": [CALLBACK] });
        metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let mut body = json!({ "metadata": metadata });
        body.as_object_mut().unwrap().extend(terms.as_object().unwrap().clone());
        let made = self.create(&body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let secret = made["client_secret"].as_str().unwrap_or_default().to_owned();
        Rp { id: made["client_id"].as_str().unwrap().to_owned(), secret, key: None }
    }

    /// A client that signs assertions.
    pub async fn signing_client(&self, members: Value) -> Rp {
        let key = SigningKeyPair::from_pkcs8("rp-1", &SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap()).unwrap();
        let mut all = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk()] } });
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        Rp { key: Some(key), ..self.client(all).await }
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.house.send(Method::GET, path, &[("accept", "text/html"), ("accept-language", "en"), ("cookie", cookie)], "").await
    }

    pub async fn form(&self, path: &str, cookie: &str, pairs: &[(&str, &str)]) -> Answer {
        let headers = [FORM, ("accept", "text/html"), ("accept-language", "en"), ("cookie", cookie), ("origin", PUBLIC)];
        self.house.send(Method::POST, path, &headers, encoded(pairs)).await
    }

    /// What the authorisation endpoint answers to a browser.
    pub async fn authorize(&self, cookie: &str, pairs: &[(&str, &str)]) -> Answer {
        self.get(&format!("/oauth/authorize?{}", encoded(pairs)), cookie).await
    }

    /// Asks, agrees where that is asked, and ends at the client; the address there.
    pub async fn through(&self, cookie: &str, pairs: &[(&str, &str)]) -> String {
        let asked = self.authorize(cookie, pairs).await;
        self.onward(cookie, location(&asked)).await
    }

    pub async fn onward(&self, cookie: &str, mut place: String) -> String {
        for _ in 0..4 {
            if !place.starts_with("/oauth/authorize/") {
                return place;
            }
            let page = self.get(&place, cookie).await;
            if page.status == 200 {
                assert!(page.text.contains("value=\"agree\""), "{}", page.text);
                let sent = self.form(&place, cookie, &[("_csrf", &hidden(&page.text, "_csrf")), ("choice", "agree")]).await;
                assert_eq!(location(&sent), place);
            } else {
                place = location(&page);
            }
        }
        place
    }

    /// A request of this client for a code; `more` adds to it, or takes the place of what is there.
    pub async fn code(&self, rp: &Rp, more: &[(&str, &str)]) -> String {
        let address = self.through(&self.alice, &request(rp, more)).await;
        assert!(address.starts_with(CALLBACK), "{address}");
        assert_eq!(parameter(&address, "iss").as_deref(), Some(PUBLIC));
        parameter(&address, "code").unwrap_or_else(|| panic!("no code: {address}"))
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Answer {
        let mut all = vec![FORM];
        all.extend(headers);
        self.house.send(Method::POST, path, &all, encoded(pairs)).await
    }

    /// The token endpoint, authenticated as the client registered.
    pub async fn token(&self, rp: &Rp, pairs: &[(&str, &str)]) -> Answer {
        self.as_client(rp, "/oauth/token", &[], pairs).await
    }

    pub async fn as_client(&self, rp: &Rp, path: &str, headers: &[(&str, &str)], pairs: &[(&str, &str)]) -> Answer {
        let basic = basic(rp);
        let mut headers = headers.to_vec();
        if let Some(key) = &rp.key {
            let assertion = key.sign("JWT", &self.assertion(rp)).unwrap();
            let mut pairs = pairs.to_vec();
            pairs.extend([("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())]);
            return self.post(path, &headers, &pairs).await;
        }
        if rp.secret.is_empty() {
            let mut pairs = pairs.to_vec();
            pairs.push(("client_id", &rp.id));
            return self.post(path, &headers, &pairs).await;
        }
        headers.push(("authorization", &basic));
        self.post(path, &headers, pairs).await
    }

    pub fn assertion(&self, rp: &Rp) -> Value {
        let now = self.house.now().seconds();
        json!({ "iss": rp.id, "sub": rp.id, "aud": PUBLIC, "iat": now, "exp": now + 60, "jti": uuid::Uuid::new_v4() })
    }

    pub async fn exchange(&self, rp: &Rp, code: &str) -> Answer {
        self.token(rp, &[("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)])
            .await
    }

    /// A whole sign-in: the answer of the token endpoint.
    pub async fn tokens(&self, rp: &Rp, more: &[(&str, &str)]) -> Value {
        let code = self.code(rp, more).await;
        let answer = self.exchange(rp, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.json()
    }

    pub async fn userinfo(&self, token: &str) -> Answer {
        self.house.send(Method::GET, "/oauth/userinfo", &[("authorization", &format!("Bearer {token}"))], "").await
    }

    pub async fn jwks(&self) -> JwkSet {
        serde_json::from_value(self.house.get("/oauth/jwks").await.json()).unwrap()
    }

    /// The claims of a token, checked against the published keys.
    pub async fn claims(&self, token: &str) -> Value {
        foreign::verify(token, &self.jwks().await, &ASYMMETRIC).unwrap()
    }
}

pub const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub fn basic(rp: &Rp) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", rp.id, rp.secret)))
}

/// A good request, with what is added or replaced; an empty value leaves a parameter out.
pub fn request<'a>(rp: &'a Rp, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", rp.id.as_str()),
        ("redirect_uri", CALLBACK),
        ("scope", "openid email"),
        ("state", "state-1"),
        ("nonce", "nonce-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in more {
        pairs.retain(|(found, _)| found != name);
        pairs.push((name, value));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    pairs
}

/// Proofs of possession (RFC 9449).
pub struct Prover {
    key: EncodingKey,
    pub jwk: Jwk,
}
impl Prover {
    pub fn new() -> Self {
        let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::Es256).unwrap();
        let jwk = SigningKeyPair::from_pkcs8("", &pkcs8).unwrap().jwk().unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        for member in ["kid", "use", "alg"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        Self { key: EncodingKey::from_ec_der(&pkcs8), jwk: serde_json::from_value(jwk).unwrap() }
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { typ: Some("dpop+jwt".into()), jwk: Some(self.jwk.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    pub fn prove(&self, world: &World, method: &str, path: &str, token: Option<&str>) -> String {
        let mut claims = json!({
            "jti": uuid::Uuid::new_v4(), "htm": method, "htu": format!("{PUBLIC}{path}"), "iat": world.house.now().seconds(),
        });
        if let Some(token) = token {
            claims["ath"] = json!(octroi_oauth::dpop::ath(token));
        }
        self.sign(&claims)
    }
}
