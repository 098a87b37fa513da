//! What an application called: figures over time, and the last errors with what they mean.

use askama::Template;
use octroi_app::{
    query::{TraceFilter, TraceVisible},
    usage::{CallErrorView, UsageView},
};

use super::{
    applications::{read, way},
    kit::{Cell, Chart, Column, Figures, Filters, Link, Table},
    page::{PageAnswer, PageCall, Shell},
    traces::short,
    traffic_view::{self, Period},
    words::Words,
};

#[derive(Template)]
#[template(path = "application_usage.html")]
struct UsagePage {
    shell: Shell,
    filters: Filters,
    figures: Figures,
    charts: Vec<Chart>,
    refused: Table,
    errors: Table,
    traces: Link,
}

/// `GET /applications/{id}/usage?period=`
pub async fn show(call: PageCall) -> PageAnswer {
    let (id, application) = read(&call).await?;
    // Nothing is seen until the operation puts the principal's own view in.
    let nothing = TraceVisible::Any { organizations: Vec::new(), apis: Vec::new(), providers: Vec::new() };
    let mut filter = TraceFilter::within(nothing);
    filter.application = Some(id);
    filter.organization = application.organization.id.parse().ok();
    filter.from = Some(Period::of(&call).from(call.now));
    let traffic = call.app().traffic(&call.context(), filter).await?;
    let usage = call.app().application_usage(&call.context(), id).await?;
    let w = call.words;
    call.render(&UsagePage {
        filters: traffic_view::filters(&call, Vec::new()),
        figures: traffic_view::figures(w, &traffic.total),
        charts: if traffic.total.calls == 0 { Vec::new() } else { traffic_view::charts(w, &traffic) },
        refused: traffic_view::refused(w, &traffic.refused),
        errors: errors(w, &usage),
        traces: Link::new(format!("/traces?application={id}"), w.of("usage-traces")),
        shell: call.shell(w.of("usage-title").and("name", &application.name)).under(way(w, &application)),
    })
}

fn errors(w: Words, usage: &UsageView) -> Table {
    let row = |error: &CallErrorView| {
        let call = &error.call;
        let meaning = match (&error.explanation, call.status) {
            (Some(words), _) => format!("{} · {}", w.text(&words.title), w.text(&words.detail)),
            (None, 500..) => w.of("usage-upstream-failed").into(),
            (None, _) => w.of("usage-upstream-refused").into(),
        };
        let request = call.request_id.as_deref().unwrap_or_default();
        vec![
            Cell::When(w.when(&call.at)),
            Cell::text(call.status.to_string()),
            call.operation.clone().or_else(|| call.api.clone()).map_or_else(|| Cell::text(w.of("none")), Cell::Code),
            Cell::text(meaning),
            if request.is_empty() { Cell::text(w.of("none")) } else { Cell::link(traces_of(request), short(request)) },
        ]
    };
    Table {
        caption: w.of("usage-errors").into(),
        columns: vec![
            Column::text(w.of("trace-at")),
            Column::number(w.of("trace-status")),
            Column::text(w.of("trace-operation")),
            Column::text(w.of("usage-meaning")),
            Column::text(w.of("trace-request")),
        ],
        rows: usage.errors.iter().map(row).collect(),
        empty: w.of("usage-errors-empty").into(),
    }
}

/// The page of the calls with this request id.
pub(super) fn traces_of(request_id: &str) -> String {
    format!("/traces?{}", form_urlencoded::Serializer::new(String::new()).append_pair("request_id", request_id).finish())
}
