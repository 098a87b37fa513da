//! A portal, a provider without a network, a product, and browsers.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use octroi_app::sign_on::outgoing::{Answered, Ask, OutgoingPort};
use octroi_oauth::jwt::SigningKeyPair;
use serde_json::{Value, json};

use crate::support::{Answer, House, PUBLIC, Signed, browser::Browser};

pub const ISSUER: &str = "https://op.example";
pub const FRONT: &str = "https://catalogue.example/auth/datapass/login";
pub const ORIGIN: &str = "https://catalogue.example";
pub const CITY: &str = "21750001600019";
pub const MINISTRY: &str = "13002526500013";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Somebody whom the provider knows.
#[derive(Debug, Clone)]
pub struct Somebody {
    pub sub: &'static str,
    pub email: &'static str,
    pub verified: bool,
    pub sirets: Vec<&'static str>,
    pub sid: &'static str,
}
pub fn ada() -> Somebody {
    Somebody { sub: "ada", email: "ada@ville.example", verified: true, sirets: vec![CITY], sid: "s-ada" }
}

/// The provider: what it says is signed, and stands in no network.
pub struct Provider {
    key: SigningKeyPair,
    codes: Mutex<HashMap<String, (String, Somebody)>>,
    now: Mutex<i64>,
}
impl Provider {
    fn new() -> Self {
        let pkcs8 = SigningKeyPair::generate_pkcs8().unwrap();
        Self { key: SigningKeyPair::from_pkcs8("op-1", &pkcs8).unwrap(), codes: Mutex::default(), now: Mutex::default() }
    }

    /// Somebody signs in there; the code that they come back with.
    pub fn code(&self, nonce: &str, somebody: &Somebody) -> String {
        let code = octroi_oauth::secret::random_word().unwrap();
        self.codes.lock().unwrap().insert(code.clone(), (nonce.to_owned(), somebody.clone()));
        code
    }

    /// A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
    pub fn logout_token(&self, now: i64, sid: &str) -> String {
        let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        let claims = json!({ "iss": ISSUER, "aud": "client", "iat": now, "exp": now + 120, "jti": "j-1", "sid": sid, "events": event });
        self.key.sign("logout+jwt", &claims).unwrap()
    }

    fn answer(&self, ask: Ask<'_>) -> Option<Value> {
        match ask.address.strip_prefix(ISSUER)? {
            "/.well-known/openid-configuration" => Some(json!({
                "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize"), "token_endpoint": format!("{ISSUER}/token"),
                "userinfo_endpoint": format!("{ISSUER}/userinfo"), "jwks_uri": format!("{ISSUER}/jwks"), "end_session_endpoint": format!("{ISSUER}/logout"),
                "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["ES256"],
                "authorization_response_iss_parameter_supported": true,
            })),
            "/token" => {
                let form: HashMap<String, String> = form_urlencoded::parse(ask.form?.as_bytes()).into_owned().collect();
                let (nonce, somebody) = self.codes.lock().unwrap().get(form.get("code")?)?.clone();
                assert_eq!(form["code_verifier"].len(), 43);
                let now = *self.now.lock().unwrap();
                let claims = json!({ "iss": ISSUER, "sub": somebody.sub, "aud": "client", "iat": now, "exp": now + 100_000, "nonce": nonce, "sid": somebody.sid });
                let id_token = self.key.sign("JWT", &claims).unwrap();
                Some(json!({ "access_token": form["code"], "token_type": "Bearer", "expires_in": 60, "id_token": id_token }))
            }
            "/userinfo" => {
                let token = ask.authorization?.strip_prefix("Bearer ")?;
                let (_, somebody) = self.codes.lock().unwrap().get(token)?.clone();
                let organizations: Vec<Value> = somebody
                    .sirets
                    .iter()
                    .map(|siret| json!({ "id": 1, "siret": siret, "label": format!("Organisme {siret}"), "is_external": false }))
                    .collect();
                Some(json!({
                    "sub": somebody.sub, "email": somebody.email, "email_verified": somebody.verified, "given_name": "Ada", "family_name": "Lovelace",
                    "organizations": organizations,
                }))
            }
            _ => None,
        }
    }
}

/// The way out of the portal.
struct Way(Arc<Provider>);
impl OutgoingPort for Way {
    fn get<'a>(&'a self, address: &'a str) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>> {
        let found = (address == format!("{ISSUER}/jwks")).then(|| json!({ "keys": [self.0.key.jwk().unwrap()] }).to_string().into_bytes());
        Box::pin(async move { found.ok_or_else(|| "answered 404".to_owned()) })
    }
    fn post_form<'a>(&'a self, _: &'a str, _: String) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>> {
        Box::pin(async { Err("nobody there".to_owned()) })
    }
    fn ask<'a>(&'a self, ask: Ask<'a>) -> Pin<Box<dyn Future<Output = Result<Answered, String>> + Send + 'a>> {
        let told = self.0.answer(ask);
        let answered = Answered {
            status: if told.is_some() { 200 } else { 400 },
            content_type: "application/json".into(),
            body: told.unwrap_or_else(|| json!({ "error": "invalid_grant" })).to_string().into_bytes(),
        };
        Box::pin(async move { Ok(answered) })
    }
}

pub struct World {
    pub house: House,
    pub operator: Signed,
    pub provider: Arc<Provider>,
}

impl World {
    pub async fn open() -> Self {
        Self::open_at(PUBLIC).await
    }

    pub async fn open_at(public_url: &str) -> Self {
        let house = House::open(public_url, true).await;
        let provider = Arc::new(Provider::new());
        house.app.attach_outgoing(Arc::new(Way(Arc::clone(&provider))));
        let operator = house.sign_in().await;
        Self { house, operator, provider }
    }

    /// A connection of the product `catalogue`, with this product and these changes.
    pub async fn with(product: Value, changes: Value) -> Self {
        let world = Self::open().await;
        let made = world.connect(product, changes).await;
        assert_eq!(made.status, 201, "{}", made.text);
        world
    }

    pub async fn connect(&self, product: Value, changes: Value) -> Answer {
        let mut whole = json!({ "front": FRONT });
        merge(&mut whole, product);
        let mut settings = json!({
            "name": { "fr": "Catalogue", "en": "Catalogue" }, "issuer": ISSUER, "client_id": "client",
            "client_secret": "a secret of the client", "scopes": ["openid", "email", "organizations"], "purpose": { "product": whole },
        });
        merge(&mut settings, changes);
        self.house.post(&self.operator, "/api/v1/connections", &[], &json!({ "slug": "catalogue", "settings": settings })).await
    }

    pub async fn rest(&self, method: Method, path: &str, body: Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("cookie", self.operator.cookie.as_str()),
            ("x-csrf-token", self.operator.csrf.as_str()),
        ];
        let body = if method == Method::GET { String::new() } else { body.to_string() };
        self.house.send(method, &format!("/api/v1/connections/catalogue{path}"), &headers, body).await
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser::at(&self.house)
    }

    /// Imports an account of before with the password `mot de passe d'avant`.
    pub async fn import(&self, email: &str, siret: &str, role: &str) -> String {
        let hash = octroi_app::password::hash("mot de passe d'avant").unwrap();
        let one = json!({ "email": email, "organization_siret": siret, "role": role, "password_hash": hash, "reference": "42" });
        let answer = self.rest(Method::POST, "/legacy-users", json!({ "items": [one] })).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["items"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn merge(into: &mut Value, changes: Value) {
    for (name, value) in changes.as_object().unwrap() {
        into[name] = value.clone();
    }
}

pub fn parameter(address: &str, name: &str) -> Option<String> {
    let after = address.split_once(['?', '#'])?.1;
    form_urlencoded::parse(after.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// A browser goes to the login; where the provider sends it back to.
pub async fn way_back(world: &World, browser: &mut Browser<'_>, query: &str, somebody: &Somebody) -> String {
    let answer = browser.get(&format!("/auth/catalogue/login{query}")).await;
    let to = browser.leads_to();
    assert!(to.starts_with(&format!("{ISSUER}/authorize?")), "{to} {}", answer.text);
    let (state, nonce) = (parameter(&to, "state").unwrap(), parameter(&to, "nonce").unwrap());
    *world.provider.now.lock().unwrap() = world.house.now().seconds();
    let code = world.provider.code(&nonce, somebody);
    format!("/auth/catalogue/callback?code={code}&state={state}&iss=https%3A%2F%2Fop.example")
}

/// The whole login: the answer of the callback.
pub async fn log_in(world: &World, browser: &mut Browser<'_>, query: &str, somebody: &Somebody) -> Rc<Answer> {
    let back = way_back(world, browser, query, somebody).await;
    browser.get(&back).await
}

pub fn location(answer: &Rc<Answer>) -> String {
    assert_eq!(answer.status, 303, "{}", crate::support::browser::main(&answer.text));
    answer.headers["location"].to_str().unwrap().to_owned()
}

/// What a script of a front asks.
pub async fn fetch(browser: &mut Browser<'_>, method: Method, path: &str, origin: &str, extra: &[(&str, &str)], body: Value) -> Answer {
    let jar = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let mut headers = vec![("cookie", jar.as_str()), ("origin", origin), ("content-type", "application/json")];
    headers.extend(extra);
    let body = if method == Method::GET { String::new() } else { body.to_string() };
    let answer = browser.house.send(method, path, &headers, body).await;
    for set in answer.headers.get_all("set-cookie") {
        let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
        browser.cookies.retain(|(found, _)| found != name);
        if !value.is_empty() {
            browser.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
    answer
}

/// Who a token belongs to.
pub async fn bearer(world: &World, token: &str) -> Answer {
    world.house.send(Method::GET, "/auth/me", &[("authorization", &format!("Bearer {token}"))], "").await
}
