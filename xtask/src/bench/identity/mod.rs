//! `cargo xtask bench identity`: the sign-on beside npm's oidc-provider, measured in turns within one run.
//!
//! Both are pinned to the same core, the load has the other. Each round has both do each job; what they spend is read
//! from `/proc`, for Octroi with all of its threads and its database.

mod load;
mod report;
mod sides;

use std::{
    collections::VecDeque,
    fs,
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use self::{
    load::{Connection, Seen, fire},
    sides::{CLIENT, Side, text},
};
use super::{
    Bench, Options,
    report::{Machine, write},
    stats::{Measure, Row},
};
use crate::Result;

/// Connections that are kept busy.
const CONNECTIONS: usize = 64;
/// People who sign in at once: each password costs tens of milliseconds.
const PEOPLE: usize = 4;

/// The cookie that Octroi knows a browser by.
const BROWSER: &str = "octroi_browser";

/// What is measured, in this order: each job leaves what the next one needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    ClientCredentials,
    Introspection,
    Authorize,
    Code,
    Refresh,
    SignIn,
}
impl Job {
    const ALL: [Self; 6] = [Self::ClientCredentials, Self::Introspection, Self::Authorize, Self::Code, Self::Refresh, Self::SignIn];

    const fn title(self) -> &'static str {
        match self {
            Self::ClientCredentials => "token: client credentials",
            Self::Introspection => "introspection",
            Self::Authorize => "authorisation, signed in already",
            Self::Code => "token: code",
            Self::Refresh => "token: refresh",
            Self::SignIn => "sign-in with a password, to the code",
        }
    }
}

/// A run.
pub struct Run {
    bench: Bench,
}

/// One provider, what it was measured at, and what a job leaves to the next.
struct Lane {
    side: Side,
    rows: Vec<Row>,
    codes: Mutex<VecDeque<String>>,
    refresh: Mutex<VecDeque<String>>,
    /// The browsers of those who sign in.
    people: Mutex<Vec<Connection>>,
}

/// # Errors
/// When the machine has not what it takes.
pub fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::read(root, words)?;
    if std::thread::available_parallelism()?.get() < 2 {
        return Err("the bench needs two cores: one for the provider, one for the load".into());
    }
    let bench = Bench::prepare(root, options)?;
    let run = Run { bench };
    if run.bench.options.install {
        sides::install(&run)?;
    }
    let machine = Machine::read(&run.bench);
    let lane = |side: Side| Lane {
        people: Mutex::new((0..PEOPLE).map(|_| Connection::to(side.port)).collect()),
        side,
        rows: Job::ALL.iter().map(|job| Row::new(job.title())).collect(),
        codes: Mutex::default(),
        refresh: Mutex::default(),
    };
    let mut lanes = [lane(sides::octroi(&run)?), lane(sides::peer(&run)?)];
    // What is started from here on, the load, has the other core.
    Command::new("taskset").args(["-acp", &run.bench.load_core(), &std::process::id().to_string()]).output()?;
    for round in 1..=run.bench.options.rounds {
        for (place, job) in Job::ALL.into_iter().enumerate() {
            for lane in &mut lanes {
                measure(&run.bench, round, lane, place, job);
            }
        }
    }
    let [own, peer] = &lanes;
    let text = report::markdown(&run.bench.options, &machine, (&own.side, &own.rows), (&peer.side, &peer.rows));
    println!("{text}");
    if run.bench.options.is_whole() {
        let page = root.join("docs/performance.md");
        write(&page, report::MARKERS, &text)?;
        println!("written to {}", page.display());
    }
    drop(lanes);
    if !run.bench.options.keep {
        fs::remove_dir_all(&run.bench.run)?;
    }
    Ok(())
}

fn measure(bench: &Bench, round: usize, lane: &mut Lane, place: usize, job: Job) {
    if !bench.options.wants(job.title()) && !needed(bench, job) {
        return;
    }
    let outcome = turn(bench, lane, job);
    let Some(row) = lane.rows.get_mut(place) else { return };
    let name = format!("{} {}", lane.side.name, job.title());
    match outcome {
        Ok(measure) => {
            eprintln!("round {round}: {name:<52} {:>8.0} requests/s {:>9.1} µs CPU/request", measure.requests_per_second, measure.cpu_us);
            row.measures.push(measure);
        }
        Err(error) => {
            eprintln!("round {round}: {name:<52} failed: {error}");
            row.failure = Some(error.to_string());
        }
    }
}

/// A refresh needs a code, and a code an authorisation.
fn needed(bench: &Bench, job: Job) -> bool {
    let wants = |job: Job| bench.options.wants(job.title());
    match job {
        Job::Authorize => wants(Job::Code) || wants(Job::Refresh),
        Job::Code => wants(Job::Refresh),
        _ => false,
    }
}

fn turn(bench: &Bench, lane: &Lane, job: Job) -> Result<Measure> {
    let ticks = bench.ticks_per_second;
    let seconds = f64::from(bench.options.seconds);
    let work = prepare(lane, job)?;
    // The code's stock is for the measurement alone.
    if !matches!(job, Job::Code) {
        work(seconds / 3.0)?;
    }
    let process = &lane.side.process;
    process.settle(ticks)?;
    let (before, threads_before) = (process.cpu_seconds(ticks)?, process.cpu_by_thread()?);
    let seen = work(seconds)?;
    let memory = process.memory()?;
    process.settle(ticks)?;
    let used = process.cpu_seconds(ticks)? - before;
    #[expect(clippy::cast_precision_loss, reason = "requests of some seconds, and bytes of memory, are far below 2^52")]
    let (requests, memory_mb) = (seen.requests as f64, memory as f64 / 1_048_576.0);
    let mut threads = process.cpu_by_thread()?;
    for (name, spent) in &mut threads {
        *spent = (*spent - threads_before.get(name).unwrap_or(&0.0)).max(0.0) * 1e6 / requests;
    }
    Ok(Measure {
        requests_per_second: requests / seen.seconds,
        cpu_us: used * 1e6 / requests,
        p50_ms: seen.p50_ms,
        p99_ms: seen.p99_ms,
        memory_mb,
        threads,
    })
}

type Work<'a> = Box<dyn Fn(f64) -> Result<Seen> + 'a>;

fn pop(stock: &Mutex<VecDeque<String>>) -> Option<String> {
    stock.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

fn push(stock: &Mutex<VecDeque<String>>, value: String) {
    stock.lock().unwrap_or_else(PoisonError::into_inner).push_back(value);
}

/// Everything that a job needs before the clock starts.
fn prepare<'a>(lane: &'a Lane, job: Job) -> Result<Work<'a>> {
    let side = &lane.side;
    let connections = move || -> Vec<Connection> { (0..CONNECTIONS).map(|_| Connection::to(side.port)).collect() };
    Ok(match job {
        Job::ClientCredentials => Box::new(move |seconds| {
            fire(&mut connections(), seconds, |connection| {
                let reply = connection.ask("POST", side.token, &side.machine, "grant_type=client_credentials&scope=read")?;
                is_token(&reply.body).then_some(true).ok_or_else(|| format!("{} {}", reply.status, reply.body).into())
            })
        }),
        Job::Introspection => {
            let body = format!("token={}", side.machine_token(&side.looking)?);
            Box::new(move |seconds| {
                fire(&mut connections(), seconds, |connection| {
                    let reply = connection.ask("POST", side.introspect, &side.looking, &body)?;
                    reply.body.contains("\"active\":true").then_some(true).ok_or_else(|| format!("{} {}", reply.status, reply.body).into())
                })
            })
        }
        Job::Authorize => {
            let browser = side.browser()?;
            // Those of the round before are out of date.
            lane.codes.lock().unwrap_or_else(PoisonError::into_inner).clear();
            Box::new(move |seconds| {
                let mut workers = connections();
                workers.iter_mut().for_each(|worker| worker.cookies.clone_from(&browser.cookies));
                fire(&mut workers, seconds, |connection| {
                    let back = connection.authorize(&side.authorize, CLIENT, "")?;
                    let code = back.split_once("code=").and_then(|(_, rest)| rest.split('&').next()).ok_or("no code")?;
                    push(&lane.codes, code.to_owned());
                    Ok(true)
                })
            })
        }
        Job::Code => Box::new(move |seconds| {
            fire(&mut connections(), seconds, |connection| {
                let Some(code) = pop(&lane.codes) else { return Ok(false) };
                let form = format!("grant_type=authorization_code&code={code}&redirect_uri={}", load::encode(CLIENT));
                let answer = connection.ask("POST", side.token, &side.site, &form)?.json()?;
                text(&answer, "id_token")?;
                push(&lane.refresh, text(&answer, "refresh_token")?);
                Ok(true)
            })
        }),
        Job::Refresh => Box::new(move |seconds| {
            fire(&mut connections(), seconds, |connection| {
                let Some(token) = pop(&lane.refresh) else { return Ok(false) };
                let form = format!("grant_type=refresh_token&refresh_token={token}");
                let answer = connection.ask("POST", side.token, &side.site, &form)?.json()?;
                text(&answer, "id_token")?;
                push(&lane.refresh, text(&answer, "refresh_token")?);
                Ok(true)
            })
        }),
        Job::SignIn => Box::new(move |seconds| {
            let mut people = lane.people.lock().unwrap_or_else(PoisonError::into_inner);
            people.iter_mut().for_each(Connection::hang_up);
            fire(&mut people, seconds, |person| {
                // Signed out, in the browser that they always use: so many unknown ones at one address would be taken for guessers.
                person.cookies.retain(|(name, _)| name == BROWSER);
                person.authorize(&side.authorize, CLIENT, &side.credentials)?;
                Ok(true)
            })
        }),
    })
}

/// Is this the answer with an access token that is a JWT signed with ES256?
fn is_token(body: &str) -> bool {
    // `{"alg":"ES256"` at any place of the header, in base64url.
    let token = body.split_once("\"access_token\":\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    let header = token.split('.').next().unwrap_or_default();
    token.split('.').count() == 3 && ["RVMyNTYi", "FUzI1NiI", "VTMjU2I"].iter().any(|part| header.contains(part))
}
