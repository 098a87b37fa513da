//! Signing in to a relying party: who, as member of which organisation, what is shared; and back to it.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use octroi_app::{
    Error,
    sign_on::{AccountView, Back, ConsentView, OrganizationChoice, Refusal, SCOPES, SignOnError, Step, authorize::Begun},
};
use octroi_domain::text::Language;
use octroi_oauth::{authorization_request::ResponseMode, parameters::Parameters, redirect_uri::RedirectUri};

use super::{
    errors,
    kit::{Alert, ButtonLink, Check, Control, ErrorSummary, Facts, Field, FieldError, Hidden, Link, Tone},
    organizations::{LAST, number_words},
    page::{Page, PageAnswer, PageCall, Shell},
    review::spaced,
    words::Words,
};
use crate::problem::Failure;

const REFRESH: HeaderName = HeaderName::from_static("refresh");

#[derive(Template)]
#[template(path = "sign_on_account.html")]
struct AccountPage {
    shell: Shell,
    notice: Option<Alert>,
    text: String,
    action: String,
    facts: Facts,
    /// May this person go on?
    keep: bool,
    /// Where somebody else signs in, or opens an account.
    other: Hidden,
    other_text: String,
}

#[derive(Template)]
#[template(path = "sign_on_organization.html")]
struct OrganizationPage {
    shell: Shell,
    notice: Option<Alert>,
    text: String,
    action: String,
    summary: Option<ErrorSummary>,
    choice: Option<Field>,
    /// First of all, where there is nothing to choose.
    join: ButtonLink,
}

#[derive(Template)]
#[template(path = "sign_on_consent.html")]
struct ConsentPage {
    shell: Shell,
    text: String,
    action: String,
    shared: Vec<String>,
    facts: Facts,
    links: Vec<Link>,
}

#[derive(Template)]
#[template(path = "sign_on_continue.html")]
struct ContinuePage {
    shell: Shell,
    text: String,
    /// By a link.
    link: Option<Link>,
    /// By a form of the client's own address: sent by itself where scripts run.
    action: String,
    hidden: Vec<Hidden>,
}

#[derive(Template)]
#[template(path = "sign_on_problem.html")]
struct ProblemPage {
    shell: Shell,
    what: String,
    next: String,
    facts: Option<Facts>,
}

/// Where a sign-in to a client begins.
pub const AUTHORIZE: &str = "/oauth/authorize";

/// `GET /oauth/authorize`
pub async fn authorize(mut call: PageCall) -> PageAnswer {
    let parameters = match Parameters::read(call.raw_query.as_bytes()) {
        Ok(parameters) => parameters,
        Err(error) => {
            call.greet().await;
            return refused(&call, &Refusal::new(400, "invalid_request", error.to_string()));
        }
    };
    choose_language(&mut call, &parameters);
    match call.app().authorize(&parameters, &call.context(), &call.address).await {
        Ok(Begun::Back(answer)) => {
            if answer.mode == ResponseMode::FormPost || call.from_here {
                call.greet().await;
            }
            back(&call, &answer)
        }
        Ok(Begun::Ask { word }) => Ok(with_language(&call, &parameters, Page::to(format!("{AUTHORIZE}/{word}")))),
        Err(SignOnError::Refused(refusal)) => {
            call.greet().await;
            refused(&call, &refusal)
        }
        Err(SignOnError::Failed(error)) => Err(error.into()),
    }
}

/// The language that the client asks for (`ui_locales`), where nobody chose one.
fn choose_language(call: &mut PageCall, parameters: &Parameters) {
    if let Some(language) = asked_language(call, parameters) {
        call.words = Words::new(language);
    }
}

fn asked_language(call: &PageCall, parameters: &Parameters) -> Option<Language> {
    if call.remembered(super::page::LANGUAGE).is_some() {
        return None;
    }
    parameters.get("ui_locales")?.split(' ').find_map(|tag| match tag.split('-').next() {
        Some("fr") => Some(Language::Fr),
        Some("en") => Some(Language::En),
        _ => None,
    })
}

fn with_language(call: &PageCall, parameters: &Parameters, page: Page) -> Page {
    match asked_language(call, parameters) {
        Some(language) => page.remember(super::page::LANGUAGE, Words::new(language).code()),
        None => page,
    }
}

fn word(call: &PageCall) -> Result<String, Failure> {
    call.id("word")
}

/// `GET /oauth/authorize/{word}`
pub async fn show(call: PageCall) -> PageAnswer {
    let word = word(&call)?;
    let step = match call.app().interaction(&word, &call.context()).await {
        Ok(step) => step,
        Err(error) => return failed(&call, error),
    };
    let here = format!("/oauth/authorize/{word}");
    match step {
        Step::SignIn { create, again, hint } => Ok(sign_in(&here, create, again, hint.as_deref())),
        Step::SecondFactor => Ok(Page::to(local("/sign-in/second-factor", &[("return_to", &here)]))),
        Step::Account(view) => account(&call, here, view),
        Step::Organization(choice) => organization(&call, here, &choice, false).await,
        Step::Consent(view) => consent(&call, here, &view),
        Step::Back(answer) => back(&call, &answer),
    }
}

fn local(path: &str, pairs: &[(&str, &str)]) -> String {
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

fn sign_in(here: &str, create: bool, again: bool, hint: Option<&str>) -> Page {
    let mut pairs = vec![("return_to", here)];
    pairs.extend(hint.map(|hint| ("login_hint", hint)));
    Page::to(local(
        if again {
            "/sign-in/again"
        } else if create {
            "/sign-up"
        } else {
            "/sign-in"
        },
        &pairs,
    ))
}

/// `POST /oauth/authorize/{word}`: what was chosen.
pub async fn answer(call: PageCall) -> PageAnswer {
    let word = word(&call)?;
    let here = format!("/oauth/authorize/{word}");
    let context = call.context();
    if call.session.is_none() {
        return Ok(Page::to(here));
    }
    let app = call.app();
    let done = match call.form.text("choice") {
        "account" => app.keep_account(&word, &context).await,
        "agree" => app.agree(&word, &context).await,
        "refuse" => match app.refuse_client(&word, &context).await {
            Ok(answer) => return continue_to(&call, &answer),
            Err(error) => Err(error),
        },
        "organization" => match call.form.text("organization").parse() {
            Ok(organization) => app.choose_organization(&word, organization, &context).await,
            Err(_) => return nothing_chosen(&call, here, &word).await,
        },
        _ => Ok(()),
    };
    match done {
        Ok(()) => Ok(Page::to(here)),
        Err(error) => failed(&call, error),
    }
}

async fn nothing_chosen(call: &PageCall, here: String, word: &str) -> PageAnswer {
    match call.app().interaction(word, &call.context()).await {
        Ok(Step::Organization(choice)) => Ok(organization(call, here, &choice, true).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Ok(_) => Ok(Page::to(here)),
        Err(error) => failed(call, error),
    }
}

fn account(call: &PageCall, here: String, view: AccountView) -> PageAnswer {
    let w = call.words;
    let notice = view.other_expected.then(|| {
        Alert::new(Tone::Warning, w.of("sign-on-other-expected"), w.of("sign-on-other-expected-text").with("client", view.client.clone()))
    });
    call.render(&AccountPage {
        shell: call.shell(w.of("sign-on-account-title")),
        notice,
        text: w.of("sign-on-account-text").with("client", view.client).into(),
        facts: Facts::default().text(w.of("sign-on-name"), view.name).text(w.of("sign-on-email"), view.email),
        keep: !view.other_expected,
        other: Hidden {
            name: "return_to".to_owned(),
            value: local(if view.create { "/sign-up" } else { "/sign-in" }, &[("return_to", &here)]),
        },
        other_text: if view.create { w.of("sign-on-account-create") } else { w.of("sign-on-account-other") }.into(),
        action: here,
    })
}

async fn organization(call: &PageCall, here: String, view: &OrganizationChoice, unchosen: bool) -> PageAnswer {
    let w = call.words;
    let last = call.remembered(LAST).unwrap_or_default();
    let only = view.organizations.len() == 1 && view.missing.is_none();
    let mut organizations: Vec<_> = view.organizations.iter().collect();
    organizations.sort_by_cached_key(|organization| octroi_domain::fold::folded(&organization.name));
    let checks = organizations.into_iter().map(|organization| Check {
        value: organization.id.to_string(),
        label: organization.name.clone(),
        hint: number_words(w, organization.siret.as_str()),
        checked: only || organization.id.to_string() == last,
        locked: false,
    });
    let field = Field::new("organization", w.of("sign-on-organization"), Control::Radios { options: checks.collect() }).required();
    let wrong: Vec<FieldError> = unchosen
        .then(|| FieldError { name: "organization".to_owned(), message: w.of("sign-on-organization-choose").into() })
        .into_iter()
        .collect();
    let field = if unchosen { field.error(w.of("sign-on-organization-choose")) } else { field };
    let join = match &view.missing {
        Some(siret) => local("/organizations/join", &[("siret_hint", siret.as_str()), ("return_to", &here)]),
        None => local("/organizations/join", &[("return_to", &here)]),
    };
    let join = ButtonLink::new(join, w.of("sign-on-join"));
    let notice = match (&view.missing, view.organizations.is_empty()) {
        (Some(siret), _) => Some(Alert::new(
            Tone::Warning,
            w.of("sign-on-missing"),
            w.of("sign-on-missing-text").with("client", view.client.clone()).with("siret", spaced(siret)),
        )),
        (None, true) => Some(none_of_mine(call, &here, view).await?),
        (None, false) => None,
    };
    call.render(&OrganizationPage {
        shell: call.shell(w.of("sign-on-organization-title")),
        notice,
        text: w.of("sign-on-organization-text").with("client", view.client.clone()).into(),
        action: here,
        summary: errors::summary(call, &wrong),
        choice: (!view.organizations.is_empty()).then_some(field),
        join: if view.organizations.is_empty() { join } else { join.secondary() },
    })
}

/// They belong to no organisation: one may be waiting for them already.
async fn none_of_mine(call: &PageCall, here: &str, view: &OrganizationChoice) -> Result<Alert, Failure> {
    let w = call.words;
    let wishes = call.app().my_organizations(&call.context()).await?.wishes;
    let text = w.of("sign-on-none-text").with("client", view.client.clone());
    let Some(wish) = wishes.iter().find(|wish| wish.state == "pending") else {
        return Ok(Alert::new(Tone::Info, w.of("sign-on-none"), text));
    };
    let follow = local(&format!("/organizations/joining/{}", wish.id), &[("return_to", here)]);
    let title = w.of("none-yet-waits").with("name", wish.organization.name.clone());
    let text = w.of("sign-on-waits-text").with("client", view.client.clone());
    Ok(Alert::new(Tone::Info, title, text).link(follow, w.of("none-yet-follow")))
}

fn consent(call: &PageCall, here: String, view: &ConsentView) -> PageAnswer {
    let w = call.words;
    let mut facts = Facts::default().text(w.of("sign-on-goes-to"), view.goes_to.clone());
    if let Some(owner) = &view.owner {
        facts = facts.text(
            w.of("sign-on-owner"),
            w.of("sign-on-with-number").with("name", owner.name.clone()).with("number", number_words(w, owner.siret.as_str())),
        );
    }
    facts = facts.text(w.of("sign-on-as"), w.of("sign-on-name-email").with("name", view.name.clone()).with("email", view.email.clone()));
    if let Some(chosen) = &view.organization {
        let chosen = w.of("sign-on-with-number").with("name", chosen.name.clone()).with("number", number_words(w, chosen.siret.as_str()));
        facts = facts.text(w.of("sign-on-organization"), chosen);
    }
    // Where the claims of one scope are asked for one by one, they are told one by one.
    let scopes = view.scopes.iter().filter(|scope| scope.as_str() != "address").map(|scope| shared(w, scope));
    let claims = view.claims.iter().map(|claim| w.one_of("sign-on-claim", claim).to_string());
    let mut links: Vec<Link> = Vec::new();
    links.extend(view.policy_uri.as_ref().map(|href| Link::new(href, w.of("sign-on-policy"))));
    links.extend(view.tos_uri.as_ref().map(|href| Link::new(href, w.of("sign-on-terms"))));
    call.render(&ConsentPage {
        shell: call.shell(w.of("sign-on-consent-title").with("client", view.client.clone())),
        text: w.of("sign-on-consent-text").with("client", view.client.clone()).into(),
        action: here,
        shared: scopes.chain(claims).collect(),
        facts,
        links,
    })
}

/// What a scope shares: in words where it is one of ours, else by its own name.
pub fn shared(w: Words, scope: &str) -> String {
    if SCOPES.contains(&scope) {
        w.one_of("sign-on-scope", scope).into()
    } else {
        w.of("sign-on-api-scope").with("scope", scope.to_owned()).into()
    }
}

/// Back to the client: by a redirect; by a page where a browser comes from a form of ours, whose policy would stop a
/// redirect to another site; by a form where the client asks for one.
pub fn back(call: &PageCall, answer: &Back) -> PageAnswer {
    if answer.mode == ResponseMode::FormPost || call.from_here { continue_to(call, answer) } else { Ok(Page::to(answer.address())) }
}

fn continue_to(call: &PageCall, answer: &Back) -> PageAnswer {
    if answer.mode != ResponseMode::FormPost {
        return leave(call, &answer.address());
    }
    let w = call.words;
    let hidden = answer.parameters.iter().map(|(name, value)| Hidden { name: (*name).to_owned(), value: value.clone() });
    let page = call.render(&ContinuePage {
        shell: call.shell(w.of("sign-on-continue-title")),
        text: w.of("sign-on-continue-text").into(),
        link: None,
        action: answer.redirect_uri.clone(),
        hidden: hidden.collect(),
    })?;
    let page = page.with(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(page.with(header::CONTENT_SECURITY_POLICY, form_policy(&answer.redirect_uri)))
}

/// A page that leads to a registered address of another site by itself.
pub fn leave(call: &PageCall, address: &str) -> PageAnswer {
    let w = call.words;
    let page = call.render(&ContinuePage {
        shell: call.shell(w.of("sign-on-continue-title")),
        text: w.of("sign-on-continue-text").into(),
        link: Some(Link::new(address, w.of("sign-on-continue"))),
        action: String::new(),
        hidden: Vec::new(),
    })?;
    let page = page.with(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(match HeaderValue::try_from(format!("0; url={address}")) {
        Ok(value) => page.with(REFRESH, value),
        Err(_) => page,
    })
}

/// The policy of a page whose form goes to this registered address, and nowhere else.
fn form_policy(redirect_uri: &str) -> HeaderValue {
    let origin = RedirectUri::read(redirect_uri).ok().and_then(|uri| uri.origin());
    let policy = crate::headers::CSP_PAGE;
    let ours = policy.to_str().unwrap_or_default();
    let wider = origin.map(|origin| ours.replace("form-action 'self'", &format!("form-action 'self' {origin}")));
    wider.and_then(|policy| HeaderValue::try_from(policy).ok()).unwrap_or(crate::headers::CSP_PAGE)
}

fn failed(call: &PageCall, error: SignOnError) -> PageAnswer {
    match error {
        SignOnError::Refused(refusal) => refused(call, &refusal),
        SignOnError::Failed(Error::NotFound) => over(call),
        SignOnError::Failed(error) => Err(error.into()),
    }
}

/// The request was answered, or waited too long: the client begins anew.
fn over(call: &PageCall) -> PageAnswer {
    let w = call.words;
    let page = ProblemPage {
        shell: call.shell(w.of("sign-on-over-title")),
        what: w.of("sign-on-over-text").into(),
        next: w.of("sign-on-over-next").into(),
        facts: None,
    };
    Ok(call.render(&page)?.status(StatusCode::NOT_FOUND))
}

/// A request that cannot be answered to its client: shown here, with what its makers have to know.
pub fn refused(call: &PageCall, refusal: &Refusal) -> PageAnswer {
    let w = call.words;
    let mut shell = call.shell(w.of("sign-on-refused-title"));
    // Nothing of a request that cannot be trusted is repeated.
    shell.back = None;
    let page = ProblemPage {
        shell,
        what: w.of("sign-on-refused-text").into(),
        next: w.of("sign-on-refused-next").into(),
        facts: Some(
            Facts::default()
                .text(w.of("sign-on-error"), refusal.code)
                .text(w.of("sign-on-description"), refusal.description.clone())
                .text(w.of("sign-on-request-id"), call.facts.request_id.clone()),
        ),
    };
    let page = call.render(&page)?.status(StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST));
    Ok(match refusal.retry_after {
        Some(seconds) => page.with(header::RETRY_AFTER, HeaderValue::from(seconds)),
        None => page,
    })
}
