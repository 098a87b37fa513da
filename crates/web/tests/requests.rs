//! The pages of those who apply: from the choice of a form to the permit, and messages between both sides.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use std::path::Path;

use axum::http::Method;
use octroi_app::{Context, access_requests::ApproveInput, people::NewUser};
use octroi_domain::{
    policy::Principal,
    text::Language,
    user::{LinkLevel, RoleGrant},
};
use octroi_store::LedgerFilter;
use serde_json::json;
use support::{Answer, EMAIL, House, NOW, PASSWORD, PUBLIC};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// Shown literally wherever it was typed.
const XSS: &str = "\"'><img src=x onerror=alert(1)>{{7*7}}</textarea><script>";

struct Somebody {
    cookie: String,
    csrf: String,
    principal: Principal,
}

/// A town that applies to DINUM.
struct Scene {
    house: House,
    applicant: Somebody,
    colleague: Somebody,
    stranger: Somebody,
    reviewer: Somebody,
    observer: Somebody,
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
        let context = Context::new(signed(&house, EMAIL).await.principal, NOW);
        let organization = async |siret: &str, name: &str| {
            let done = house.app.create_organization(&context, siret.parse().unwrap(), name).await.unwrap();
            done.value().unwrap().id.parse().unwrap()
        };
        let town = organization("21750001600019", &format!("Ville {XSS}")).await;
        let dinum = organization("13002526500013", "DINUM").await;
        let person = async |name: &str, organization, roles: &[&str]| {
            let perimeter = "definition:api-particulier";
            let grants = roles.iter().map(|role| RoleGrant { role: role.parse().unwrap(), perimeter: perimeter.parse().unwrap() });
            let new = NewUser {
                email: format!("{name}@example.org"),
                given_name: name.to_owned(),
                family_name: "Exemple".to_owned(),
                language: Language::En,
                password: PASSWORD.to_owned(),
                organization: Some((organization, LinkLevel::Verified)),
                roles: grants.collect(),
            };
            house.app.create_user(&context, new).await.unwrap();
            signed(&house, &format!("{name}@example.org")).await
        };
        let applicant = person("applicant", town, &[]).await;
        let colleague = person("colleague", town, &[]).await;
        let stranger = person("stranger", dinum, &[]).await;
        let reviewer = person("reviewer", dinum, &["reviewer", "subscriber"]).await;
        let observer = person("observer", dinum, &["observer"]).await;
        Self { house, applicant, colleague, stranger, reviewer, observer }
    }

    async fn get(&self, who: &Somebody, path: &str) -> Answer {
        let headers = [BROWSER, ("accept-language", "en"), ("cookie", who.cookie.as_str())];
        let answer = self.house.send(Method::GET, path, &headers, "").await;
        look(path, &answer);
        answer
    }

    async fn post(&self, who: &Somebody, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("_csrf", &who.csrf).extend_pairs(fields).finish();
        let headers = [BROWSER, FORM, ("accept-language", "en"), ("cookie", who.cookie.as_str()), ("origin", PUBLIC)];
        let answer = self.house.send(Method::POST, path, &headers, body).await;
        look(path, &answer);
        answer
    }

    /// A request of the form that has nearly everything filled in, ready to be submitted.
    async fn ready(&self) -> String {
        let begun = self.post(&self.applicant, "/start/api-particulier/editeur-comptoir-numerique", &[]).await;
        let id = location(&begun).split('/').nth(2).unwrap().to_owned();
        let filled = self.post(&self.applicant, &step(&id, 1), &[("version", "1"), ("title", XSS), ("description", "One\r\ntwo")]).await;
        assert_eq!((filled.status.as_u16(), location(&filled)), (303, step(&id, 2).as_str()));
        let member = |contact: &str, name: &str| format!("contact_{contact}.{name}");
        let names = ["business", "technical", "dpo"].map(|contact| {
            [("family_name", "Durand"), ("given_name", XSS), ("email", "a@b.example"), ("phone", "0123456789"), ("job", "Clerk")]
                .map(|(name, text)| (member(contact, name), text))
        });
        let mut fields: Vec<(&str, &str)> = names.iter().flatten().map(|(name, text)| (name.as_str(), *text)).collect();
        fields.push(("version", "2"));
        let filled = self.post(&self.applicant, &step(&id, 2), &fields).await;
        assert_eq!((filled.status.as_u16(), location(&filled)), (303, format!("/access-requests/{id}/summary").as_str()));
        id
    }

    async fn submitted(&self) -> String {
        let id = self.ready().await;
        let sent = self.post(&self.applicant, &format!("/access-requests/{id}/submit"), &[("version", "3"), ("terms", "true")]).await;
        assert_eq!((sent.status.as_u16(), location(&sent)), (303, format!("/access-requests/{id}").as_str()));
        id
    }

    async fn granted(&self) -> String {
        let id = self.submitted().await.parse().unwrap();
        let context = Context::new(self.reviewer.principal.clone(), NOW.plus_seconds(60));
        let input = ApproveInput { version: 4, content_hash: None, message: Some(format!("Good {XSS}")) };
        self.house.app.approve_request(&context, id, input).await.unwrap().value().unwrap().permit
    }
}

fn step(id: &str, number: usize) -> String {
    format!("/access-requests/{id}/steps/{number}")
}

/// What holds for every page.
#[track_caller]
fn look(path: &str, answer: &Answer) {
    assert!(answer.text.len() < 50_000, "{path}: {} bytes", answer.text.len());
    assert!(!answer.text.contains("<img src=x") && !answer.text.contains("</textarea><script>"), "{path}: what was typed became markup");
    assert!(!answer.status.is_server_error(), "{path}: {}", answer.text);
}

fn location(answer: &Answer) -> &str {
    answer.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_form_is_chosen_by_its_use_or_by_two_questions() {
    let scene = Scene::open().await;
    let start = scene.get(&scene.applicant, "/start").await;
    assert!(start.text.contains("/start/api-particulier") && start.text.contains("/start/helper"), "{}", start.text);
    let forms = scene.get(&scene.applicant, "/start/api-particulier").await;
    assert!(forms.text.contains("By use case") && forms.text.contains("Comptoir numérique"), "{}", forms.text);
    let found = scene.get(&scene.applicant, "/start/helper?use_case=canteen&vendor=90000000100017").await;
    assert!(found.text.contains("/start/api-particulier/editeur-comptoir-numerique"), "{}", found.text);
    let shown = scene.get(&scene.applicant, "/start/api-particulier/editeur-comptoir-numerique").await;
    assert!(shown.text.contains("What the form settles for you") && shown.text.contains("Begin the request"), "{}", shown.text);
    assert_eq!(scene.get(&scene.applicant, "/start/nothing").await.status, 404);
    assert_eq!(scene.get(&scene.applicant, "/start/api-particulier/nothing").await.status, 404);
    // A double click opens one request.
    let path = "/start/api-particulier/libre";
    let (one, two) =
        (scene.post(&scene.applicant, path, &[("_once", "x")]).await, scene.post(&scene.applicant, path, &[("_once", "x")]).await);
    assert_eq!((one.status.as_u16(), location(&one)), (two.status.as_u16(), location(&two)));
}

#[tokio::test]
async fn what_cannot_be_an_answer_is_shown_again_and_the_rest_is_saved() {
    let scene = Scene::open().await;
    let begun = scene.post(&scene.applicant, "/start/api-particulier/libre", &[]).await;
    let id = location(&begun).split('/').nth(2).unwrap().to_owned();
    let personal = step(&id, 3);
    let typed = [("version", "1"), ("purpose", "Why"), ("recipients", XSS), ("retention_months", "two years")];
    let wrong = scene.post(&scene.applicant, &personal, &typed).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("value=\"two years\"") && wrong.text.contains("href=\"#f-retention_months\""), "{}", wrong.text);
    assert!(wrong.text.contains("Give a whole number from"), "{}", wrong.text);
    assert!(wrong.text.contains("name=\"version\" value=\"2\""), "the good answers are saved");
    let again = scene.get(&scene.applicant, &personal).await;
    assert!(again.text.contains("Why") && !again.text.contains("two years"), "{}", again.text);
    // The button that fills a contact in, and rows of documents, work without a script.
    let contacts = step(&id, 6);
    let filled = scene.post(&scene.applicant, &contacts, &[("version", "2"), ("me", "contact_dpo"), ("contact_dpo.job", "Clerk")]).await;
    assert!(location(&filled).starts_with(&contacts) && location(&filled).ends_with("#f-contact_dpo-phone"), "{}", location(&filled));
    let shown = scene.get(&scene.applicant, &contacts).await;
    assert!(shown.text.contains("value=\"applicant@example.org\"") && shown.text.contains("value=\"Clerk\""), "{}", shown.text);
    let summary = scene.get(&scene.applicant, &format!("/access-requests/{id}/summary")).await;
    assert!(summary.text.contains(&format!("{}?check=1", contacts)) && !summary.text.contains("/submit\""), "{}", summary.text);
    let checked = scene.get(&scene.applicant, &format!("{contacts}?check=1&from=summary")).await;
    assert!(
        checked.text.contains("f-contact_dpo-phone-error") && checked.text.contains("name=\"from\" value=\"summary\""),
        "{}",
        checked.text
    );
}

#[tokio::test]
async fn a_request_for_no_data_is_told_so_at_its_step() {
    let scene = Scene::open().await;
    let begun = scene.post(&scene.applicant, "/start/api-particulier/libre", &[]).await;
    let id = location(&begun).split('/').nth(2).unwrap().to_owned();
    let scopes = step(&id, 5);
    let none = scene.post(&scene.applicant, &scopes, &[("version", "1")]).await;
    assert_eq!(none.status, 422, "{}", none.text);
    assert!(none.text.contains("f-scopes-error") && none.text.contains("at least one scope"), "{}", none.text);
    for (then, leads) in [("back", step(&id, 4)), ("later", format!("/access-requests/{id}"))] {
        let left = scene.post(&scene.applicant, &scopes, &[("version", "1"), ("then", then)]).await;
        assert_eq!((left.status.as_u16(), location(&left)), (303, leads.as_str()));
    }
    let saved = scene.post(&scene.applicant, &scopes, &[("version", "1"), ("_autosave", "1")]).await;
    assert_eq!(saved.status, 204, "the script saves, and blames nobody");
    let some = scene.post(&scene.applicant, &scopes, &[("version", "1"), ("scopes", "cnaf_quotient_familial")]).await;
    assert_eq!((some.status.as_u16(), location(&some)), (303, step(&id, 6).as_str()));
    // The form that knows the use has chosen already.
    let begun = scene.post(&scene.applicant, "/start/api-particulier/cantine", &[]).await;
    let id = location(&begun).split('/').nth(2).unwrap().to_owned();
    let shown = scene.get(&scene.applicant, &step(&id, 5)).await;
    assert!(shown.text.contains("value=\"cnaf_quotient_familial\" checked"), "{}", shown.text);
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_says_why() {
    let scene = Scene::open().await;
    let begun = scene.post(&scene.applicant, "/start/api-particulier/cantine", &[]).await;
    let id = location(&begun).split('/').nth(2).unwrap().to_owned();
    let summary = format!("/access-requests/{id}/summary");
    let shown = scene.get(&scene.applicant, &summary).await;
    assert!(!shown.text.contains("/submit\""), "{}", shown.text);
    let link = format!("<a href=\"{}?check=1\">Contacts</a>", step(&id, 6));
    assert!(shown.text.contains("one step is incomplete") && shown.text.contains(&link), "{}", shown.text);
    assert!(!shown.text.contains("Justification above 36 months"), "it is asked above 36 months alone: {}", shown.text);
    let colleague = scene.get(&scene.colleague, &summary).await;
    assert!(colleague.text.contains("Only the person who opened it, applicant Exemple"), "{}", colleague.text);
    // What the form filled in is no news of the applicant's until they looked at it.
    let unread = |page: &Answer| page.text.matches("(filled in for you, to be checked)").count();
    assert_eq!(unread(&shown), 5);
    let first = scene.get(&scene.applicant, &step(&id, 1)).await;
    assert_eq!(unread(&first), 4);
    let kept = first.headers.get_all("set-cookie").iter().find_map(|cookie| cookie.to_str().unwrap().split(';').next());
    let cookies = format!("{}; {}", scene.applicant.cookie, kept.unwrap());
    let headers = [BROWSER, ("accept-language", "en"), ("cookie", cookies.as_str())];
    assert_eq!(unread(&scene.house.send(Method::GET, &summary, &headers, "").await), 4);
    // The number of steps is the same before and after one begins.
    let offered = scene.get(&scene.applicant, "/start/api-particulier").await;
    assert!(first.text.contains("Step 1 of 7") && offered.text.contains("7 steps"), "{}", offered.text);
}

#[tokio::test]
async fn rows_of_documents_come_and_go() {
    let scene = Scene::open().await;
    let begun = scene.post(&scene.applicant, "/start/api-impot-particulier/libre", &[]).await;
    let id = location(&begun).split('/').nth(2).unwrap().to_owned();
    let number = (1..20).map(|number| step(&id, number));
    let mut documents = String::new();
    for path in number {
        let page = scene.get(&scene.applicant, &path).await;
        if page.text.contains("documents.0.title") {
            documents = path;
            break;
        }
    }
    let row = [("documents.0.title", "One"), ("documents.0.url", "https://a.example/1")];
    let added = scene.post(&scene.applicant, &documents, &[&[("version", "1"), ("add", "documents")], &row[..]].concat()).await;
    assert_eq!(location(&added), format!("{documents}?rows=documents.2#f-documents-1-title"));
    let shown = scene.get(&scene.applicant, &format!("{documents}?rows=documents.2")).await;
    assert!(shown.text.contains("value=\"One\"") && shown.text.contains("name=\"documents.1.url\""), "{}", shown.text);
    let removed = scene.post(&scene.applicant, &documents, &[&[("version", "2"), ("remove", "documents.0")], &row[..]].concat()).await;
    assert_eq!(removed.status, 303);
    let gone = scene.get(&scene.applicant, &documents).await;
    assert!(!gone.text.contains("value=\"One\""), "{}", gone.text);
}

#[tokio::test]
async fn two_windows_lose_nothing() {
    let scene = Scene::open().await;
    let id = scene.ready().await;
    let first = step(&id, 1);
    let mine = [("version", "3"), ("title", "Mine"), ("description", "One\ntwo")];
    assert_eq!(scene.post(&scene.applicant, &first, &mine).await.status, 303);
    let theirs = [("version", "3"), ("title", XSS), ("description", "Other")];
    let late = scene.post(&scene.applicant, &first, &theirs).await;
    assert_eq!(late.status, 409);
    assert!(
        late.text.contains("Mine") && late.text.contains("Other") && late.text.contains("name=\"version\" value=\"4\""),
        "{}",
        late.text
    );
    // The very same twice is no conflict.
    assert_eq!(scene.post(&scene.applicant, &first, &mine).await.status, 303);
    // A version that cannot be read is none: nothing is saved over what somebody else wrote.
    for version in ["abc", "", "-1", "99999999999"] {
        let odd = scene.post(&scene.applicant, &first, &[("version", version), ("title", "Odd"), ("description", "One\ntwo")]).await;
        assert_eq!(odd.status, 409, "{version}");
        let shown = scene.get(&scene.applicant, &first).await;
        assert!(shown.text.contains("name=\"version\" value=\"4\"") && !shown.text.contains("Odd"), "{version}");
    }
    // The script saves, is told the version, and writes nothing when nothing changed.
    let saved =
        scene.post(&scene.applicant, &first, &[("version", "4"), ("title", "New"), ("description", "One\ntwo"), ("_autosave", "1")]).await;
    assert_eq!((saved.status.as_u16(), saved.headers["x-version"].to_str().unwrap()), (204, "5"));
    let saved =
        scene.post(&scene.applicant, &first, &[("version", "5"), ("title", "New"), ("description", "One\ntwo"), ("_autosave", "1")]).await;
    assert_eq!(saved.headers["x-version"], "5");
    // Submitted meanwhile: it is said, and what was typed is still there.
    let submit = format!("/access-requests/{id}/submit");
    assert_eq!(scene.post(&scene.applicant, &submit, &[("version", "5")]).await.status, 422, "the terms are not accepted");
    assert_eq!(scene.post(&scene.applicant, &submit, &[("version", "4"), ("terms", "true")]).await.status, 409);
    assert_eq!(scene.post(&scene.applicant, &submit, &[("version", "5"), ("terms", "true")]).await.status, 303);
    let closed = scene.post(&scene.applicant, &first, &[("version", "6"), ("title", "Too late"), ("description", "x")]).await;
    assert_eq!(closed.status, 409);
    assert!(closed.text.contains("can no longer be changed") && closed.text.contains("Too late"), "{}", closed.text);
}

#[tokio::test]
async fn both_sides_write_and_neither_misses_a_message() {
    let scene = Scene::open().await;
    let id = scene.submitted().await;
    let (page, messages) = (format!("/access-requests/{id}"), format!("/access-requests/{id}/messages"));
    assert_eq!(scene.post(&scene.applicant, &messages, &[("text", " ")]).await.status, 422);
    let long = "x".repeat(5_001);
    let refused = scene.post(&scene.applicant, &messages, &[("text", &long)]).await;
    assert!(refused.status == 422 && refused.text.contains(&long), "what was typed is kept");
    let text = format!("A question {XSS}");
    for _ in 0..2 {
        assert_eq!(scene.post(&scene.applicant, &messages, &[("text", &text), ("_once", "a")]).await.status, 303);
    }
    let waits = scene.get(&scene.reviewer, "/dashboard").await;
    assert!(waits.text.contains("Unread messages") && waits.text.contains(&format!("{page}#messages")), "{}", waits.text);
    // Who only reads marks nothing.
    for who in [&scene.observer, &scene.colleague] {
        let shown = scene.get(who, &page).await;
        assert!(shown.status == 200 && shown.text.contains("A question") && !shown.text.contains("Send the message"), "{}", shown.text);
        assert_eq!(scene.post(who, &messages, &[("text", "x")]).await.status, 403);
    }
    assert!(scene.get(&scene.reviewer, "/dashboard").await.text.contains("Unread messages"));
    let shown = scene.get(&scene.reviewer, &page).await;
    assert!(
        shown.text.contains("applicant Exemple") && shown.text.matches("A question").count() == 1,
        "a double click wrote once: {}",
        shown.text
    );
    assert!(!scene.get(&scene.reviewer, "/dashboard").await.text.contains("Unread messages"), "seen");
    assert_eq!(scene.post(&scene.reviewer, &messages, &[("text", "Answer")]).await.status, 303);
    assert!(scene.get(&scene.applicant, "/dashboard").await.text.contains("Unread messages"));
    let shown = scene.get(&scene.applicant, &page).await;
    assert!(
        shown.text.contains("Answer") && shown.text.contains("Reviewing team (") && !shown.text.contains("reviewer Exemple"),
        "{}",
        shown.text
    );
    assert!(!scene.get(&scene.applicant, "/dashboard").await.text.contains("Unread messages"));
    // The other side got a mail without the text, and the ledger holds its hash alone.
    let to = |address: &str| {
        let address = address.to_owned();
        let app = scene.house.app.clone();
        async move { serde_json::to_string(&app.mailbox(Some(&address), octroi_store::Page::first(50), NOW).await.unwrap()).unwrap() }
    };
    let (reviewers, applicants) = (to("reviewer@example.org").await, to("applicant@example.org").await);
    assert!(reviewers.contains("Message on the request") && applicants.contains("Message on the request"), "{reviewers} {applicants}");
    assert!(!applicants.contains("Answer"), "{applicants}");
    let filter = LedgerFilter { action: Some("access_request.message_sent".into()), ..LedgerFilter::default() };
    let entries = scene.house.app.store().read().ledger_page(&filter, octroi_store::Order::Ascending, None, 10).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert!(
        entries.iter().all(|entry| !entry.details.to_string().contains("Answer") && entry.details["text"].as_str().unwrap().len() == 64)
    );
}

#[tokio::test]
async fn programs_read_and_write_messages_too() {
    let scene = Scene::open().await;
    let id = scene.submitted().await;
    let path = format!("/api/v1/access-requests/{id}/messages");
    let rest = async |who: &Somebody, method: Method, path: &str, body: &str| {
        let headers = [
            ("content-type", "application/json"),
            ("cookie", who.cookie.as_str()),
            ("x-csrf-token", who.csrf.as_str()),
            ("origin", PUBLIC),
        ];
        scene.house.send(method, path, &headers, body.to_owned()).await
    };
    let written = rest(&scene.reviewer, Method::POST, &path, r#"{"text":"Hello"}"#).await;
    assert_eq!((written.status.as_u16(), &written.json()["author"]["you"]), (201, &json!(true)));
    let read = rest(&scene.applicant, Method::GET, &path, "").await.json();
    assert_eq!((&read["unread"], &read["may_write"], &read["items"][0]["author"]["name"]), (&json!(1), &json!(true), &json!(null)));
    assert_eq!(rest(&scene.observer, Method::GET, &path, "").await.json()["items"][0]["author"]["name"], "reviewer Exemple");
    assert_eq!(rest(&scene.applicant, Method::POST, &format!("{path}/seen"), "").await.json(), json!({"seen": 1}));
    assert_eq!(rest(&scene.applicant, Method::GET, &path, "").await.json()["unread"], 0);
    rest(&scene.applicant, Method::POST, &path, r#"{"text":""}"#).await.problem(422, "invalid");
    rest(&scene.colleague, Method::POST, &path, r#"{"text":"x"}"#).await.problem(403, "not_the_applicant");
    rest(&scene.observer, Method::POST, &path, r#"{"text":"x"}"#).await.problem(403, "role_missing");
    for (method, path) in
        [(Method::GET, path.clone()), (Method::POST, path.clone()), (Method::GET, format!("/api/v1/access-requests/{id}/timeline"))]
    {
        rest(&scene.stranger, method, &path, r#"{"text":"x"}"#).await.problem(404, "not_found");
    }
    let timeline = rest(&scene.applicant, Method::GET, &format!("/api/v1/access-requests/{id}/timeline"), "").await.json();
    let actions: Vec<&str> = timeline.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["access_request.created", "access_request.edited", "access_request.submitted"], "edits in a row are told once");
    let archive = rest(&scene.reviewer, Method::POST, &format!("/api/v1/access-requests/{id}/refuse"), r#"{"message":"No"}"#).await;
    assert_eq!(archive.status, 200);
    assert_eq!(rest(&scene.applicant, Method::POST, &format!("/api/v1/access-requests/{id}/archive"), "").await.status, 200);
    rest(&scene.applicant, Method::POST, &path, r#"{"text":"x"}"#).await.problem(409, "wrong_state");
    // A page keeps what was typed, and tells what closed the request.
    let late = scene.post(&scene.applicant, &format!("/access-requests/{id}/messages"), &[("text", "Typed for long.")]).await;
    assert_eq!(late.status, 409);
    for there in ["Your message was not sent", "“archived”", "Request archived · You", "Typed for long."] {
        assert!(late.text.contains(there), "{there}: {}", late.text);
    }
}

#[tokio::test]
async fn a_permit_shows_what_it_opens_and_its_receipt() {
    let scene = Scene::open().await;
    let permit = scene.granted().await;
    let page = scene.get(&scene.applicant, &format!("/permits/{permit}")).await;
    assert!(page.text.contains("Quotient familial CAF") || page.text.contains("Family quotient"), "{}", page.text);
    assert!(page.text.contains("/amend\"") && !page.text.contains("/revoke"), "{}", page.text);
    let receipt = scene.get(&scene.colleague, &format!("/permits/{permit}/receipt")).await;
    let view = scene.house.app.read_permit(&Context::new(scene.applicant.principal.clone(), NOW), permit.parse().unwrap()).await.unwrap();
    assert!(receipt.text.contains(&view.content_hash) && receipt.text.contains("Number of the entry"), "{}", receipt.text);
    let reviewed = scene.get(&scene.reviewer, &format!("/permits/{permit}")).await;
    assert!(reviewed.text.contains("/revoke") && !reviewed.text.contains("/amend\""), "{}", reviewed.text);
    let waits = scene.get(&scene.applicant, "/dashboard").await;
    assert!(waits.text.contains("Permits that no application uses yet"), "{}", waits.text);
    let amended = scene.post(&scene.applicant, &format!("/permits/{permit}/amend"), &[]).await;
    let request = location(&amended).to_owned();
    let shown = scene.get(&scene.applicant, &request).await;
    assert!(shown.text.contains("Amends the permit") && shown.text.contains(&format!("/permits/{permit}")), "{}", shown.text);
    let followed = scene.get(&scene.applicant, &format!("/permits/{permit}")).await;
    assert!(followed.text.contains(&request) && !followed.text.contains("/amend\""), "{}", followed.text);
}

#[tokio::test]
async fn a_request_is_handed_over_and_put_away() {
    let scene = Scene::open().await;
    let id = scene.ready().await;
    let (transfer, archive) = (format!("/access-requests/{id}/transfer"), format!("/access-requests/{id}/archive"));
    assert!(scene.get(&scene.applicant, &transfer).await.text.contains("type=\"email\""));
    let wrong = scene.post(&scene.applicant, &transfer, &[("email", "stranger@example.org")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("stranger@example.org"), "{}", wrong.text);
    assert_eq!(scene.post(&scene.applicant, &transfer, &[("email", "colleague@example.org")]).await.status, 303);
    // Who handed it over reads it, and writes no more.
    assert_eq!(location(&scene.get(&scene.applicant, &step(&id, 1)).await), format!("/access-requests/{id}"));
    let kept = scene.post(&scene.applicant, &step(&id, 1), &[("version", "4"), ("title", "Kept"), ("description", "x")]).await;
    assert!(kept.status == 409 && kept.text.contains("Kept"), "{}", kept.text);
    assert!(scene.get(&scene.colleague, &format!("/access-requests/{id}")).await.text.contains("Request handed to colleague Exemple"));
    assert_eq!(scene.get(&scene.colleague, &archive).await.status, 200);
    assert_eq!(scene.post(&scene.colleague, &archive, &[]).await.status, 303);
    assert!(scene.get(&scene.applicant, &format!("/access-requests/{id}")).await.text.contains("is archived"));
}

#[tokio::test]
async fn another_organisation_finds_nothing() {
    let scene = Scene::open().await;
    let permit = scene.granted().await;
    let request = "D1";
    let pages = ["", "/steps/1", "/summary", "/messages", "/archive", "/transfer"].map(|way| format!("/access-requests/{request}{way}"));
    let permits = ["", "/receipt"].map(|way| format!("/permits/{permit}{way}"));
    for path in pages.iter().chain(&permits) {
        assert_eq!(scene.get(&scene.stranger, path).await.status, 404, "{path}");
        assert!(matches!(scene.get(&scene.colleague, path).await.status.as_u16(), 200 | 303), "{path}");
    }
    let posts = ["/steps/1", "/submit", "/messages", "/archive", "/transfer"].map(|way| format!("/access-requests/{request}{way}"));
    let moves = ["/amend", "/next-stage"].map(|way| format!("/permits/{permit}{way}"));
    for path in posts.iter().chain(&moves) {
        let typed = [("version", "1"), ("title", "x"), ("text", "x"), ("email", "stranger@example.org"), ("terms", "true")];
        assert_eq!(scene.post(&scene.stranger, path, &typed).await.status, 404, "{path}");
    }
    for list in ["/access-requests", "/permits", "/dashboard"] {
        assert!(!scene.get(&scene.stranger, list).await.text.contains(request), "{list}");
        assert!(scene.get(&scene.colleague, list).await.status == 200, "{list}");
    }
}
