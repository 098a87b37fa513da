//! Applications: the list of one's own, a new one, and one with what it may call and by which secrets.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    Done, Error,
    applications::NewApplication,
    catalogue::ApiView,
    sessions::MembershipView,
    usage::{SubscriptionUsageView, UsageView},
    view::{ApplicationView, CredentialView, PermitStop, PermitView, SubscriptionView},
};
use octroi_domain::{
    Id, Number,
    api::ApiName,
    application::{Application, ApplicationState},
    organization::Organization,
    permit::Permit,
    stage::Stage,
};
use serde_json::Value;

use super::{
    confirm::Confirm,
    errors,
    kit::{
        Alert, ButtonLink, Cell, Check, Column, Control, ErrorSummary, Facts, Field, Filters, Link, Pages, PostButton, Table, Tag, Tone,
    },
    organizations::none_yet,
    page::{Page, PageAnswer, PageCall, Shell},
    permit,
    words::Words,
};
use crate::problem::Failure;

/// Applications of one page of the list.
const ROWS: u32 = 25;

#[derive(Template)]
#[template(path = "applications.html")]
struct ListPage {
    shell: Shell,
    notice: Option<Alert>,
    organizations: Option<Filters>,
    /// None for who belongs to no organisation.
    table: Option<Table>,
    pages: Pages,
    create: Option<ButtonLink>,
}

#[derive(Template)]
#[template(path = "application_new.html")]
struct NewPage {
    shell: Shell,
    /// This page, with what one is on the way to.
    action: String,
    summary: Option<ErrorSummary>,
    fields: Vec<Field>,
    back: Link,
}

#[derive(Template)]
#[template(path = "application.html")]
struct ShowPage {
    shell: Shell,
    notice: Option<Alert>,
    facts: Facts,
    resume: Option<PostButton>,
    suspend: Option<Link>,
    subscriptions: Table,
    subscribe: Option<ButtonLink>,
    credentials: Table,
    new_credential: Option<ButtonLink>,
    usage: Link,
}

/// Organisations that the person is a member of beyond doubt: for them only are applications shown.
fn organizations(call: &PageCall) -> Vec<&MembershipView> {
    call.me.iter().flat_map(|me| &me.organizations).filter(|held| held.level != "unverified").collect()
}

/// The organisation that the page is about: the one that was chosen, else the first.
fn chosen(call: &PageCall, asked: &str) -> Option<Id<Organization>> {
    let mine = organizations(call);
    mine.iter().find(|held| held.organization.id == asked).or_else(|| mine.first()).and_then(|held| held.organization.id.parse().ok())
}

fn choice(call: &PageCall) -> Vec<(String, String)> {
    organizations(call).iter().map(|held| (held.organization.id.clone(), held.organization.name.clone())).collect()
}

pub(super) fn state_tag(w: Words, state: &str) -> Tag {
    let tone = if state == "active" { Tone::Good } else { Tone::Warning };
    Tag::new(tone, w.one_of("application-state", state))
}

pub(super) fn subscription_tag(w: Words, state: &str) -> Tag {
    let tone = match state {
        "active" => Tone::Good,
        "pending" => Tone::Info,
        "suspended" => Tone::Warning,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("subscription-state", state))
}

/// The way down to the pages of one application.
pub(super) fn way(w: Words, application: &ApplicationView) -> Vec<Link> {
    vec![Link::new("/applications", w.of("applications-title")), Link::new(format!("/applications/{}", application.id), &application.name)]
}

/// The application that the address names.
pub(super) async fn read(call: &PageCall) -> Result<(Id<Application>, ApplicationView), Failure> {
    let id: Id<Application> = call.id("id")?;
    Ok((id, call.app().read_application(&call.context(), id).await?))
}

/// What one is on the way to subscribe to.
struct Onward {
    /// The query that goes along.
    query: String,
    api: Option<ApiView>,
    permit: Option<PermitView>,
}
impl Onward {
    /// None: one only looks.
    async fn of(call: &PageCall) -> Result<Option<Self>, Failure> {
        let context = call.context();
        let named: Option<ApiName> = call.query.text("api").parse().ok();
        let number: Option<Number<Permit>> = call.query.text("permit").parse().ok();
        if named.is_none() && number.is_none() {
            return Ok(None);
        }
        let api = match &named {
            Some(name) => Some(call.app().read_api(&context, name).await?),
            None => None,
        };
        let permit = match number {
            Some(number) => Some(call.app().read_permit(&context, number).await?),
            None => None,
        };
        let pairs = [("api", api.as_ref().map(|api| &api.name)), ("permit", permit.as_ref().map(|permit| &permit.id))];
        let pairs = pairs.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Ok(Some(Self { query, api, permit }))
    }

    /// The way on with this application, or why there is none.
    fn next(&self, w: Words, application: &ApplicationView) -> Cell {
        let api = self.api.as_ref();
        let open = api.is_none_or(|api| api.stages.contains(&application.stage));
        let covered = self.permit.as_ref().is_none_or(|permit| permit.stage.as_ref().is_none_or(|stage| *stage == application.stage));
        let same = |held: &SubscriptionView| {
            held.state != "revoked"
                && api.is_some_and(|api| api.name == held.api)
                && self.permit.as_ref().is_none_or(|permit| held.permit.as_ref() == Some(&permit.id))
        };
        if !open || !covered {
            Cell::text(w.of("application-other-stage"))
        } else if application.subscriptions.iter().any(same) {
            Cell::text(w.of("application-subscribed"))
        } else {
            let href = format!("/applications/{}/subscribe?{}", application.id, self.query);
            Cell::link(href, w.of("application-choose").and("name", &application.name))
        }
    }

    /// Where an application is made for it, on a stage that will do.
    fn create(&self) -> String {
        let stages = self.api.as_ref().map(|api| api.stages.as_slice()).unwrap_or_default();
        let only = if let [only] = stages { Some(only) } else { None };
        let stage = self.permit.as_ref().and_then(|permit| permit.stage.as_ref()).or(only);
        let stage = stage.map(|stage| format!("&stage={stage}")).unwrap_or_default();
        let of = self.permit.as_ref().map(|permit| format!("&organization={}", permit.organization.id)).unwrap_or_default();
        format!("/applications/new?{}{stage}{of}", self.query)
    }
}

/// `GET /applications?organization=&api=&permit=`
///
/// With an API or a permit, one is on the way to subscribing: each application leads on.
pub async fn list(call: PageCall) -> PageAnswer {
    let w = call.words;
    let onward = Onward::of(&call).await?;
    let known = call.app().list_apis(&call.context()).await?;
    let title = |name: &str| known.iter().find(|api| api.name == name).map_or_else(|| name.to_owned(), |api| w.text(&api.title));
    let organization = chosen(&call, call.query.text("organization"));
    let listing = match organization {
        Some(organization) => Some(call.app().list_applications(&call.context(), Some(organization), call.page(ROWS)).await?),
        None => None,
    };
    let items = listing.as_ref().map(|listing| listing.items.as_slice()).unwrap_or_default();
    let row = |application: &ApplicationView| {
        let href = format!("/applications/{}", application.id);
        let live = application.subscriptions.iter().filter(|held| held.state != "revoked");
        let mut row = vec![
            Cell::link(&href, &application.name),
            Cell::text(w.one_of("stage", &application.stage)),
            Cell::Tag(state_tag(w, &application.state)),
            Cell::Items(live.map(|held| title(&held.api)).collect()),
        ];
        row.extend(onward.as_ref().map(|onward| onward.next(w, application)));
        row
    };
    let mut columns = vec![
        Column::text(w.of("application-name")),
        Column::text(w.of("application-stage")),
        Column::text(w.of("application-state")),
        Column::text(w.of("application-apis")),
    ];
    if onward.is_some() {
        columns.push(Column::text(w.of("application-next")));
    }
    let table = Table {
        caption: w.of("applications-caption").into(),
        columns,
        rows: items.iter().map(row).collect(),
        empty: w.of("applications-empty").into(),
    };
    let next = listing.and_then(|listing| listing.next);
    let api = onward.as_ref().and_then(|onward| onward.api.as_ref()).map(|api| w.text(&api.title));
    let notice = match (organization, &api) {
        (None, _) if call.me.as_ref().is_some_and(|me| me.organizations.is_empty()) => Some(none_yet(&call, &call.here_with(&[])).await?),
        (None, _) => {
            let alert = Alert::new(Tone::Info, w.of("applications-no-organization"), w.of("applications-no-organization-text"));
            Some(alert.link("/organizations", w.of("organizations-title")))
        }
        (Some(_), Some(api)) => Some(Alert::new(Tone::Info, w.of("applications-choose").and("api", api), w.of("applications-choose-text"))),
        (Some(_), None) if onward.is_some() => {
            Some(Alert::new(Tone::Info, w.of("applications-choose-one"), w.of("applications-choose-text")))
        }
        _ => None,
    };
    let options = choice(&call);
    let create = onward.as_ref().map_or_else(|| "/applications/new".to_owned(), Onward::create);
    call.render(&ListPage {
        notice,
        organizations: (options.len() > 1).then(|| Filters {
            label: w.of("applications-of").into(),
            action: "/applications".to_owned(),
            fields: vec![Field::select(
                "organization",
                w.of("application-organization"),
                options,
                organization.map(|id| id.to_string()).unwrap_or_default(),
            )],
            submit: w.of("list-show").into(),
            reset: None,
            found: String::new(),
        }),
        table: organization.map(|_| table),
        pages: pages(&call, next),
        create: organization.map(|_| ButtonLink::new(create, w.of("application-new"))),
        shell: call.shell(w.of("applications-title")),
    })
}

/// The way through a list whose next page begins at this cursor.
pub(super) fn pages(call: &PageCall, next: Option<String>) -> Pages {
    let w = call.words;
    let first = call.query.has("cursor").then(|| Link::new(call.here_with(&[]), w.of("list-first")));
    Pages {
        label: w.of("list-pages").into(),
        first,
        next: next.map(|next| Link::new(call.here_with(&[("cursor", &next)]), w.of("list-next"))),
    }
}

/// `GET /applications/new`
pub async fn new(call: PageCall) -> PageAnswer {
    // Without an organisation there is nobody to make it for: the list says what to do first.
    if organizations(&call).is_empty() {
        return Ok(Page::to(if call.raw_query.is_empty() {
            "/applications".to_owned()
        } else {
            format!("/applications?{}", call.raw_query)
        }));
    }
    new_page(&call, &[])
}

fn new_page(call: &PageCall, faults: &[octroi_domain::definition::FieldError]) -> PageAnswer {
    let w = call.words;
    let wrong = errors::fields(call, faults);
    let error = |name: &str| wrong.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let typed = |name: &str| call.form.get(name).or_else(|| call.query.get(name)).unwrap_or_default();
    let stage = Some(typed("stage")).filter(|stage| !stage.is_empty()).unwrap_or("sandbox");
    let option = |one: Stage| Check {
        value: one.to_string(),
        label: w.one_of("stage", one.as_str()).into(),
        hint: w.one_of("application-stage-hint", one.as_str()).into(),
        checked: stage == one.as_str(),
        locked: false,
    };
    let mut fields = vec![
        Field::line("name", w.of("application-name"), call.form.get("name").unwrap_or_default())
            .hint(w.of("application-name-hint"))
            .error(error("name"))
            .required(),
        Field::new("stage", w.of("application-stage"), Control::Radios { options: Stage::ALL.map(option).to_vec() })
            .error(error("stage"))
            .required(),
    ];
    let options = choice(call);
    if options.len() > 1 {
        let held = typed("organization");
        fields.push(Field::select("organization", w.of("application-organization"), options, held).error(error("organization")).required());
    }
    fields.push(
        Field::new("management", w.of("application-management"), Control::Box { checked: call.form.has("management") })
            .hint(w.of("application-management-hint")),
    );
    call.render(&NewPage {
        action: call.here_with(&[]),
        summary: errors::summary(call, &wrong),
        fields,
        back: Link::new("/applications", w.of("cancel")),
        shell: call.shell(w.of("application-new")).under(vec![Link::new("/applications", w.of("applications-title"))]),
    })
}

/// `POST /applications/new`
pub async fn create(call: PageCall) -> PageAnswer {
    // On the way to a subscription, on one goes.
    let onward = Onward::of(&call).await?.map(|onward| format!("/subscribe?{}", onward.query)).unwrap_or_default();
    let stage = call.form.text("stage").parse().unwrap_or(Stage::Sandbox);
    let organization = chosen(&call, call.form.text("organization"));
    let new = NewApplication { name: call.form.text("name").to_owned(), stage, organization, management: call.form.has("management") };
    match call.app().create_application(&call.once(), new).await {
        Ok(done) => {
            let id = made(&done, |view: &ApplicationView| &view.id);
            Ok(Page::to(format!("/applications/{id}{onward}")).flash("application-created", ""))
        }
        Err(Error::Invalid(faults)) => Ok(new_page(&call, &faults)?.status(StatusCode::UNPROCESSABLE_ENTITY)),
        Err(error) => Err(error.into()),
    }
}

/// The id of what a form made, now or when it was sent before.
pub(super) fn made<T>(done: &Done<T>, id: impl Fn(&T) -> &String) -> String {
    match done {
        Done::Now { value, .. } => id(value).clone(),
        Done::Before { body, .. } => {
            let told: Option<Value> = body.as_deref().and_then(|body| serde_json::from_str(body).ok());
            told.as_ref().and_then(|value| value.get("id")?.as_str()).unwrap_or_default().to_owned()
        }
    }
}

/// `GET /applications/{id}`
pub async fn show(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let usage = call.app().application_usage(&call.context(), id).await?;
    let w = call.words;
    let active = application.state == "active";
    let here = format!("/applications/{id}");
    let shell = call.shell(&application.name).under(vec![Link::new("/applications", w.of("applications-title"))]);
    let facts = Facts::default()
        .with(w.of("application-client-id"), Cell::Code(application.client_id.clone()))
        .text(w.of("application-stage"), w.one_of("stage", &application.stage))
        .with(w.of("application-state"), Cell::Tag(state_tag(w, &application.state)))
        .text(w.of("application-organization"), &application.organization.name)
        .text(w.of("application-token-url"), token_url(&call, &application.stage))
        .with(w.of("application-created"), Cell::When(w.when(&application.created_at)));
    let facts = if application.management { facts.text(w.of("application-management"), w.of("yes")) } else { facts };
    call.render(&ShowPage {
        notice: (!active).then(|| Alert::new(Tone::Warning, w.of("application-suspended"), w.of("application-suspended-text"))),
        facts,
        resume: (!active).then(|| PostButton::new(format!("{here}/resume"), w.of("application-resume"), shell.guard()).primary()),
        suspend: active.then(|| Link::new(format!("{here}/suspend"), w.of("application-suspend"))),
        subscriptions: subscriptions(w, &here, &usage, active),
        subscribe: active.then(|| ButtonLink::new(format!("{here}/subscribe"), w.of("application-subscribe"))),
        credentials: credentials(w, &here, &application.credentials),
        new_credential: active.then(|| ButtonLink::new(format!("{here}/credentials/new"), w.of("credential-new")).secondary()),
        usage: Link::new(format!("{here}/usage"), w.of("application-usage")),
        shell,
    })
}

/// Where tokens of a stage are asked for.
pub(super) fn token_url(call: &PageCall, stage: &str) -> String {
    format!("{}/api/oauth/token", gateway_url(call, stage))
}

/// The gateway of a stage.
pub(super) fn gateway_url<'a>(call: &'a PageCall, stage: &str) -> &'a str {
    let web = &call.shared.web;
    let url = if stage == Stage::Sandbox.as_str() { &web.sandbox_url } else { &web.production_url };
    url.trim_end_matches('/')
}

fn subscriptions(w: Words, here: &str, usage: &UsageView, active: bool) -> Table {
    let row = |held: &SubscriptionUsageView| {
        let subscription = &held.subscription;
        let left = match (held.left_today, held.quota_per_day) {
            _ if held.stop.is_some() => w.of("none").to_string(),
            (Some(left), Some(quota)) => w.of("subscription-left").with("left", w.number(left)).with("quota", w.number(quota)).to_string(),
            _ => w.of("subscription-unlimited").with("used", w.number(held.used_today)).to_string(),
        };
        let mut links = Vec::new();
        let api = &subscription.api;
        let title = held.title.as_ref().map_or_else(|| api.clone(), |title| w.text(title));
        if held.stop.as_ref().is_some_and(PermitStop::for_good) && active {
            links.push(Link::new(format!("{here}/subscribe?api={api}"), w.of("subscription-anew").and("api", &title)));
        } else if held.stop.is_none() && subscription.state == "active" {
            links.push(Link::new(format!("{here}/start?api={api}"), w.of("subscription-start").and("api", &title)));
        }
        if held.terms_in_force.is_some() && held.terms_in_force != subscription.terms_accepted {
            links.push(Link::new(format!("{here}/subscriptions/{}/terms", subscription.id), w.of("subscription-terms").and("api", &title)));
        }
        links.push(Link::new(format!("{here}/subscriptions/{}/end", subscription.id), w.of("subscription-end").and("api", &title)));
        vec![
            Cell::coded(Cell::link(format!("/apis/{api}"), &title), api),
            held.stop.as_ref().map_or_else(|| Cell::Tag(subscription_tag(w, &subscription.state)), |stop| permit::refused(w, stop)),
            subscription.permit.as_ref().map_or_else(|| Cell::text(w.of("none")), |id| Cell::link(format!("/permits/{id}"), id)),
            Cell::text(held.plan_title.as_ref().map_or_else(|| subscription.plan.clone(), |title| w.text(title))),
            Cell::text(left),
            held.last_call_at.as_ref().map_or_else(|| Cell::text(w.of("never")), |at| Cell::When(w.when(at))),
            Cell::Links(links),
        ]
    };
    Table {
        caption: w.of("subscriptions-caption").into(),
        columns: vec![
            Column::text(w.of("subscription-api")),
            Column::text(w.of("application-state")),
            Column::text(w.of("subscription-permit")),
            Column::text(w.of("subscription-plan")),
            Column::text(w.of("subscription-today")),
            Column::text(w.of("subscription-last-call")),
            Column::text(w.of("actions")),
        ],
        rows: usage.subscriptions.iter().map(row).collect(),
        empty: w.of("subscriptions-empty").into(),
    }
}

fn credentials(w: Words, here: &str, all: &[CredentialView]) -> Table {
    let row = |held: &CredentialView| {
        let (tag, links) = match &held.revoked_at {
            Some(_) => (Tag::new(Tone::Neutral, w.of("credential-revoked")), Vec::new()),
            None => {
                let at = format!("{here}/credentials/{}", held.id);
                let hint = &held.hint;
                let links = vec![
                    Link::new(format!("{at}/replace"), w.of("credential-replace").and("hint", hint)),
                    Link::new(format!("{at}/revoke"), w.of("credential-revoke").and("hint", hint)),
                ];
                (Tag::new(Tone::Good, w.of("credential-active")), links)
            }
        };
        vec![
            Cell::Code(format!("{}…", held.hint)),
            Cell::text(w.one_of("credential-kind", &held.kind)),
            Cell::Tag(tag),
            Cell::When(w.when(&held.created_at)),
            held.last_used_at.as_ref().map_or_else(|| Cell::text(w.of("never")), |at| Cell::When(w.when(at))),
            Cell::Links(links),
        ]
    };
    // Those that still open something first; of the others, the last few.
    let active = all.iter().filter(|held| held.revoked_at.is_none());
    let ended = all.iter().filter(|held| held.revoked_at.is_some()).take(5);
    Table {
        caption: w.of("credentials-caption").into(),
        columns: vec![
            Column::text(w.of("credential-hint")),
            Column::text(w.of("credential-kind")),
            Column::text(w.of("application-state")),
            Column::text(w.of("application-created")),
            Column::text(w.of("credential-last-used")),
            Column::text(w.of("actions")),
        ],
        rows: active.chain(ended).map(row).collect(),
        empty: w.of("credentials-empty").into(),
    }
}

/// `GET /applications/{id}/suspend`
pub async fn ask_suspend(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    let w = call.words;
    call.render(&Confirm {
        text: w.of("application-suspend-text").into(),
        facts: None,
        summary: None,
        action: format!("/applications/{id}/suspend"),
        fields: Vec::new(),
        button: w.of("application-suspend").into(),
        danger: true,
        back: Link::new(format!("/applications/{id}"), w.of("cancel")),
        shell: call.shell(w.of("application-suspend-title").and("name", &application.name)).under(way(w, &application)),
    })
}

/// `POST /applications/{id}/suspend`
pub async fn suspend(call: PageCall) -> PageAnswer {
    set_state(&call, ApplicationState::Suspended).await
}

/// `POST /applications/{id}/resume`
pub async fn resume(call: PageCall) -> PageAnswer {
    set_state(&call, ApplicationState::Active).await
}

async fn set_state(call: &PageCall, state: ApplicationState) -> PageAnswer {
    let id: Id<Application> = call.id("id")?;
    call.app().set_application_state(&call.once(), id, state).await?;
    let said = if state == ApplicationState::Active { "application-resumed" } else { "application-suspended" };
    Ok(Page::to(format!("/applications/{id}")).flash(said, ""))
}
