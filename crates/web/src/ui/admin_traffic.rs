//! The traffic of an API, for its administrator.

use askama::Template;
use octroi_app::{
    query::{TraceFilter, TraceVisible},
    traffic::ConsumerView,
};

use super::{
    admin_api::{tabs, way},
    api_page::named,
    kit::{Cell, Chart, Column, Figures, Filters, Link, Table, Tabs},
    page::{PageAnswer, PageCall, Shell},
    traffic_view::{self, Period},
    words::Words,
};

#[derive(Template)]
#[template(path = "api_admin_traffic.html")]
struct TrafficPage {
    shell: Shell,
    tabs: Tabs,
    filters: Filters,
    figures: Figures,
    charts: Vec<Chart>,
    consumers: Table,
    refused: Table,
    traces: Link,
}

/// `GET /admin/apis/{provider}/{api}/traffic?period=&stage=`
pub async fn show(call: PageCall) -> PageAnswer {
    let name = named(&call)?;
    let view = call.app().read_administered_line(&call.context(), &name).await?;
    // Nothing is seen until the operation puts the principal's own view in.
    let mut filter = TraceFilter::within(TraceVisible::Any { organizations: Vec::new(), apis: Vec::new(), providers: Vec::new() });
    filter.api = Some(name.clone());
    filter.stage = call.query.text("stage").parse().ok();
    filter.from = Some(Period::of(&call).from(call.now));
    let traffic = call.app().traffic(&call.context(), filter).await?;
    let w = call.words;
    call.render(&TrafficPage {
        tabs: tabs(w, &name, 3),
        filters: traffic_view::filters(&call, vec![traffic_view::stage_field(&call)]),
        figures: traffic_view::figures(w, &traffic.total),
        charts: if traffic.total.calls == 0 { Vec::new() } else { traffic_view::charts(w, &traffic) },
        consumers: consumers(w, &traffic.consumers),
        refused: traffic_view::refused(w, &traffic.refused),
        traces: Link::new(format!("/traces?api={name}"), w.of("usage-traces")),
        shell: call.shell(w.of("traffic-title").with("api", w.text(&view.api.title))).under(way(w)),
    })
}

fn consumers(w: Words, all: &[ConsumerView]) -> Table {
    let row = |consumer: &ConsumerView| {
        let errors = w.of("traffic-errors-of").with("errors", w.number(consumer.errors)).with("percent", percent(w, consumer));
        vec![
            Cell::text(consumer.name.clone().unwrap_or_else(|| w.of("traffic-nobody").into())),
            Cell::text(consumer.organization.clone().unwrap_or_default()),
            Cell::text(w.number(consumer.calls)),
            Cell::text(errors),
        ]
    };
    Table {
        caption: w.of("traffic-consumers").into(),
        columns: vec![
            Column::text(w.of("application-name")),
            Column::text(w.of("application-organization")),
            Column::number(w.of("traffic-calls")),
            Column::number(w.of("traffic-errors")),
        ],
        rows: all.iter().map(row).collect(),
        empty: w.of("traffic-empty").into(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share that people read")]
fn percent(w: Words, consumer: &ConsumerView) -> String {
    w.decimal(100.0 * consumer.errors as f64 / consumer.calls.max(1) as f64)
}
