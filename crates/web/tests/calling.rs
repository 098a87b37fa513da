//! The pages of those who call: applications, subscriptions, credentials, and what becomes of them when a permit ends.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod support;

use std::path::Path;

use axum::http::Method;
use octroi_app::{
    Context,
    access_requests::{ApproveInput, NewRequest},
    applications::NewApplication,
    invitations::NewInvitation,
    people::NewUser,
    permits::PermitMove,
    subscriptions::NewSubscription,
};
use octroi_domain::{
    Moment,
    policy::Principal,
    stage::Stage,
    text::Language,
    user::{LinkLevel, RoleGrant},
};
use support::{Answer, EMAIL, House, NOW, PASSWORD, PUBLIC};

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const API: &str = "dinum/api-particulier";

/// Somebody signed in.
struct Somebody {
    cookie: String,
    csrf: String,
    principal: Principal,
}

/// A town with a permit in force, and who decides on it.
struct Scene {
    house: House,
    operator: Somebody,
    applicant: Somebody,
    stranger: Somebody,
    reviewer: Somebody,
    administrator: Somebody,
    permit: String,
    request: String,
}

async fn signed(house: &House, email: &str) -> Somebody {
    let visitor = octroi_app::sessions::Visitor { address: "192.0.2.7", agent: "", browser: None };
    let found = house.app.sign_in(email, PASSWORD, None, visitor, NOW).await.unwrap().signed_in().unwrap();
    let principal = house.app.session(&found.session, NOW).await.unwrap().unwrap().principal;
    Somebody { cookie: format!("octroi_session={}", found.session), csrf: found.csrf_token, principal }
}

/// A moment after the scene was set.
const fn later(seconds: i64) -> Moment {
    NOW.plus_seconds(seconds)
}

impl Scene {
    async fn open() -> Self {
        let house = House::open(PUBLIC, true).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
        let catalogue = octroi_app::catalogue_files::read(&folder, NOW).unwrap();
        house.app.apply_catalogue(&catalogue, false, false, NOW).await.unwrap();
        let operator = signed(&house, EMAIL).await;
        let context = Context::new(operator.principal.clone(), NOW);
        let organization = async |siret: &str, name: &str| {
            let done = house.app.create_organization(&context, siret.parse().unwrap(), name).await.unwrap();
            done.value().unwrap().id.parse().unwrap()
        };
        let town = organization("21750001600019", "Ville de Rivebelle").await;
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
        let applicant = person("applicant", town, &[]).await;
        let stranger = person("stranger", ministry, &[]).await;
        let reviewer = person("reviewer", ministry, &[("reviewer", "provider:dinum"), ("reviewer", "provider:dgfip")]).await;
        let administrator = person("administrator", ministry, &[("api_administrator", "provider:dinum")]).await;
        let (permit, request) = (String::new(), String::new());
        let mut scene = Self { house, operator, applicant, stranger, reviewer, administrator, permit, request };
        (scene.permit, scene.request) = scene.grant(0).await;
        scene
    }

    /// A permit of the town, asked for and granted; and the request that it answers.
    async fn grant(&self, seconds: i64) -> (String, String) {
        self.grant_of("api-particulier", seconds).await
    }

    async fn grant_of(&self, definition: &str, seconds: i64) -> (String, String) {
        let slug = definition.parse().unwrap();
        let app = &self.house.app;
        let context = Context::new(self.applicant.principal.clone(), later(seconds));
        let definition = app.read_definition(&context, &slug).await.unwrap();
        let form = definition.forms.iter().find(|form| form.slug == "cantine").unwrap();
        let input = NewRequest { definition: slug, form: "cantine".parse().unwrap(), organization: None };
        let created = app.create_request(&context, input).await.unwrap().value().unwrap();
        let id = created.id.parse().unwrap();
        let mut answers: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_value(form.example.clone()).unwrap();
        answers.retain(|name, value| created.answers.get(name) != Some(value));
        let edited = app.edit_request(&context, id, None, answers).await.unwrap().value().unwrap();
        let sent = app.submit_request(&context, id, Some(edited.version)).await.unwrap().value().unwrap();
        let context = Context::new(self.reviewer.principal.clone(), later(seconds));
        let input = ApproveInput { version: sent.version, content_hash: None, message: None };
        (app.approve_request(&context, id, input).await.unwrap().value().unwrap().permit, created.id)
    }

    /// An application of the town, and the address of its page.
    async fn application(&self, name: &str, stage: Stage) -> String {
        let context = Context::new(self.applicant.principal.clone(), NOW);
        let new = NewApplication { name: name.to_owned(), stage, organization: None, management: false };
        let made = self.house.app.create_application(&context, new).await.unwrap().value().unwrap();
        format!("/applications/{}", made.id)
    }

    /// One that calls under the permit.
    async fn subscribed(&self, name: &str, stage: Stage) -> String {
        let page = self.application(name, stage).await;
        let context = Context::new(self.applicant.principal.clone(), NOW);
        let new = NewSubscription { api: API.parse().unwrap(), permit: self.permit.parse().ok(), plan: None, accept_terms: true };
        self.house.app.subscribe(&context, page.rsplit('/').next().unwrap().parse().unwrap(), new).await.unwrap();
        page
    }

    async fn moved(&self, what: PermitMove) {
        let context = Context::new(self.reviewer.principal.clone(), NOW);
        self.house.app.move_permit(&context, self.permit.parse().unwrap(), what).await.unwrap();
    }

    async fn get(&self, who: &Somebody, path: &str) -> Answer {
        let headers = [BROWSER, ("accept-language", "en"), ("cookie", who.cookie.as_str())];
        self.house.send(Method::GET, path, &headers, "").await
    }

    /// The content of a page that is there.
    async fn read(&self, who: &Somebody, path: &str) -> String {
        let answer = self.get(who, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert!(answer.text.len() < 50_000, "{path}: {} bytes", answer.text.len());
        let main = answer.text.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        // As a person reads it: the apostrophe and the quotation mark as such.
        main.replace("&#39;", "'").replace("&#34;", "\"").replace("&quot;", "\"").replace("&amp;", "&").replace("&#38;", "&")
    }

    async fn post(&self, who: &Somebody, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).append_pair("_csrf", &who.csrf).extend_pairs(fields).finish();
        let headers = [BROWSER, FORM, ("accept-language", "en"), ("cookie", who.cookie.as_str()), ("origin", PUBLIC)];
        self.house.send(Method::POST, path, &headers, body).await
    }
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers["location"].to_str().unwrap()
}

#[track_caller]
fn says(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[track_caller]
fn never(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(!page.contains(part), "{part} is in {page}");
    }
}

#[tokio::test]
async fn a_revoked_permit_says_so_wherever_it_was_used_and_leads_on() {
    let scene = Scene::open().await;
    let (who, permit) = (&scene.applicant, &scene.permit);
    let application = scene.subscribed("Canteen", Stage::Sandbox).await;
    says(&scene.read(who, &application).await, &["First call to", "of 50,000", "Standard"]);
    let request = format!("/access-requests/{}", scene.request);
    says(&scene.read(who, &request).await, &[&format!("permit {permit} is granted")]);
    never(&scene.read(who, "/dashboard").await, &["calls are refused"]);

    scene.moved(PermitMove::Revoke { reason: "The school closed.".to_owned() }).await;
    let revoked = format!("The permit {permit} was revoked on 21 September 2026");
    let again = "href=\"/start/api-particulier\"";
    // The application: refused, why, since when, no quota, no first call, a way on.
    let page = scene.read(who, &application).await;
    says(&page, &["Calls refused", &revoked, "The school closed.", &format!("href=\"{application}/subscribe?api={API}\"")]);
    never(&page, &["First call to", "of 50,000"]);
    let start = scene.read(who, &format!("{application}/start?api={API}")).await;
    says(&start, &[&revoked, "The school closed."]);
    // The request that led to it.
    let page = scene.read(who, &request).await;
    says(&page, &[&revoked, "The school closed.", &format!("href=\"/permits/{permit}\""), again]);
    never(&page, &["is granted"]);
    // What waits.
    let page = scene.read(who, "/dashboard").await;
    says(&page, &["Permits that were stopped: calls are refused", &format!("href=\"/permits/{permit}\""), again]);
    // The permit, and what is printed of it.
    for path in [format!("/permits/{permit}"), format!("/permits/{permit}/receipt")] {
        let page = scene.read(who, &path).await;
        says(&page, &["Revoked on", "21 September 2026", "The school closed."]);
        never(&page, &["No end"]);
    }
    let page = scene.read(who, &format!("/permits/{permit}")).await;
    says(&page, &[again, "Calls refused", &format!("href=\"{application}\"")]);
    // Who decides does not apply.
    never(&scene.read(&scene.reviewer, &request).await, &[again]);

    // Who administers the API sees that nothing is called, and not why.
    let subscribers = "/admin/apis/dinum/api-particulier/subscribers";
    let page = scene.read(&scene.administrator, subscribers).await;
    says(&page, &["Calls refused", "Revoked"]);
    never(&page, &["The school closed."]);

    // Another permit: the application goes on with it, where it was.
    let (fresh, _) = scene.grant(60).await;
    let way = format!("{application}/subscribe?api={API}");
    says(&scene.read(who, &format!("{application}/subscribe")).await, &[&way]);
    says(&scene.read(who, &way).await, &[&fresh]);
    let sent = scene.post(who, &way, &[("api", API), ("permit", &fresh), ("plan", "standard"), ("accept_terms", "true")]).await;
    assert_eq!(location(&sent), application);
    let page = scene.read(who, &application).await;
    says(&page, &["First call to", "of 50,000", &format!("href=\"/permits/{fresh}\"")]);
    never(&page, &["Calls refused", &revoked]);
    never(&scene.read(&scene.administrator, subscribers).await, &["Calls refused"]);
}

#[tokio::test]
async fn a_permit_that_nothing_uses_may_be_asked_for_again_too() {
    let scene = Scene::open().await;
    scene.moved(PermitMove::Revoke { reason: "Error.".to_owned() }).await;
    let page = format!("/permits/{}", scene.permit);
    says(&scene.read(&scene.applicant, &page).await, &["href=\"/start/api-particulier\"", "No application uses it."]);
    never(&scene.read(&scene.reviewer, &page).await, &["href=\"/start/api-particulier\""]);
}

#[tokio::test]
async fn a_suspended_permit_keeps_its_subscriptions() {
    let scene = Scene::open().await;
    let application = scene.subscribed("Canteen", Stage::Sandbox).await;
    scene.moved(PermitMove::Suspend { reason: "An audit.".to_owned() }).await;
    let suspended = format!("The permit {} has been suspended since 21 September 2026", scene.permit);
    let page = scene.read(&scene.applicant, &application).await;
    says(&page, &["Calls refused", &suspended, "An audit.", "A message will tell you"]);
    never(&page, &["First call to", "/subscribe?api="]);
    says(&scene.read(&scene.applicant, "/dashboard").await, &["Permits that were stopped", "See why"]);
    // It is the same subscription still: another permit does not take its place.
    let (fresh, _) = scene.grant(60).await;
    let fields = [("api", API), ("permit", fresh.as_str()), ("plan", "standard"), ("accept_terms", "true")];
    assert_eq!(scene.post(&scene.applicant, &format!("{application}/subscribe"), &fields).await.status, 409);
    scene.moved(PermitMove::Resume).await;
    says(&scene.read(&scene.applicant, &application).await, &["First call to", "of 50,000"]);
}

#[tokio::test]
async fn from_a_permit_to_the_subscription_everything_is_chosen_already() {
    let scene = Scene::open().await;
    let (who, permit) = (&scene.applicant, &scene.permit);
    let page = scene.read(who, &format!("/permits/{permit}")).await;
    let onward = page.split("href=\"/applications?").nth(1).unwrap().split('"').next().unwrap();
    says(onward, &["api=dinum%2Fapi-particulier", &format!("permit={permit}")]);

    // An application is made on the way, and one goes on with it.
    let choose = format!("/applications?{onward}");
    let page = scene.read(who, &choose).await;
    says(&page, &["Which application will call API Particulier?"]);
    let create = page.split("href=\"/applications/new?").nth(1).unwrap().split('"').next().unwrap();
    let made = scene.post(who, &format!("/applications/new?{create}"), &[("name", "Canteen"), ("stage", "sandbox")]).await;
    let subscribe = location(&made).to_owned();
    says(&subscribe, &["/subscribe?", "api=dinum%2Fapi-particulier", &format!("permit={permit}")]);
    let page = scene.read(who, &subscribe).await;
    says(&page, &["Subscribe to API Particulier", "Standard"]);
    let ticked = page.split("<input").find(|input| input.contains("name=\"permit\"")).unwrap();
    says(ticked, &[&format!("value=\"{permit}\""), "checked"]);
    let fields = [("api", API), ("permit", permit.as_str()), ("plan", "standard"), ("accept_terms", "true")];
    let application = location(&scene.post(who, &subscribe, &fields).await).to_owned();

    // Once it is subscribed, neither page asks again.
    says(&scene.read(who, &choose).await, &["Subscribed already"]);
    says(&scene.read(who, &subscribe).await, &["is subscribed to this API already", &format!("href=\"{application}\"")]);
    // From the permit alone, what it opens is the only choice.
    let other = scene.application("Nursery", Stage::Sandbox).await;
    says(&scene.read(who, &format!("{other}/subscribe?permit={permit}")).await, &["Subscribe to API Particulier"]);
    // Lists speak of names, codes stand below them.
    says(&scene.read(who, "/applications").await, &["API Particulier"]);
    never(&scene.read(who, "/applications").await, &[API]);
}

#[tokio::test]
async fn a_new_secret_leads_to_the_first_call_which_knows_of_it() {
    let scene = Scene::open().await;
    let who = &scene.applicant;
    let application = scene.subscribed("Canteen", Stage::Sandbox).await;
    let start = format!("{application}/start?api={API}");
    says(&scene.read(who, &start).await, &["You need a credential", "Create a credential", &format!("href=\"{application}/usage\"")]);
    let made = scene.post(who, &format!("{application}/credentials"), &[("kind", "api_key")]).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let secret = made.text.split("<pre").nth(1).unwrap().split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
    assert!(made.text.contains(&format!("export API_KEY=&#39;{secret}&#39;")), "{}", made.text);
    says(&made.text, &[&format!("href=\"{start}\"")]);
    // The key will do: nothing else is asked for.
    let page = scene.read(who, &start).await;
    says(&page, &["Your application has a credential", "export API_KEY='YOUR_SECRET'", "X-Api-Key: $API_KEY", "MOREL"]);
    never(&page, &["You need a credential", "CLIENT_SECRET", "TO_REPLACE"]);
}

#[tokio::test]
async fn production_is_called_with_nobody_of_the_sandbox() {
    let scene = Scene::open().await;
    let application = scene.subscribed("Canteen", Stage::Production).await;
    let page = scene.read(&scene.applicant, &format!("{application}/start?api={API}")).await;
    says(&page, &["recipient=21750001600019", "TO_REPLACE_nomNaissance", "sexeEtatCivil=TO_REPLACE", "Replace the values TO_REPLACE"]);
    never(&page, &["MOREL", "13002526500013", "Octroi-Mock-Params"]);
}

#[tokio::test]
async fn a_permit_is_changed_after_a_word_of_what_follows() {
    let scene = Scene::open().await;
    let (who, permit) = (&scene.applicant, &scene.permit);
    let ask = format!("/permits/{permit}/amend");
    let page = scene.read(who, &format!("/permits/{permit}")).await;
    says(&page, &[&format!("href=\"{ask}\"")]);
    never(&page, &[&format!("action=\"{ask}\"")]);
    says(&scene.read(who, &ask).await, &["stays in force meanwhile", "Begin the change", &format!("action=\"{ask}\"")]);
    let begun = scene.post(who, &ask, &[]).await;
    let draft = location(&begun).to_owned();
    let told = begun.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().contains("draft-created."));
    assert!(told && draft.starts_with("/access-requests/D"), "{draft}");
    // There is one: asked again, or sent again, it is the one to go on with.
    assert_eq!(location(&scene.get(who, &ask).await), draft);
    assert_eq!(location(&scene.post(who, &ask, &[("_again", "1")]).await), draft);
    // Who may not change it is led back, or finds nothing.
    assert_eq!(location(&scene.get(&scene.reviewer, &ask).await), format!("/permits/{permit}"));
    assert_eq!(scene.get(&scene.stranger, &ask).await.status, 404);
    // What has no next stage asks for none.
    let (other, _) = scene.grant(60).await;
    assert_eq!(location(&scene.get(who, &format!("/permits/{other}/next-stage")).await), format!("/permits/{other}"));
}

#[tokio::test]
async fn a_reviewer_is_led_to_nothing_that_refuses() {
    let scene = Scene::open().await;
    let application = scene.subscribed("Canteen", Stage::Sandbox).await;
    let page = scene.read(&scene.reviewer, &format!("/permits/{}", scene.permit)).await;
    never(&page, &[&format!("href=\"{application}\""), "href=\"/permits\""]);
    says(&page, &["href=\"/review/permits\""]);
    says(&scene.read(&scene.applicant, &format!("/permits/{}", scene.permit)).await, &["href=\"/permits\""]);
    // A private API is not tried from its page, which says nothing of it.
    for path in ["/apis/dinum/annuaire-interne", "/apis/dinum/annuaire-interne/reference"] {
        never(&scene.read(&scene.administrator, path).await, &["/try"]);
    }
    assert_eq!(scene.get(&scene.administrator, "/apis/dinum/annuaire-interne/try").await.status, 404);
    says(&scene.read(&scene.administrator, "/apis/dinum/api-particulier").await, &["/try"]);
}

#[tokio::test]
async fn traces_are_made_anonymous_by_who_may_alone() {
    let scene = Scene::open().await;
    let link = "href=\"/traces/anonymise";
    for (who, may) in [(&scene.applicant, false), (&scene.reviewer, false), (&scene.administrator, true), (&scene.operator, true)] {
        assert_eq!(scene.read(who, "/traces").await.contains(link), may);
        let asked = scene.get(who, "/traces/anonymise").await;
        assert_eq!(asked.status == 200, may, "{}", asked.text);
    }
}

#[tokio::test]
async fn an_invitation_for_somebody_else_says_so_and_leads_to_the_right_account() {
    let scene = Scene::open().await;
    let context = Context::new(scene.administrator.principal.clone(), NOW);
    let input = NewInvitation { email: "applicant@example.org".to_owned(), plan: None, language: Language::En };
    scene.house.app.invite(&context, &"dinum/annuaire-interne".parse().unwrap(), input).await.unwrap();
    let mails = scene.house.app.mailbox(None, octroi_app::query::Page::new(None, 10), NOW).await.unwrap();
    let word = mails.items.iter().find_map(|mail| mail.text.split("/invitations/").nth(1)).unwrap();
    let path = format!("/invitations/{}", word.split_whitespace().next().unwrap());
    says(&scene.read(&scene.applicant, &path).await, &["Invitation to use"]);

    let answer = scene.get(&scene.stranger, &path).await;
    assert_eq!(answer.status, 409);
    says(&answer.text, &["for another account", "stranger@example.org", "action=\"/sign-out\"", &format!("value=\"{path}\"")]);
    never(&answer.text, &["applicant@example.org", "Annuaire"]);
    let out = scene.post(&scene.stranger, "/sign-out", &[("return_to", &path)]).await;
    assert_eq!(location(&out), path);
    assert!(location(&scene.house.send(Method::GET, &path, &[BROWSER], "").await).starts_with("/sign-in?return_to="));
    assert_eq!(location(&scene.post(&scene.applicant, "/sign-out", &[("return_to", "//evil.example")]).await), "/");
}

#[tokio::test]
async fn a_permit_out_of_date_lets_nothing_through_and_its_next_stage_is_asked_for_in_time() {
    let scene = Scene::open().await;
    let (permit, _) = scene.grant_of("api-impot-particulier", 0).await;
    let page = scene.application("Taxes", Stage::Sandbox).await;
    let application = page.rsplit('/').next().unwrap().parse().unwrap();
    let context = Context::new(scene.applicant.principal.clone(), NOW);
    let api = "dgfip/impot-particulier".parse().unwrap();
    let new = NewSubscription { api, permit: permit.parse().ok(), plan: None, accept_terms: true };
    scene.house.app.subscribe(&context, application, new).await.unwrap();
    // Before anybody has written that it expired.
    for (days, state) in [(1_000, None), (1_100, Some("expired"))] {
        let context = Context::new(scene.applicant.principal.clone(), NOW.plus_days(days));
        let usage = scene.house.app.application_usage(&context, application).await.unwrap();
        assert_eq!(usage.subscriptions[0].stop.as_ref().map(|stop| stop.state.as_str()), state, "after {days} days");
    }
    let ask = format!("/permits/{permit}/next-stage");
    says(&scene.read(&scene.applicant, &format!("/permits/{permit}")).await, &[&format!("href=\"{ask}\"")]);
    says(&scene.read(&scene.applicant, &ask).await, &["Begin the request", "stays in force meanwhile, on its stage"]);
    let draft = location(&scene.post(&scene.applicant, &ask, &[]).await).to_owned();
    assert_eq!(location(&scene.get(&scene.applicant, &ask).await), draft);
}
