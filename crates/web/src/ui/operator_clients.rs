//! Relying parties of the sign-on, for the operator: the list, one, what it is told once.

use askama::Template;
use octroi_app::{
    Done,
    sign_on::{SCOPES, clients::ClientView},
};
use octroi_domain::sign_on::{ClientId, ClientState};
use serde_json::Value;

use super::{
    kit::{Alert, ButtonLink, Cell, Column, Facts, Link, OneTimeSecret, PostButton, Table, Tag, Tone},
    operator::{OperatorPage, Place, ROWS, Section, pages},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

/// The ways of authenticating that have a secret.
const SECRETS: [&str; 2] = ["client_secret_basic", "client_secret_post"];
const ALGORITHM: &str = "id_token_signed_response_alg";

#[derive(Template)]
#[template(path = "client_made.html")]
struct MadePage {
    shell: Shell,
    secret: Option<OneTimeSecret>,
    gone: Option<Alert>,
    /// What the library has to be told beside.
    told: Option<Alert>,
    settings: Facts,
    back: ButtonLink,
}

fn tag(w: Words, state: &str) -> Tag {
    let tone = if state == "active" { Tone::Good } else { Tone::Warning };
    Tag::new(tone, w.one_of("client-state", state))
}

pub(super) fn texts(client: &ClientView, name: &str) -> Vec<String> {
    let listed = client.metadata.get(name).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `GET /operator/clients`
pub async fn list(call: PageCall) -> PageAnswer {
    let found = call.app().list_clients(&call.context(), call.page(ROWS)).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Clients, w.of("clients-title"), Vec::new());
    page.actions.push(ButtonLink::new("/operator/clients/new", w.of("client-new")));
    let row = |client: &ClientView| {
        let owner = client.organization.as_ref().map(|organization| organization.name.clone()).unwrap_or_default();
        vec![
            Cell::link(format!("/operator/clients/{}", client.id), client.name()),
            Cell::text(owner),
            Cell::Tag(tag(w, &client.state)),
            Cell::text(w.date(&client.created_at)),
        ]
    };
    page.sections.push(Section::of_table(Table {
        caption: w.of("clients-title").into(),
        columns: [w.of("client-name"), w.of("client-owner"), w.of("client-state"), w.of("client-since")].map(Column::text).into(),
        rows: found.items.iter().map(row).collect(),
        empty: w.of("clients-none").into(),
    }));
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

fn text(client: &ClientView, name: &str) -> String {
    client.metadata.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn facts(w: Words, client: &ClientView) -> Facts {
    let facts = Facts::default()
        .with(w.of("client-redirects"), Cell::Items(texts(client, "redirect_uris")))
        .text(w.of("client-consent"), if client.first_party { w.of("client-consent-no") } else { w.of("client-consent-yes") });
    let facts = match text(client, "backchannel_logout_uri") {
        told if told.is_empty() => facts,
        told => facts.text(w.of("client-told"), told),
    };
    let levels = texts(client, "default_acr_values");
    let facts = if levels.is_empty() { facts } else { facts.with(w.of("client-acr"), Cell::Items(levels)) };
    let facts = facts.text(w.of("client-access"), w.number(u64::from(client.access_token_seconds)));
    match &client.organization {
        Some(owner) => facts.text(w.of("client-owner"), owner.name.clone()),
        None => facts,
    }
}

/// What the service, or its library, has to be told.
fn settings(w: Words, issuer: &str, client: &ClientView) -> Facts {
    let userinfo = match text(client, "userinfo_signed_response_alg") {
        plain if plain.is_empty() => w.of("client-userinfo-plain"),
        algorithm => w.of("client-userinfo-signed").with("algorithm", algorithm),
    };
    let scopes = match text(client, "scope") {
        all if all.is_empty() => SCOPES.map(str::to_owned).into(),
        list => list.split(' ').map(str::to_owned).collect(),
    };
    let facts = Facts::default()
        .text(w.of("client-id"), client.client_id.clone())
        .text(w.of("client-issuer"), issuer)
        .text(w.of("client-discovery"), format!("{issuer}/.well-known/openid-configuration"))
        .text(w.of("client-method"), text(client, "token_endpoint_auth_method"))
        .with(w.of("client-grants"), Cell::Items(texts(client, "grant_types")))
        .with(w.of("client-scopes"), Cell::Items(scopes))
        .text(w.of("client-algorithm"), text(client, ALGORITHM))
        .text(w.of("client-userinfo"), userinfo);
    let name = text(client, "tls_client_auth_subject_dn");
    let facts = if name.is_empty() { facts } else { facts.text(w.of("client-certificate-name"), name) };
    match client.metadata.get("claims_in_id_token").and_then(Value::as_bool) {
        Some(true) => facts.text(w.of("client-claims"), w.of("yes")),
        _ => facts,
    }
}

/// Libraries that were told nothing expect RS256 (OpenID Connect Registration section 2), and fail when somebody comes back.
fn to_be_told(w: Words, client: &ClientView) -> Option<Alert> {
    let algorithm = Some(text(client, ALGORITHM)).filter(|algorithm| algorithm != "RS256")?;
    let title = w.of("client-says").with("algorithm", algorithm);
    Some(Alert::new(Tone::Info, title, w.of("client-says-text")))
}

/// `GET /operator/clients/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    let id: ClientId = call.id("id")?;
    let client = call.app().read_client(&call.context(), &id).await?;
    let w = call.words;
    let way = vec![Link::new("/operator/clients", w.of("clients-title"))];
    let mut page = OperatorPage::new(&call, Place::Clients, client.name().to_owned(), way);
    let move_to = |name: &str, label: String, guard| PostButton::new(format!("/operator/clients/{id}/{name}"), label, guard);
    let state = if client.state == "active" {
        move_to("suspend", w.of("client-suspend").into(), page.shell.guard()).danger()
    } else {
        move_to("resume", w.of("client-resume").into(), page.shell.guard())
    };
    let mut buttons = vec![state];
    if SECRETS.iter().any(|method| client.metadata.get("token_endpoint_auth_method").and_then(Value::as_str) == Some(*method)) {
        buttons.push(move_to("secret", w.of("client-secret-new").into(), page.shell.guard()));
    }
    if client.state != "active" {
        page.alerts.push(Alert::new(Tone::Warning, w.of("client-suspended"), w.of("client-suspended-text")));
    }
    page.actions.push(ButtonLink::new(format!("/operator/clients/{id}/edit"), w.of("client-change")));
    page.sections.push(Section { facts: Some(facts(w, &client)), buttons, ..Section::default() });
    let settings = settings(w, call.app().issuer(), &client);
    page.sections.push(Section {
        text: w.of("client-library-text").into(),
        facts: Some(settings),
        ..Section::titled(w.of("client-library"))
    });
    call.render(&page)
}

/// The page that shows a secret, once.
pub(super) fn made(call: &PageCall, done: Done<ClientView>) -> PageAnswer {
    let w = call.words;
    let client = match done {
        Done::Now { value, .. } => value,
        // A second click: the secret was shown by the first.
        Done::Before { body, .. } => {
            let body = body.unwrap_or_default();
            let id = serde_json::from_str::<Value>(&body).ok().and_then(|value| value.get("id").and_then(Value::as_str).map(str::to_owned));
            return Ok(Page::to(id.map_or_else(|| "/operator/clients".to_owned(), |id| format!("/operator/clients/{id}"))));
        }
    };
    let secret = client.client_secret.clone().map(|value| OneTimeSecret {
        label: w.of("client-secret").into(),
        value,
        warning: w.of("client-secret-once").into(),
        copy: w.of("copy").into(),
        copied: w.of("copied").into(),
    });
    let gone = secret.is_none().then(|| Alert::new(Tone::Info, w.of("client-public"), w.of("client-public-text")));
    call.render(&MadePage {
        shell: call.shell(client.name().to_owned()).under(vec![Link::new("/operator/clients", w.of("clients-title"))]),
        secret,
        gone,
        told: to_be_told(w, &client),
        settings: settings(w, call.app().issuer(), &client),
        back: ButtonLink::new(format!("/operator/clients/{}", client.id), w.of("client-kept")),
    })
}

async fn change(call: &PageCall, state: ClientState) -> PageAnswer {
    let id: ClientId = call.id("id")?;
    call.app().set_client_state(&call.context(), &id, state).await?;
    Ok(Page::to(format!("/operator/clients/{id}")))
}

/// `POST /operator/clients/{id}/suspend`
pub async fn suspend(call: PageCall) -> PageAnswer {
    change(&call, ClientState::Suspended).await
}

/// `POST /operator/clients/{id}/resume`
pub async fn resume(call: PageCall) -> PageAnswer {
    change(&call, ClientState::Active).await
}

/// `POST /operator/clients/{id}/secret`
pub async fn replace_secret(call: PageCall) -> Result<Page, Failure> {
    let id: ClientId = call.id("id")?;
    let done = call.app().replace_client_secret(&call.once(), &id).await?;
    made(&call, done)
}
