//! The commands.

use std::{
    io::{IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use octroi_app::{
    App,
    catalogue::Change,
    catalogue_files::{self, Fault},
};
use octroi_domain::{catalogue::Catalogue, stage::Stage};
use octroi_store::{Store, Verdict};

use crate::{
    clock::now,
    config::{Config, ConfigError},
    demo, feed,
    master_key::{self, KeyFileError},
    run,
};

/// Decides who may use restricted data, and enforces it on every call.
#[derive(Debug, Parser)]
#[command(name = "octroi", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything with example data: portal, two gateways, an upstream, an embedded database
    Demo(demo::Options),
    /// Run the platform
    Serve(ConfigOption),
    /// Bring the database to this version's schema
    Migrate(ConfigOption),
    /// Lint a catalogue: every fault with its file, line and mend
    Check {
        /// The catalogue folder
        dir: PathBuf,
    },
    /// Bring a catalogue into the database as new immutable versions
    Apply {
        /// The catalogue folder
        dir: PathBuf,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Withdraw what is in the database and not in the folder
        #[arg(long)]
        prune: bool,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Write the catalogue in force back as files
    Export {
        /// An empty or new folder
        dir: PathBuf,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// The ledger
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// What only the operator of the machine may do
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Check every entry, the chain, and that permits and requests agree with it; names the first bad row
    Verify(ConfigOption),
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Create an operator's account; the password is read from the terminal or from standard input
    CreateOperator {
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "Operator")]
        given_name: String,
        #[arg(long, default_value = "Octroi")]
        family_name: String,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Replace the signing keys of a stage; tokens in date stay good
    RotateKeys {
        /// `sandbox` or `production`
        #[arg(long)]
        stage: Stage,
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Replace the signing keys of the sign-on; what the old ones signed stays good for a day
    RotateSignOnKeys(ConfigOption),
}

/// Where the settings are.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigOption {
    /// The settings; without it, the defaults (and `octroi.toml` where it is there)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}
impl ConfigOption {
    fn read(&self) -> Result<Config, ConfigError> {
        let usual = Path::new("octroi.toml");
        match &self.config {
            Some(path) => Config::read(path),
            None if usual.exists() => Config::read(usual),
            None => {
                let mut config = Config::default();
                config.database.url = std::env::var("OCTROI_DATABASE_URL").ok();
                config.check().map(|()| config)
            }
        }
    }
}

/// Why a command failed: one sentence for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error(transparent)]
    Store(#[from] octroi_store::StoreError),
    #[error(transparent)]
    App(#[from] octroi_app::Error),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Other(String),
}

pub(crate) fn other(error: impl std::fmt::Display) -> CommandError {
    CommandError::Other(error.to_string())
}

/// Does what was asked.
///
/// # Errors
/// Why it could not.
pub fn execute(cli: Cli) -> Result<ExitCode, CommandError> {
    // On one core a second worker would only take turns with the first.
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(4));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(workers).thread_name("portal").build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Demo(options) => demo::run(options).await.map(|()| ExitCode::SUCCESS),
            Command::Serve(option) => serve(&option.read()?).await.map(|()| ExitCode::SUCCESS),
            Command::Migrate(option) => migrate(&option.read()?).await,
            Command::Check { dir } => check(&dir),
            Command::Apply { dir, dry_run, prune, config } => apply(&dir, dry_run, prune, &config.read()?).await,
            Command::Export { dir, config } => export(&dir, &config.read()?).await,
            Command::Ledger { command: LedgerCommand::Verify(option) } => verify(&option.read()?).await,
            Command::Admin { command } => admin(command).await,
        }
    })
}

async fn serve(config: &Config) -> Result<(), CommandError> {
    run::log();
    let store = run::open_store(config).await?;
    let (running, app) = run::start(config, store, false).await?;
    running.open_sandbox(&app, config.portal.sandbox_test_key.clone());
    println!("portal      {}", running.portal_url);
    println!("production  {}", running.production_url);
    println!("sandbox     {}", running.sandbox_url);
    println!("admin       http://{}", running.admin);
    running.until_stopped().await
}

async fn migrate(config: &Config) -> Result<ExitCode, CommandError> {
    let store = Store::open_shared(&config.database_url()?).await?;
    let applied = store.migrate().await?;
    if applied.is_empty() {
        println!("nothing to do: the schema is up to date");
    }
    applied.iter().for_each(|name| println!("applied {name}"));
    Ok(ExitCode::SUCCESS)
}

/// Reads a catalogue, and compiles each API as the gateway would.
fn read_catalogue(dir: &Path) -> Result<Catalogue, Vec<Fault>> {
    let catalogue = catalogue_files::read(dir, now())?;
    let mut faults = Vec::new();
    for document in &catalogue.apis {
        let shadowed = octroi_gateway::mock::Mocks::build(document).map(|mocks| mocks.shadowed().to_vec()).unwrap_or_default();
        for case in shadowed {
            faults.push(Fault {
                file: PathBuf::from(&case.source),
                line: None,
                column: None,
                message: format!("has the same parameters as {}, which is answered in its place", case.by),
                mend: "change the parameters of one, or remove it".to_owned(),
            });
        }
        if let Err(error) = octroi_gateway::check(document) {
            faults.push(Fault {
                file: dir.join(document.api.full_name().to_string()),
                line: None,
                column: None,
                message: error.to_string(),
                mend: "mend the OpenAPI document or the contract that it names".to_owned(),
            });
        }
    }
    if faults.is_empty() { Ok(catalogue) } else { Err(faults) }
}

fn report(faults: &[Fault]) -> ExitCode {
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    eprintln!("{} fault(s)", faults.len());
    ExitCode::FAILURE
}

fn check(dir: &Path) -> Result<ExitCode, CommandError> {
    match read_catalogue(dir) {
        Ok(catalogue) => {
            let (providers, apis, definitions) = (catalogue.providers.len(), catalogue.apis.len(), catalogue.definitions.len());
            println!("{}: {providers} provider(s), {apis} API(s), {definitions} definition(s), no fault", dir.display());
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => Ok(report(&faults)),
    }
}

/// The application for a command: no gateway runs in this process; a running server sees the change by itself.
async fn command_app(config: &Config) -> Result<App, CommandError> {
    let store = Store::open_shared(&config.database_url()?).await?;
    store.migrate().await?;
    let master_key = master_key::load(&config.data, &store).await?;
    let settings = run::app_settings(config, false);
    let app = App::new(store, settings, Arc::new(feed::NoGateway), master_key)?;
    app.check_keys(now()).await.map_err(|error| other(format!("{}: {error}", config.data.join("master.key").display())))?;
    Ok(app)
}

async fn apply(dir: &Path, dry_run: bool, prune: bool, config: &Config) -> Result<ExitCode, CommandError> {
    let catalogue = match read_catalogue(dir) {
        Ok(catalogue) => catalogue,
        Err(faults) => return Ok(report(&faults)),
    };
    let app = command_app(config).await?;
    let changes = app.apply_catalogue(&catalogue, prune, dry_run, now()).await.map_err(|error| match error {
        octroi_app::Error::Conflict { text, .. } => CommandError::Other(text.en),
        other => other.into(),
    })?;
    show(&changes);
    if dry_run {
        println!("dry run: nothing was changed");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn show(changes: &[Change]) {
    for change in changes {
        let version = change.version.map(|version| format!(" (version {version})")).unwrap_or_default();
        let differs = if change.differs.is_empty() { String::new() } else { format!(": {}", change.differs.join(", ")) };
        println!("{:<10} {:<10} {}{version}{differs}", change.what, change.kind, change.name);
    }
    let moved = changes.iter().filter(|change| change.what != "unchanged").count();
    println!("{moved} change(s), {} unchanged", changes.len() - moved);
}

async fn export(dir: &Path, config: &Config) -> Result<ExitCode, CommandError> {
    let catalogue = command_app(config).await?.export_catalogue().await?;
    catalogue_files::write(dir, &catalogue).map_err(other)?;
    println!("{}: {} API(s), {} definition(s)", dir.display(), catalogue.apis.len(), catalogue.definitions.len());
    Ok(ExitCode::SUCCESS)
}

async fn verify(config: &Config) -> Result<ExitCode, CommandError> {
    let store = Store::open_shared(&config.database_url()?).await?;
    store.check_schema().await?;
    let shows = std::io::stderr().is_terminal();
    let verdict = store
        .verify_ledger(|entries| {
            if shows && entries % 10_000 == 0 {
                eprint!("\r{entries} entries…");
            }
        })
        .await?;
    match verdict {
        Verdict::Sound(verified) => {
            println!("the ledger is sound: {} entries, head {}", verified.entries, verified.head);
            Ok(ExitCode::SUCCESS)
        }
        Verdict::Broken(fault) => {
            eprintln!("the ledger is broken at entry {}: {}", fault.seq, fault.what);
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn admin(command: AdminCommand) -> Result<ExitCode, CommandError> {
    match command {
        AdminCommand::CreateOperator { email, given_name, family_name, config } => {
            let app = command_app(&config.read()?).await?;
            let password = read_password()?;
            let user = app.create_operator(&email, &given_name, &family_name, &password, now()).await.map_err(|error| match error {
                octroi_app::Error::Invalid(errors) => CommandError::Other(
                    errors.iter().map(|error| format!("{}: {}", error.pointer, error.message.en)).collect::<Vec<_>>().join("; "),
                ),
                octroi_app::Error::Conflict { text, .. } => CommandError::Other(text.en),
                other => other.into(),
            })?;
            println!("operator {} created", user.email);
        }
        AdminCommand::RotateKeys { stage, config } => {
            command_app(&config.read()?).await?.rotate_keys(stage, now()).await?;
            println!("new signing keys for {stage}; tokens in date stay good");
        }
        AdminCommand::RotateSignOnKeys(config) => {
            command_app(&config.read()?).await?.rotate_sign_on_keys(now()).await?;
            println!("new signing keys for the sign-on; what the old ones signed stays good for a day");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line of standard input: never an argument, which other users of the machine could read.
fn read_password() -> Result<String, CommandError> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        print!("password (12 characters or more; it will be shown): ");
        std::io::stdout().flush()?;
        let mut line = String::new();
        input.read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let mut text = String::new();
    input.by_ref().take(4_096).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
