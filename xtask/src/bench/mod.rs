//! `cargo xtask bench`: the gateway beside its peers, measured in turns within one run.
//!
//! Each proxy is pinned to one core; the load and the upstream share the other. A round measures every
//! target once; the machine's mood moves from round to round, so ratios are taken within a round.

mod figures;
pub mod http;
pub mod identity;
mod load;
pub mod octroi;
mod peers;
pub mod process;
mod report;
mod stats;
mod target;
pub mod upstream;

use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use self::{
    octroi::Octroi,
    process::{Process, find, free_ports, output},
    stats::Row,
    target::{Contenders, Target},
};
use crate::Result;

/// What was asked for.
pub struct Options {
    rounds: usize,
    /// Seconds of a round.
    seconds: u32,
    quick: bool,
    only: Vec<String>,
    binary: PathBuf,
    /// Was the binary named, rather than found where cargo builds it?
    named: bool,
    install: bool,
    /// Leave the run's folder behind: configurations, logs, the database.
    keep: bool,
}

impl Options {
    fn read(root: &Path, words: &[&str]) -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let mut options = Self {
            rounds: 6,
            seconds: 3,
            quick: false,
            only: Vec::new(),
            binary: target.join("release/octroi"),
            named: false,
            install: false,
            keep: false,
        };
        let mut rounds = None;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value; see `cargo xtask help`"));
            match *word {
                "--rounds" => {
                    rounds = Some(
                        value()?.parse::<usize>().ok().filter(|rounds| (1..=100).contains(rounds)).ok_or("`--rounds` takes 1 to 100")?,
                    )
                }
                "--quick" => options.quick = true,
                "--only" => options.only.push(value()?.to_lowercase()),
                "--binary" => (options.binary, options.named) = (PathBuf::from(*value()?), true),
                "--keep" => options.keep = true,
                "--install" => options.install = true,
                other => return Err(format!("`{other}` is not an option of bench; see `cargo xtask help`").into()),
            }
        }
        if options.quick {
            (options.rounds, options.seconds) = (2, 1);
        }
        options.rounds = rounds.unwrap_or(options.rounds);
        Ok(options)
    }

    /// Was the target, or the figure, of this name asked for?
    fn wants(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.only.is_empty() || self.only.iter().any(|only| name.contains(only.as_str()))
    }

    /// Does the run measure everything, and often enough to be kept?
    fn is_whole(&self) -> bool {
        self.only.is_empty() && !self.quick && self.rounds >= 6
    }

    /// The command that would repeat the run.
    fn command(&self, task: &str) -> String {
        let mut command = format!("cargo xtask {task} --rounds {}", self.rounds);
        if self.quick {
            command.push_str(" --quick");
        }
        for only in &self.only {
            command.push_str(&format!(" --only '{only}'"));
        }
        if self.named {
            command.push_str(&format!(" --binary {}", self.binary.display()));
        }
        command
    }
}

/// The run.
pub struct Bench {
    root: PathBuf,
    /// Folder of configurations, logs and the database; removed when all went well.
    run: PathBuf,
    options: Options,
    wrk: PathBuf,
    ticks_per_second: f64,
}

impl Bench {
    /// With an empty folder for the run.
    fn prepare(root: &Path, options: Options) -> Result<Self> {
        let run = root.join("target/bench/run");
        if run.exists() {
            fs::remove_dir_all(&run)?;
        }
        fs::create_dir_all(&run)?;
        let ticks_per_second = output(Path::new("getconf"), &["CLK_TCK"]).trim().parse().unwrap_or(100.0);
        Ok(Self { root: root.to_owned(), run, options, wrk: PathBuf::new(), ticks_per_second })
    }

    /// Peers from PyPI are installed here.
    fn venv(&self) -> PathBuf {
        self.root.join("target/bench/venv")
    }

    /// The core of whatever is measured.
    fn proxy_core(&self) -> String {
        "0".to_owned()
    }

    /// The core of the load and of the upstream.
    fn load_core(&self) -> String {
        "1".to_owned()
    }
}

/// Runs the bench.
///
/// # Errors
/// When the machine has not what it takes: two cores, wrk, a folder that can be written.
pub fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::read(root, words)?;
    if std::thread::available_parallelism()?.get() < 2 {
        return Err("the bench needs two cores: one for the proxy, one for the load".into());
    }
    let mut bench = Bench::prepare(root, options)?;
    if bench.options.install {
        peers::install(&bench);
    }
    bench.wrk = find("wrk").ok_or("wrk makes the load and is not installed: apt-get install wrk, or `cargo xtask bench --install`")?;
    let machine = report::Machine::read(&bench);
    let (contenders, rows, figures) = measure_all(&bench)?;
    let text = report::markdown(&bench.options, &machine, &contenders, &rows, &figures);
    println!("{text}");
    if bench.options.is_whole() {
        let page = root.join("docs/performance.md");
        report::write(&page, report::MARKERS, &text)?;
        println!("written to {}", page.display());
    }
    drop(contenders);
    if !bench.options.keep {
        fs::remove_dir_all(&bench.run)?;
    }
    Ok(())
}

fn measure_all(bench: &Bench) -> Result<(Contenders, Vec<Row>, Vec<figures::Figure>)> {
    let port = free_ports(1)?.pop().ok_or("no free port")?;
    let own = std::env::current_exe()?;
    let mut upstream = Process::start(&bench.run, "upstream", &bench.load_core(), &own, &["upstream", &port.to_string()])?;
    upstream.wait_for_port(port)?;
    let mut contenders = Contenders::default();
    peers::start(bench, port, &mut contenders)?;
    let octroi = match Octroi::start(bench, port, &mut contenders) {
        Ok(octroi) => octroi,
        Err(error) => {
            contenders.is_absent("Octroi", error);
            None
        }
    };
    let mut rows = check(&mut contenders);
    measure(bench, &contenders, &mut rows);
    let figures = figures::measure(bench, octroi.as_ref());
    Ok((contenders, rows, figures))
}

/// The rows of the targets that answer as they should; the others are absent.
fn check(contenders: &mut Contenders) -> Vec<Row> {
    let targets = std::mem::take(&mut contenders.targets);
    for target in targets {
        match target.check() {
            Ok(()) => contenders.targets.push(target),
            Err(error) => contenders.is_absent(target.name, error),
        }
    }
    contenders.targets.iter().map(|target| Row::new(target.name)).collect()
}

fn measure(bench: &Bench, contenders: &Contenders, rows: &mut [Row]) {
    for round in 1..=bench.options.rounds {
        for (target, row) in contenders.targets.iter().zip(rows.iter_mut()) {
            if row.failure.is_some() {
                continue;
            }
            match contenders
                .processes
                .get(target.process)
                .ok_or_else(|| "its process is gone".into())
                .and_then(|process| turn(bench, target, process))
            {
                Ok(measure) => {
                    eprintln!(
                        "round {round}: {:<26} {:>8.0} requests/s {:>7.1} µs CPU/request",
                        target.name, measure.requests_per_second, measure.cpu_us
                    );
                    row.measures.push(measure);
                }
                Err(error) => {
                    eprintln!("round {round}: {:<26} failed: {error}", target.name);
                    row.failure = Some(error.to_string());
                }
            }
        }
    }
}

/// One turn of one target: warm up, fire, and wait for what the calls left behind, which counts too.
fn turn(bench: &Bench, target: &Target, process: &Process) -> Result<stats::Measure> {
    let ticks = bench.ticks_per_second;
    let fire = |seconds| load::fire(&bench.wrk, &bench.load_core(), &target.url(), &target.headers, seconds);
    fire(1)?;
    process.settle(ticks)?;
    let (before, threads_before) = (process.cpu_seconds(ticks)?, process.cpu_by_thread()?);
    let seen = fire(bench.options.seconds)?;
    let memory = process.memory()?;
    process.settle(ticks)?;
    let used = process.cpu_seconds(ticks)? - before;
    let mut threads = process.cpu_by_thread()?;
    for (name, seconds) in &mut threads {
        let spent = (*seconds - threads_before.get(name).unwrap_or(&0.0)).max(0.0);
        *seconds = spent * 1e6 / seen.requests;
    }
    // The next target starts on a quiet machine.
    sleep(Duration::from_millis(50));
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
    let memory_mb = memory as f64 / 1_048_576.0;
    Ok(stats::Measure {
        requests_per_second: seen.requests_per_second,
        cpu_us: used * 1e6 / seen.requests,
        p50_ms: seen.p50_ms,
        p99_ms: seen.p99_ms,
        memory_mb,
        threads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> std::result::Result<Options, String> {
        Options::read(Path::new("/house"), words).map_err(|error| error.to_string())
    }

    #[test]
    fn options_are_read() {
        let usual = read(&[]).unwrap();
        assert!(usual.is_whole() && usual.rounds == 6 && usual.seconds == 3 && usual.wants("nginx plain"));
        let quick = read(&["--quick", "--only", "Mask", "--rounds", "3"]).unwrap();
        assert!(!quick.is_whole() && quick.rounds == 3 && quick.seconds == 1);
        assert!(quick.wants("Octroi full JWT, mask") && !quick.wants("nginx plain"));
        assert_eq!(quick.command("bench"), "cargo xtask bench --rounds 3 --quick --only 'mask'");
        assert!(!read(&["--rounds", "2"]).unwrap().is_whole());
    }

    #[test]
    fn a_wrong_option_is_named() {
        for (words, named) in [(&["--rounds", "0"][..], "--rounds"), (&["--only"], "--only"), (&["--fast"], "--fast")] {
            assert!(read(words).err().unwrap().contains(named), "{words:?}");
        }
    }
}
