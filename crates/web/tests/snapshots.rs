//! What the main pages of each audience say, whole: a change of words or of order is seen in review.
//! `INSTA_UPDATE=always cargo test -p octroi-web --test snapshots` takes what is there now.
#![expect(clippy::unwrap_used, reason = "a test: what is not there fails it")]

mod support;

use std::{collections::BTreeMap, path::Path};

use axum::http::Method;
use octroi_app::{
    Context,
    access_requests::{ApproveInput, NewRequest},
    applications::NewApplication,
    people::NewUser,
    sign_on::clients::ClientTerms,
    subscriptions::NewSubscription,
};
use octroi_domain::{
    policy::Principal,
    stage::Stage,
    text::Language,
    user::{LinkLevel, RoleGrant},
};
use support::{EMAIL, House, NOW, PASSWORD, PUBLIC};

struct Somebody {
    cookie: String,
    principal: Principal,
}

async fn signed(house: &House, email: &str) -> Somebody {
    let visitor = octroi_app::sessions::Visitor { address: "192.0.2.7", agent: "", browser: None };
    let found = house.app.sign_in(email, PASSWORD, None, visitor, NOW).await.unwrap().signed_in().unwrap();
    let principal = house.app.session(&found.session, NOW).await.unwrap().unwrap().principal;
    Somebody { cookie: format!("octroi_session={}", found.session), principal }
}

/// A town with a permit, a request that waits and a draft; an application; and the people who look at them.
struct Scene {
    house: House,
    operator: Somebody,
    applicant: Somebody,
    reviewer: Somebody,
    administrator: Somebody,
    application: String,
}

impl Scene {
    async fn open() -> Self {
        let house = House::open(PUBLIC, false).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
        let catalogue = octroi_app::catalogue_files::read(&folder, NOW).unwrap();
        house.app.apply_catalogue(&catalogue, false, false, NOW).await.unwrap();
        let operator = signed(&house, EMAIL).await;
        let context = Context::new(operator.principal.clone(), NOW);
        let organization = async |siret: &str, name: &str| {
            let done = house.app.create_organization(&context, siret.parse().unwrap(), name).await.unwrap();
            done.value().unwrap().id.parse().unwrap()
        };
        let town = organization("21340001300016", "Commune de Rivebelle").await;
        let dinum = organization("13002526500013", "Direction interministérielle du numérique").await;
        let person = async |name: (&str, &str), organization, roles: &[&str]| {
            let grant = |role: &&str| RoleGrant { role: role.parse().unwrap(), perimeter: "provider:dinum".parse().unwrap() };
            let email = format!("{}@example.org", name.0.to_lowercase());
            let new = NewUser {
                email: email.clone(),
                given_name: name.0.to_owned(),
                family_name: name.1.to_owned(),
                language: Language::Fr,
                password: PASSWORD.to_owned(),
                organization: Some((organization, LinkLevel::Verified)),
                roles: roles.iter().map(grant).collect(),
            };
            house.app.create_user(&context, new).await.unwrap();
            signed(&house, &email).await
        };
        let applicant = person(("Amina", "Benali"), town, &[]).await;
        let reviewer = person(("David", "Evrard"), dinum, &["reviewer"]).await;
        let administrator = person(("Hugo", "Ibert"), dinum, &["api_administrator"]).await;
        let mut scene = Self { house, operator, applicant, reviewer, administrator, application: String::new() };
        scene.live().await;
        scene
    }

    async fn live(&mut self) {
        let version = self.submitted("Cantine").await;
        let by = Context::new(self.reviewer.principal.clone(), NOW.plus_seconds(7_200));
        let input = ApproveInput { version, content_hash: None, message: Some("Bonne mise en service.".to_owned()) };
        let permit = self.house.app.approve_request(&by, "D1".parse().unwrap(), input).await.unwrap().value().unwrap().permit;
        self.submitted("Accueil de loisirs").await;
        let context = Context::new(self.applicant.principal.clone(), NOW);
        let draft = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
        self.house.app.create_request(&context, draft).await.unwrap();
        let new = NewApplication { name: "Portail famille".to_owned(), stage: Stage::Sandbox, organization: None, management: false };
        self.application = self.house.app.create_application(&context, new).await.unwrap().value().unwrap().id;
        let new = NewSubscription {
            api: "dinum/api-particulier".parse().unwrap(),
            permit: Some(permit.parse().unwrap()),
            plan: None,
            accept_terms: true,
        };
        self.house.app.subscribe(&context, self.application.parse().unwrap(), new).await.unwrap();
    }

    /// A submitted request of the canteen's form; its version.
    async fn submitted(&self, title: &str) -> u32 {
        let context = Context::new(self.applicant.principal.clone(), NOW);
        let definition = self.house.app.read_definition(&context, &"api-particulier".parse().unwrap()).await.unwrap();
        let form = definition.forms.iter().find(|form| form.slug == "cantine").unwrap();
        let input = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
        let created = self.house.app.create_request(&context, input).await.unwrap().value().unwrap();
        let mut answers: BTreeMap<String, serde_json::Value> = serde_json::from_value(form.example.clone()).unwrap();
        answers.insert("title".to_owned(), title.into());
        answers.retain(|name, value| created.answers.get(name) != Some(value));
        let id = created.id.parse().unwrap();
        let edited = self.house.app.edit_request(&context, id, None, answers).await.unwrap().value().unwrap();
        self.house.app.submit_request(&context, id, Some(edited.version)).await.unwrap().value().unwrap().version
    }

    /// The main part of a page, as [`outline`] has it.
    async fn page(&self, who: Option<&Somebody>, path: &str) -> String {
        let cookie = who.map(|who| who.cookie.as_str()).unwrap_or_default();
        let headers = [("accept", "text/html"), ("accept-language", "fr"), ("cookie", cookie)];
        let answer = self.house.send(Method::GET, path, &headers, "").await;
        assert_eq!(answer.status, 200, "{path}");
        masked(&outline(&answer.text))
    }
}

/// The content of `<main>`, a line for each element that stands by itself: headings, texts, links with where they lead,
/// controls with their names and values. Classes are the components' own business.
fn outline(html: &str) -> String {
    let main = html.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let mut rest = main.split_once('>').unwrap().1;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        let name = tag.split([' ', '\n']).next().unwrap();
        let said = |attribute: &str| tag.split_once(&format!(" {attribute}=\"")).map(|(_, value)| value.split_once('"').unwrap().0);
        match name {
            "h1" | "h2" | "h3" | "h4" => text.push_str(&format!("\n{} ", "#".repeat(name.trim_start_matches('h').parse().unwrap()))),
            "li" | "dt" | "tr" | "option" | "summary" => text.push_str("\n- "),
            "dd" | "td" | "th" => text.push_str(" | "),
            "p" | "div" | "form" | "ul" | "ol" | "table" | "caption" | "label" | "legend" | "svg" | "text" | "title" | "figcaption"
            | "button" | "textarea" | "input" | "select" | "fieldset" => text.push('\n'),
            _ => {}
        }
        match name {
            "a" => text.push_str(&format!("({}) ", said("href").unwrap_or_default())),
            "form" => text.push_str(&format!("[form {}]", said("action").unwrap_or_default())),
            // Protection against forgery and double clicks is drawn anew each time.
            "input" if said("name").is_some_and(|name| name.starts_with('_')) => {}
            "input" | "textarea" | "select" | "button" => {
                let words = ["type", "name", "value"].into_iter().filter_map(said).map(|word| format!(" {word}")).collect::<String>();
                text.push_str(&format!("[{name}{words}{}] ", if tag.contains(" checked") { " checked" } else { "" }));
            }
            _ => {}
        }
    }
    let lines = text.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty() && line != "-").collect::<Vec<_>>().join("\n")
}

/// What is drawn by lot, or follows from the catalogue's bytes, becomes its kind.
fn masked(text: &str) -> String {
    let within = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let mask = |part: &str| {
        let word = part.trim_end_matches(|c| !within(c));
        let drawn = word.len() >= 32 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        let kind = if word.contains('-') { "‹uuid›" } else { "‹hash›" };
        if drawn { part.replace(word, kind) } else { part.to_owned() }
    };
    text.split_inclusive(|c| !within(c)).map(mask).collect()
}

#[tokio::test]
async fn the_main_pages_say_what_they_should() {
    let scene = Scene::open().await;
    let (applicant, reviewer) = (Some(&scene.applicant), Some(&scene.reviewer));
    let application = format!("/applications/{}", scene.application);
    for (name, who, path) in [
        ("home", None, "/"),
        ("provide", None, "/provide"),
        ("catalogue", None, "/apis"),
        ("api", None, "/apis/dinum/api-particulier"),
        ("start", None, "/start"),
        ("start-form", applicant, "/start/api-particulier/cantine"),
        ("dashboard", applicant, "/dashboard"),
        ("step", applicant, "/access-requests/D3/steps/3"),
        ("summary", applicant, "/access-requests/D3/summary"),
        ("request", applicant, "/access-requests/D1"),
        ("permit", applicant, "/permits/H1"),
        ("application", applicant, &application),
        ("review-list", reviewer, "/review"),
        ("review", reviewer, "/access-requests/D2/review"),
        ("admin-api", Some(&scene.administrator), "/admin/apis/dinum/api-particulier"),
        ("operator", Some(&scene.operator), "/operator"),
    ] {
        insta::assert_snapshot!(name, scene.page(who, path).await);
    }
}

/// What a newcomer reads on the way from a service to an account, an organisation and back.
#[tokio::test]
async fn the_pages_of_the_sign_on_say_what_they_should() {
    let scene = Scene::open().await;
    let (applicant, operator) = (Some(&scene.applicant), Some(&scene.operator));
    let context = Context::new(scene.operator.principal.clone(), NOW);
    let metadata = serde_json::json!({
        "client_name": "Cantine de Rivebelle", "redirect_uris": ["https://cantine.example/retour"], "policy_uri": "https://cantine.example/donnees",
    });
    let client = scene.house.app.create_client(&context, metadata, ClientTerms::default()).await.unwrap().value().unwrap().id;
    let asked = format!(
        "response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fcantine.example%2Fretour&scope=openid+profile+email+organization"
    );
    for (name, who, more) in [
        ("sign-on-consent", applicant, ""),
        ("sign-on-account", applicant, "&prompt=select_account"),
        ("sign-on-organization", applicant, "&prompt=select_organization"),
        ("sign-on-elsewhere", applicant, "&siret_hint=21590002800014"),
        ("sign-on-none", operator, ""),
    ] {
        let begun = scene.house.send(Method::GET, &format!("/oauth/authorize?{asked}{more}"), &[("accept", "text/html")], "").await;
        let path = begun.headers["location"].to_str().unwrap();
        let word = path.strip_prefix("/oauth/authorize/").unwrap();
        insta::assert_snapshot!(name, scene.page(who, path).await.replace(word, "‹word›").replace(&client, "‹client›"));
    }
    for (name, who, path) in [
        ("sign-in", None, "/sign-in"),
        ("sign-up", None, "/sign-up?return_to=%2Fapis"),
        ("reset", None, "/reset-password"),
        ("account", applicant, "/account"),
        ("second-factor", applicant, "/account/second-factor"),
        ("passkeys", applicant, "/account/passkeys"),
        ("delete-account", applicant, "/account/delete"),
        ("organizations", applicant, "/organizations"),
        ("join", applicant, "/organizations/join"),
        ("join-found", applicant, "/organizations/join?siret_hint=35600000000048&return_to=%2Fapis"),
        ("joining", operator, "/operator/joining"),
        ("client-new", operator, "/operator/clients/new"),
    ] {
        insta::assert_snapshot!(name, scene.page(who, path).await);
    }
}

#[test]
fn an_outline_keeps_what_is_read() {
    let html = "<body><main id=\"main\"><h1>A</h1><p class=\"x\">b <a href=\"/c\">d</a></p><input type=\"text\" name=\"e\" value=\"f\"></main></body>";
    assert_eq!(outline(html), "# A\nb (/c) d\n[input text e f]");
    let id = "018f3c2a-7b6d-7c3e-9a1b-2c3d4e5f6a7b";
    assert_eq!(masked(&format!("(/applications/{id}) D12 of 2026-11-22")), "(/applications/‹uuid›) D12 of 2026-11-22");
}
