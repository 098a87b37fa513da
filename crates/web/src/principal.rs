//! Who asks: a key when one is shown, else the session cookie, else nobody.
//!
//! A key that is shown is the only thing that counts: a bad one is 401 whatever cookie comes with
//! it, and a good one never needs the CSRF token. So the order of credentials never changes the answer.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use octroi_app::Error;
pub use octroi_app::sessions::csrf_token;
use octroi_domain::{Moment, authentication, policy::Principal};
use octroi_oauth::secret;

use crate::{
    headers::once,
    problem::{Failure, Problem},
    state::Shared,
};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// A longer cookie or key is none of ours.
const MAX_SECRET: usize = 200;

/// The principal, and the session that it came by.
#[derive(Debug)]
pub struct Who {
    pub principal: Principal,
    pub session: Option<Session>,
}

/// A session that is open.
#[derive(Clone)]
pub struct Session {
    /// The cookie's value.
    pub cookie: String,
    /// What it proves.
    pub held: authentication::Session,
    /// Its roles are held back until a second factor is shown.
    pub second_factor_required: bool,
}
impl Session {
    /// Is it this session's CSRF token?
    pub fn owns(&self, token: &str) -> bool {
        token.len() <= MAX_SECRET && secret::same_digest(&secret::digest(token), &secret::digest(&csrf_token(&self.cookie)))
    }
}
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

/// Finds out who asks. An unknown cookie is nobody.
///
/// # Errors
/// 401 for a key that is not good, 400 for two different ones, 503 when the store cannot tell.
pub async fn who(shared: &Shared, headers: &HeaderMap, now: Moment, read_cookie: bool) -> Result<Who, Failure> {
    let app = &shared.web.app;
    if let Some(key) = shown_key(headers)? {
        return Ok(Who { principal: app.machine(key, now).await?, session: None });
    }
    let cookie = if read_cookie { cookie(headers, shared.cookie_name()) } else { None };
    by_cookie(shared, cookie, now).await
}

/// Who a page is for: the session's person, or nobody. Keys are for programs.
///
/// # Errors
/// 503 when the store cannot tell.
pub async fn reader(shared: &Shared, headers: &HeaderMap, now: Moment) -> Result<Who, Failure> {
    by_cookie(shared, cookie(headers, shared.cookie_name()), now).await
}

async fn by_cookie(shared: &Shared, cookie: Option<&str>, now: Moment) -> Result<Who, Failure> {
    if let Some(cookie) = cookie
        && let Some(found) = shared.web.app.session(cookie, now).await?
    {
        return Ok(Who {
            principal: found.principal,
            session: Some(Session { cookie: cookie.to_owned(), held: found.session, second_factor_required: found.second_factor_required }),
        });
    }
    Ok(Who { principal: Principal::Anonymous, session: None })
}

/// The one key that the headers show.
fn shown_key(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let bearer = match once(headers, &header::AUTHORIZATION)? {
        None => None,
        Some(text) => {
            let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
            Some(token.ok_or(Error::InvalidCredential)?)
        }
    };
    let key = match (bearer, once(headers, &API_KEY)?) {
        (None, None) => return Ok(None),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(other)) if one == other => one,
        (Some(_), Some(_)) => {
            let problem = Problem::bad_request(
                "two_credentials",
                "Deux clés différentes : n’en présentez qu’une.",
                "Two different keys: show one only.",
            );
            return Err(problem.into());
        }
    };
    if key.is_empty() || key.len() > MAX_SECRET { Err(Error::InvalidCredential.into()) } else { Ok(Some(key)) }
}

/// The value of a cookie (RFC 6265 section 5.4). Two of one name tell nothing: somebody tossed one in.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value);
    let first = values.next()?;
    (values.next().is_none() && !first.is_empty() && first.len() <= MAX_SECRET).then_some(first)
}

/// Refuses a change that another site made the browser ask for.
///
/// # Errors
/// 403 `csrf` when the browser says that it comes from elsewhere, or when the session's token is not there.
pub fn check_csrf(origin: &str, headers: &HeaderMap, session: Option<&Session>) -> Result<(), Problem> {
    check_origin(origin, headers)?;
    let Some(session) = session else { return Ok(()) };
    let sent = once(headers, &CSRF_TOKEN)?.unwrap_or_default();
    if session.owns(sent) { Ok(()) } else { Err(Problem::csrf()) }
}

/// The part of it that the browser says by itself.
///
/// # Errors
/// 403 `csrf`.
pub fn check_origin(origin: &str, headers: &HeaderMap) -> Result<(), Problem> {
    let good_site = match once(headers, &FETCH_SITE)? {
        None => true,
        Some(site) => matches!(site, "same-origin" | "none"),
    };
    let good_origin = match once(headers, &header::ORIGIN)? {
        None => true,
        Some(sent) => sent == origin,
    };
    if good_site && good_origin { Ok(()) } else { Err(Problem::csrf()) }
}

/// Twelve hours: as long as a session can last.
const COOKIE_SECONDS: i64 = octroi_app::sessions::SESSION_HOURS * 3_600;

/// `Set-Cookie` for a session; with no value, its end.
pub fn session_cookie(shared: &Shared, value: Option<&str>) -> Option<HeaderValue> {
    let (value, age) = value.map_or(("", 0), |value| (value, COOKIE_SECONDS));
    let secure = if shared.https { "; Secure" } else { "" };
    HeaderValue::from_str(&format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}", shared.cookie_name())).ok()
}

/// The word that a browser is known by, when it shows one that can be ours.
pub fn browser<'a>(shared: &Shared, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie(headers, shared.browser_cookie_name()).filter(|word| word.len() == 43 && word.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// `Set-Cookie` for that word: a year.
pub fn browser_cookie(shared: &Shared, word: &str) -> Option<HeaderValue> {
    let secure = if shared.https { "; Secure" } else { "" };
    let name = shared.browser_cookie_name();
    HeaderValue::from_str(&format!("{name}={word}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[track_caller]
    fn check_key(pairs: &[(&'static str, &str)], expected: Result<Option<&str>, &str>) {
        let headers = with(pairs);
        let shown = shown_key(&headers).map_err(|failure| match failure {
            Failure::Operation(Error::InvalidCredential) => "invalid_credential",
            Failure::Operation(_) => "other",
            Failure::Face(problem) => problem.code,
        });
        assert_eq!(shown, expected, "{pairs:?}");
    }

    #[test]
    fn one_key_is_shown() {
        check_key(&[], Ok(None));
        check_key(&[("cookie", "octroi_session=x")], Ok(None));
        check_key(&[("x-api-key", "k")], Ok(Some("k")));
        check_key(&[("authorization", "bearer k")], Ok(Some("k")));
        check_key(&[("authorization", "Bearer k"), ("x-api-key", "k")], Ok(Some("k")));
        check_key(&[("authorization", "Bearer k"), ("x-api-key", "j")], Err("two_credentials"));
        check_key(&[("x-api-key", "k"), ("x-api-key", "k")], Err("repeated_header"));
        for bad in ["", "Bearer", "Bearer ", "Basic eDp5", "k"] {
            check_key(&[("authorization", bad), ("cookie", "octroi_session=x")], Err("invalid_credential"));
        }
        check_key(&[("x-api-key", "")], Err("invalid_credential"));
        check_key(&[("x-api-key", &"k".repeat(201))], Err("invalid_credential"));
    }

    #[test]
    fn one_cookie_of_the_name() {
        let read = |values: &[&str]| {
            let headers = with(&values.iter().map(|value| ("cookie", *value)).collect::<Vec<_>>());
            cookie(&headers, "octroi_session").map(str::to_owned)
        };
        assert_eq!(read(&["a=b; octroi_session=v; c=d"]).as_deref(), Some("v"));
        assert_eq!(read(&["a=b", "octroi_session=v=w"]).as_deref(), Some("v=w"));
        for bad in [
            &["octroi_session=v; octroi_session=w"][..],
            &["octroi_session=v", "octroi_session=w"],
            &["octroi_session="],
            &["xoctroi_session=v"],
            &["octroi_session"],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn another_site_is_refused() {
        let now = Moment::from_micros(0);
        let held = authentication::Session {
            id: octroi_domain::Id::from_uuid(uuid::Uuid::nil()),
            user: octroi_domain::Id::from_uuid(uuid::Uuid::nil()),
            authentication: authentication::Authentication::new(authentication::Method::Password, now),
            created_at: now,
            last_seen_at: now,
            expires_at: now,
            address: String::new(),
            agent: String::new(),
        };
        let session = Session { cookie: "v".into(), held, second_factor_required: false };
        let token = csrf_token("v");
        let token = token.as_str();
        let good =
            |pairs: &[(&'static str, &str)], session: Option<&Session>| check_csrf("http://localhost:3000", &with(pairs), session).is_ok();
        assert!(good(&[("x-csrf-token", token)], Some(&session)));
        assert!(good(&[("x-csrf-token", token), ("sec-fetch-site", "same-origin"), ("origin", "http://localhost:3000")], Some(&session)));
        assert!(good(&[], None));
        for bad in [
            &[][..],
            &[("x-csrf-token", "tokem")],
            &[("x-csrf-token", "")],
            &[("x-csrf-token", token), ("x-csrf-token", token)],
            &[("x-csrf-token", token), ("sec-fetch-site", "cross-site")],
            &[("x-csrf-token", token), ("sec-fetch-site", "same-site")],
            &[("x-csrf-token", token), ("origin", "null")],
            &[("x-csrf-token", token), ("origin", "http://localhost:3000.evil.example")],
        ] {
            assert!(!good(bad, Some(&session)), "{bad:?}");
        }
        // A sign-in has no session yet, but still a browser that says where it comes from.
        assert!(!good(&[("origin", "https://evil.example")], None));
        assert!(!good(&[("sec-fetch-site", "cross-site")], None));
    }
}
