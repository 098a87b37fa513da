//! One shape for the pages that one comes in by, and that change what one comes in with: a few fields, a button, other ways.

use askama::Template;
use axum::http::{StatusCode, header};
use octroi_app::Error;

use super::{
    errors,
    form::{Form, MAX_FORM},
    kit::{self, Alert, ButtonLink, Field, Hidden, Link, PasskeyForm, PostButton, Tone},
    page::{PageAnswer, PageCall, Shell, local},
    words::{Phrase, Words},
};
use crate::problem::Failure;

/// What goes on after signing in: a page, or a form that was sent when nobody was signed in any more.
#[derive(Default, Clone)]
pub struct Afterwards {
    pub return_to: Option<String>,
    pub resume_path: Option<String>,
    pub resume_body: String,
}
impl Afterwards {
    pub fn of(form: &Form) -> Self {
        Self {
            return_to: form.get("return_to").and_then(local).map(str::to_owned),
            resume_path: form.get("_resume_path").and_then(local).map(str::to_owned),
            resume_body: form.get("_resume_body").filter(|body| body.len() <= MAX_FORM).unwrap_or_default().to_owned(),
        }
    }

    pub fn to(return_to: &str) -> Self {
        Self { return_to: local(return_to).map(str::to_owned), ..Self::default() }
    }

    /// The page to come back to, or nothing: for a mail.
    pub fn back(&self) -> &str {
        self.return_to.as_deref().unwrap_or_default()
    }

    /// Which service sent this person here, in words; nothing where none did.
    pub async fn sent_by(&self, call: &PageCall) -> Option<String> {
        let word = self.return_to.as_deref()?.strip_prefix("/oauth/authorize/")?;
        let client = call.app().asking_client(word, call.now).await?;
        Some(call.words.of("sign-on-sent-by").with("client", client).into())
    }

    /// Of a page, or of the form that was sent from it.
    pub fn here(call: &PageCall) -> Self {
        Self::of(if call.posted { &call.form } else { &call.query })
    }

    pub fn hidden(&self) -> Vec<Hidden> {
        let body = self.resume_path.as_ref().map(|_| ("_resume_body", self.resume_body.clone()));
        let pairs =
            [self.return_to.clone().map(|value| ("return_to", value)), self.resume_path.clone().map(|value| ("_resume_path", value)), body];
        pairs.into_iter().flatten().map(|(name, value)| Hidden { name: name.to_owned(), value }).collect()
    }

    /// A page of ours that goes on to the same place; what was sent with a form does not travel in an address.
    pub fn path(&self, path: &str) -> String {
        self.path_with(path, &[])
    }

    /// The same, of a page that is told more.
    pub fn path_with(&self, path: &str, pairs: &[(&str, &str)]) -> String {
        let back = self.return_to.as_deref().map(|back| ("return_to", back));
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(pairs.iter().copied().chain(back)).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }

    pub const fn resumes(&self) -> bool {
        self.resume_path.is_some()
    }
}

/// Another button of the same form: what was typed goes along.
pub struct Other {
    pub action: String,
    pub text: String,
}

#[derive(Template)]
#[template(path = "entering.html")]
struct EnteringPage {
    shell: Shell,
    alerts: Vec<Alert>,
    summary: Option<kit::ErrorSummary>,
    text: String,
    action: String,
    hidden: Vec<Hidden>,
    fields: Vec<Field>,
    button: String,
    danger: bool,
    others: Vec<Other>,
    passkey: Option<PasskeyForm>,
    again: Option<PostButton>,
    providers: Vec<ButtonLink>,
    ways: Vec<Link>,
    note: String,
}

/// A page that is being put together.
pub struct Entering {
    title: Phrase,
    action: String,
    button: Phrase,
    pub text: String,
    pub alerts: Vec<Alert>,
    pub hidden: Vec<Hidden>,
    pub fields: Vec<Field>,
    pub danger: bool,
    pub others: Vec<Other>,
    pub passkey: Option<(String, String)>,
    pub again: Option<(String, Phrase, Vec<Hidden>)>,
    /// Other providers that one comes in by.
    pub providers: Vec<ButtonLink>,
    pub ways: Vec<Link>,
    pub note: String,
    pub under: Vec<Link>,
}

impl Entering {
    pub fn new(title: Phrase, action: impl Into<String>, button: Phrase) -> Self {
        Self {
            title,
            action: action.into(),
            button,
            text: String::new(),
            alerts: Vec::new(),
            hidden: Vec::new(),
            fields: Vec::new(),
            danger: false,
            others: Vec::new(),
            passkey: None,
            again: None,
            providers: Vec::new(),
            ways: Vec::new(),
            note: String::new(),
            under: Vec::new(),
        }
    }

    /// The page; with what was wrong, when something was.
    pub fn show(mut self, call: &PageCall, refusal: Option<Refusal>) -> PageAnswer {
        let refusal = refusal.unwrap_or_default();
        let (mut of_fields, mut others) = (Vec::new(), Vec::new());
        for error in refusal.errors {
            match self.fields.iter_mut().find(|field| field.name == error.name) {
                Some(field) => {
                    field.error.clone_from(&error.message);
                    of_fields.push(error);
                }
                None => others.push(Alert::new(Tone::Bad, error.message, String::new()).focused()),
            }
        }
        let shell = call.shell(self.title);
        let shell = if self.under.is_empty() { shell } else { shell.under(self.under) };
        let passkey = self.passkey.filter(|_| call.app().has_passkeys()).map(|(action, label)| PasskeyForm {
            action,
            options: "/sign-in/passkey/options".to_owned(),
            make: false,
            label,
            failed: call.words.of("passkey-failed").into(),
            guard: shell.guard(),
            hidden: self.hidden.clone(),
            fields: Vec::new(),
        });
        let again = self.again.map(|(action, label, hidden)| PostButton { hidden, ..PostButton::new(action, label, shell.guard()) });
        let page = EnteringPage {
            summary: errors::summary(call, &of_fields),
            alerts: refusal.alert.into_iter().chain(others).chain(self.alerts).collect(),
            text: self.text,
            action: self.action,
            hidden: self.hidden,
            fields: self.fields,
            button: self.button.into(),
            danger: self.danger,
            others: self.others,
            passkey,
            again,
            providers: self.providers,
            ways: self.ways,
            note: self.note,
            shell,
        };
        let page = call.render(&page)?;
        let page = if let Some(status) = refusal.status { page.status(status) } else { page };
        Ok(if let Some(wait) = refusal.retry_after { page.with(header::RETRY_AFTER, wait.into()) } else { page })
    }
}

/// Why a form was not taken, on the same page.
#[derive(Default)]
pub struct Refusal {
    alert: Option<Alert>,
    errors: Vec<kit::FieldError>,
    status: Option<StatusCode>,
    retry_after: Option<u32>,
}
impl Refusal {
    /// One field is wrong, in words of the page's own.
    pub fn of_field(name: &str, message: Phrase, status: StatusCode) -> Self {
        let error = kit::FieldError { name: name.to_owned(), message: message.into() };
        Self { errors: vec![error], status: Some(status), ..Self::default() }
    }

    /// # Errors
    /// What this page cannot say: it gets a page of its own.
    pub fn of(call: &PageCall, error: Error) -> Result<Self, Failure> {
        let w = call.words;
        let alert = |status, title: Phrase, text: String| {
            Ok(Self { alert: Some(Alert::new(Tone::Bad, title, text).focused()), status: Some(status), ..Self::default() })
        };
        match error {
            Error::Invalid(errors) => {
                Ok(Self { errors: errors::fields(call, &errors), status: Some(StatusCode::UNPROCESSABLE_ENTITY), ..Self::default() })
            }
            Error::WrongPassword => alert(StatusCode::UNAUTHORIZED, w.of("sign-in-wrong"), w.of("sign-in-wrong-text").into()),
            Error::TooManyAttempts { retry_after } => Ok(Self {
                alert: Some(too_many(w, retry_after)),
                status: Some(StatusCode::TOO_MANY_REQUESTS),
                retry_after: Some(retry_after),
                ..Self::default()
            }),
            Error::Conflict { text, .. } => alert(StatusCode::CONFLICT, w.of("not-possible"), w.text(&text)),
            error => Err(error.into()),
        }
    }
}

/// Too much of something, and how long to wait.
pub fn too_many(w: Words, retry_after: u32) -> Alert {
    let wait = if retry_after > 90 {
        w.of("sign-in-too-many-text").with("minutes", retry_after.div_ceil(60))
    } else {
        w.of("wait-seconds").with("seconds", retry_after)
    };
    Alert::new(Tone::Bad, w.of("sign-in-too-many"), wait).focused()
}

/// The field of an address.
pub fn email(call: &PageCall, value: &str) -> Field {
    Field::line("email", call.words.of("sign-in-email"), value).kind("email", "username").required()
}

/// The field of a code that was sent by mail.
pub fn code(call: &PageCall, label: Phrase) -> Field {
    Field::line("code", label, call.form.text("code")).kind("text", "one-time-code").required()
}

/// The field of a password that is chosen.
pub fn new_password(call: &PageCall) -> Field {
    let w = call.words;
    let hint = w.of("password-hint").with("least", octroi_app::password::MIN_LENGTH).with("most", octroi_app::password::MAX_LENGTH);
    Field::line("password", w.of("password-new"), "").kind("password", "new-password").hint(hint).required()
}
