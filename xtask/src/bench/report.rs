//! The report: one Markdown text for the terminal and for the page.

use std::{fmt::Write as _, fs, path::Path};

use super::{
    Bench, Options,
    figures::Figure,
    load::CONNECTIONS,
    octroi::{FULL_JWT, MASKED},
    peers::{BASE, ENVOY_JWT, HAPROXY_JWT},
    process::output,
    stats::{Row, Spread},
    target::Contenders,
};
use crate::Result;

pub const MARKERS: [&str; 2] = ["<!-- bench: begin -->", "<!-- bench: end -->"];

/// Where and when the run was made.
pub struct Machine {
    date: String,
    cpu: String,
    cores: usize,
    system: String,
    /// Processes that wanted a core in the minute before.
    load: String,
    wrk: String,
    revision: String,
}

impl Machine {
    #[must_use]
    pub fn read(bench: &Bench) -> Self {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let value = |text: &str, name: &str, between: char| {
            let line = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(between));
            line.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let git = |arguments: &[&str]| {
            let folder = bench.root.to_str().unwrap_or(".");
            output(Path::new("git"), &[&["-C", folder], arguments].concat()).trim().to_owned()
        };
        let changed = if git(&["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { ", with changes" };
        Self {
            date: output(Path::new("date"), &["-u", "+%F %H:%M UTC"]).trim().to_owned(),
            cpu: value(&file("/proc/cpuinfo"), "model name", ':'),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get),
            system: format!(
                "{}, kernel {}",
                value(&file("/etc/os-release"), "PRETTY_NAME", '='),
                file("/proc/sys/kernel/osrelease").trim()
            ),
            load: file("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned(),
            wrk: output(&bench.wrk, &["-v"]).split_ascii_whitespace().nth(1).unwrap_or("unknown").to_owned(),
            revision: format!("{}{changed}", git(&["rev-parse", "--short=10", "HEAD"])),
        }
    }
}

impl Machine {
    /// What was run, when and where.
    #[must_use]
    pub fn head(&self, command: &str) -> String {
        format!(
            "`{command}` on {}, revision {}.\n\n- Machine: {}, {} cores; {}; load average before the run {}.\n",
            self.date, self.revision, self.cpu, self.cores, self.system, self.load
        )
    }
}

/// The whole report.
#[must_use]
pub fn markdown(options: &Options, machine: &Machine, contenders: &Contenders, rows: &[Row], figures: &[Figure]) -> String {
    let mut text = machine.head(&options.command("bench"));
    let versions: Vec<String> = contenders.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let _ = writeln!(text, "- Versions: {}{}wrk {}.", versions.join(", "), if versions.is_empty() { "" } else { ", " }, machine.wrk);
    let plan = (options.rounds, options.seconds);
    let _ = writeln!(
        text,
        "- {} interleaved rounds of {} s after 1 s of warm-up; wrk with 1 thread and {CONNECTIONS} connections.",
        plan.0, plan.1
    );
    for (name, why) in &contenders.absent {
        let _ = writeln!(text, "- Absent: {name}: {}.", why.lines().collect::<Vec<_>>().join(" ").trim_end_matches('.'));
    }
    for row in rows {
        if let Some(failure) = &row.failure {
            let _ = writeln!(text, "- Failed in a round: {}: {}.", row.name, failure.lines().collect::<Vec<_>>().join(" "));
        }
    }
    if rows.iter().any(|row| row.failure.is_none()) {
        text.push('\n');
        text.push_str(&table(rows));
    }
    let threads = threads_table(rows);
    if !threads.is_empty() {
        text.push('\n');
        text.push_str(&threads);
    }
    if !figures.is_empty() {
        text.push('\n');
        text.push_str(&figures_table(figures));
    }
    let aims = aims(rows, figures);
    if !aims.is_empty() {
        text.push('\n');
        text.push_str(&aims);
    }
    text
}

fn find<'a>(rows: &'a [Row], name: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.name == name)
}

fn table(rows: &[Row]) -> String {
    let base = find(rows, BASE);
    let head = ["target (min / median / max)", "CPU µs/request", "× nginx plain", "requests/s", "p50 ms", "p99 ms", "memory MB"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for row in rows.iter().filter(|row| row.failure.is_none()) {
        let show = |spread: Option<Spread>, decimals: usize| spread.map_or_else(|| "–".to_owned(), |spread| spread.show(decimals));
        lines.push(vec![
            row.name.to_owned(),
            show(row.spread(|measure| measure.cpu_us), 1),
            show(base.and_then(|base| row.ratio(base)), 2),
            show(row.spread(|measure| measure.requests_per_second), 0),
            show(row.spread(|measure| measure.p50_ms), 2),
            show(row.spread(|measure| measure.p99_ms), 2),
            show(row.spread(|measure| measure.memory_mb), 1),
        ]);
    }
    align(&lines)
}

/// Where Octroi's own CPU goes: its gateway, its database, its portal.
fn threads_table(rows: &[Row]) -> String {
    let ours: Vec<(&Row, Vec<(String, Spread)>)> =
        rows.iter().filter(|row| row.name.starts_with("Octroi") && row.failure.is_none()).map(|row| (row, row.threads())).collect();
    let mut names: Vec<&String> = Vec::new();
    for (name, spread) in ours.iter().flat_map(|(_, threads)| threads) {
        if spread.median >= 0.05 && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return String::new();
    }
    let head = ["CPU µs/request by thread (medians)".to_owned()].into_iter().chain(names.iter().map(|name| format!("`{name}`")));
    let mut lines = vec![head.collect()];
    for (row, threads) in &ours {
        let cell = |name: &&String| {
            threads.iter().find(|(found, _)| found == *name).map_or_else(|| "–".to_owned(), |(_, spread)| format!("{:.1}", spread.median))
        };
        lines.push([row.name.to_owned()].into_iter().chain(names.iter().map(cell)).collect());
    }
    align(&lines)
}

fn figures_table(figures: &[Figure]) -> String {
    let mut lines = vec![vec!["figure".to_owned(), "min / median / max".to_owned()]];
    for figure in figures {
        let value = match &figure.value {
            Ok(spread) if spread.min.total_cmp(&spread.max).is_eq() => format!("{:.*} {}", figure.decimals, spread.median, figure.unit),
            Ok(spread) => format!("{} {}", spread.show(figure.decimals), figure.unit),
            Err(why) => format!("not measured: {}", why.lines().collect::<Vec<_>>().join(" ")),
        };
        lines.push(vec![figure.name.to_owned(), value]);
    }
    align(&lines)
}

/// What was aimed at, and whether the medians are there.
fn aims(rows: &[Row], figures: &[Figure]) -> String {
    let mut lines = Vec::new();
    let mut aim = |what: String, measured: Option<f64>, decimals: usize, limit: f64, unit: &str| {
        let Some(measured) = measured else { return };
        let met = if measured <= limit { "met" } else { "**missed**" };
        lines.push(vec![what, format!("{measured:.decimals$}{unit}"), format!("{limit}{unit}"), met.to_owned()]);
    };
    let median = |one: &str, other: &str, how: fn(&Row, &Row) -> Option<Spread>| Some(how(find(rows, one)?, find(rows, other)?)?.median);
    aim(format!("CPU of {FULL_JWT} / {BASE}"), median(FULL_JWT, BASE, Row::ratio), 2, 1.5, "");
    aim(format!("CPU of {FULL_JWT} / {HAPROXY_JWT}"), median(FULL_JWT, HAPROXY_JWT, Row::ratio), 2, 0.25, "");
    aim(format!("CPU of {FULL_JWT} / {ENVOY_JWT}"), median(FULL_JWT, ENVOY_JWT, Row::ratio), 2, 0.25, "");
    aim(format!("CPU of {MASKED} above {FULL_JWT}"), median(MASKED, FULL_JWT, Row::above), 1, 10.0, " µs");
    for figure in figures {
        if let (Ok(spread), Some(limit)) = (&figure.value, figure.aim) {
            aim(figure.name.to_owned(), Some(spread.median), figure.decimals, limit, &format!(" {}", figure.unit));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    lines.insert(0, ["aim (medians)", "measured", "at most", "is"].map(str::to_owned).to_vec());
    align(&lines)
}

/// A Markdown table whose columns line up; the first row is its head.
pub fn align(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (place, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let pad = width(column).saturating_sub(cell.chars().count());
            let _ = write!(text, "| {cell}{} ", " ".repeat(pad));
        }
        text.push_str("|\n");
        if place == 0 {
            for column in 0..line.len() {
                let _ = write!(text, "|{}", "-".repeat(width(column) + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Puts the report between the markers of a page; what stands around them stays.
///
/// # Errors
/// When the page cannot be read or written, or has no markers.
pub fn write(page: &Path, [begin, end]: [&str; 2], report: &str) -> Result<()> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let between = text.split_once(begin).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = between.ok_or_else(|| format!("{}: the lines `{begin}` and `{end}` are not there", page.display()))?;
    fs::write(page, format!("{before}{begin}\n{report}{end}{after}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::stats::Measure;

    fn row(name: &'static str, cpu_us: f64) -> Row {
        let threads = [("gate".to_owned(), cpu_us - 5.0), ("store".to_owned(), 5.0)].into();
        let measure = Measure { requests_per_second: 40_000.0, cpu_us, p50_ms: 1.5, p99_ms: 3.0, memory_mb: 12.0, threads };
        Row { name, measures: vec![measure; 6], failure: None }
    }

    #[test]
    fn rows_stand_beside_nginx_plain() {
        let text = table(&[row(BASE, 20.0), row(FULL_JWT, 25.0), Row { failure: Some("broke".into()), ..row("x", 1.0) }]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[3].contains("25.0 / 25.0 / 25.0") && lines[3].contains("1.25 / 1.25 / 1.25"), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()));
        assert!(table(&[row(FULL_JWT, 25.0)]).contains("| –"));
    }

    #[test]
    fn threads_are_shown_of_octroi_alone() {
        let text = threads_table(&[row(BASE, 20.0), row(FULL_JWT, 25.0)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].contains("`gate` | `store`") && lines[2].contains("20.0   | 5.0"), "{text}");
        assert_eq!(threads_table(&[row(BASE, 20.0)]), "");
    }

    #[test]
    fn aims_are_judged_by_what_was_measured_only() {
        let text = aims(&[row(BASE, 20.0), row(FULL_JWT, 25.0), row(HAPROXY_JWT, 50.0)], &[]);
        assert!(text.contains("1.25") && text.contains("| met"), "{text}");
        assert!(text.contains("0.50") && text.contains("**missed**"), "{text}");
        assert!(!text.contains("Envoy") && !text.contains("mask"));
        assert_eq!(aims(&[row(BASE, 20.0)], &[]), "");
    }

    #[test]
    fn the_page_keeps_what_is_around_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("performance.md");
        let [begin, end] = MARKERS;
        fs::write(&page, format!("before\n{begin}\nold\n{end}\nafter\n")).unwrap();
        write(&page, MARKERS, "new\n").unwrap();
        assert_eq!(fs::read_to_string(&page).unwrap(), format!("before\n{begin}\nnew\n{end}\nafter\n"));
        fs::write(&page, "no markers").unwrap();
        assert!(write(&page, MARKERS, "new\n").is_err());
        assert_eq!(fs::read_to_string(&page).unwrap(), "no markers");
    }
}
