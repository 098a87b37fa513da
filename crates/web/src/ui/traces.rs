//! Calls, one by one: found by who called what and when, and made anonymous.

use askama::Template;
use octroi_app::{
    query::{TraceFilter, TraceVisible},
    traces::{AnonymiseInput, TraceView},
};
use octroi_domain::{Moment, api::ApiName, user::Role};

use super::{
    application_usage::traces_of,
    applications::pages,
    confirm::Confirm,
    kit::{ButtonLink, Cell, Column, Field, Filters, Link, Pages, Table},
    page::{Page, PageAnswer, PageCall, Shell},
    traffic_view::{self, Period},
    words::Words,
};
use crate::problem::Failure;

const ROWS: u32 = 25;

#[derive(Template)]
#[template(path = "traces.html")]
struct TracesPage {
    shell: Shell,
    filters: Filters,
    table: Table,
    pages: Pages,
    anonymise: Option<ButtonLink>,
}

/// `200` or `2xx`.
fn status(text: &str, filter: &mut TraceFilter) {
    match text.strip_suffix("xx") {
        Some(class) => filter.status_class = class.parse().ok().filter(|class| (1..=5).contains(class)),
        None => filter.status = text.parse().ok().filter(|status| (100..=599).contains(status)),
    }
}

/// `GET /traces?request_id=&application=&api=&status=&stage=&period=`
pub async fn list(call: PageCall) -> PageAnswer {
    // Nothing is seen until the operation puts the principal's own view in.
    let mut filter = TraceFilter::within(TraceVisible::Any { organizations: Vec::new(), apis: Vec::new(), providers: Vec::new() });
    let asked = |name: &str| call.query.text(name).to_owned();
    filter.request_id = call.query.some("request_id");
    filter.application = asked("application").parse().ok();
    filter.api = asked("api").parse().ok();
    filter.stage = asked("stage").parse().ok();
    status(&asked("status"), &mut filter);
    // A request id is looked for as long as traces are kept.
    let period = if filter.request_id.is_some() { Period::TenDays } else { Period::of(&call) };
    filter.from = Some(period.from(call.now));
    // What cannot be the name of anything finds nothing, rather than everything.
    let nothing = (!asked("application").is_empty() && filter.application.is_none()) || (!asked("api").is_empty() && filter.api.is_none());
    let listing = if nothing { None } else { Some(call.app().list_traces(&call.context(), filter, call.page(ROWS)).await?) };
    let may_anonymise = may_anonymise(&call).await?;
    let w = call.words;
    let (items, next) = listing.map(|listing| (listing.items, listing.next)).unwrap_or_default();
    let fields = vec![
        Field::line("request_id", w.of("trace-request"), asked("request_id")),
        Field::line("api", w.of("subscription-api"), asked("api")).hint(w.of("trace-api-hint")),
        Field::line("application", w.of("application-client-id"), asked("application")),
        Field::line("status", w.of("trace-status"), asked("status")).hint(w.of("trace-status-hint")),
        traffic_view::stage_field(&call),
    ];
    let api = asked("api");
    let anonymise = if api.is_empty() { "/traces/anonymise".to_owned() } else { format!("/traces/anonymise?api={api}") };
    call.render(&TracesPage {
        filters: Filters {
            label: w.of("traces-search").into(),
            submit: w.of("traces-find").into(),
            reset: Some(Link::new("/traces", w.of("traces-reset"))),
            ..traffic_view::filters(&call, fields)
        },
        table: table(w, &items),
        pages: pages(&call, next),
        anonymise: may_anonymise.then(|| ButtonLink::new(anonymise, w.of("traces-anonymise")).secondary()),
        shell: call.shell(w.of("traces-title")),
    })
}

fn holds(call: &PageCall, role: Role) -> bool {
    call.me.iter().flat_map(|me| &me.roles).any(|held| held.role == role.as_str())
}

fn table(w: Words, all: &[TraceView]) -> Table {
    let none = || w.of("none").to_string();
    let row = |trace: &TraceView| {
        let caller = match (&trace.application, &trace.anonymised_at) {
            (Some(application), _) => trace.application_name.clone().unwrap_or_else(|| application.clone()),
            (None, Some(_)) => w.of("trace-anonymous").into(),
            (None, None) => none(),
        };
        let api = trace.api.as_ref().map_or_else(none, |api| trace.api_title.as_ref().map_or_else(|| api.clone(), |title| w.text(title)));
        let lines = |first: String, below: [Option<Cell>; 2]| match below.into_iter().flatten().collect::<Vec<_>>() {
            none if none.is_empty() => Cell::Text(first),
            below => Cell::Lines(std::iter::once(Cell::Text(first)).chain(below).collect()),
        };
        vec![
            Cell::When(w.when(&trace.at)),
            lines(api, [Some(Cell::text(w.one_of("stage", &trace.stage))), trace.operation.clone().map(Cell::Code)]),
            lines(trace.status.to_string(), [trace.refusal.clone().map(Cell::Code), None]),
            Cell::text(traffic_view::duration(w, Some(trace.duration_us))),
            Cell::text(w.number(trace.masked_fields)),
            lines(caller, [trace.organization_name.clone().map(Cell::Text), trace.permit.clone().map(Cell::Text)]),
            request(trace),
        ]
    };
    Table {
        caption: w.of("traces-caption").into(),
        columns: vec![
            Column::text(w.of("trace-at")),
            Column::text(w.of("trace-operation")),
            Column::text(w.of("trace-outcome")),
            Column::number(w.of("trace-duration")),
            Column::number(w.of("trace-masked")),
            Column::text(w.of("trace-caller")),
            Column::text(w.of("trace-request")),
        ],
        rows: all.iter().map(row).collect(),
        empty: w.of("traces-empty").into(),
    }
}

/// The end of a long id, which tells it from the others; its page has it whole.
pub(super) fn short(id: &str) -> String {
    let end = id.char_indices().rev().nth(7).and_then(|(place, _)| id.get(place..)).filter(|_| id.chars().count() > 16);
    end.map_or_else(|| id.to_owned(), |end| format!("…{end}"))
}

fn request(trace: &TraceView) -> Cell {
    let id = trace.request_id.as_deref().unwrap_or_default();
    if id.is_empty() { Cell::text("") } else { Cell::link(traces_of(id), short(id)) }
}

/// Is there an API whose traces the reader may make anonymous? The operator may with all.
async fn may_anonymise(call: &PageCall) -> Result<bool, Failure> {
    if holds(call, Role::Operator) {
        return Ok(true);
    }
    // Who administers nothing is not asked about it.
    Ok(holds(call, Role::ApiAdministrator) && !call.app().list_administered(&call.context()).await?.is_empty())
}

/// `GET /traces/anonymise?api=`
pub async fn ask_anonymise(call: PageCall) -> PageAnswer {
    let lines = call.app().list_administered(&call.context()).await?;
    let w = call.words;
    let mut options: Vec<(String, String)> = lines.iter().map(|line| (line.api.name.clone(), w.text(&line.api.title))).collect();
    if holds(&call, Role::Operator) {
        options.push((String::new(), w.of("traces-all-apis").into()));
    }
    // Who administers nothing has nothing here.
    if options.is_empty() {
        return Err(octroi_app::Error::NotFound.into());
    }
    let hours = ["0", "24", "168"].map(|hours| (hours.to_owned(), w.one_of("traces-older", hours).to_string())).to_vec();
    call.render(&Confirm {
        text: w.of("traces-anonymise-text").into(),
        facts: None,
        summary: None,
        action: "/traces/anonymise".to_owned(),
        fields: vec![
            Field::select("api", w.of("subscription-api"), options, call.query.text("api")).required(),
            Field::select("older", w.of("traces-which"), hours, "24").required(),
        ],
        button: w.of("traces-anonymise-now").into(),
        danger: true,
        back: Link::new("/traces", w.of("cancel")),
        shell: call.shell(w.of("traces-anonymise")).under(vec![Link::new("/traces", w.of("traces-title"))]),
    })
}

/// `POST /traces/anonymise`
pub async fn anonymise(call: PageCall) -> PageAnswer {
    let api: Option<ApiName> = match call.form.some("api") {
        Some(name) => Some(name.parse().map_err(|_| octroi_app::Error::NotFound)?),
        None => None,
    };
    let hours: i64 = call.form.text("older").parse().ok().filter(|hours| (0..=1_000).contains(hours)).unwrap_or(24);
    let before: Moment = call.now.plus_seconds(-hours * 3_600);
    let input = AnonymiseInput { api: api.clone(), organization: None, before: Some(before) };
    let done = call.app().anonymise_traces(&call.context(), input).await?;
    let shown = api.map(|api| format!("?api={api}")).unwrap_or_default();
    Ok(Page::to(format!("/traces{shown}")).flash("traces-anonymised", &done.anonymised.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_id_tells_it() {
        assert_eq!(short("01997f3a-0000-7000-8000-00000badcafe"), "…0badcafe");
        assert_eq!(
            (short("abc"), short("demo-1-111"), short("abcdefghié12345678")),
            ("abc".into(), "demo-1-111".into(), "…12345678".into())
        );
    }

    #[test]
    fn a_status_or_a_class_of_them() {
        let read = |text: &str| {
            let mut filter = TraceFilter::within(TraceVisible::All);
            status(text, &mut filter);
            (filter.status, filter.status_class)
        };
        assert_eq!((read("403"), read("5xx"), read("")), ((Some(403), None), (None, Some(5)), (None, None)));
        assert_eq!((read("9xx"), read("99"), read("x")), ((None, None), (None, None), (None, None)));
    }
}
