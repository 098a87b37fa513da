//! A client's request to an endpoint of the sign-on, as it came in; and answers in the form of their RFC.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::sign_on::{Presented, Refusal, SignOnError, inspect::Answer, settings::Certificates};
use octroi_domain::Moment;
use octroi_oauth::{
    certificate::Certificate,
    parameters::Parameters,
    token_request::{ClientAuthentication, basic},
};
use serde::Serialize;

use super::{json, unavailable};
use crate::{
    body,
    dispatch::OpenCall,
    headers::{CLIENT_CERT, once},
    state::Shared,
};

pub const DPOP: HeaderName = HeaderName::from_static("dpop");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");
const FORM: &str = "application/x-www-form-urlencoded";

/// What came in, whole.
pub struct Sent {
    pub shared: Arc<Shared>,
    pub request_id: String,
    pub authorization: Option<String>,
    basic: Option<ClientAuthentication>,
    pub accept: Option<String>,
    pub dpop: Option<String>,
    /// Of the client, as the proxy in front says.
    pub certificate: Option<Certificate>,
    /// The network address of the client.
    pub peer: String,
    pub content_type: Option<String>,
    pub body: bytes::Bytes,
    pub parameters: Parameters,
    pub method: &'static str,
    pub address: String,
    pub now: Moment,
    /// Why the parameters cannot be read.
    pub fault: Option<Refusal>,
}

impl Sent {
    /// Reads headers and body. What is wrong with the parameters is kept aside: whose business it is is not known yet.
    pub async fn read(call: OpenCall, method: &'static str) -> Result<Self, Response> {
        let bad = |what: &str| refused(&refusal(400, "invalid_request", what), false);
        // RFC 6749 section 2.3.1: in the address, a secret stays in histories and logs.
        if call.query.as_deref().is_some_and(|query| query.contains("client_secret=") || query.contains("client_assertion=")) {
            return Err(bad("a secret has no place in the address: send it by the header or in the body"));
        }
        let text = |name: HeaderName| match once(&call.headers, &name) {
            Ok(value) => Ok(value.map(str::to_owned)),
            Err(_) if name == DPOP => Err(refusal(400, "invalid_dpop_proof", "send one DPoP proof")),
            Err(_) => Err(refusal(400, "invalid_request", "a header is malformed or repeated")),
        };
        let answer = |refusal: Refusal| refused(&refusal, false);
        let (authorization, dpop) = (text(header::AUTHORIZATION).map_err(answer)?, text(DPOP).map_err(answer)?);
        let certificate = certificate(&call).map_err(|what| bad(&what))?;
        let (content_type, accept) = (text(header::CONTENT_TYPE).map_err(answer)?, text(header::ACCEPT).unwrap_or_default());
        let asked_at = asked_at(&call);
        let limit = octroi_oauth::parameters::MAX_PARAMETERS;
        let body = body::read(call.body, &call.headers, limit).await.map_err(|_| bad("the body is too long, too slow or incomplete"))?;
        let form =
            content_type.as_deref().and_then(|kind| kind.split(';').next()).is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM));
        let (parameters, fault) = match Parameters::read(&body) {
            _ if body.is_empty() && method == "GET" => (Parameters::default(), None),
            _ if !form => {
                (Parameters::default(), Some(refusal(400, "invalid_request", "send the parameters as application/x-www-form-urlencoded")))
            }
            Ok(parameters) => (parameters, None),
            Err(error) => (Parameters::default(), Some(refusal(400, "invalid_request", &error.to_string()))),
        };
        Ok(Self {
            address: format!("{asked_at}{}", call.facts.path),
            peer: call.peer,
            certificate,
            now: call.shared.now(),
            request_id: call.facts.request_id,
            shared: call.shared,
            basic: authorization.as_deref().and_then(basic),
            authorization,
            accept,
            dpop,
            content_type,
            body,
            parameters,
            method,
            fault,
        })
    }

    pub fn presented(&self) -> Presented<'_> {
        Presented {
            authorization: self.authorization.as_deref(),
            basic: self.basic.as_ref(),
            dpop: self.dpop.as_deref(),
            certificate: self.certificate.as_ref(),
            peer: &self.peer,
            method: self.method,
            address: &self.address,
            parameters: &self.parameters,
            now: self.now,
        }
    }

    /// The error of an operation, as an answer.
    pub fn answer(&self, error: SignOnError) -> Response {
        match error {
            SignOnError::Refused(refusal) => self.noted(refused(&refusal, self.authorization.is_some()), refusal.code),
            SignOnError::Failed(error) => unavailable(&self.request_id, &error),
        }
    }

    /// With the nonce that the next DPoP proof has to carry, where proofs carry one (RFC 9449 section 8.2). `code`: of the error, if it is one.
    pub fn noted(&self, mut response: Response, code: &str) -> Response {
        let app = &self.shared.web.app;
        if (app.sign_on_settings().dpop_nonces || code == "use_dpop_nonce")
            && let Ok(nonce) = HeaderValue::try_from(app.dpop_nonce(self.now))
        {
            response.headers_mut().insert(DPOP_NONCE, nonce);
        }
        response
    }
}

/// The certificate that a proxy in front hands on. Those of others were taken away before.
fn certificate(call: &OpenCall) -> Result<Option<Certificate>, String> {
    if call.shared.web.app.sign_on_settings().certificates == Certificates::Off {
        return Ok(None);
    }
    let malformed = || "the header Client-Cert is malformed or repeated".to_owned();
    let header = once(&call.headers, &CLIENT_CERT).map_err(|_| malformed())?;
    header.map(|text| Certificate::from_header(text).map_err(|error| error.to_string())).transpose()
}

/// The public address; or the other one, where certificates are asked for, when the request names it.
fn asked_at(call: &OpenCall) -> String {
    let other = call.shared.web.app.sign_on_settings().certificate_url.as_deref();
    let host = call.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = other.filter(|url| host.is_some_and(|host| url.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host))));
    named.unwrap_or(&call.shared.public_url).to_owned()
}

pub fn refusal(status: u16, code: &'static str, description: &str) -> Refusal {
    Refusal::new(status, code, description)
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// A refusal in the form of RFC 6749 section 5.2. `by_header`: the client authenticated by a header, and is told so.
pub fn refused(refusal: &Refusal, by_header: bool) -> Response {
    let mut response = json(&ErrorBody { error: refusal.code, error_description: &refusal.description });
    *response.status_mut() = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    if refusal.status == 401 && by_header {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"octroi\""));
    }
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    open(response)
}

/// An answer as JSON, or as the JWT that the client asked for.
pub fn told(answer: Answer, media_type: &'static str) -> Response {
    match answer {
        Answer::Json(value) => open(json(&value)),
        Answer::Jwt(token) => {
            let mut response = Response::new(Body::from(token));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            open(response)
        }
    }
}

/// Lets a page of any origin read the answer; it carries no cookie, and looks at none.
pub fn open(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce, Retry-After"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    response
}

/// What a browser asks before a page of another origin may ask (the Fetch standard, CORS-preflight).
pub async fn preflight(_call: OpenCall) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, DPoP"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    open(response)
}
