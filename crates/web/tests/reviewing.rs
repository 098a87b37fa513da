//! The pages of those who decide, and of the operator: what each may see, and what a decision does.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use std::path::Path;

use axum::http::Method;
use octroi_app::{Context, access_requests::NewRequest, people::NewUser};
use octroi_domain::{
    policy::Principal,
    text::Language,
    user::{LinkLevel, RoleGrant},
};
use support::{Answer, EMAIL, House, NOW, PASSWORD, PUBLIC};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// Shown literally wherever it was typed.
const XSS: &str = "\"'><img src=x onerror=alert(1)>{{7*7}}</textarea><script>";

/// Somebody signed in.
struct Somebody {
    cookie: String,
    csrf: String,
    principal: Principal,
}

/// A town that applies to DINUM, with everybody who has to do with it.
struct Scene {
    house: House,
    operator: Somebody,
    applicant: Somebody,
    stranger: Somebody,
    reviewer: Somebody,
    observer: Somebody,
    manager: Somebody,
    /// Reviews, and is a member of the town.
    torn: Somebody,
    /// Submitted, oldest first.
    requests: Vec<String>,
}

async fn signed(house: &House, email: &str) -> Somebody {
    let visitor = octroi_app::sessions::Visitor { address: "192.0.2.7", agent: "", browser: None };
    let found = house.app.sign_in(email, PASSWORD, None, visitor, NOW).await.unwrap().signed_in().unwrap();
    let principal = house.app.session(&found.session, NOW).await.unwrap().unwrap().principal;
    Somebody { cookie: format!("octroi_session={}", found.session), csrf: found.csrf_token, principal }
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
        let town = organization("21750001600019", &format!("Ville {XSS}")).await;
        let ministry = organization("13002526500013", "DINUM").await;
        let person = async |name: &str, organization, roles: &[(&str, &str)]| {
            let grants =
                roles.iter().map(|(role, perimeter)| RoleGrant { role: role.parse().unwrap(), perimeter: perimeter.parse().unwrap() });
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
        let definition = "definition:api-particulier";
        let applicant = person("applicant", town, &[]).await;
        let stranger = person("stranger", ministry, &[]).await;
        let reviewer = person("reviewer", ministry, &[("reviewer", definition)]).await;
        let observer = person("observer", ministry, &[("observer", definition)]).await;
        let manager = person("manager", ministry, &[("manager", definition)]).await;
        let torn = person("torn", town, &[("reviewer", definition)]).await;
        let mut scene = Self { operator, applicant, stranger, reviewer, observer, manager, torn, requests: Vec::new(), house };
        for _ in 0..3 {
            let request = scene.request().await;
            scene.requests.push(request);
        }
        scene
    }

    /// A new request, submitted, with a purpose that the form had proposed otherwise.
    async fn request(&self) -> String {
        let context = Context::new(self.applicant.principal.clone(), NOW.plus_seconds(i64::try_from(self.requests.len()).unwrap()));
        let definition = self.house.app.read_definition(&context, &"api-particulier".parse().unwrap()).await.unwrap();
        let form = definition.forms.iter().find(|form| form.slug == "cantine").unwrap();
        let input = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
        let created = self.house.app.create_request(&context, input).await.unwrap().value().unwrap();
        let id = created.id.parse().unwrap();
        let mut answers: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_value(form.example.clone()).unwrap();
        answers.insert("title".to_owned(), XSS.into());
        answers.retain(|name, value| created.answers.get(name) != Some(value));
        let edited = self.house.app.edit_request(&context, id, None, answers).await.unwrap().value().unwrap();
        self.house.app.submit_request(&context, id, Some(edited.version)).await.unwrap();
        created.id
    }

    async fn get(&self, who: &Somebody, path: &str) -> Answer {
        let headers = [BROWSER, ("accept-language", "en"), ("cookie", who.cookie.as_str())];
        self.house.send(Method::GET, path, &headers, "").await
    }

    async fn post(&self, who: &Somebody, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("_csrf", &who.csrf).extend_pairs(fields).finish();
        let headers = [BROWSER, FORM, ("accept-language", "en"), ("cookie", who.cookie.as_str()), ("origin", PUBLIC)];
        self.house.send(Method::POST, path, &headers, body).await
    }
}

#[track_caller]
fn status(answer: &Answer, expected: u16) {
    assert_eq!(answer.status.as_u16(), expected, "{}", answer.text);
    assert!(answer.text.len() < 50_000, "{} bytes", answer.text.len());
    assert!(!answer.text.contains("<img src=x") && !answer.text.contains("</textarea><script>"), "what was typed became markup");
}

fn location(answer: &Answer) -> &str {
    answer.headers["location"].to_str().unwrap()
}

/// The value of a hidden field.
fn hidden<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    answer.text.split("<main").nth(1).unwrap().split(&start).nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn a_draft_has_no_date_of_sending() {
    let scene = Scene::open().await;
    let context = Context::new(scene.applicant.principal.clone(), NOW);
    let input = NewRequest { definition: "api-particulier".parse().unwrap(), form: "cantine".parse().unwrap(), organization: None };
    let draft = scene.house.app.create_request(&context, input).await.unwrap().value().unwrap().id;
    for (state, id, sent) in [("draft", draft.as_str(), "not yet"), ("submitted", scene.requests[0].as_str(), "21 September 2026")] {
        let list = scene.get(&scene.reviewer, &format!("/review?state={state}")).await;
        let row = list.text.split("<tr>").find(|row| row.contains(&format!("/access-requests/{id}/review"))).unwrap();
        assert!(row.contains(&format!("data-name=\"Submitted on\">{sent}</td>")), "{row}");
    }
}

#[tokio::test]
async fn a_reviewer_decides_on_what_the_page_showed() {
    let scene = Scene::open().await;
    let (first, second) = (&scene.requests[0], &scene.requests[1]);
    let list = scene.get(&scene.reviewer, "/review").await;
    status(&list, 200);
    for id in &scene.requests {
        assert!(list.text.contains(&format!("/access-requests/{id}/review")), "{id}");
    }
    let path = format!("/access-requests/{first}/review");
    let page = scene.get(&scene.reviewer, &path).await;
    status(&page, 200);
    assert!(page.text.contains("Who asks") && page.text.contains("Verified") && page.text.contains("What do you decide?"));
    assert_eq!(hidden(&page, "next"), second, "the list goes on with the next that waits");
    let (version, hash) = (hidden(&page, "version").to_owned(), hidden(&page, "content_hash").to_owned());

    // A prepared text goes below what was typed; nothing is decided.
    let typed = [("decision", "refuse"), ("message", XSS), ("template", "not-entitled"), ("version", &version), ("content_hash", &hash)];
    let filled = scene.post(&scene.reviewer, &path, &[&typed[..], &[("insert", "1")]].concat()).await;
    status(&filled, 200);
    assert!(filled.text.contains("onerror=alert(1)") && filled.text.contains("No text allows your organisation"), "{}", filled.text);

    // Nothing chosen, or no message where one is needed: the page again, with what was typed.
    let nothing = scene.post(&scene.reviewer, &path, &[("message", "kept words")]).await;
    status(&nothing, 422);
    assert!(nothing.text.contains("kept words") && nothing.text.contains("Choose what you decide."));
    status(&scene.post(&scene.reviewer, &path, &[("decision", "refuse")]).await, 422);

    // Another version than the one that is there was read: nothing is granted.
    let hash_of_another = "0".repeat(64);
    for (version, hash) in [("999", hash.as_str()), (&version, &hash_of_another), (&version, ""), ("", &hash)] {
        let fields = [("decision", "approve"), ("message", "kept words"), ("version", version), ("content_hash", hash)];
        let stale = scene.post(&scene.reviewer, &path, &fields).await;
        status(&stale, 409);
        assert!(stale.text.contains("kept words") && stale.text.contains("changed while you were reading"));
    }

    let fields = [("decision", "approve"), ("version", &version), ("content_hash", &hash), ("next", second)];
    let decided = scene.post(&scene.reviewer, &path, &fields).await;
    status(&decided, 303);
    assert_eq!(location(&decided), format!("{path}?next={second}"));
    let after = scene.get(&scene.reviewer, location(&decided)).await;
    status(&after, 200);
    assert!(after.text.contains("/permits/H1") && after.text.contains(&format!("/access-requests/{second}/review")));
    assert!(!after.text.contains("What do you decide?"), "it was decided");
    // The button of an old page does nothing twice.
    status(&scene.post(&scene.reviewer, &path, &fields).await, 409);

    let second_path = format!("/access-requests/{second}/review");
    let version = hidden(&scene.get(&scene.reviewer, &second_path).await, "version").to_owned();
    let changes = [("decision", "request_changes"), ("message", "Say more."), ("version", &version)];
    status(&scene.post(&scene.reviewer, &second_path, &changes).await, 303);
    let page = scene.get(&scene.reviewer, &format!("/access-requests/{second}/review")).await;
    assert!(page.text.contains("Say more.") && page.text.contains("/permits/H1"), "the organisation's permit stands beside it");
    assert!(page.text.contains("Back to the list: one request waits"), "there is a way on");
}

#[tokio::test]
async fn a_decision_that_comes_too_late_is_told_what_came_first() {
    let scene = Scene::open().await;
    let (first, second) = (&scene.requests[0], &scene.requests[1]);
    let path = format!("/access-requests/{first}/review");
    let page = scene.get(&scene.reviewer, &path).await;
    let (version, hash) = (hidden(&page, "version").to_owned(), hidden(&page, "content_hash").to_owned());
    let with = |decision: &'static str, message: &'static str| {
        vec![("decision", decision), ("message", message), ("version", version.as_str()), ("content_hash", hash.as_str())]
    };
    status(&scene.post(&scene.manager, &path, &with("refuse", "Said by the manager.")).await, 303);
    for decision in ["approve", "request_changes", "refuse"] {
        let late = scene.post(&scene.reviewer, &path, &with(decision, "Typed by the reviewer.")).await;
        status(&late, 409);
        for there in [
            "no longer waits",
            "Typed by the reviewer.",
            "Request refused · manager Exemple",
            "Said by the manager.",
            "<time datetime=",
            "\"/review\"",
        ] {
            assert!(late.text.contains(there), "{decision}: {there}\n{}", late.text);
        }
        assert!(late.text.contains(&format!("href=\"/access-requests/{first}\"")), "{decision}");
        assert!(!late.text.contains("What do you decide?"), "there is nothing left to decide");
    }
    let refused = scene.house.app.read_request(&Context::new(scene.reviewer.principal.clone(), NOW), first.parse().unwrap()).await.unwrap();
    assert_eq!((refused.state.as_str(), refused.message.as_deref()), ("refused", Some("Said by the manager.")));

    // Another version than the one that was read: the same for all three decisions.
    let path = format!("/access-requests/{second}/review");
    for decision in ["request_changes", "refuse"] {
        let fields = [("decision", decision), ("message", "Typed by the reviewer."), ("version", "999")];
        let late = scene.post(&scene.reviewer, &path, &fields).await;
        status(&late, 409);
        assert!(late.text.contains("changed while you were reading") && late.text.contains("Typed by the reviewer.</textarea>"));
        assert!(late.text.contains("What do you decide?"));
    }

    // A permit that somebody else took away first.
    let page = scene.get(&scene.reviewer, &path).await;
    let fields = [("decision", "approve"), ("version", hidden(&page, "version")), ("content_hash", hidden(&page, "content_hash"))];
    status(&scene.post(&scene.reviewer, &path, &fields).await, 303);
    status(&scene.post(&scene.manager, "/permits/H1/revoke", &[("reason", "Revoked by the manager.")]).await, 303);
    for what in ["suspend", "revoke"] {
        let late = scene.post(&scene.reviewer, &format!("/permits/H1/{what}"), &[("reason", "Typed by the reviewer.")]).await;
        status(&late, 409);
        for there in [
            "Permit H1 revoked · manager Exemple",
            "Revoked by the manager.",
            "Typed by the reviewer.",
            "“Revoked”",
            "href=\"/permits/H1\"",
        ] {
            assert!(late.text.contains(there), "{what}: {there}\n{}", late.text);
        }
        assert!(!late.text.contains("name=\"reason\""), "{what} is not offered any more");
    }
}

#[tokio::test]
async fn a_second_click_shows_what_the_first_did() {
    let scene = Scene::open().await;
    let town = scene.house.app.organization_of_siret(&"21750001600019".parse().unwrap()).await.unwrap().unwrap();
    let decide = |id: &str, decision: &'static str, page: &Answer| {
        let fields = vec![
            ("decision", decision.to_owned()),
            ("message", "Said once.".to_owned()),
            ("version", hidden(page, "version").to_owned()),
            ("content_hash", hidden(page, "content_hash").to_owned()),
        ];
        (format!("/access-requests/{id}/review"), fields)
    };
    let mut clicks = Vec::new();
    for (id, decision) in scene.requests.iter().zip(["approve", "request_changes", "refuse"]) {
        let page = scene.get(&scene.reviewer, &format!("/access-requests/{id}/review")).await;
        clicks.push((&scene.reviewer, decide(id, decision, &page)));
    }
    let own = |pairs: &[(&'static str, &str)]| pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>();
    clicks.push((&scene.applicant, (format!("/access-requests/{}/messages", scene.requests[1]), own(&[("text", "Asked once.")]))));
    for (what, reason) in [("suspend", "Why."), ("resume", ""), ("revoke", "Why.")] {
        clicks.push((&scene.manager, (format!("/permits/H1/{what}"), own(&[("reason", reason)]))));
    }
    let lea = [("given_name", "Léa"), ("family_name", "Martin"), ("email", "lea@example.org"), ("password", PASSWORD), ("language", "fr")];
    clicks.push((&scene.operator, ("/operator/people/new".to_owned(), own(&lea))));
    let lyon = [("name", "Ville de Lyon"), ("siret", "216 901 231 00011")];
    clicks.push((&scene.operator, ("/operator/organizations/new".to_owned(), own(&lyon))));
    let stranger = scene.stranger.principal.person().unwrap().user;
    let link = [("organization", "21750001600019"), ("level", "verified")];
    clicks.push((&scene.operator, (format!("/operator/people/{stranger}/organizations"), own(&link))));
    let role = [("role", "reviewer"), ("perimeter", "provider:dinum")];
    clicks.push((&scene.operator, (format!("/operator/people/{stranger}/roles"), own(&role))));
    for (place, (who, (path, fields))) in clicks.iter().enumerate() {
        let once = format!("once-{place}");
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (*name, value.as_str())).chain([("_once", once.as_str())]).collect();
        let before = entries(&scene).await;
        let first = scene.post(who, path, &fields).await;
        status(&first, 303);
        let between = entries(&scene).await;
        assert!(between > before, "{path} did something");
        let second = scene.post(who, path, &fields).await;
        status(&second, 303);
        assert_eq!(location(&first), location(&second), "{path}");
        assert_eq!(first.headers["set-cookie"], second.headers["set-cookie"], "{path} says the same");
        assert_eq!(entries(&scene).await, between, "{path} did it once");
        status(&scene.get(who, location(&second).split('#').next().unwrap()).await, 200);
    }
    let members = scene.house.app.read_organization(&Context::new(scene.operator.principal.clone(), NOW), town).await.unwrap().members;
    assert_eq!(members.iter().filter(|member| member.person.email == "stranger@example.org").count(), 1);
}

/// How many things the ledger tells.
async fn entries(scene: &Scene) -> i64 {
    scene.house.app.store().read().ledger_head().await.unwrap().0
}

#[tokio::test]
async fn who_may_not_decide_sees_why_and_cannot() {
    let scene = Scene::open().await;
    let path = format!("/access-requests/{}/review", scene.requests[0]);
    status(&scene.get(&scene.stranger, &path).await, 404);
    status(&scene.get(&scene.stranger, "/access-requests/D99/review").await, 404);
    status(&scene.get(&scene.applicant, &path).await, 403);
    status(&scene.get(&scene.stranger, "/review").await, 403);
    let refusal = [("decision", "refuse"), ("message", "no"), ("version", "3")];
    for (who, said) in [(&scene.observer, "not decide on it"), (&scene.torn, "You cannot decide")] {
        let page = scene.get(who, &path).await;
        status(&page, 200);
        assert!(page.text.contains(said) && !page.text.contains("What do you decide?"), "{said}");
        status(&scene.post(who, &path, &refusal).await, 403);
    }
    status(&scene.post(&scene.stranger, &path, &refusal).await, 404);
    let page = scene.get(&scene.reviewer, &path).await;
    assert!(page.text.contains("What do you decide?"), "nothing happened in the meantime");
}

#[tokio::test]
async fn a_permit_is_cut_off_on_a_page_that_asks_for_a_reason() {
    let scene = Scene::open().await;
    let path = format!("/access-requests/{}/review", scene.requests[0]);
    let page = scene.get(&scene.reviewer, &path).await;
    let fields = [("decision", "approve"), ("version", hidden(&page, "version")), ("content_hash", hidden(&page, "content_hash"))];
    status(&scene.post(&scene.reviewer, &path, &fields).await, 303);

    let list = scene.get(&scene.manager, "/review/permits").await;
    status(&list, 200);
    assert!(list.text.contains("/permits/H1/revoke") && list.text.contains("/permits/H1/suspend"));
    assert!(!scene.get(&scene.observer, "/review/permits").await.text.contains("/permits/H1/revoke"));
    for what in ["suspend", "resume", "revoke"] {
        let path = format!("/permits/H1/{what}");
        status(&scene.get(&scene.reviewer, &path).await, 200);
        status(&scene.get(&scene.observer, &path).await, 403);
        status(&scene.get(&scene.applicant, &path).await, 403);
        status(&scene.get(&scene.stranger, &path).await, 404);
        status(&scene.post(&scene.observer, &path, &[("reason", "x")]).await, 403);
        status(&scene.post(&scene.stranger, &path, &[("reason", "x")]).await, 404);
    }
    status(&scene.post(&scene.reviewer, "/permits/H1/suspend", &[("reason", " ")]).await, 422);
    let filled = scene.post(&scene.reviewer, "/permits/H1/suspend", &[("reason", "kept"), ("template", "misuse"), ("insert", "1")]).await;
    status(&filled, 200);
    assert!(filled.text.contains("kept\n\nThe calls that we see"), "{}", filled.text);
    status(&scene.post(&scene.reviewer, "/permits/H1/suspend", &[("reason", "Let us see.")]).await, 303);
    assert!(scene.get(&scene.manager, "/review/permits?state=suspended").await.text.contains("/permits/H1/resume"));
    status(&scene.post(&scene.torn, "/permits/H1/resume", &[]).await, 403);
    status(&scene.post(&scene.manager, "/permits/H1/resume", &[]).await, 303);
    status(&scene.post(&scene.torn, "/permits/H1/revoke", &[("reason", "Ended.")]).await, 303);
    status(&scene.post(&scene.manager, "/permits/H1/revoke", &[("reason", "Again.")]).await, 409);
}

#[tokio::test]
async fn the_operators_pages_are_the_operators() {
    let scene = Scene::open().await;
    for path in [
        "/operator",
        "/operator/organizations",
        "/operator/organizations?q=ville",
        "/operator/organizations/new",
        "/operator/people",
        "/operator/people?q=torn",
        "/operator/people/new",
        "/operator/apis",
        "/operator/definitions",
        "/operator/definitions/api-particulier",
        "/operator/outbox",
        "/operator/outbox?state=waiting",
        "/operator/ledger",
        "/operator/ledger?action=access_request.submitted",
        "/operator/ledger/verifications",
        "/operator/settings",
        "/operator/health",
        "/manage/roles",
        "/manage/roles/api-particulier",
    ] {
        status(&scene.get(&scene.operator, path).await, 200);
        let refused = scene.get(&scene.reviewer, path).await;
        status(&refused, 403);
        let nobody = scene.house.send(Method::GET, path, &[BROWSER], "").await;
        assert!(nobody.status == 303 && location(&nobody).starts_with("/sign-in?return_to="), "{path}");
    }
    status(&scene.get(&scene.operator, "/operator/definitions/nothing").await, 404);
    status(&scene.get(&scene.operator, "/operator/people/0192f0c1-2222-7333-8444-555566667777").await, 404);
    status(&scene.post(&scene.operator, "/operator/outbox/99/retry", &[]).await, 404);
    status(&scene.post(&scene.reviewer, "/operator/outbox/retry-failed", &[]).await, 403);
    status(&scene.post(&scene.reviewer, "/operator/ledger/verify", &[]).await, 403);
}

#[tokio::test]
async fn the_operator_sets_up_an_organisation_and_a_person() {
    let scene = Scene::open().await;
    let wrong = scene.post(&scene.operator, "/operator/organizations/new", &[("name", "Kept"), ("siret", "123")]).await;
    status(&wrong, 422);
    assert!(wrong.text.contains("value=\"Kept\"") && wrong.text.contains("value=\"123\""));
    let fields = [("name", "Ville de Lyon"), ("siret", "216 901 231 00011"), ("_once", "click")];
    let created = scene.post(&scene.operator, "/operator/organizations/new", &fields).await;
    status(&created, 303);
    // A double click makes one.
    let again = scene.post(&scene.operator, "/operator/organizations/new", &fields).await;
    assert_eq!((again.status.as_u16(), location(&again)), (303, location(&created)));
    status(&scene.post(&scene.operator, "/operator/organizations/new", &[("name", "Twin"), ("siret", "21690123100011")]).await, 422);

    let person = [
        ("given_name", "Léa"),
        ("family_name", XSS),
        ("email", "lea@lyon.example"),
        ("language", "fr"),
        ("password", "short"),
        ("organization", "21690123100011"),
        ("level", "unverified"),
    ];
    let refused = scene.post(&scene.operator, "/operator/people/new", &person).await;
    status(&refused, 422);
    assert!(refused.text.contains("lea@lyon.example") && !refused.text.contains("value=\"short\""));
    let mut bad = person;
    (bad[0].1, bad[1].1, bad[2].1) = ("", " ", "nobody");
    let refused = scene.post(&scene.operator, "/operator/people/new", &bad).await;
    status(&refused, 422);
    for there in [
        "4 fields need your attention",
        "href=\"#f-given_name\">Write a given name of 1 to 120 characters.",
        "href=\"#f-family_name\">Write a family name of 1 to 120 characters.",
        "href=\"#f-email\">Write an e-mail address, for example name@example.org.",
        "href=\"#f-password\">Give a password of 12 to",
    ] {
        assert!(refused.text.contains(there), "{there}: {}", refused.text);
    }
    let mut good = person;
    good[4].1 = PASSWORD;
    let created = scene.post(&scene.operator, "/operator/people/new", &good).await;
    status(&created, 303);
    let lea = location(&created).to_owned();
    let page = scene.get(&scene.operator, &lea).await;
    status(&page, 200);
    assert!(page.text.contains("Not verified") && page.text.contains("Ville de Lyon"));

    let roles = format!("{lea}/roles");
    let links = format!("{lea}/organizations");
    status(&scene.post(&scene.operator, &links, &[("organization", "21690123100011"), ("level", "certified")]).await, 303);
    status(&scene.post(&scene.operator, &links, &[("organization", "nonsense")]).await, 422);
    status(&scene.post(&scene.operator, &roles, &[("role", "reviewer"), ("perimeter", "definition:nothing")]).await, 422);
    status(&scene.post(&scene.operator, &roles, &[("role", "operator"), ("perimeter", "provider:dinum")]).await, 422);
    status(&scene.post(&scene.operator, &roles, &[("role", "observer"), ("perimeter", "provider:dinum")]).await, 303);
    let page = scene.get(&scene.operator, &lea).await;
    assert!(page.text.contains("Certified") && page.text.contains("provider:dinum"));
    let withdraw = [("role", "observer"), ("perimeter", "provider:dinum"), ("withdraw", "1")];
    status(&scene.post(&scene.operator, &roles, &withdraw).await, 303);
    assert!(!scene.get(&scene.operator, &lea).await.text.contains("<code>provider:dinum</code>"));
    status(&scene.post(&scene.operator, &links, &[("organization", "21690123100011"), ("end", "1")]).await, 303);
    assert!(!scene.get(&scene.operator, &lea).await.text.contains("Ville de Lyon"));
    // Nobody changes their own.
    let own = scene.operator.principal.person().unwrap().user;
    let grant = [("role", "reviewer"), ("perimeter", "provider:dinum")];
    status(&scene.post(&scene.operator, &format!("/operator/people/{own}/roles"), &grant).await, 403);
    let link = [("organization", "21690123100011"), ("level", "certified")];
    status(&scene.post(&scene.operator, &format!("/operator/people/{own}/organizations"), &link).await, 403);
}

#[tokio::test]
async fn a_manager_gives_the_roles_of_a_definition() {
    let scene = Scene::open().await;
    let asked = scene.get(&scene.manager, "/manage/roles").await;
    assert_eq!((asked.status.as_u16(), location(&asked)), (303, "/manage/roles/api-particulier"));
    let path = "/manage/roles/api-particulier";
    let page = scene.get(&scene.manager, path).await;
    status(&page, 200);
    assert!(page.text.contains("observer@example.org"));
    let give = |email: &'static str, role: &'static str| [("email", email), ("role", role), ("perimeter", "definition:api-particulier")];
    status(&scene.post(&scene.manager, path, &give("stranger@example.org", "reviewer")).await, 303);
    let unknown = scene.post(&scene.manager, path, &give("nobody@example.org", "reviewer")).await;
    status(&unknown, 422);
    assert!(unknown.text.contains("nobody@example.org"));
    status(&scene.post(&scene.manager, path, &give("stranger@example.org", "api_administrator")).await, 403);
    status(&scene.post(&scene.manager, path, &give("manager@example.org", "reviewer")).await, 403);
    let stranger = signed(&scene.house, "stranger@example.org").await;
    status(&scene.get(&stranger, "/review").await, 200);
    let withdraw = [&give("stranger@example.org", "reviewer")[..], &[("withdraw", "1")]].concat();
    status(&scene.post(&scene.manager, path, &withdraw).await, 303);
    status(&scene.get(&stranger, "/review").await, 403);
    // Another provider's definition is somebody else's.
    for path in ["/manage/roles/api-impot-particulier", "/manage/roles/nothing"] {
        let expected = if path.ends_with("nothing") { 404 } else { 403 };
        status(&scene.get(&scene.manager, path).await, expected);
    }
    let other = [("email", "stranger@example.org"), ("role", "reviewer"), ("perimeter", "definition:api-impot-particulier")];
    status(&scene.post(&scene.manager, "/manage/roles/api-impot-particulier", &other).await, 403);
    status(&scene.get(&scene.reviewer, path).await, 403);
}

#[tokio::test]
async fn the_ledger_is_verified_while_somebody_looks_elsewhere() {
    let scene = Scene::open().await;
    status(&scene.post(&scene.operator, "/operator/ledger/verify", &[]).await, 303);
    let mut sound = false;
    for _ in 0..100 {
        let page = scene.get(&scene.operator, "/operator/ledger/verifications").await;
        status(&page, 200);
        sound = page.text.contains("Sound");
        if sound {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(sound, "the verification ends by itself");
    let page = scene.get(&scene.operator, "/operator/ledger?action=ledger.verified").await;
    assert!(page.text.contains("Odile Opérateur"), "and is in the ledger itself");
    let verified = scene.house.send(Method::GET, "/api/v1/ledger/verifications", &[("cookie", &scene.operator.cookie)], "").await;
    assert_eq!(verified.json()[0]["state"], "sound", "{}", verified.text);
}
