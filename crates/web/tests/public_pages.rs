//! What a visitor reads: the catalogue and its private APIs, an API's pages, a trial call, the register, and
//! that what is typed or answered is shown as text.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

mod support;

use std::{
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use octroi_app::{
    catalogue_files,
    try_it::{SandboxAnswer, SandboxCall, SandboxFault, SandboxPort, TryOut},
};
use support::{House, NOW, PUBLIC};

/// Breaks out of an attribute, a text, a script and a comment, where it can.
const POLYGLOT: &str = "\"'><img src=x onerror=alert(1)></textarea></title><!--<script>alert(2)</script>";
const KEY: &str = "oct_test_key_visitors";

async fn house() -> House {
    let house = House::open(PUBLIC, false).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let catalogue = catalogue_files::read(&folder, NOW).unwrap();
    house.app.apply_catalogue(&catalogue, false, false, NOW).await.unwrap();
    house
}

/// A gateway that keeps what it is sent, and answers with markup.
#[derive(Default)]
struct Sandbox(Mutex<Vec<SandboxCall>>);
impl SandboxPort for Sandbox {
    fn call(&self, call: SandboxCall) -> Pin<Box<dyn Future<Output = Result<SandboxAnswer, SandboxFault>> + Send + '_>> {
        self.0.lock().unwrap().push(call);
        let answer = SandboxAnswer {
            status: 403,
            headers: vec![("octroi-error".into(), "scope_missing".into()), ("x-other".into(), POLYGLOT.into())],
            body: POLYGLOT.into(),
            took_ms: 4,
        };
        Box::pin(async { Ok(answer) })
    }
}

fn offer(house: &House, key: Option<&str>) -> Arc<Sandbox> {
    let port = Arc::new(Sandbox::default());
    let offered = TryOut { port: port.clone(), sandbox_url: "http://sandbox.example".into(), key: key.map(str::to_owned) };
    house.app.offer_try_out(offered);
    port
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn every_public_page_is_there_in_both_languages_and_short() {
    let house = house().await;
    let operation = "get-v3-dss-quotient-familial-identite";
    let of_one = format!("/apis/dinum/api-particulier/reference?operation={operation}");
    let trial = format!("/apis/dinum/api-particulier/try?operation={operation}&sample=3");
    for path in [
        "/",
        "/provide",
        "/my-data",
        "/apis",
        "/apis/dinum/api-particulier",
        "/apis/dinum/api-particulier/reference",
        &of_one,
        "/apis/dinum/api-particulier/try",
        &trial,
        "/apis/dgfip/impot-particulier",
        "/apis/dila/legifrance/try",
        "/register",
        "/statistics",
        "/legal",
        "/accessibility",
    ] {
        for (language, word) in [("fr", "<html lang=\"fr\">"), ("en", "<html lang=\"en\">")] {
            let page = house.send(Method::GET, path, &[("accept-language", language)], "").await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.text.contains(word) && page.text.matches("<h1").count() == 1, "{path}");
            assert!(page.text.len() < 50_000, "{path}: {}", page.text.len());
        }
    }
    for path in ["/apis/dinum/nothing", "/apis/dinum/api-particulier/reference?operation=x", "/apis/dinum/api-particulier/try?operation=x"]
    {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_private_api_is_nowhere() {
    let house = house().await;
    offer(&house, Some(KEY));
    for path in ["", "/reference", "/try", "/try?operation=get-agents"] {
        assert_eq!(house.get(&format!("/apis/dinum/annuaire-interne{path}")).await.status, 404, "{path}");
    }
    let sent = house.form("/apis/dinum/annuaire-interne/try", &encoded(&[("operation", "get-agents")])).await;
    assert_eq!(sent.status, 404);
    for path in ["/apis", "/apis?q=annuaire", "/api/v1/catalogue"] {
        assert!(!house.get(path).await.text.contains("annuaire-interne"), "{path}");
    }
}

#[tokio::test]
async fn the_catalogue_is_searched_and_narrowed() {
    let house = house().await;
    let names = async |query: &str| {
        let found = house.get(&format!("/api/v1/catalogue{query}")).await.json();
        found["apis"].as_array().unwrap().iter().map(|api| api["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("").await, "dgfip/impot-particulier dinum/api-particulier cassation/judilibre dila/legifrance");
    assert_eq!(names("?q=IMPOT").await, "dgfip/impot-particulier");
    assert_eq!(names("?theme=justice&q=cour").await, "cassation/judilibre dila/legifrance");
    assert_eq!(names("?access=permit&provider=dinum").await, "dinum/api-particulier");
    // What people do finds the API whose form is for it.
    assert_eq!(names("?q=tarification%20CANTINE").await, "dgfip/impot-particulier dinum/api-particulier");
    assert_eq!(names("?q=comptoir%20numerique").await, "dinum/api-particulier");
    let nothing = house.send(Method::GET, "/apis?q=zzz", &[("accept-language", "en")], "").await;
    assert!(nothing.text.contains("href=\"/start/helper\"") && nothing.text.contains("href=\"/apis\""), "{}", nothing.text);
    house.get("/api/v1/catalogue?theme=weather").await.problem(422, "invalid");
    // A page looks past what it does not know.
    assert_eq!(house.get("/apis?theme=weather&provider=%3F&access=x&other=1").await.status, 200);
}

#[tokio::test]
async fn what_is_typed_is_shown_as_text() {
    let house = house().await;
    let query = encoded(&[("q", POLYGLOT)]);
    for path in ["/apis", "/register"] {
        let page = house.get(&format!("{path}?{query}")).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("<img src=x") && !page.text.contains("<script>") && page.text.contains("onerror=alert(1)"), "{path}");
    }
}

#[tokio::test]
async fn a_trial_call_is_made_with_the_test_key_alone() {
    let house = house().await;
    let port = offer(&house, Some(KEY));
    let path = "/apis/dgfip/impot-particulier/try";
    let operation = ("operation", "get-spi-spi-situations-ir-assiettes-annrev-annrev");
    let values = [operation, ("path.spi", "30 99"), ("path.annrev", "2024"), ("header.X-Api-Key", "mine"), ("query.x", "y")];
    let page = house.form(path, &encoded(&values)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let calls = port.0.lock().unwrap().clone();
    let call = calls.first().unwrap();
    assert_eq!((call.method.as_str(), calls.len()), ("GET", 1));
    assert_eq!(call.target, "/dgfip/impot-particulier/v1/spi/30%2099/situations/ir/assiettes/annrev/2024");
    let keys: Vec<&str> = call.headers.iter().filter(|(name, _)| name == "X-Api-Key").map(|(_, value)| value.as_str()).collect();
    assert_eq!(keys, [KEY]);
    // The refusal is told from an answer, and what came back is text.
    assert!(page.text.contains("scope_missing") && page.text.contains("onerror=alert(1)"));
    assert!(!page.text.contains("<img src=x") && !page.text.contains("<script>"));

    let wrong = house.form(path, &encoded(&[operation, ("path.spi", POLYGLOT), ("path.annrev", "2024")])).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("href=\"#f-path-spi\"") && wrong.text.contains("onerror=alert(1)") && !wrong.text.contains("<img src=x"));
    assert_eq!(port.0.lock().unwrap().len(), 1, "nothing was sent");

    for _ in 1..30 {
        assert_eq!(house.form(path, &encoded(&values)).await.status, 200);
    }
    let many = house.form(path, &encoded(&values)).await;
    assert_eq!((many.status.as_u16(), many.headers.contains_key("retry-after")), (429, true));
    assert_eq!(port.0.lock().unwrap().len(), 30);
}

#[tokio::test]
async fn without_a_test_key_the_call_is_written_and_not_made() {
    let house = house().await;
    let port = offer(&house, None);
    let body = encoded(&[("operation", "post-search"), ("body", "{\"fond\": \"CODE_DATE\"}")]);
    let page = house.form("/apis/dila/legifrance/try", &body).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("curl -i -X POST") && page.text.contains("http://sandbox.example/dila/legifrance/lf-engine-app/search"));
    assert!(port.0.lock().unwrap().is_empty());
}
