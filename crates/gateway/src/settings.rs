//! What one listener of the gateway is told once, at its start.

use std::{net::SocketAddr, time::Duration};

pub use octroi_domain::network::{Network, NetworkError};
use octroi_domain::stage::Stage;

/// The settings of one stage's listener. [`Settings::new`] gives the defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    pub stage: Stage,
    /// Port 0 takes a free one; see [`crate::Handle::local_addr`].
    pub listen: SocketAddr,
    /// Threads that serve calls, each with its own runtime and upstream connections.
    pub threads: usize,
    /// `iss` of access tokens: the portal's URL.
    pub issuer: String,
    /// `aud` of this stage's access tokens.
    pub audience: String,
    /// This listener as clients see it: `iss` of assertions, and what `X-Forwarded-Host` and `-Proto` say.
    pub gateway_url: String,
    /// Life of an access token, seconds.
    pub token_lifetime_s: i64,
    /// Largest body that is buffered (masked answers, mocks, validated requests), bytes.
    pub max_masked_body: usize,
    /// Restricted APIs are refused when nobody confirmed the view for longer.
    pub max_view_age: Duration,
    /// Name of the time zone whose midnight starts a day of quota.
    pub time_zone: String,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Time to send a whole request head.
    pub header_timeout: Duration,
    /// Time to send a request body that must be buffered.
    pub body_timeout: Duration,
    /// A connection without a request, or a reader that takes nothing, is closed after this.
    pub idle_timeout: Duration,
    /// Connections of one thread; above it new ones are closed at once.
    pub max_connections: usize,
    /// Idle upstream connections that one thread keeps for one upstream.
    pub max_idle_upstream: usize,
    /// Accept connections only once there is a view: a start refuses nobody.
    pub wait_for_view: bool,
    /// Root certificates (DER) that upstreams may chain to, besides the public ones.
    pub upstream_roots: Vec<Vec<u8>>,
}

impl Settings {
    /// The defaults, for a listener that stands at `gateway_url` and trusts tokens of `issuer`.
    #[must_use]
    pub fn new(stage: Stage, listen: SocketAddr, issuer: impl Into<String>, gateway_url: impl Into<String>) -> Self {
        let gateway_url = gateway_url.into();
        Self {
            stage,
            listen,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get),
            issuer: issuer.into(),
            audience: gateway_url.clone(),
            gateway_url,
            token_lifetime_s: 3_600,
            max_masked_body: 10 * 1024 * 1024,
            max_view_age: Duration::from_secs(30),
            time_zone: "Europe/Paris".to_owned(),
            trusted_proxies: Vec::new(),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            max_connections: 10_000,
            max_idle_upstream: 128,
            wait_for_view: false,
            upstream_roots: Vec::new(),
        }
    }
}
