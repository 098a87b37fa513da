//! What an application may call: subscribing, accepting terms, ending.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    Error,
    catalogue::ApiView,
    query::{Page as Rows, PermitFilter},
    subscriptions::NewSubscription,
    usage::SubscriptionUsageView,
    view::{ApplicationView, PermitLine, PermitStop, SubscriptionView},
};
use octroi_domain::{
    Id, Number,
    api::ApiName,
    application::{Subscription, SubscriptionState},
    definition::FieldError,
    feed::PermitStatus,
    organization::Organization,
    permit::Permit,
};
use serde_json::Value;

use super::{
    applications::{made, read, way},
    confirm::Confirm,
    errors,
    kit::{self, Alert, ButtonLink, Cell, Check, Control, ErrorSummary, Facts, Field, Hidden, Link, Tile, Tiles, Tone, Typed},
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};
use crate::problem::Failure;

/// Permits that one chooses from.
const PERMITS: u32 = 50;

#[derive(Template)]
#[template(path = "application_subscribe.html")]
struct ChoosePage {
    shell: Shell,
    tiles: Option<Tiles>,
    catalogue: Link,
}

#[derive(Template)]
#[template(path = "application_subscribe_to.html")]
struct SubscribePage {
    shell: Shell,
    summary: Option<ErrorSummary>,
    /// Why one cannot subscribe yet, with the way to what is missing.
    missing: Option<Alert>,
    facts: Facts,
    terms: Option<Typed>,
    terms_link: Option<Link>,
    action: String,
    api: Hidden,
    fields: Vec<Field>,
    apply: Option<ButtonLink>,
    back: Link,
}

/// `GET /applications/{id}/subscribe?api=&permit=`: first the API, then what it takes.
pub async fn show(call: PageCall) -> PageAnswer {
    match call.query.text("api").parse::<ApiName>() {
        Ok(api) => subscribe_to(&call, &api, &[]).await,
        Err(_) => choose(&call).await,
    }
}

async fn choose(call: &PageCall) -> PageAnswer {
    let (id, application) = read(call).await?;
    let w = call.words;
    let apis = call.app().list_apis(&call.context()).await?;
    let usage = call.app().application_usage(&call.context(), id).await?;
    let live: Vec<&str> = usage.subscriptions.iter().filter(|held| in_place(held)).map(|held| held.subscription.api.as_str()).collect();
    // On the way from a permit: what it opens, and nothing else.
    let permit = match call.query.text("permit").parse::<Number<Permit>>() {
        Ok(number) => Some(call.app().read_permit(&call.context(), number).await?),
        Err(_) => None,
    };
    let opened = |api: &ApiView| permit.as_ref().is_none_or(|permit| api.definitions.contains(&permit.definition));
    let open = apis.iter().filter(|api| api.stages.contains(&application.stage) && !live.contains(&api.name.as_str()) && opened(api));
    let open: Vec<&ApiView> = open.collect();
    // It opens one: there is nothing to choose.
    if let (Some(_), [only]) = (&permit, open.as_slice()) {
        let name: ApiName = only.name.parse().map_err(|_| Error::NotFound)?;
        return subscribe_to(call, &name, &[]).await;
    }
    let permit = permit.as_ref().map(|permit| format!("&permit={}", permit.id)).unwrap_or_default();
    let tile = |api: &ApiView| Tile {
        link: Link::new(format!("/applications/{id}/subscribe?api={}{permit}", api.name), w.text(&api.title)),
        text: w.text(&api.description),
        tags: vec![kit::Tag::new(Tone::Neutral, w.one_of("api-access", &api.access))],
        note: api.name.clone(),
        level: 2,
    };
    let tiles: Vec<Tile> = open.into_iter().map(tile).collect();
    call.render(&ChoosePage {
        tiles: (!tiles.is_empty()).then_some(Tiles { tiles }),
        catalogue: Link::new("/apis", w.of("menu-catalogue")),
        shell: call.shell(w.of("application-subscribe")).under(way(w, &application)),
    })
}

/// Does the subscription stand? One whose permit has ended gives way to another one.
fn in_place(held: &SubscriptionUsageView) -> bool {
    !held.stop.as_ref().is_some_and(PermitStop::for_good)
}

/// Permits of the application's organisation that open this API on its stage.
async fn permits(call: &PageCall, application: &ApplicationView, api: &ApiView) -> Result<Vec<PermitLine>, Failure> {
    let organization: Id<Organization> = application.organization.id.parse().map_err(|_| Error::NotFound)?;
    let mut filter = PermitFilter::new();
    filter.organizations = vec![organization];
    filter.statuses = vec![PermitStatus::Active];
    filter.definitions = api.definitions.iter().filter_map(|slug| slug.parse().ok()).collect();
    let held = call.app().list_permits(&call.context(), filter, Rows::first(PERMITS)).await?.items;
    Ok(held.into_iter().filter(|permit| permit.stage.as_ref().is_none_or(|stage| *stage == application.stage)).collect())
}

fn words_of(value: &Value, member: &str, w: Words) -> String {
    value.get(member).and_then(|text| text.get(w.code())).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What a plan of an API is called; its code where the API has it no more.
pub(super) fn plan_name(w: Words, api: &ApiView, id: &str) -> String {
    let found = api.plans.iter().find(|plan| plan.get("id").and_then(Value::as_str) == Some(id));
    found.map(|plan| words_of(plan, "name", w)).filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned())
}

fn plan_option(w: Words, plan: &Value, chosen: &str) -> Check {
    let id = plan.get("id").and_then(Value::as_str).unwrap_or_default();
    let limit = |member: &str| plan.get(member).and_then(Value::as_u64);
    let said = |phrase: super::words::Phrase, limit: Option<u64>| limit.map(|limit| phrase.with("count", w.number(limit)).to_string());
    let limits: Vec<String> = [said(w.of("plan-rate"), limit("rate_per_second")), said(w.of("plan-quota"), limit("quota_per_day"))]
        .into_iter()
        .flatten()
        .collect();
    Check {
        value: id.to_owned(),
        label: words_of(plan, "name", w),
        hint: if limits.is_empty() { w.of("plan-unlimited").into() } else { limits.join(" · ") },
        checked: id == chosen,
        locked: false,
    }
}

async fn subscribe_to(call: &PageCall, name: &ApiName, faults: &[FieldError]) -> PageAnswer {
    let (id, application) = read(call).await?;
    let api = call.app().read_api(&call.context(), name).await?;
    let usage = call.app().application_usage(&call.context(), id).await?;
    let subscribed = usage.subscriptions.iter().any(|held| held.subscription.api == api.name && in_place(held));
    let held = if api.access == "permit" { permits(call, &application, &api).await? } else { Vec::new() };
    let w = call.words;
    let wrong = errors::fields(call, faults);
    let error = |name: &str| wrong.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let typed = |name: &str| call.form.get(name).or_else(|| call.query.get(name)).unwrap_or_default();
    let mut fields = Vec::new();
    if !held.is_empty() {
        let chosen =
            Some(typed("permit")).filter(|text| !text.is_empty()).unwrap_or(held.first().map_or("", |permit| &permit.id)).to_owned();
        let option = |permit: &PermitLine| Check {
            value: permit.id.clone(),
            label: format!("{} · {}", permit.id, permit.title),
            hint: permit
                .expires_at
                .as_ref()
                .map(|at| w.of("subscribe-permit-until").with("date", w.date(at)).to_string())
                .unwrap_or_default(),
            checked: permit.id == chosen,
            locked: false,
        };
        let options = held.iter().map(option).collect();
        fields.push(Field::new("permit", w.of("subscription-permit"), Control::Radios { options }).error(error("permit")).required());
    }
    let first = api.plans.first().and_then(|plan| plan.get("id")).and_then(Value::as_str).unwrap_or_default();
    let chosen = Some(typed("plan")).filter(|text| !text.is_empty()).unwrap_or(first);
    let options = api.plans.iter().map(|plan| plan_option(w, plan, chosen)).collect();
    fields.push(Field::new("plan", w.of("subscription-plan"), Control::Radios { options }).error(error("plan")).required());
    let terms = api.terms.as_ref();
    if terms.is_some() {
        fields.push(
            Field::new("accept_terms", w.of("subscription-accept-terms"), Control::Box { checked: call.form.has("accept_terms") })
                .error(error("accept_terms"))
                .required(),
        );
    }
    let closed = !api.stages.contains(&application.stage);
    let needs_permit = api.access == "permit" && held.is_empty() && !subscribed;
    let missing = if subscribed {
        let title = w.of("subscribe-already");
        Some(Alert::new(Tone::Info, title, w.of("subscribe-already-text")).link(format!("/applications/{id}"), &application.name))
    } else if closed {
        let title = w.of("subscribe-not-open").with("stage", w.one_of("stage", &application.stage).to_string());
        Some(Alert::new(Tone::Warning, title, w.of("subscribe-not-open-text")).link("/applications/new", w.of("application-new")))
    } else if needs_permit {
        Some(Alert::new(Tone::Info, w.of("subscribe-needs-permit"), w.of("subscribe-needs-permit-text")))
    } else {
        None
    };
    // What is refused for another reason than a field (an API that is not known, a permit that is out of date).
    let other = wrong.iter().find(|error| error.name == "api").map(|error| Alert::new(Tone::Bad, error.message.clone(), String::new()));
    let apply = needs_permit.then(|| api.definitions.first()).flatten();
    let title = w.text(&api.title);
    call.render(&SubscribePage {
        summary: errors::summary(call, &wrong),
        fields: if missing.is_some() { Vec::new() } else { fields },
        missing: missing.or(other),
        facts: Facts::default()
            .with(w.of("subscription-api"), Cell::coded(Cell::link(format!("/apis/{name}"), &title), name.to_string()))
            .text(w.of("subscription-access"), w.one_of("api-how", &api.access))
            .text(w.of("application-stage"), w.one_of("stage", &application.stage)),
        terms: terms.map(|terms| Typed { text: words_of(terms, "text", w) }),
        terms_link: terms.and_then(|terms| terms.get("url")?.as_str()).map(|url| Link::new(url, w.of("subscription-terms-link"))),
        action: format!("/applications/{id}/subscribe"),
        api: Hidden { name: "api".to_owned(), value: name.to_string() },
        apply: apply.map(|definition| ButtonLink::new(format!("/start/{definition}"), w.of("subscribe-apply"))),
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("subscribe-to").and("api", &title)).under(way(w, &application)),
    })
}

/// `POST /applications/{id}/subscribe`
pub async fn subscribe(call: PageCall) -> PageAnswer {
    let (id, _) = read(&call).await?;
    let api: ApiName = call.form.text("api").parse().map_err(|_| Error::NotFound)?;
    let new = NewSubscription {
        api: api.clone(),
        permit: call.form.text("permit").parse().ok(),
        plan: call.form.text("plan").parse().ok(),
        accept_terms: call.form.has("accept_terms"),
    };
    match call.app().subscribe(&call.once(), id, new).await {
        Ok(done) => {
            let _ = made(&done, |view: &SubscriptionView| &view.id);
            let waits = done.value().is_some_and(|view| view.state == "pending");
            let said = if waits { "subscription-pending" } else { "subscription-made" };
            Ok(Page::to(format!("/applications/{id}")).flash(said, ""))
        }
        Err(Error::Invalid(faults)) => Ok(subscribe_to(&call, &api, &faults).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Err(error) => Err(error.into()),
    }
}

/// The subscription of the application that the address names.
fn held<'a>(call: &PageCall, application: &'a ApplicationView) -> Result<(Id<Subscription>, &'a SubscriptionView), Failure> {
    let id: Id<Subscription> = call.id("subscription")?;
    let text = id.to_string();
    let found = application.subscriptions.iter().find(|held| held.id == text);
    found.map(|held| (id, held)).ok_or_else(|| Error::NotFound.into())
}

/// What the API of a subscription and its plan are called: by their codes where the API has left the catalogue.
async fn names(call: &PageCall, held: &SubscriptionView) -> (String, String) {
    let (code, w) = (&held.api, call.words);
    let api = match code.parse::<ApiName>() {
        Ok(name) => call.app().read_api(&call.context(), &name).await.ok(),
        Err(_) => None,
    };
    api.map_or_else(|| (code.clone(), held.plan.clone()), |api| (w.text(&api.title), plan_name(w, &api, &held.plan)))
}

/// `GET /applications/{id}/subscriptions/{subscription}/end`
pub async fn ask_end(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let (subscription, held) = held(&call, &application)?;
    let (title, plan) = names(&call, held).await;
    let w = call.words;
    call.render(&Confirm {
        text: w.of("subscription-end-text").into(),
        facts: Some(
            Facts::default()
                .with(w.of("subscription-api"), Cell::coded(Cell::text(&title), &held.api))
                .text(w.of("subscription-plan"), plan),
        ),
        summary: None,
        action: format!("/applications/{id}/subscriptions/{subscription}/end"),
        fields: Vec::new(),
        button: w.of("subscription-end-now").into(),
        danger: true,
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("subscription-end").and("api", &title)).under(way(w, &application)),
    })
}

/// `POST /applications/{id}/subscriptions/{subscription}/end`
pub async fn end(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let (subscription, _) = held(&call, &application)?;
    call.app().set_subscription_state(&call.once(), subscription, SubscriptionState::Revoked).await?;
    Ok(Page::to(format!("/applications/{id}")).flash("subscription-ended", ""))
}

/// `GET /applications/{id}/subscriptions/{subscription}/terms`
pub async fn ask_terms(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let (subscription, held) = held(&call, &application)?;
    let name: ApiName = held.api.parse().map_err(|_| Error::NotFound)?;
    let api = call.app().read_api(&call.context(), &name).await?;
    let terms = api.terms.as_ref().ok_or(Error::NotFound)?;
    let w = call.words;
    call.render(&Confirm {
        text: w.of("subscription-terms-text").into(),
        facts: Some(Facts::default().with(w.of("subscription-terms-title"), Cell::Typed(words_of(terms, "text", w)))),
        summary: None,
        action: format!("/applications/{id}/subscriptions/{subscription}/terms"),
        fields: Vec::new(),
        button: w.of("subscription-terms-accept").into(),
        danger: false,
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("subscription-terms").and("api", &w.text(&api.title))).under(way(w, &application)),
    })
}

/// `POST /applications/{id}/subscriptions/{subscription}/terms`
pub async fn accept_terms(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let (subscription, _) = held(&call, &application)?;
    call.app().accept_terms(&call.once(), subscription).await?;
    Ok(Page::to(format!("/applications/{id}")).flash("terms-accepted", ""))
}
