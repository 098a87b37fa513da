//! Relying parties of the sign-on, for the operator: the list, one, a new one.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    App, Done, Error,
    sign_on::{
        clients::{ClientTerms, ClientView},
        settings::Certificates,
    },
};
use octroi_domain::sign_on::{ClientId, ClientState};
use serde_json::{Value, json};

use super::{
    errors,
    kit::{Alert, ButtonLink, Cell, Check, Column, Control, Facts, Field, FieldError, Link, OneTimeSecret, PostButton, Table, Tag, Tone},
    operator::{FormView, OperatorPage, Place, ROWS, Section, pages},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

/// The ways of authenticating that the page offers; others are registered by the REST API.
const METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];
/// Offered where a proxy hands on certificates that it verified.
const BY_CERTIFICATE: &str = "tls_client_auth";

#[derive(Template)]
#[template(path = "client_made.html")]
struct MadePage {
    shell: Shell,
    secret: Option<OneTimeSecret>,
    gone: Option<Alert>,
    facts: Facts,
    back: ButtonLink,
}

fn tag(w: Words, state: &str) -> Tag {
    let tone = if state == "active" { Tone::Good } else { Tone::Warning };
    Tag::new(tone, w.one_of("client-state", state))
}

fn texts(client: &ClientView, name: &str) -> Vec<String> {
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

fn facts(w: Words, issuer: &str, client: &ClientView) -> Facts {
    let text = |name: &str| client.metadata.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let name = text("tls_client_auth_subject_dn");
    let facts = Facts::default()
        .text(w.of("client-id"), client.client_id.clone())
        .text(w.of("client-issuer"), issuer)
        .with(w.of("client-redirects"), Cell::Items(texts(client, "redirect_uris")))
        .text(w.of("client-method"), text("token_endpoint_auth_method"))
        .with(w.of("client-grants"), Cell::Items(texts(client, "grant_types")))
        .text(w.of("client-consent"), if client.first_party { w.of("client-consent-no") } else { w.of("client-consent-yes") });
    let facts = if name.is_empty() { facts } else { facts.text(w.of("client-certificate-name"), name) };
    match &client.organization {
        Some(owner) => facts.text(w.of("client-owner"), owner.name.clone()),
        None => facts,
    }
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
    if METHODS.iter().take(2).any(|method| client.metadata.get("token_endpoint_auth_method").and_then(Value::as_str) == Some(*method)) {
        buttons.push(move_to("secret", w.of("client-secret-new").into(), page.shell.guard()));
    }
    if client.state != "active" {
        page.alerts.push(Alert::new(Tone::Warning, w.of("client-suspended"), w.of("client-suspended-text")));
    }
    page.sections.push(Section { facts: Some(facts(w, call.app().issuer(), &client)), buttons, ..Section::default() });
    call.render(&page)
}

/// `GET /operator/clients/new`
pub async fn new(call: PageCall) -> PageAnswer {
    App::manage(&call.context())?;
    form(&call, &[])
}

fn form(call: &PageCall, found: &[FieldError]) -> PageAnswer {
    let w = call.words;
    let mut page = OperatorPage::new(call, Place::Clients, w.of("client-new"), vec![Link::new("/operator/clients", w.of("clients-title"))]);
    page.summary = errors::summary(call, found);
    let message = |name: &str| found.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let chosen = call.form.some("method").unwrap_or_else(|| "client_secret_basic".to_owned());
    let by_certificate = (call.app().sign_on_settings().certificates == Certificates::Verified).then_some(BY_CERTIFICATE);
    let method = |value: &str| Check {
        value: value.to_owned(),
        label: w.one_of("client-method", value).into(),
        checked: value == chosen,
        ..Check::default()
    };
    let mut fields = vec![
        Field::line("name", w.of("client-name"), call.form.text("name")).hint(w.of("client-name-hint")).required().error(message("name")),
        Field::area("redirects", w.of("client-redirects"), call.form.get("redirects").unwrap_or_default())
            .hint(w.of("client-redirects-hint"))
            .required()
            .error(message("redirects")),
        Field::area("logouts", w.of("client-logouts"), call.form.get("logouts").unwrap_or_default())
            .optional(w.of("optional"))
            .error(message("logouts")),
        Field::new(
            "method",
            w.of("client-method"),
            Control::Radios { options: METHODS.into_iter().chain(by_certificate).map(method).collect() },
        ),
    ];
    fields.extend(by_certificates(call, message("certificate_name")));
    fields.extend([
        Field::new("refresh", w.of("client-refresh"), Control::Box { checked: call.form.has("refresh") }),
        Field::new("first_party", w.of("client-first-party"), Control::Box { checked: call.form.has("first_party") })
            .hint(w.of("client-first-party-hint")),
    ]);
    page.sections.push(Section {
        form: Some(FormView {
            action: "/operator/clients/new".to_owned(),
            fields,
            button: w.of("create").into(),
            back: Some(Link::new("/operator/clients", w.of("cancel"))),
            ..FormView::default()
        }),
        ..Section::default()
    });
    call.render(&page)
}

/// What is asked where clients may show certificates.
fn by_certificates(call: &PageCall, wrong_name: String) -> Vec<Field> {
    let w = call.words;
    let offered = call.app().sign_on_settings().certificates;
    let mut fields = Vec::new();
    if offered == Certificates::Verified {
        fields.push(
            Field::line("certificate_name", w.of("client-certificate-name"), call.form.text("certificate_name"))
                .hint(w.of("client-certificate-name-hint"))
                .optional(w.of("optional"))
                .error(wrong_name),
        );
    }
    if offered != Certificates::Off {
        let bound = Control::Box { checked: call.form.has("bound") };
        fields.push(Field::new("bound", w.of("client-bound"), bound).hint(w.of("client-bound-hint")));
    }
    fields
}

fn lines(call: &PageCall, name: &str) -> Vec<String> {
    call.form.text(name).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// `POST /operator/clients/new`
pub async fn create(call: PageCall) -> PageAnswer {
    let mut grants = vec!["authorization_code"];
    if call.form.has("refresh") {
        grants.push("refresh_token");
    }
    let mut metadata = json!({
        "client_name": call.form.text("name"),
        "redirect_uris": lines(&call, "redirects"),
        "post_logout_redirect_uris": lines(&call, "logouts"),
        "token_endpoint_auth_method": call.form.text("method"),
        "grant_types": grants,
        "tls_client_certificate_bound_access_tokens": call.form.has("bound"),
    });
    if let (BY_CERTIFICATE, Some(members)) = (call.form.text("method"), metadata.as_object_mut()) {
        members.insert("tls_client_auth_subject_dn".to_owned(), call.form.some("certificate_name").map_or(Value::Null, Value::String));
    }
    let terms = ClientTerms { first_party: call.form.has("first_party"), ..ClientTerms::default() };
    match call.app().create_client(&call.once(), metadata, terms).await {
        Ok(done) => made(&call, done),
        Err(Error::Invalid(found)) => {
            let found = errors::fields(&call, &found);
            let named = |error: FieldError| {
                let name = match error.name.strip_prefix("metadata.").unwrap_or(&error.name) {
                    name if name.starts_with("redirect_uris") => "redirects",
                    name if name.starts_with("post_logout_redirect_uris") => "logouts",
                    name if name.starts_with("token_endpoint_auth_method") => "method",
                    name if name.starts_with("tls_client_auth") => "certificate_name",
                    _ => "name",
                };
                FieldError { name: name.to_owned(), ..error }
            };
            let found: Vec<FieldError> = found.into_iter().map(named).collect();
            Ok(form(&call, &found)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page that shows a secret, once.
fn made(call: &PageCall, done: Done<ClientView>) -> PageAnswer {
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
        facts: facts(w, call.app().issuer(), &client),
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
