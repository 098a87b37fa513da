//! `cargo xtask lists`: how fast lists, counts and searches answer on a full database, through HTTP, as a
//! browser or a program asks for them.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    Result,
    bench::{
        http,
        octroi::{PASSWORD, Session, is_ready, rest, sign_in},
        process::{Process, free_ports},
    },
    seed,
};

const OPERATOR: &str = "operator@lists.example";
const REVIEWER: &str = "reviewer@lists.example";
const APPLICANT: &str = "applicant@lists.example";
/// What is reviewed: more than half of the requests are for it.
const DEFINITION: &str = "api-particulier";

struct Options {
    requests: usize,
    database: Option<String>,
    calls: usize,
    binary: PathBuf,
    keep: bool,
}
impl Options {
    fn read(root: &Path, words: &[&str]) -> Result<Self> {
        let mut options = Self { requests: 200_000, database: None, calls: 300, binary: root.join("target/release/octroi"), keep: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a value; see `cargo xtask help`"));
            let number = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=5_000_000).contains(number));
            match *word {
                "--requests" => options.requests = number(value()?).ok_or("`--requests` takes 1 to 5000000")?,
                "--calls" => options.calls = number(value()?).ok_or("`--calls` takes a number")?,
                "--database" => options.database = Some((*value()?).to_owned()),
                "--binary" => options.binary = PathBuf::from(*value()?),
                "--keep" => options.keep = true,
                other => return Err(format!("`{other}` is not an option of lists; see `cargo xtask help`").into()),
            }
        }
        Ok(options)
    }
}

/// What is asked for, by whom.
struct Question {
    who: &'static str,
    what: &'static str,
    /// Asked in turns.
    paths: Vec<String>,
}

/// Measures.
///
/// # Errors
/// When the program is not built, does not start, or an answer is not 200.
pub fn run(root: &Path, words: &[&str]) -> Result<()> {
    let options = Options::read(root, words)?;
    if !options.binary.is_file() {
        return Err(format!("{} is not there: cargo build --release", options.binary.display()).into());
    }
    let run = root.join("target/lists");
    if run.exists() {
        fs::remove_dir_all(&run)?;
    }
    fs::create_dir_all(run.join("data"))?;
    let &[portal, production, sandbox, admin] = free_ports(4)?.as_slice() else { return Err("no free ports".into()) };
    let config = run.join("octroi.toml");
    fs::write(&config, settings(&run, &options, [portal, production, sandbox, admin]))?;
    let catalogue = root.join("catalogue");
    command(&options, &config, &["apply", catalogue.to_str().ok_or("the folder's name is not UTF-8")?])?;
    command(&options, &config, &["admin", "create-operator", "--email", OPERATOR])?;
    let url = options.database.clone().unwrap_or_else(|| format!("sqlite://{}/data/octroi.db", run.display()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(seed::fill(&url, options.requests))?;
    let config = config.to_str().ok_or("the folder's name is not UTF-8")?;
    let mut process = Process::start(&run, "octroi", "0,1", &options.binary, &["serve", "--config", config])?;
    process.wait_until("become ready", || is_ready(admin))?;
    let text = measure(&options, &process, portal)?;
    process.stop()?;
    let plans = runtime.block_on(plans(&url))?;
    println!("{text}\n{plans}");
    if !options.keep {
        fs::remove_dir_all(&run)?;
    }
    Ok(())
}

fn settings(run: &Path, options: &Options, [portal, production, sandbox, admin]: [u16; 4]) -> String {
    let mut text = format!("data = \"{}/data\"\n", run.display());
    if let Some(url) = &options.database {
        let _ = writeln!(text, "[database]\nurl = \"{url}\"");
    }
    let _ = writeln!(text, "[portal]\nlisten = \"127.0.0.1:{portal}\"\npublic_url = \"http://localhost:{portal}\"");
    for (name, port) in [("production", production), ("sandbox", sandbox)] {
        let _ = writeln!(text, "[gateway.{name}]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://localhost:{port}\"\nthreads = 1");
    }
    let _ = writeln!(text, "[accounts]\nsecond_factor = \"optional\"");
    let _ = writeln!(text, "[admin]\nlisten = \"127.0.0.1:{admin}\"");
    text
}

fn command(options: &Options, config: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(&options.binary);
    command.args(arguments).arg("--config").arg(config).env_remove("OCTROI_DATABASE_URL");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A command that reads nothing may have closed its side.
        let _ = writeln!(input, "{PASSWORD}");
    }
    let output = child.wait_with_output()?;
    let failed = || format!("octroi {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(()) } else { Err(failed().into()) }
}

fn measure(options: &Options, process: &Process, portal: u16) -> Result<String> {
    let operator = sign_in(portal, OPERATOR)?;
    let post = |path: &str, body: Value| rest(portal, &operator, "POST", path, Some(&body));
    post("/api/v1/organizations", json!({ "siret": "13002526500013", "name": "Direction du numérique" }))?;
    let person = |email: &str, siret: &str, roles: Value| {
        let body = json!({ "email": email, "given_name": "Camille", "family_name": "Martin", "password": PASSWORD, "organization": siret, "roles": roles });
        post("/api/v1/users", body)
    };
    person(REVIEWER, "13002526500013", json!([{ "role": "reviewer", "perimeter": format!("definition:{DEFINITION}") }]))?;
    person(APPLICANT, &seed::siret(7), json!([]))?;
    let (reviewer, applicant) = (sign_in(portal, REVIEWER)?, sign_in(portal, APPLICANT)?);
    let who = |name: &str| match name {
        "reviewer" => Some(&reviewer),
        "applicant" => Some(&applicant),
        "operator" => Some(&operator),
        _ => None,
    };
    let mut text = format!(
        "{}, {} requests, {} of them seen by the reviewer; each kind asked {} times, one after the other, each on a connection of its own.\n\n",
        if options.database.is_some() { "PostgreSQL" } else { "SQLite" },
        options.requests,
        rest(portal, &reviewer, "GET", "/api/v1/access-requests/counts", None)?.get("total").cloned().unwrap_or_default(),
        options.calls
    );
    text.push_str("| who | what | p50 ms | p90 ms | p99 ms | most ms | kB |\n|---|---|---|---|---|---|---|\n");
    for question in questions(&deep_pages(portal, &reviewer)?) {
        let line = ask(portal, &question, who(question.who), options.calls)?;
        eprintln!("{line}");
        let _ = writeln!(text, "{line}");
    }
    let line = after_a_change(portal, &applicant, options.calls.min(100))?;
    let _ = writeln!(text, "{line}");
    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^52")]
    let memory = process.memory()? as f64 / 1_048_576.0;
    let _ = writeln!(text, "\nMemory of the process at the end (PSS): {memory:.0} MB.");
    Ok(text)
}

/// The cursors of every tenth page of the reviewer's list, up to the two hundredth.
fn deep_pages(portal: u16, reviewer: &Session) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut cursor = String::new();
    for page in 1..=200 {
        let answer = rest(portal, reviewer, "GET", &format!("/api/v1/access-requests?limit=100{cursor}"), None)?;
        let Some(next) = answer.get("next").and_then(Value::as_str) else { break };
        cursor = format!("&cursor={next}");
        if page % 10 == 0 {
            paths.push(format!("/api/v1/access-requests?limit=50{cursor}"));
        }
    }
    if paths.is_empty() {
        paths.push("/api/v1/access-requests".to_owned());
    }
    Ok(paths)
}

fn questions(deep: &[String]) -> Vec<Question> {
    let requests = "/api/v1/access-requests";
    let each = |what: &[&str]| what.iter().map(|query| format!("{requests}{query}")).collect::<Vec<_>>();
    // Rare and common words, a name with its town, SIRETs, addresses, numbers, and what nobody has.
    let words = [
        "commune",
        "rivebelle",
        "cantine",
        "ch%C3%A2telneuf+restauration",
        "commune+de+saint+aubrac",
        "marie+durand",
        "martin",
        "a",
        "210010007",
        "210+010+123+00016",
        "D1234",
        "H777",
        "zoe+grandpre+cr%C3%A8che",
        "introuvable",
        "c+d+e+s",
        "noel.martin",
        "tarif+social+eau",
        "hay+les+bles",
    ];
    let search = |path: &str| words.iter().map(|word| format!("{path}?q={word}")).collect::<Vec<_>>();
    let one = |who, what, path: &str| Question { who, what, paths: vec![path.to_owned()] };
    let many = |who, what, paths: Vec<String>| Question { who, what, paths };
    vec![
        one("reviewer", "list, first page", requests),
        many("reviewer", "list, pages 20 to 400", deep.to_vec()),
        one("reviewer", "queue: submitted, who waits longest first", "/api/v1/access-requests?state=submitted&sort=submitted"),
        many(
            "reviewer",
            "list, filters",
            each(&[
                "?state=refused,archived",
                "?kind=amendment&sort=created",
                "?state=approved&stage=production",
                &format!("?organization={}", seed::siret(7)),
            ]),
        ),
        many("reviewer", "search", search(requests)),
        one("reviewer", "counts by state", "/api/v1/access-requests/counts"),
        many("reviewer", "counts by state of a search", search("/api/v1/access-requests/counts")),
        many(
            "reviewer",
            "permits: list and search",
            search("/api/v1/permits").into_iter().chain(["/api/v1/permits?sort=expires&state=active".to_owned()]).collect(),
        ),
        one("applicant", "list", requests),
        many("applicant", "search", search(requests)),
        one("applicant", "counts by state", "/api/v1/access-requests/counts"),
        one("operator", "list", requests),
        one("operator", "counts by state", "/api/v1/access-requests/counts"),
        one("anyone", "register, first page", "/api/v1/register"),
        many("anyone", "register, search", search("/api/v1/register")),
        one("anyone", "statistics (made once a minute)", "/api/v1/statistics"),
        one("reviewer", "page: list of requests", "/review"),
        many("reviewer", "page: search", search("/review")),
        one("anyone", "page: register", "/register"),
        one("anyone", "page: statistics", "/statistics"),
    ]
}

/// Asks in turns, after one round that does not count.
fn ask(portal: u16, question: &Question, session: Option<&Session>, calls: usize) -> Result<String> {
    let headers: Vec<String> = session.iter().map(|session| format!("Cookie: {}", session.cookie)).collect();
    let mut times = Vec::with_capacity(calls);
    let mut size = 0;
    let warm = question.paths.len().min(calls);
    for (turn, path) in question.paths.iter().cycle().take(calls + warm).enumerate() {
        let started = Instant::now();
        let answer = http::call(portal, "GET", path, &headers, None)?;
        let time = started.elapsed().as_secs_f64() * 1_000.0;
        if answer.status != 200 {
            return Ok(format!("| {} | {} | {} {path} | | | | |", question.who, question.what, answer.status));
        }
        if turn >= warm {
            times.push(time);
            size = size.max(answer.body.len());
        }
    }
    Ok(row(question.who, question.what, &mut times, size))
}

fn row(who: &str, what: &str, times: &mut [f64], size: usize) -> String {
    times.sort_by(f64::total_cmp);
    let rank = |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    let most = times.last().copied().unwrap_or_default();
    format!("| {who} | {what} | {:.1} | {:.1} | {:.1} | {most:.1} | {} |", rank(50), rank(90), rank(99), size / 1_000)
}

/// A list right after a request changed: what changed is read first.
fn after_a_change(portal: u16, applicant: &Session, calls: usize) -> Result<String> {
    let headers = [format!("Cookie: {}", applicant.cookie)];
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let body = json!({ "definition": DEFINITION, "form": "libre" });
        rest(portal, applicant, "POST", "/api/v1/access-requests", Some(&body))?;
        let started = Instant::now();
        let answer = http::call(portal, "GET", "/api/v1/access-requests", &headers, None)?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
        if answer.status != 200 {
            return Err(format!("after a change: {} {}", answer.status, answer.start()).into());
        }
    }
    Ok(row("applicant", "list, right after a new request", &mut times, 0))
}

async fn plans(url: &str) -> Result<String> {
    let store = octroi_store::Store::open(url).await?;
    let started = Instant::now();
    store.catch_up().await?;
    let mut text = format!("Reading all lines into memory, at the start: {:.0} ms.\n", started.elapsed().as_secs_f64() * 1_000.0);
    for (name, plan) in store.list_plans().await? {
        let _ = write!(text, "\n{name}:\n\n    {}\n", plan.replace('\n', "\n    "));
    }
    store.close().await?;
    Ok(text)
}
