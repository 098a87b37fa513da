//! Names that look like markup: an operator gives them to an organisation and to people, and every page
//! and mail that tells them shows them as they were written.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use std::{collections::BTreeMap, path::Path};

use axum::http::Method;
use octroi_app::{Context, access_requests::NewRequest};
use octroi_domain::policy::Principal;
use support::{Answer, EMAIL, House, NOW, PASSWORD, PUBLIC};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const TOWN: &str = "\"'><img src=x onerror=alert(1)>{{7*7}}</textarea></title><script>town()</script>";
const GIVEN: &str = "\"><svg onload=given()>";
const FAMILY: &str = "'-family()-'</option></select><b>";

struct Somebody {
    cookie: String,
    csrf: String,
    principal: Principal,
}

struct Scene {
    house: House,
    operator: Somebody,
}

/// As a template writes what was typed.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;").replace('"', "&#34;").replace('\'', "&#39;")
}

#[track_caller]
fn look(path: &str, answer: &Answer) {
    for markup in ["<img src=x", "<script>town", "</textarea></title>", "<svg onload", "</option></select><b>"] {
        assert!(!answer.text.contains(markup), "{path}: {markup} became markup");
    }
}

async fn signed(house: &House, email: &str) -> Somebody {
    let visitor = octroi_app::sessions::Visitor { address: "192.0.2.7", agent: "", browser: None };
    let found = house.app.sign_in(email, PASSWORD, None, visitor, NOW).await.unwrap().signed_in().unwrap();
    let principal = house.app.session(&found.session, NOW).await.unwrap().unwrap().principal;
    Somebody { cookie: format!("octroi_session={}", found.session), csrf: found.csrf_token, principal }
}

impl Scene {
    async fn open() -> Self {
        let house = House::open(PUBLIC, true).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
        let catalogue = octroi_app::catalogue_files::read(&folder, NOW).unwrap();
        house.app.apply_catalogue(&catalogue, false, false, NOW).await.unwrap();
        let operator = signed(&house, EMAIL).await;
        Self { house, operator }
    }

    async fn get(&self, who: &Somebody, path: &str) -> Answer {
        let headers = [BROWSER, ("accept-language", "en"), ("cookie", who.cookie.as_str())];
        let answer = self.house.send(Method::GET, path, &headers, "").await;
        look(path, &answer);
        answer
    }

    /// Sends a form that is good; where it leads to.
    async fn send(&self, who: &Somebody, path: &str, fields: &[(&str, &str)]) -> String {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("_csrf", &who.csrf).extend_pairs(fields).finish();
        let headers = [BROWSER, FORM, ("accept-language", "en"), ("cookie", who.cookie.as_str()), ("origin", PUBLIC)];
        let answer = self.house.send(Method::POST, path, &headers, body).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text);
        answer.headers["location"].to_str().unwrap().to_owned()
    }

    /// The operator creates somebody; the page of the person.
    async fn person(&self, email: &str, siret: &str) -> String {
        let fields = [
            ("given_name", GIVEN),
            ("family_name", FAMILY),
            ("email", email),
            ("language", "en"),
            ("password", PASSWORD),
            ("organization", siret),
            ("level", "verified"),
        ];
        self.send(&self.operator, "/operator/people/new", &fields).await
    }

    async fn submitted(&self, who: &Somebody) -> String {
        let context = Context::new(who.principal.clone(), NOW);
        let definition = self.house.app.read_definition(&context, &"api-particulier".parse().unwrap()).await.unwrap();
        let form = definition.forms.iter().find(|form| form.slug == "cantine").unwrap();
        let input = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
        let created = self.house.app.create_request(&context, input).await.unwrap().value().unwrap();
        let mut answers: BTreeMap<String, serde_json::Value> = serde_json::from_value(form.example.clone()).unwrap();
        answers.retain(|name, value| created.answers.get(name) != Some(value));
        let id = created.id.parse().unwrap();
        let edited = self.house.app.edit_request(&context, id, None, answers).await.unwrap().value().unwrap();
        self.house.app.submit_request(&context, id, Some(edited.version)).await.unwrap();
        created.id
    }

    /// The page shows these names as they were written.
    async fn shows(&self, who: &Somebody, path: &str, names: &[&str]) {
        let page = self.get(who, path).await;
        assert_eq!(page.status, 200, "{path}");
        for name in names {
            assert!(page.text.contains(&escaped(name)), "{path} does not show {name}\n{}", page.text);
        }
    }
}

fn hidden<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    answer.text.split("<main").nth(1).unwrap().split(&start).nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn names_are_shown_as_they_were_written() {
    let scene = Scene::open().await;
    let operator = &scene.operator;
    let town = scene.send(operator, "/operator/organizations/new", &[("name", TOWN), ("siret", "21690123100011")]).await;
    let dinum = [("name", "DINUM"), ("siret", "13002526500013")];
    scene.send(operator, "/operator/organizations/new", &dinum).await;
    let somebody = scene.person("applicant@example.org", "21690123100011").await;
    let judge = scene.person("reviewer@example.org", "13002526500013").await;
    for role in ["reviewer", "manager", "subscriber"] {
        let grant = [("role", role), ("perimeter", "definition:api-particulier")];
        scene.send(operator, &format!("{judge}/roles"), &grant).await;
    }
    let applicant = signed(&scene.house, "applicant@example.org").await;
    let reviewer = signed(&scene.house, "reviewer@example.org").await;
    let id = scene.submitted(&applicant).await;
    let request = format!("/access-requests/{id}");
    scene.send(&reviewer, &format!("{request}/messages"), &[("text", GIVEN)]).await;
    scene.send(&applicant, &format!("{request}/messages"), &[("text", TOWN)]).await;
    scene.shows(&reviewer, &format!("{request}/review"), &[TOWN, GIVEN, FAMILY]).await;
    let page = scene.get(&reviewer, &format!("{request}/review")).await;
    let decision = [
        ("decision", "approve"),
        ("message", TOWN),
        ("version", hidden(&page, "version")),
        ("content_hash", hidden(&page, "content_hash")),
    ];
    scene.send(&reviewer, &format!("{request}/review"), &decision).await;
    let application = scene.send(&applicant, "/applications/new", &[("name", TOWN), ("stage", "sandbox")]).await;
    scene.send(&reviewer, "/permits/H1/suspend", &[("reason", FAMILY)]).await;
    scene.send(&reviewer, "/permits/H1/resume", &[]).await;

    for path in ["/operator/people", "/operator/people?q=example", &somebody, &judge] {
        scene.shows(operator, path, &[GIVEN, FAMILY]).await;
    }
    scene.shows(operator, &somebody, &[TOWN]).await;
    scene.shows(operator, "/operator/organizations", &[TOWN]).await;
    scene.shows(operator, &town, &[TOWN, GIVEN, FAMILY]).await;
    scene.shows(operator, "/operator/ledger", &[GIVEN, FAMILY]).await;
    scene.shows(&reviewer, "/manage/roles/api-particulier", &[GIVEN, FAMILY]).await;
    scene.shows(&reviewer, "/review?state=all", &[TOWN, GIVEN, FAMILY]).await;
    scene.shows(&reviewer, "/review/permits", &[TOWN]).await;
    scene.shows(&reviewer, &format!("{request}/review"), &[TOWN, GIVEN, FAMILY]).await;
    scene.shows(&reviewer, "/permits/H1/revoke", &[TOWN, GIVEN, FAMILY]).await;
    for path in [request.as_str(), "/permits/H1", "/permits/H1/receipt"] {
        scene.shows(&applicant, path, &[TOWN, GIVEN, FAMILY]).await;
        scene.shows(&reviewer, path, &[TOWN]).await;
    }
    scene.shows(&applicant, &format!("{request}/messages"), &[TOWN, GIVEN]).await;
    scene.shows(&applicant, &application, &[TOWN]).await;
    scene.shows(&applicant, "/dashboard", &[GIVEN, FAMILY]).await;
    scene.shows(&applicant, "/applications", &[TOWN]).await;
    scene.shows(&applicant, "/register", &[TOWN]).await;
    scene.shows(&applicant, "/applications/new", &[]).await;
    scene.shows(operator, "/dashboard", &[]).await;
    for path in ["/start/api-particulier/cantine", "/statistics", "/operator/outbox", "/operator", "/dev/mailbox"] {
        scene.shows(operator, path, &[]).await;
        scene.shows(&applicant, if path.starts_with("/operator") { "/" } else { path }, &[]).await;
    }

    // Mails: the HTML has the name as text, the text has it as it is.
    let mut named = 0;
    for number in 1..=20 {
        let mail = scene.get(operator, &format!("/dev/mailbox/{number}")).await;
        if mail.status == 404 {
            break;
        }
        let html = scene.get(operator, &format!("/dev/mailbox/{number}/html")).await;
        assert_eq!((mail.status.as_u16(), html.status.as_u16()), (200, 200), "{number}");
        named += u32::from(html.text.contains(&escaped(GIVEN)) || html.text.contains(&escaped(TOWN)));
    }
    assert!(named >= 3, "{named} mails name somebody");
}
