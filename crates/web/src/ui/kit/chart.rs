//! Charts: drawn as inline SVG, with the same figures in a table below.

use askama::Template;

use super::{Cell, Column, Table, markup};
use crate::ui::words::Words;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartKind {
    /// Series stand on each other.
    Bars,
    Lines,
}

/// The colour of a series, with the texture or the dashes that tell it apart without the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hue {
    Blue,
    Orange,
    Green,
    Purple,
    Red,
    Grey,
}
impl Hue {
    /// In the order in which series that mean nothing by their colour take them.
    pub const ALL: [Self; 6] = [Self::Blue, Self::Orange, Self::Green, Self::Purple, Self::Red, Self::Grey];

    /// Its number in the style sheet.
    const fn place(self) -> usize {
        self as usize
    }

    /// The strokes of its texture, in a square of eight.
    const fn texture(self) -> &'static str {
        match self {
            Self::Blue => "",
            Self::Orange => "M0 8 8 0",
            Self::Green => "M0 4H8",
            Self::Purple => "M4 0V8",
            Self::Red => "M0 0 8 8M0 8 8 0",
            Self::Grey => "M3 4H5",
        }
    }
}

/// One row of figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub name: String,
    pub hue: Hue,
    /// One for each label; not a number where nothing was measured.
    pub values: Vec<f64>,
}

/// A drawing, made of figures. At most six series and sixty labels are told apart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// One word in lower case, unique on the page.
    pub id: String,
    pub kind: ChartKind,
    pub title: String,
    /// What it shows, in a sentence, for who does not see it.
    pub description: String,
    /// The name of what the labels are, for example "Month".
    pub axis: String,
    pub labels: Vec<String>,
    pub series: Vec<Series>,
    /// The words that open the table, for example "The figures in a table".
    pub table_word: String,
    /// How a figure is written: `Words::number` or `Words::decimal` of the page.
    pub format: fn(f64, Words) -> String,
    pub words: Words,
}

/// Writes counts: what a chart's `format` most often is.
#[must_use]
pub fn whole(value: f64, words: Words) -> String {
    // Not beyond what is drawn: a chart's figures are counts of calls or requests.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let count = value.round() as i64;
    words.number(count)
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 28.0;
const TOP: f64 = 12.0;
/// Letters of the labels' size that stand side by side.
const LETTERS: usize = 90;
/// How wide a letter of a label is, about.
const LETTER: f64 = 7.3;

struct Rect {
    hue: usize,
    x: String,
    y: String,
    width: String,
    height: String,
    hint: String,
}
struct Path {
    hue: usize,
    /// Points that follow each other without a gap.
    runs: Vec<String>,
    dots: Vec<(String, String, String)>,
}
struct Mark {
    at: String,
    text: String,
}

#[derive(Template)]
#[template(path = "components/chart.html")]
struct Drawn<'a> {
    chart: &'a Chart,
    rects: Vec<Rect>,
    paths: Vec<Path>,
    lines: Vec<Mark>,
    ticks: Vec<Mark>,
    table: Table,
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// The next round number above: 1, 2 or 5 times a power of ten.
fn ceiling(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|round| *round >= value).unwrap_or(value)
}

impl Chart {
    fn value(&self, series: &Series, place: usize) -> f64 {
        series.values.get(place).copied().filter(|value| value.is_finite()).unwrap_or(0.0).max(0.0)
    }

    /// A figure that is not a number was not measured: a gap.
    fn measured(&self, series: &Series, place: usize) -> Option<f64> {
        series.values.get(place).filter(|value| value.is_finite()).map(|_| self.value(series, place))
    }

    fn top(&self) -> f64 {
        let of = |place: usize| {
            let values = self.series.iter().map(|series| self.value(series, place));
            match self.kind {
                ChartKind::Bars => values.sum::<f64>(),
                ChartKind::Lines => values.fold(0.0, f64::max),
            }
        };
        ceiling((0..self.labels.len()).map(of).fold(0.0, f64::max))
    }

    #[expect(clippy::cast_precision_loss, reason = "places of labels, a few dozen")]
    fn column(&self, place: usize) -> (f64, f64) {
        let width = (WIDTH - LEFT) / self.labels.len().max(1) as f64;
        (LEFT + width * place as f64, width)
    }

    fn hint(&self, series: &Series, place: usize) -> String {
        let label = self.labels.get(place).map_or("", String::as_str);
        format!("{label} · {} · {}", series.name, (self.format)(self.value(series, place), self.words))
    }

    fn rects(&self, top: f64) -> Vec<Rect> {
        let scale = (HEIGHT - TOP - BOTTOM) / top;
        let mut rects = Vec::new();
        for place in 0..self.labels.len() {
            let (x, width) = self.column(place);
            let mut y = HEIGHT - BOTTOM;
            for series in &self.series {
                let height = self.value(series, place) * scale;
                y -= height;
                if height > 0.0 {
                    let (x, width) = (px(x + width * 0.12), px(width * 0.76));
                    rects.push(Rect { hue: series.hue.place(), x, y: px(y), width, height: px(height), hint: self.hint(series, place) });
                }
            }
        }
        rects
    }

    fn paths(&self, top: f64) -> Vec<Path> {
        let scale = (HEIGHT - TOP - BOTTOM) / top;
        let path = |series: &Series| {
            let dot = |place: usize| {
                let (x, width) = self.column(place);
                let y = HEIGHT - BOTTOM - self.measured(series, place)? * scale;
                Some((px(x + width / 2.0), px(y), self.hint(series, place)))
            };
            let dots: Vec<Option<(String, String, String)>> = (0..self.labels.len()).map(dot).collect();
            let run = |run: &[Option<(String, String, String)>]| {
                run.iter().flatten().map(|(x, y, _)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
            };
            let runs = dots.split(Option::is_none).filter(|run| run.len() > 1).map(run).collect();
            Path { hue: series.hue.place(), runs, dots: dots.into_iter().flatten().collect() }
        };
        self.series.iter().map(path).collect()
    }

    fn table(&self) -> Table {
        let mut columns = vec![Column::text(&self.axis)];
        columns.extend(self.series.iter().map(|series| Column::number(&series.name)));
        let row = |(place, label): (usize, &String)| {
            let mut row = vec![Cell::text(label)];
            let cell =
                |series: &Series| self.measured(series, place).map_or_else(|| "–".to_owned(), |value| (self.format)(value, self.words));
            row.extend(self.series.iter().map(|series| Cell::Text(cell(series))));
            row
        };
        Table { caption: self.title.clone(), columns, rows: self.labels.iter().enumerate().map(row).collect(), empty: String::new() }
    }
}

impl std::fmt::Display for Chart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let top = self.top();
        let line =
            |part: f64| Mark { at: px(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)), text: (self.format)(top * part, self.words) };
        let mut lines: Vec<Mark> = [1.0, 0.5, 0.0].map(line).into();
        // Half of one call is none that can be written.
        lines.dedup_by(|half, whole| half.text == whole.text);
        // As many labels as there is room for.
        let longest = self.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        let every = (self.labels.len() * (longest + 2)).div_ceil(LETTERS).max(1);
        let ticks = self.labels.iter().enumerate().filter(|(place, _)| place.is_multiple_of(every)).map(|(place, label)| {
            let (x, width) = self.column(place);
            // A label at an end stays within the drawing.
            let half = f64::from(u16::try_from(label.chars().count()).unwrap_or(u16::MAX)) * LETTER / 2.0;
            Mark { at: px((x + width / 2.0).min(WIDTH - half).max(half)), text: label.clone() }
        });
        let (rects, paths) = match self.kind {
            ChartKind::Bars => (self.rects(top), Vec::new()),
            ChartKind::Lines => (Vec::new(), self.paths(top)),
        };
        let drawn = Drawn { chart: self, rects, paths, lines, ticks: ticks.collect(), table: self.table() };
        f.write_str(&drawn.render().map_err(|_| std::fmt::Error)?)
    }
}

markup!(Chart);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_round() {
        for (value, expected) in [(0.0, 1.0), (0.7, 1.0), (1.0, 1.0), (3.0, 5.0), (11.0, 20.0), (99.0, 100.0), (f64::NAN, 1.0)] {
            assert!((ceiling(value) - expected).abs() < 1e-9, "{value}");
        }
    }
}
