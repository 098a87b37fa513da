//! A small relying party with pages of its own: it sends people to the portal, exchanges the code with PKCE, checks the tokens by
//! the published keys, and is told when a session ends.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use octroi_domain::canonical::Sha256Hash;
use octroi_oauth::{
    foreign::{self, ASYMMETRIC, JwkSet},
    secret,
};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::world::{World, wait};

/// The one scope of each kind that a service of a town hall asks for.
const SCOPE: &str = "openid profile email organization";

/// A sign-in that was begun.
struct Begun {
    nonce: String,
    verifier: String,
}

/// What it knows, from all its threads.
struct Held {
    issuer: String,
    address: String,
    id: String,
    secret: String,
    begun: Mutex<HashMap<String, Begun>>,
    /// The ID token, its claims, and what userinfo said, the latest last.
    signed_in: Mutex<Vec<(String, Value, Value)>>,
    /// The claims of logout tokens that were checked.
    told: Mutex<Vec<Value>>,
}

/// It serves until the test ends.
#[derive(Clone)]
pub struct RelyingParty(Arc<Held>);

impl RelyingParty {
    /// Registers with the operator, and begins to serve.
    pub fn start(world: &World, name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let metadata = json!({
            "client_name": name,
            "redirect_uris": [format!("{address}/retour")],
            "post_logout_redirect_uris": [format!("{address}/au-revoir")],
            "backchannel_logout_uri": format!("{address}/fin"),
            "policy_uri": "https://cantine.example/donnees",
        });
        let made = wait(world.program("operator").post("/clients", json!({ "metadata": metadata }))).ok(201);
        let text = |member: &str| made[member].as_str().unwrap().to_owned();
        let held = Arc::new(Held {
            issuer: world.demo.portal().to_owned(),
            address,
            id: text("client_id"),
            secret: text("client_secret"),
            begun: Mutex::default(),
            signed_in: Mutex::default(),
            told: Mutex::default(),
        });
        let serving = Arc::clone(&held);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let held = Arc::clone(&serving);
                std::thread::spawn(move || held.serve(stream));
            }
        });
        Self(held)
    }

    /// Its page that sends people to the portal, which is asked these things too.
    pub fn entrance(&self, asked: &[(&str, &str)]) -> String {
        format!("{}/entrer?{}", self.0.address, encoded(asked))
    }

    /// Its page that ends the session of the portal.
    pub fn exit(&self) -> String {
        format!("{}/sortir", self.0.address)
    }

    /// The claims of the latest ID token, and what userinfo said.
    pub fn last(&self) -> (Value, Value) {
        let held = self.0.signed_in.lock().unwrap();
        let (_, claims, userinfo) = held.last().unwrap();
        (claims.clone(), userinfo.clone())
    }

    /// Waits until it is told that the session of its latest sign-in ended.
    #[track_caller]
    pub fn is_told(&self) {
        let (claims, _) = self.last();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let told = self.0.told.lock().unwrap().clone();
            if told.iter().any(|token| token["sid"] == claims["sid"] && token["sub"] == claims["sub"]) {
                return;
            }
            assert!(Instant::now() < deadline, "nobody told of {}: {told:?}", claims["sid"]);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    reqwest::Url::parse_with_params("http://x/", pairs).unwrap().query().unwrap_or_default().to_owned()
}

fn pairs(encoded: &str) -> HashMap<String, String> {
    reqwest::Url::parse(&format!("http://x/?{encoded}")).unwrap().query_pairs().into_owned().collect()
}

/// What is answered: status, where to, words.
type Answer = (&'static str, String, String);

fn to(address: String) -> Answer {
    ("303 See Other", address, String::new())
}

fn says(words: &str) -> Answer {
    ("200 OK", String::new(), words.to_owned())
}

impl Held {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut parts = line.split(' ');
        let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (status, to, words) = match (method.as_str(), path) {
            ("GET", "/entrer") => self.begin(query),
            ("GET", "/retour") => self.back(&pairs(query)),
            ("GET", "/sortir") => self.leave(),
            ("GET", "/au-revoir") => says("Au revoir"),
            ("POST", "/fin") => self.told(&pairs(std::str::from_utf8(&body).ok()?)),
            _ => ("404 Not Found", String::new(), String::new()),
        };
        let page = format!("<!doctype html><html lang=fr><title>Cantine</title><link rel=icon href=data:,><h1>{words}</h1></html>");
        let location = if to.is_empty() { String::new() } else { format!("Location: {to}\r\n") };
        let head = format!("HTTP/1.1 {status}\r\n{location}Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n");
        let mut stream = stream;
        stream.write_all(format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{page}", page.len()).as_bytes()).ok()
    }

    fn begin(&self, asked: &str) -> Answer {
        let word = || secret::random_word().unwrap();
        let (state, nonce, verifier) = (word(), word(), format!("{}{}", word(), word()));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256Hash::of(verifier.as_bytes()).0);
        let back = format!("{}/retour", self.address);
        let own = encoded(&[
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &back),
            ("scope", SCOPE),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        self.begun.lock().unwrap().insert(state, Begun { nonce, verifier });
        to(format!("{}/oauth/authorize?{own}&{asked}", self.issuer))
    }

    /// The answer of the portal; the person is signed in when everything about it is right.
    fn back(&self, answer: &HashMap<String, String>) -> Answer {
        let get = |name: &str| answer.get(name).map(String::as_str).unwrap_or_default();
        let Some(begun) = self.begun.lock().unwrap().remove(get("state")) else { return says("state ?") };
        if get("iss") != self.issuer {
            return says("iss ?");
        }
        if !get("error").is_empty() {
            return says(&format!("Refus : {}", get("error")));
        }
        let back = format!("{}/retour", self.address);
        let form =
            [("grant_type", "authorization_code"), ("code", get("code")), ("redirect_uri", &back), ("code_verifier", &begun.verifier)];
        let http = Client::new();
        let tokens = http.post(format!("{}/oauth/token", self.issuer)).basic_auth(&self.id, Some(&self.secret)).form(&form);
        let tokens: Value = tokens.send().unwrap().json().unwrap();
        let (Some(id_token), Some(access)) = (tokens["id_token"].as_str(), tokens["access_token"].as_str()) else {
            return says(&format!("token ? {tokens}"));
        };
        let claims = self.checked(id_token);
        if claims["nonce"] != begun.nonce {
            return says("nonce ?");
        }
        let userinfo: Value = http.get(format!("{}/oauth/userinfo", self.issuer)).bearer_auth(access).send().unwrap().json().unwrap();
        if userinfo["sub"] != claims["sub"] {
            return says("sub ?");
        }
        let hello = format!("Bonjour {}, {}", userinfo["given_name"].as_str().unwrap_or("?"), userinfo["siret"].as_str().unwrap_or("?"));
        self.signed_in.lock().unwrap().push((id_token.to_owned(), claims, userinfo));
        says(&hello)
    }

    /// The claims of a token, by the keys that the portal publishes.
    fn checked(&self, token: &str) -> Value {
        let found: Value = Client::new().get(format!("{}/.well-known/openid-configuration", self.issuer)).send().unwrap().json().unwrap();
        assert_eq!(found["issuer"], self.issuer);
        let keys: JwkSet = Client::new().get(found["jwks_uri"].as_str().unwrap()).send().unwrap().json().unwrap();
        let claims: Value = foreign::verify(token, &keys, &ASYMMETRIC).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(self.issuer), &json!(self.id)));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(claims["exp"].as_u64().is_some_and(|exp| exp > now), "{claims}");
        claims
    }

    fn leave(&self) -> Answer {
        let hint = self.signed_in.lock().unwrap().last().unwrap().0.clone();
        let bye = format!("{}/au-revoir", self.address);
        let asked = encoded(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &bye), ("state", "fini")]);
        to(format!("{}/oauth/logout?{asked}", self.issuer))
    }

    /// A session of the portal ended (OpenID Connect Back-Channel Logout 1.0, section 2.6).
    fn told(&self, form: &HashMap<String, String>) -> Answer {
        let token = form.get("logout_token").unwrap();
        assert_eq!(foreign::header(token).unwrap().typ.as_deref(), Some("logout+jwt"));
        let claims = self.checked(token);
        assert!(
            claims["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object() && claims["nonce"].is_null(),
            "{claims}"
        );
        self.told.lock().unwrap().push(claims);
        says("noté")
    }
}
