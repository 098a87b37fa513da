//! Every page and state, in one table: what holds on every page is checked on each.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use octroi_web::routes;
use serde_json::json;

use crate::{
    checks,
    driver::{self, DESKTOP, ENGLISH, FRENCH, PHONE, Settings, target},
    harness::{Answer, http},
    person::Person,
    world::{World, wait, world},
};

/// What is done before the look. Fields and buttons are named as the form sends them, so that it is the same in both languages.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    Type(&'static str, &'static str),
    /// Changes a field that nobody sees, as if somebody else had acted meanwhile.
    Set(&'static str, &'static str),
    /// The session ends.
    Forget,
    /// Ticks the box, or chooses the radio button, of this value.
    Click(&'static str, &'static str),
    /// Presses the first button of the form that leads to a path ending so.
    Send(&'static str),
}
use Step::{Click, Forget, Send, Set, Type};

/// A page, in a state, for somebody.
pub struct Page {
    /// Of the picture.
    pub name: &'static str,
    pub who: Option<&'static str>,
    /// Under its route in `web/router.rs`, with things of the world in `{}`.
    pub path: &'static str,
    pub status: u16,
    pub steps: &'static [Step],
}
const fn page(name: &'static str, who: &'static str, path: &'static str) -> Page {
    let who = if who.is_empty() { None } else { Some(who) };
    Page { name, who, path, status: 200, steps: &[] }
}
impl Page {
    const fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
    /// Is the browser signed out by it?
    pub fn forgets(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Forget))
    }
    const fn then(self, steps: &'static [Step]) -> Self {
        Self { steps, ..self }
    }
}

#[rustfmt::skip]
pub const PAGES: &[Page] = &[
    // Everybody's.
    page("home", "", "/"),
    page("provide", "", "/provide"),
    page("my-data", "", "/my-data"),
    page("catalogue", "", "/apis"),
    page("catalogue-search", "", "/apis?q=quotient+familial"),
    page("catalogue-empty", "", "/apis?q=zzzz"),
    page("api", "", "/apis/dinum/api-particulier"),
    page("api-open", "", "/apis/dila/legifrance"),
    page("api-staged", "", "/apis/dgfip/impot-particulier"),
    page("api-missing", "", "/apis/dinum/nothing").status(404),
    page("reference", "", "/apis/dinum/api-particulier/reference"),
    page("try", "", "/apis/dinum/api-particulier/try"),
    page("try-answer", "", "/apis/dinum/api-particulier/try?sample=0").then(&[Send("/try")]),
    page("register", "", "/register"),
    page("register-empty", "", "/register?q=zzzz"),
    page("statistics", "", "/statistics"),
    page("legal", "", "/legal"),
    page("accessibility", "", "/accessibility"),
    page("start", "", "/start"),
    page("start-helper", "", "/start/helper"),
    page("start-helper-answer", "", "/start/helper?use_case=&vendor="),
    page("start-forms", "", "/start/api-particulier"),
    page("start-form-nobody", "", "/start/api-particulier/libre"),
    page("sign-in", "", "/sign-in"),
    page("sign-in-ways", "", "/sign-in").then(&[Type("email", "nobody@rivebelle.example"), Send("/sign-in")]),
    page("sign-in-wrong", "", "/sign-in")
        .then(&[Type("email", "nobody@rivebelle.example"), Send("/sign-in"), Type("password", "wrong"), Send("/sign-in")]),
    page("sign-in-mail", "", "/sign-in/mail"),
    page("sign-in-mail-sent", "", "/sign-in/link/nothing").status(404)
        .then(&[Type("email", "nobody@rivebelle.example"), Send("/sign-in/mail")]),
    page("sign-in-link-spent", "", "/sign-in/link/nothing").status(404),
    page("sign-in-second-factor", "", "/sign-in/second-factor"),
    page("sign-up", "", "/sign-up"),
    page("sign-up-sent", "", "/sign-up").then(&[Type("email", "table@rivebelle.example"), Send("/sign-up")]),
    page("sign-up-wrong", "", "/sign-up/code").then(&[Type("code", "00000000"), Send("/sign-up/code")]),
    page("sign-up-finish", "", "/sign-up/finish"),
    page("reset", "", "/reset-password"),
    page("reset-sent", "", "/reset-password").then(&[Type("email", "nobody@rivebelle.example"), Send("/reset-password")]),
    page("reset-spent", "", "/reset-password/nothing").status(404),
    page("reset-wrong", "", "/reset-password").then(&[Type("email", "nobody"), Send("/reset-password")]),
    page("sign-in-no-address", "", "/sign-in").then(&[Send("/sign-in")]),
    page("sign-in-hinted", "", "/sign-in?login_hint=applicant%40rivebelle.example"),
    page("sign-up-no-address", "", "/sign-up").then(&[Type("email", "nobody"), Send("/sign-up")]),
    page("sign-on-signed-out", "", "/oauth/authorize/{sign_on}"),
    page("sign-on-unknown-client", "", "/oauth/authorize?client_id=nothing&response_type=code").status(400),
    page("sign-on-wrong-address", "", "/oauth/authorize?client_id={client}&response_type=code&redirect_uri=https%3A%2F%2Fevil.example%2F").status(400),
    page("sign-on-alias", "", "/authorize?client_id=nothing&response_type=code").status(400),
    page("sign-on-over", "", "/oauth/authorize/nothing").status(404),
    page("sign-on-out", "", "/oauth/logout"),
    page("sign-on-logout-wrong", "", "/oauth/logout?id_token_hint=nothing").status(400),
    page("sign-on-logout-nowhere", "applicant", "/oauth/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F"),
    page("not-found", "", "/nothing/here").status(404),
    // The demo's.
    page("components", "", "/dev/components"),
    page("mailbox", "", "/dev/mailbox"),
    page("mailbox-empty", "", "/dev/mailbox?to=zzzz@rivebelle.example"),
    page("mailbox-mail", "", "/dev/mailbox/{mail}"),
    page("mails", "", "/dev/mails"),
    page("mails-one", "", "/dev/mails/fr/request-approved"),
    // The applicant's.
    page("home-signed-in", "applicant", "/"),
    page("not-found-signed-in", "applicant", "/nothing/here").status(404),
    page("dashboard", "applicant", "/dashboard"),
    page("account", "applicant", "/account"),
    page("account-name", "applicant", "/account/name"),
    page("account-name-wrong", "applicant", "/account/name").then(&[Type("given_name", ""), Send("/account/name")]),
    page("account-email", "applicant", "/account/email"),
    page("account-email-wrong", "applicant", "/account/email").then(&[Type("email", "nobody"), Send("/account/email")]),
    page("account-email-sent", "applicant", "/account/email").then(&[Type("email", "autre@rivebelle.example"), Send("/account/email")]),
    page("account-email-code", "applicant", "/account/email/code"),
    page("account-password", "applicant", "/account/password"),
    page("account-password-weak", "applicant", "/account/password").then(&[Type("password", "azertyuiop12"), Send("/account/password")]),
    page("account-passkeys", "applicant", "/account/passkeys"),
    page("account-passkey-missing", "applicant", "/account/passkeys/nothing").status(404),
    page("account-second-factor", "applicant", "/account/second-factor"),
    page("account-totp", "applicant", "/account/totp"),
    page("account-totp-set-up", "applicant", "/account/second-factor").then(&[Send("/account/totp/begin")]),
    page("account-totp-wrong", "applicant", "/account/second-factor")
        .then(&[Send("/account/totp/begin"), Type("code", "000000"), Send("/account/totp")]),
    page("account-totp-remove", "applicant", "/account/totp/remove"),
    page("account-identities", "applicant", "/account/identities"),
    page("account-sessions", "applicant", "/account/sessions"),
    page("account-applications", "applicant", "/account/applications"),
    page("account-application-missing", "applicant", "/account/applications/sso_aaaaaaaaaaaaaaaaaaaaaa/disconnect").status(404),
    page("account-delete", "applicant", "/account/delete"),
    page("account-delete-wrong", "applicant", "/account/delete").then(&[Type("email", "x@y.example"), Send("/account/delete")]),
    page("again", "applicant", "/sign-in/again"),
    page("again-wrong", "applicant", "/sign-in/again").then(&[Type("password", "wrong"), Send("/sign-in/again")]),
    page("again-mail", "applicant", "/sign-in/again").then(&[Send("/sign-in/again/mail")]),
    page("my-requests", "applicant", "/access-requests"),
    page("start-form", "applicant", "/start/api-particulier/libre"),
    page("start-form-prefilled", "applicant", "/start/api-particulier/cantine"),
    page("step-basics", "applicant", "/access-requests/{empty}/steps/1"),
    page("step-basics-wrong", "applicant", "/access-requests/{empty}/steps/1?check=1"),
    page("step-basics-lacking", "applicant", "/access-requests/{empty}/steps/1").then(&[Type("title", "Cantine"), Send("/steps/1")]),
    page("step-stale", "applicant", "/access-requests/{draft}/steps/1").then(&[Set("version", "1"), Type("title", "Patinoire"), Send("/steps/1")]),
    page("step-session-ended", "applicant", "/access-requests/{draft}/steps/1").then(&[Forget, Send("/steps/1")]),
    page("step-modalities", "applicant", "/access-requests/{draft}/steps/2"),
    page("step-data", "applicant", "/access-requests/{draft}/steps/3"),
    page("step-basis", "applicant", "/access-requests/{draft}/steps/4"),
    page("step-scopes", "applicant", "/access-requests/{draft}/steps/5"),
    page("step-contacts", "applicant", "/access-requests/{draft}/steps/6"),
    page("summary-lacking", "applicant", "/access-requests/{empty}/summary"),
    page("summary", "applicant", "/access-requests/{draft}/summary"),
    page("summary-unticked", "applicant", "/access-requests/{draft}/summary").then(&[Send("/submit")]),
    page("summary-submitted", "applicant", "/access-requests/{submitted}/summary"),
    page("request-draft", "applicant", "/access-requests/{draft}"),
    page("request-submitted", "applicant", "/access-requests/{submitted}"),
    page("request-returned", "applicant", "/access-requests/{returned}"),
    page("request-refused", "applicant", "/access-requests/{refused}"),
    page("request-approved", "applicant", "/access-requests/{approved}"),
    page("messages", "applicant", "/access-requests/{submitted}/messages"),
    page("messages-empty", "applicant", "/access-requests/{submitted}/messages").then(&[Send("/messages")]),
    page("archive", "applicant", "/access-requests/{draft}/archive"),
    page("transfer", "applicant", "/access-requests/{draft}/transfer"),
    page("transfer-wrong", "applicant", "/access-requests/{draft}/transfer").then(&[Type("email", "nobody@rivebelle.example"), Send("/transfer")]),
    page("my-permits", "applicant", "/permits"),
    page("permit", "applicant", "/permits/{permit}"),
    page("permit-suspended", "applicant", "/permits/{suspended}"),
    page("permit-revoked", "applicant", "/permits/{revoked}"),
    page("permit-amend", "applicant", "/permits/{unamended}/amend"),
    page("permit-next-stage", "applicant", "/permits/{staged}/next-stage"),
    page("receipt", "applicant", "/permits/{permit}/receipt"),
    page("applications", "applicant", "/applications"),
    page("applications-choose", "applicant", "/applications?api=dinum/api-particulier&permit={permit}"),
    page("application-new", "applicant", "/applications/new"),
    page("application-new-wrong", "applicant", "/applications/new").then(&[Send("/new")]),
    page("application", "applicant", "/applications/{application}"),
    page("application-bare", "applicant", "/applications/{bare_application}"),
    page("application-usage", "applicant", "/applications/{application}/usage"),
    page("application-usage-none", "applicant", "/applications/{bare_application}/usage"),
    page("application-start", "applicant", "/applications/{application}/start?api=dinum/api-particulier"),
    page("application-suspend", "applicant", "/applications/{application}/suspend"),
    page("subscribe-choose", "applicant", "/applications/{bare_application}/subscribe"),
    page("subscribe", "applicant", "/applications/{bare_application}/subscribe?api=dinum/api-particulier"),
    page("subscribe-wrong", "applicant", "/applications/{bare_application}/subscribe?api=dinum/api-particulier").then(&[Send("/subscribe")]),
    page("subscription-end", "applicant", "/applications/{application}/subscriptions/{subscription}/end"),
    page("subscription-terms", "applicant", "/applications/{application}/subscriptions/{subscription}/terms"),
    page("credential-new", "applicant", "/applications/{application}/credentials/new"),
    page("credential-made", "applicant", "/applications/{bare_application}/credentials/new").then(&[Send("/credentials")]),
    page("credential-replace", "applicant", "/applications/{application}/credentials/{credential}/replace"),
    page("credential-revoke", "applicant", "/applications/{application}/credentials/{credential}/revoke"),
    page("traces", "applicant", "/traces"),
    page("invitation-wrong", "applicant", "/invitations/nothing").status(404),
    page("sign-on-consent", "applicant", "/oauth/authorize/{sign_on}"),
    page("sign-on-account", "applicant", "/oauth/authorize/{sign_on_account}"),
    page("sign-on-organization", "applicant", "/oauth/authorize/{sign_on_organization}"),
    page("sign-on-organization-unchosen", "applicant", "/oauth/authorize/{sign_on_organization}").then(&[Set("organization", ""), Send("")]),
    page("sign-on-elsewhere", "applicant", "/oauth/authorize/{sign_on_elsewhere}"),
    page("sign-on-strong", "applicant", "/oauth/authorize/{sign_on_strong}"),
    page("sign-on-none", "operator", "/oauth/authorize/{sign_on}"),
    page("sign-on-logout", "applicant", "/oauth/logout?client_id={client}"),
    page("applications-empty", "stranger", "/applications"),
    page("request-colleague", "colleague", "/access-requests/{submitted}"),
    page("dashboard-stranger", "stranger", "/dashboard"),
    page("my-requests-stranger", "stranger", "/access-requests"),
    page("my-permits-stranger", "stranger", "/permits"),
    // Organisations.
    page("my-organizations", "applicant", "/organizations"),
    page("my-organization", "applicant", "/organizations/{own_organization}"),
    page("my-organization-invite-wrong", "applicant", "/organizations/{own_organization}").then(&[Type("email", "nobody"), Send("/invitations")]),
    page("leave", "applicant", "/organizations/{own_organization}/leave"),
    page("join", "applicant", "/organizations/join"),
    page("join-abroad", "applicant", "/organizations/join?abroad=1"),
    page("join-wrong", "applicant", "/organizations/join?siret=123").status(422),
    page("join-abroad-wrong", "applicant", "/organizations/join?country=XX&register=vat&number=1").status(422),
    page("join-known", "applicant", "/organizations/join?siret=21340001300016"),
    page("join-hinted", "stranger", "/organizations/join?siret_hint=21340001300016&return_to=%2Fapis"),
    page("join-found", "stranger", "/organizations/join?siret=35600000000048"),
    page("wish", "observer", "/organizations/joining/{wish}"),
    page("wish-sponsor-wrong", "observer", "/organizations/joining/{wish}").then(&[Type("email", "nobody"), Send("/sponsor")]),
    page("wish-confirm", "applicant", "/organizations/joining/{wish}/confirm"),
    page("member-invitation-wrong", "applicant", "/organizations/invitations/nothing").status(404),
    // The reviewer's, the observer's, the manager's.
    page("dashboard-reviewer", "reviewer", "/dashboard"),
    page("review", "reviewer", "/review"),
    page("review-search", "reviewer", "/review?q=rivebelle"),
    page("review-empty", "reviewer", "/review?q=zzzz"),
    page("review-permits", "reviewer", "/review/permits"),
    page("review-one", "reviewer", "/access-requests/{submitted}/review"),
    page("review-undecided", "reviewer", "/access-requests/{submitted}/review").then(&[Send("/review")]),
    page("review-stale", "reviewer", "/access-requests/{submitted}/review")
        .then(&[Click("decision", "approve"), Set("version", "1"), Send("/review")]),
    page("review-amendment", "reviewer", "/access-requests/{amendment}/review"),
    page("review-decided", "reviewer", "/access-requests/{approved}/review"),
    page("request-reviewer", "reviewer", "/access-requests/{submitted}"),
    page("permit-reviewer", "reviewer", "/permits/{permit}"),
    page("permit-suspend", "reviewer", "/permits/{permit}/suspend"),
    page("permit-suspend-unsaid", "reviewer", "/permits/{permit}/suspend").then(&[Send("/suspend")]),
    page("permit-resume", "reviewer", "/permits/{suspended}/resume"),
    page("permit-revoke", "reviewer", "/permits/{permit}/revoke"),
    page("review-observer", "observer", "/access-requests/{submitted}/review"),
    page("review-list-manager", "manager", "/review"),
    page("roles", "manager", "/manage/roles"),
    page("roles-of", "manager", "/manage/roles/api-particulier"),
    // The API administrator's.
    page("my-apis", "api_administrator", "/admin/apis"),
    page("my-api", "api_administrator", "/admin/apis/dinum/api-particulier"),
    page("masks", "api_administrator", "/admin/apis/dinum/api-particulier/masks"),
    page("subscribers", "api_administrator", "/admin/apis/dinum/api-particulier/subscribers"),
    page("subscribers-private", "api_administrator", "/admin/apis/dinum/annuaire-interne/subscribers"),
    page("traffic", "api_administrator", "/admin/apis/dinum/api-particulier/traffic"),
    page("subscription-suspend", "api_administrator", "/admin/apis/dinum/api-particulier/subscriptions/{subscription}/suspend"),
    page("traces-administrator", "api_administrator", "/traces"),
    page("traces-anonymise", "api_administrator", "/traces/anonymise"),
    // The operator's.
    page("operator", "operator", "/operator"),
    page("organizations", "operator", "/operator/organizations"),
    page("organizations-search", "operator", "/operator/organizations?q=rivebelle"),
    page("organizations-empty", "operator", "/operator/organizations?q=zzzz"),
    page("organization", "operator", "/operator/organizations/{organization}"),
    page("organization-domains", "operator", "/operator/organizations/{own_organization}"),
    page("organization-new", "operator", "/operator/organizations/new"),
    page("organization-new-wrong", "operator", "/operator/organizations/new").then(&[Send("/organizations/new")]),
    page("joining", "operator", "/operator/joining"),
    page("joining-empty", "operator", "/operator/joining?state=refused"),
    page("joining-one", "operator", "/operator/joining/{wish}"),
    page("joining-refuse-unsaid", "operator", "/operator/joining/{wish}").then(&[Set("decision", "refuse"), Send("")]),
    page("organization-domain-wrong", "operator", "/operator/organizations/{organization}").then(&[Type("domain", "gmail"), Send("/domains")]),
    page("people", "operator", "/operator/people"),
    page("people-empty", "operator", "/operator/people?q=zzzz"),
    page("person", "operator", "/operator/people/{person}"),
    page("person-new", "operator", "/operator/people/new"),
    page("person-new-wrong", "operator", "/operator/people/new").then(&[Send("/people/new")]),
    page("operator-apis", "operator", "/operator/apis"),
    page("operator-definitions", "operator", "/operator/definitions"),
    page("operator-definition", "operator", "/operator/definitions/api-particulier"),
    page("clients", "operator", "/operator/clients"),
    page("client", "operator", "/operator/clients/{client}"),
    page("client-edit", "operator", "/operator/clients/{client}/edit"),
    page("client-edit-wrong", "operator", "/operator/clients/{client}/edit").then(&[Type("redirects", "ftp://x"), Send("/edit")]),
    page("client-edit-stale", "operator", "/operator/clients/{client}/edit").then(&[Set("version", "77"), Send("/edit")]),
    page("client-new", "operator", "/operator/clients/new"),
    page("client-new-wrong", "operator", "/operator/clients/new").then(&[Send("/clients/new")]),
    page("sign-in-existing", "", "/sign-in/existing-account"),
    page("connections", "operator", "/operator/connections"),
    page("connection", "operator", "/operator/connections/nearby"),
    page("connection-new", "operator", "/operator/connections/new"),
    page("connection-new-wrong", "operator", "/operator/connections/new").then(&[Send("/connections/new")]),
    page("connection-edit", "operator", "/operator/connections/nearby/edit"),
    page("connection-delete", "operator", "/operator/connections/nearby/delete"),
    page("connection-down", "", "/auth/nearby/login").status(502),
    page("connection-over", "", "/auth/nearby/callback?code=x").status(400),
    page("hand-off-over", "", "/auth/notebook/next/nothing").status(400),
    page("hand-off-wrong", "", "/auth/notebook/login").status(400),
    page("products-accounts", "operator", "/operator/connections/notebook/accounts"),
    page("products-legacy", "operator", "/operator/connections/notebook/legacy-users"),
    page("outbox", "operator", "/operator/outbox"),
    page("outbox-failed", "operator", "/operator/outbox?state=failed"),
    page("ledger", "operator", "/operator/ledger"),
    page("verifications", "operator", "/operator/ledger/verifications"),
    page("ledger-empty", "operator", "/operator/ledger?subject=D999999"),
    page("settings", "operator", "/operator/settings"),
    page("health", "operator", "/operator/health"),
    page("forbidden", "applicant", "/operator").status(403),
];

/// Routes of GET that show no page of ours: files, data, addresses of before, and the reader of the OpenAPI document, which is somebody else's work.
const NOT_PAGES: [&str; 15] = [
    "/api/",
    "/oauth/jwks",
    "/oauth/userinfo",
    "/oauth/register/",
    "/.well-known/",
    "/assets/",
    "/register.csv",
    "/html",
    "/users/",
    "/manage-organizations",
    "/jwks",
    "/logged-out",
    "/auth/me",
    "/choices/{word}",
    "/login/",
];

/// Does a path of the table lie under a route?
fn under(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path);
    let (mut left, mut right) = (route.split('/'), path.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || (a.starts_with('{') && !b.is_empty()) => {}
            _ => return false,
        }
    }
}

#[test]
fn every_route_of_a_page_is_in_the_table() {
    let wanted: Vec<&str> = routes().iter().filter(|route| route.method == "GET").map(|route| route.path).collect();
    let ours = |path: &&&str| !NOT_PAGES.iter().any(|start| path.starts_with(start) || path.ends_with(start));
    // A literal route comes before one that takes its place for a name.
    let nearest = |path: &str| wanted.iter().filter(|route| under(route, path)).min_by_key(|route| route.matches('{').count());
    let shown: BTreeSet<&&str> = PAGES.iter().filter_map(|page| nearest(page.path)).collect();
    let missing: Vec<&&str> = wanted.iter().filter(ours).filter(|route| !shown.contains(route)).collect();
    assert!(missing.is_empty(), "not in the table of pages: {missing:#?}");
    let names: BTreeSet<&str> = PAGES.iter().map(|page| page.name).collect();
    assert_eq!(names.len(), PAGES.len(), "two pages have one name");
}

/// Brings a page that is shown into its state.
pub fn act(person: &Person, page: &Page) {
    for step in page.steps {
        match step {
            Type(name, text) => {
                let field = person.driver.find("return document.querySelector(`main [name='${arguments[0]}']`)", &[(*name).into()]);
                let field = field.unwrap_or_else(|| panic!("{}: no field {name}", page.name));
                person.driver.clear(&field);
                person.driver.type_into(&field, text);
            }
            Set(name, value) => {
                let script =
                    "document.querySelectorAll(`main [name='${arguments[0]}']`).forEach((field) => { field.value = arguments[1]; })";
                person.driver.run(script, &[(*name).into(), (*value).into()]);
            }
            Forget => person.forget(),
            Click(name, value) => {
                let script = "return document.querySelector(`main [name='${arguments[0]}'][value='${arguments[1]}']`)";
                let choice = person.driver.find(script, &[(*name).into(), (*value).into()]);
                person.driver.click(&choice.unwrap_or_else(|| panic!("{}: no {name} {value}", page.name))).unwrap();
            }
            Send(end) => person.send(end),
        }
    }
}

/// Brings the browser to a page and its state; what is wrong with how it loads.
fn visit(world: &World, person: &Person, page: &Page) -> Vec<String> {
    let mut wrong = checks::load(person, &world.path(page.path), page.status);
    act(person, page);
    if !page.steps.is_empty() {
        let own = |complaint: &String| complaint.contains("Failed to load resource");
        wrong.extend(person.complaints().into_iter().filter(|complaint| !own(complaint)).map(|complaint| format!("console: {complaint}")));
    }
    wrong
}

/// Looks at every page in one language. Where `OCTROI_PICTURES` is set, as `cargo xtask screenshots` does, pictures are kept; where
/// `OCTROI_PAGES` begins the names of some, those alone are looked at.
fn look(settings: Settings) {
    if !driver::present() {
        return;
    }
    let world = world();
    let person = world.person(settings);
    checks::bring_axe(&person);
    let folder = target().join("screenshots").join(settings.language);
    let wanted = std::env::var_os("OCTROI_PICTURES").is_some();
    let picture = |width: &str, page: &Page| person.picture(&folder.join(width).join(format!("{}.png", page.name)));
    let chosen = std::env::var("OCTROI_PAGES").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut dressed = None;
    for page in PAGES.iter().filter(|page| chosen.is_empty() || chosen.split(',').any(|start| page.name.starts_with(start))) {
        if dressed != Some(page.who) {
            world.dress(&person, page.who);
            dressed = Some(page.who);
        }
        if page.forgets() {
            dressed = None;
        }
        let mut faults = visit(world, &person, page);
        if wanted {
            picture("1280", page);
            person.driver.resize(PHONE);
            picture("320", page);
            person.driver.resize(DESKTOP);
            person.driver.dark(true);
            picture("1280-dark", page);
            person.driver.dark(false);
        }
        faults.extend(if settings.language == FRENCH.language { checks::faults(&person) } else { checks::light_faults(&person) });
        wrong.extend(faults.into_iter().map(|fault| format!("{} ({}): {fault}", page.name, page.who.unwrap_or("nobody"))));
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_page_in_french() {
    look(FRENCH);
}

#[test]
fn every_page_in_english() {
    look(ENGLISH);
}

/// The HTML of every mail, as a mail reader shows it: alone, and without a page around it.
#[test]
fn every_mail() {
    if !driver::present() {
        return;
    }
    let world = world();
    let person = world.person(FRENCH);
    person.go("/dev/mails");
    let links = person
        .driver
        .run("return [...document.querySelectorAll('main a[href^=\"/dev/mails/\"]')].map((link) => link.getAttribute('href'))", &[]);
    let links: Vec<&str> = links.as_array().unwrap().iter().filter_map(|link| link.as_str()).collect();
    assert!(links.len() > 10, "{links:?}");
    let mut wrong = Vec::new();
    for link in links {
        let html = wait(async { reqwest::get(format!("{}{link}/html", world.demo.portal())).await.unwrap().text().await.unwrap() });
        assert!(html.len() < 50_000 && html.contains("<html lang="), "{link}");
        // Served by the portal it is sandboxed, and nothing can look into it.
        person.driver.post("/url", json!({ "url": format!("data:text/html;charset=utf-8;base64,{}", STANDARD.encode(html)) }));
        wrong.extend(
            checks::elsewhere(&person).into_iter().filter(|fault| fault.starts_with("asks http")).map(|fault| format!("{link}: {fault}")),
        );
        wrong.extend(checks::faults(&person).into_iter().map(|fault| format!("{link}: {fault}")));
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// The status that a page has for somebody, and where it leads.
fn status(world: &World, who: Option<&str>, path: &str) -> (u16, String) {
    let cookies = who.map(|who| world.cookies(who)).unwrap_or_default();
    let cookie: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let client = http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = client.get(format!("{}{path}", world.demo.portal())).header("Cookie", cookie.join("; "));
    let answer = wait(async { Answer::read(request.send().await.unwrap()).await });
    (answer.status.as_u16(), answer.header("location").unwrap_or_default().to_owned())
}

/// The pages about one thing that belongs to somebody: a sign-in to a service is whoever's comes to it.
fn things() -> impl Iterator<Item = &'static Page> {
    let own = PAGES.iter().filter(|page| !page.path.starts_with("/oauth/"));
    own.filter(|page| page.who.is_some() && page.path.split('?').next().is_some_and(|path| path.contains('{')))
}

#[test]
fn what_another_organisation_owns_has_no_page() {
    let world = world();
    let things: Vec<&Page> = things().collect();
    assert!(things.len() > 20, "{} pages", things.len());
    for page in things {
        let path = world.path(page.path);
        assert_eq!(status(world, page.who, &path).0, page.status, "{path} for {:?}", page.who);
        let (real, invented) = (status(world, Some("stranger"), &path).0, status(world, Some("stranger"), &world.nowhere(page.path)).0);
        assert_eq!(real, invented, "{path} for a stranger, and the same of what nobody has");
        // Pages of a role are refused as a whole, whatever they are about.
        let role = ["/operator", "/manage", "/admin"].iter().any(|start| path.starts_with(start));
        assert!(real == 404 || (role && real == 403), "{path} for a stranger: {real}");
    }
}

#[test]
fn who_is_not_signed_in_is_asked_to() {
    let world = world();
    for page in things() {
        let (status, to) = status(world, None, &world.path(page.path));
        assert!((status, to.starts_with("/sign-in?return_to=")) == (303, true), "{}: {status} {to}", page.path);
    }
}
