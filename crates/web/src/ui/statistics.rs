//! `/statistics`: how much is asked and decided, how long it takes, and how much is called. Totals alone.

use askama::Template;
use octroi_app::statistics::{Delays, GroupStatistics, Statistics};

use super::{
    kit::{self, Cell, Chart, ChartKind, Column, Figure, Figures, Link, Series, Table},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};

/// APIs whose days are drawn; the table has them all.
const DRAWN: usize = 2;
/// Rows of a table: a page stays short, and the JSON has them all.
const ROWS: usize = 20;

#[derive(Template)]
#[template(path = "statistics.html")]
struct StatisticsPage {
    shell: Shell,
    figures: Figures,
    months: Chart,
    delays: Chart,
    definitions: Table,
    providers: Table,
    days: Option<Chart>,
    calls: Table,
    at: kit::When,
}

/// `GET /statistics`
pub async fn show(call: PageCall) -> PageAnswer {
    let statistics = call.app().statistics(&call.context()).await?;
    let w = call.words;
    let page = StatisticsPage {
        figures: figures(w, &statistics),
        months: months(w, &statistics),
        delays: delays(w, &statistics),
        definitions: groups(w, w.of("statistics-by-definition").into(), &statistics.definitions),
        providers: groups(w, w.of("statistics-by-provider").into(), &statistics.providers),
        days: days(w, &statistics),
        calls: calls(w, &statistics),
        at: w.when(&statistics.at),
        shell: call.shell(w.of("statistics-title")).under(vec![Link::new("/", w.of("menu-home"))]),
    };
    call.render(&page)
}

/// A count as a chart draws it.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
const fn drawn(count: u64) -> f64 {
    count as f64
}

fn hours(w: Words, hours: Option<f64>) -> String {
    hours.map_or_else(|| w.of("statistics-none").to_string(), |hours| w.of("statistics-hours").with("hours", w.decimal(hours)).to_string())
}

fn figures(w: Words, statistics: &Statistics) -> Figures {
    let figure = |value: String, name: String, href: Option<&str>| Figure { value, name, href: href.map(str::to_owned) };
    Figures {
        figures: vec![
            figure(w.number(statistics.requests.total), w.of("statistics-requests").into(), None),
            figure(w.number(statistics.permits_in_force), w.of("statistics-permits").into(), Some("/register")),
            figure(hours(w, statistics.decisions.median_hours), w.of("statistics-median").into(), None),
            figure(hours(w, statistics.decisions.p90_hours), w.of("statistics-p90").into(), None),
        ],
    }
}

fn months(w: Words, statistics: &Statistics) -> Chart {
    let states = statistics.requests.states.iter().enumerate();
    let series = states.map(|(place, state)| Series {
        name: w.one_of("request-state", &state.state).into(),
        values: statistics.months.iter().map(|month| drawn(month.opened.states.get(place).map_or(0, |state| state.count))).collect(),
    });
    Chart {
        id: "months".to_owned(),
        kind: ChartKind::Bars,
        title: w.of("statistics-months").into(),
        description: w.of("statistics-months-text").with("count", statistics.requests.total).into(),
        axis: w.of("statistics-month").into(),
        labels: statistics.months.iter().map(|month| w.month(&month.month)).collect(),
        series: series.collect(),
        table_word: w.of("statistics-table").into(),
        format: kit::whole,
        words: w,
    }
}

fn delays(w: Words, statistics: &Statistics) -> Chart {
    let series = |name: String, of: fn(&Delays) -> Option<f64>| Series {
        name,
        values: statistics.months.iter().map(|month| of(&month.delays).unwrap_or(f64::NAN)).collect(),
    };
    Chart {
        id: "delays".to_owned(),
        kind: ChartKind::Lines,
        title: w.of("statistics-delays").into(),
        description: w.of("statistics-delays-text").with("count", statistics.decisions.decided).into(),
        axis: w.of("statistics-month").into(),
        labels: statistics.months.iter().map(|month| w.month(&month.month)).collect(),
        series: vec![
            series(w.of("statistics-median").into(), |delays| delays.median_hours),
            series(w.of("statistics-p90").into(), |delays| delays.p90_hours),
        ],
        table_word: w.of("statistics-table").into(),
        format: kit::decimal,
        words: w,
    }
}

fn groups(w: Words, caption: String, groups: &[GroupStatistics]) -> Table {
    let row = |group: &GroupStatistics| {
        vec![
            Cell::text(w.text(&group.name)),
            Cell::text(w.number(group.requests.total)),
            Cell::text(w.number(group.permits_in_force)),
            Cell::text(w.number(group.delays.decided)),
            Cell::text(hours(w, group.delays.median_hours)),
            Cell::text(hours(w, group.delays.p90_hours)),
        ]
    };
    let mut most: Vec<&GroupStatistics> = groups.iter().collect();
    most.sort_by_key(|group| std::cmp::Reverse(group.requests.total));
    let cut = most.len() > ROWS;
    most.truncate(ROWS);
    Table {
        caption: if cut { w.of("statistics-first").with("caption", caption).with("count", ROWS).into() } else { caption },
        columns: vec![
            Column::text(w.of("statistics-name")),
            Column::number(w.of("statistics-requests")),
            Column::number(w.of("statistics-permits")),
            Column::number(w.of("statistics-decided")),
            Column::number(w.of("statistics-median")),
            Column::number(w.of("statistics-p90")),
        ],
        rows: most.into_iter().map(row).collect(),
        empty: w.of("statistics-nothing").into(),
    }
}

fn days(w: Words, statistics: &Statistics) -> Option<Chart> {
    let called: Vec<_> = statistics.calls.iter().filter(|api| api.total > 0).take(DRAWN).collect();
    let series = called.iter().map(|api| Series { name: w.text(&api.name), values: api.days.iter().copied().map(drawn).collect() });
    (!called.is_empty()).then(|| Chart {
        id: "calls".to_owned(),
        kind: ChartKind::Lines,
        title: w.of("statistics-days").with("count", called.len()).into(),
        description: w.of("statistics-days-text").with("count", called.iter().map(|api| api.total).sum::<u64>()).into(),
        axis: w.of("statistics-day").into(),
        // The month and the day: the year is plain.
        labels: statistics.call_days.iter().map(|day| day.get(5..).unwrap_or(day).to_owned()).collect(),
        series: series.collect(),
        table_word: w.of("statistics-table").into(),
        format: kit::whole,
        words: w,
    })
}

fn calls(w: Words, statistics: &Statistics) -> Table {
    Table {
        caption: w.of("statistics-calls").into(),
        columns: vec![Column::text(w.of("statistics-api")), Column::number(w.of("statistics-calls-count"))],
        rows: statistics
            .calls
            .iter()
            .take(ROWS)
            .map(|api| vec![Cell::link(format!("/apis/{}", api.api), w.text(&api.name)), Cell::text(w.number(api.total))])
            .collect(),
        empty: w.of("statistics-nothing").into(),
    }
}
