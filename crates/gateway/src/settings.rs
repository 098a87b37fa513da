//! What one listener of the gateway is told once, at its start.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

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

/// A network in CIDR form; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    mask: u128,
    length: u8,
}
/// The text is not an address or a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network: write for example `192.0.2.0/24` or `2001:db8::/32`")]
pub struct NetworkError(String);

const fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Network {
    /// Is the address in it? An IPv4 address and its IPv4-mapped IPv6 form are the same.
    #[must_use]
    pub const fn contains(&self, address: IpAddr) -> bool {
        wide(address) & self.mask == self.address
    }
}
impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NetworkError(text.chars().take(60).collect());
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let offset = if address.is_ipv4() { 96 } else { 0 };
        let length = match length {
            None => 128,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u8>().ok().and_then(|length| length.checked_add(offset)).ok_or_else(error)?
            }
            Some(_) => return Err(error()),
        };
        if length > 128 {
            return Err(error());
        }
        let mask = if length == 0 { 0 } else { u128::MAX << (128 - u32::from(length)) };
        Ok(Self { address: wide(address) & mask, mask, length })
    }
}
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v6 = Ipv6Addr::from_bits(self.address);
        match v6.to_ipv4_mapped() {
            Some(v4) if self.length >= 96 => write!(f, "{}/{}", Ipv4Addr::from_bits(v4.to_bits()), self.length - 96),
            _ => write!(f, "{v6}/{}", self.length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: &str, address: &str, inside: bool) {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), inside, "{network} {address}");
    }

    #[test]
    fn networks_hold_their_addresses() {
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.77/24", "192.0.2.1", true);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("192.0.2.0/24", "::ffff:192.0.2.9", true);
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "192.0.2.0/33", "192.0.2/24", "::/129", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.0/8/8", "192.0.2.0/256", "x"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
