//! `/statistics`: how much is asked and decided, how long it takes, and how much is called. Totals alone.

use askama::Template;
use octroi_app::statistics::{ApiCalls, Delays, GroupStatistics, Statistics};

use super::{
    kit::{self, Cell, Chart, ChartKind, Column, Figure, Figures, Hue, Link, Series, Table},
    page::{PageAnswer, PageCall, Shell},
    words::Words,
};

/// APIs whose days are drawn, each with a line of its own; the others have one together.
const DRAWN: usize = 5;
/// Hours beyond which people count in days.
const DAYS: f64 = 48.0;
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

/// With a decimal only where it says something.
fn rounded(value: f64, w: Words) -> String {
    if value >= 10.0 || ((value * 10.0).round() / 10.0).fract() == 0.0 { kit::whole(value, w) } else { w.decimal(value) }
}

fn in_hours(hours: f64, w: Words) -> String {
    w.of("statistics-hours").with("hours", rounded(hours, w)).into()
}

fn in_days(hours: f64, w: Words) -> String {
    w.of("statistics-in-days").with("days", rounded(hours / 24.0, w)).into()
}

fn delay(w: Words, hours: Option<f64>) -> String {
    match hours {
        None => w.of("statistics-none").into(),
        Some(hours) if hours < 1.0 => w.of("statistics-under-an-hour").into(),
        Some(hours) if hours <= DAYS => in_hours(hours, w),
        Some(hours) => in_days(hours, w),
    }
}

/// The colour of a state: what was refused does not look accepted.
fn hue(state: &str) -> Hue {
    match state {
        "submitted" => Hue::Blue,
        "changes_requested" => Hue::Orange,
        "approved" => Hue::Green,
        "refused" => Hue::Red,
        "archived" => Hue::Purple,
        _ => Hue::Grey,
    }
}

fn figures(w: Words, statistics: &Statistics) -> Figures {
    let figure = |value: String, name: String, href: Option<&str>| Figure { value, name, href: href.map(str::to_owned) };
    Figures {
        figures: vec![
            figure(w.number(statistics.requests.total), w.of("statistics-requests").into(), None),
            figure(w.number(statistics.permits_in_force), w.of("statistics-permits").into(), Some("/register")),
            figure(delay(w, statistics.decisions.median_hours), w.of("statistics-median").into(), None),
            figure(delay(w, statistics.decisions.p90_hours), w.of("statistics-p90").into(), None),
        ],
    }
}

fn months(w: Words, statistics: &Statistics) -> Chart {
    let states = statistics.requests.states.iter().enumerate();
    let series = states.map(|(place, state)| Series {
        name: w.one_of("request-state", &state.state).into(),
        hue: hue(&state.state),
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
    let series = |name: String, hue: Hue, of: fn(&Delays) -> Option<f64>| Series {
        name,
        hue,
        values: statistics.months.iter().map(|month| of(&month.delays).unwrap_or(f64::NAN)).collect(),
    };
    let longest = statistics.months.iter().filter_map(|month| month.delays.p90_hours).fold(0.0, f64::max);
    Chart {
        id: "delays".to_owned(),
        kind: ChartKind::Lines,
        title: w.of("statistics-delays").into(),
        description: w.of("statistics-delays-text").with("count", statistics.decisions.decided).into(),
        axis: w.of("statistics-month").into(),
        labels: statistics.months.iter().map(|month| w.month(&month.month)).collect(),
        series: vec![
            series(w.of("statistics-median").into(), Hue::Blue, |delays| delays.median_hours),
            series(w.of("statistics-p90").into(), Hue::Orange, |delays| delays.p90_hours),
        ],
        table_word: w.of("statistics-table").into(),
        // One unit for the whole drawing.
        format: if longest > DAYS { in_days } else { in_hours },
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
            Cell::text(delay(w, group.delays.median_hours)),
            Cell::text(delay(w, group.delays.p90_hours)),
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

/// A line for each of the APIs that are called most, and one for the others together, where there are others.
fn lines(w: Words, statistics: &Statistics) -> Vec<Series> {
    let called: Vec<_> = statistics.calls.iter().filter(|api| api.total > 0).collect();
    // One that stands alone has its name.
    let (alone, others) = called.split_at(if called.len() <= DRAWN + 1 { called.len() } else { DRAWN });
    let line =
        |(api, hue): (&&ApiCalls, Hue)| Series { name: w.text(&api.name), hue, values: api.days.iter().copied().map(drawn).collect() };
    let mut lines: Vec<Series> = alone.iter().zip(Hue::ALL).map(line).collect();
    if !others.is_empty() {
        let of_day = |day: usize| others.iter().filter_map(|api| api.days.get(day)).sum();
        lines.push(Series {
            name: w.of("statistics-other-apis").with("count", others.len()).into(),
            hue: Hue::Grey,
            values: (0..statistics.call_days.len()).map(of_day).map(drawn).collect(),
        });
    }
    lines
}

fn days(w: Words, statistics: &Statistics) -> Option<Chart> {
    let series = lines(w, statistics);
    (!series.is_empty()).then(|| Chart {
        id: "calls".to_owned(),
        kind: ChartKind::Lines,
        title: w.of("statistics-days").into(),
        description: w.of("statistics-days-text").with("count", statistics.calls.iter().map(|api| api.total).sum::<u64>()).into(),
        axis: w.of("statistics-day").into(),
        // The year is plain.
        labels: statistics.call_days.iter().map(|day| w.tick(day, false)).collect(),
        series,
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

#[cfg(test)]
mod tests {
    use octroi_domain::text::{Language, Text};

    use super::*;

    const FR: Words = Words::new(Language::Fr);

    #[test]
    fn delays_are_written_as_people_say_them() {
        for (hours, expected) in [
            (None, "aucune décision"),
            (Some(0.4), "moins d’une heure"),
            (Some(3.0), "3\u{a0}h"),
            (Some(3.5), "3,5\u{a0}h"),
            (Some(47.6), "48\u{a0}h"),
            (Some(48.1), "2\u{a0}j"),
            (Some(60.0), "2,5\u{a0}j"),
            (Some(490.0), "20\u{a0}j"),
        ] {
            assert_eq!(delay(FR, hours), expected, "{hours:?}");
        }
    }

    #[test]
    fn every_called_api_has_a_line_or_a_part_of_one() {
        let counts = octroi_app::view::StateCounts { total: 0, states: Vec::new() };
        let lines_of = |apis: usize| {
            let api = |place: usize| ApiCalls {
                api: format!("p/{place}"),
                name: Text::new(place.to_string(), place.to_string()),
                total: u64::from(place != 0),
                days: vec![u64::from(place != 0)],
            };
            let statistics = Statistics {
                at: String::new(),
                requests: counts.clone(),
                permits_in_force: 0,
                months: Vec::new(),
                decisions: Delays::default(),
                definitions: Vec::new(),
                providers: Vec::new(),
                call_days: vec!["2026-10-24".to_owned()],
                calls: (0..=apis).map(api).collect(),
            };
            lines(FR, &statistics).into_iter().map(|line| (line.name, line.values)).collect::<Vec<_>>()
        };
        assert!(lines_of(0).is_empty());
        assert_eq!(lines_of(6).len(), 6, "the sixth alone has its name");
        let many = lines_of(8);
        assert_eq!((many.len(), many.last().unwrap()), (6, &("3 autres API".to_owned(), vec![3.0])));
    }
}
