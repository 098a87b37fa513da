//! Sends an admitted call to its upstream, and takes the answer back: streaming both ways, except
//! for an answer that is minimised.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header, request::Parts};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep_until, timeout_at};

use crate::{
    admit::Admitted,
    answer::{Cut, Outcoming, X_REQUEST_ID, finish},
    assertion::assertion,
    call::Call,
    denied::{Denied, Reason},
    minimise,
    parse::is_forgeable,
    pool::{Lease, Pool},
    published::Upstream,
    server::Worker,
    snapshot::Snapshot,
};

/// The body of a request on its way to the upstream.
pub(crate) enum Outgoing {
    Stream(hyper::body::Incoming),
    Whole(Bytes),
}
impl Outgoing {
    fn is_empty(&self) -> bool {
        match self {
            Self::Stream(incoming) => incoming.is_end_stream(),
            Self::Whole(bytes) => bytes.is_empty(),
        }
    }

    /// What is known of its length, bytes.
    pub(crate) fn length(&self) -> u64 {
        self.size_hint().lower()
    }
}
impl Body for Outgoing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(incoming) => loop {
                match ready!(Pin::new(&mut *incoming).poll_frame(cx)) {
                    // Trailers could carry what was stripped from the head.
                    Some(Ok(frame)) if !frame.is_data() => {}
                    other => return Poll::Ready(other),
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Stream(incoming) => incoming.size_hint(),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
        }
    }
}

/// The body of an upstream's answer. Its connection goes back to the pool when it has ended.
pub(crate) struct Incoming {
    body: hyper::body::Incoming,
    deadline: tokio::time::Instant,
    /// Armed when the body first keeps us waiting.
    timer: Option<Pin<Box<Sleep>>>,
    lease: Option<(Lease, Arc<Worker>)>,
}
impl Incoming {
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(_))) => {
                    self.lease = None;
                    return Poll::Ready(Some(Err(Cut::new(Reason::UpstreamInvalid))));
                }
                Poll::Ready(None) => {
                    self.give_back();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let deadline = self.deadline;
                    let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                    ready!(timer.as_mut().poll(cx));
                    self.lease = None;
                    return Poll::Ready(Some(Err(Cut::new(Reason::UpstreamTimeout))));
                }
            }
        }
    }

    fn give_back(&mut self) {
        if let Some((lease, worker)) = self.lease.take() {
            worker.pool.put_back(lease);
        }
    }

    pub(crate) fn is_end(&self) -> bool {
        self.body.is_end_stream()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    /// The whole body.
    ///
    /// # Errors
    /// `answer_too_large` above `most` bytes; what cut the body.
    pub(crate) async fn collect(mut self, most: usize) -> Result<Bytes, Reason> {
        if self.size_hint().lower() > most as u64 {
            return Err(Reason::AnswerTooLarge);
        }
        let next = |this: &mut Self, cx: &mut Context<'_>| this.poll_data(cx);
        let mut first: Option<Bytes> = None;
        let mut whole = BytesMut::new();
        while let Some(data) = std::future::poll_fn(|cx| next(&mut self, cx)).await {
            let data = data.map_err(Cut::reason)?;
            if whole.len().saturating_add(first.as_ref().map_or(0, Bytes::len)).saturating_add(data.len()) > most {
                return Err(Reason::AnswerTooLarge);
            }
            match first.take() {
                None if whole.is_empty() => first = Some(data),
                taken => {
                    whole.extend_from_slice(&taken.unwrap_or_default());
                    whole.extend_from_slice(&data);
                }
            }
        }
        Ok(first.unwrap_or_else(|| whole.freeze()))
    }
}
impl Drop for Incoming {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.give_back();
        }
    }
}

/// Hop-by-hop fields (RFC 9110 section 7.6.1), which end here.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Takes away hop-by-hop fields, those that `Connection` names, and those that `more` finds: one pass.
fn strip(headers: &mut HeaderMap, more: impl Fn(&HeaderName) -> bool) {
    let mut doomed: Vec<HeaderName> = headers.keys().filter(|name| is_hop_by_hop(name.as_str()) || more(name)).cloned().collect();
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    doomed.extend(named.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok()));
    for name in doomed {
        headers.remove(name);
    }
}

/// Headers that [`rewrite`] adds, at most.
const OURS: usize = 6;

/// Makes the client's head into the upstream's: nothing that the client said about itself or about
/// the way remains, and ours is added.
fn rewrite(parts: &mut Parts, admitted: &Admitted, upstream: &Upstream, snapshot: &Snapshot, call: &Call) -> Result<(), Denied> {
    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    let headers = &mut parts.headers;
    let assertion_header = admitted.api().assertion.as_ref();
    let masked = admitted.mask().is_some();
    strip(headers, |name| {
        is_forgeable(name.as_str())
            || is_ours_to_read(name)
            || assertion_header.is_some_and(|ours| same_spelling(ours, name))
            || (masked && is_partial(name))
    });
    let gateway = &call.connection.worker.gateway;
    headers.reserve(OURS);
    headers.insert(header::HOST, upstream.authority.clone());
    headers.insert(X_REQUEST_ID, call.request_id.clone());
    let peer = if call.address == call.connection.peer {
        Some(call.connection.peer_text.clone())
    } else {
        HeaderValue::try_from(call.address.to_string()).ok()
    };
    if let Some(peer) = peer {
        headers.insert(FORWARDED_FOR, peer);
    }
    headers.insert(FORWARDED_PROTO, gateway.forwarded_proto.clone());
    headers.insert(FORWARDED_HOST, gateway.forwarded_host.clone());
    if let Some(name) = assertion_header {
        headers.insert(name.clone(), assertion(admitted.standing(), snapshot, call.times.now.seconds())?);
    }
    Ok(())
}

/// Credentials for us, and what hyper answers itself.
fn is_ours_to_read(name: &HeaderName) -> bool {
    matches!(name.as_str(), "authorization" | "x-api-key" | "keyid" | "cookie" | "x-jwt-assertion" | "expect")
}

/// Asks for less than the whole, plain body, which could not be minimised.
fn is_partial(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "accept-encoding" | "range" | "if-range" | "if-match" | "if-none-match" | "if-modified-since" | "if-unmodified-since"
    )
}

/// Would an upstream that reads `_` as `-` take one for the other?
fn same_spelling(ours: &HeaderName, name: &HeaderName) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte };
    ours.as_str().len() == name.as_str().len() && ours.as_str().bytes().map(fold).eq(name.as_str().bytes().map(fold))
}

/// The request target at the upstream: its base path, the path below the mount, the query.
fn target(upstream: &Upstream, below: &str, query: Option<&str>) -> Result<Uri, Denied> {
    let mut text = String::with_capacity(upstream.base_path.len() + below.len() + query.map_or(0, |query| query.len() + 1));
    text.push_str(&upstream.base_path);
    text.push_str(below);
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    Uri::from_maybe_shared(Bytes::from(text)).map_err(|_| Denied::malformed("the path cannot be passed on"))
}

/// Sends the call, and answers what the upstream answers, minimised.
pub(crate) async fn forward(
    admitted: Admitted,
    upstream: &Upstream,
    snapshot: &Snapshot,
    mut parts: Parts,
    below_at: usize,
    body: Outgoing,
    mut call: Box<Call>,
) -> Result<Response<Outcoming>, (Denied, Box<Call>)> {
    macro_rules! attempt {
        ($result:expr) => {
            match $result {
                Ok(value) => value,
                Err(denied) => return Err((Denied::from(denied), call)),
            }
        };
    }
    let worker = Arc::clone(&call.connection.worker);
    let below = parts.uri.path().get(below_at..).unwrap_or_default();
    let uri = attempt!(target(upstream, below, parts.uri.query()));
    attempt!(rewrite(&mut parts, &admitted, upstream, snapshot, &call));
    call.request_bytes = body.length();
    let is_head = parts.method == Method::HEAD;
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = parts.headers;
    let deadline = tokio::time::Instant::from_std(call.started + upstream.timeout);
    let sent = Instant::now();
    let exchanged = timeout_at(deadline, exchange(&worker, upstream, request)).await;
    call.upstream_us = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (response, lease) = attempt!(exchanged.unwrap_or(Err(Reason::UpstreamTimeout)));
    let (mut head, body) = response.into_parts();
    let incoming = Box::new(Incoming { body, deadline, timer: None, lease: Some((lease, worker)) });
    if head.status.is_informational() {
        return Err((Reason::UpstreamInvalid.into(), call));
    }
    clean(&mut head.headers, admitted.api().mount.as_str(), upstream);
    match admitted.mask() {
        None => Ok(finish(head.status, head.headers, call, |call| Outcoming::stream(incoming, call))),
        Some(mask) => Box::pin(minimise::upstream_answer(head.status, head.headers, is_head, incoming, mask, &admitted, call)).await,
    }
}

/// Takes from the answer what belongs to the connection, or to us.
fn clean(headers: &mut HeaderMap, mount: &str, upstream: &Upstream) {
    strip(headers, |name| {
        matches!(
            name.as_str(),
            "server"
                | "set-cookie"
                | "alt-svc"
                | "octroi-error"
                | "x-powered-by"
                | "ratelimit"
                | "ratelimit-policy"
                | "ratelimit-limit"
                | "ratelimit-remaining"
                | "ratelimit-reset"
        )
    });
    // A redirect within the upstream is one within the mount; the upstream's own address stays hidden.
    let moved = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).and_then(|location| {
        let below = location.strip_prefix(upstream.base_url.as_str())?;
        (below.is_empty() || below.starts_with(['/', '?'])).then(|| format!("{mount}{below}"))
    });
    if let Some(moved) = moved.and_then(|moved| HeaderValue::try_from(moved).ok()) {
        headers.insert(header::LOCATION, moved);
    }
}

type Exchanged = (Response<hyper::body::Incoming>, Lease);

/// One exchange with the upstream, on an idle connection if there is one. A request that an idle
/// connection gave back, because it never left, goes once more over a new connection.
async fn exchange(worker: &Worker, upstream: &Upstream, request: Request<Outgoing>) -> Result<Exchanged, Reason> {
    let pool: &Pool = &worker.pool;
    let request = match pool.idle(upstream).await {
        None => request,
        Some(mut lease) => match lease.sender.try_send_request(request).await {
            Ok(response) => return Ok((response, lease)),
            Err(mut error) => match error.take_message() {
                Some(unsent) => unsent,
                None => return Err(failed(error.error(), upstream)),
            },
        },
    };
    // Boxed, as it is rare and large: the future of every call would have its room.
    let mut lease = Box::pin(pool.connect(upstream)).await.map_err(|error| {
        tracing::warn!(%error, upstream = %upstream.pool, "an upstream cannot be reached");
        if matches!(error, crate::pool::ConnectError::Timeout) { Reason::UpstreamTimeout } else { Reason::UpstreamUnreachable }
    })?;
    worker.stats.upstream_connections.fetch_add(1, Relaxed);
    match lease.sender.try_send_request(request).await {
        Ok(response) => Ok((response, lease)),
        Err(error) => Err(failed(error.error(), upstream)),
    }
}

fn failed(error: &hyper::Error, upstream: &Upstream) -> Reason {
    // The client's own body broke off or was malformed: not the provider's fault.
    if error.is_user() {
        return Reason::MalformedRequest;
    }
    tracing::warn!(%error, upstream = %upstream.pool, "an upstream did not answer");
    if error.is_parse() { Reason::UpstreamInvalid } else { Reason::UpstreamUnreachable }
}
