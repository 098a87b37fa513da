//! What every route works with.

use std::{fmt, net::IpAddr, sync::Arc};

use bytes::Bytes;
use octroi_app::App;
use octroi_domain::{Moment, network::Network};

use crate::{
    oidc::TokenPort,
    ui::{assets::Assets, site::Site},
};

/// What time it is; a test moves it.
pub type Clock = Arc<dyn Fn() -> Moment + Send + Sync>;

/// Handed over by the binary. The public address comes from the settings of `app`, never from a request.
#[derive(Clone)]
pub struct WebState {
    pub(crate) app: App,
    pub(crate) tokens: Arc<dyn TokenPort>,
    clock: Clock,
    /// Where the gateways are reached, for example `http://localhost:8080`: said on the home page.
    pub(crate) production_url: String,
    pub(crate) sandbox_url: String,
    pub(crate) site: Site,
    /// Proxies in front, whose word about callers is believed.
    pub(crate) proxies: Vec<Network>,
}
impl WebState {
    #[must_use]
    pub const fn new(app: App, tokens: Arc<dyn TokenPort>, clock: Clock, production_url: String, sandbox_url: String, site: Site) -> Self {
        Self { app, tokens, clock, production_url, sandbox_url, site, proxies: Vec::new() }
    }

    /// Behind these proxies: their `X-Forwarded-For` and `Client-Cert` (RFC 9440) are believed, and nobody else's.
    #[must_use]
    pub fn behind(self, proxies: Vec<Network>) -> Self {
        Self { proxies, ..self }
    }
}

/// The network address of who is connected. The binary puts it into the extensions of each request; behind a trusted
/// proxy it becomes the client's, by which attempts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The state, with what is worked out once.
pub(crate) struct Shared {
    pub web: WebState,
    /// The public address without a slash at its end: the issuer.
    pub public_url: String,
    /// Scheme, host and port of the public address, as a browser writes them in `Origin`.
    pub origin: String,
    pub https: bool,
    /// The OpenAPI document, as JSON.
    pub openapi: Bytes,
    pub assets: Assets,
}

impl Shared {
    pub fn new(web: WebState) -> Self {
        let public_url = web.app.settings().public_url.trim_end_matches('/').to_owned();
        let https = public_url.starts_with("https://");
        let openapi = crate::openapi::json().into();
        Self { origin: origin(&public_url), https, openapi, public_url, assets: Assets::new(&web.site), web }
    }

    pub fn now(&self) -> Moment {
        (self.web.clock)()
    }

    /// The name of the session cookie: with `__Host-` a browser takes it from this host over TLS only.
    pub const fn cookie_name(&self) -> &'static str {
        if self.https { "__Host-octroi" } else { "octroi_session" }
    }

    /// The name of the cookie that a browser is known by.
    pub const fn browser_cookie_name(&self) -> &'static str {
        if self.https { "__Host-octroi-browser" } else { "octroi_browser" }
    }
}
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// Everything before the path, in lower case, without the scheme's own port (RFC 6454 section 6.1).
fn origin(url: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |place| place + 3);
    let end = url.get(after_scheme..).and_then(|rest| rest.find('/')).map_or(url.len(), |place| after_scheme + place);
    let origin = url.get(..end).unwrap_or(url).to_ascii_lowercase();
    let default_port = if origin.starts_with("https://") { ":443" } else { ":80" };
    origin.strip_suffix(default_port).map_or_else(|| origin.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_says() {
        for (url, expected) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://Portail.Example.fr/base", "https://portail.example.fr"),
            ("https://a.fr:443", "https://a.fr"),
            ("http://a.fr:80/x", "http://a.fr"),
            ("http://a.fr:8080", "http://a.fr:8080"),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }
}
