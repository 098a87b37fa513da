//! Figures of calls, drawn: the same for an application and for an API.

use octroi_app::traffic::{FiguresView, PointView, RefusedView, TrafficView};
use octroi_domain::{Moment, stage::Stage};

use super::{
    kit::{self, Cell, Chart, ChartKind, Column, Field, Figure, Figures, Filters, Hue, Series, Table},
    page::PageCall,
    words::Words,
};

/// How far back figures go: as many hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    Week,
    TenDays,
}
impl Period {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::TenDays];

    /// The one of the query; anything else is the last day.
    pub fn of(call: &PageCall) -> Self {
        Self::ALL.into_iter().find(|period| period.as_str() == call.query.text("period")).unwrap_or(Self::Day)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::TenDays => "10d",
        }
    }

    /// When it began.
    pub const fn from(self, now: Moment) -> Moment {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::TenDays => 10,
        };
        now.plus_days(-days)
    }
}

/// Which figures: the period, and what the page adds.
pub fn filters(call: &PageCall, more: Vec<Field>) -> Filters {
    let w = call.words;
    let periods = Period::ALL.map(|period| (period.as_str().to_owned(), w.one_of("period", period.as_str()).to_string())).to_vec();
    let mut fields = vec![Field::select("period", w.of("traffic-period"), periods, Period::of(call).as_str())];
    fields.extend(more);
    Filters {
        label: w.of("traffic-choose").into(),
        action: call.facts.path.clone(),
        fields,
        submit: w.of("list-show").into(),
        reset: None,
        found: String::new(),
    }
}

/// The stages, and all of them.
pub fn stage_field(call: &PageCall) -> Field {
    let w = call.words;
    let mut options = vec![(String::new(), w.of("traffic-all-stages").to_string())];
    options.extend(Stage::ALL.map(|stage| (stage.to_string(), w.one_of("stage", stage.as_str()).to_string())));
    Field::select("stage", w.of("application-stage"), options, call.query.text("stage"))
}

/// Microseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "a duration that people read")]
fn milliseconds(duration_us: Option<u64>) -> f64 {
    duration_us.map_or(f64::NAN, |us| us as f64 / 1_000.0)
}

/// A duration, in words.
pub fn duration(w: Words, duration_us: Option<u64>) -> String {
    match duration_us {
        None => w.of("none").into(),
        Some(_) => w.of("traffic-milliseconds").with("count", w.decimal(milliseconds(duration_us))).into(),
    }
}

/// The totals.
pub fn figures(w: Words, total: &FiguresView) -> Figures {
    let figure = |value: String, name: super::words::Phrase| Figure { value, name: name.into(), href: None };
    Figures {
        figures: vec![
            figure(w.number(total.calls), w.of("traffic-calls")),
            figure(w.number(total.refused), w.of("traffic-refused")),
            figure(w.number(total.client_errors), w.of("traffic-client-errors")),
            figure(w.number(total.server_errors), w.of("traffic-server-errors")),
            figure(duration(w, total.p50_us), w.of("traffic-p50")),
            figure(duration(w, total.p95_us), w.of("traffic-p95")),
        ],
    }
}

/// `22 nov. 14:00` for an hour, `22 nov.` for a day.
fn label(w: Words, view: &TrafficView, point: &PointView) -> String {
    w.tick(&point.at, view.step == "hour")
}

/// Calls, and how long they took, over the period.
pub fn charts(w: Words, view: &TrafficView) -> Vec<Chart> {
    let labels: Vec<String> = view.points.iter().map(|point| label(w, view, point)).collect();
    #[expect(clippy::cast_precision_loss, reason = "counts of calls, drawn")]
    let series = |name: super::words::Phrase, hue: Hue, of: fn(&FiguresView) -> u64| Series {
        name: name.into(),
        hue,
        values: view.points.iter().map(|point| of(&point.figures) as f64).collect(),
    };
    let durations_of = |name: super::words::Phrase, hue: Hue, of: fn(&FiguresView) -> Option<u64>| Series {
        name: name.into(),
        hue,
        values: view.points.iter().map(|point| milliseconds(of(&point.figures))).collect(),
    };
    let axis = if view.step == "hour" { w.of("traffic-hour") } else { w.of("traffic-day") }.to_string();
    let calls = Chart {
        id: "calls".to_owned(),
        kind: ChartKind::Bars,
        title: w.of("traffic-chart-calls").into(),
        description: w.of("traffic-chart-calls-text").into(),
        axis: axis.clone(),
        labels: labels.clone(),
        series: vec![
            series(w.of("traffic-answered"), Hue::Blue, |figures| {
                figures.calls.saturating_sub(figures.refused + figures.client_errors + figures.server_errors)
            }),
            series(w.of("traffic-client-errors"), Hue::Orange, |figures| figures.client_errors),
            series(w.of("traffic-refused"), Hue::Purple, |figures| figures.refused),
            series(w.of("traffic-server-errors"), Hue::Red, |figures| figures.server_errors),
        ],
        table_word: w.of("chart-table").into(),
        format: kit::whole,
        words: w,
    };
    let durations = Chart {
        id: "durations".to_owned(),
        kind: ChartKind::Lines,
        title: w.of("traffic-chart-durations").into(),
        description: w.of("traffic-chart-durations-text").into(),
        axis,
        labels,
        series: vec![
            durations_of(w.of("traffic-p50"), Hue::Blue, |figures| figures.p50_us),
            durations_of(w.of("traffic-p95"), Hue::Orange, |figures| figures.p95_us),
        ],
        table_word: w.of("chart-table").into(),
        format: |value, w| w.decimal(value),
        words: w,
    };
    vec![calls, durations]
}

/// Refusals by reason, with what each means.
pub fn refused(w: Words, all: &[RefusedView]) -> Table {
    let row = |refused: &RefusedView| {
        let (title, detail) = refused
            .words
            .as_ref()
            .map_or_else(|| (refused.code.clone(), String::new()), |words| (w.text(&words.title), w.text(&words.detail)));
        vec![Cell::text(title), Cell::Code(refused.code.clone()), Cell::text(w.number(refused.calls)), Cell::text(detail)]
    };
    Table {
        caption: w.of("traffic-refused-caption").into(),
        columns: vec![
            Column::text(w.of("traffic-reason")),
            Column::text(w.of("traffic-code")),
            Column::number(w.of("traffic-calls")),
            Column::text(w.of("traffic-what-to-do")),
        ],
        rows: all.iter().map(row).collect(),
        empty: w.of("traffic-refused-empty").into(),
    }
}
