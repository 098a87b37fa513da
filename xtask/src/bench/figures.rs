//! Figures of the whole program: how soon a decision is in force, how soon it starts, how much memory and disk it takes.

use std::{
    fs,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    Bench,
    octroi::{Octroi, is_ready},
    process::{Process, free_ports},
    stats::Spread,
};
use crate::Result;

pub const DECISIONS: &str = "decisions";
pub const TRACES: &str = "traces";
pub const START: &str = "start";
pub const SIZE: &str = "size";

/// One figure, or why there is none.
pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    pub decimals: usize,
    pub value: std::result::Result<Spread, String>,
    /// The greatest that is good.
    pub aim: Option<f64>,
}

impl Figure {
    fn new(name: &'static str, unit: &'static str, decimals: usize, aim: Option<f64>, values: &[f64]) -> Self {
        Self { name, unit, decimals, aim, value: Spread::of(values.iter().copied()).ok_or_else(|| "not measured".to_owned()) }
    }

    fn missing(name: &'static str, why: &dyn std::fmt::Display) -> Self {
        Self { name, unit: "", decimals: 0, aim: None, value: Err(why.to_string()) }
    }
}

/// Measures what was asked for.
pub fn measure(bench: &Bench, octroi: Option<&Octroi>) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut add = |name: &'static str, measured: Result<Vec<Figure>>| {
        figures.extend(measured.unwrap_or_else(|error| vec![Figure::missing(name, &error)]));
    };
    if bench.options.wants(DECISIONS) {
        add("approve and revoke", octroi.ok_or_else(|| "Octroi does not run".into()).and_then(|octroi| decisions(bench, octroi)));
    }
    if bench.options.wants(TRACES) {
        add("traces", octroi.ok_or_else(|| "Octroi does not run".into()).and_then(traces));
    }
    if bench.options.wants(START) {
        add("start", start(bench));
    }
    if bench.options.wants(SIZE) {
        add("size of the program", size(&bench.options.binary));
    }
    figures
}

fn decisions(bench: &Bench, octroi: &Octroi) -> Result<Vec<Figure>> {
    let times = if bench.options.quick { 3 } else { 20 };
    let (mut approvals, mut revocations) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let decision = octroi.decide()?;
        approvals.push(decision.approve_ms);
        revocations.push(decision.revoke_ms);
    }
    Ok(vec![
        Figure::new("approve, subscribe → first good call", "ms", 1, Some(100.0), &approvals),
        Figure::new("revoke → first refused call", "ms", 1, Some(100.0), &revocations),
    ])
}

/// Nothing that was measured was bought by dropping traces.
fn traces(octroi: &Octroi) -> Result<Vec<Figure>> {
    let (answered, stored) = octroi.traces()?;
    Ok(vec![
        Figure::new("calls let through in this run", "", 0, None, &[answered]),
        Figure::new("calls let through without a stored trace", "calls", 0, Some(0.0), &[answered - stored]),
    ])
}

/// `octroi demo`, on all cores: the first start, which makes the example data, and later ones, which find it.
fn start(bench: &Bench) -> Result<Vec<Figure>> {
    let times = if bench.options.quick { 2 } else { 6 };
    let data = bench.run.join("demo");
    let (first, _) = demo(bench, &data)?;
    let (mut later, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..times {
        let (ready, memory) = demo(bench, &data)?;
        later.push(ready);
        idle.push(memory);
    }
    fs::remove_dir_all(&data)?;
    Ok(vec![
        Figure::new("demo: first start, making its data", "ms", 0, None, &[first]),
        Figure::new("demo: start to ready, data there", "ms", 0, Some(1_000.0), &later),
        Figure::new("demo: idle memory (PSS)", "MB", 1, Some(80.0), &idle),
    ])
}

/// Starts the demo, waits until it is ready, and stops it: milliseconds, and the memory in MB three seconds later.
fn demo(bench: &Bench, data: &Path) -> Result<(f64, f64)> {
    let binary = &bench.options.binary;
    if !binary.is_file() {
        return Err(format!("{} is not there: cargo build --release", binary.display()).into());
    }
    let &[portal, production, sandbox, admin, upstream] = free_ports(5)?.as_slice() else { return Err("no free ports".into()) };
    let folder = data.to_str().ok_or("the folder of the workspace has a name that is not UTF-8")?;
    let mut arguments = vec!["demo".to_owned(), "--data".to_owned(), folder.to_owned()];
    for (name, port) in [("portal", portal), ("production", production), ("sandbox", sandbox), ("admin", admin), ("upstream", upstream)] {
        arguments.extend([format!("--{name}"), format!("127.0.0.1:{port}")]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let started = Instant::now();
    let mut process = Process::start(&bench.run, "demo", "0,1", binary, &arguments)?;
    // The demo writes demo.json last, so the first start counts its data too.
    process.wait_until("become ready", || data.join("demo.json").exists() && is_ready(admin))?;
    let ready = started.elapsed().as_secs_f64() * 1_000.0;
    sleep(Duration::from_secs(3));
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
    let memory = process.memory()? as f64 / 1_048_576.0;
    process.stop()?;
    Ok((ready, memory))
}

fn size(binary: &Path) -> Result<Vec<Figure>> {
    let bytes = fs::metadata(binary).map_err(|error| format!("{}: {error}", binary.display()))?.len();
    #[expect(clippy::cast_precision_loss, reason = "bytes of a file are far below 2^52")]
    Ok(vec![Figure::new("size of the program", "MB", 1, None, &[bytes as f64 / 1_048_576.0])])
}
