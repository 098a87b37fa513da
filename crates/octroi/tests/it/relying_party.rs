//! The example under `examples/relying-party`, as its README has it run: set up by its script against the program, which is its own
//! provider; then a person logs in by a session and by a code, and the example's API believes nobody else.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};

use crate::harness::{Demo, Engine};

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

struct Server {
    child: Child,
    address: String,
}
impl Server {
    fn start(folder: &Path, portal: &str) -> Self {
        let mut child =
            Command::new("node").arg("server.mjs").arg(portal).arg("0").current_dir(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().trim_end_matches('/').rsplit(':').next().unwrap().to_owned();
        // The host of the portal: a cookie of its session is the example’s too.
        Self { child, address: format!("http://localhost:{port}") }
    }
}
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn setup(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("node").arg("setup.mjs").args(arguments).current_dir(folder).output().unwrap();
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// A browser that is told where to go.
fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap()
}

fn leads_to(answer: &Response) -> String {
    assert!(answer.status().is_redirection(), "{} {}", answer.status(), answer.url());
    let to = answer.headers()["location"].to_str().unwrap();
    answer.url().join(to).unwrap().to_string()
}

/// From the login's address to the front: where it leads.
async fn log_in(http: &Client, demo: &Demo, address: &str, front: &str) -> String {
    let mut to = address.to_owned();
    for _ in 0..15 {
        if to.starts_with(front) {
            return to;
        }
        to = leads_to(&http.get(&to).send().await.unwrap());
    }
    panic!("{} never leads to {front}, but to {to}", demo.portal());
}

async fn me(answer: Response) -> Value {
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn the_example_logs_people_in() {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/relying-party");
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: the example needs node, which is not there");
        return;
    }
    let demo = Demo::start(Engine::Sqlite);
    let server = Server::start(&folder, demo.portal());
    let account = |role: &str| demo.file["accounts"].as_array().unwrap().iter().find(|account| account["role"] == role).unwrap().clone();
    let (operator, person) = (account("operator"), account("applicant"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (email, password) = (text(&operator["email"]), text(&operator["password"]));
    let (done, said) = setup(&folder, &[demo.portal(), &server.address, &email, &password]);
    assert!(done, "{said}");
    let note = format!("{}/api/note", server.address);
    assert_eq!(browser().get(&note).send().await.unwrap().status(), 401);

    // The person is signed in to the portal, which is the provider here; then by a session.
    let http = browser();
    let signed_in = json!({ "email": person["email"], "password": person["password"] });
    assert_eq!(http.post(format!("{}/api/v1/session", demo.portal())).json(&signed_in).send().await.unwrap().status(), 200);
    let front = format!("{}/", server.address);
    let to = log_in(&http, &demo, &format!("{}/auth/example-session/login?state=s1", demo.portal()), &front).await;
    assert_eq!(to, format!("{front}?state=s1"));
    let who = me(http.get(format!("{}/auth/me?connection=example-session", demo.portal())).send().await.unwrap()).await;
    assert_eq!((&who["email"], &who["role"]), (&person["email"], &json!("USER")), "{who}");
    let write = async |csrf: &str, text: &str| {
        http.post(&note).header("x-csrf-token", csrf).body(text.to_owned()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(write("guess", "vol").await, 403);
    assert_eq!(write(who["csrf_token"].as_str().unwrap(), "Passer à la mairie").await, 200);
    let kept: Value = me(http.get(&note).send().await.unwrap()).await;
    assert_eq!((&kept["note"], &kept["person"]), (&json!("Passer à la mairie"), &person["email"]));

    // By a code: exchanged by the front, and its token shown to the API.
    let login = format!("{}/auth/example-code/login?state=s2&code_challenge={CHALLENGE}&code_challenge_method=S256", demo.portal());
    let to = log_in(&http, &demo, &login, &front).await;
    let code = to.split_once("#code=").unwrap().1.split('&').next().unwrap().to_owned();
    let body = json!({ "code": code, "code_verifier": VERIFIER });
    let exchange = format!("{}/auth/exchange", demo.portal());
    let given = me(http.post(&exchange).header("origin", &server.address).json(&body).send().await.unwrap()).await;
    let token = given["access_token"].as_str().unwrap();
    let by_token = Client::new();
    let told: Value = me(by_token.get(&note).bearer_auth(token).send().await.unwrap()).await;
    assert_eq!((&told["person"], &told["note"]), (&person["email"], &json!("")), "the accounts of two products are two");
    let again = http.post(&exchange).header("origin", &server.address).json(&body).send().await.unwrap();
    assert_eq!(again.status(), 400);
    assert_eq!(by_token.get(&note).bearer_auth(token).send().await.unwrap().status(), 401, "shown twice, it ends what it gave");

    // Out: at once, for the API too.
    let out = http.post(format!("{}/auth/logout?connection=example-session", demo.portal()));
    let out = me(out.header("x-csrf-token", who["csrf_token"].as_str().unwrap()).send().await.unwrap()).await;
    assert!(out["logout_url"].as_str().unwrap().starts_with(&format!("{}/oauth/logout?", demo.portal())), "{out}");
    assert_eq!(http.get(&note).send().await.unwrap().status(), 401);
}
