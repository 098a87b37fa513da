//! The report: one Markdown text for the terminal and for the page.

use std::fmt::Write as _;

use super::{
    super::{
        Options,
        report::{Machine, align},
        stats::{Row, Spread},
    },
    CONNECTIONS, Job, PEOPLE,
    sides::Side,
};

pub const MARKERS: [&str; 2] = ["<!-- bench identity: begin -->", "<!-- bench identity: end -->"];
/// How many times the peer's tokens per CPU second are aimed at.
const AIM: f64 = 10.0;

/// The whole report.
pub fn markdown(options: &Options, machine: &Machine, own: (&Side, &[Row]), peer: (&Side, &[Row])) -> String {
    let mut text = machine.head(&options.command("bench identity"));
    let _ = writeln!(text, "- Versions: Octroi {}, oidc-provider {}.", own.0.version, peer.0.version);
    let _ = writeln!(
        text,
        "- {} interleaved rounds of {} s; {CONNECTIONS} connections, {PEOPLE} for sign-ins. Least / median / greatest of all rounds.",
        options.rounds, options.seconds
    );
    let sides = [own, peer];
    for (side, rows) in sides {
        for row in rows.iter().filter(|row| row.failure.is_some()) {
            let why = row.failure.as_deref().unwrap_or_default().lines().collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "- Failed in a round: {}, {}: {why}.", side.name, row.name);
        }
    }
    let _ = write!(text, "\n{}\n{}", table(sides), threads(own.1));
    let aims = aims(own.1, peer.1);
    if !aims.is_empty() {
        let _ = write!(text, "\n{aims}");
    }
    text
}

fn show(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| spread.show(decimals))
}

fn table(sides: [(&Side, &[Row]); 2]) -> String {
    let head = ["what", "who", "CPU µs/request", "requests per CPU second, × the peer's", "requests/s", "p50 ms", "p99 ms", "memory MB"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let [(own, own_rows), (peer, peer_rows)] = sides;
    for (mine, theirs) in own_rows.iter().zip(peer_rows) {
        let lead = theirs.ratio(mine);
        for (side, row, lead) in [(own, mine, show(lead, 1)), (peer, theirs, "1".to_owned())] {
            lines.push(vec![
                row.name.to_owned(),
                side.name.to_owned(),
                show(row.spread(|measure| measure.cpu_us), 1),
                lead,
                show(row.spread(|measure| measure.requests_per_second), 0),
                show(row.spread(|measure| measure.p50_ms), 1),
                show(row.spread(|measure| measure.p99_ms), 1),
                show(row.spread(|measure| measure.memory_mb), 0),
            ]);
        }
    }
    align(&lines)
}

/// Where Octroi's own CPU goes.
fn threads(rows: &[Row]) -> String {
    let shown: Vec<(&Row, Vec<(String, Spread)>)> = rows.iter().map(|row| (row, row.threads())).collect();
    let mut names: Vec<&String> = Vec::new();
    for (name, spread) in shown.iter().flat_map(|(_, threads)| threads) {
        if spread.median >= 0.5 && !names.contains(&name) {
            names.push(name);
        }
    }
    let head = ["Octroi's CPU µs/request by thread (medians)".to_owned()].into_iter().chain(names.iter().map(|name| format!("`{name}`")));
    let mut lines = vec![head.collect::<Vec<_>>()];
    for (row, threads) in &shown {
        let cell = |name: &&String| {
            threads.iter().find(|(found, _)| found == *name).map_or_else(|| "–".to_owned(), |(_, spread)| format!("{:.1}", spread.median))
        };
        lines.push([row.name.to_owned()].into_iter().chain(names.iter().map(cell)).collect());
    }
    align(&lines)
}

fn aims(own: &[Row], peer: &[Row]) -> String {
    let mut lines = vec![["aim (medians)", "measured", "at least", "is"].map(str::to_owned).to_vec()];
    for job in [Job::ClientCredentials, Job::Code, Job::Refresh] {
        let of = |rows: &[Row]| rows.iter().position(|row| row.name == job.title());
        let (Some(mine), Some(theirs)) = (of(own).and_then(|at| own.get(at)), of(peer).and_then(|at| peer.get(at))) else { continue };
        let Some(lead) = theirs.ratio(mine) else { continue };
        let verdict = if lead.median >= AIM { "met" } else { "**missed**" };
        lines.push(vec![
            format!("{}: requests per CPU second, × the peer's", job.title()),
            format!("{:.1}", lead.median),
            format!("{AIM:.0}"),
            verdict.to_owned(),
        ]);
    }
    if lines.len() == 1 { String::new() } else { align(&lines) }
}
