//! Connections to upstreams, owned by one thread.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{forward::Outgoing, published::Upstream};

/// An idle connection older than this is not used again.
const MAX_IDLE: Duration = Duration::from_secs(30);
/// A connection is replaced after this, so that a changed DNS name is noticed.
const MAX_AGE: Duration = Duration::from_secs(600);
/// How many of the connections used last are looked at for one that is ready.
const READY_AMONG: usize = 16;
/// How long a connection that was given back may need to be ready again.
const SETTLE: Duration = Duration::from_millis(20);

/// Why no connection was made. What the network said stays in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("connecting took too long")]
    Timeout,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("`{0}` is not a name that a certificate can have")]
    Name(String),
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

/// A connection that one call uses.
pub(crate) struct Lease {
    pub sender: SendRequest<Outgoing>,
    born: Instant,
    /// How long it had been idle; none: it is new.
    pub idle: Option<Duration>,
    key: Arc<str>,
}

struct Idle {
    lease: Lease,
    since: Instant,
}

/// The idle connections of one thread.
pub(crate) struct Pool {
    idle: Mutex<HashMap<Arc<str>, Vec<Idle>>>,
    most_idle: usize,
    tls: TlsConnector,
}

/// The TLS settings of connections to upstreams: public roots, and those of the settings.
///
/// # Errors
/// When a root is no certificate, or the provider lacks the protocol versions.
pub(crate) fn tls_config(roots: &[Vec<u8>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in roots {
        store.add(root.as_slice().into())?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl Pool {
    pub(crate) fn new(most_idle: usize, tls: Arc<ClientConfig>) -> Self {
        Self { idle: Mutex::new(HashMap::new()), most_idle, tls: TlsConnector::from(tls) }
    }

    fn pop(&self, upstream: &Upstream) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(&upstream.pool)?;
        // Ready ones first: a connection that was given back in this turn of the loop is not yet.
        let near = connections.len().saturating_sub(READY_AMONG);
        let ready = connections.iter().enumerate().skip(near).rev().find(|(_, idle)| idle.lease.sender.is_ready());
        if let Some(place) = ready.map(|(place, _)| place) {
            let last = connections.len().saturating_sub(1);
            connections.swap(place, last);
        }
        // The one that was used last is the likeliest to be alive.
        while let Some(found) = connections.pop() {
            if !found.lease.sender.is_closed() && found.since.elapsed() < MAX_IDLE && found.lease.born.elapsed() < MAX_AGE {
                return Some(found);
            }
        }
        None
    }

    /// An idle connection that is still open, if there is one.
    pub(crate) async fn idle(&self, upstream: &Upstream) -> Option<Lease> {
        while let Some(Idle { mut lease, since }) = self.pop(upstream) {
            // Not ready a moment after its answer ended: it is still taking the body of that request.
            if lease.sender.is_ready() || matches!(Box::pin(tokio::time::timeout(SETTLE, lease.sender.ready())).await, Ok(Ok(()))) {
                lease.idle = Some(since.elapsed());
                return Some(lease);
            }
        }
        None
    }

    /// Keeps a connection whose answer has ended.
    pub(crate) fn put_back(&self, lease: Lease) {
        if lease.sender.is_closed() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.entry(Arc::clone(&lease.key)).or_default();
        if connections.len() >= self.most_idle {
            connections.remove(0);
        }
        connections.push(Idle { lease, since: Instant::now() });
    }

    /// Closes what has been idle for too long.
    pub(crate) fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|_, connections| {
            connections.retain(|idle| idle.since.elapsed() < MAX_IDLE && !idle.lease.sender.is_closed());
            !connections.is_empty()
        });
    }

    /// A new connection.
    ///
    /// # Errors
    /// When it is not made within the upstream's connect timeout.
    pub(crate) async fn connect(&self, upstream: &Upstream) -> Result<Lease, ConnectError> {
        tokio::time::timeout(upstream.connect_timeout, self.dial(upstream)).await.map_err(|_| ConnectError::Timeout)?
    }

    async fn dial(&self, upstream: &Upstream) -> Result<Lease, ConnectError> {
        let stream = TcpStream::connect((upstream.host.as_str(), upstream.port)).await?;
        stream.set_nodelay(true)?;
        let sender = if upstream.tls {
            let name = ServerName::try_from(upstream.host.clone()).map_err(|_| ConnectError::Name(upstream.host.clone()))?;
            start(self.tls.connect(name, stream).await?).await?
        } else {
            start(stream).await?
        };
        Ok(Lease { sender, born: Instant::now(), idle: None, key: Arc::clone(&upstream.pool) })
    }
}

async fn start<T>(stream: T) -> Result<SendRequest<Outgoing>, hyper::Error>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    // Requests are heads with small bodies, mostly: one plain write costs less than a vectored one.
    let (sender, connection) = http1::Builder::new().max_header_size(64 * 1024).writev(false).handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "an upstream connection ended");
        }
    });
    Ok(sender)
}
