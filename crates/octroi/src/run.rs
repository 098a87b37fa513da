//! Starting everything, and stopping it without losing a call or a trace.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use octroi_app::{App, Settings, mails::Mailing, try_it::TryOut};
use octroi_domain::{account::SecondFactor, calendar::Zone, stage::Stage};
use octroi_gateway::{Handle, trace};
use octroi_store::Store;
use octroi_web::WebState;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    admin,
    cli::{CommandError, other},
    clock::now,
    config::{Config, Gateway},
    directory::Asker,
    feed,
    host::Host,
    mail, master_key,
    outgoing::{self, Outgoing},
    ports::Gateways,
    sign_on,
    traces::{self, Stored},
    try_it::Sandbox,
};

/// Sets the log up: lines on standard error, `RUST_LOG` says how much.
pub fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,octroi=info".into());
    // A second call (tests) keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).try_init();
}

/// Opens the database that the settings mean, and brings it to this version's schema.
///
/// # Errors
/// When it cannot be opened, another process serves it, or a newer version made it.
pub async fn open_store(config: &Config) -> Result<Store, CommandError> {
    let store = Store::open(&config.database_url()?).await?;
    store.migrate().await?;
    Ok(store)
}

#[must_use]
pub fn app_settings(config: &Config, demo: bool) -> Settings {
    Settings {
        public_url: config.portal.public_url.clone(),
        demo,
        trace_retention_days: config.traces.retention_days,
        // The settings were refused where it is no zone.
        time_zone: Zone::get(&config.gateway.time_zone).unwrap_or(Zone::UTC),
        mail: if demo { Mailing::Mailbox } else { Mailing::Off },
        // The accounts of the demo sign in with the password that its pages tell.
        second_factor: if demo { SecondFactor::Optional } else { config.accounts.second_factor },
    }
}

/// Everything that runs.
pub struct Running {
    pub portal_url: String,
    pub production_url: String,
    pub sandbox_url: String,
    pub admin: SocketAddr,
    drain: Duration,
    gateways: Arc<HashMap<Stage, Handle>>,
    writers: JoinSet<()>,
    background: JoinSet<()>,
    stopping: watch::Sender<bool>,
    app: App,
}

/// Binds every listener, then starts the portal, the gateways, the feed and the jobs.
///
/// # Errors
/// When a listener cannot be bound, a key does not open, or the first view does not build.
pub async fn start(config: &Config, store: Store, demo: bool) -> Result<(Running, App), CommandError> {
    let master_key = master_key::load(&config.data, &store).await?;
    let bound = |address: SocketAddr, setting: &'static str, option: &'static str| async move {
        TcpListener::bind(address).await.map_err(|error| not_bound(if demo { option } else { setting }, address, &error))
    };
    let portal = bound(config.portal.listen, "portal.listen", "--portal").await?;
    let admin_listener = bound(config.admin.listen, "admin.listen", "--admin").await?;
    let portal_url = actual_url(&config.portal.public_url, config.portal.listen, portal.local_addr()?);
    let admin_address = admin_listener.local_addr()?;
    let (stopping, stopped) = watch::channel(false);

    let mut sinks = Vec::new();
    let mut watched = Vec::new();
    let mut sources = Vec::new();
    let mut handles = HashMap::new();
    for (stage, gateway) in [(Stage::Production, &config.gateway.production), (Stage::Sandbox, &config.gateway.sandbox)] {
        let (sink, source) = trace::channel(config.traces.buffer, config.data.join(format!("traces-{stage}.spill")));
        let handle = start_gateway(config, stage, gateway, &portal_url, sink.clone())
            .map_err(|error| if demo { not_bound(&format!("--{stage}"), gateway.listen, &error) } else { error })?;
        let stored = Arc::new(Stored::default());
        watched.push((stage, sink.clone()));
        sinks.push((sink, stored.clone()));
        sources.push((source, stored));
        handles.insert(stage, handle);
    }
    let handles = Arc::new(handles);
    let (port, ends) = feed::channel();
    let mut settings = Settings { public_url: portal_url.clone(), ..app_settings(config, demo) };
    if !demo && let Some(mailer) = mail::Mailer::new(&config.mail, &portal_url)? {
        settings.mail = Mailing::Smtp(Arc::new(mailer));
    }
    let app = App::new(store, settings, Arc::new(port), master_key)?;
    let in_force = in_force(config, portal.local_addr()?, admin_address, &handles);
    app.settle_sign_on(config.sign_on.settings());
    let reach = config.sign_on.reach(demo || portal_url.starts_with("http://")).map_err(|error| other(error.to_string()))?;
    app.attach_outgoing(Arc::new(Outgoing::reaching(reach).map_err(|error| other(error.to_string()))?));
    if let Some(asker) = Asker::new(&config.directory)? {
        app.attach_directory(Arc::new(asker));
    }
    app.attach_host(Arc::new(Host::new(&in_force, handles.clone(), watched)));
    // Better no platform than one that cannot tell whose keys it holds.
    app.check_keys(now()).await.map_err(|error| other(format!("{}: {error}", config.data.join("master.key").display())))?;
    let (publisher, flushes) = ends.split();

    let mut writers = JoinSet::new();
    for (source, stored) in sources {
        writers.spawn(traces::write(app.clone(), source, stored, stopped.clone()));
    }
    let mut background = JoinSet::new();
    background.spawn(feed::publish_changes(app.clone(), handles.clone(), publisher));
    background.spawn(traces::answer_flushes(flushes, sinks));
    app.ensure_keys(now()).await?;
    // The first view, built before anybody is told that we are up.
    app.gateway().refresh(app.gateway_version().await?).await;

    let (production_url, sandbox_url) = (in_force.gateway.production.public_url, in_force.gateway.sandbox.public_url);
    let site = config.portal.look.site().map_err(|error| other(error.to_string()))?;
    let gateways = Arc::new(Gateways(handles.clone()));
    let proxies = sign_on::networks("portal.trusted_proxies", &config.portal.trusted_proxies).map_err(|error| other(error.to_string()))?;
    let state = WebState::new(app.clone(), gateways, Arc::new(now), production_url.clone(), sandbox_url.clone(), site).behind(proxies);
    background.spawn(serve(portal, octroi_web::router(state), stopped.clone()));
    background.spawn(serve(admin_listener, admin::router(app.clone(), handles.clone()), stopped.clone()));
    let lists = app.clone();
    background.spawn(async move {
        if let Err(error) = lists.prepare_lists().await {
            tracing::error!(%error, "the lists are not ready; whoever asks for one has them read again");
        }
    });
    background.spawn(jobs(app.clone(), handles.clone()));
    writers.spawn(mail::deliver(app.clone(), stopped.clone()));
    writers.spawn(outgoing::deliver_logouts(app.clone(), stopped.clone()));
    let drain = Duration::from_secs(u64::from(config.gateway.drain));
    let running = Running {
        portal_url,
        production_url,
        sandbox_url,
        admin: admin_address,
        drain,
        gateways: handles,
        writers,
        background,
        stopping,
        app: app.clone(),
    };
    Ok((running, app))
}

fn start_gateway(config: &Config, stage: Stage, gateway: &Gateway, issuer: &str, sink: trace::TraceSink) -> Result<Handle, CommandError> {
    // The public URL is in every token: a port that is to be chosen is chosen before.
    let mut listen = gateway.listen;
    if listen.port() == 0 {
        listen = std::net::TcpListener::bind(listen)?.local_addr()?;
    }
    let public_url = actual_url(&gateway.public_url, gateway.listen, listen);
    let mut settings = octroi_gateway::Settings::new(stage, listen, issuer, public_url);
    if gateway.threads > 0 {
        settings.threads = gateway.threads;
    }
    settings.wait_for_view = true;
    settings.token_lifetime_s = i64::from(config.gateway.token_lifetime);
    settings.max_masked_body = config.gateway.max_masked_bytes;
    settings.max_view_age = Duration::from_secs(u64::from(config.gateway.max_view_age));
    settings.time_zone.clone_from(&config.gateway.time_zone);
    for text in &config.gateway.trusted_proxies {
        settings.trusted_proxies.push(text.parse().map_err(|error| other(format!("setting `gateway.trusted_proxies`: {error}")))?);
    }
    octroi_gateway::start(settings, sink).map_err(|error| other(format!("gateway.{stage}.listen: {error}")))
}

/// The settings with the addresses that are listened on: port 0 stands for one that was free.
fn in_force(config: &Config, portal: SocketAddr, admin: SocketAddr, gateways: &HashMap<Stage, Handle>) -> Config {
    let mut found = config.clone();
    found.portal.public_url = actual_url(&config.portal.public_url, config.portal.listen, portal);
    (found.portal.listen, found.admin.listen) = (portal, admin);
    for (stage, gateway) in [(Stage::Production, &mut found.gateway.production), (Stage::Sandbox, &mut found.gateway.sandbox)] {
        if let Some(address) = gateways.get(&stage).map(Handle::local_addr) {
            gateway.public_url = actual_url(&gateway.public_url, gateway.listen, address);
            gateway.listen = address;
        }
    }
    found
}

/// A listener that could not be bound: `what` is the setting or the option to change.
pub fn not_bound(what: &str, address: SocketAddr, error: &impl std::fmt::Display) -> CommandError {
    other(format!("{what}: cannot listen on {address}: {error}; give another address, port 0 takes a free one"))
}

/// The public URL, with the port that was really taken where port 0 was asked for.
fn actual_url(public: &str, asked: SocketAddr, actual: SocketAddr) -> String {
    if asked.port() == 0 { format!("http://localhost:{}", actual.port()) } else { public.to_owned() }
}

/// Serves a router over HTTP/1.1 and HTTP/2 until told to stop; slow heads and idle connections are closed.
async fn serve(listener: TcpListener, router: axum::Router, mut stopped: watch::Receiver<bool>) {
    use hyper_util::{
        rt::{TokioExecutor, TokioIo, TokioTimer},
        server::{conn::auto, graceful::GracefulShutdown},
        service::TowerToHyperService,
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(10)).max_buf_size(65_536);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(32_768)
        .keep_alive_interval(Duration::from_secs(30));
    let open = GracefulShutdown::new();
    let room = Arc::new(tokio::sync::Semaphore::new(1_024));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: what is open goes on.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone().layer(axum::Extension(octroi_web::Peer(peer.ip()))));
        let (builder, watcher) = (builder.clone(), open.watcher());
        tokio::spawn(async move {
            // Who connects and says nothing does not keep a place.
            if matches!(tokio::time::timeout(Duration::from_secs(10), speaks(&stream)).await, Ok(true)) {
                let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
                // A connection that breaks is its client's business.
                let _ = watcher.watch(connection).await;
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(Duration::from_secs(5), open.shutdown()).await;
}

/// Has the client said enough to tell which version of HTTP it speaks?
async fn speaks(stream: &tokio::net::TcpStream) -> bool {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut seen = [0_u8; PREFACE.len()];
    loop {
        match stream.peek(&mut seen).await {
            Ok(0) | Err(_) => return false,
            Ok(count) if count >= PREFACE.len() || !PREFACE.starts_with(seen.get(..count).unwrap_or_default()) => return true,
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// What happens by itself.
async fn jobs(app: App, gateways: Arc<HashMap<Stage, Handle>>) {
    // Whoever reads the set of keys finds them all: clients do not read it again for each that they do not know.
    if let Err(error) = app.make_sign_on_keys(now()).await {
        tracing::error!(%error, "the keys of the sign-on could not be made; they are when first needed");
    }
    let mut tick: u64 = 0;
    let mut beat = tokio::time::interval(Duration::from_millis(250));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        job(&app, "counters", save_uses(&app, &gateways)).await;
        if tick.is_multiple_of(20) {
            job(&app, "expiry", app.expire_permits(now())).await;
        }
        if tick.is_multiple_of(240) {
            job(&app, "directory", app.refresh_directory(now())).await;
        }
        if tick.is_multiple_of(14_400) {
            job(&app, "retention", app.anonymise_old_traces(now())).await;
            job(&app, "purge", app.purge(now())).await;
        }
        tick = tick.wrapping_add(1);
    }
}

async fn save_uses(app: &App, gateways: &HashMap<Stage, Handle>) -> Result<(), octroi_app::Error> {
    for handle in gateways.values() {
        let (days, last) = (handle.day_uses(), handle.last_used());
        if !days.is_empty() || !last.is_empty() {
            app.take_uses(&days, &last).await?;
        }
    }
    Ok(())
}

/// Does a job, and notes for the operator how it went.
async fn job<T>(app: &App, name: &'static str, work: impl Future<Output = Result<T, octroi_app::Error>>) {
    let begun = Instant::now();
    let error = work.await.err().map(|error| {
        tracing::error!(%error, name, "a job failed; it is tried again");
        error.to_string()
    });
    app.job_ran(name, now(), begun.elapsed(), error);
}

impl Running {
    /// Lets visitors try APIs in the sandbox from their pages, with a key that everybody may know.
    pub fn open_sandbox(&self, app: &App, key: Option<String>) {
        if let Some(gateway) = self.gateways.get(&Stage::Sandbox) {
            let port = Arc::new(Sandbox::new(gateway.local_addr(), &self.sandbox_url));
            app.offer_try_out(TryOut { port, sandbox_url: self.sandbox_url.clone(), key });
        }
    }

    /// Runs until SIGTERM or Ctrl-C, then stops: no new connection, calls in flight finish, traces and counters are written.
    ///
    /// # Errors
    /// When the signals cannot be listened for.
    pub async fn until_stopped(self) -> Result<(), CommandError> {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => {}
            stopped = tokio::signal::ctrl_c() => stopped?,
        }
        self.stop().await;
        Ok(())
    }

    /// Stops in order: the gateways, then what their calls left behind, then the portal.
    pub async fn stop(self) {
        let Self { gateways, drain, mut writers, mut background, stopping, app, .. } = self;
        tracing::info!("stopping");
        for handle in gateways.values() {
            handle.shutdown(drain).await;
        }
        stopping.send_replace(true);
        job(&app, "counters", save_uses(&app, &gateways)).await;
        let written = tokio::time::timeout(Duration::from_secs(10), async { while writers.join_next().await.is_some() {} }).await;
        if written.is_err() {
            tracing::error!("traces were still waiting; they are in memory no more");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        background.shutdown().await;
    }
}
