//! Starting a gateway, feeding it, and asking it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use http::{HeaderValue, Uri};
use octroi_domain::{
    Id, Moment, api::ApiDocument, application::Subscription, credential::Credential, feed::GatewayState, quota::DayUse, stage::Stage,
};
use octroi_oauth::{error::OAuthError, jwk::JwkSet, jwt::AccessTokenClaims, token_request::ClientRequest};
use tokio::sync::{Notify, oneshot};

use crate::{
    call::moment,
    limits::{Calendar, Registry, monotonic_us},
    pool::{Pool, tls_config},
    published::{BuildError, Published},
    server::{self, Worker},
    settings::Settings,
    snapshot::{Snapshot, Uses},
    stats::Stats,
    token::{self, TokenAnswer},
    trace::TraceSink,
};

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {error}")]
    Bind { address: SocketAddr, error: io::Error },
    #[error("`{name}` is not a time zone: {error}")]
    TimeZone { name: String, error: octroi_domain::calendar::ZoneError },
    #[error("`{0}` is not the URL of a gateway: write for example `https://gateway.example.org`")]
    Url(String),
    #[error("the settings for TLS to upstreams cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    #[error("a thread cannot be started: {0}")]
    Thread(io::Error),
}

/// What all threads of one listener share.
pub(crate) struct Gateway {
    pub settings: Settings,
    pub snapshot: Arc<ArcSwapOption<Snapshot>>,
    pub calendar: Calendar,
    pub traces: TraceSink,
    pub forwarded_proto: HeaderValue,
    pub forwarded_host: HeaderValue,
    registry: Registry,
    uses: Uses,
    /// When the view was last known to be current ([`monotonic_us`]); 0: never.
    confirmed: AtomicU64,
    publishing: Mutex<()>,
    drains: AtomicBool,
    drain: Notify,
    drain_until: Mutex<Option<Instant>>,
}
impl Gateway {
    /// Was the view confirmed lately enough for restricted APIs?
    pub(crate) fn is_fresh(&self, now: u64) -> bool {
        let confirmed = self.confirmed.load(SeqCst);
        confirmed != 0 && Duration::from_micros(now.saturating_sub(confirmed)) <= self.settings.max_view_age
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drains.load(SeqCst)
    }

    /// Waits until the gateway drains.
    pub(crate) async fn draining(&self) {
        loop {
            let notified = self.drain.notified();
            if self.is_draining() {
                return;
            }
            notified.await;
        }
    }

    pub(crate) fn drain_deadline(&self) -> Instant {
        self.drain_until.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Instant::now)
    }

    fn begin_drain(&self, time: Duration) {
        *self.drain_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
        self.drains.store(true, SeqCst);
        self.drain.notify_waiters();
    }
}

/// A gateway that runs. It goes on when the handle is dropped; [`Handle::shutdown`] ends it.
pub struct Handle {
    gateway: Arc<Gateway>,
    workers: Vec<Arc<Worker>>,
    ended: Mutex<Vec<oneshot::Receiver<()>>>,
    address: SocketAddr,
}

/// Binds the listener and starts its threads. Until a state is published, every call is refused.
///
/// # Errors
/// When a setting cannot be used, the address is taken, or a thread cannot be started.
pub fn start(settings: Settings, traces: TraceSink) -> Result<Handle, StartError> {
    let url = || StartError::Url(settings.gateway_url.clone());
    let uri: Uri = settings.gateway_url.parse().map_err(|_| url())?;
    let forwarded_proto = HeaderValue::from_str(uri.scheme_str().ok_or_else(url)?).map_err(|_| url())?;
    let forwarded_host = HeaderValue::from_str(uri.authority().ok_or_else(url)?.as_str()).map_err(|_| url())?;
    let calendar = Calendar::new(&settings.time_zone).map_err(|error| StartError::TimeZone { name: settings.time_zone.clone(), error })?;
    let tls = tls_config(&settings.upstream_roots)?;
    let (listeners, address) = listeners(&settings)?;
    let gateway = Arc::new(Gateway {
        snapshot: Arc::new(ArcSwapOption::empty()),
        calendar,
        traces,
        forwarded_proto,
        forwarded_host,
        registry: Registry::default(),
        uses: Uses::default(),
        confirmed: AtomicU64::new(0),
        publishing: Mutex::new(()),
        drains: AtomicBool::new(false),
        drain: Notify::new(),
        drain_until: Mutex::new(None),
        settings,
    });
    let (mut workers, mut ended) = (Vec::new(), Vec::new());
    for (number, listener) in listeners.into_iter().enumerate() {
        let pool = Pool::new(gateway.settings.max_idle_upstream, Arc::clone(&tls));
        let worker = Arc::new(Worker::new(Arc::clone(&gateway), pool));
        let (end, has_ended) = oneshot::channel();
        workers.push(Arc::clone(&worker));
        ended.push(has_ended);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
        let name = format!("gate-{}-{number}", gateway.settings.stage);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            runtime.block_on(server::run(worker, listener));
            // What has not ended by now is cut.
            runtime.shutdown_timeout(Duration::from_millis(100));
            let _ = end.send(());
        });
        thread.map_err(StartError::Thread)?;
    }
    Ok(Handle { gateway, workers, ended: Mutex::new(ended), address })
}

/// Compiles a document as each stage would, without serving it: what `octroi check` asks.
///
/// # Errors
/// What keeps the document from being served.
pub fn check(document: &ApiDocument) -> Result<(), BuildError> {
    Stage::ALL.into_iter().try_for_each(|stage| Published::compile(document, 0, stage).map(drop))
}

/// One listener per thread, all on one port.
fn listeners(settings: &Settings) -> Result<(Vec<std::net::TcpListener>, SocketAddr), StartError> {
    let mut address = settings.listen;
    let mut listeners = Vec::new();
    for _ in 0..settings.threads.clamp(1, 1_024) {
        let bound = server::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (found, listener) = bound.map_err(|error| StartError::Bind { address, error })?;
        address = found;
        listeners.push(listener);
    }
    Ok((listeners, address))
}

impl Handle {
    /// The address that it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Compiles a state and swaps it in, whole, for the very next call. An older version than the
    /// one that is in force is left aside.
    ///
    /// # Errors
    /// When the state does not compile; the last good one stays in force.
    pub fn publish(&self, state: &GatewayState) -> Result<(), BuildError> {
        let gateway = &self.gateway;
        let _one_at_a_time = gateway.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = gateway.snapshot.load_full();
        if previous.as_ref().is_some_and(|previous| previous.version() > state.version) {
            return Ok(());
        }
        let snapshot = Snapshot::build(state, &gateway.settings, previous.as_deref(), &gateway.registry, &gateway.uses)?;
        gateway.snapshot.store(Some(Arc::new(snapshot)));
        self.confirm();
        Ok(())
    }

    /// The view is still current: nothing has changed in the control plane since it was published.
    pub fn confirm(&self) {
        self.gateway.confirmed.store(monotonic_us(Instant::now()), SeqCst);
    }

    /// The version of the state in force.
    #[must_use]
    pub fn version(&self) -> Option<i64> {
        self.gateway.snapshot.load().as_ref().map(|snapshot| snapshot.version())
    }

    /// What each subscription has used of its latest day.
    #[must_use]
    pub fn day_uses(&self) -> Vec<(Id<Subscription>, DayUse)> {
        self.gateway.registry.day_uses()
    }

    /// The credentials used since this was last asked, and when.
    #[must_use]
    pub fn last_used(&self) -> Vec<(Id<Credential>, Moment)> {
        self.gateway.uses.take()
    }

    /// Has it a view, and was that confirmed lately enough?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.gateway.snapshot.load().is_some() && self.gateway.is_fresh(monotonic_us(Instant::now())) && !self.gateway.is_draining()
    }

    /// How long ago the view was last known to be current; none before the first.
    #[must_use]
    pub fn view_age(&self) -> Option<Duration> {
        let confirmed = self.gateway.confirmed.load(SeqCst);
        (confirmed != 0).then(|| Duration::from_micros(monotonic_us(Instant::now()).saturating_sub(confirmed)))
    }

    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for worker in &self.workers {
            worker.stats.add_to(&mut stats);
        }
        stats
    }

    /// Answers a token request of this stage, as its own listener would.
    #[must_use]
    pub fn token(&self, authorization: Option<&str>, body: &[u8], content_type: Option<&str>) -> TokenAnswer {
        match self.gateway.snapshot.load_full() {
            Some(snapshot) => token::respond(&snapshot, moment(), authorization, content_type, body),
            None => TokenAnswer::refusal(&OAuthError::TemporarilyUnavailable),
        }
    }

    /// Is this the active client of this stage that it says?
    #[must_use]
    pub fn authenticates(&self, request: &ClientRequest) -> bool {
        self.gateway.snapshot.load_full().is_some_and(|snapshot| token::authenticate(&snapshot, request).is_some())
    }

    /// The public keys that this stage's tokens and assertions are verified with.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.gateway.snapshot.load_full().and_then(|snapshot| serde_json::from_slice(&snapshot.jwks).ok()).unwrap_or_default()
    }

    /// The claims of an access token of this stage that is active now.
    #[must_use]
    pub fn introspect(&self, token: &str) -> Option<AccessTokenClaims> {
        let snapshot = self.gateway.snapshot.load_full()?;
        token::introspect(&snapshot, moment(), token)
    }

    /// Stops listening, lets the calls in progress end for at most `drain`, and ends the threads.
    pub async fn shutdown(&self, drain: Duration) {
        self.gateway.begin_drain(drain);
        let waiting = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        for ended in waiting {
            let _ = ended.await;
        }
    }
}
