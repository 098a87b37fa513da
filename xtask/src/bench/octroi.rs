//! Octroi itself: the real program, set up as its users would, by its commands and its REST API.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    Bench,
    figures::{DECISIONS, TRACES},
    http,
    process::{Process, free_ports, output},
    target::{Contenders, Expected, Target, fill},
};
use crate::Result;

pub const FULL_JWT: &str = "Octroi full, JWT";
pub const MASKED: &str = "Octroi full, JWT, mask";
const OPEN_KEY: &str = "Octroi open API, API key";
const OPEN_JWT: &str = "Octroi open API, JWT";
const FULL_KEY: &str = "Octroi full, API key";
const NAMES: [&str; 5] = [OPEN_KEY, OPEN_JWT, FULL_KEY, FULL_JWT, MASKED];

pub const PASSWORD: &str = "only these words open it";
/// The catalogue that is measured: path and text of each file.
const CATALOGUE: [(&str, &str); 7] = [
    ("bench/provider.yaml", include_str!("../../bench/catalogue/bench/provider.yaml")),
    ("bench/open/api.yaml", include_str!("../../bench/catalogue/bench/open/api.yaml")),
    ("bench/open/openapi.yaml", include_str!("../../bench/catalogue/bench/open/openapi.yaml")),
    ("bench/household/api.yaml", include_str!("../../bench/catalogue/bench/household/api.yaml")),
    ("bench/household/openapi.yaml", include_str!("../../bench/catalogue/bench/household/openapi.yaml")),
    ("bench/household-data/definition.yaml", include_str!("../../bench/catalogue/bench/household-data/definition.yaml")),
    ("bench/household-data/forms/free.yaml", include_str!("../../bench/catalogue/bench/household-data/forms/free.yaml")),
];

/// A signed-in person.
pub struct Session {
    pub cookie: String,
    csrf: String,
}

/// The running program, and the people who use it.
pub struct Octroi {
    portal: u16,
    gateway: u16,
    admin: u16,
    applicant: Session,
    reviewer: Session,
    /// Complete answers to the form.
    answers: Value,
}

/// How long the two decisions took to be in force, milliseconds.
pub struct Decision {
    /// From sending the approval, through the subscription, to the first good call.
    pub approve_ms: f64,
    /// From sending the revocation to the first refused call.
    pub revoke_ms: f64,
}

impl Octroi {
    /// Starts and sets up the program, unless nothing of it is asked for.
    ///
    /// # Errors
    /// When it is not built, does not start, or a step is refused.
    pub fn start(bench: &Bench, upstream: u16, contenders: &mut Contenders) -> Result<Option<Self>> {
        if !NAMES.iter().chain(&[DECISIONS, TRACES]).any(|name| bench.options.wants(name)) {
            return Ok(None);
        }
        let binary = &bench.options.binary;
        if !binary.is_file() {
            return Err(format!("{} is not there: cargo build --release", binary.display()).into());
        }
        let &[portal, gateway, sandbox, admin] = free_ports(4)?.as_slice() else { return Err("no free ports".into()) };
        let config = bench.run.join("octroi.toml");
        fs::write(&config, settings(&bench.run, [portal, gateway, sandbox, admin]))?;
        set_up(bench, &config, upstream)?;
        let config = config.to_str().ok_or("the folder of the workspace has a name that is not UTF-8")?;
        let mut process = Process::start(&bench.run, "octroi", &bench.proxy_core(), binary, &["serve", "--config", config])?;
        process.wait_until("become ready", || is_ready(admin))?;
        let place = contenders.processes.len();
        contenders.processes.push(process);
        contenders.versions.push(("Octroi".to_owned(), output(binary, &["--version"]).trim().trim_start_matches("octroi ").to_owned()));
        let octroi = Self::people(portal, gateway, admin)?;
        octroi.add_targets(bench, place, contenders)?;
        Ok(Some(octroi))
    }

    /// The operator makes two organisations, an applicant and a reviewer; all sign in.
    fn people(portal: u16, gateway: u16, admin: u16) -> Result<Self> {
        let operator = sign_in(portal, "operator@bench.example")?;
        let post = |path: &str, body: Value| rest(portal, &operator, "POST", path, Some(&body));
        for (siret, name) in [("90000000100017", "Town"), ("90000000200015", "Provider")] {
            post("/api/v1/organizations", json!({ "siret": siret, "name": name }))?;
        }
        let person = |email: &str, organization: &str, roles: Value| {
            let names = json!({ "email": email, "given_name": "Camille", "family_name": "Martin", "password": PASSWORD, "organization": organization, "roles": roles });
            post("/api/v1/users", names)
        };
        person("applicant@bench.example", "90000000100017", json!([]))?;
        person("reviewer@bench.example", "90000000200015", json!([{ "role": "reviewer", "perimeter": "definition:household-data" }]))?;
        let applicant = sign_in(portal, "applicant@bench.example")?;
        let reviewer = sign_in(portal, "reviewer@bench.example")?;
        let definition = rest(portal, &applicant, "GET", "/api/v1/definitions/household-data", None)?;
        let mut answers = definition.pointer("/forms/0/example").cloned().ok_or("the definition shows no example")?;
        let scopes = answers.get_mut("scopes").ok_or("the example has no scopes")?;
        *scopes = json!(["household_quotient", "household_children"]);
        Ok(Self { portal, gateway, admin, applicant, reviewer, answers })
    }

    fn add_targets(&self, bench: &Bench, process: usize, contenders: &mut Contenders) -> Result<()> {
        let request = self.submit()?;
        let permit = self.approve(&request, &self.read(&request)?)?;
        let application = self.application("Bench")?;
        self.subscribe(&application, "bench/open", None)?;
        self.subscribe(&application, "bench/household", Some(&permit))?;
        let key = format!("X-Api-Key: {}", self.credential(&application, "api_key")?);
        let token = format!("Authorization: Bearer {}", self.token(&application, &self.credential(&application, "client_secret")?)?);
        let rows = [
            (OPEN_KEY, "/bench/open/whole", &key, Expected::Whole),
            (OPEN_JWT, "/bench/open/whole", &token, Expected::Whole),
            (FULL_KEY, "/bench/household/whole", &key, Expected::Whole),
            (FULL_JWT, "/bench/household/whole", &token, Expected::Whole),
            (MASKED, "/bench/household/masked", &token, Expected::Masked),
        ];
        self.wait_for(rows.last().map_or("", |row| row.1), &key, |status| status == 200)?;
        for (name, path, header, expected) in rows {
            if bench.options.wants(name) {
                contenders.targets.push(Target { name, process, port: self.gateway, path, headers: vec![header.clone()], expected });
            }
        }
        Ok(())
    }

    /// Plays one decision and its withdrawal, and times both at the gateway.
    ///
    /// # Errors
    /// When a step is refused, or a decision is not in force after 5 s.
    pub fn decide(&self) -> Result<Decision> {
        let application = self.application("Decision")?;
        let key = format!("X-Api-Key: {}", self.credential(&application, "api_key")?);
        let request = self.submit()?;
        let version = self.read(&request)?;
        let started = Instant::now();
        let permit = self.approve(&request, &version)?;
        self.subscribe(&application, "bench/household", Some(&permit))?;
        self.wait_for("/bench/household/masked", &key, |status| status == 200)?;
        let approve_ms = started.elapsed().as_secs_f64() * 1_000.0;
        let started = Instant::now();
        rest(self.portal, &self.reviewer, "POST", &format!("/api/v1/permits/{permit}/revoke"), Some(&json!({ "reason": "Bench" })))?;
        self.wait_for("/bench/household/masked", &key, |status| status == 403)?;
        Ok(Decision { approve_ms, revoke_ms: started.elapsed().as_secs_f64() * 1_000.0 })
    }

    /// Calls that were let through since the start, as the gateway counted them, and how many of them have a stored trace.
    ///
    /// # Errors
    /// When the program does not say.
    pub fn traces(&self) -> Result<(f64, f64)> {
        let list = rest(self.portal, &self.applicant, "GET", "/api/v1/traces/statistics?status=2xx", None)?;
        let counts = list.get("items").and_then(Value::as_array).ok_or("the statistics have no items")?;
        let stored = counts.iter().filter_map(|count| count.get("calls")?.as_f64()).sum();
        let metrics = http::call(self.admin, "GET", "/metrics", &[], None)?.body;
        let counter = |name: &str| -> Result<f64> {
            let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
            value.ok_or_else(|| format!("the metrics have no {name}").into())
        };
        // A token is an answer of the gateway's own: counted, and not a call of an API.
        let tokens = counter(r#"octroi_tokens_issued_total{stage="production"} "#)?;
        let answered = counter(r#"octroi_answers_total{stage="production",class="2xx"} "#)? - tokens;
        Ok((answered, stored))
    }

    /// Calls until the status is the wanted one.
    fn wait_for(&self, path: &str, credential: &str, wanted: impl Fn(u16) -> bool) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let answer = http::call(self.gateway, "GET", path, &[credential.to_owned()], None)?;
            if wanted(answer.status) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("after 5 s the gateway still answers {}: {}", answer.status, answer.start()).into());
            }
        }
    }

    /// A complete request, submitted: its path.
    fn submit(&self) -> Result<String> {
        let call = |method: &str, path: &str, body: Value| rest(self.portal, &self.applicant, method, path, Some(&body));
        let id = text(&call("POST", "/api/v1/access-requests", json!({ "definition": "household-data", "form": "free" }))?, "id")?;
        let path = format!("/api/v1/access-requests/{id}");
        call("PATCH", &path, json!({ "answers": self.answers }))?;
        call("POST", &format!("{path}/submit"), json!({}))?;
        Ok(path)
    }

    /// The version that the reviewer reads.
    fn read(&self, request: &str) -> Result<Value> {
        rest(self.portal, &self.reviewer, "GET", request, None)?.get("version").cloned().ok_or_else(|| "the request has no version".into())
    }

    /// Approves it; the permit's number.
    fn approve(&self, request: &str, version: &Value) -> Result<String> {
        let body = json!({ "version": version });
        text(&rest(self.portal, &self.reviewer, "POST", &format!("{request}/approve"), Some(&body))?, "permit")
    }

    fn application(&self, name: &str) -> Result<String> {
        let body = json!({ "name": name, "stage": "production" });
        text(&rest(self.portal, &self.applicant, "POST", "/api/v1/applications", Some(&body))?, "id")
    }

    fn subscribe(&self, application: &str, api: &str, permit: Option<&str>) -> Result<()> {
        let mut body = json!({ "api": api, "accept_terms": true });
        if let (Some(permit), Some(members)) = (permit, body.as_object_mut()) {
            members.insert("permit".to_owned(), json!(permit));
        }
        rest(self.portal, &self.applicant, "POST", &format!("/api/v1/applications/{application}/subscriptions"), Some(&body)).map(drop)
    }

    fn credential(&self, application: &str, kind: &str) -> Result<String> {
        let path = format!("/api/v1/applications/{application}/credentials");
        text(&rest(self.portal, &self.applicant, "POST", &path, Some(&json!({ "kind": kind })))?, "secret")
    }

    fn token(&self, client: &str, secret: &str) -> Result<String> {
        let form = ["Content-Type: application/x-www-form-urlencoded".to_owned()];
        let body = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let answer = http::call(self.gateway, "POST", "/oauth/token", &form, Some(&body))?;
            if answer.status == 200 {
                return text(&answer.json()?, "access_token");
            }
            if Instant::now() > deadline {
                return Err(format!("no token: {} {}", answer.status, answer.start()).into());
            }
        }
    }
}

pub fn settings(run: &Path, [portal, gateway, sandbox, admin]: [u16; 4]) -> String {
    let at = |port: u16| format!("listen = \"127.0.0.1:{port}\"");
    let url = |port: u16| format!("public_url = \"http://localhost:{port}\"");
    format!(
        "data = \"{}\"\n[accounts]\nsecond_factor = \"optional\"\n[portal]\n{}\n{}\n[gateway]\ntoken_lifetime = 86400\n[gateway.production]\n{}\n{}\nthreads = 1\n[gateway.sandbox]\n{}\n{}\nthreads = 1\n[admin]\n{}\n",
        run.join("octroi-data").display(),
        at(portal),
        url(portal),
        at(gateway),
        url(gateway),
        at(sandbox),
        url(sandbox),
        at(admin)
    )
}

/// The database with its catalogue and its operator.
pub fn set_up(bench: &Bench, config: &Path, upstream: u16) -> Result<()> {
    let catalogue = bench.run.join("catalogue");
    for (path, text) in CATALOGUE {
        let file = catalogue.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&catalogue))?;
        fs::write(file, fill(text, &bench.run, 0, upstream))?;
    }
    fs::create_dir_all(bench.run.join("octroi-data"))?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&bench.options.binary);
        command
            .args(arguments)
            .arg("--config")
            .arg(config)
            .env_remove("OCTROI_DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let folder = catalogue.to_str().ok_or("the folder of the workspace has a name that is not UTF-8")?;
    for arguments in [&["apply", folder][..], &["admin", "create-operator", "--email", "operator@bench.example"]] {
        let mut child = command(arguments).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // A command that reads nothing may have closed its side.
            let _ = writeln!(input, "{PASSWORD}");
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("octroi {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()).into());
        }
    }
    Ok(())
}

/// Does the admin listener say that everything is ready?
#[must_use]
pub fn is_ready(admin: u16) -> bool {
    http::call(admin, "GET", "/health/ready", &[], None).is_ok_and(|answer| answer.status == 200)
}

/// # Errors
/// When the account is not there.
pub fn sign_in(portal: u16, email: &str) -> Result<Session> {
    let body = json!({ "email": email, "password": PASSWORD }).to_string();
    let answer = http::call(portal, "POST", "/api/v1/session", &["Content-Type: application/json".to_owned()], Some(&body))?;
    if answer.status != 200 {
        return Err(format!("{email} cannot sign in: {} {}", answer.status, answer.start()).into());
    }
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).ok_or("no session cookie")?.to_owned();
    Ok(Session { cookie, csrf: text(&answer.json()?, "csrf_token")? })
}

/// One call of the REST API; its answer when it is 2xx.
///
/// # Errors
/// When it is not.
pub fn rest(portal: u16, session: &Session, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let mut headers = vec![format!("Cookie: {}", session.cookie)];
    if body.is_some() {
        headers.extend([format!("X-CSRF-Token: {}", session.csrf), "Content-Type: application/json".to_owned()]);
    }
    let body = body.map(Value::to_string);
    let answer = http::call(portal, method, path, &headers, body.as_deref())?;
    if (200..300).contains(&answer.status) {
        answer.json()
    } else {
        Err(format!("{method} {path}: {} {}", answer.status, answer.start()).into())
    }
}

fn text(answer: &Value, member: &str) -> Result<String> {
    answer.get(member).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("the answer has no `{member}`").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_catalogue_is_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/catalogue");
        let mut folders = vec![folder.clone()];
        let mut found = 0;
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                    assert!(CATALOGUE.iter().any(|(path, _)| *path == name), "{name}");
                    found += 1;
                }
            }
        }
        assert_eq!(found, CATALOGUE.len());
    }
}
