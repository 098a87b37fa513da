//! A provider that does what it is told, right or wrong. It is reached through the port that the program reaches the world through.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use octroi_app::sign_on::outgoing::{Answered, Ask, OutgoingPort};
use octroi_oauth::{
    jwt::{SigningAlgorithm, SigningKeyPair},
    pkce::Challenge,
};
use serde_json::{Map, Value, json};

use crate::support::{Answer, House, PUBLIC, Signed, browser::Browser};

pub const ISSUER: &str = "https://idp.example";
pub const SECRET: &str = "a secret+ of / 27 characters";

/// How an ID token is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    Es256,
    Rs256,
    None,
    Hs256,
    /// By a key that is not published, under the name of one that is.
    Forged,
    /// EdDSA, without a `kid`.
    Nameless,
}

pub struct Manners {
    /// Laid over the claims of the ID token; null takes one away.
    pub id_token: Value,
    pub userinfo: Value,
    pub signed_userinfo: bool,
    pub signing: Signing,
    /// Laid over the document.
    pub document: Value,
    /// Several keys of the kind that signs.
    pub twin_keys: bool,
    pub down: bool,
}

/// What came with one request: its address, header and form.
type Seen = (String, Option<String>, Option<String>);

pub struct Provider {
    keys: [SigningKeyPair; 3],
    nameless: (Vec<u8>, SigningKeyPair),
    pub manners: Mutex<Manners>,
    now: i64,
    /// Nonce and challenge of what was asked last.
    asked: Mutex<(String, String)>,
    /// What came to the token and userinfo endpoints: address, header, form.
    pub seen: Mutex<Vec<Seen>>,
}

fn pair(kid: &str, algorithm: SigningAlgorithm) -> SigningKeyPair {
    SigningKeyPair::of(algorithm, kid, &SigningKeyPair::generate(algorithm).unwrap()).unwrap()
}

pub fn laid_over(under: Value, over: &Value) -> Map<String, Value> {
    let mut all = under.as_object().unwrap().clone();
    for (name, value) in over.as_object().unwrap() {
        match value {
            Value::Null => drop(all.remove(name)),
            value => drop(all.insert(name.clone(), value.clone())),
        }
    }
    all
}

pub fn parameter(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

impl Provider {
    pub fn new(now: i64) -> Self {
        let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::EdDsa).unwrap();
        let nameless = SigningKeyPair::of(SigningAlgorithm::EdDsa, "ed", &pkcs8).unwrap();
        Self {
            keys: [pair("ec", SigningAlgorithm::Es256), pair("rsa", SigningAlgorithm::Rs256), pair("ec", SigningAlgorithm::Es256)],
            nameless: (pkcs8, nameless),
            manners: Mutex::new(Manners {
                id_token: json!({}),
                userinfo: json!({
                    "sub": "ada-1", "email": "ada@rivebelle.example", "email_verified": true, "given_name": "Ada", "family_name": "Lovelace",
                }),
                signed_userinfo: false,
                signing: Signing::Es256,
                document: json!({}),
                twin_keys: false,
                down: false,
            }),
            now,
            asked: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Somebody agrees there: the callback that their browser is sent to.
    pub fn agree(&self, address: &str) -> String {
        assert!(address.starts_with("https://idp.example/authorize?"), "{address}");
        let asked = |name: &str| parameter(address, name).unwrap_or_else(|| panic!("no {name} in {address}"));
        *self.asked.lock().unwrap() = (asked("nonce"), asked("code_challenge"));
        assert!(asked("state").len() >= 32 && asked("nonce").len() >= 32 && asked("code_challenge_method") == "S256");
        let callback = asked("redirect_uri").strip_prefix(PUBLIC).unwrap().to_owned();
        format!("{callback}?code=the-code&state={}&iss=https%3A%2F%2Fidp.example", asked("state"))
    }

    fn answer(&self, ask: Ask<'_>) -> Result<Answered, String> {
        let manners = self.manners.lock().unwrap();
        if manners.down {
            return Err("connection refused".to_owned());
        }
        let json =
            |value: &Value| Ok(Answered { status: 200, content_type: "application/json".into(), body: value.to_string().into_bytes() });
        let refused =
            |status| Ok(Answered { status, content_type: "application/json".into(), body: br#"{"error":"invalid_grant"}"#.to_vec() });
        match ask.address {
            "https://idp.example/.well-known/openid-configuration" => {
                let document = json!({
                    "issuer": ISSUER, "authorization_endpoint": "https://idp.example/authorize", "token_endpoint": "https://idp.example/token",
                    "userinfo_endpoint": "https://idp.example/userinfo", "jwks_uri": "https://idp.example/jwks",
                    "end_session_endpoint": "https://idp.example/end", "authorization_response_iss_parameter_supported": true,
                    "claims_parameter_supported": true,
                });
                json(&Value::Object(laid_over(document, &manners.document)))
            }
            "https://idp.example/jwks" => {
                let mut keys: Vec<Value> = self.keys.iter().take(2).map(|key| serde_json::to_value(key.jwk().unwrap()).unwrap()).collect();
                keys.push(serde_json::to_value(self.nameless.1.jwk().unwrap()).unwrap());
                if manners.twin_keys {
                    let mut twin = serde_json::to_value(self.nameless.1.jwk().unwrap()).unwrap();
                    twin["kid"] = json!("ed-2");
                    keys.push(twin);
                }
                json(&json!({ "keys": keys }))
            }
            "https://idp.example/token" => {
                let form = ask.form.unwrap_or_default().to_owned();
                self.seen.lock().unwrap().push((ask.address.into(), ask.authorization.map(str::to_owned), Some(form.clone())));
                let sent = |name: &str| parameter(&format!("?{form}"), name).unwrap_or_default();
                let (nonce, challenge) = self.asked.lock().unwrap().clone();
                if sent("code") != "the-code" || !Challenge::read(&challenge).unwrap().is_of(&sent("code_verifier")) {
                    return refused(400);
                }
                let claims = json!({
                    "iss": ISSUER, "sub": "ada-1", "aud": "octroi", "iat": self.now, "exp": self.now + 60, "nonce": nonce, "sid": "their-session",
                });
                let id_token = self.sign(&manners, &laid_over(claims, &manners.id_token));
                json(&json!({ "access_token": "their-access-token", "token_type": "Bearer", "id_token": id_token }))
            }
            "https://idp.example/userinfo" => {
                self.seen.lock().unwrap().push((ask.address.into(), ask.authorization.map(str::to_owned), None));
                if ask.authorization != Some("Bearer their-access-token") {
                    return refused(401);
                }
                if manners.signed_userinfo {
                    let envelope = json!({ "iss": ISSUER, "aud": "octroi", "iat": self.now, "exp": self.now + 60 });
                    let token = self.keys[0].sign("JWT", &laid_over(envelope, &manners.userinfo)).unwrap();
                    return Ok(Answered { status: 200, content_type: "application/jwt".into(), body: token.into_bytes() });
                }
                json(&manners.userinfo)
            }
            other => Err(format!("nothing is at {other}")),
        }
    }

    fn sign(&self, manners: &Manners, claims: &Map<String, Value>) -> String {
        match manners.signing {
            Signing::Es256 => self.keys[0].sign("JWT", claims).unwrap(),
            Signing::Rs256 => self.keys[1].sign("JWT", claims).unwrap(),
            Signing::Forged => self.keys[2].sign("JWT", claims).unwrap(),
            Signing::None => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                format!("{}.{}.", part(&json!({ "alg": "none" })), part(&Value::Object(claims.clone())))
            }
            Signing::Hs256 => {
                jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
            }
            Signing::Nameless => {
                jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), claims, &EncodingKey::from_ed_der(&self.nameless.0)).unwrap()
            }
        }
    }

    /// A logout token, with changes laid over.
    pub fn logout_token(&self, jti: &str, over: &Value) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": "octroi", "iat": self.now, "exp": self.now + 60, "jti": jti, "sub": "ada-1", "sid": "their-session",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let claims = laid_over(claims, over);
        let manners = self.manners.lock().unwrap();
        if manners.signing == Signing::Es256 { self.keys[0].sign("logout+jwt", &claims).unwrap() } else { self.sign(&manners, &claims) }
    }
}

impl OutgoingPort for Provider {
    fn get<'a>(&'a self, address: &'a str) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>> {
        let answered = self.answer(Ask { address, form: None, authorization: None, accept: "application/json" });
        Box::pin(async move { answered.map(|answered| answered.body) })
    }
    fn post_form<'a>(&'a self, _: &'a str, _: String) -> Pin<Box<dyn Future<Output = Result<u16, String>> + Send + 'a>> {
        Box::pin(async { Err("nobody is told anything here".to_owned()) })
    }
    fn ask<'a>(&'a self, ask: Ask<'a>) -> Pin<Box<dyn Future<Output = Result<Answered, String>> + Send + 'a>> {
        let answered = self.answer(ask);
        Box::pin(async move { answered })
    }
}

/// A portal, its operator, and the provider that it is connected to.
pub struct World {
    pub house: House,
    pub operator: Signed,
    pub provider: Arc<Provider>,
}

impl World {
    pub async fn open(settings: Value) -> Self {
        let house = House::open(PUBLIC, true).await;
        let provider = Arc::new(Provider::new(house.now().seconds()));
        house.app.attach_outgoing(provider.clone());
        let operator = house.sign_in().await;
        let world = Self { house, operator, provider };
        let made = world.connect("idp", settings).await;
        assert_eq!(made.status, 201, "{}", made.text);
        world
    }

    pub async fn connect(&self, slug: &str, settings: Value) -> Answer {
        let usual = json!({
            "name": { "fr": "AgentConnect", "en": "AgentConnect" }, "issuer": ISSUER, "client_id": "octroi", "client_secret": SECRET,
            "client_auth": "secret_basic", "scopes": ["openid", "email", "profile"],
        });
        let settings = laid_over(usual, &settings);
        self.house.post(&self.operator, "/api/v1/connections", &[], &json!({ "slug": slug, "settings": settings })).await
    }

    /// An account of before, of a person who is a member of an organisation.
    pub async fn account(&self, email: &str, password: &str) {
        let made = self
            .house
            .post(&self.operator, "/api/v1/organizations", &[], &json!({ "siret": "21750001600019", "name": "Ville de Paris" }))
            .await;
        assert!([201, 409].contains(&made.status.as_u16()), "{}", made.text);
        let person = json!({
            "email": email, "given_name": "Ada", "family_name": "L", "password": password, "organization": "21750001600019",
            "level": "verified",
        });
        let made = self.house.post(&self.operator, "/api/v1/users", &[], &person).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }

    pub async fn go<'a>(&'a self, browser: &mut Browser<'a>, path: &str) -> std::rc::Rc<Answer> {
        browser.get(path).await;
        let callback = self.provider.agree(&browser.leads_to());
        browser.get(&callback).await
    }

    /// A new browser, there and back.
    pub async fn come(&self) -> (Browser<'_>, std::rc::Rc<Answer>) {
        let mut browser = Browser::at(&self.house);
        let answer = self.go(&mut browser, "/auth/idp/login").await;
        (browser, answer)
    }

    pub fn with(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.provider.manners.lock().unwrap());
    }
}

pub fn basic(authorization: &str) -> String {
    String::from_utf8(STANDARD.decode(authorization.strip_prefix("Basic ").unwrap()).unwrap()).unwrap()
}
