//! Tasks of the house, run by `cargo xtask`. Nothing of the product depends on them.

mod bench;
mod lists;
mod screenshots;
mod seed;
mod tidy;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// A task ends well, or with a sentence for the terminal.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const HELP: &str = "\
cargo xtask help             this page
cargo xtask tidy             check that what README.md, ARCHITECTURE.md and CONTRIBUTING.md name exists
cargo xtask screenshots      a picture of every page in target/screenshots, and sheets of all: index.html, sheet-N.png
cargo xtask seed [OPTIONS]   fill a database that holds a catalogue with made-up requests and permits
    --requests N     how many (default 200000)
    --data FOLDER    the folder of an embedded database, of a demo for example, that nothing serves now
    --database URL   or a database by its address
cargo xtask lists [OPTIONS]  seed a new database, serve it, and measure lists, counts and searches through HTTP
    --requests N     how many requests (default 200000)
    --database URL   an empty PostgreSQL database; without it, an embedded one under target/lists
    --calls N        calls of each kind (default 300)
    --binary FILE    the program to measure (default target/release/octroi)
    --keep           leave target/lists behind
cargo xtask bench [OPTIONS]  measure the gateway beside its peers, and write docs/performance.md
    --rounds N     rounds, interleaved (default 6)
    --quick        two rounds of one second: a smoke test, not a measurement
    --only NAME    only the targets, and the figures of the whole program, whose name holds NAME; may be repeated
    --binary FILE  the program to measure (default target/release/octroi)
    --keep         leave target/bench/run behind: configurations, logs, Octroi's database
    --install      install what is missing: nginx, HAProxy and wrk by apt-get (as root), Envoy by pip into target/bench/venv
cargo xtask bench identity [OPTIONS]  measure the sign-on beside npm's oidc-provider; the same options, `--install` by npm
  docs/performance.md is written by whole runs alone: six rounds or more, without --quick and --only.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        ["tidy"] => tidy::run(&root()),
        ["screenshots"] => screenshots::run(&root()),
        ["seed", options @ ..] => seed::run(options),
        ["lists", options @ ..] => lists::run(&root(), options),
        ["bench", "identity", options @ ..] => bench::identity::run(&root(), options),
        ["bench", options @ ..] => bench::run(&root(), options),
        // What `bench` starts as its upstream.
        ["upstream", port] => bench::upstream::serve(port),
        other => Err(format!("`{}` is not a task; see `cargo xtask help`", other.join(" ")).into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
