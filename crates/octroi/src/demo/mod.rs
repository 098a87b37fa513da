//! `octroi demo`: everything, with example data, and nothing to set up.

mod file;
mod people;
mod seed;
mod stories;
mod tell;
mod traces;
mod upstream;
mod visitors;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use octroi_app::catalogue_files;
use octroi_domain::{api::ApiDocument, catalogue::Catalogue};
use rust_embed::RustEmbed;
use tokio::net::TcpListener;

use crate::{
    cli::{CommandError, other},
    clock::now,
    config::Config,
    run,
};

/// The catalogue that ships with the program.
#[derive(RustEmbed)]
#[folder = "../../catalogue"]
struct Shipped;

/// Where the catalogue's production upstreams stand, as it is written in its files.
const WRITTEN_UPSTREAM: &str = "http://127.0.0.1:8090";

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder of the embedded database and of demo.json
    #[arg(long, default_value = "octroi-data", value_name = "DIR")]
    data: PathBuf,
    /// Forget the data of an earlier demo
    #[arg(long)]
    fresh: bool,
    /// A catalogue to publish instead of the one that ships with the program
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
    /// Address of the portal; port 0 takes a free one, here and below
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    portal: SocketAddr,
    /// Address of the production gateway
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    production: SocketAddr,
    /// Address of the sandbox gateway
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    sandbox: SocketAddr,
    /// Address of health and metrics
    #[arg(long, default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    admin: SocketAddr,
    /// Address of the example upstream
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    upstream: SocketAddr,
    /// Stop when standard input ends, so that a demo does not outlive who started it
    #[arg(long, hide = true)]
    until_eof: bool,
}

impl Options {
    fn config(&self) -> Config {
        let mut config = Config { data: self.data.clone(), ..Config::default() };
        config.database.url = std::env::var("OCTROI_DATABASE_URL").ok();
        config.portal.listen = self.portal;
        config.portal.public_url = format!("http://localhost:{}", self.portal.port());
        config.portal.look.contact = "operator@octroi.example".to_owned();
        config.gateway.production.listen = self.production;
        config.gateway.production.public_url = format!("http://localhost:{}", self.production.port());
        config.gateway.sandbox.listen = self.sandbox;
        config.gateway.sandbox.public_url = format!("http://localhost:{}", self.sandbox.port());
        config.admin.listen = self.admin;
        config
    }
}

/// Runs until it is stopped.
///
/// # Errors
/// When a port is taken, or the data folder belongs to something else.
pub async fn run(options: Options) -> Result<(), CommandError> {
    run::log();
    let config = options.config();
    if options.fresh {
        forget(&options.data)?;
    }
    fs::create_dir_all(&options.data)?;
    let listener = TcpListener::bind(options.upstream).await.map_err(|error| run::not_bound("--upstream", options.upstream, &error))?;
    let upstream_url = format!("http://{}", listener.local_addr()?);
    let catalogue = read(options.catalogue.as_deref(), &options.data, &upstream_url)?;
    let store = run::open_store(&config).await?;
    let empty = store.read().ledger_head().await?.0 == 0;
    let path = options.data.join("demo.json");
    if !empty && !path.exists() {
        return Err(other(format!("{} holds data, but no demo.json: choose another folder with --data", options.data.display())));
    }
    let documents: Vec<Arc<ApiDocument>> = catalogue.apis.iter().cloned().map(Arc::new).collect();
    tokio::spawn(async move {
        if let Err(error) = upstream::serve(listener, documents).await {
            tracing::error!(%error, "the example upstream has ended");
        }
    });
    let (running, app) = run::start(&config, store, true).await?;
    app.apply_catalogue(&catalogue, false, false, now()).await?;
    let mut told = if empty {
        println!("first start: writing the example data…");
        seed::seed(&app, now()).await?
    } else {
        file::read(&path).map_err(other)?
    };
    running.open_sandbox(&app, told.test_key.clone());
    told.portal.clone_from(&running.portal_url);
    told.gateway_production.clone_from(&running.production_url);
    told.gateway_sandbox.clone_from(&running.sandbox_url);
    told.upstream = upstream_url;
    told.admin = format!("http://{}", running.admin);
    file::write(&path, &told).map_err(other)?;
    tell::tell(&told, &path);
    if options.until_eof {
        let ended = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        tokio::select! {
            _ = ended => std::process::exit(0),
            stopped = running.until_stopped() => return stopped,
        }
    }
    running.until_stopped().await
}

/// Removes what an earlier demo left, and nothing else: a folder without demo.json is somebody's data.
fn forget(folder: &Path) -> Result<(), CommandError> {
    if !folder.join("demo.json").exists() {
        if folder.join("octroi.db").exists() {
            return Err(other(format!("{} is not a demo's: --fresh leaves it alone; choose another folder with --data", folder.display())));
        }
        return Ok(());
    }
    if fs::File::open(folder.join("octroi.db.lock")).is_ok_and(|lock| lock.try_lock().is_err()) {
        return Err(other(format!("{} is in use by another octroi process: stop it first", folder.display())));
    }
    for name in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let file = name.file_name();
        let file = file.to_string_lossy();
        let ours = file.starts_with("octroi.db") || file.starts_with("traces-") || matches!(&*file, "demo.json" | "master.key");
        if ours {
            fs::remove_file(name.path())?;
        } else if file == "catalogue" {
            fs::remove_dir_all(name.path())?;
        }
    }
    Ok(())
}

/// Reads the catalogue that was named, or the one that ships, and points production at the example upstream.
fn read(named: Option<&Path>, data: &Path, upstream: &str) -> Result<Catalogue, CommandError> {
    let folder = match named {
        Some(folder) => folder.to_owned(),
        None => unpack(&data.join("catalogue"))?,
    };
    let mut catalogue = catalogue_files::read(&folder, now()).map_err(|faults| {
        faults.iter().for_each(|fault| eprintln!("{fault}"));
        other(format!("{}: {} fault(s)", folder.display(), faults.len()))
    })?;
    for document in &mut catalogue.apis {
        if let Some(backend) = &mut document.api.backends.production
            && let Some(rest) = backend.upstream.as_ref().and_then(|url| url.strip_prefix(WRITTEN_UPSTREAM))
        {
            backend.upstream = Some(format!("{upstream}{rest}"));
        }
    }
    Ok(catalogue)
}

/// Writes the shipped files where they can be read, and changed to try things out.
fn unpack(folder: &Path) -> Result<PathBuf, CommandError> {
    if folder.exists() {
        return Ok(folder.to_owned());
    }
    for name in Shipped::iter() {
        let path = folder.join(&*name);
        if let (Some(parent), Some(file)) = (path.parent(), Shipped::get(&name)) {
            fs::create_dir_all(parent)?;
            fs::write(&path, file.data)?;
        }
    }
    Ok(folder.to_owned())
}
