//! What the fronts and APIs of products ask: who somebody is, a code exchanged, a login refreshed or ended. Their origin is the only
//! other one whose scripts may read the answers.

pub mod choice;
pub mod session;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::{Error, hand_off::settings, sign_on::Refusal, sign_on::SignOnError};
use octroi_domain::{Slug, connection::Connection};
use serde::{Serialize, de::DeserializeOwned};

use crate::{body, dispatch::OpenCall, headers::once, oidc::form::refusal, state::Shared};

/// A longer body than a code and a verifier need is none of ours.
const MOST_BODY: usize = 10_000;
/// How long a login can last: twelve hours.
const LOGIN_SECONDS: i64 = octroi_domain::hand_off::LOGIN_SECONDS;

/// What a cookie of a product is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Binds a login that is on its way to the browser.
    Way,
    Session,
    Refresh,
}
impl Cookie {
    const ALL: [Self; 3] = [Self::Way, Self::Session, Self::Refresh];

    /// Before the product's name. With `__Host-` a browser takes it from this host over TLS only.
    const fn start(self, https: bool) -> &'static str {
        match (self, https) {
            (Self::Way, true) => "__Host-octroi-way-",
            (Self::Way, false) => "octroi_way_",
            (Self::Session, true) => "__Host-octroi-product-",
            (Self::Session, false) => "octroi_product_",
            (Self::Refresh, true) => "__Host-octroi-refresh-",
            (Self::Refresh, false) => "octroi_refresh_",
        }
    }

    /// `Set-Cookie`; with no value, its end.
    pub fn set(self, shared: &Shared, slug: &Slug, value: Option<&str>) -> String {
        let age = match (self, value) {
            (_, None) => 0,
            (Self::Way, _) => octroi_domain::hand_off::PENDING_SECONDS,
            (Self::Session | Self::Refresh, _) => LOGIN_SECONDS,
        };
        let secure = if shared.https { "; Secure" } else { "" };
        let (start, value) = (self.start(shared.https), value.unwrap_or_default());
        format!("{start}{slug}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
    }

    /// Its value for one product.
    pub fn of(self, shared: &Shared, headers: &HeaderMap, slug: &Slug) -> Option<String> {
        self.all(shared, headers).into_iter().find(|(found, _)| found == slug).map(|(_, value)| value)
    }

    /// The same, where the pairs were read.
    pub fn among(self, shared: &Shared, cookies: &[(String, String)], slug: &Slug) -> Option<String> {
        let name = format!("{}{slug}", self.start(shared.https));
        let mut values = cookies.iter().filter(|(found, _)| *found == name).map(|(_, value)| value);
        values.next().filter(|value| (1..=200).contains(&value.len())).filter(|_| values.next().is_none()).cloned()
    }

    /// Those that came. Two for one product tell nothing: somebody tossed one in.
    fn all(self, shared: &Shared, headers: &HeaderMap) -> Vec<(Slug, String)> {
        let start = self.start(shared.https);
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(';'));
        let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
        let mut found: Vec<(Slug, String)> = Vec::new();
        let mut twice: Vec<Slug> = Vec::new();
        for (name, value) in pairs.take(100) {
            let Some(slug) = name.strip_prefix(start).and_then(|slug| slug.parse::<Slug>().ok()) else { continue };
            if found.iter().any(|(before, _)| *before == slug) {
                twice.push(slug);
            } else if (1..=200).contains(&value.len()) {
                found.push((slug, value.to_owned()));
            }
        }
        found.retain(|(slug, _)| !twice.contains(slug));
        found
    }
}

/// The origin that a browser says it asks from.
fn origin_of(headers: &HeaderMap) -> Option<&str> {
    once(headers, &header::ORIGIN).ok().flatten()
}

/// May a script of this origin, or no script at all, ask about this product?
fn may_ask(shared: &Shared, headers: &HeaderMap, connection: &Connection) -> bool {
    match origin_of(headers) {
        None => !headers.contains_key(header::ORIGIN),
        Some(origin) => origin == shared.origin || is_front(connection, origin),
    }
}

fn is_front(connection: &Connection, origin: &str) -> bool {
    connection.product().is_some_and(|product| settings::origin(product).is_ok_and(|front| front == origin))
}

/// Lets scripts of a product's front read the answer, and of no other origin.
fn shared_with(mut response: Response, call: &Asked, connection: Option<&Connection>) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin, Cookie"));
    if let Some(origin) = call.origin()
        && connection.is_some_and(|connection| is_front(connection, origin))
        && let Ok(value) = HeaderValue::from_str(origin)
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

/// A request to one of these addresses, read.
struct Asked {
    shared: std::sync::Arc<Shared>,
    headers: HeaderMap,
    query: String,
    params: Vec<(String, String)>,
    request_id: String,
    body: bytes::Bytes,
}
impl Asked {
    async fn read(call: OpenCall) -> Result<Self, Response> {
        let body = body::read(call.body, &call.headers, MOST_BODY).await;
        let body = body.map_err(|_| answer_refusal(&refusal(400, "invalid_request", "the body is too long, too slow or incomplete")))?;
        Ok(Self {
            shared: call.shared,
            headers: call.headers,
            query: call.query.unwrap_or_default(),
            params: call.params,
            request_id: call.facts.request_id,
            body,
        })
    }

    fn origin(&self) -> Option<&str> {
        origin_of(&self.headers)
    }

    /// The members of the body: JSON, or a form.
    fn members<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let bad = |what: &str| refusal(400, "invalid_request", what);
        let kind = once(&self.headers, &header::CONTENT_TYPE).ok().flatten().unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => serde_json::from_slice(&self.body).map_err(|_| bad("a member is missing, unknown or malformed")),
            "application/x-www-form-urlencoded" => {
                let read = octroi_oauth::parameters::Parameters::read(&self.body).map_err(|error| bad(&error.to_string()))?;
                let members: serde_json::Map<_, _> = ["code", "code_verifier", "organization_siret", "connection"]
                    .into_iter()
                    .filter_map(|name| Some((name.to_owned(), serde_json::Value::String(read.owned(name)?))))
                    .collect();
                serde_json::from_value(members.into()).map_err(|_| bad("a parameter is missing or unknown"))
            }
            _ => Err(bad("send JSON, or a form")),
        }
    }

    fn param<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.params.iter().find(|(found, _)| found == name).and_then(|(_, text)| text.parse().ok())
    }

    fn failed(&self, error: SignOnError) -> Response {
        match error {
            SignOnError::Refused(refusal) => answer_refusal(&refusal),
            SignOnError::Failed(error) => self.error(error),
        }
    }

    fn error(&self, error: Error) -> Response {
        match error {
            Error::NotFound => {
                answer_refusal(&refusal(404, "not_found", "there is no such login under way in this browser: begin a new one"))
            }
            Error::Conflict { code, text } => answer_refusal(&refusal(409, code, &text.en)),
            Error::Invalid(errors) => {
                let what = errors.first().map(|error| error.message.en.clone()).unwrap_or_default();
                answer_refusal(&refusal(422, "invalid", &what))
            }
            Error::TooManyAttempts { .. } => answer_refusal(&refusal(429, "too_many_attempts", "too many attempts: wait a little")),
            error => {
                tracing::error!(request_id = self.request_id, %error, "a product could not be answered");
                answer_refusal(&refusal(503, "temporarily_unavailable", "try again"))
            }
        }
    }
}

fn answer(value: &impl Serialize) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(value).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn answer_refusal(refusal: &Refusal) -> Response {
    let mut response = answer(&serde_json::json!({ "error": refusal.code, "error_description": refusal.description }));
    *response.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    if refusal.status == 401 {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"octroi\""));
    }
    response
}

fn add_cookie(response: &mut Response, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// What a browser asks before a script of a front may ask (the Fetch standard, CORS-preflight).
pub async fn preflight(call: OpenCall) -> Response {
    let asked = match Asked::read(call).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let Some(origin) = asked.origin() else { return response };
    let fronts = match asked.shared.web.app.products_of_origin(origin).await {
        Ok(fronts) => fronts,
        Err(error) => return asked.error(error),
    };
    if let Some(front) = fronts.first() {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, X-CSRF-Token"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        response = shared_with(response, &asked, Some(front));
    }
    response
}

pub const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
