//! Signing in and out, the language of the pages, and going on with what was typed after a session ended.

use askama::Template;
use axum::http::{StatusCode, header};
use octroi_app::{
    Error,
    request_forms::RequestForm,
    sessions::{SignedIn, Step},
};
use octroi_domain::{
    definition::{
        Field as AskedQuestion, FieldKind,
        field::{CERTIFICATION_MEMBERS, CONTACT_MEMBERS, DOCUMENT_MEMBERS},
    },
    text::Language,
};

use super::{
    answers,
    entering::{self, Afterwards, Entering, Other, Refusal},
    form::Form,
    kit::{Alert, Cell, Facts, Field, Hidden, Link, Tone},
    page::{LANGUAGE, Page, PageAnswer, PageCall, Shell, local},
    words::Words,
};
use crate::principal::{Session, session_cookie};

/// The only field that never stands in a page again.
const PASSWORD: &str = "password";

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    shell: Shell,
    path: String,
    /// What will be sent, for the person to read.
    shown: Facts,
    kept: Vec<Hidden>,
    /// A password has to be typed again.
    without: bool,
}

/// To the sign-in page, and back here afterwards.
pub fn ask(call: &PageCall) -> Page {
    let back = if call.raw_query.is_empty() { call.facts.path.clone() } else { format!("{}?{}", call.facts.path, call.raw_query) };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", &back).finish();
    Page::to(format!("/sign-in?{query}"))
}

/// The first page asks who; the second offers what any account could have, whether there is one or not.
async fn page(call: &PageCall, afterwards: &Afterwards, who: &str, refusal: Option<Refusal>, second: bool) -> PageAnswer {
    let w = call.words;
    let button = if second { w.of("sign-in") } else { w.of("sign-in-next") };
    let mut page = Entering::new(w.of("sign-in"), "/sign-in", button);
    if afterwards.resumes() {
        page.alerts.push(Alert::new(Tone::Warning, w.of("session-ended"), w.of("session-ended-kept")));
    }
    page.text = afterwards.sent_by(call).await.unwrap_or_default();
    page.hidden = afterwards.hidden();
    page.fields.push(entering::email(call, who));
    if second {
        page.fields.push(Field::line(PASSWORD, w.of("sign-in-password"), "").kind("password", "current-password").required());
        page.others.push(Other { action: "/sign-in/mail".into(), text: w.of("sign-in-by-mail").into() });
    }
    page.passkey = Some(("/sign-in/passkey".into(), w.of("sign-in-by-passkey").into()));
    page.providers = super::connections::buttons(call, afterwards, who).await;
    page.ways.push(Link::new(afterwards.path_with("/reset-password", &[("login_hint", who)]), w.of("sign-in-forgotten")));
    page.ways.push(Link::new(afterwards.path("/sign-up"), w.of("sign-in-no-account")));
    if call.app().settings().demo {
        page.note = w.of("sign-in-demo").into();
    }
    page.show(call, refusal)
}

/// `GET /sign-in`
pub async fn show(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.query);
    if call.me.is_some() {
        return Ok(Page::to(afterwards.return_to.as_deref().unwrap_or("/dashboard")));
    }
    let hint: String = call.query.text("login_hint").chars().filter(|c| !c.is_control()).take(254).collect();
    page(&call, &afterwards, &hint, None, false).await
}

/// `POST /sign-in`
pub async fn sign_in(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    let email = call.form.text("email");
    let Some(password) = call.form.get(PASSWORD) else {
        let missing = email.is_empty().then(|| wrong_address(&call));
        let second = missing.is_none();
        return page(&call, &afterwards, email, missing.map(|error| Refusal::of(&call, error)).transpose()?, second).await;
    };
    match call.app().sign_in(email, password, None, call.visitor(), call.now).await {
        Ok(step) => go(call, afterwards, step).await,
        Err(error) => page(&call, &afterwards, email, Some(Refusal::of(&call, error)?), true).await,
    }
}

fn wrong_address(call: &PageCall) -> Error {
    let message = octroi_domain::text::Text::new(call.words.of("email-missing"), call.words.of("email-missing"));
    Error::Invalid(vec![octroi_domain::definition::FieldError { pointer: "/email".into(), code: "missing".into(), message }])
}

/// The page that asks for who it is, with what is wrong with an address typed elsewhere.
pub async fn first_page(call: &PageCall, afterwards: &Afterwards, refusal: Refusal) -> PageAnswer {
    page(call, afterwards, call.form.text("email"), Some(refusal), true).await
}

/// On with a sign-in: in, or to the second factor.
pub async fn go(call: PageCall, afterwards: Afterwards, step: Step) -> PageAnswer {
    match step {
        Step::In(signed_in) => welcome(call, afterwards, *signed_in).await,
        Step::SecondFactor if afterwards.resumes() => super::second_factor::page(&call, &afterwards, None).await,
        Step::SecondFactor => Ok(Page::to(afterwards.path("/sign-in/second-factor"))),
    }
}

/// A session is open, or goes on under a new cookie.
pub async fn welcome(mut call: PageCall, afterwards: Afterwards, signed_in: SignedIn) -> PageAnswer {
    let cookie = session_cookie(&call.shared, Some(&signed_in.session))
        .ok_or_else(|| Error::Internal("a session that no cookie can hold".to_owned()))?;
    if let Some(found) = call.app().session(&signed_in.session, call.now).await? {
        // One browser has one session: whoever was in here before is out, on the server too.
        if let Some(before) = call.session.as_ref().filter(|before| before.held.id != found.session.id) {
            call.app().sign_out(&call.context(), &before.cookie).await?;
        }
        call.principal = found.principal;
        call.session =
            Some(Session { cookie: signed_in.session, held: found.session, second_factor_required: found.second_factor_required });
    }
    call.me = Some(signed_in.me);
    let page = match afterwards.resume_path {
        Some(path) => go_on(&call, path, &afterwards.resume_body).await?,
        None => Page::to(afterwards.return_to.as_deref().unwrap_or("/dashboard")),
    };
    Ok(page.with(header::SET_COOKIE, cookie))
}

/// Shows what was typed once more, to be sent by a click: the token of the form is the new session's.
async fn go_on(call: &PageCall, path: String, body: &str) -> PageAnswer {
    let form = Form::parse(body.as_bytes()).unwrap_or_default();
    let request = path.strip_prefix("/access-requests/").and_then(|rest| rest.split('/').next()?.parse().ok());
    let asked = match request {
        Some(request) => call.app().request_form(&call.context(), request).await.ok(),
        None => None,
    };
    let w = call.words;
    let kept: Vec<(&str, &str)> = form.pairs().filter(|(name, _)| *name != PASSWORD).collect();
    let facts = kept.iter().filter(|(name, value)| !ours(name) && !value.trim().is_empty());
    call.render(&ResumePage {
        shell: call.shell(call.words.of("resume-title")),
        path,
        shown: Facts {
            facts: facts.map(|(name, value)| (label(w, asked.as_ref(), name), typed(w, asked.as_ref(), name, value))).collect(),
        },
        without: form.has(PASSWORD),
        kept: kept.into_iter().map(|(name, value)| Hidden { name: name.to_owned(), value: value.to_owned() }).collect(),
    })
}

/// What our pages put into a form beside what is typed: it goes on, and is not read.
fn ours(name: &str) -> bool {
    const OURS: [&str; 8] = ["version", "content_hash", "next", "from", "then", "template", "return_to", "insert"];
    name.starts_with('_') || OURS.contains(&name)
}

/// What a person calls a field: as the form of a request asks it, as many forms have it; any other by the
/// name that it is sent under.
fn label(w: Words, asked: Option<&RequestForm>, name: &str) -> String {
    const NAMED: [&str; 14] = [
        "decision",
        "email",
        "family_name",
        "given_name",
        "level",
        "message",
        "name",
        "organization",
        "perimeter",
        "reason",
        "role",
        "siret",
        "text",
        "title",
    ];
    let (id, member) = name.split_once('.').map_or((name, ""), |(id, rest)| (id, rest.rsplit('.').next().unwrap_or_default()));
    if let Some(field) = field(asked, id) {
        let member = match &field.kind {
            FieldKind::Contact { .. } if CONTACT_MEMBERS.contains(&member) => w.one_of("contact", member),
            FieldKind::Certification if CERTIFICATION_MEMBERS.contains(&member) => w.one_of("certification", member),
            FieldKind::Documents if DOCUMENT_MEMBERS.contains(&member) => w.one_of("document", member),
            _ => return w.text(&field.label),
        };
        return w.of("missing-member").with("field", w.text(&field.label)).with("member", member.to_string()).into();
    }
    if NAMED.contains(&name) { w.one_of("sent", name).into() } else { name.to_owned() }
}

fn field<'a>(asked: Option<&'a RequestForm>, id: &str) -> Option<&'a AskedQuestion> {
    let mut fields = asked?.steps.iter().flat_map(|step| &step.fields);
    fields.find(|asked| asked.field.id == id).map(|asked| &asked.field)
}

/// What was typed, or the name of what was chosen.
fn typed(w: Words, asked: Option<&RequestForm>, name: &str, value: &str) -> Cell {
    match (asked, field(asked, name).map(|field| &field.kind)) {
        (Some(asked), Some(FieldKind::Scopes { .. })) => Cell::text(answers::scope(w, &asked.definition, value)),
        (_, Some(FieldKind::Choice { options } | FieldKind::Choices { options })) => Cell::text(answers::named(w, options, value)),
        (_, Some(FieldKind::Boolean | FieldKind::Agreement)) => {
            Cell::text(if value == "true" { w.of("answer-yes") } else { w.of("answer-no") })
        }
        _ if name == "decision" && ["approve", "request_changes", "refuse"].contains(&value) => {
            Cell::text(w.one_of("decision-word", value))
        }
        _ => Cell::Typed(value.to_owned()),
    }
}

/// A form arrived without the session that it was made for: sign in (or confirm), and it is sent again.
pub async fn resume(call: &PageCall) -> PageAnswer {
    // A password does not stand in a page: only that there was one.
    let pairs = call.form.pairs().map(|(name, value)| (name, if name == PASSWORD { "" } else { value }));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if call.session.is_some() {
        return Ok(go_on(call, call.facts.path.clone(), &body).await?.status(StatusCode::FORBIDDEN));
    }
    let afterwards = Afterwards { return_to: None, resume_path: Some(call.facts.path.clone()), resume_body: body };
    Ok(page(call, &afterwards, "", None, false).await?.status(StatusCode::UNAUTHORIZED))
}

/// What was asked for, to go on with it after somebody proved more: a page, or a form with all that was sent.
pub fn afterwards_of(call: &PageCall) -> Afterwards {
    if call.posted {
        let pairs = call.form.pairs().map(|(name, value)| (name, if name == PASSWORD { "" } else { value }));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        return Afterwards { return_to: None, resume_path: Some(call.facts.path.clone()), resume_body: body };
    }
    let back = if call.raw_query.is_empty() { call.facts.path.clone() } else { format!("{}?{}", call.facts.path, call.raw_query) };
    Afterwards::to(&back)
}

/// `POST /sign-out`
pub async fn sign_out(call: PageCall) -> PageAnswer {
    // Asked before the session is gone: whether a provider opened it, whose own session ends too.
    let upstream = call.app().upstream_logout(&call.context()).await;
    if let Some(session) = &call.session {
        call.app().sign_out(&call.context(), &session.cookie).await?;
    }
    // With a way back: to come as somebody else.
    let back = call.form.get("return_to").and_then(local);
    let page = match upstream.filter(|_| back.is_none_or(|path| path == "/")) {
        Some(address) => super::sign_on::leave(&signed_out(call.clone()), &address)?,
        None => Page::to(back.unwrap_or("/")).flash("signed-out", ""),
    };
    Ok(match session_cookie(&call.shared, None) {
        Some(cookie) => page.with(header::SET_COOKIE, cookie),
        None => page,
    })
}

/// The same request, of nobody.
fn signed_out(call: PageCall) -> PageCall {
    PageCall { principal: octroi_domain::policy::Principal::Anonymous, session: None, me: None, ..call }
}

/// `POST /language`
pub async fn language(call: PageCall) -> PageAnswer {
    let language = if call.form.text("language") == "en" { Language::En } else { Language::Fr };
    // The mails of who is signed in follow; the page changes language even when that cannot be kept.
    if let Err(error) = call.app().choose_language(&call.context(), language).await {
        tracing::warn!(%error, "a choice of language was not kept for mails");
    }
    let back = call.form.get("return_to").and_then(local).unwrap_or("/");
    Ok(Page::to(back).remember(LANGUAGE, Words::new(language).code()))
}
