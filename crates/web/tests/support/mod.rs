//! A portal over a real store, and a gateway that is not there.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "each test file takes what it needs, and what is not there fails it"
)]

use std::{
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use octroi_app::{App, GatewayPort, MaskedSample, Settings, mails::Mailing};
use octroi_domain::{
    Moment,
    account::SecondFactor,
    api::{ApiDocument, OperationName},
    scope::ScopeSet,
    stage::Stage,
};
use octroi_oauth::{
    introspection::ActiveToken,
    jwk::{Jwk, JwkSet},
    seal::MasterKey,
    token_request::ClientRequest,
};
use octroi_store::Store;
use octroi_web::{Peer, TokenAnswer, TokenPort, WebState};
use serde_json::{Value, json};
use tower::ServiceExt;

pub mod browser;
pub mod phone;
pub mod scene;

pub const EMAIL: &str = "operator@example.org";
pub const PASSWORD: &str = "a long enough password";
pub const NOW: Moment = Moment::from_micros(1_790_000_000_000_000);

struct NoGateway;
impl GatewayPort for NoGateway {
    fn refresh(&self, _version: i64) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
    fn flush_traces(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
    fn masked_sample(&self, _: &ApiDocument, _: &OperationName, _: &ScopeSet) -> Option<MaskedSample> {
        None
    }
}

/// Clients `a` and `b` whose secret is `s`; the token `t-a` is `a`'s; the token `panic` is a fault of ours.
#[derive(Default)]
pub struct Tokens {
    seen: Mutex<Vec<Option<Stage>>>,
}
impl TokenPort for Tokens {
    fn token(&self, stage: Option<Stage>, authorization: Option<&str>, _: Option<&str>, body: &[u8]) -> TokenAnswer {
        self.seen.lock().unwrap().push(stage);
        let body = format!("{{\"authorization\":{},\"length\":{}}}", authorization.is_some(), body.len()).into_bytes();
        TokenAnswer { status: 200, headers: vec![("content-type".into(), "application/json".into())], body }
    }
    fn introspect(&self, token: &str) -> Option<(ActiveToken, Stage)> {
        assert_ne!(token, "panic");
        let text = |text: &str| text.to_owned();
        let claims = ActiveToken {
            token_type: text("Bearer"),
            scope: text("x"),
            client_id: text("a"),
            sub: text("a"),
            aud: text("gate"),
            iss: text("portal"),
            exp: 4_000_000_000,
            iat: 0,
            jti: text("j"),
        };
        (token == "t-a").then_some((claims, Stage::Sandbox))
    }
    fn jwks(&self) -> JwkSet {
        JwkSet { keys: Jwk::p256("k", &[4; 65]).into_iter().collect() }
    }
    fn client_authenticates(&self, request: &ClientRequest) -> Option<Stage> {
        let good = request.client.digest() == octroi_oauth::secret::digest("s");
        match request.client.client_id.as_str() {
            "a" | "b" if good => Some(Stage::Sandbox),
            "p" if good => Some(Stage::Production),
            _ => None,
        }
    }
}

/// Where callers come from, unless a test says otherwise; and the proxy in front, whose word is believed.
pub const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
pub const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

pub struct House {
    pub router: Router,
    /// Without anybody's address.
    bare: Router,
    pub app: App,
    faulty: Arc<AtomicBool>,
    passed: Arc<AtomicI64>,
    folder: tempfile::TempDir,
    database: Option<Database>,
}

/// A database of its own on the PostgreSQL server that `TEST_PG` names, when `TEST_HOUSE` is `postgres`: all of these stories on the other engine.
struct Database(String);
impl Database {
    fn fresh() -> Option<Self> {
        if std::env::var("TEST_HOUSE").ok()? != "postgres" {
            return None;
        }
        let server = std::env::var("TEST_PG").unwrap();
        let name = format!("octroi_web_{}", uuid::Uuid::new_v4().simple());
        Self::psql(&server, &format!("CREATE DATABASE {name}"));
        Some(Self(format!("{}/{name}", server.rsplit_once('/').unwrap().0)))
    }

    fn psql(server: &str, sql: &str) {
        let output = std::process::Command::new("psql").arg(server).args(["-qc", sql]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
impl Drop for Database {
    fn drop(&mut self) {
        let (base, name) = self.0.rsplit_once('/').unwrap();
        Self::psql(&format!("{base}/postgres"), &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}
impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{}", self.text);
        assert_eq!((&problem["status"], &problem["type"]), (&json!(status), &json!(format!("urn:octroi:problem:{code}"))));
        assert_eq!(problem["request_id"].as_str().unwrap(), self.headers["x-request-id"]);
        if status == 401 {
            assert_eq!(self.headers["www-authenticate"], "Bearer realm=\"octroi\"");
        }
        problem
    }
}

/// Session cookie and CSRF token.
pub struct Signed {
    pub cookie: String,
    pub csrf: String,
}

impl House {
    pub async fn open(public_url: &str, demo: bool) -> Self {
        Self::open_with(public_url, demo, SecondFactor::Optional).await
    }

    pub async fn open_with(public_url: &str, demo: bool, second_factor: SecondFactor) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::fresh();
        let file = format!("sqlite://{}", folder.path().join("octroi.db").display());
        let store = Store::open(database.as_ref().map_or(&file, |database| &database.0)).await.unwrap();
        store.migrate().await.unwrap();
        let settings = Settings {
            public_url: public_url.to_owned(),
            demo,
            trace_retention_days: 10,
            time_zone: octroi_domain::calendar::Zone::UTC,
            mail: if demo { Mailing::Mailbox } else { Mailing::Off },
            second_factor,
        };
        let app = App::new(store, settings, Arc::new(NoGateway), MasterKey::from_bytes([7; 32])).unwrap();
        app.create_operator(EMAIL, "Odile", "Opérateur", PASSWORD, NOW).await.unwrap();
        let faulty = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&faulty);
        let passed = Arc::new(AtomicI64::new(0));
        let since = Arc::clone(&passed);
        let clock = Arc::new(move || {
            assert!(!told.swap(false, Ordering::Relaxed), "a fault for this test");
            NOW.plus_seconds(since.load(Ordering::Relaxed))
        });
        let state = WebState::new(
            app.clone(),
            Arc::new(Tokens::default()),
            clock,
            "http://localhost:8080".into(),
            "http://localhost:8081".into(),
            octroi_web::Site::default(),
        );
        let bare = octroi_web::router(state.behind(vec!["10.0.0.0/8".parse().unwrap()]));
        let router = bare.clone().layer(axum::Extension(Peer(ADDRESS)));
        Self { router, bare, app, faulty, passed, folder, database }
    }

    /// The next request panics.
    pub fn fault(&self) {
        self.faulty.store(true, Ordering::Relaxed);
    }

    /// Time passes.
    pub fn wait(&self, seconds: i64) {
        self.passed.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Does it keep them in a file?
    pub const fn is_of_files(&self) -> bool {
        self.database.is_none()
    }

    /// All bytes that the house keeps.
    pub fn files(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    pub fn now(&self) -> Moment {
        NOW.plus_seconds(self.passed.load(Ordering::Relaxed))
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// From another address.
    pub async fn send_from(&self, address: IpAddr, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).extension(Peer(address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.bare.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub async fn sign_in(&self) -> Signed {
        let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        let answer = self.send(Method::POST, "/api/v1/session", &[("content-type", "application/json")], body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let cookie = answer.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Signed { cookie, csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned() }
    }

    pub async fn post(&self, by: &Signed, path: &str, extra: &[(&str, &str)], body: &Value) -> Answer {
        let mut headers = vec![("content-type", "application/json"), ("cookie", by.cookie.as_str()), ("x-csrf-token", by.csrf.as_str())];
        headers.extend(extra);
        self.send(Method::POST, path, &headers, body.to_string()).await
    }

    pub async fn form(&self, path: &str, body: &str) -> Answer {
        self.send(Method::POST, path, &[("content-type", "application/x-www-form-urlencoded")], body.to_owned()).await
    }
}

pub const PUBLIC: &str = "http://localhost:3000";
