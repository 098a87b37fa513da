//! The APIs that one administers, and one of them: its stages and whether they answer, its contract, its plans.

use askama::Template;
use octroi_app::{
    api_administration::{AdministeredLine, StageView},
    catalogue::{ApiView, OperationView},
};
use octroi_domain::api::ApiName;
use serde_json::Value;

use super::{
    api_page::named,
    kit::{ButtonLink, Cell, Column, Facts, Link, Table, Tabs, Tag, Tone},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};

#[derive(Template)]
#[template(path = "my_apis.html")]
struct ListPage {
    shell: Shell,
    table: Table,
    traces: Link,
}

#[derive(Template)]
#[template(path = "api_admin.html")]
struct ShowPage {
    shell: Shell,
    tabs: Tabs,
    waiting: Option<ButtonLink>,
    facts: Facts,
    stages: Table,
    plans: Table,
    operations: Table,
}

/// The pages of one API, for who administers it.
pub(super) fn tabs(w: Words, name: &ApiName, current: usize) -> Tabs {
    let base = format!("/admin/apis/{name}");
    let tab = |below: &str, text: super::words::Phrase| Link::new(format!("{base}{below}"), text);
    Tabs {
        label: w.of("admin-api-tabs").into(),
        tabs: vec![
            tab("", w.of("admin-api-about")),
            tab("/masks", w.of("admin-api-masks")),
            tab("/subscribers", w.of("admin-api-subscribers")),
            tab("/traffic", w.of("admin-api-traffic")),
        ],
        current,
    }
}

/// The way down to one of these pages.
pub(super) fn way(w: Words) -> Vec<Link> {
    vec![Link::new("/admin/apis", w.of("menu-my-apis"))]
}

/// `GET /admin/apis`
pub async fn list(call: PageCall) -> PageAnswer {
    let lines = call.app().list_administered(&call.context()).await?;
    let w = call.words;
    let row = |line: &AdministeredLine| {
        let api = &line.api;
        let base = format!("/admin/apis/{}", api.name);
        let waiting = if line.pending == 0 {
            Cell::text(w.of("none"))
        } else {
            Cell::link(format!("{base}/subscribers?state=pending"), w.of("admin-api-pending").with("count", line.pending))
        };
        vec![
            Cell::link(&base, w.text(&api.title)),
            Cell::Code(api.name.clone()),
            Cell::text(w.one_of("api-access", &api.access)),
            Cell::text(w.one_of("api-visibility", &api.visibility)),
            waiting,
            Cell::link(format!("{base}/traffic"), w.of("admin-api-traffic-of").with("api", w.text(&api.title))),
        ]
    };
    call.render(&ListPage {
        table: Table {
            caption: w.of("admin-apis-caption").into(),
            columns: vec![
                Column::text(w.of("subscription-api")),
                Column::text(w.of("invitation-code")),
                Column::text(w.of("subscription-access")),
                Column::text(w.of("admin-api-visibility")),
                Column::text(w.of("admin-api-waiting")),
                Column::text(w.of("admin-api-traffic")),
            ],
            rows: lines.iter().map(row).collect(),
            empty: w.of("admin-apis-empty").into(),
        },
        traces: Link::new("/traces", w.of("traces-title")),
        shell: call.shell(w.of("menu-my-apis")),
    })
}

/// `GET /admin/apis/{provider}/{api}`
pub async fn show(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let view = call.app().read_administered(&call.context(), &name).await?;
    let w = call.words;
    let api = &view.api;
    call.render(&ShowPage {
        tabs: tabs(w, &name, 0),
        waiting: (view.pending > 0).then(|| {
            ButtonLink::new(format!("/admin/apis/{name}/subscribers?state=pending"), w.of("admin-api-pending").with("count", view.pending))
        }),
        facts: Facts::default()
            .with(w.of("subscription-api"), Cell::coded(Cell::link(format!("/apis/{name}"), w.text(&api.title)), name.to_string()))
            .text(w.of("subscription-access"), w.one_of("api-how", &api.access))
            .text(w.of("admin-api-visibility"), w.one_of("api-visibility", &api.visibility))
            .with(w.of("admin-api-mount"), Cell::Code(api.mount.clone()))
            .text(w.of("admin-api-version"), api.version.to_string())
            .with(w.of("admin-api-document"), Cell::link(format!("/apis/{name}/reference"), w.of("first-call-reference"))),
        stages: stages(w, &view.stages),
        plans: plans(w, api),
        operations: operations(w, api),
        shell: call.shell(w.text(&api.title)).under(way(w)),
    })
}

fn health_tag(w: Words, state: &str) -> Tag {
    let tone = match state {
        "answering" => Tone::Good,
        "failing" => Tone::Bad,
        _ => Tone::Neutral,
    };
    Tag::new(tone, w.one_of("health", state))
}

fn stages(w: Words, all: &[StageView]) -> Table {
    let when = |at: &Option<String>| at.as_ref().map_or_else(|| Cell::text(w.of("never")), |at| Cell::When(w.when(at)));
    let row = |stage: &StageView| {
        let health = &stage.health;
        let recent = w.of("health-recent").with("calls", health.recent_calls).with("failures", w.number(health.recent_failures));
        vec![
            Cell::text(w.one_of("stage", &stage.stage)),
            stage.upstream.as_ref().map_or_else(|| Cell::text(w.of("admin-api-mocks")), |url| Cell::Lines(vec![Cell::Code(url.clone())])),
            Cell::Tag(health_tag(w, health.state)),
            when(&health.last_answer_at),
            when(&health.last_failure_at),
            Cell::text(recent),
            Cell::text(
                w.of("admin-api-timeouts").with("connect", w.number(stage.connect_timeout_ms)).with("whole", w.number(stage.timeout_ms)),
            ),
        ]
    };
    Table {
        caption: w.of("admin-api-stages").into(),
        columns: vec![
            Column::text(w.of("application-stage")),
            Column::text(w.of("admin-api-upstream")),
            Column::text(w.of("application-state")),
            Column::text(w.of("health-last-answer")),
            Column::text(w.of("health-last-failure")),
            Column::text(w.of("health-minutes")),
            Column::text(w.of("admin-api-timeout")),
        ],
        rows: all.iter().map(row).collect(),
        empty: w.of("admin-api-no-stage").into(),
    }
}

fn plans(w: Words, api: &ApiView) -> Table {
    let limit = |plan: &Value, member: &str| {
        plan.get(member).and_then(Value::as_u64).map_or_else(|| w.of("plan-unlimited").into(), |limit| w.number(limit))
    };
    let row = |plan: &Value| {
        let name = plan.get("name").and_then(|name| name.get(w.code())?.as_str()).unwrap_or_default();
        let id = plan.get("id").and_then(Value::as_str).unwrap_or_default();
        vec![
            Cell::text(name),
            Cell::Code(id.to_owned()),
            Cell::text(limit(plan, "rate_per_second")),
            Cell::text(limit(plan, "quota_per_day")),
        ]
    };
    Table {
        caption: w.of("admin-api-plans").into(),
        columns: vec![
            Column::text(w.of("subscription-plan")),
            Column::text(w.of("invitation-code")),
            Column::number(w.of("admin-api-rate")),
            Column::number(w.of("admin-api-quota")),
        ],
        rows: api.plans.iter().map(row).collect(),
        empty: w.of("admin-api-no-plan").into(),
    }
}

/// Operations that are listed; the reference page has them all.
const OPERATIONS: usize = 60;

fn operations(w: Words, api: &ApiView) -> Table {
    let row = |operation: &OperationView| {
        let masked = if operation.opens.is_empty() { w.of("admin-api-unmasked") } else { w.of("admin-api-masked") };
        vec![Cell::Code(operation.operation.clone()), Cell::Items(operation.scopes.clone()), Cell::text(masked)]
    };
    Table {
        caption: w.of("admin-api-contract").with("count", api.operations.len()).into(),
        columns: vec![
            Column::text(w.of("trace-operation")),
            Column::text(w.of("admin-api-scopes")),
            Column::text(w.of("admin-api-answers")),
        ],
        rows: api.operations.iter().take(OPERATIONS).map(row).collect(),
        empty: w.of("admin-api-no-operation").into(),
    }
}
