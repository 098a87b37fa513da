//! One's own account: what it is, names, address, password, sessions, and its end.

use askama::Template;
use octroi_app::{Error, account::AccountView, accounts::Waiting};
use octroi_domain::account::ProofKind;

use super::{
    entering::{self, Entering, Refusal},
    kit::{Alert, ButtonLink, Cell, Column, Facts, Field, Hidden, Link, PostButton, Table, Tag, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    sign_in_ways::resend_note,
    sign_up::names,
    words::Words,
};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    shell: Shell,
    alerts: Vec<Alert>,
    who: Facts,
    who_links: Vec<Link>,
    ways_in: Facts,
    ways_in_links: Vec<Link>,
    sessions: String,
    delete: ButtonLink,
}

#[derive(Template)]
#[template(path = "account_sessions.html")]
struct SessionsPage {
    shell: Shell,
    sessions: Table,
    others: Option<PostButton>,
}

/// The way back to the account.
pub fn under(call: &PageCall) -> Vec<Link> {
    vec![Link::new("/account", call.words.of("account-title"))]
}

/// `GET /account`
pub async fn show(call: PageCall) -> PageAnswer {
    let account = call.app().account(&call.context()).await?;
    let w = call.words;
    let strong = call.session.as_ref().is_some_and(|session| session.held.authentication.is_multi_factor());
    let mut alerts = Vec::new();
    if account.second_factor_required && !strong {
        let alert = Alert::new(Tone::Warning, w.of("account-second-factor-needed"), w.of("account-second-factor-needed-text"));
        alerts.push(alert.link("/account/second-factor", w.of("account-second-factor-set-up")));
    }
    if !account.email_verified {
        let alert = Alert::new(Tone::Warning, w.of("account-unverified"), w.of("account-unverified-text"));
        alerts.push(alert.link("/account/email", w.of("account-verify")));
    }
    call.render(&AccountPage {
        alerts,
        who: who(&call, &account),
        who_links: vec![Link::new("/account/name", w.of("account-change-name")), Link::new("/account/email", w.of("account-change-email"))],
        ways_in: ways_in(&call, &account),
        ways_in_links: vec![
            Link::new(
                "/account/password",
                if account.has_password { w.of("account-change-password") } else { w.of("account-add-password") },
            ),
            Link::new("/account/passkeys", w.of("passkeys-title")),
            Link::new("/account/second-factor", w.of("account-second-factor")),
            Link::new("/account/identities", w.of("identities-title")),
        ],
        sessions: w.of("account-sessions-open").with("count", account.sessions).into(),
        delete: ButtonLink::new("/account/delete", w.of("account-delete")).secondary(),
        shell: call.shell(w.of("account-title")),
    })
}

fn who(call: &PageCall, account: &AccountView) -> Facts {
    let w = call.words;
    let (tone, word) =
        if account.email_verified { (Tone::Good, w.of("email-verified")) } else { (Tone::Warning, w.of("email-unverified")) };
    Facts::default()
        .text(w.of("given-name"), account.given_name.clone())
        .text(w.of("family-name"), account.family_name.clone())
        .with(w.of("sign-in-email"), Cell::Lines(vec![Cell::text(account.email.clone()), Cell::Tag(Tag::new(tone, word))]))
}

fn ways_in(call: &PageCall, account: &AccountView) -> Facts {
    let w = call.words;
    let yes = |there: bool| if there { w.of("account-there") } else { w.of("account-not-there") };
    let facts = Facts::default()
        .text(w.of("sign-in-password"), yes(account.has_password))
        .text(w.of("passkeys-title"), w.of("passkeys-count").with("count", account.passkeys.len()))
        .text(w.of("totp-title"), yes(account.totp));
    if account.totp { facts.text(w.of("recovery-title"), w.of("recovery-left").with("count", account.recovery_codes_left)) } else { facts }
}

fn name_page(call: &PageCall, given: &str, family: &str, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("account-change-name"), "/account/name", w.of("account-save"));
    page.fields.extend(names(call, given, family));
    page.under = under(call);
    page.show(call, refusal)
}

/// `GET /account/name`
pub async fn name(call: PageCall) -> PageAnswer {
    let account = call.app().account(&call.context()).await?;
    name_page(&call, &account.given_name, &account.family_name, None)
}

/// `POST /account/name`
pub async fn rename(call: PageCall) -> PageAnswer {
    let (given, family) = (call.form.text("given_name"), call.form.text("family_name"));
    match call.app().rename_account(&call.context(), given, family).await {
        Ok(()) => Ok(Page::to("/account").flash("account-saved", "")),
        Err(error) => name_page(&call, given, family, Some(Refusal::of(&call, error)?)),
    }
}

fn email_page(call: &PageCall, email: &str, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("account-change-email"), "/account/email", w.of("account-send-code"));
    page.text = w.of("account-email-text").into();
    page.fields.push(entering::email(call, email).kind("email", "email"));
    page.under = under(call);
    page.show(call, refusal)
}

/// `GET /account/email`
pub async fn email(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    let account = call.app().account(&call.context()).await?;
    email_page(&call, if account.email_verified { "" } else { &account.email }, None)
}

/// `POST /account/email`
pub async fn ask_email(call: PageCall) -> PageAnswer {
    let email = call.form.text("email");
    match call.app().ask_address(&call.context(), email, call.visitor()).await {
        Ok(()) => Ok(Page::to("/account/email/code")),
        Err(error) => email_page(&call, email, Some(Refusal::of(&call, error)?)),
    }
}

fn email_code_page(call: &PageCall, waiting: &Waiting, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("account-change-email"), "/account/email/code", w.of("account-confirm"));
    page.text = w.of("sign-up-sent").with("email", waiting.email.clone()).with("minutes", octroi_app::account::proof_minutes()).into();
    page.fields.push(entering::code(call, w.of("mail-code")));
    page.again = Some(("/account/email".into(), w.of("mail-again"), vec![Hidden { name: "email".into(), value: waiting.email.clone() }]));
    page.note = resend_note(call, waiting);
    page.under = under(call);
    page.show(call, refusal)
}

/// `GET /account/email/code`
pub async fn email_code(call: PageCall) -> PageAnswer {
    match call.app().waiting(ProofKind::Address, call.visitor(), call.now).await? {
        Some(waiting) => email_code_page(&call, &waiting, None),
        None => Ok(Page::to("/account/email")),
    }
}

/// `POST /account/email/code`
pub async fn confirm_email(call: PageCall) -> PageAnswer {
    match call.app().confirm_address(&call.context(), call.form.text("code"), call.visitor()).await {
        Ok(()) => Ok(Page::to("/account").flash("account-email", "")),
        Err(error) => {
            let refusal = Refusal::of(&call, error)?;
            match call.app().waiting(ProofKind::Address, call.visitor(), call.now).await? {
                Some(waiting) => email_code_page(&call, &waiting, Some(refusal)),
                None => email_page(&call, "", Some(refusal)),
            }
        }
    }
}

fn password_page(call: &PageCall, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("account-change-password"), "/account/password", w.of("account-save"));
    page.text = w.of("account-password-text").into();
    page.fields.push(entering::new_password(call));
    page.under = under(call);
    page.show(call, refusal)
}

/// `GET /account/password`
pub async fn password(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    password_page(&call, None)
}

/// `POST /account/password`
pub async fn change_password(call: PageCall) -> PageAnswer {
    match call.app().change_password(&call.context(), call.form.get("password").unwrap_or_default().to_owned()).await {
        Ok(()) => Ok(Page::to("/account").flash("account-password", "")),
        Err(error) => password_page(&call, Some(Refusal::of(&call, error)?)),
    }
}

/// What people call a browser, from what it says of itself; all that it says, where it is none that most people have.
fn browser_of(w: Words, agent: String) -> String {
    // Each says that it is those after it, too.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] =
        [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")];
    let said = |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    match (said(&BROWSERS), said(&SYSTEMS)) {
        (Some(browser), Some(system)) => w.of("session-known-browser").with("browser", browser).with("system", system).to_string(),
        _ if agent.is_empty() => w.of("session-unknown-browser").to_string(),
        _ => agent,
    }
}

/// `GET /account/sessions`
pub async fn sessions(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    let all = call.app().list_sessions(&call.context()).await?;
    let w = call.words;
    let shell = call.shell(w.of("account-sessions")).under(under(&call));
    let several = all.len() > 1;
    let mut rows = Vec::with_capacity(all.len());
    for session in all {
        let agent = browser_of(w, session.agent);
        let here = if session.current {
            Cell::Tag(Tag::new(Tone::Good, w.of("session-this")))
        } else {
            let end = PostButton::new(format!("/account/sessions/{}/end", session.id), w.of("session-end"), shell.guard());
            Cell::Actions(vec![end.about(agent.clone())])
        };
        let methods = session.methods.iter().map(|method| w.one_of("method", method.as_str()).to_string()).collect();
        rows.push(vec![
            Cell::text(agent),
            Cell::text(session.address),
            Cell::Items(methods),
            Cell::When(w.when(&session.opened_at)),
            Cell::When(w.when(&session.last_seen_at)),
            here,
        ]);
    }
    let columns = vec![
        Column::text(w.of("session-browser")),
        Column::text(w.of("session-address")),
        Column::text(w.of("session-methods")),
        Column::text(w.of("session-opened")),
        Column::text(w.of("session-seen")),
        Column::text(w.of("session-action")),
    ];
    let sessions = Table { caption: w.of("account-sessions").into(), columns, rows, empty: String::new() };
    let others = several.then(|| PostButton::new("/account/sessions/end-others", w.of("session-end-others"), shell.guard()).danger());
    call.render(&SessionsPage { shell, sessions, others })
}

/// `POST /account/sessions/{id}/end`
pub async fn end_session(call: PageCall) -> PageAnswer {
    call.app().end_session(&call.context(), call.id("id")?).await?;
    Ok(Page::to("/account/sessions").flash("session-ended", ""))
}

/// `POST /account/sessions/end-others`
pub async fn end_others(call: PageCall) -> PageAnswer {
    call.app().end_other_sessions(&call.context(), call.visitor()).await?;
    Ok(Page::to("/account/sessions").flash("sessions-ended", ""))
}

fn delete_page(call: &PageCall, refusal: Option<Refusal>) -> PageAnswer {
    let w = call.words;
    let mut page = Entering::new(w.of("account-delete"), "/account/delete", w.of("account-delete-confirm"));
    page.text = w.of("account-delete-text").into();
    page.fields.push(Field::line("email", w.of("account-delete-email"), call.form.text("email")).kind("email", "off").required());
    page.danger = true;
    page.under = under(call);
    page.ways.push(Link::new("/account", w.of("account-keep")));
    page.show(call, refusal)
}

/// `GET /account/delete`
pub async fn ask_delete(call: PageCall) -> PageAnswer {
    call.app().recently(&call.context())?;
    delete_page(&call, None)
}

/// `POST /account/delete`
pub async fn delete(call: PageCall) -> PageAnswer {
    match call.app().delete_account(&call.context(), call.form.text("email")).await {
        Ok(()) => {
            let cookie = crate::principal::session_cookie(&call.shared, None)
                .ok_or_else(|| Error::Internal("a session that no cookie can hold".to_owned()))?;
            Ok(Page::to("/").flash("account-deleted", "").with(axum::http::header::SET_COOKIE, cookie))
        }
        Err(error) => delete_page(&call, Some(Refusal::of(&call, error)?)),
    }
}
