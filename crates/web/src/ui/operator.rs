//! The operator's pages: what they are made of, the overview, mails, health and settings.

use askama::Template;
use octroi_app::{
    mails::Mailing,
    platform::{HealthView, JobView, OutboxLine},
    query::OutboxState,
};

use super::{
    kit::{
        Alert, ButtonLink, Cell, Column, ErrorSummary, Facts, Field, Figure, Figures, Filters, Hidden, Link, Pages, PostButton, Progress,
        Table, Tabs, Tag, Tile, Tiles, Tone,
    },
    operator_ledger,
    page::{Page, PageAnswer, PageCall, Shell},
    words::Words,
};

/// Rows of one page.
pub const ROWS: u32 = 25;
/// Below this share of the disk, say so.
const LITTLE_ROOM: u64 = 10;

/// Every page of the operator, and that of managers' roles: sections under each other.
#[derive(Template)]
#[template(path = "operator.html")]
pub struct OperatorPage {
    pub shell: Shell,
    pub tabs: Option<Tabs>,
    pub alerts: Vec<Alert>,
    pub summary: Option<ErrorSummary>,
    /// What the page is for; may be empty.
    pub lead: String,
    pub actions: Vec<ButtonLink>,
    pub filters: Option<Filters>,
    pub sections: Vec<Section>,
    pub pages: Option<Pages>,
}

/// A part of such a page: what is empty is not there.
#[derive(Default)]
pub struct Section {
    pub title: String,
    pub text: String,
    pub figures: Option<Figures>,
    pub tiles: Option<Tiles>,
    pub progress: Option<Progress>,
    pub facts: Option<Facts>,
    pub table: Option<Table>,
    pub form: Option<FormView>,
    pub buttons: Vec<PostButton>,
    /// Beside the buttons, if there are any: this page once more, or another way.
    pub refresh: Option<Link>,
}
impl Section {
    pub fn titled(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }
    pub fn of_table(table: Table) -> Self {
        Self { table: Some(table), ..Self::default() }
    }
}

/// A form that changes something.
#[derive(Default)]
pub struct FormView {
    pub action: String,
    pub hidden: Vec<Hidden>,
    pub fields: Vec<Field>,
    pub button: String,
    pub back: Option<Link>,
}

impl OperatorPage {
    /// With the operator's tabs and the way down from the overview.
    pub fn new(call: &PageCall, place: Place, title: impl Into<String>, way: Vec<Link>) -> Self {
        let w = call.words;
        let mut links = vec![Link::new("/operator", w.of("menu-operator"))];
        links.extend(way);
        let shell = call.shell(title);
        Self::bare(if place == Place::Overview { shell } else { shell.under(links) }, Some(tabs(w, place)))
    }

    pub fn bare(shell: Shell, tabs: Option<Tabs>) -> Self {
        let (alerts, actions, sections) = (Vec::new(), Vec::new(), Vec::new());
        Self { shell, tabs, alerts, summary: None, lead: String::new(), actions, filters: None, sections, pages: None }
    }
}

/// Where one is among the operator's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Overview,
    Organizations,
    Joining,
    People,
    Apis,
    Definitions,
    Clients,
    Connections,
    Outbox,
    Ledger,
    Settings,
    Health,
}
impl Place {
    const ALL: [Self; 12] = [
        Self::Overview,
        Self::Organizations,
        Self::Joining,
        Self::People,
        Self::Apis,
        Self::Definitions,
        Self::Clients,
        Self::Connections,
        Self::Outbox,
        Self::Ledger,
        Self::Settings,
        Self::Health,
    ];

    fn link(self, w: Words) -> Link {
        let (path, words) = match self {
            Self::Overview => ("/operator", w.of("operator-overview")),
            Self::Organizations => ("/operator/organizations", w.of("operator-organizations")),
            Self::Joining => ("/operator/joining", w.of("operator-joining")),
            Self::People => ("/operator/people", w.of("operator-people")),
            Self::Apis => ("/operator/apis", w.of("operator-apis")),
            Self::Definitions => ("/operator/definitions", w.of("operator-definitions")),
            Self::Clients => ("/operator/clients", w.of("clients-title")),
            Self::Connections => ("/operator/connections", w.of("connections-title")),
            Self::Outbox => ("/operator/outbox", w.of("operator-outbox")),
            Self::Ledger => ("/operator/ledger", w.of("operator-ledger")),
            Self::Settings => ("/operator/settings", w.of("operator-settings")),
            Self::Health => ("/operator/health", w.of("operator-health")),
        };
        Link::new(path, words)
    }

    /// What is found there.
    fn text(self, w: Words) -> String {
        match self {
            Self::Overview => w.of("operator-overview"),
            Self::Organizations => w.of("operator-organizations-text"),
            Self::Joining => w.of("operator-joining-text"),
            Self::People => w.of("operator-people-text"),
            Self::Apis => w.of("operator-apis-text"),
            Self::Definitions => w.of("operator-definitions-text"),
            Self::Clients => w.of("clients-text"),
            Self::Connections => w.of("connections-text"),
            Self::Outbox => w.of("operator-outbox-text"),
            Self::Ledger => w.of("operator-ledger-text"),
            Self::Settings => w.of("operator-settings-text"),
            Self::Health => w.of("operator-health-text"),
        }
        .into()
    }
}

fn tabs(w: Words, place: Place) -> Tabs {
    let current = Place::ALL.iter().position(|found| *found == place).unwrap_or(0);
    Tabs { label: w.of("menu-operator").into(), tabs: Place::ALL.iter().map(|place| place.link(w)).collect(), current }
}

/// The way through a long list.
pub fn pages(call: &PageCall, next: Option<&str>) -> Option<Pages> {
    let w = call.words;
    Some(Pages {
        label: w.of("review-pages").into(),
        first: call.query.has("cursor").then(|| Link::new(call.here_with(&[]), w.of("review-first-page"))),
        next: next.map(|cursor| Link::new(call.here_with(&[("cursor", cursor)]), w.of("review-next-page"))),
    })
}

/// A search by words above a list.
pub fn search(call: &PageCall, path: &str, label: String, hint: String) -> Filters {
    let w = call.words;
    let words = call.query.text("q");
    Filters {
        label,
        action: path.to_owned(),
        fields: vec![Field::line("q", w.of("review-words"), words).kind("search", "off").hint(hint)],
        submit: w.of("review-submit").into(),
        reset: (!words.is_empty()).then(|| Link::new(path, w.of("review-reset"))),
        found: String::new(),
    }
}

/// `GET /operator`
pub async fn overview(call: PageCall) -> PageAnswer {
    let health = call.app().health(&call.context()).await?;
    let verifications = call.app().list_verifications(&call.context()).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Overview, w.of("operator-title"), Vec::new());
    page.alerts = troubles(w, &health);
    page.alerts.extend(mails_stay(&call));
    page.alerts.extend(operator_ledger::latest(w, &verifications));
    if page.alerts.is_empty() {
        page.alerts.push(Alert::new(Tone::Good, w.of("health-good"), String::new()));
    }
    let tile = |place: &Place| Tile { link: place.link(w), text: place.text(w), tags: Vec::new(), note: String::new(), level: 2 };
    let tiles = Place::ALL.iter().skip(1).map(tile).collect();
    page.sections.push(Section { tiles: Some(Tiles { tiles }), ..Section::default() });
    call.render(&page)
}

/// What is not as it must be, each with where to look.
fn troubles(w: Words, health: &HealthView) -> Vec<Alert> {
    let mut alerts = Vec::new();
    if health.database_ms.is_none() {
        alerts.push(Alert::new(Tone::Bad, w.of("health-no-database"), w.of("health-no-database-text")));
    }
    for gateway in health.gateways.iter().filter(|gateway| !gateway.ready) {
        let stage = w.one_of("stage", &gateway.stage).to_string();
        alerts.push(Alert::new(Tone::Bad, w.of("health-gateway-stale").with("stage", stage), w.of("health-gateway-stale-text")));
    }
    let lost: u64 = health.gateways.iter().map(|gateway| gateway.traces_lost).sum();
    if lost > 0 {
        alerts.push(Alert::new(Tone::Bad, w.of("health-traces-lost").with("count", lost), String::new()));
    }
    if let Some(outbox) = health.outbox.as_ref().filter(|outbox| outbox.failed > 0) {
        let alert = Alert::new(Tone::Warning, w.of("health-mails-failed").with("count", outbox.failed), String::new());
        alerts.push(alert.link("/operator/outbox?state=failed", w.of("operator-outbox")));
    }
    if health.disk.as_ref().is_some_and(|disk| disk.free_bytes < disk.total_bytes / LITTLE_ROOM) {
        alerts.push(Alert::new(Tone::Warning, w.of("health-disk-low"), w.of("health-disk-low-text")));
    }
    for job in health.jobs.iter().filter(|job| job.last_error_at.as_ref() == Some(&job.last_run_at)) {
        let name = w.one_of("job", &job.name).to_string();
        alerts.push(Alert::new(Tone::Warning, w.of("health-job-failed").with("job", name), job.last_error.clone().unwrap_or_default()));
    }
    alerts
}

/// `GET /operator/health`
pub async fn health(call: PageCall) -> PageAnswer {
    let health = call.app().health(&call.context()).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Health, w.of("operator-health"), Vec::new());
    page.alerts = troubles(w, &health);
    page.alerts.extend(mails_stay(&call));
    let database = health.database_ms.map_or_else(|| w.of("health-no-answer").to_string(), |ms| w.of("health-ms").with("ms", ms).into());
    let mut facts = Facts::default().text(w.of("health-database"), database);
    if let Some(outbox) = &health.outbox {
        let counts = w.of("health-outbox-counts").with("waiting", outbox.waiting).with("failed", outbox.failed);
        facts = facts.text(w.of("operator-outbox"), counts);
        if let Some(oldest) = &outbox.oldest_waiting {
            facts = facts.with(w.of("health-outbox-oldest"), Cell::When(w.when(oldest)));
        }
    }
    if let Some(disk) = &health.disk {
        let sizes = w.of("health-disk-room").with("free", gigabytes(w, disk.free_bytes)).with("total", gigabytes(w, disk.total_bytes));
        facts = facts.text(w.of("health-disk"), sizes);
    }
    page.sections = vec![
        Section { facts: Some(facts), ..Section::default() },
        Section::of_table(gateways(w, &health)),
        Section { text: w.of("health-jobs-note").into(), ..Section::of_table(jobs(w, &health.jobs)) },
    ];
    call.render(&page)
}

#[expect(clippy::cast_precision_loss, reason = "a size in words")]
fn gigabytes(w: Words, bytes: u64) -> String {
    w.decimal(bytes as f64 / 1_000_000_000.0)
}

fn gateways(w: Words, health: &HealthView) -> Table {
    let row = |gateway: &octroi_app::platform::GatewayHealth| {
        let state = if gateway.ready { Tag::new(Tone::Good, w.of("health-ready")) } else { Tag::new(Tone::Bad, w.of("health-not-ready")) };
        let age = gateway.view_age_ms.map_or_else(|| w.of("health-never").to_string(), |ms| w.of("health-ms").with("ms", ms).into());
        vec![
            Cell::text(w.one_of("stage", &gateway.stage)),
            Cell::Tag(state),
            Cell::text(age),
            Cell::text(gateway.version.map(|version| w.number(version)).unwrap_or_default()),
            Cell::text(w.number(gateway.traces_lost)),
        ]
    };
    Table {
        caption: w.of("health-gateways").into(),
        columns: vec![
            Column::text(w.of("health-gateway")),
            Column::text(w.of("health-state")),
            Column::number(w.of("health-view-age")),
            Column::number(w.of("health-view-version")),
            Column::number(w.of("health-lost")),
        ],
        rows: health.gateways.iter().map(row).collect(),
        empty: w.of("health-gateways-none").into(),
    }
}

fn jobs(w: Words, jobs: &[JobView]) -> Table {
    let row = |job: &JobView| {
        let error = match (&job.last_error, &job.last_error_at) {
            (Some(error), Some(at)) => Cell::text(format!("{} · {error}", w.date_time(at))),
            _ => Cell::text(w.of("health-no-error")),
        };
        vec![
            Cell::text(w.one_of("job", &job.name)),
            Cell::When(w.when(&job.last_run_at)),
            Cell::text(w.of("health-ms").with("ms", job.took_ms)),
            error,
        ]
    };
    Table {
        caption: w.of("health-jobs").into(),
        columns: vec![
            Column::text(w.of("health-job")),
            Column::text(w.of("health-last-run")),
            Column::number(w.of("health-took")),
            Column::text(w.of("health-last-error")),
        ],
        rows: jobs.iter().map(row).collect(),
        empty: w.of("health-jobs-none").into(),
    }
}

/// `GET /operator/settings`
pub async fn settings(call: PageCall) -> PageAnswer {
    let settings = call.app().settings_in_force(&call.context())?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Settings, w.of("operator-settings"), Vec::new());
    let row = |setting: &octroi_app::platform::SettingView| {
        let origin =
            if setting.is_default { Tag::new(Tone::Neutral, w.of("settings-default")) } else { Tag::new(Tone::Info, w.of("settings-set")) };
        vec![Cell::Code(setting.name.clone()), Cell::Code(setting.value.clone()), Cell::Tag(origin)]
    };
    let table = Table {
        caption: w.of("operator-settings").into(),
        columns: [w.of("settings-name"), w.of("settings-value"), w.of("settings-origin")].map(Column::text).into(),
        rows: settings.iter().map(row).collect(),
        empty: w.of("settings-none").into(),
    };
    page.sections.push(Section { text: w.of("settings-note").into(), ..Section::of_table(table) });
    call.render(&page)
}

const STATES: [OutboxState; 3] = [OutboxState::Waiting, OutboxState::Failed, OutboxState::Done];

fn outbox_state(call: &PageCall) -> Option<OutboxState> {
    STATES.into_iter().find(|state| state.as_str() == call.query.text("state"))
}

/// Said wherever an operator looks: nobody is told of anything.
fn mails_stay(call: &PageCall) -> Option<Alert> {
    let w = call.words;
    matches!(call.app().settings().mail, Mailing::Off).then(|| Alert::new(Tone::Warning, w.of("mailing-off"), w.of("mailing-off-text")))
}

fn how_mails_leave(call: &PageCall) -> String {
    let w = call.words;
    match &call.app().settings().mail {
        Mailing::Off => String::new(),
        Mailing::Mailbox => w.of("mailing-mailbox").into(),
        Mailing::Smtp(port) => {
            w.of("mailing-smtp").with("server", port.server().to_owned()).with("sender", port.sender().to_owned()).into()
        }
    }
}

/// `GET /operator/outbox`
pub async fn outbox(call: PageCall) -> PageAnswer {
    let state = outbox_state(&call);
    let counts = call.app().count_outbox(&call.context()).await?;
    let found = call.app().list_outbox(&call.context(), state, call.page(ROWS)).await?;
    let w = call.words;
    let mut page = OperatorPage::new(&call, Place::Outbox, w.of("operator-outbox"), Vec::new());
    let figure = |state: &str, count: u64| Figure {
        value: w.number(count),
        name: w.one_of("outbox-state", state).into(),
        href: Some(format!("/operator/outbox?state={state}")),
    };
    let figures = vec![figure("waiting", counts.waiting), figure("failed", counts.failed), figure("done", counts.done)];
    let mut top = Section { text: how_mails_leave(&call), figures: Some(Figures { figures }), ..Section::default() };
    page.alerts.extend(mails_stay(&call));
    if counts.failed > 0 {
        top.buttons.push(PostButton::new("/operator/outbox/retry-failed", w.of("outbox-retry-all"), page.shell.guard()));
    }
    let table = outbox_table(&call, &page.shell, &found.items, state);
    page.sections = vec![top, Section::of_table(table)];
    page.pages = pages(&call, found.next.as_deref());
    call.render(&page)
}

fn outbox_table(call: &PageCall, shell: &Shell, lines: &[OutboxLine], state: Option<OutboxState>) -> Table {
    let w = call.words;
    let row = |line: &OutboxLine| {
        let tone = match line.state.as_str() {
            "failed" => Tone::Bad,
            "done" => Tone::Good,
            _ => Tone::Info,
        };
        let when = line.ended_at.as_ref().or(line.next_attempt_at.as_ref());
        let retry = (line.state != "done").then(|| {
            PostButton::new(format!("/operator/outbox/{}/retry", line.id), w.of("outbox-retry"), shell.guard()).about(line.to.clone())
        });
        vec![
            Cell::text(&line.to),
            Cell::text(&line.subject),
            Cell::Tag(Tag::new(tone, w.one_of("outbox-state", &line.state))),
            Cell::When(w.when(&line.created_at)),
            Cell::text(w.number(line.attempts)),
            when.map_or_else(|| Cell::text(""), |at| Cell::When(w.when(at))),
            Cell::text(line.last_error.as_deref().unwrap_or_default()),
            Cell::Actions(retry.into_iter().collect()),
        ]
    };
    let caption = state.map_or_else(|| w.of("outbox-all"), |state| w.one_of("outbox-state", state.as_str()));
    Table {
        caption: caption.into(),
        columns: vec![
            Column::text(w.of("outbox-to")),
            Column::text(w.of("outbox-subject")),
            Column::text(w.of("health-state")),
            Column::text(w.of("outbox-created")),
            Column::number(w.of("outbox-attempts")),
            Column::text(w.of("outbox-when")),
            Column::text(w.of("health-last-error")),
            Column::text(w.of("review-actions")),
        ],
        rows: lines.iter().map(row).collect(),
        empty: w.of("outbox-none").into(),
    }
}

/// `POST /operator/outbox/{id}/retry`
pub async fn retry(call: PageCall) -> PageAnswer {
    let id: i64 = call.id("id")?;
    call.app().retry_mail(&call.once(), id).await?;
    Ok(Page::to("/operator/outbox?state=waiting").flash("mail-retried", ""))
}

/// `POST /operator/outbox/retry-failed`
pub async fn retry_failed(call: PageCall) -> PageAnswer {
    call.app().retry_failed_mails(&call.once()).await?;
    Ok(Page::to("/operator/outbox?state=waiting").flash("mails-retried", ""))
}
