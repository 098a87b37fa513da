//! A running demo, people who sign in to it, and applications that call through it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// Where the embedded or the other engine keeps the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// The engines to test on: PostgreSQL where `TEST_PG` names a server.
pub fn engines() -> Vec<Engine> {
    if std::env::var("TEST_PG").is_ok() {
        vec![Engine::Sqlite, Engine::Postgres]
    } else {
        eprintln!("PostgreSQL is left out: TEST_PG names no server");
        vec![Engine::Sqlite]
    }
}

/// A demo that runs as a process of its own.
pub struct Demo {
    child: Option<Child>,
    pub data: PathBuf,
    pub file: Value,
    database: Option<String>,
    catalogue: Option<PathBuf>,
    _folder: Option<tempfile::TempDir>,
}

impl Demo {
    pub fn start(engine: Engine) -> Self {
        Self::start_with(engine, None)
    }

    pub fn start_with(engine: Engine, catalogue: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = (engine == Engine::Postgres).then(fresh_database);
        let mut demo = Self {
            child: None,
            data: folder.path().join("data"),
            file: Value::Null,
            database,
            catalogue: catalogue.map(Path::to_owned),
            _folder: Some(folder),
        };
        demo.launch();
        demo
    }

    /// The program with the demo's database, for a command beside it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_octroi"));
        match &self.database {
            Some(url) => command.env("OCTROI_DATABASE_URL", url),
            None => command.env_remove("OCTROI_DATABASE_URL"),
        };
        command
    }

    /// A settings file for the demo's data, for commands.
    pub fn config(&self) -> PathBuf {
        let path = self.data.join("octroi.toml");
        std::fs::write(&path, format!("data = {:?}\n", self.data)).unwrap();
        path
    }

    pub fn launch(&mut self) {
        let path = self.data.join("demo.json");
        let before = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok();
        let mut command = self.command();
        command.arg("demo").arg("--until-eof").arg("--data").arg(&self.data);
        for listener in ["portal", "production", "sandbox", "admin", "upstream"] {
            command.arg(format!("--{listener}")).arg("127.0.0.1:0");
        }
        if let Some(catalogue) = &self.catalogue {
            command.arg("--catalogue").arg(catalogue);
        }
        let log = std::fs::File::create(self.data.with_extension("log")).unwrap();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let written = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok();
            if written.is_some() && written != before {
                break;
            }
            let gone = child.try_wait().unwrap();
            let log = || std::fs::read_to_string(self.data.with_extension("log")).unwrap_or_default();
            assert!(gone.is_none(), "the demo ended: {}", log());
            assert!(Instant::now() < deadline, "the demo is not up: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child = Some(child);
        self.file = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    }

    /// `kill -9`: nothing is told, nothing is flushed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            Command::new("kill").arg(child.id().to_string()).status().unwrap();
            let status = child.wait().unwrap();
            assert!(status.success(), "the demo ended with {status}");
        }
    }

    pub fn portal(&self) -> &str {
        self.file["portal"].as_str().unwrap()
    }

    pub fn gateway(&self, stage: &str) -> &str {
        self.file[format!("gateway_{stage}").as_str()].as_str().unwrap()
    }

    fn account(&self, role: &str) -> &Value {
        self.file["accounts"].as_array().unwrap().iter().find(|account| account["role"] == role).unwrap()
    }

    pub async fn sign_in(&self, role: &str) -> Caller {
        let account = self.account(role);
        let http = http().cookie_store(true).build().unwrap();
        let mut caller = Caller { http, portal: self.portal().to_owned(), csrf: None };
        let answer = caller.post("/session", json!({ "email": account["email"], "password": account["password"] })).await.ok(200);
        caller.csrf = Some(answer["csrf_token"].as_str().unwrap().to_owned());
        caller
    }

    pub fn nobody(&self) -> Caller {
        Caller { http: http().build().unwrap(), portal: self.portal().to_owned(), csrf: None }
    }

    /// Runs `octroi ledger verify` on the demo's data: its exit and what it said.
    pub fn verify_ledger(&self) -> (bool, String) {
        let output = self.command().args(["ledger", "verify", "--config"]).arg(self.config()).output().unwrap();
        (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }
}
impl Drop for Demo {
    fn drop(&mut self) {
        self.kill();
        if let Some(url) = &self.database {
            let name = url.rsplit('/').next().unwrap_or_default();
            psql(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

/// One demo for every test that does not disturb it.
pub fn shared() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| Demo::start(Engine::Sqlite))
}

fn server() -> String {
    std::env::var("TEST_PG").unwrap()
}

fn psql(sql: &str) {
    let output = Command::new("psql").arg(server()).args(["-qc", sql]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn fresh_database() -> String {
    let name = format!("octroi_it_{}", uuid::Uuid::new_v4().simple());
    psql(&format!("CREATE DATABASE {name}"));
    let (base, _) = server().rsplit_once('/').map(|(base, name)| (base.to_owned(), name.to_owned())).unwrap();
    format!("{base}/{name}")
}

/// Somebody who uses the REST API.
#[derive(Clone)]
pub struct Caller {
    pub http: reqwest::Client,
    pub portal: String,
    pub csrf: Option<String>,
}
impl Caller {
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.portal));
        if let Some(csrf) = &self.csrf {
            request = request.header("X-CSRF-Token", csrf);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body), &[]).await
    }
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body), &[]).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// A complete draft; its id and version. `change` alters the form's example.
    pub async fn draft(&self, definition: &str, form: &str, change: Value) -> (String, u64) {
        let shown = self.get(&format!("/definitions/{definition}")).await.ok(200);
        let form_view = shown["forms"].as_array().unwrap().iter().find(|shown| shown["slug"] == form).unwrap().clone();
        let mut answers = form_view["example"].as_object().unwrap().clone();
        for (name, value) in change.as_object().into_iter().flatten() {
            answers.insert(name.clone(), value.clone());
        }
        let created = self.post("/access-requests", json!({ "definition": definition, "form": form })).await.ok(201);
        let id = created["id"].as_str().unwrap().to_owned();
        let edited = self.patch(&format!("/access-requests/{id}"), json!({ "answers": answers })).await.ok(200);
        (id, edited["version"].as_u64().unwrap())
    }

    pub async fn submitted(&self, definition: &str, form: &str, change: Value) -> (String, u64) {
        let (id, _) = self.draft(definition, form, change).await;
        let submitted = self.post(&format!("/access-requests/{id}/submit"), json!({})).await.ok(200);
        (id, submitted["version"].as_u64().unwrap())
    }

    /// Approves the version that it reads; the permit.
    pub async fn approve(&self, request: &str) -> String {
        let version = self.get(&format!("/access-requests/{request}")).await.ok(200)["version"].clone();
        let answer = self.post(&format!("/access-requests/{request}/approve"), json!({ "version": version })).await.ok(200);
        answer["permit"].as_str().unwrap().to_owned()
    }

    /// An application with a subscription, a secret and a key.
    pub async fn client(&self, stage: &str, api: &str, permit: Option<&str>) -> Client {
        let application = self.post("/applications", json!({ "name": "Portail famille", "stage": stage })).await.ok(201);
        let id = application["id"].as_str().unwrap().to_owned();
        let mut subscription = json!({ "api": api, "accept_terms": true });
        if let Some(permit) = permit {
            subscription["permit"] = json!(permit);
        }
        self.post(&format!("/applications/{id}/subscriptions"), subscription).await.ok(201);
        let secret = self.post(&format!("/applications/{id}/credentials"), json!({ "kind": "client_secret" })).await.ok(201);
        let key = self.post(&format!("/applications/{id}/credentials"), json!({ "kind": "api_key" })).await.ok(201);
        Client {
            id,
            secret: secret["secret"].as_str().unwrap().to_owned(),
            key: key["secret"].as_str().unwrap().to_owned(),
            key_id: key["id"].as_str().unwrap().to_owned(),
        }
    }
}

/// An application's credentials.
pub struct Client {
    pub id: String,
    pub secret: String,
    pub key: String,
    pub key_id: String,
}
impl Client {
    /// A token, from the listener of the stage.
    pub async fn token(&self, gateway: &str) -> String {
        let answer = token(gateway, &self.id, &self.secret, None).await.ok(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

/// A client that says so when nothing is answered, rather than wait for ever.
pub fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder().timeout(Duration::from_secs(60))
}

pub async fn token(base: &str, id: &str, secret: &str, scope: Option<&str>) -> Answer {
    let mut form = vec![("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    form.extend(scope.map(|scope| ("scope", scope)));
    Answer::read(http().build().unwrap().post(format!("{base}/api/oauth/token")).form(&form).send().await.unwrap()).await
}

/// Calls through a gateway.
pub async fn call(url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = http().build().unwrap().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::read(request.send().await.unwrap()).await
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}
impl Answer {
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The body, when the status is as expected.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// A problem document of this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let value = self.json();
        assert_eq!((self.status.as_u16(), value["code"].as_str()), (status, Some(code)), "{}", self.text);
        let media_type = self.headers["content-type"].to_str().unwrap();
        assert!(media_type.starts_with("application/problem+json"), "{media_type}");
        for member in ["type", "title", "detail", "request_id", "instance"] {
            assert!(value[member].as_str().is_some_and(|text| !text.is_empty()), "{member} is missing: {value}");
        }
        assert_eq!(value["status"], status);
        value
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A call whose answer is in the shipped mocks.
pub const QF: &str = "/dinum/api-particulier/v3/dss/quotient_familial/identite?nomNaissance=MOREL&prenoms%5B%5D=INES&prenoms%5B%5D=JADE&anneeDateNaissance=1988&moisDateNaissance=4&jourDateNaissance=17&sexeEtatCivil=F&codeCogInseeCommuneNaissance=31555&codeCogInseePaysNaissance=99100";

/// The members of an object, sorted.
pub fn members(value: &Value) -> Vec<String> {
    let mut names: Vec<String> = value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default();
    names.sort();
    names
}

/// The folder of staged cases; `None`, said aloud, where it is absent.
pub fn corpus_folder() -> Option<PathBuf> {
    let folder = std::env::var("OCTROI_CORPUS")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/api-particulier"), PathBuf::from);
    let found = folder.join("openapi.yaml").exists();
    if !found {
        eprintln!("skipped: the staged cases are not at {} (set OCTROI_CORPUS)", folder.display());
    }
    found.then(|| std::fs::canonicalize(folder).unwrap())
}
