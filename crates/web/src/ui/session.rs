//! Signing in and out, the language of the pages, and going on with what was typed after a session ended.

use askama::Template;
use axum::http::{StatusCode, header};
use octroi_app::{Error, sessions::SignedIn};
use octroi_domain::text::Language;

use super::{
    errors,
    form::{Form, MAX_FORM},
    kit::{Alert, ErrorSummary, Field, FieldError, Hidden, Tone},
    page::{LANGUAGE, Page, PageAnswer, PageCall, Shell, local},
    words::Words,
};
use crate::principal::{Session, session_cookie};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    shell: Shell,
    summary: Option<ErrorSummary>,
    notice: Option<Alert>,
    email: Field,
    password: Field,
    hidden: Vec<Hidden>,
    /// The accounts of the demo.
    accounts: bool,
}

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    shell: Shell,
    path: String,
    kept: Vec<Hidden>,
}

/// To the sign-in page, and back here afterwards.
pub fn ask(call: &PageCall) -> Page {
    let back = if call.raw_query.is_empty() { call.facts.path.clone() } else { format!("{}?{}", call.facts.path, call.raw_query) };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", &back).finish();
    Page::to(format!("/sign-in?{query}"))
}

/// What goes on after signing in: a page, or a form that was sent when nobody was signed in any more.
#[derive(Default)]
struct Afterwards {
    return_to: Option<String>,
    resume_path: Option<String>,
    resume_body: String,
}
impl Afterwards {
    fn of(form: &Form) -> Self {
        Self {
            return_to: form.get("return_to").and_then(local).map(str::to_owned),
            resume_path: form.get("_resume_path").and_then(local).map(str::to_owned),
            resume_body: form.get("_resume_body").filter(|body| body.len() <= MAX_FORM).unwrap_or_default().to_owned(),
        }
    }
    fn hidden(&self) -> Vec<Hidden> {
        let body = self.resume_path.as_ref().map(|_| ("_resume_body", self.resume_body.clone()));
        let pairs =
            [self.return_to.clone().map(|value| ("return_to", value)), self.resume_path.clone().map(|value| ("_resume_path", value)), body];
        pairs.into_iter().flatten().map(|(name, value)| Hidden { name: name.to_owned(), value }).collect()
    }
}

fn page(call: &PageCall, afterwards: &Afterwards, email: &str, wrong: Option<String>) -> PageAnswer {
    let w = call.words;
    let errors: Vec<FieldError> = wrong.iter().map(|message| FieldError { name: "email".to_owned(), message: message.clone() }).collect();
    let notice = afterwards.resume_path.as_ref().map(|_| Alert::new(Tone::Warning, w.of("session-ended"), w.of("session-ended-kept")));
    call.render(&SignInPage {
        shell: call.shell(w.of("sign-in")),
        summary: errors::summary(call, &errors),
        notice,
        email: Field::line("email", w.of("sign-in-email"), email).kind("email", "username").required().error(wrong.unwrap_or_default()),
        password: Field::line("password", w.of("sign-in-password"), "").kind("password", "current-password").required(),
        hidden: afterwards.hidden(),
        accounts: call.app().settings().demo,
    })
}

/// `GET /sign-in`
pub async fn show(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.query);
    if call.me.is_some() {
        return Ok(Page::to(afterwards.return_to.as_deref().unwrap_or("/dashboard")));
    }
    page(&call, &afterwards, "", None)
}

/// `POST /sign-in`
pub async fn sign_in(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    let email = call.form.text("email");
    match call.app().sign_in(email, call.form.get("password").unwrap_or_default(), &call.address, call.now).await {
        Ok(signed_in) => welcome(call, afterwards, signed_in).await,
        Err(Error::WrongPassword) => {
            let wrong = call.words.of("sign-in-wrong").to_string();
            Ok(page(&call, &afterwards, email, Some(wrong))?.status(StatusCode::UNAUTHORIZED))
        }
        Err(Error::TooManyAttempts { retry_after }) => {
            let wrong = call.words.of("sign-in-too-many").with("minutes", retry_after.div_ceil(60)).to_string();
            let shown = page(&call, &afterwards, email, Some(wrong))?.status(StatusCode::TOO_MANY_REQUESTS);
            Ok(shown.with(header::RETRY_AFTER, retry_after.into()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn welcome(mut call: PageCall, afterwards: Afterwards, signed_in: SignedIn) -> PageAnswer {
    let cookie = session_cookie(&call.shared, Some(&signed_in.session))
        .ok_or_else(|| Error::Internal("a session that no cookie can hold".to_owned()))?;
    call.session = Some(Session { cookie: signed_in.session });
    call.me = Some(signed_in.me);
    let page = match afterwards.resume_path {
        Some(path) => go_on(&call, path, &afterwards.resume_body)?,
        None => Page::to(afterwards.return_to.as_deref().unwrap_or("/dashboard")),
    };
    Ok(page.with(header::SET_COOKIE, cookie))
}

/// Shows what was typed once more, to be sent by a click: the token of the form is the new session's.
fn go_on(call: &PageCall, path: String, body: &str) -> PageAnswer {
    let form = Form::parse(body.as_bytes()).unwrap_or_default();
    let kept = form.pairs().map(|(name, value)| Hidden { name: name.to_owned(), value: value.to_owned() }).collect();
    call.render(&ResumePage { shell: call.shell(call.words.of("resume-title")), path, kept })
}

/// A form arrived without the session that it was made for: sign in (or confirm), and it is sent again.
pub fn resume(call: &PageCall) -> PageAnswer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(call.form.pairs()).finish();
    if call.session.is_some() {
        return go_on(call, call.facts.path.clone(), &body);
    }
    let afterwards = Afterwards { return_to: None, resume_path: Some(call.facts.path.clone()), resume_body: body };
    Ok(page(call, &afterwards, "", None)?.status(StatusCode::UNAUTHORIZED))
}

/// `POST /sign-out`
pub async fn sign_out(call: PageCall) -> PageAnswer {
    if let Some(session) = &call.session {
        call.app().sign_out(&call.context(), &session.cookie).await?;
    }
    let page = Page::to("/").flash("signed-out", "");
    Ok(match session_cookie(&call.shared, None) {
        Some(cookie) => page.with(header::SET_COOKIE, cookie),
        None => page,
    })
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
