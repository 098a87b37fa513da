//! Headers: reading one strictly, and those that every answer carries.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use octroi_domain::text::Language;

use crate::problem::Problem;

/// For answers that are data: nothing in them may ever run.
const CSP_DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'");
/// For pages: our own files and nothing else. None of them lets itself be framed, apart from the HTML of a mail in the demo. `data:` images are the arrows of the OpenAPI reader's style sheet.
pub const CSP_PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
);
/// What a proxy that ended TLS says of the client (RFC 9440 section 2).
pub const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The value of a header that may come once.
///
/// # Errors
/// 400 when it is repeated, or is not visible ASCII.
pub fn once<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let (first, second) = (values.next(), values.next());
    match (first, second) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| {
            Problem::bad_request("malformed_header", format!("L’en-tête {name} est mal formé."), format!("The header {name} is malformed."))
        }),
        (Some(_), Some(_)) => {
            Err(Problem::bad_request("repeated_header", format!("L’en-tête {name} est répété."), format!("The header {name} is repeated.")))
        }
    }
}

/// The client's request id when it is harmless in a log, else a new one.
pub fn request_id(headers: &HeaderMap) -> String {
    let sent = once(headers, &REQUEST_ID).ok().flatten();
    let good = |id: &&str| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    sent.filter(good).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

/// What a browser says of itself, to be shown to its owner: empty when it says nothing.
pub fn agent(headers: &HeaderMap) -> String {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// French when the client prefers it to English, else English (RFC 9110 section 12.5.4).
pub fn language(headers: &HeaderMap) -> Language {
    let (fr, en) = weights(headers);
    if fr > en { Language::Fr } else { Language::En }
}

/// The same for a page: English when the browser prefers it, else French.
pub fn page_language(headers: &HeaderMap) -> Language {
    let (fr, en) = weights(headers);
    if en > fr { Language::En } else { Language::Fr }
}

fn weights(headers: &HeaderMap) -> (u32, u32) {
    let text = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (mut fr, mut en) = (0_u32, 0_u32);
    for range in text.split(',').take(20) {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        match tag.split('-').next() {
            Some("fr") => fr = fr.max(weight),
            Some("en") => en = en.max(weight),
            _ => {}
        }
    }
    (fr, en)
}

/// `0.8` → 800; anything that is not a weight → 0.
fn thousandths(text: &str) -> u32 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("1", Ok(_)) => 1000,
        ("0", Ok(value)) => value,
        _ => 0,
    }
}

/// Puts what every answer carries onto one, errors included. What a handler chose itself stays.
pub fn secure(headers: &mut HeaderMap, request_id: &str, https: bool) {
    let defaults = [
        (header::CONTENT_SECURITY_POLICY, CSP_DATA),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(value);
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_language_that_is_preferred() {
        for (text, expected) in [
            ("fr", Language::Fr),
            ("fr-FR,fr;q=0.9,en;q=0.8", Language::Fr),
            ("en-GB,en;q=0.9,fr;q=0.8", Language::En),
            ("de, fr;q=0.5", Language::Fr),
            ("fr;q=0", Language::En),
            ("fr;q=x, en;q=0.1", Language::En),
            ("*", Language::En),
            ("", Language::En),
        ] {
            assert_eq!(language(&with(header::ACCEPT_LANGUAGE, &[text])), expected, "{text}");
        }
    }

    #[test]
    fn a_request_id_is_kept_when_it_is_harmless() {
        assert_eq!(request_id(&with(REQUEST_ID, &["abc-123"])), "abc-123");
        for bad in [&["a b"][..], &["a", "b"], &[""], &["a_b"], &["é"]] {
            let id = request_id(&with(REQUEST_ID, bad));
            assert_eq!(id.len(), 36, "{bad:?}");
        }
        assert_eq!(request_id(&with(REQUEST_ID, &[&"a".repeat(65)])).len(), 36);
    }

    #[test]
    fn a_header_comes_once() {
        let name = header::AUTHORIZATION;
        assert_eq!(once(&with(name.clone(), &["x"]), &name).unwrap(), Some("x"));
        assert_eq!(once(&HeaderMap::new(), &name).unwrap(), None);
        assert_eq!(once(&with(name.clone(), &["x", "x"]), &name).unwrap_err().code, "repeated_header");
        assert_eq!(once(&with(name.clone(), &["é"]), &name).unwrap_err().code, "malformed_header");
    }

    #[test]
    fn what_a_handler_chose_stays() {
        let mut headers = with(header::CACHE_CONTROL, &["max-age=60"]);
        secure(&mut headers, "r", true);
        assert_eq!(headers[header::CACHE_CONTROL], "max-age=60");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    }
}
