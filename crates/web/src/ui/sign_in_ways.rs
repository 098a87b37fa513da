//! Signing in without a password: by a mail, by a passkey.

use axum::http::StatusCode;
use octroi_app::{Error, accounts::Waiting};
use octroi_domain::account::ProofKind;

use super::{
    entering::{self, Afterwards, Entering, Refusal},
    kit::{Alert, Hidden, Link, Tone},
    page::{Page, PageAnswer, PageCall},
    session,
};

/// `POST /sign-in/mail`
pub async fn ask_mail(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().ask_sign_in_mail(call.form.text("email"), afterwards.back(), call.visitor(), call.now).await {
        Ok(()) if afterwards.resumes() => {
            let waiting = call.app().waiting(ProofKind::SignIn, call.visitor(), call.now).await?.ok_or(Error::NotFound)?;
            mail_page(&call, &afterwards, &waiting, None)
        }
        Ok(()) => Ok(Page::to(afterwards.path("/sign-in/mail"))),
        Err(error) => session::first_page(&call, &afterwards, Refusal::of(&call, error)?).await,
    }
}

fn mail_page(call: &PageCall, afterwards: &Afterwards, waiting: &Waiting, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("mail-code-title"), "/sign-in/mail/code", w.of("sign-in"));
    page.text = w.of("sign-in-mail-sent").with("email", waiting.email.clone()).with("minutes", octroi_app::account::proof_minutes()).into();
    page.hidden = afterwards.hidden();
    page.fields.push(entering::code(call, w.of("mail-code")));
    let hidden = std::iter::once(Hidden { name: "email".into(), value: waiting.email.clone() }).chain(afterwards.hidden()).collect();
    page.again = Some(("/sign-in/mail".into(), w.of("mail-again"), hidden));
    page.note = resend_note(call, waiting);
    page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("sign-in-otherwise")));
    page.show(call, refusal)
}

/// When another mail may be asked for.
pub fn resend_note(call: &PageCall, waiting: &Waiting) -> String {
    let w = call.words;
    if waiting.resend_in > 0 { w.of("mail-again-in").with("seconds", waiting.resend_in).into() } else { w.of("mail-not-there").into() }
}

/// `GET /sign-in/mail`
pub async fn mail(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.query);
    match call.app().waiting(ProofKind::SignIn, call.visitor(), call.now).await? {
        Some(waiting) => mail_page(&call, &afterwards, &waiting, None),
        None => Ok(Page::to(afterwards.path("/sign-in"))),
    }
}

/// `POST /sign-in/mail/code`
pub async fn mail_code(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().sign_in_code(call.form.text("code"), call.visitor(), call.now).await {
        Ok(step) => session::go(call, afterwards, step).await,
        Err(error) => {
            let refusal = Refusal::of(&call, error)?;
            match call.app().waiting(ProofKind::SignIn, call.visitor(), call.now).await? {
                Some(waiting) => mail_page(&call, &afterwards, &waiting, Some(refusal)),
                None => session::first_page(&call, &afterwards, refusal).await,
            }
        }
    }
}

/// A link that opens nothing any more.
pub fn spent(call: &PageCall, to: &str) -> PageAnswer {
    let w = call.words;
    let (action, button) = if to == "/reset-password" { (to, w.of("reset-ask")) } else { ("/sign-in/mail", w.of("mail-again")) };
    let mut page = Entering::new(w.of("link-spent-title"), action, button);
    page.alerts.push(Alert::new(Tone::Warning, w.of("link-spent"), w.of("link-spent-text")));
    let afterwards = Afterwards::here(call);
    page.hidden = afterwards.hidden();
    page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("sign-in-otherwise")));
    page.fields.push(entering::email(call, ""));
    Ok(page.show(call, None)?.status(StatusCode::NOT_FOUND))
}

/// `GET /sign-in/link/{word}`: in at once in the browser that asked; anywhere else a button, so that a program that checks links does not use
/// it up, and nobody is signed in by a link that somebody else sent them.
pub async fn link(call: PageCall) -> PageAnswer {
    let word: String = call.id("word")?;
    let afterwards = Afterwards::of(&call.query);
    match call.app().open_link(ProofKind::SignIn, &word, call.visitor(), call.now).await {
        Ok(opened) if opened.same_browser => {
            let step = call.app().sign_in_link(&word, call.visitor(), call.now).await?;
            session::go(call, afterwards, step).await
        }
        Ok(opened) => {
            let w = call.words;
            let mut page = Entering::new(w.of("sign-in"), format!("/sign-in/link/{word}"), w.of("link-open"));
            page.text = w.of("link-open-text").with("email", opened.email).into();
            page.hidden = afterwards.hidden();
            page.ways.push(Link::new("/", w.of("link-not-mine")));
            page.show(&call, None)
        }
        Err(Error::NotFound) => spent(&call, "/sign-in"),
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/link/{word}`
pub async fn open_link(call: PageCall) -> PageAnswer {
    let word: String = call.id("word")?;
    let afterwards = Afterwards::of(&call.form);
    match call.app().sign_in_link(&word, call.visitor(), call.now).await {
        Ok(step) => session::go(call, afterwards, step).await,
        Err(Error::NotFound | Error::Invalid(_)) => spent(&call, "/sign-in"),
        Err(error) => Err(error.into()),
    }
}

/// `POST /sign-in/passkey/options`
pub async fn passkey_options(call: PageCall) -> PageAnswer {
    Ok(Page::data(&call.app().ask_passkey(&call.context(), call.visitor()).await?))
}

/// `POST /sign-in/passkey`
pub async fn passkey(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().sign_in_passkey(&call.context(), call.form.text("passkey"), call.visitor()).await {
        Ok(step) => session::go(call, afterwards, step).await,
        Err(error) => session::first_page(&call, &afterwards, Refusal::of(&call, error)?).await,
    }
}
