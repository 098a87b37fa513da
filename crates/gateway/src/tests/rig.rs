//! What the tests of the whole gateway share.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use octroi_domain::{
    Id, Moment, Number,
    api::{Api, ApiDocument},
    application::{ApplicationState, SubscriptionState},
    credential::{CredentialKind, SecretDigest},
    feed::{
        GatewayState, KeyPurpose, KnownApplication, KnownCredential, KnownPermit, KnownSubscription, PermitStatus, PublishedApi, SigningKey,
    },
    quota::DayUse,
    scope::{Scope, ScopeSet},
    stage::Stage,
    trace::Trace,
};
use octroi_oauth::{
    jwt::SigningKeyPair,
    secret::{PlainSecret, SecretKind},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{Handle, Settings, TraceSource, start, trace::channel};

pub(super) const CLIENT: u128 = 0xa1;
pub(super) const ISSUER: &str = "https://portal.test";

/// A body that is fed by a channel; `None` breaks it off.
pub(super) struct Fed(tokio::sync::mpsc::Receiver<Option<Bytes>>);
impl http_body::Body for Fed {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data).ok_or_else(|| std::io::Error::other("broken off"))))
    }
}
fn whole(text: impl Into<Bytes>) -> Fed {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    sender.try_send(Some(text.into())).unwrap();
    Fed(receiver)
}

/// An upstream that echoes, and misbehaves on demand.
#[derive(Clone)]
pub(super) struct Upstream {
    pub address: SocketAddr,
    pub calls: Arc<AtomicUsize>,
    pub connections: Arc<AtomicUsize>,
    /// Lets `/stream` go on.
    pub go_on: Arc<tokio::sync::Notify>,
    pub aborted: Arc<AtomicUsize>,
}
pub(super) const FAMILY: &str =
    r#"{"data":{"quotient":1.50,"secret":"canary","enfants":[{"nom":"A","age":3},{"nom":"B","age":5}]},"links":{}}"#;

impl Upstream {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            calls: Arc::default(),
            connections: Arc::default(),
            go_on: Arc::default(),
            aborted: Arc::default(),
        };
        let served = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                served.connections.fetch_add(1, SeqCst);
                let served = served.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(|request| served.clone().answer(request));
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        upstream
    }

    async fn answer(self, request: Request<hyper::body::Incoming>) -> Result<Response<Fed>, Infallible> {
        self.calls.fetch_add(1, SeqCst);
        let json = |status: u16, body: String| {
            let response = Response::builder().status(status).header("content-type", "application/json").header("server", "secret/1.0");
            response.header("set-cookie", "a=b").header("etag", "\"x\"").body(whole(body)).unwrap()
        };
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        Ok(match path.rsplit('/').next().unwrap_or_default() {
            "stream" => self.stream(),
            "html" => Response::builder().header("content-type", "text/html").body(whole("<p>canary</p>")).unwrap(),
            "encoded" => Response::builder()
                .header("content-type", "application/json")
                .header("content-encoding", "gzip")
                .body(whole("canary"))
                .unwrap(),
            "broken" => json(200, "{\"data\": canary".into()),
            "truncated" => {
                let (sender, receiver) = tokio::sync::mpsc::channel(2);
                sender.try_send(Some("{\"data\":{\"quotient\":1".into())).unwrap();
                tokio::spawn(async move {
                    // What was written is flushed before it breaks off.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let _ = sender.send(None).await;
                });
                Response::builder().header("content-type", "application/json").body(Fed(receiver)).unwrap()
            }
            "large" => json(200, format!("{{\"data\":\"{}\"}}", "x".repeat(200_000))),
            "failed" => json(500, r#"{"errors":[{"title":"t"}],"data":"canary"}"#.into()),
            "moved" => Response::builder()
                .status(302)
                .header("location", format!("http://{}/base/v1/there?x=1", self.address))
                .body(whole(""))
                .unwrap(),
            "family" => json(200, FAMILY.into()),
            "slow" => {
                let guard = Aborted(Arc::clone(&self.aborted));
                tokio::time::sleep(Duration::from_secs(20)).await;
                std::mem::forget(guard);
                json(200, "{}".into())
            }
            _ => {
                let mut headers = serde_json::Map::new();
                for (name, value) in &parts.headers {
                    let value = Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned());
                    headers.entry(name.as_str()).or_insert(json!([])).as_array_mut().unwrap().push(value);
                }
                let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                let seen = json!({"method": parts.method.as_str(), "path": path, "query": parts.uri.query(), "headers": headers, "body": String::from_utf8_lossy(&body)});
                json(200, seen.to_string())
            }
        })
    }

    fn stream(&self) -> Response<Fed> {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let go_on = Arc::clone(&self.go_on);
        tokio::spawn(async move {
            let _ = sender.send(Some("first ".into())).await;
            go_on.notified().await;
            let _ = sender.send(Some("second".into())).await;
        });
        Response::new(Fed(receiver))
    }
}
struct Aborted(Arc<AtomicUsize>);
impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub(super) fn set(text: &str) -> ScopeSet {
    text.split_whitespace().map(|word| Scope::new(word).unwrap()).collect()
}

/// An API; `more` changes what `api.yaml` would say.
pub(super) fn api(name: &str, upstream: SocketAddr, more: Value) -> PublishedApi {
    let (provider, slug) = name.split_once('/').unwrap();
    let text = json!({"fr": "x", "en": "x"});
    let backend = json!({"upstream": format!("http://{upstream}/base"), "timeout_ms": 2_000});
    let mut api = json!({
        "slug": slug, "provider": provider, "name": text, "description": text, "mount": format!("/{name}"), "visibility": "public",
        "access": {"mode": "open"}, "plans": [{"id": "free", "name": text}], "backends": {"sandbox": backend},
        "contracts": [{"operations": ["GET /v1/echo", "POST /v1/echo", "GET /v1/echo/{id}", "GET /v1/stream", "GET /v1/moved", "GET /v1/slow", "PUT /v1/echo"]}],
    });
    api.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let api: Api = serde_json::from_value(api).unwrap();
    let openapi = json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {
        "/v1/checked": {"get": {"parameters": [{"name": "n", "in": "query", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {"description": "x"}}}},
    }});
    PublishedApi { name: api.full_name(), version: 1, document: Arc::new(ApiDocument { api, openapi, mocks: Vec::new() }) }
}

/// A gateway that runs before an upstream.
pub(super) struct Rig {
    pub handle: Handle,
    pub traces: TraceSource,
    pub upstream: Upstream,
    pub state: GatewayState,
    pub key: String,
    pub secret: String,
}

impl Rig {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let upstream = Upstream::start().await;
        let (sink, traces) = channel(10_000, std::env::temp_dir().join("octroi-gateway-tests-never-written").join("spill"));
        let mut settings = Settings::new(Stage::Sandbox, (Ipv4Addr::LOCALHOST, 0).into(), ISSUER, "https://gate.test");
        settings.threads = 2;
        settings.max_masked_body = 100_000;
        change(&mut settings);
        let handle = start(settings, sink).unwrap();
        let key = PlainSecret::generate(SecretKind::SandboxApiKey).unwrap();
        let secret = PlainSecret::generate(SecretKind::SandboxClientSecret).unwrap();
        let state = state(upstream.address, &key, &secret);
        handle.publish(&state).unwrap();
        Self { handle, traces, upstream, key: key.show().to_owned(), secret: secret.show().to_owned(), state }
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut GatewayState)) {
        change(&mut self.state);
        self.state.version += 1;
        self.handle.publish(&self.state).unwrap();
    }

    pub(super) async fn connect(&self) -> Wire {
        Wire { stream: TcpStream::connect(self.handle.local_addr()).await.unwrap(), seen: Vec::new() }
    }

    /// One request on a connection of its own.
    pub(super) async fn send(&self, raw: &str) -> Answer {
        let mut wire = self.connect().await;
        wire.write(raw).await;
        wire.answer().await
    }

    /// `GET` with the API key.
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: gate\r\nX-Api-Key: {}\r\n\r\n", self.key)).await
    }

    pub(super) async fn get_with(&self, path: &str, token: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer {token}\r\n\r\n")).await
    }

    pub(super) async fn token(&self, more: &str) -> Answer {
        let client: Id<()> = Id::from_uuid(uuid::Uuid::from_u128(CLIENT));
        let form = format!("grant_type=client_credentials&client_id={client}&client_secret={}{more}", self.secret);
        let head = "POST /api/oauth/token HTTP/1.1\r\nHost: gate\r\nContent-Type: application/x-www-form-urlencoded";
        self.send(&format!("{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len())).await
    }

    pub(super) async fn access_token(&self, more: &str) -> String {
        self.token(more).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The next traces, once there are `count`.
    pub(super) async fn traces(&mut self, count: usize) -> Vec<Trace> {
        let mut traces = Vec::new();
        while traces.len() < count {
            let batch = tokio::time::timeout(Duration::from_secs(5), self.traces.next_batch(100, Duration::from_millis(2)));
            traces.extend(batch.await.unwrap().unwrap());
        }
        traces
    }
}

fn signing_key(kid: &str, purpose: KeyPurpose) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        pkcs8: SigningKeyPair::generate_pkcs8().unwrap(),
        purpose,
        active: true,
        created_at: Moment::from_micros(1),
    }
}

fn state(upstream: SocketAddr, key: &PlainSecret, secret: &PlainSecret) -> GatewayState {
    let application = Id::from_uuid(uuid::Uuid::from_u128(CLIENT));
    let masked = json!({
        "access": {"mode": "permit", "definitions": ["d"]},
        "terms": {"version": 2, "text": {"fr": "x", "en": "x"}},
        "contracts": [
            {"operations": ["GET /v1/family", "GET /v1/html", "GET /v1/encoded", "GET /v1/broken", "GET /v1/truncated", "GET /v1/large", "GET /v1/failed", "GET /v1/moved"],
             "opens": {"quotient": ["data.quotient"], "enfants": ["data.enfants[*].nom"]}},
            {"operations": ["GET /v1/echo"], "scopes": ["quotient"]},
            {"operations": ["GET /v1/closed"], "scopes": ["other"]},
        ],
    });
    let apis = vec![
        api("dila/open", upstream, json!({})),
        api("dinum/masked", upstream, masked),
        api("dila/checked", upstream, json!({"validate_requests": true, "contracts": [{"operations": ["GET /v1/checked"]}]})),
        api(
            "dila/tight",
            upstream,
            json!({"plans": [{"id": "free", "name": {"fr": "x", "en": "x"}, "rate_per_second": 1000, "quota_per_day": 20}]}),
        ),
        api("dila/tokens", upstream, json!({"credentials": ["access_token"], "allowed_networks": ["192.0.2.0/24"]})),
        api("dila/elsewhere", upstream, json!({"backends": {"production": {"upstream": "http://127.0.0.1:1"}}})),
        api("dila/down", upstream, json!({"backends": {"sandbox": {"upstream": "http://127.0.0.1:1", "connect_timeout_ms": 500}}})),
        api("dila/mocked", upstream, json!({"backends": {"sandbox": {"mocks": true}}, "contracts": [{"operations": ["GET /v1/echo"]}]})),
        api("dila/unsubscribed", upstream, json!({})),
    ];
    let subscriptions = apis.iter().take(apis.len() - 1).enumerate().map(|(number, api)| KnownSubscription {
        id: Id::from_uuid(uuid::Uuid::from_u128(0xb0 + number as u128)),
        application,
        api: api.name.clone(),
        plan: "free".parse().unwrap(),
        terms_accepted: Some(2),
        state: SubscriptionState::Active,
        permit: (number == 1).then(|| KnownPermit {
            id: Number::new(7),
            scopes: set("quotient enfants"),
            status: PermitStatus::Active,
            expires_at: None,
        }),
        used: DayUse::default(),
    });
    let credential = |id: u128, kind, digest| KnownCredential {
        id: Id::from_uuid(uuid::Uuid::from_u128(id)),
        application,
        kind,
        digest: SecretDigest::from_bytes(digest),
        revoked: false,
    };
    GatewayState {
        stage: Stage::Sandbox,
        version: 1,
        applications: vec![KnownApplication {
            id: application,
            name: "Cantine".into(),
            state: ApplicationState::Active,
            organization: Id::from_uuid(uuid::Uuid::from_u128(0xc1)),
            organization_name: "Ville".into(),
            siret: "21750001600019".parse().unwrap(),
        }],
        credentials: vec![
            credential(0xd1, CredentialKind::ApiKey, key.digest()),
            credential(0xd2, CredentialKind::ClientSecret, secret.digest()),
        ],
        subscriptions: subscriptions.collect(),
        apis,
        revoked_tokens: Vec::new(),
        keys: vec![signing_key("t1", KeyPurpose::AccessToken), signing_key("a1", KeyPurpose::Assertion)],
    }
}

/// A raw connection.
pub(super) struct Wire {
    pub stream: TcpStream,
    seen: Vec<u8>,
}
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}
impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
    /// Status and code of a refusal.
    pub(super) fn refusal(&self) -> (u16, &str) {
        (self.status, self.header("octroi-error").unwrap_or_default())
    }
}

impl Wire {
    pub(super) async fn write(&mut self, raw: &str) {
        self.stream.write_all(raw.as_bytes()).await.unwrap();
    }

    /// More bytes; false at the end of the stream.
    async fn more(&mut self) -> bool {
        let mut piece = [0; 8_192];
        match tokio::time::timeout(Duration::from_secs(10), self.stream.read(&mut piece)).await.expect("an answer in time") {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.seen.extend_from_slice(&piece[..count]);
                true
            }
        }
    }

    /// The next whole answer.
    pub(super) async fn answer(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.seen.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(self.more().await, "closed in a head: {:?}", String::from_utf8_lossy(&self.seen));
        };
        let head = String::from_utf8(self.seen.drain(..end).collect()).unwrap();
        let mut answer = Answer { status: head[9..12].parse().unwrap(), head, body: String::new() };
        assert!(StatusCode::from_u16(answer.status).is_ok());
        let body = if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().unwrap();
            while self.seen.len() < length && self.more().await {}
            let length = length.min(self.seen.len());
            self.seen.drain(..length).collect()
        } else if answer.header("transfer-encoding").is_some() {
            self.chunks().await
        } else {
            Vec::new()
        };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        answer
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(end) = self.seen.windows(2).position(|two| two == b"\r\n") {
                    break String::from_utf8(self.seen.drain(..end + 2).collect()).unwrap();
                }
                if !self.more().await {
                    body.extend_from_slice(b"<cut>");
                    return body;
                }
            };
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            while self.seen.len() < size + 2 && self.more().await {}
            body.extend(self.seen.drain(..size));
            self.seen.drain(..2);
            if size == 0 {
                return body;
            }
        }
    }

    /// What comes until `text` is there.
    pub(super) async fn until(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            assert!(self.more().await, "closed before {text:?}");
        }
    }

    /// Does the other side close without another byte?
    pub(super) async fn is_closed(&mut self) -> bool {
        self.seen.is_empty() && !self.more().await
    }
}
