//! Where a client may be sent back to (RFC 6749 section 3.1.2, RFC 9700 section 2.1, RFC 8252).

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

/// A registered redirect URI: compared byte by byte with what a request says; on the loopback interface of a native
/// application the port may differ (RFC 8252 section 7.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why an address is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    #[error("it is not an absolute address in plain ASCII of at most 2,000 characters, without `/../`")]
    Malformed,
    #[error("it has a fragment (#…)")]
    Fragment,
    #[error("it names a user or a password")]
    UserInfo,
    #[error(
        "it has to begin with https://; http:// is for this machine alone (127.0.0.1, [::1] or localhost), and a scheme of an application contains a dot"
    )]
    Scheme,
}

impl RedirectUriError {
    pub const ALL: [Self; 4] = [Self::Malformed, Self::Fragment, Self::UserInfo, Self::Scheme];
}

impl RedirectUri {
    /// # Errors
    /// [`RedirectUriError`]
    pub fn read(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > 2_000 || text.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'\\' | b'"' | b'<' | b'>' | b'*')) {
            return Err(RedirectUriError::Malformed);
        }
        if text.contains('#') {
            return Err(RedirectUriError::Fragment);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() || text.split(['?', '/']).nth(2).is_some_and(|host| host.contains('@')) {
            return Err(RedirectUriError::UserInfo);
        }
        // Browsers mend such addresses on the way: they lead elsewhere than they are written.
        let path = text.split('?').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        let web = matches!(url.scheme(), "http" | "https");
        if (web && !path.contains("://")) || path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(RedirectUriError::Malformed);
        }
        match url.scheme() {
            "https" if url.has_host() => {}
            "http" if is_loopback(&url) => {}
            // RFC 8252 section 7.1: a private-use scheme is a domain name, read backwards.
            other if other.contains('.') && !url.cannot_be_a_base() => {}
            _ => return Err(RedirectUriError::Scheme),
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Is this what a request means? `native`: of an application on the person's machine, which takes the port that is free.
    #[must_use]
    pub fn is(&self, asked: &str, native: bool) -> bool {
        self.0 == asked || native && self.is_but_for_the_port(asked)
    }

    /// Compared as text too: nothing but digits between the host and the path may differ.
    fn is_but_for_the_port(&self, asked: &str) -> bool {
        ["http://127.0.0.1", "http://[::1]"].into_iter().any(|host| {
            let rest = |text: &'static str, address: &str| {
                let after = address.strip_prefix(text)?;
                let path = match after.strip_prefix(':') {
                    None => after,
                    Some(port) => {
                        let path = port.trim_start_matches(|c: char| c.is_ascii_digit());
                        port.strip_suffix(path)?.parse::<u16>().ok()?;
                        path
                    }
                };
                (path.is_empty() || path.starts_with(['/', '?'])).then(|| path.to_owned())
            };
            match (rest(host, &self.0), rest(host, asked)) {
                (Some(mine), Some(theirs)) => mine == theirs,
                _ => false,
            }
        })
    }

    /// The scheme, host and port of an address of the web (RFC 6454).
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let origin = Url::parse(&self.0).ok()?.origin();
        origin.is_tuple().then(|| origin.ascii_serialization())
    }

    /// The address with parameters in its fragment; a registered one has none.
    #[must_use]
    pub fn with_fragment(asked: &str, parameters: &[(&str, &str)]) -> String {
        let mut fragment = form_urlencoded::Serializer::new(String::new());
        fragment.extend_pairs(parameters);
        format!("{asked}#{}", fragment.finish())
    }

    /// The address with parameters added to its query (RFC 6749 section 4.1.2).
    #[must_use]
    pub fn with_query(asked: &str, parameters: &[(&str, &str)]) -> String {
        let separator = if !asked.contains('?') {
            "?"
        } else if asked.ends_with(['?', '&']) {
            ""
        } else {
            "&"
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        format!("{asked}{separator}{}", query.finish())
    }
}
impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Does the address lead to the machine of the one who follows it?
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered() {
        for good in [
            "https://rp.example/cb",
            "https://rp.example/cb?a=b",
            "https://rp.example:8443/",
            "http://127.0.0.1/cb",
            "http://localhost:4000/cb",
            "http://[::1]:4000/cb",
            "fr.example.app:/cb",
            "fr.example.app://cb",
        ] {
            assert!(RedirectUri::read(good).is_ok(), "{good}: {:?}", RedirectUri::read(good));
        }
        for (bad, error) in [
            ("", RedirectUriError::Malformed),
            ("/cb", RedirectUriError::Malformed),
            ("//rp.example/cb", RedirectUriError::Malformed),
            ("https:rp.example/cb", RedirectUriError::Malformed),
            ("https:/rp.example/cb", RedirectUriError::Malformed),
            ("https://rp.example/../cb", RedirectUriError::Malformed),
            ("https://rp.example/a/%2E%2e/cb", RedirectUriError::Malformed),
            ("https://rp.example/./cb", RedirectUriError::Malformed),
            ("https://rp.example/cb#", RedirectUriError::Fragment),
            ("https://rp.example/cb#a", RedirectUriError::Fragment),
            ("https://user@rp.example/cb", RedirectUriError::UserInfo),
            ("https://@rp.example/cb", RedirectUriError::UserInfo),
            ("https://rp.example\\@evil.example/cb", RedirectUriError::Malformed),
            ("http://rp.example/cb", RedirectUriError::Scheme),
            ("http://localhost.evil.example/cb", RedirectUriError::Scheme),
            ("javascript:alert(1)", RedirectUriError::Scheme),
            ("data:text/html,x", RedirectUriError::Malformed),
            ("data:text/html", RedirectUriError::Scheme),
            ("https://rp.example/\u{e9}", RedirectUriError::Malformed),
            ("https://rp.example/ cb", RedirectUriError::Malformed),
            ("https://*.rp.example/cb", RedirectUriError::Malformed),
        ] {
            let read = RedirectUri::read(bad);
            assert!(read.is_err(), "{bad}");
            if bad != "data:text/html,x" {
                assert_eq!(read, Err(error), "{bad}");
            }
        }
    }

    #[test]
    fn exact_but_for_the_port_of_loopback_addresses() {
        let web = RedirectUri::read("https://rp.example/cb").unwrap();
        for other in [
            "https://rp.example/cb/",
            "https://rp.example/cb?x",
            "https://rp.example/CB",
            "https://RP.example/cb",
            "https://rp.example:443/cb",
            "https://rp.example/a/../cb",
            "https://rp.example/%63b",
            "https://rp.example.evil.example/cb",
            "https://rp.example@evil.example/cb",
            "https://rp.example/cb#",
            "http://rp.example/cb",
        ] {
            assert!(!web.is(other, true), "{other}");
        }
        let native = RedirectUri::read("http://127.0.0.1/cb").unwrap();
        assert!(native.is("http://127.0.0.1:51004/cb", true));
        assert!(!native.is("http://127.0.0.1:51004/cb", false), "the ports of a web client are its own");
        for odd in [
            "http://127.0.0.1:1/./cb",
            "http://127.0.0.1:1/a/../cb",
            "http://127.0.0.1:1/%63b",
            "HTTP://127.0.0.1:1/cb",
            "http://0x7f.1:1/cb",
            "http://2130706433/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:1:2/cb",
        ] {
            assert!(!native.is(odd, true), "{odd}");
        }
        for other in
            ["http://127.0.0.1:1/", "http://127.0.0.2:1/cb", "http://localhost:1/cb", "https://127.0.0.1:1/cb", "http://x@127.0.0.1:1/cb"]
        {
            assert!(!native.is(other, true), "{other}");
        }
        assert!(!RedirectUri::read("http://localhost:3000/cb").unwrap().is("http://localhost:3001/cb", true));
    }

    #[test]
    fn parameters_are_added() {
        assert_eq!(RedirectUri::with_query("https://a/b", &[("code", "x y"), ("state", "&")]), "https://a/b?code=x+y&state=%26");
        assert_eq!(RedirectUri::with_query("https://a/b?c=d", &[("code", "x")]), "https://a/b?c=d&code=x");
        assert_eq!(RedirectUri::with_query("https://a/b?", &[("code", "x")]), "https://a/b?code=x");
        assert_eq!(RedirectUri::with_fragment("https://a/b?c=d", &[("code", "x y"), ("state", "&")]), "https://a/b?c=d#code=x+y&state=%26");
    }
}
