//! Who is subscribed to an API, for its administrator: enrol, invite, activate, suspend, revoke.

use askama::Template;
use axum::http::StatusCode;
use octroi_app::{
    Error,
    api_administration::{AdministeredLine, SubscriberView},
    catalogue::ApiView,
    invitations::{InvitationView, NewInvitation},
    query::Page as Rows,
};
use octroi_domain::{
    Id,
    api::ApiName,
    application::{Subscription, SubscriptionState},
    invitation::Invitation,
    text::Language,
};
use serde_json::Value;

use super::{
    admin_api::{tabs, way},
    api_page::named,
    application_subscriptions::plan_name,
    applications::{pages, subscription_tag},
    confirm::Confirm,
    errors,
    kit::{Alert, Cell, Column, ErrorSummary, Facts, Field, FieldError, Link, Pages, PostButton, Table, Tabs, Tag, Tone},
    page::{Page, PageAnswer, PageCall, Shell},
    review,
    words::Words,
};
use crate::problem::Failure;

const ROWS: u32 = 25;
const STATES: [SubscriptionState; 4] =
    [SubscriptionState::Pending, SubscriptionState::Active, SubscriptionState::Suspended, SubscriptionState::Revoked];

#[derive(Template)]
#[template(path = "api_admin_subscribers.html")]
struct SubscribersPage {
    shell: Shell,
    tabs: Tabs,
    summary: Option<ErrorSummary>,
    states: Tabs,
    table: Table,
    pages: Pages,
    /// None where subscribers need a permit: then nobody is let in by hand.
    by_hand: Option<ByHand>,
    notice: Option<Alert>,
}

struct ByHand {
    enrol_action: String,
    enrol: Vec<Field>,
    invite_action: String,
    invite: Vec<Field>,
    invitations: Table,
}

/// `GET /admin/apis/{provider}/{api}/subscribers?state=`
pub async fn show(call: PageCall) -> PageAnswer {
    page(&call, &[]).await
}

/// What an operation found wrong, in the page again.
async fn again(call: &PageCall, faults: &[octroi_domain::definition::FieldError]) -> PageAnswer {
    Ok(page(call, &errors::fields(call, faults)).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
}

async fn page(call: &PageCall, wrong: &[FieldError]) -> PageAnswer {
    let name = named(call)?;
    let context = call.context();
    let view = call.app().read_administered_line(&context, &name).await?;
    let state = STATES.into_iter().find(|state| state.as_str() == call.query.text("state"));
    let listing = call.app().list_subscribers(&context, &name, state.into_iter().collect(), call.page(ROWS)).await?;
    let invitations = call.app().list_invitations(&context, &name, Rows::first(ROWS)).await?.items;
    let w = call.words;
    let shell = call.shell(w.of("subscribers-title").with("api", w.text(&view.api.title))).under(way(w));
    let by_permit = view.api.access == "permit";
    call.render(&SubscribersPage {
        tabs: tabs(w, &name, 2),
        summary: errors::summary(call, wrong),
        states: states(w, &name, &view, state),
        table: table(w, &name, &view.api, &listing.items),
        pages: pages(call, listing.next),
        by_hand: (!by_permit).then(|| by_hand(call, &shell, &name, &view, wrong, &invitations)),
        notice: by_permit.then(|| Alert::new(Tone::Info, w.of("subscribers-by-permit"), w.of("subscribers-by-permit-text"))),
        shell,
    })
}

/// The states as ways to narrow the list.
fn states(w: Words, name: &ApiName, view: &AdministeredLine, current: Option<SubscriptionState>) -> Tabs {
    let base = format!("/admin/apis/{name}/subscribers");
    let mut tabs = vec![Link::new(&base, w.of("subscribers-all"))];
    for state in STATES {
        let words = w.one_of("subscription-state", state.as_str());
        let waiting = if state == SubscriptionState::Pending && view.pending > 0 { format!(" ({})", view.pending) } else { String::new() };
        tabs.push(Link::new(format!("{base}?state={}", state.as_str()), format!("{words}{waiting}")));
    }
    let current = current.and_then(|current| STATES.iter().position(|state| *state == current)).map_or(0, |place| place + 1);
    Tabs { label: w.of("subscribers-states").into(), tabs, current }
}

fn table(w: Words, name: &ApiName, api: &ApiView, all: &[SubscriberView]) -> Table {
    let row = |held: &SubscriberView| {
        let subscription = &held.subscription;
        let base = format!("/admin/apis/{name}/subscriptions/{}", subscription.id);
        let link = |what: Move| {
            let text = w.one_of("subscriber-move", what.path()).and("name", &held.application_name);
            Link::new(format!("{base}/{}", what.path()), text)
        };
        let moves = match subscription.state.as_str() {
            "pending" | "suspended" => vec![link(Move::Activate), link(Move::Revoke)],
            "active" => vec![link(Move::Suspend), link(Move::Revoke)],
            _ => Vec::new(),
        };
        let mut tags = vec![subscription_tag(w, &subscription.state)];
        tags.extend(held.permit_stopped.as_ref().map(|_| Tag::new(Tone::Bad, w.of("subscription-refused"))));
        if held.application_suspended {
            tags.push(Tag::new(Tone::Warning, w.of("subscriber-application-suspended")));
        }
        vec![
            Cell::text(&held.application_name),
            Cell::coded(Cell::text(&held.organization.name), review::spaced(&held.organization.siret)),
            Cell::text(w.one_of("stage", &held.stage)),
            Cell::Tags(tags),
            Cell::text(plan_name(w, api, &subscription.plan)),
            match (&subscription.permit, &held.permit_stopped) {
                (Some(permit), Some(state)) => Cell::Lines(vec![Cell::text(permit), Cell::text(w.one_of("permit-state", state))]),
                (Some(permit), None) => Cell::text(permit),
                (None, _) => Cell::text(w.of("none")),
            },
            Cell::When(w.when(&subscription.created_at)),
            Cell::Links(moves),
        ]
    };
    Table {
        caption: w.of("subscribers-caption").into(),
        columns: vec![
            Column::text(w.of("application-name")),
            Column::text(w.of("application-organization")),
            Column::text(w.of("application-stage")),
            Column::text(w.of("application-state")),
            Column::text(w.of("subscription-plan")),
            Column::text(w.of("subscription-permit")),
            Column::text(w.of("subscriber-since")),
            Column::text(w.of("actions")),
        ],
        rows: all.iter().map(row).collect(),
        empty: w.of("subscribers-empty").into(),
    }
}

fn plan_field(w: Words, name: &str, view: &AdministeredLine, chosen: &str) -> Field {
    let option = |plan: &Value| {
        let id = plan.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let words = plan.get("name").and_then(|words| words.get(w.code())?.as_str()).unwrap_or_default().to_owned();
        (id, words)
    };
    Field::select(name, w.of("subscription-plan"), view.api.plans.iter().map(option).collect(), chosen)
}

fn by_hand(
    call: &PageCall,
    shell: &Shell,
    name: &ApiName,
    view: &AdministeredLine,
    wrong: &[FieldError],
    invitations: &[InvitationView],
) -> ByHand {
    let w = call.words;
    let error = |name: &str| wrong.iter().find(|error| error.name == name).map(|error| error.message.clone()).unwrap_or_default();
    let typed = |name: &str| call.form.get(name).unwrap_or_default();
    let base = format!("/admin/apis/{name}");
    let languages = vec![("fr".to_owned(), w.of("language-fr").into()), ("en".to_owned(), w.of("language-en").into())];
    let language = if call.form.has("language") { typed("language") } else { w.code() };
    ByHand {
        enrol_action: format!("{base}/enrol"),
        enrol: vec![
            Field::line("application", w.of("application-client-id"), typed("application"))
                .hint(w.of("enrol-hint"))
                .error(error("application"))
                .required(),
            plan_field(w, "plan", view, typed("plan")),
        ],
        invite_action: format!("{base}/invite"),
        invite: vec![
            Field::line("email", w.of("invite-email"), typed("email"))
                .kind("email", "off")
                .hint(w.of("invite-hint"))
                .error(error("email"))
                .required(),
            plan_field(w, "invite_plan", view, typed("invite_plan")),
            Field::select("language", w.of("invite-language"), languages, language),
        ],
        invitations: invited(w, shell, name, invitations),
    }
}

fn invited(w: Words, shell: &Shell, name: &ApiName, all: &[InvitationView]) -> Table {
    let row = |invitation: &InvitationView| {
        let tone = match invitation.state.as_str() {
            "accepted" => Tone::Good,
            "open" => Tone::Info,
            _ => Tone::Neutral,
        };
        let withdraw = (invitation.state == "open").then(|| {
            let action = format!("/admin/apis/{name}/invitations/{}/withdraw", invitation.id);
            PostButton::new(action, w.of("invitation-withdraw"), shell.guard()).about(&invitation.email)
        });
        vec![
            Cell::text(&invitation.email),
            Cell::Tag(Tag::new(tone, w.one_of("invitation-state", &invitation.state))),
            Cell::When(w.when(&invitation.created_at)),
            Cell::When(w.when(&invitation.expires_at)),
            Cell::Actions(withdraw.into_iter().collect()),
        ]
    };
    Table {
        caption: w.of("invitations-caption").into(),
        columns: vec![
            Column::text(w.of("invite-email")),
            Column::text(w.of("application-state")),
            Column::text(w.of("invitation-sent")),
            Column::text(w.of("invitation-until")),
            Column::text(w.of("actions")),
        ],
        rows: all.iter().map(row).collect(),
        empty: w.of("invitations-empty").into(),
    }
}

/// `POST /admin/apis/{provider}/{api}/enrol`
pub async fn enrol(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let Ok(application) = call.form.text("application").parse() else {
        let wrong = [FieldError { name: "application".to_owned(), message: call.words.of("enrol-unknown").into() }];
        return Ok(page(&call, &wrong).await?.status(StatusCode::UNPROCESSABLE_ENTITY));
    };
    match call.app().enrol(&call.once(), &name, application, call.form.text("plan").parse().ok()).await {
        Ok(_) => Ok(Page::to(format!("/admin/apis/{name}/subscribers")).flash("subscriber-enrolled", "")),
        Err(Error::Invalid(faults)) => again(&call, &faults).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/apis/{provider}/{api}/invite`
pub async fn invite(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let new = NewInvitation {
        email: call.form.text("email").to_owned(),
        plan: call.form.text("invite_plan").parse().ok(),
        language: if call.form.text("language") == "en" { Language::En } else { Language::Fr },
    };
    match call.app().invite(&call.once(), &name, new).await {
        Ok(_) => Ok(Page::to(format!("/admin/apis/{name}/subscribers")).flash("invitation-sent", "")),
        Err(Error::Invalid(faults)) => again(&call, &faults).await,
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/apis/{provider}/{api}/invitations/{invitation}/withdraw`
pub async fn withdraw(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let id: Id<Invitation> = call.id("invitation")?;
    call.app().withdraw_invitation(&call.once(), id).await?;
    Ok(Page::to(format!("/admin/apis/{name}/subscribers")).flash("invitation-withdrawn", ""))
}

/// What the administrator does with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Activate,
    Suspend,
    Revoke,
}
impl Move {
    const fn path(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Suspend => "suspend",
            Self::Revoke => "revoke",
        }
    }

    const fn next(self) -> SubscriptionState {
        match self {
            Self::Activate => SubscriptionState::Active,
            Self::Suspend => SubscriptionState::Suspended,
            Self::Revoke => SubscriptionState::Revoked,
        }
    }

    fn of(call: &PageCall) -> Result<Self, Failure> {
        let asked: String = call.id("move")?;
        [Self::Activate, Self::Suspend, Self::Revoke].into_iter().find(|known| known.path() == asked).ok_or_else(|| Error::NotFound.into())
    }
}

/// The subscription of this API that the address names.
async fn held(call: &PageCall, name: &ApiName) -> Result<SubscriberView, Failure> {
    let id: Id<Subscription> = call.id("subscription")?;
    Ok(call.app().read_subscriber(&call.context(), name, id).await?)
}

/// `GET /admin/apis/{provider}/{api}/subscriptions/{subscription}/{move}`
pub async fn ask(call: PageCall) -> PageAnswer {
    let (name, asked) = (named(&call)?, Move::of(&call)?);
    let held = held(&call, &name).await?;
    let api = call.app().read_administered_line(&call.context(), &name).await?.api;
    let w = call.words;
    let mut way = way(w);
    way.push(Link::new(format!("/admin/apis/{name}/subscribers"), w.of("admin-api-subscribers")));
    call.render(&Confirm {
        text: w.one_of("subscriber-move-text", asked.path()).into(),
        facts: Some(
            Facts::default()
                .text(w.of("application-name"), &held.application_name)
                .text(w.of("application-organization"), &held.organization.name)
                .with(w.of("subscription-api"), Cell::coded(Cell::text(w.text(&api.title)), name.to_string()))
                .with(w.of("application-state"), Cell::Tag(subscription_tag(w, &held.subscription.state))),
        ),
        summary: None,
        action: format!("/admin/apis/{name}/subscriptions/{}/{}", held.subscription.id, asked.path()),
        fields: Vec::new(),
        button: w.one_of("subscriber-move-now", asked.path()).into(),
        danger: asked != Move::Activate,
        back: Link::new(format!("/admin/apis/{name}/subscribers"), w.of("cancel")),
        shell: call.shell(w.one_of("subscriber-move", asked.path()).and("name", &held.application_name)).under(way),
    })
}

/// `POST /admin/apis/{provider}/{api}/subscriptions/{subscription}/{move}`
pub async fn act(call: PageCall) -> PageAnswer {
    let (name, asked) = (named(&call)?, Move::of(&call)?);
    held(&call, &name).await?;
    call.app().set_subscription_state(&call.once(), call.id("subscription")?, asked.next()).await?;
    let said = match asked {
        Move::Activate => "subscriber-activate",
        Move::Suspend => "subscriber-suspend",
        Move::Revoke => "subscriber-revoke",
    };
    Ok(Page::to(format!("/admin/apis/{name}/subscribers")).flash(said, ""))
}
