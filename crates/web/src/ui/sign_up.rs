//! Opening an account, and choosing a new password. No page tells whether an address has an account.

use octroi_app::{
    Error,
    accounts::{NewAccount, Waiting},
};
use octroi_domain::account::ProofKind;

use super::{
    entering::{self, Afterwards, Entering, Refusal},
    kit::{Alert, Field, Hidden, Link, Tone},
    page::{Page, PageAnswer, PageCall},
    session,
    sign_in_ways::{resend_note, spent},
};

async fn first(call: &PageCall, afterwards: &Afterwards, email: &str, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("sign-up"), "/sign-up", w.of("sign-in-next"));
    page.text = w.of("sign-up-text").into();
    if let Some(service) = afterwards.sent_by(call).await {
        page.text = format!("{service} {}", page.text);
    }
    page.hidden = afterwards.hidden();
    page.fields.push(entering::email(call, email));
    page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("sign-up-known")));
    page.show(call, refusal)
}

/// `GET /sign-up`
pub async fn show(call: PageCall) -> PageAnswer {
    let hint: String = call.query.text("login_hint").chars().filter(|c| !c.is_control()).take(254).collect();
    first(&call, &Afterwards::of(&call.query), &hint, None).await
}

/// `POST /sign-up`
pub async fn ask(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    let email = call.form.text("email");
    match call.app().sign_up(email, afterwards.back(), call.visitor(), call.words.language(), call.now).await {
        Ok(()) => Ok(Page::to(afterwards.path("/sign-up/code"))),
        Err(error) => first(&call, &afterwards, email, Some(Refusal::of(&call, error)?)).await,
    }
}

fn code_page(call: &PageCall, afterwards: &Afterwards, waiting: &Waiting, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("mail-code-title"), "/sign-up/code", w.of("sign-in-next"));
    page.text = w.of("sign-up-sent").with("email", waiting.email.clone()).with("minutes", octroi_app::account::proof_minutes()).into();
    page.hidden = afterwards.hidden();
    page.fields.push(entering::code(call, w.of("mail-code")));
    let hidden = std::iter::once(Hidden { name: "email".into(), value: waiting.email.clone() }).chain(afterwards.hidden()).collect();
    page.again = Some(("/sign-up".into(), w.of("mail-again"), hidden));
    page.note = resend_note(call, waiting);
    page.ways.push(Link::new(afterwards.path("/sign-up"), w.of("sign-up-other-address")));
    page.show(call, refusal)
}

/// `GET /sign-up/code`
pub async fn code(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.query);
    match call.app().waiting(ProofKind::SignUp, call.visitor(), call.now).await? {
        Some(waiting) if waiting.proven => Ok(Page::to(afterwards.path("/sign-up/finish"))),
        Some(waiting) => code_page(&call, &afterwards, &waiting, None),
        None => Ok(Page::to(afterwards.path("/sign-up"))),
    }
}

/// `POST /sign-up/code`
pub async fn prove(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().prove_sign_up(call.form.text("code"), call.visitor(), call.now).await {
        Ok(()) => Ok(Page::to(afterwards.path("/sign-up/finish"))),
        Err(error) => {
            let refusal = Refusal::of(&call, error)?;
            match call.app().waiting(ProofKind::SignUp, call.visitor(), call.now).await? {
                Some(waiting) => code_page(&call, &afterwards, &waiting, Some(refusal)),
                None => first(&call, &afterwards, "", Some(refusal)).await,
            }
        }
    }
}

/// The fields of a person's names.
pub fn names(call: &PageCall, given: &str, family: &str) -> [Field; 2] {
    let w = call.words;
    [
        Field::line("given_name", w.of("given-name"), given).kind("text", "given-name").required(),
        Field::line("family_name", w.of("family-name"), family).kind("text", "family-name").required(),
    ]
}

fn finish_page(call: &PageCall, afterwards: &Afterwards, waiting: &Waiting, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("sign-up-finish"), "/sign-up/finish", w.of("sign-up-open"));
    page.text = w.of("sign-up-finish-text").with("email", waiting.email.clone()).into();
    page.hidden = afterwards.hidden();
    page.fields.extend(names(call, call.form.text("given_name"), call.form.text("family_name")));
    page.fields.push(Field { label: w.of("sign-in-password").into(), ..entering::new_password(call) });
    page.show(call, refusal)
}

/// `GET /sign-up/finish`
pub async fn finish(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.query);
    match call.app().waiting(ProofKind::SignUp, call.visitor(), call.now).await? {
        Some(waiting) if waiting.proven => finish_page(&call, &afterwards, &waiting, None),
        _ => Ok(Page::to(afterwards.path("/sign-up/code"))),
    }
}

/// `POST /sign-up/finish`
pub async fn open(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    let new = NewAccount {
        given_name: call.form.text("given_name").to_owned(),
        family_name: call.form.text("family_name").to_owned(),
        password: call.form.get("password").unwrap_or_default().to_owned(),
        language: call.words.language(),
    };
    match call.app().finish_sign_up(new, call.visitor(), call.now).await {
        Ok(signed_in) => session::welcome(call, afterwards, signed_in).await,
        Err(Error::NotFound) => Ok(Page::to(afterwards.path("/sign-up"))),
        Err(error) => {
            let refusal = Refusal::of(&call, error)?;
            match call.app().waiting(ProofKind::SignUp, call.visitor(), call.now).await? {
                Some(waiting) => finish_page(&call, &afterwards, &waiting, Some(refusal)),
                None => first(&call, &afterwards, "", Some(refusal)).await,
            }
        }
    }
}

fn reset_page(call: &PageCall, afterwards: &Afterwards, email: &str, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("reset-title"), "/reset-password", w.of("reset-ask"));
    page.text = w.of("reset-text").into();
    page.hidden = afterwards.hidden();
    page.fields.push(entering::email(call, email));
    page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("sign-in-otherwise")));
    page.show(call, refusal)
}

/// `GET /reset-password`
pub async fn reset(call: PageCall) -> PageAnswer {
    let hint: String = call.query.text("login_hint").chars().filter(|c| !c.is_control()).take(254).collect();
    reset_page(&call, &Afterwards::of(&call.query), &hint, None)
}

/// `POST /reset-password`: the same sentence for every address.
pub async fn ask_reset(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    let email = call.form.text("email");
    match call.app().ask_reset(email, afterwards.back(), call.visitor(), call.now).await {
        Ok(()) => {
            let w = call.words;
            let mut page = Entering::new(w.of("reset-title"), "/reset-password", w.of("mail-again"));
            let text = w.of("reset-sent-text").with("email", email.to_owned()).with("minutes", octroi_app::account::proof_minutes());
            page.alerts.push(Alert::new(Tone::Info, w.of("reset-sent"), text));
            page.hidden = afterwards.hidden();
            page.fields.push(entering::email(&call, email));
            page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("sign-in-otherwise")));
            page.show(&call, None)
        }
        Err(error) => reset_page(&call, &afterwards, email, Some(Refusal::of(&call, error)?)),
    }
}

fn choose_page(call: &PageCall, word: &str, email: &str, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("reset-title"), format!("/reset-password/{word}"), w.of("reset-choose"));
    page.text = w.of("reset-choose-text").into();
    page.hidden = Afterwards::here(call).hidden();
    page.fields.push(Field { control: super::kit::Control::Fixed { value: email.to_owned() }, ..entering::email(call, "") });
    page.fields.push(entering::new_password(call));
    page.show(call, refusal)
}

/// `GET /reset-password/{word}`
pub async fn choose(call: PageCall) -> PageAnswer {
    let word: String = call.id("word")?;
    match call.app().open_link(ProofKind::Reset, &word, call.visitor(), call.now).await {
        Ok(opened) => choose_page(&call, &word, &opened.email, None),
        Err(Error::NotFound) => spent(&call, "/reset-password"),
        Err(error) => Err(error.into()),
    }
}

/// `POST /reset-password/{word}`
pub async fn chosen(call: PageCall) -> PageAnswer {
    let word: String = call.id("word")?;
    let opened = match call.app().open_link(ProofKind::Reset, &word, call.visitor(), call.now).await {
        Ok(opened) => opened,
        Err(Error::NotFound) => return spent(&call, "/reset-password"),
        Err(error) => return Err(error.into()),
    };
    match call.app().reset(&word, call.form.get("password").unwrap_or_default().to_owned(), call.now).await {
        Ok(()) => {
            let sign_in = Afterwards::of(&call.form).path_with("/sign-in", &[("login_hint", &opened.email)]);
            Ok(Page::to(sign_in).flash("password-reset", ""))
        }
        Err(Error::NotFound) => spent(&call, "/reset-password"),
        Err(error) => choose_page(&call, &word, &opened.email, Some(Refusal::of(&call, error)?)),
    }
}
