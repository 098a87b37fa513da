//! The threads of one listener, and the connections that they serve.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use arc_swap::{ArcSwapOption, Cache};
use http::{HeaderValue, Request};
use hyper::{
    server::conn::{http1, http2},
    service::Service,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use octroi_domain::Moment;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::{
    answer::{Outcoming, raw_problem},
    call::Call,
    gate,
    guard::{Guarded, MAX_HEAD, Patience, Refuse, Watch},
    handle::Gateway,
    identify::Remembered,
    pool::Pool,
    snapshot::Snapshot,
    stats::Counters,
};

/// How long a connection that has said nothing yet is still listened to once the gateway drains.
const LAST_WORD: Duration = Duration::from_millis(250);
/// Connections that wait to be accepted.
const BACKLOG: i32 = 4_096;

/// The snapshot in force, looked up without touching what other threads share until it changes.
type View = Cache<Arc<ArcSwapOption<Snapshot>>, Option<Arc<Snapshot>>>;

/// What one thread owns.
pub(crate) struct Worker {
    pub gateway: Arc<Gateway>,
    pub pool: Pool,
    pub remembered: Mutex<Remembered>,
    pub stats: Counters,
    view: Mutex<View>,
    ids: AtomicU64,
    open: AtomicUsize,
}
impl Worker {
    pub(crate) fn new(gateway: Arc<Gateway>, pool: Pool) -> Self {
        Self {
            view: Mutex::new(Cache::new(Arc::clone(&gateway.snapshot))),
            gateway,
            pool,
            remembered: Mutex::default(),
            stats: Counters::default(),
            ids: AtomicU64::new(uuid::Uuid::new_v4().as_u64_pair().1),
            open: AtomicUsize::new(0),
        }
    }

    /// The view of this instant.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).load().clone()
    }

    /// A new request id: a UUID of version 7, whose random part is a counter that was scrambled
    /// (`SplitMix64`): distinct, in order of time, and not a secret.
    pub(crate) fn next_id(&self, now: Moment) -> HeaderValue {
        let scramble = |mut x: u64| {
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        };
        let count = self.ids.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        let mut random = [0_u8; 10];
        let (low, high) = (scramble(count).to_le_bytes(), scramble(!count).to_le_bytes());
        random.iter_mut().zip(low.into_iter().chain(high)).for_each(|(to, from)| *to = from);
        let millis = u64::try_from(now.micros() / 1_000).unwrap_or(0);
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        HeaderValue::from_str(id.hyphenated().encode_lower(&mut [0; 36])).unwrap_or(HeaderValue::from_static("-"))
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.open.load(Relaxed) == 0
    }
}

/// One client connection.
pub(crate) struct Connection {
    pub worker: Arc<Worker>,
    pub peer: IpAddr,
    /// The peer's address, as the upstream is told it.
    pub peer_text: HeaderValue,
    pub watch: Arc<Watch>,
}
impl Drop for Connection {
    fn drop(&mut self) {
        self.worker.open.fetch_sub(1, Relaxed);
        self.worker.stats.connections_closed.fetch_add(1, Relaxed);
    }
}

/// A listening socket that shares its port with those of the other threads.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts connections until the gateway drains, then sees those that are open to their end.
pub(crate) async fn run(worker: Arc<Worker>, listener: std::net::TcpListener) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener cannot be used"),
    };
    let sweeper = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move {
            loop {
                tokio::time::sleep(Duration::from_secs(10)).await;
                worker.pool.sweep();
            }
        }
    });
    // Callers wait in the listener's queue for the first view, rather than being refused for want of one.
    while worker.gateway.settings.wait_for_view && worker.gateway.snapshot.load().is_none() && !worker.gateway.is_draining() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    loop {
        tokio::select! {
            accepted = listener.accept() => take(&worker, accepted).await,
            () = worker.gateway.draining() => break,
        }
    }
    // Whoever has connected already is served.
    while let Ok(accepted) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
        take(&worker, accepted).await;
    }
    drop(listener);
    let deadline = worker.gateway.drain_deadline();
    while !worker.is_idle() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sweeper.abort();
}

async fn take(worker: &Arc<Worker>, accepted: io::Result<(TcpStream, SocketAddr)>) {
    let (stream, peer) = match accepted {
        Ok(accepted) => accepted,
        Err(error) => {
            // Out of file descriptors, mostly: wait for some to be closed.
            tracing::warn!(%error, "a connection cannot be accepted");
            return tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if worker.open.load(Relaxed) >= worker.gateway.settings.max_connections {
        return;
    }
    worker.open.fetch_add(1, Relaxed);
    worker.stats.connections_opened.fetch_add(1, Relaxed);
    let peer = peer.ip().to_canonical();
    let connection = Connection {
        worker: Arc::clone(worker),
        peer,
        peer_text: HeaderValue::try_from(peer.to_string()).unwrap_or(HeaderValue::from_static("unknown")),
        watch: Arc::default(),
    };
    tokio::spawn(converse(Arc::new(connection), stream));
}

/// Does the client begin with the preface of HTTP/2 (RFC 9113 section 3.4)?
async fn begins_http2(stream: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut seen = [0_u8; 24];
    loop {
        let count = stream.peek(&mut seen).await?;
        let begun = seen.get(..count).unwrap_or_default();
        if count == 0 || !PREFACE.starts_with(begun) {
            return Ok(false);
        }
        if count == PREFACE.len() {
            return Ok(true);
        }
        // The preface in pieces: rare, and bounded by the caller's timeout.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn converse(connection: Arc<Connection>, stream: TcpStream) {
    let gateway = Arc::clone(&connection.worker.gateway);
    let _ = stream.set_nodelay(true);
    let last_word = async {
        gateway.draining().await;
        tokio::time::sleep(LAST_WORD).await;
    };
    let http2 = tokio::select! {
        found = tokio::time::timeout(gateway.settings.header_timeout, begins_http2(&stream)) => match found {
            Ok(Ok(http2)) => http2,
            _ => return,
        },
        () = last_word => return,
    };
    let watch = Arc::clone(&connection.watch);
    let refuse: Refuse = {
        let connection = Arc::clone(&connection);
        Box::new(move |reason| raw_problem(&mut Call::begin(&connection, &Request::new(()).into_parts().0), reason))
    };
    let service = Gate(connection);
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .max_header_list_size(MAX_HEAD as u32)
            .max_pending_accept_reset_streams(20)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let io = TokioIo::new(Guarded::http2(stream, Arc::clone(&watch), refuse));
        Conversation::new(builder.serve_connection(io, service), gateway, watch).await;
    } else {
        let mut builder = http1::Builder::new();
        builder.max_header_size(MAX_HEAD).max_buf_size(2 * MAX_HEAD);
        let io = TokioIo::new(Guarded::http1(stream, Arc::clone(&watch), refuse));
        Conversation::new(builder.serve_connection(io, service), gateway, watch).await;
    }
}

/// The service of one connection.
struct Gate(Arc<Connection>);
impl Service<Request<hyper::body::Incoming>> for Gate {
    type Response = http::Response<Outcoming>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, request: Request<hyper::body::Incoming>) -> Self::Future {
        Box::pin(gate::serve(Arc::clone(&self.0), request))
    }
}

/// A connection of either protocol.
trait Graceful: Future<Output = hyper::Result<()>> {
    /// No request after those that have begun.
    fn finish(self: Pin<&mut Self>);
}
type Io = TokioIo<Guarded<TcpStream>>;
impl Graceful for http1::Connection<Io, Gate> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
impl Graceful for http2::Connection<Io, Gate, TokioExecutor> {
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Drives a connection, with one timer that fires seldom, and ends it when its peer is too slow or
/// the gateway drains.
struct Conversation<C> {
    connection: Pin<Box<C>>,
    gateway: Arc<Gateway>,
    watch: Arc<Watch>,
    patience: Patience,
    timer: Pin<Box<tokio::time::Sleep>>,
    armed: bool,
    drained: Pin<Box<dyn Future<Output = ()> + Send>>,
    draining: Option<Instant>,
    finishing: bool,
}
impl<C: Graceful> Conversation<C> {
    fn new(connection: C, gateway: Arc<Gateway>, watch: Arc<Watch>) -> Self {
        let (header, idle) = (gateway.settings.header_timeout, gateway.settings.idle_timeout);
        let drained = Arc::clone(&gateway);
        Self {
            connection: Box::pin(connection),
            watch,
            patience: Patience::new(header, idle, Instant::now()),
            timer: Box::pin(tokio::time::sleep(header.min(idle))),
            armed: false,
            drained: Box::pin(async move { drained.draining().await }),
            draining: None,
            finishing: false,
            gateway,
        }
    }

    /// Ends the connection once it owes nothing: at once between requests, but a head that has begun,
    /// or the first one of a connection that was just made, is waited for a moment.
    fn drain(&mut self) {
        let since = *self.draining.get_or_insert_with(Instant::now);
        if self.finishing {
            return;
        }
        let has_spoken = self.watch.bytes_in.load(Relaxed) > 0 && !self.watch.is_partial();
        if has_spoken || since.elapsed() >= LAST_WORD {
            self.finishing = true;
            self.connection.as_mut().finish();
        } else {
            self.timer.as_mut().reset(tokio::time::Instant::now() + LAST_WORD);
            self.armed = false;
        }
    }
}
impl<C: Graceful> Future for Conversation<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        // The task's waker never changes: what was polled once wakes it, and costs nothing until then.
        if this.gateway.is_draining() && !this.finishing {
            this.drain();
            if this.finishing && this.connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        if !this.armed && this.draining.is_none() && this.drained.as_mut().poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        while !this.armed || this.timer.is_elapsed() {
            this.armed = true;
            if this.timer.as_mut().poll(cx).is_pending() {
                break;
            }
            match this.patience.look(&this.watch, Instant::now()) {
                None => return Poll::Ready(()),
                Some(next) => this.timer.as_mut().reset(tokio::time::Instant::now() + next),
            }
            this.armed = false;
            if this.draining.is_some() && !this.finishing {
                cx.waker().wake_by_ref();
                break;
            }
        }
        Poll::Pending
    }
}
