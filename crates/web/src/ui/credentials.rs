//! Credentials of an application: made, shown once, replaced, revoked.

use askama::Template;
use axum::http::{HeaderValue, header};
use octroi_app::{
    Done,
    usage::{SubscriptionUsageView, UsageView},
    view::{ApplicationView, CredentialView, NewCredentialView},
};
use octroi_domain::{
    Id,
    credential::{Credential, CredentialKind},
};

use super::{
    application_start::export,
    applications::{read, token_url, way},
    confirm::Confirm,
    kit::{Alert, ButtonLink, Cell, Check, Code, Control, Facts, Field, Hidden, Link, OneTimeSecret, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "credential_new.html")]
struct NewPage {
    shell: Shell,
    lead: String,
    notice: Option<Alert>,
    action: String,
    kind: Option<Field>,
    hidden: Vec<Hidden>,
    back: Link,
}

#[derive(Template)]
#[template(path = "credential_made.html")]
struct MadePage {
    shell: Shell,
    /// None: it was shown before, and is nowhere now.
    secret: Option<OneTimeSecret>,
    gone: Option<Alert>,
    facts: Facts,
    /// The line that gives it to a program.
    export: Option<Code>,
    /// What is to be done with the one that it replaces.
    old: Option<Alert>,
    /// First calls that can be made with it; a way to subscribe where there is none.
    next: Vec<Link>,
    back: ButtonLink,
}

pub(super) fn is_kind(held: &CredentialView, kind: CredentialKind) -> bool {
    held.kind == kind.as_str() && held.revoked_at.is_none()
}

/// The credential of the application that the address names, while it opens something.
fn held<'a>(call: &PageCall, application: &'a ApplicationView) -> Result<&'a CredentialView, Failure> {
    let id: Id<Credential> = call.id("credential")?;
    let id = id.to_string();
    let found = application.credentials.iter().find(|held| held.id == id && held.revoked_at.is_none());
    found.ok_or_else(|| octroi_app::Error::NotFound.into())
}

/// Says that two are active already, where they are: one of them has to go first.
fn full(w: Words, application: &ApplicationView, kind: CredentialKind) -> Option<Alert> {
    let count = application.credentials.iter().filter(|held| is_kind(held, kind)).count();
    (count >= octroi_domain::credential::ACTIVE_PER_KIND).then(|| {
        let title = w.of("credential-full").with("kind", w.one_of("credential-kind", kind.as_str()).to_string());
        Alert::new(Tone::Warning, title, w.of("credential-full-text"))
            .link(format!("/applications/{}#credentials", application.id), w.of("credentials-title"))
    })
}

/// `GET /applications/{id}/credentials/new`
pub async fn new(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let w = call.words;
    let option = |kind: CredentialKind| Check {
        value: kind.as_str().to_owned(),
        label: w.one_of("credential-kind", kind.as_str()).into(),
        hint: w.one_of("credential-kind-hint", kind.as_str()).into(),
        checked: kind == CredentialKind::ClientSecret,
        locked: false,
    };
    let kinds = [CredentialKind::ClientSecret, CredentialKind::ApiKey];
    let notice = kinds.iter().find_map(|kind| full(w, &application, *kind));
    call.render(&NewPage {
        lead: w.of("credential-new-text").into(),
        notice,
        action: format!("/applications/{id}/credentials"),
        kind: Some(Field::new("kind", w.of("credential-kind"), Control::Radios { options: kinds.map(option).to_vec() }).required()),
        hidden: Vec::new(),
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("credential-new")).under(way(w, &application)),
    })
}

/// `GET /applications/{id}/credentials/{credential}/replace`: two may be active, so that nothing stops meanwhile.
pub async fn replace(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let held = held(&call, &application)?;
    let w = call.words;
    let kind = if held.kind == CredentialKind::ApiKey.as_str() { CredentialKind::ApiKey } else { CredentialKind::ClientSecret };
    let hidden = |name: &str, value: &str| Hidden { name: name.to_owned(), value: value.to_owned() };
    call.render(&NewPage {
        lead: w.of("credential-replace-text").and("hint", &held.hint).into(),
        notice: full(w, &application, kind),
        action: format!("/applications/{id}/credentials"),
        kind: None,
        hidden: vec![hidden("kind", &held.kind), hidden("replaces", &held.id)],
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("credential-replace").and("hint", &held.hint)).under(way(w, &application)),
    })
}

/// `POST /applications/{id}/credentials`: the only page that ever shows the secret. Sent again, it shows it no more.
pub async fn create(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let kind =
        if call.form.text("kind") == CredentialKind::ApiKey.as_str() { CredentialKind::ApiKey } else { CredentialKind::ClientSecret };
    let done = call.app().create_credential(&call.once(), id, kind).await?;
    let w = call.words;
    let (secret, hint) = match done {
        Done::Now { value: NewCredentialView { secret, hint, .. }, .. } => (secret, hint),
        Done::Before { .. } => (None, String::new()),
    };
    let label = w.one_of("credential-kind", kind.as_str()).to_string();
    let mut facts = Facts::default().with(w.of("application-client-id"), Cell::Code(application.client_id.clone()));
    if kind == CredentialKind::ClientSecret {
        facts = facts.with(w.of("application-token-url"), Cell::Code(token_url(&call, &application.stage)));
    }
    if !hint.is_empty() {
        facts = facts.with(w.of("credential-hint"), Cell::Code(format!("{hint}…")));
    }
    let replaced = application.credentials.iter().find(|held| held.id == call.form.text("replaces") && held.revoked_at.is_none());
    let old = replaced.map(|old| {
        Alert::new(Tone::Info, w.of("credential-old").and("hint", &old.hint), w.of("credential-old-text"))
            .link(format!("/applications/{id}/credentials/{}/revoke", old.id), w.of("credential-revoke").and("hint", &old.hint))
    });
    let usage = call.app().application_usage(&call.context(), id).await?;
    let gone = secret.is_none().then(|| Alert::new(Tone::Warning, w.of("credential-gone"), w.of("credential-gone-text")));
    let page = MadePage {
        export: secret.as_ref().map(|secret| export(w, kind, secret)),
        next: next(w, &id.to_string(), &usage),
        secret: secret.map(|value| OneTimeSecret {
            label,
            value,
            warning: w.of("credential-once").into(),
            copy: w.of("copy").into(),
            copied: w.of("copied").into(),
        }),
        gone,
        facts,
        old,
        back: ButtonLink::new(format!("/applications/{id}"), w.of("credential-kept")),
        shell: call.shell(w.of("credential-made")).under(way(w, &application)),
    };
    Ok(call.render(&page)?.with(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Where one goes with a new secret.
fn next(w: Words, id: &str, usage: &UsageView) -> Vec<Link> {
    let open = usage.subscriptions.iter().filter(|held| held.subscription.state == "active" && held.stop.is_none());
    let link = |held: &SubscriptionUsageView| {
        let api = &held.subscription.api;
        let title = held.title.as_ref().map_or_else(|| api.clone(), |title| w.text(title));
        Link::new(format!("/applications/{id}/start?api={api}"), w.of("subscription-start").and("api", &title))
    };
    let links: Vec<Link> = open.map(link).collect();
    if links.is_empty() { vec![Link::new(format!("/applications/{id}/subscribe"), w.of("application-subscribe"))] } else { links }
}

/// `GET /applications/{id}/credentials/{credential}/revoke`
pub async fn ask_revoke(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let held = held(&call, &application)?;
    let w = call.words;
    let used = held.last_used_at.as_ref().map_or_else(|| Cell::text(w.of("never")), |at| Cell::When(w.when(at)));
    call.render(&Confirm {
        text: w.of("credential-revoke-text").into(),
        facts: Some(
            Facts::default()
                .with(w.of("credential-hint"), Cell::Code(format!("{}…", held.hint)))
                .text(w.of("credential-kind"), w.one_of("credential-kind", &held.kind))
                .with(w.of("credential-last-used"), used),
        ),
        summary: None,
        action: format!("/applications/{id}/credentials/{}/revoke", held.id),
        fields: Vec::new(),
        button: w.of("credential-revoke-now").into(),
        danger: true,
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("credential-revoke").and("hint", &held.hint)).under(way(w, &application)),
    })
}

/// `POST /applications/{id}/credentials/{credential}/revoke`
pub async fn revoke(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    // One of this application, or nothing: what was revoked before is the operation's to say.
    let wanted: Id<Credential> = call.id("credential")?;
    if !application.credentials.iter().any(|held| held.id == wanted.to_string()) {
        return Err(octroi_app::Error::NotFound.into());
    }
    call.app().revoke_credential(&call.once(), wanted).await?;
    Ok(Page::to(format!("/applications/{id}")).flash("credential-revoked", ""))
}
