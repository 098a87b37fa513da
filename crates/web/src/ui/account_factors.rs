//! What one comes in with beside a password: passkeys, codes of an application, recovery codes.

use askama::Template;
use axum::http::header;
use octroi_app::{Error, account::PasskeyView, factors::TotpSetup, sessions::SignedIn};

use super::{
    account::under,
    entering::{Afterwards, Entering, Refusal},
    errors,
    kit::{self, Alert, Cell, Code, Column, Field, Hidden, Link, OneTimeSecret, PasskeyForm, PostButton, Qr, Table, Tag, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
};
use crate::principal::{Session, session_cookie};

#[derive(Template)]
#[template(path = "account_passkeys.html")]
struct PasskeysPage {
    shell: Shell,
    alerts: Vec<Alert>,
    passkeys: Table,
    add: PasskeyForm,
}

#[derive(Template)]
#[template(path = "account_second_factor.html")]
struct SecondFactorPage {
    shell: Shell,
    alerts: Vec<Alert>,
    totp: Tag,
    begin: Option<PostButton>,
    remove: Option<Link>,
    recovery: Option<String>,
    renew: Option<PostButton>,
    passkeys: Link,
}

#[derive(Template)]
#[template(path = "account_totp.html")]
struct TotpPage {
    shell: Shell,
    summary: Option<kit::ErrorSummary>,
    alerts: Vec<Alert>,
    qr: Option<Qr>,
    secret: Code,
    field: Field,
    hidden: Vec<Hidden>,
}

#[derive(Template)]
#[template(path = "account_recovery.html")]
struct RecoveryPage {
    shell: Shell,
    codes: OneTimeSecret,
    back: Link,
}

fn passkeys_table(call: &PageCall, shell: &Shell, passkeys: Vec<PasskeyView>) -> Table {
    let w = call.words;
    let row = |passkey: PasskeyView| {
        let used = passkey.last_used_at.map_or_else(|| Cell::text(w.of("passkey-never-used")), |at| Cell::When(w.when(&at)));
        let remove = PostButton::new(format!("/account/passkeys/{}/delete", passkey.id), w.of("passkey-remove"), shell.guard());
        vec![
            Cell::link(format!("/account/passkeys/{}", passkey.id), passkey.name.clone()),
            Cell::When(w.when(&passkey.created_at)),
            used,
            Cell::Actions(vec![remove.about(passkey.name)]),
        ]
    };
    let columns = vec![
        Column::text(w.of("passkey-name")),
        Column::text(w.of("passkey-added")),
        Column::text(w.of("passkey-used")),
        Column::text(w.of("session-action")),
    ];
    let rows = passkeys.into_iter().map(row).collect();
    Table { caption: w.of("passkeys-title").into(), columns, rows, empty: w.of("passkeys-none").into() }
}

async fn passkeys_page(call: &PageCall, error: Option<Error>) -> PageAnswer {
    let account = call.app().account(&call.context()).await?;
    let w = call.words;
    let mut alerts = Vec::new();
    let mut status = None;
    let mut field = Field::line("name", w.of("passkey-name"), call.form.text("name")).hint(w.of("passkey-name-hint")).required();
    match error {
        Some(Error::Invalid(errors)) => {
            status = Some(axum::http::StatusCode::UNPROCESSABLE_ENTITY);
            for error in errors::fields(call, &errors) {
                if error.name == "name" {
                    field = field.error(error.message)
                } else {
                    alerts.push(Alert::new(Tone::Bad, error.message, ""))
                }
            }
        }
        Some(Error::Conflict { text, .. }) => {
            status = Some(axum::http::StatusCode::CONFLICT);
            alerts.push(Alert::new(Tone::Bad, w.of("not-possible"), w.text(&text)));
        }
        Some(error) => return Err(error.into()),
        None => {}
    }
    if !call.app().has_passkeys() {
        alerts.push(Alert::new(Tone::Info, w.of("passkeys-not-here"), w.of("passkeys-not-here-text")));
    }
    let shell = call.shell(w.of("passkeys-title")).under(under(call));
    let add = PasskeyForm {
        action: "/account/passkeys".into(),
        options: "/account/passkeys/options".into(),
        make: true,
        label: w.of("passkey-add").into(),
        failed: w.of("passkey-failed").into(),
        guard: shell.guard(),
        hidden: Afterwards::here(call).hidden(),
        fields: vec![field],
    };
    let passkeys = passkeys_table(call, &shell, account.passkeys);
    let page = call.render(&PasskeysPage { shell, alerts, passkeys, add })?;
    Ok(match status {
        Some(status) => page.status(status),
        None => page,
    })
}

/// `GET /account/passkeys`
pub async fn passkeys(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    passkeys_page(&call, None).await
}

/// `POST /account/passkeys/options`
pub async fn passkey_options(call: PageCall) -> PageAnswer {
    Ok(Page::data(&call.app().begin_passkey(&call.context(), call.visitor()).await?))
}

/// `POST /account/passkeys`
pub async fn add_passkey(call: PageCall) -> PageAnswer {
    match call.app().add_passkey(&call.context(), call.form.text("name"), call.form.text("passkey"), call.visitor()).await {
        Ok(()) => {
            let there = Afterwards::of(&call.form).return_to;
            Ok(Page::to(there.as_deref().unwrap_or("/account/passkeys")).flash("passkey-added", ""))
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => passkeys_page(&call, Some(error)).await,
        Err(error) => Err(error.into()),
    }
}

async fn passkey_page(call: &PageCall, refusal: Option<Refusal>) -> PageAnswer {
    let id: String = call.id("id")?;
    let account = call.app().account(&call.context()).await?;
    let passkey = account.passkeys.into_iter().find(|passkey| passkey.id == id).ok_or(Error::NotFound)?;
    let w = call.words;
    let mut page = Entering::new(w.of("passkey-rename"), format!("/account/passkeys/{id}"), w.of("account-save"));
    let typed = if call.posted { call.form.text("name").to_owned() } else { passkey.name };
    page.fields.push(Field::line("name", w.of("passkey-name"), typed).hint(w.of("passkey-name-hint")).required());
    page.under = under(call);
    page.under.push(Link::new("/account/passkeys", w.of("passkeys-title")));
    page.show(call, refusal)
}

/// `GET /account/passkeys/{id}`
pub async fn passkey(call: PageCall) -> PageAnswer {
    passkey_page(&call, None).await
}

/// `POST /account/passkeys/{id}`
pub async fn rename_passkey(call: PageCall) -> PageAnswer {
    match call.app().rename_passkey(&call.context(), call.id("id")?, call.form.text("name")).await {
        Ok(()) => Ok(Page::to("/account/passkeys").flash("account-saved", "")),
        Err(error) => passkey_page(&call, Some(Refusal::of(&call, error)?)).await,
    }
}

/// `POST /account/passkeys/{id}/delete`
pub async fn delete_passkey(call: PageCall) -> PageAnswer {
    call.app().delete_passkey(&call.context(), call.id("id")?).await?;
    Ok(Page::to("/account/passkeys").flash("passkey-removed", ""))
}

/// `GET /account/second-factor`
pub async fn second_factor(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    let account = call.app().account(&call.context()).await?;
    let w = call.words;
    let strong = call.session.as_ref().is_some_and(|session| session.held.authentication.is_multi_factor());
    let mut alerts = Vec::new();
    if account.second_factor_required && !strong {
        alerts.push(Alert::new(Tone::Warning, w.of("account-second-factor-needed"), w.of("account-second-factor-needed-text")));
    }
    let shell = call.shell(w.of("account-second-factor")).under(under(&call));
    let afterwards = Afterwards::of(&call.query);
    if afterwards.return_to.is_some() && !strong {
        alerts.push(Alert::new(Tone::Info, w.of("second-factor-first"), w.of("second-factor-first-text")));
    }
    let (tone, word) = if account.totp { (Tone::Good, w.of("account-there")) } else { (Tone::Neutral, w.of("account-not-there")) };
    call.render(&SecondFactorPage {
        alerts,
        totp: Tag::new(tone, word),
        begin: (!account.totp).then(|| PostButton {
            hidden: afterwards.hidden(),
            ..PostButton::new("/account/totp/begin", w.of("totp-begin"), shell.guard()).primary()
        }),
        remove: account.totp.then(|| Link::new("/account/totp/remove", w.of("totp-remove"))),
        recovery: account.totp.then(|| w.of("recovery-left").with("count", account.recovery_codes_left).into()),
        renew: account.totp.then(|| PostButton::new("/account/recovery-codes", w.of("recovery-renew"), shell.guard())),
        passkeys: Link::new(afterwards.path("/account/passkeys"), w.of("passkeys-title")),
        shell,
    })
}

fn totp_page(call: &PageCall, setup: &TotpSetup, error: Option<Error>) -> PageAnswer {
    let w = call.words;
    let mut field = Field::line("code", w.of("totp-code"), "").kind("text", "one-time-code").hint(w.of("totp-code-hint")).required();
    let (mut summary, mut alerts, mut status, mut wait) = (None, Vec::new(), None, None);
    match error {
        Some(Error::Invalid(errors)) => {
            let errors = errors::fields(call, &errors);
            if let Some(error) = errors.first() {
                field = field.error(error.message.clone());
            }
            summary = errors::summary(call, &errors);
            status = Some(axum::http::StatusCode::UNPROCESSABLE_ENTITY);
        }
        Some(Error::TooManyAttempts { retry_after }) => {
            alerts.push(Alert::new(Tone::Bad, w.of("sign-in-too-many"), w.of("wait-seconds").with("seconds", retry_after)));
            (status, wait) = (Some(axum::http::StatusCode::TOO_MANY_REQUESTS), Some(retry_after));
        }
        Some(error) => return Err(error.into()),
        None => {}
    }
    let shell = call.shell(w.of("totp-set-up")).under(under(call));
    let grouped: Vec<char> = setup.secret.chars().collect();
    let secret = grouped.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ");
    let page = call.render(&TotpPage {
        summary,
        alerts,
        qr: Qr::of(w.of("totp-qr"), &setup.uri),
        secret: Code { label: w.of("totp-secret").into(), code: secret, copy: w.of("copy").into(), copied: w.of("copied").into() },
        field,
        hidden: Afterwards::here(call).hidden(),
        shell,
    })?;
    let page = page.with(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    let page = if let Some(status) = status { page.status(status) } else { page };
    Ok(if let Some(wait) = wait { page.with(header::RETRY_AFTER, wait.into()) } else { page })
}

/// `POST /account/totp/begin`
pub async fn begin_totp(call: PageCall) -> PageAnswer {
    call.app().begin_totp(&call.context()).await?;
    Ok(Page::to(Afterwards::of(&call.form).path("/account/totp")))
}

/// `GET /account/totp`
pub async fn totp(call: PageCall) -> PageAnswer {
    match call.app().totp_setup(&call.context()).await? {
        Some(setup) => totp_page(&call, &setup, None),
        None => Ok(Page::to(Afterwards::of(&call.query).path("/account/second-factor"))),
    }
}

/// `POST /account/totp`
pub async fn confirm_totp(call: PageCall) -> PageAnswer {
    match call.app().confirm_totp(&call.context(), call.form.text("code")).await {
        Ok((codes, signed_in)) => {
            let (call, cookie) = renewed(call, signed_in).await?;
            Ok(recovery_page(&call, &codes)?.with(header::SET_COOKIE, cookie))
        }
        Err(Error::NotFound) => Ok(Page::to(Afterwards::of(&call.form).path("/account/second-factor"))),
        Err(error) => match call.app().totp_setup(&call.context()).await? {
            Some(setup) => totp_page(&call, &setup, Some(error)),
            None => Err(error.into()),
        },
    }
}

/// The page belongs to the session under its new cookie.
async fn renewed(mut call: PageCall, signed_in: SignedIn) -> Result<(PageCall, axum::http::HeaderValue), crate::problem::Failure> {
    let cookie = session_cookie(&call.shared, Some(&signed_in.session))
        .ok_or_else(|| Error::Internal("a session that no cookie can hold".to_owned()))?;
    if let Some(found) = call.app().session(&signed_in.session, call.now).await? {
        call.principal = found.principal;
        call.session =
            Some(Session { cookie: signed_in.session, held: found.session, second_factor_required: found.second_factor_required });
    }
    call.me = Some(signed_in.me);
    Ok((call, cookie))
}

fn recovery_page(call: &PageCall, codes: &[String]) -> PageAnswer {
    let w = call.words;
    let codes = OneTimeSecret {
        label: w.of("recovery-title").into(),
        value: codes.join("\n"),
        warning: w.of("recovery-once").into(),
        copy: w.of("copy").into(),
        copied: w.of("copied").into(),
    };
    let shell = call.shell(w.of("recovery-title")).under(under(call));
    let back = Afterwards::of(&call.form).return_to;
    let back = Link::new(back.as_deref().unwrap_or("/account"), w.of("recovery-kept"));
    let page = call.render(&RecoveryPage { codes, back, shell })?;
    Ok(page.with(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store")))
}

/// `POST /account/recovery-codes`
pub async fn renew_recovery(call: PageCall) -> PageAnswer {
    let codes = call.app().renew_recovery_codes(&call.context()).await?;
    recovery_page(&call, &codes)
}

/// `GET /account/totp/remove`
pub async fn ask_remove_totp(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    let w = call.words;
    let mut page = Entering::new(w.of("totp-remove"), "/account/totp/remove", w.of("totp-remove-confirm"));
    page.text = w.of("totp-remove-text").into();
    page.danger = true;
    page.under = under(&call);
    page.ways.push(Link::new("/account/second-factor", w.of("account-keep")));
    page.show(&call, None)
}

/// `POST /account/totp/remove`
pub async fn remove_totp(call: PageCall) -> PageAnswer {
    call.app().remove_totp(&call.context()).await?;
    Ok(Page::to("/account/second-factor").flash("totp-removed", ""))
}
