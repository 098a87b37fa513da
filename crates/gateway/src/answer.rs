//! Answers: our own problems (RFC 9457), and the body that carries a call to its last byte.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use octroi_domain::text::Language;
use serde::Serialize;

use crate::{
    call::Call,
    denied::{Denied, Note, Reason, status_of},
    forward::Incoming,
    openapi::Violation,
};

/// Names the refusal on every answer that the gateway makes itself.
pub const OCTROI_ERROR: HeaderName = HeaderName::from_static("octroi-error");
/// Headers that [`finish`] adds, at most.
const OURS: usize = 6;
const PROBLEM: &str = "application/problem+json";
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why the body of an answer ends before its end: hyper closes the connection, so that the client
/// cannot take it for whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer was cut: {}", .0.code())]
pub struct Cut(Reason);
impl Cut {
    pub(crate) const fn new(reason: Reason) -> Self {
        Self(reason)
    }
    pub(crate) const fn reason(self) -> Reason {
        self.0
    }
}

enum Content {
    Whole(Bytes),
    Stream(Box<Incoming>),
}

/// The body of an answer; its call ends with it.
pub(crate) struct Outcoming {
    content: Content,
    call: Box<Call>,
}
impl Outcoming {
    pub(crate) fn whole(bytes: impl Into<Bytes>, call: Box<Call>) -> Self {
        Self { content: Content::Whole(bytes.into()), call }
    }
    pub(crate) fn stream(incoming: Box<Incoming>, call: Box<Call>) -> Self {
        Self { content: Content::Stream(incoming), call }
    }
}
impl Body for Outcoming {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = self.get_mut();
        let data = match &mut this.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Content::Stream(incoming) => ready!(incoming.poll_data(cx)),
        };
        Poll::Ready(match data {
            Some(Ok(data)) => {
                this.call.response_bytes = this.call.response_bytes.saturating_add(data.len() as u64);
                Some(Ok(Frame::data(data)))
            }
            Some(Err(cut)) => {
                this.call.refusal = Some(cut.0);
                Some(Err(cut))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Stream(incoming) => incoming.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(incoming) => incoming.size_hint(),
        }
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: String,
    code: &'a str,
    request_id: &'a str,
    instance: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<Fault<'a>>>,
    /// The scopes of which one opens the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
}
#[derive(Serialize)]
struct Fault<'a> {
    #[serde(rename = "in")]
    place: &'a str,
    name: &'a str,
    message: &'a str,
}
impl<'a> From<&'a Violation> for Fault<'a> {
    fn from(violation: &'a Violation) -> Self {
        Self { place: violation.place.as_str(), name: &violation.name_or_pointer, message: &violation.message }
    }
}

/// The problem document (RFC 9457) of a refusal.
fn document(denied: &Denied, language: Language, id: &str) -> Vec<u8> {
    let reason = denied.reason;
    let detail = match denied.note {
        Note::Because(why) if language == Language::En => format!("{} Here: {why}.", reason.detail(language)),
        Note::Because(why) => format!("{} Ici : {why}.", reason.detail(language)),
        _ => reason.detail(language).to_owned(),
    };
    let problem = Problem {
        kind: format!("urn:octroi:problem:{}", reason.code()),
        title: reason.title(language),
        status: reason.status(),
        detail,
        code: reason.code(),
        request_id: id,
        instance: if uuid::Uuid::try_parse(id).is_ok() && id.len() == 36 {
            format!("urn:uuid:{id}")
        } else {
            format!("urn:octroi:request:{id}")
        },
        errors: match &denied.note {
            Note::Violations(violations) => Some(violations.iter().map(Fault::from).collect()),
            _ => None,
        },
        scope: match &denied.note {
            Note::Scopes(scopes) => Some(scopes),
            _ => None,
        },
    };
    serde_json::to_vec(&problem).unwrap_or_default()
}

/// The answer to a call that is refused.
pub(crate) fn problem(mut call: Box<Call>, denied: &Denied) -> Response<Outcoming> {
    call.refusal = Some(denied.reason);
    let body = document(denied, call.language(), call.request_id_text());
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(OCTROI_ERROR, HeaderValue::from_static(denied.reason.code()));
    annotate(&mut headers, denied);
    ours(status_of(denied.reason), headers, body, call)
}

/// The same as bytes of HTTP/1.1, for a head that could not be read; the connection ends with it.
pub(crate) fn raw_problem(call: &mut Call, reason: Reason) -> Vec<u8> {
    call.refusal = Some(reason);
    call.status = reason.status();
    let body = document(&Denied::with(reason, Note::None), call.language(), call.request_id_text());
    let (status, code, id) = (status_of(reason), reason.code(), call.request_id_text());
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {PROBLEM}\r\ncache-control: no-store\r\noctroi-error: {code}\r\nx-request-id: {id}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    call.response_bytes = body.len() as u64;
    bytes.extend_from_slice(&body);
    bytes
}

/// The headers that go with a kind of refusal.
fn annotate(headers: &mut HeaderMap, denied: &Denied) {
    match &denied.note {
        Note::Allow(methods) => drop(headers.insert(header::ALLOW, methods.clone())),
        Note::RetryAfter(seconds) => drop(headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds))),
        _ => {}
    }
    let challenge = match (denied.reason, &denied.note) {
        (Reason::MissingCredential, _) => Some(HeaderValue::from_static("Bearer realm=\"octroi\"")),
        (Reason::InvalidCredential, _) => Some(HeaderValue::from_static("Bearer realm=\"octroi\", error=\"invalid_token\"")),
        (Reason::ScopeMissing, Note::Scopes(scopes)) => {
            HeaderValue::try_from(format!("Bearer realm=\"octroi\", error=\"insufficient_scope\", scope=\"{scopes}\"")).ok()
        }
        _ => None,
    };
    if let Some(challenge) = challenge {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if denied.close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

/// An answer of which we hold the whole body.
pub(crate) fn ours(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>, call: Box<Call>) -> Response<Outcoming> {
    finish(status, headers, call, |call| Outcoming::whole(body, call))
}

/// Writes what every answer carries: the request id and the state of the limits.
pub(crate) fn finish(
    status: StatusCode,
    headers: HeaderMap,
    mut call: Box<Call>,
    body: impl FnOnce(Box<Call>) -> Outcoming,
) -> Response<Outcoming> {
    call.status = status.as_u16();
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    let headers = response.headers_mut();
    // Room for all of ours at once: a map that grows hashes everything again.
    headers.reserve(OURS);
    headers.insert(X_REQUEST_ID, call.request_id.clone());
    if let Some(standing) = call.standing.as_ref().filter(|standing| standing.sub.limits.is_limited()) {
        standing.sub.limits.describe(headers, call.times.monotonic_us, call.times.today, call.times.now.seconds());
    }
    response.map(|()| body(call))
}
