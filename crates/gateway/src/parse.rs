//! Reads a request head strictly: what could be read in two ways is refused, never mended.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, request::Parts};
use octroi_domain::text::Language;

use crate::{
    denied::{Denied, Reason},
    settings::Network,
};

/// Longest path and query, bytes.
const MAX_URI: usize = 8_192;
/// Most header fields.
const MAX_HEADERS: usize = 100;

/// What the caller presents, as it stands in the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    Nothing,
    /// After `Bearer`, in `X-Api-Key` or in `KeyId`.
    Secret(&'a str),
    /// Something that can be no credential of ours.
    Unreadable,
}

/// Checks the head as a whole, and finds the credential.
pub(crate) fn head(parts: &Parts) -> Result<Presented<'_>, Denied> {
    target(&parts.method, &parts.uri, parts.version)?;
    fields(&parts.headers, &parts.uri, parts.version)
}

fn target(method: &Method, uri: &Uri, version: Version) -> Result<(), Denied> {
    if version != Version::HTTP_2 && (uri.scheme().is_some() || uri.authority().is_some()) {
        return Err(Denied::malformed("the request target is not a path"));
    }
    if matches!(*method, Method::CONNECT | Method::TRACE) {
        return Err(Denied::with(
            Reason::MethodNotAllowed,
            crate::denied::Note::Allow(HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")),
        ));
    }
    let whole = uri.path_and_query().ok_or_else(|| Denied::malformed("the request target is not a path"))?;
    if whole.as_str().len() > MAX_URI {
        return Err(Reason::UriTooLong.into());
    }
    path(whole.path()).map_err(Denied::malformed)?;
    whole.query().map_or(Ok(()), query).map_err(Denied::malformed)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The byte that `%XX` at the head of `rest` (after the `%`) stands for.
fn escaped(rest: &[u8]) -> Option<u8> {
    match rest {
        [high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

const fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Is it the one spelling of this path? (RFC 3986 section 6.2.2; no dot segment, no empty segment,
/// no encoded slash, backslash or control, no parameter, nothing encoded twice.)
fn path(path: &str) -> Result<(), &'static str> {
    let bytes = path.as_bytes();
    let Some((b'/', mut rest)) = bytes.split_first() else { return Err("the path does not begin with a slash") };
    // Length of the current segment, and whether it is made of dots alone.
    let (mut length, mut dots) = (0_usize, true);
    let mut foreign = false;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match *byte {
            b'/' => {
                if length == 0 {
                    return Err("the path has an empty segment");
                }
                if dots && length <= 2 {
                    return Err("the path has a dot segment");
                }
                (length, dots) = (0, true);
                continue;
            }
            b'%' => {
                let value = escaped(after).ok_or("a percent sign in the path is not followed by two hexadecimal digits")?;
                rest = after.get(2..).unwrap_or_default();
                match value {
                    b'/' | b'\\' => return Err("the path has an encoded slash or backslash"),
                    0..=0x1f | 0x7f => return Err("the path has an encoded control character"),
                    b'%' if escaped(rest).is_some() => return Err("the path is encoded twice"),
                    value if unreserved(value) => return Err("the path encodes a character that needs no encoding"),
                    0x80.. => foreign = true,
                    _ => {}
                }
                dots = false;
            }
            b'.' => {}
            byte if unreserved(byte) => dots = false,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@' => dots = false,
            b';' => return Err("the path has a parameter (a semicolon)"),
            _ => return Err("the path has a character that must be encoded"),
        }
        length += 1;
    }
    if dots && (1..=2).contains(&length) {
        return Err("the path has a dot segment");
    }
    if foreign && decode(path).is_none() { Err("the path is not UTF-8") } else { Ok(()) }
}

/// The text that a percent-encoded text stands for; `None` when that is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            bytes.push(escaped(after)?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A query is passed on as it is, so only what no reader agrees on is refused.
fn query(query: &str) -> Result<(), &'static str> {
    let mut rest = query.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match *byte {
            b'%' => match escaped(after) {
                None => return Err("a percent sign in the query is not followed by two hexadecimal digits"),
                Some(0) => return Err("the query has an encoded NUL"),
                Some(_) => {}
            },
            0x21..=0x7e => {}
            _ => return Err("the query has a character that must be encoded"),
        }
    }
    Ok(())
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// One pass over the fields: counts those that must stand alone, and finds the credential.
fn fields<'a>(headers: &'a HeaderMap, uri: &Uri, version: Version) -> Result<Presented<'a>, Denied> {
    if headers.len() > MAX_HEADERS {
        return Err(Reason::HeadersTooLarge.into());
    }
    let (mut hosts, mut lengths, mut encodings, mut authorizations, mut keys, mut key_ids) = (0_u8, 0_u8, 0_u8, 0_u8, 0_u8, 0_u8);
    let mut presented = Presented::Nothing;
    for (name, value) in headers {
        match name.as_str() {
            "host" => {
                hosts = hosts.saturating_add(1);
                host(value, uri)?;
            }
            "content-length" => lengths = lengths.saturating_add(1),
            "transfer-encoding" => {
                encodings = encodings.saturating_add(1);
                if !value.as_bytes().eq_ignore_ascii_case(b"chunked") {
                    return Err(closing("Transfer-Encoding is not exactly `chunked`"));
                }
            }
            "connection" => connection(value)?,
            "authorization" => {
                authorizations = authorizations.saturating_add(1);
                presented = bearer(value);
            }
            "x-api-key" => {
                keys = keys.saturating_add(1);
                presented = bare(value);
            }
            "keyid" => {
                key_ids = key_ids.saturating_add(1);
                presented = bare(value);
            }
            _ => {}
        }
    }
    if hosts > 1 || (hosts == 0 && version != Version::HTTP_2) {
        return Err(Denied::malformed("the Host header must stand exactly once"));
    }
    if lengths > 1 || encodings > 1 || (lengths == 1 && encodings == 1) {
        return Err(closing("the length of the body is said more than once"));
    }
    if authorizations > 1 || keys > 1 || key_ids > 1 {
        return Err(Denied::malformed("a credential header stands more than once"));
    }
    if authorizations + keys + key_ids > 1 {
        return Err(Reason::AmbiguousCredential.into());
    }
    Ok(presented)
}

const fn closing(why: &'static str) -> Denied {
    let mut denied = Denied::malformed(why);
    denied.close = true;
    denied
}

fn host(value: &HeaderValue, uri: &Uri) -> Result<(), Denied> {
    let bytes = value.as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']');
    if bytes.is_empty() || !bytes.iter().all(plain) {
        return Err(Denied::malformed("the Host header is not a host"));
    }
    match uri.authority() {
        Some(authority) if !authority.as_str().as_bytes().eq_ignore_ascii_case(bytes) => {
            Err(Denied::malformed("the Host header and the :authority differ"))
        }
        _ => Ok(()),
    }
}

/// `Connection` may end the connection or name fields of its own, not take away what we rely on.
fn connection(value: &HeaderValue) -> Result<(), Denied> {
    let list = text(value).ok_or_else(|| Denied::malformed("the Connection header is not text"))?;
    for name in list.split(',').map(str::trim) {
        if is_relied_on(name) {
            return Err(Denied::malformed("the Connection header names a header that is not its own"));
        }
    }
    Ok(())
}

fn is_relied_on(name: &str) -> bool {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return false };
    let name = name.as_str();
    matches!(
        name,
        "authorization"
            | "x-api-key"
            | "keyid"
            | "host"
            | "content-length"
            | "content-type"
            | "content-encoding"
            | "transfer-encoding"
            | "accept"
            | "cookie"
            | "expect"
            | "x-request-id"
            | "x-jwt-assertion"
            | "via"
            | "date"
    ) || is_forgeable(name)
}

fn bearer(value: &HeaderValue) -> Presented<'_> {
    let Some((scheme, secret)) = text(value).and_then(|text| text.split_once(' ')) else { return Presented::Unreadable };
    if scheme.eq_ignore_ascii_case("bearer") { secret_of(secret) } else { Presented::Unreadable }
}

fn bare(value: &HeaderValue) -> Presented<'_> {
    text(value).map_or(Presented::Unreadable, secret_of)
}

fn secret_of(text: &str) -> Presented<'_> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
    if !text.is_empty() && text.bytes().all(good) { Presented::Secret(text) } else { Presented::Unreadable }
}

/// Could a client forge an identity, an address or another target with this header? Then it never
/// reaches an upstream in the client's spelling. `name` is in lower case.
pub(crate) fn is_forgeable(name: &str) -> bool {
    // What proxies, identity providers and gateways are known to say in their own name.
    #[rustfmt::skip]
    const PREFIXES: [&str; 46] = [
        "x-forwarded-", "x-original-", "x-rewrite-", "x-user", "x-consumer", "x-authenticated", "x-credential", "x-api-", "x-octroi-",
        "x-remote-", "x-webauth-", "x-auth-", "x-access-token", "x-id-token", "x-goog-", "x-ms-", "x-amzn-", "x-amz-", "x-anonymous",
        "x-organization", "x-organisation", "x-org-", "x-permit", "x-scope", "x-application", "x-app-", "x-client-", "x-siret", "x-role",
        "x-group", "x-email", "x-tenant", "x-principal", "x-identity", "x-admin", "x-host", "x-envoy-", "x-accel-", "x-sendfile", "x-ssl-",
        "x-cluster-", "x-proxy-", "x-account", "x-subject", "x-impersonate", "x-sudo",
    ];
    const NAMES: [&str; 4] = ["x-real-ip", "x-http-method-override", "x-method-override", "x-http-method"];
    const OTHERS: [&str; 8] =
        ["client-cert", "ssl-client-", "remote-", "impersonate-", "cf-connecting-", "fastly-client-", "proxy", "user-id"];
    let known = match name.as_bytes().first() {
        Some(b'x') => NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
        Some(b'f') => name == "forwarded" || name.starts_with("fastly-client-"),
        Some(b'o') => name.starts_with("octroi-"),
        Some(b't') => name == "true-client-ip",
        Some(b'c' | b's' | b'r' | b'i' | b'p' | b'u') => OTHERS.iter().any(|prefix| name.starts_with(prefix)),
        _ => false,
    };
    // Many upstreams read `_` as `-`: a name with one can pass for another name.
    known || name.contains('_')
}

/// The client's own request id, when it is one that can be repeated anywhere.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let id = headers.get("x-request-id")?;
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
    ((1..=64).contains(&id.len()) && id.as_bytes().iter().all(plain)).then_some(id)
}

/// French when it is preferred to English, else English (RFC 9110 section 12.5.4).
pub(crate) fn language(accepted: Option<&HeaderValue>) -> Language {
    let Some(list) = accepted.and_then(text) else { return Language::En };
    let quality = |wanted: &str| -> (f32, usize) {
        list.split(',')
            .take(20)
            .enumerate()
            .filter_map(|(place, item)| {
                let mut parts = item.split(';').map(str::trim);
                let tag = parts.next()?;
                let primary = tag.split('-').next()?;
                let q = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
                primary.eq_ignore_ascii_case(wanted).then_some((q, place))
            })
            .next()
            .unwrap_or((0.0, usize::MAX))
    };
    let ((fr, fr_place), (en, en_place)) = (quality("fr"), quality("en"));
    if fr > en || (fr > 0.0 && fr >= en && fr_place < en_place) { Language::Fr } else { Language::En }
}

/// The caller's address: the peer's, or what trusted proxies say of it.
pub(crate) fn client_address(peer: IpAddr, trusted: &[Network], headers: &HeaderMap) -> IpAddr {
    let values = headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or_default());
    octroi_domain::network::client_address(peer, trusted, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn one_spelling_of_a_path() {
        for good in [
            "/",
            "/a",
            "/a/",
            "/a/b.c",
            "/a/...",
            "/a/.b",
            "/a/b..c",
            "/a/%C3%A9",
            "/a/%c3%a9",
            "/a/x%20y",
            "/a/100%25",
            "/a/@:!$&'()*+,=",
            "/~u",
            "/a/%3Fx%23",
        ] {
            assert_eq!(path(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/a/..",
            "/a/.",
            "/a/%2e%2e/b",
            "/a/%2E",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;x",
            "/a;x=1/b",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/%61",
            "/a%7E",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%252e",
            "/a%25%32",
            "/a%C0%AE",
            "/a%FF",
            "/a b",
            "/a\"",
            "/a<",
            "/a{b}",
            "/a|b",
            "/a^b",
            "/a`b",
            "/é",
            "/a\u{ff0f}b",
            "/a#b",
        ] {
            // `%25` before something that is no escape is a plain percent sign.
            if bad != "/a%25%32" {
                assert!(path(bad).is_err(), "{bad}");
            }
        }
        assert!(path("/a%25%32").is_err(), "an encoded digit is not canonical either");
    }

    #[test]
    fn queries_are_left_alone_unless_broken() {
        for good in ["", "a=b", "prenoms[]=A&prenoms[]=B", "a=%C3%A9&b=%252e", "a={x}|y", "?/?"] {
            assert_eq!(query(good), Ok(()), "{good}");
        }
        for bad in ["a=%", "a=%zz", "a=%00", "é", "a b"] {
            assert!(query(bad).is_err(), "{bad}");
        }
    }

    fn request(fields: &[(&str, &str)]) -> Parts {
        let mut builder = Request::builder().uri("/a/b");
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }
    #[track_caller]
    fn check(fields: &[(&str, &str)], expected: Result<Presented<'_>, Reason>) {
        let parts = request(fields);
        assert_eq!(head(&parts).map_err(|denied| denied.reason), expected);
    }

    #[test]
    fn fields_that_must_stand_alone() {
        use Presented::{Nothing, Secret, Unreadable};
        let malformed = || Err(Reason::MalformedRequest);
        check(&[("host", "h")], Ok(Nothing));
        check(&[], malformed());
        check(&[("host", "h"), ("host", "h")], malformed());
        check(&[("host", "h/x")], malformed());
        check(&[("host", "a@h")], malformed());
        check(&[("host", "h"), ("transfer-encoding", "chunked")], Ok(Nothing));
        check(&[("host", "h"), ("transfer-encoding", "gzip, chunked")], malformed());
        check(&[("host", "h"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], malformed());
        check(&[("host", "h"), ("transfer-encoding", "chunked"), ("content-length", "1")], malformed());
        check(&[("host", "h"), ("content-length", "1"), ("content-length", "1")], malformed());
        check(&[("host", "h"), ("authorization", "Bearer abc")], Ok(Secret("abc")));
        check(&[("host", "h"), ("authorization", "bearer abc")], Ok(Secret("abc")));
        check(&[("host", "h"), ("authorization", "Basic abc")], Ok(Unreadable));
        check(&[("host", "h"), ("authorization", "Bearer a b")], Ok(Unreadable));
        check(&[("host", "h"), ("authorization", "Bearer")], Ok(Unreadable));
        check(&[("host", "h"), ("keyid", "k")], Ok(Secret("k")));
        check(&[("host", "h"), ("x-api-key", "")], Ok(Unreadable));
        check(&[("host", "h"), ("x-api-key", "k"), ("x-api-key", "k")], malformed());
        check(&[("host", "h"), ("x-api-key", "k"), ("keyid", "k")], Err(Reason::AmbiguousCredential));
        check(&[("host", "h"), ("authorization", "Basic abc"), ("keyid", "k")], Err(Reason::AmbiguousCredential));
        for named in
            ["authorization", "close, X-Api-Key", "X-Forwarded-For", "octroi-x", "Host", "X-JWT-Assertion", "content-length", "x_user"]
        {
            check(&[("host", "h"), ("connection", named)], malformed());
        }
        check(&[("host", "h"), ("connection", "keep-alive, X-Mine")], Ok(Nothing));
    }

    #[test]
    fn targets_are_paths() {
        for (uri, expected) in
            [("http://h/a", Reason::MalformedRequest), ("*", Reason::MalformedRequest), ("/a//b", Reason::MalformedRequest)]
        {
            let parts = Request::builder().uri(uri).header("host", "h").body(()).unwrap().into_parts().0;
            assert_eq!(head(&parts).err().map(|denied| denied.reason), Some(expected), "{uri}");
        }
        let long = format!("/{}", "a".repeat(8_192));
        let parts = Request::builder().uri(long).header("host", "h").body(()).unwrap().into_parts().0;
        assert_eq!(head(&parts).err().map(|denied| denied.reason), Some(Reason::UriTooLong));
        let parts = Request::builder().method("TRACE").uri("/a").header("host", "h").body(()).unwrap().into_parts().0;
        assert_eq!(head(&parts).err().map(|denied| denied.reason), Some(Reason::MethodNotAllowed));
    }

    #[test]
    fn forgeable_headers_are_known_in_any_spelling() {
        for name in [
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
            "x_jwt_assertion",
            "octroi-error",
            "x-user-id",
            "x-api-scopes",
            "x-original-url",
            "content_length",
        ] {
            assert!(is_forgeable(name), "{name}");
        }
        for name in ["accept", "content-type", "user-agent", "cpro-account", "if-none-match"] {
            assert!(!is_forgeable(name), "{name}");
        }
    }

    #[test]
    fn the_preferred_language_is_spoken() {
        for (list, expected) in [
            (None, Language::En),
            (Some("fr"), Language::Fr),
            (Some("fr-FR,fr;q=0.9,en;q=0.8"), Language::Fr),
            (Some("en,fr;q=0.9"), Language::En),
            (Some("de,fr;q=0.1"), Language::Fr),
            (Some("fr;q=0"), Language::En),
            (Some("*"), Language::En),
        ] {
            let list = list.map(HeaderValue::from_static);
            assert_eq!(language(list.as_ref()), expected, "{list:?}");
        }
    }

    #[test]
    fn addresses_are_believed_from_trusted_proxies_alone() {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 9.9.9.9"));
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.3"));
        let address = |peer: &str, headers: &HeaderMap| client_address(peer.parse().unwrap(), &trusted, headers).to_string();
        assert_eq!(address("10.0.0.1", &headers), "9.9.9.9");
        assert_eq!(address("8.8.8.8", &headers), "8.8.8.8");
        assert_eq!(address("10.0.0.1", &HeaderMap::new()), "10.0.0.1");
        headers.append("x-forwarded-for", HeaderValue::from_static("garbage"));
        assert_eq!(address("10.0.0.1", &headers), "10.0.0.1");
    }
}
