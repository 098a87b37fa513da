//! The providers that people sign in through, for the operator: the list, one, a new one, the links that wait.

use axum::http::StatusCode;
use octroi_app::{
    App, Error,
    connections::{ConnectionInput, ConnectionView, LinkRequestView},
};
use octroi_domain::{
    Id, Slug,
    connection::{ClientAuth, HandOff, LinkPolicy, LinkRequest, Purpose},
    text::Text,
};
use serde_json::{Value, json};

use super::{
    confirm::Confirm,
    errors,
    form::Form,
    kit::{ButtonLink, Cell, Check, Column, Control, Facts, Field, FieldError, Hidden, Link, PostButton, Table, Tag, Tone},
    operator::{FormView, OperatorPage, Place, Section},
    page::{Page, PageAnswer, PageCall},
    words::Words,
};
use crate::problem::Failure;

/// What most providers understand.
const SCOPES: &str = "openid email profile";

fn way(w: Words) -> Vec<Link> {
    vec![Link::new("/operator/connections", w.of("connections-title"))]
}

fn tag(w: Words, active: bool) -> Tag {
    if active { Tag::new(Tone::Good, w.of("connection-active")) } else { Tag::new(Tone::Warning, w.of("connection-inactive")) }
}

fn slug(call: &PageCall) -> Result<Slug, Failure> {
    call.id("slug")
}

/// `GET /operator/connections`
pub async fn list(call: PageCall) -> PageAnswer {
    let found = call.app().list_connections(&call.context()).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Connections, w.of("connections-title"), Vec::new());
    page.actions.push(ButtonLink::new("/operator/connections/new", w.of("connection-new")));
    let row = |connection: &ConnectionView| {
        vec![
            Cell::link(format!("/operator/connections/{}", connection.slug), w.text(&connection.name)),
            Cell::text(connection.issuer.clone()),
            Cell::text(purpose(w, &connection.purpose)),
            Cell::Tag(tag(w, connection.active)),
            Cell::text(w.number(connection.link_requests)),
        ]
    };
    let columns = [
        w.of("connection-name"),
        w.of("connection-issuer"),
        w.of("connection-purpose"),
        w.of("connection-state"),
        w.of("connection-waits"),
    ];
    page.sections.push(Section::of_table(Table {
        caption: w.of("connections-title").into(),
        columns: columns.map(Column::text).into(),
        rows: found.items.iter().map(row).collect(),
        empty: w.of("connections-none").into(),
    }));
    call.render(&page)
}

fn purpose(w: Words, value: &Value) -> String {
    if value.get("product").is_some() { w.of("connection-purpose-product").into() } else { w.of("connection-purpose-portal").into() }
}

fn yes(w: Words, there: bool) -> String {
    if there { w.of("answer-yes").into() } else { w.of("answer-no").into() }
}

fn facts(w: Words, connection: &ConnectionView) -> Facts {
    let facts = Facts::default()
        .with(w.of("connection-state"), Cell::Tag(tag(w, connection.active)))
        .text(w.of("connection-issuer"), connection.issuer.clone())
        .text(w.of("connection-client-id"), connection.client_id.clone())
        .text(w.of("connection-auth"), w.one_of("connection-auth", connection.client_auth.as_str()))
        .with(w.of("connection-scopes"), Cell::Items(connection.scopes.clone()))
        .with(w.of("connection-acr"), Cell::Items(connection.acr_values.clone()))
        .text(w.of("connection-policy"), w.one_of("connection-policy", connection.link_policy.as_str()))
        .text(w.of("connection-trusts-mfa"), yes(w, connection.trusts_mfa))
        .text(w.of("connection-trusts-organizations"), yes(w, connection.trusts_organizations))
        .text(w.of("connection-trusts-email"), yes(w, connection.trusts_email))
        .text(w.of("connection-signed"), yes(w, connection.signed_userinfo))
        .text(w.of("connection-purpose"), purpose(w, &connection.purpose));
    match connection.purpose.get("product") {
        Some(product) => facts.text(w.of("connection-front"), product.get("front").and_then(Value::as_str).unwrap_or_default()).text(
            w.of("connection-hand-off"),
            w.one_of("connection-hand-off", product.get("hand_off").and_then(Value::as_str).unwrap_or("session")),
        ),
        None => facts.text(w.of("connection-people"), w.number(connection.identities)),
    }
}

/// What the provider has to be told.
fn told(w: Words, connection: &ConnectionView) -> Facts {
    let code = |address: &str| Cell::Code(address.to_owned());
    let facts = Facts::default()
        .with(w.of("connection-redirect"), code(&connection.redirect_uri))
        .with(w.of("connection-logged-out"), code(&connection.post_logout_redirect_uri))
        .with(w.of("connection-backchannel"), code(&connection.backchannel_logout_uri));
    match &connection.jwks_uri {
        Some(address) => facts.with(w.of("connection-jwks"), code(address)),
        None => facts,
    }
}

/// `GET /operator/connections/{slug}`
pub async fn show(call: PageCall) -> PageAnswer {
    let slug = slug(&call)?;
    let connection = call.app().read_connection(&call.context(), &slug).await?;
    let waiting = call.app().list_link_requests(&call.context(), &slug).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Connections, w.text(&connection.name), way(w));
    page.actions.push(ButtonLink::new(format!("/operator/connections/{slug}/edit"), w.of("connection-edit")));
    if connection.purpose.get("product").is_some() {
        page.actions.push(ButtonLink::new(format!("/operator/connections/{slug}/accounts"), w.of("products-accounts")).secondary());
    }
    page.actions.push(ButtonLink::new(format!("/operator/connections/{slug}/delete"), w.of("connection-delete")).secondary());
    page.sections.push(Section { facts: Some(facts(w, &connection)), ..Section::default() });
    page.sections.push(Section {
        text: w.of("connection-told-text").into(),
        facts: Some(told(w, &connection)),
        ..Section::titled(w.of("connection-told"))
    });
    if connection.link_policy == LinkPolicy::Admin || !waiting.items.is_empty() {
        let row = |request: &LinkRequestView| {
            let decide = |accept: &str, label: String| {
                let action = format!("/operator/connections/{slug}/links/{}", request.id);
                let button = PostButton::new(action, label, page.shell.guard()).about(request.user.name.clone());
                PostButton { hidden: vec![Hidden { name: "accept".into(), value: accept.into() }], ..button }
            };
            let buttons = vec![decide("yes", w.of("link-accept").into()), decide("no", w.of("link-refuse").into()).danger()];
            vec![
                Cell::coded(
                    Cell::link(format!("/operator/people/{}", request.user.id), request.user.name.clone()),
                    request.user.email.clone(),
                ),
                Cell::Code(request.subject.clone()),
                Cell::text(w.date(&request.created_at)),
                Cell::Actions(buttons),
            ]
        };
        let rows = waiting.items.iter().map(row).collect();
        page.sections.push(Section {
            text: w.of("links-text").into(),
            table: Some(Table {
                caption: w.of("links-title").into(),
                columns: [w.of("link-account"), w.of("link-subject"), w.of("link-since"), w.of("link-decide")].map(Column::text).into(),
                rows,
                empty: w.of("links-none").into(),
            }),
            ..Section::titled(w.of("links-title"))
        });
    }
    call.render(&page)
}

/// `POST /operator/connections/{slug}/links/{id}`
pub async fn decide(call: PageCall) -> PageAnswer {
    let (slug, id): (Slug, Id<LinkRequest>) = (slug(&call)?, call.id("id")?);
    call.app().decide_link_request(&call.context(), id, call.form.text("accept") == "yes").await?;
    Ok(Page::to(format!("/operator/connections/{slug}")))
}

/// The fields with what a connection has, under the names that the form sends.
fn typed_of(connection: &ConnectionView) -> Form {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    let product = connection.purpose.get("product");
    let of_product = |name: &str| product.and_then(|product| product.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned();
    for (name, value) in [
        ("name_fr", connection.name.fr.clone()),
        ("name_en", connection.name.en.clone()),
        ("issuer", connection.issuer.clone()),
        ("client_id", connection.client_id.clone()),
        ("client_auth", connection.client_auth.as_str().to_owned()),
        ("scopes", connection.scopes.join(" ")),
        ("acr_values", connection.acr_values.join(" ")),
        ("link_policy", connection.link_policy.as_str().to_owned()),
        ("purpose", if product.is_some() { "product" } else { "portal" }.to_owned()),
        ("front", of_product("front")),
        ("hand_off", of_product("hand_off")),
    ] {
        pairs.append_pair(name, &value);
    }
    let legacy = product.and_then(|product| product.get("query_legacy_allowed")).and_then(Value::as_bool).unwrap_or_default();
    for (name, there) in [
        ("trusts_mfa", connection.trusts_mfa),
        ("trusts_organizations", connection.trusts_organizations),
        ("trusts_email", connection.trusts_email),
        ("signed_userinfo", connection.signed_userinfo),
        ("query_legacy_allowed", legacy),
        ("active", connection.active),
    ] {
        if there {
            pairs.append_pair(name, "true");
        }
    }
    Form::parse(pairs.finish().as_bytes()).unwrap_or_default()
}

fn radios(w: Words, name: &'static str, values: &[&str], chosen: &str) -> Control {
    let label = |value: &str| match name {
        "client_auth" => w.one_of("connection-auth", value),
        "link_policy" => w.one_of("connection-policy", value),
        "hand_off" => w.one_of("connection-hand-off", value),
        _ => w.one_of("connection-purpose", value),
    };
    let check =
        |value: &&str| Check { value: (*value).to_owned(), label: label(value).into(), checked: *value == chosen, ..Check::default() };
    Control::Radios { options: values.iter().map(check).collect() }
}

fn fields(w: Words, typed: &Form, has_secret: bool, found: &[FieldError]) -> Vec<Field> {
    let message = |name: &str| found.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let line = |name: &'static str, label: String| Field::line(name, label, typed.text(name)).error(message(name));
    let tick = |name: &'static str, label: String| Field::new(name, label, Control::Box { checked: typed.has(name) });
    let choice = |name: &'static str, label: String, values: &[&str], default: &str| {
        let chosen = typed.some(name).unwrap_or_else(|| default.to_owned());
        Field::new(name, label, radios(w, name, values, &chosen)).error(message(name))
    };
    let secret = Field::line("client_secret", w.of("connection-secret"), "").kind("password", "off").error(message("client_secret"));
    let secret = secret.hint(if has_secret { w.of("connection-secret-kept") } else { w.of("connection-secret-hint") });
    vec![
        line("name_fr", w.of("connection-name-fr").into()).hint(w.of("connection-name-hint")).required(),
        line("name_en", w.of("connection-name-en").into()).required(),
        line("issuer", w.of("connection-issuer").into()).hint(w.of("connection-issuer-hint")).required(),
        line("client_id", w.of("connection-client-id").into()).required(),
        choice("client_auth", w.of("connection-auth").into(), &ClientAuth::ALL.map(ClientAuth::as_str), "secret_basic"),
        secret.optional(w.of("optional")),
        line("scopes", w.of("connection-scopes").into()).hint(w.of("connection-scopes-hint")),
        line("acr_values", w.of("connection-acr").into()).hint(w.of("connection-acr-hint")).optional(w.of("optional")),
        choice("link_policy", w.of("connection-policy").into(), &LinkPolicy::ALL.map(LinkPolicy::as_str), "never")
            .hint(w.of("connection-policy-hint")),
        tick("trusts_mfa", w.of("connection-trusts-mfa").into()).hint(w.of("connection-trusts-mfa-hint")),
        tick("trusts_organizations", w.of("connection-trusts-organizations").into()).hint(w.of("connection-trusts-organizations-hint")),
        tick("trusts_email", w.of("connection-trusts-email").into()).hint(w.of("connection-trusts-email-hint")),
        tick("signed_userinfo", w.of("connection-signed").into()),
        choice("purpose", w.of("connection-purpose").into(), &["portal", "product"], "portal"),
        line("front", w.of("connection-front").into()).hint(w.of("connection-front-hint")).optional(w.of("connection-product-only")),
        choice("hand_off", w.of("connection-hand-off").into(), &HandOff::ALL.map(HandOff::as_str), "session")
            .optional(w.of("connection-product-only")),
        tick("query_legacy_allowed", w.of("connection-legacy").into()).hint(w.of("connection-legacy-hint")),
        tick("active", w.of("connection-is-active").into()),
    ]
}

/// What the form says. `before`: what a product has beyond what this form asks.
fn input(typed: &Form, before: Option<&Value>) -> ConnectionInput {
    let words = |name: &str| typed.text(name).split_ascii_whitespace().map(str::to_owned).collect();
    let purpose = if typed.text("purpose") == "product" {
        let mut product = before.and_then(|purpose| purpose.get("product")).cloned().unwrap_or_else(|| json!({}));
        if let Some(members) = product.as_object_mut() {
            members.insert("front".to_owned(), json!(typed.text("front")));
            members.insert("hand_off".to_owned(), json!(typed.some("hand_off").unwrap_or_else(|| "session".to_owned())));
            members.insert("query_legacy_allowed".to_owned(), json!(typed.has("query_legacy_allowed")));
        }
        serde_json::from_value(json!({ "product": product })).unwrap_or(Purpose::Portal)
    } else {
        Purpose::Portal
    };
    ConnectionInput {
        name: Text::new(typed.text("name_fr"), typed.text("name_en")),
        issuer: typed.text("issuer").to_owned(),
        client_id: typed.text("client_id").to_owned(),
        client_secret: typed.some("client_secret"),
        client_auth: ClientAuth::read(typed.text("client_auth")).unwrap_or_default(),
        scopes: words("scopes"),
        acr_values: words("acr_values"),
        link_policy: LinkPolicy::read(typed.text("link_policy")).unwrap_or_default(),
        trusts_mfa: typed.has("trusts_mfa"),
        trusts_organizations: typed.has("trusts_organizations"),
        trusts_email: typed.has("trusts_email"),
        signed_userinfo: typed.has("signed_userinfo"),
        purpose,
        active: typed.has("active"),
    }
}

/// The errors, under the names of the fields.
fn mended(call: &PageCall, found: &[octroi_domain::definition::FieldError]) -> Vec<FieldError> {
    let named = |error: FieldError| {
        let name = match error.name.as_str() {
            "name" => "name_fr".to_owned(),
            other => other.strip_prefix("purpose.product.").unwrap_or(other).to_owned(),
        };
        FieldError { name, ..error }
    };
    errors::fields(call, found).into_iter().map(named).collect()
}

/// `GET /operator/connections/new`
pub async fn new(call: PageCall) -> PageAnswer {
    App::manage(&call.context())?;
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("scopes", SCOPES).append_pair("active", "true").finish();
    new_page(&call, &Form::parse(query.as_bytes()).unwrap_or_default(), &[])
}

fn new_page(call: &PageCall, typed: &Form, found: &[FieldError]) -> PageAnswer {
    let w = call.words;
    let mut page = OperatorPage::new(call, Place::Connections, w.of("connection-new"), way(w));
    page.summary = errors::summary(call, found);
    let message = found.iter().find(|error| error.name == "slug").map(|error| error.message.clone()).unwrap_or_default();
    let mut all =
        vec![Field::line("slug", w.of("connection-slug"), typed.text("slug")).hint(w.of("connection-slug-hint")).required().error(message)];
    all.extend(fields(w, typed, false, found));
    page.sections.push(Section {
        form: Some(FormView {
            action: "/operator/connections/new".to_owned(),
            fields: all,
            button: w.of("create").into(),
            back: Some(Link::new("/operator/connections", w.of("cancel"))),
            ..FormView::default()
        }),
        ..Section::default()
    });
    call.render(&page)
}

/// `POST /operator/connections/new`
pub async fn create(call: PageCall) -> PageAnswer {
    let slug = call.form.text("slug").to_owned();
    match call.app().create_connection(&call.once(), &slug, input(&call.form, None)).await {
        Ok(_) => Ok(Page::to(format!("/operator/connections/{slug}"))),
        Err(Error::Invalid(found)) => {
            let found = mended(&call, &found);
            Ok(new_page(&call, &call.form, &found)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(Error::Conflict { text, .. }) => {
            let found = [FieldError { name: "slug".to_owned(), message: call.words.text(&text) }];
            Ok(new_page(&call, &call.form, &found)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /operator/connections/{slug}/edit`
pub async fn edit(call: PageCall) -> PageAnswer {
    let connection = call.app().read_connection(&call.context(), &slug(&call)?).await?;
    edit_page(&call, &connection, &typed_of(&connection), connection.version, &[])
}

fn edit_page(call: &PageCall, connection: &ConnectionView, typed: &Form, version: u32, found: &[FieldError]) -> PageAnswer {
    let w = call.words;
    let mut links = way(w);
    links.push(Link::new(format!("/operator/connections/{}", connection.slug), w.text(&connection.name)));
    let mut page = OperatorPage::new(call, Place::Connections, w.of("connection-edit"), links);
    page.summary = errors::summary(call, found);
    page.sections.push(Section {
        form: Some(FormView {
            action: format!("/operator/connections/{}/edit", connection.slug),
            hidden: vec![Hidden { name: "version".into(), value: version.to_string() }],
            fields: fields(w, typed, connection.has_secret, found),
            button: w.of("connection-save").into(),
            back: Some(Link::new(format!("/operator/connections/{}", connection.slug), w.of("cancel"))),
        }),
        ..Section::default()
    });
    call.render(&page)
}

/// `POST /operator/connections/{slug}/edit`
pub async fn change(call: PageCall) -> PageAnswer {
    let slug = slug(&call)?;
    let before = call.app().read_connection(&call.context(), &slug).await?;
    let expected = call.form.text("version").parse().ok();
    match call.app().update_connection(&call.context(), &slug, expected, input(&call.form, Some(&before.purpose))).await {
        Ok(_) => Ok(Page::to(format!("/operator/connections/{slug}")).flash("account-saved", "")),
        Err(Error::Invalid(found)) => {
            let found = mended(&call, &found);
            let version = expected.unwrap_or(before.version);
            Ok(edit_page(&call, &before, &call.form, version, &found)?.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /operator/connections/{slug}/delete`
pub async fn ask_delete(call: PageCall) -> PageAnswer {
    let slug = slug(&call)?;
    let connection = call.app().read_connection(&call.context(), &slug).await?;
    let w = call.words;
    let mut links = vec![Link::new("/operator", w.of("menu-operator"))];
    links.extend(way(w));
    call.render(&Confirm {
        shell: call.shell(w.of("connection-delete")).under(links),
        text: w.of("connection-delete-text").with("name", w.text(&connection.name)).with("count", connection.identities).into(),
        facts: None,
        summary: None,
        action: format!("/operator/connections/{slug}/delete"),
        fields: Vec::new(),
        button: w.of("connection-delete").into(),
        danger: true,
        back: Link::new(format!("/operator/connections/{slug}"), w.of("cancel")),
    })
}

/// `POST /operator/connections/{slug}/delete`
pub async fn delete(call: PageCall) -> PageAnswer {
    call.app().delete_connection(&call.context(), &slug(&call)?).await?;
    Ok(Page::to("/operator/connections"))
}
