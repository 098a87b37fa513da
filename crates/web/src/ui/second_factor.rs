//! Proving more: a second factor, and once more who is there.

use axum::http::StatusCode;
use octroi_app::Error;

use super::{
    entering::{self, Afterwards, Entering, Refusal},
    kit::{Control, Field, Link},
    page::{Page, PageAnswer, PageCall},
    session,
};

/// Where a second factor is missing: it comes first, and then what was asked for.
pub async fn first(call: &PageCall) -> PageAnswer {
    let afterwards = session::afterwards_of(call);
    if afterwards.resumes() { page(call, &afterwards, None).await } else { Ok(Page::to(afterwards.path("/sign-in/second-factor"))) }
}

/// Where the last proof is too long ago: another comes first, and then what was asked for.
pub async fn again_first(call: &PageCall) -> PageAnswer {
    let afterwards = session::afterwards_of(call);
    if afterwards.resumes() { again_page(call, &afterwards, None).await } else { Ok(Page::to(afterwards.path("/sign-in/again"))) }
}

/// Asks for a second factor; leads to where one is set up, when there is none.
pub async fn page(call: &PageCall, afterwards: &Afterwards, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let factors = match call.app().offered_factors(&call.context(), call.visitor()).await {
        Ok(factors) => factors,
        Err(Error::SignIn) => return Ok(Page::to(afterwards.path("/sign-in"))),
        Err(error) => return Err(error.into()),
    };
    if !factors.any() {
        return Ok(Page::to(afterwards.path("/account/second-factor")));
    }
    let mut page = Entering::new(w.of("second-factor"), "/sign-in/second-factor", w.of("second-factor-show"));
    page.text = w.of("second-factor-text").into();
    page.hidden = afterwards.hidden();
    if factors.totp {
        let field = Field::line("code", w.of("second-factor-code"), "").kind("text", "one-time-code").required();
        page.fields.push(field.hint(w.of("second-factor-code-hint")));
    }
    if factors.passkey {
        page.passkey = Some(("/sign-in/second-factor/passkey".into(), w.of("second-factor-passkey").into()));
    }
    page.ways.push(Link::new(afterwards.path("/sign-in"), w.of("sign-in-otherwise")));
    if call.me.is_some() {
        page.ways = vec![Link::new("/account", w.of("account-title"))];
    }
    page.show(call, refusal)
}

/// `GET /sign-in/second-factor`
pub async fn show(call: PageCall) -> PageAnswer {
    page(&call, &Afterwards::of(&call.query), None).await
}

/// `POST /sign-in/second-factor`
pub async fn code(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().show_second_factor(&call.context(), call.form.text("code"), call.visitor()).await {
        Ok(signed_in) => session::welcome(call, afterwards, signed_in).await,
        Err(Error::SignIn) => Ok(Page::to(afterwards.path("/sign-in"))),
        Err(error) => page(&call, &afterwards, Some(Refusal::of(&call, error)?)).await,
    }
}

/// `POST /sign-in/second-factor/passkey`
pub async fn passkey(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().show_passkey(&call.context(), call.form.text("passkey"), call.visitor()).await {
        Ok(signed_in) => session::welcome(call, afterwards, signed_in).await,
        Err(Error::SignIn) => Ok(Page::to(afterwards.path("/sign-in"))),
        Err(error) => page(&call, &afterwards, Some(Refusal::of(&call, error)?)).await,
    }
}

fn own_email(call: &PageCall) -> String {
    call.me.as_ref().and_then(|me| me.user.as_ref()).map(|user| user.email.clone()).unwrap_or_default()
}

async fn again_page(call: &PageCall, afterwards: &Afterwards, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("again-title"), "/sign-in/again", w.of("again-confirm"));
    page.text = w.of("again-text").into();
    page.hidden = afterwards.hidden();
    page.fields.push(Field { control: Control::Fixed { value: own_email(call) }, ..entering::email(call, "") });
    page.fields.push(Field::line("password", w.of("sign-in-password"), "").kind("password", "current-password").required());
    // Who has none is not sent looking for one.
    let has_passkeys = !call.app().account(&call.context()).await?.passkeys.is_empty();
    page.passkey = has_passkeys.then(|| ("/sign-in/second-factor/passkey".into(), w.of("again-by-passkey").into()));
    page.again = Some(("/sign-in/again/mail".into(), w.of("again-by-mail"), afterwards.hidden()));
    page.show(call, refusal)
}

/// `GET /sign-in/again`
pub async fn again(call: PageCall) -> PageAnswer {
    again_page(&call, &Afterwards::of(&call.query), None).await
}

/// `POST /sign-in/again`
pub async fn again_password(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().again_by_password(&call.context(), call.form.get("password").unwrap_or_default(), call.visitor()).await {
        Ok(signed_in) => session::welcome(call, afterwards, signed_in).await,
        // The address is not theirs to mistype here.
        Err(Error::WrongPassword) => {
            let refusal = Refusal::of_field("password", call.words.of("again-wrong"), StatusCode::UNAUTHORIZED);
            again_page(&call, &afterwards, Some(refusal)).await
        }
        Err(error) => again_page(&call, &afterwards, Some(Refusal::of(&call, error)?)).await,
    }
}

fn again_code_page(call: &PageCall, afterwards: &Afterwards, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let email = own_email(call);
    let mut page = Entering::new(w.of("again-title"), "/sign-in/again/code", w.of("again-confirm"));
    page.text = w.of("again-mail-sent").with("email", email.clone()).into();
    page.hidden = afterwards.hidden();
    page.fields.push(entering::code(call, w.of("mail-code")));
    page.again = Some(("/sign-in/again/mail".into(), w.of("mail-again"), afterwards.hidden()));
    page.show(call, refusal)
}

/// `POST /sign-in/again/mail`
pub async fn again_mail(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    let refusal = match call.app().ask_sign_in_mail(&own_email(&call), "", call.visitor(), call.now).await {
        Ok(()) => None,
        Err(error) => Some(Refusal::of(&call, error)?),
    };
    again_code_page(&call, &afterwards, refusal)
}

/// `POST /sign-in/again/code`
pub async fn again_code(call: PageCall) -> PageAnswer {
    let afterwards = Afterwards::of(&call.form);
    match call.app().again_by_mail(&call.context(), call.form.text("code"), call.visitor()).await {
        Ok(signed_in) => session::welcome(call, afterwards, signed_in).await,
        Err(error) => again_code_page(&call, &afterwards, Some(Refusal::of(&call, error)?)),
    }
}
