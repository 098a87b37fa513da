//! The steps of one call, in the order of the design.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use octroi_oauth::token_request;

use crate::{
    admit::{Admitted, admit},
    answer::{Outcoming, ours, problem},
    call::Call,
    denied::{Denied, Note, Reason},
    forward::{Outgoing, forward},
    identify::identify,
    minimise,
    mock::{MockRequest, Mocks},
    parse,
    published::{Found, Published, Source},
    server::Connection,
    snapshot::Snapshot,
    token,
};

/// An answer, or a refusal with the call that it ends.
pub(crate) type Answered = Result<Response<Outcoming>, (Denied, Box<Call>)>;

/// Serves one request.
pub(crate) async fn serve(connection: Arc<Connection>, request: Request<hyper::body::Incoming>) -> Result<Response<Outcoming>, Infallible> {
    let (parts, body) = request.into_parts();
    let call = Call::begin(&connection, &parts);
    Ok(match steps(call, parts, body).await {
        Ok(response) => response,
        Err((denied, call)) => problem(call, &denied),
    })
}

/// A call that was found and admitted, with what its operation may need of the path.
struct Ready {
    admitted: Admitted,
    /// Where the path below the mount begins.
    below_at: usize,
    path_params: Vec<(String, String)>,
}

async fn steps(mut call: Box<Call>, parts: Parts, body: hyper::body::Incoming) -> Answered {
    let connection = Arc::clone(&call.connection);
    if let Err(fault) = connection.watch.next_request() {
        let mut denied = Denied::malformed(fault.why());
        denied.close = true;
        return Err((denied, call));
    }
    let presented = match parse::head(&parts) {
        Ok(presented) => presented,
        Err(denied) => return Err((denied, call)),
    };
    let Some(snapshot) = connection.worker.snapshot() else { return Err((Reason::NoSnapshot.into(), call)) };
    match parts.uri.path() {
        "/api/oauth/token" | "/oauth/token" => return Box::pin(token_endpoint(call, &parts, body, &snapshot)).await,
        "/.well-known/jwks.json" => return key_set(call, &parts.method, &snapshot),
        _ => {}
    }
    let ready = match decide(&mut call, &parts, presented, &snapshot) {
        Ok(ready) => ready,
        Err(denied) => return Err((denied, call)),
    };
    deliver(ready, call, parts, body, &snapshot).await
}

/// Route, caller, admission: everything that is decided from the head alone.
fn decide(call: &mut Call, parts: &Parts, presented: parse::Presented<'_>, snapshot: &Snapshot) -> Result<Ready, Denied> {
    let worker = &call.connection.worker;
    let path = parts.uri.path();
    let (api, below) = snapshot.find(path).ok_or(Reason::UnknownRoute)?;
    call.api = Some(Arc::clone(api));
    let (operation, path_params) = route(api, &parts.method, below)?;
    if let Some(operation) = api.operations.get(operation) {
        call.operation = Some(Arc::clone(&operation.text));
    }
    if api.source.is_none() {
        return Err(Reason::NotOpenOnStage.into());
    }
    if api.restricted {
        if !worker.gateway.is_fresh(call.times.monotonic_us) {
            return Err(Reason::ViewTooOld.into());
        }
        if !worker.gateway.traces.is_writable() {
            return Err(Reason::TraceUnavailable.into());
        }
    }
    let caller = match identify(presented, snapshot, &worker.remembered, call.started, call.times.now.seconds()) {
        Ok(caller) => caller,
        Err((denied, owner)) => {
            call.app = owner.map(|caller| Arc::clone(&caller.app));
            return Err(denied);
        }
    };
    call.app = Some(Arc::clone(&caller.app));
    match admit(&caller, api, operation, snapshot, call.address, call.times) {
        Ok(admitted) => {
            call.standing = Some(Arc::clone(admitted.standing()));
            Ok(Ready { admitted, below_at: path.len() - below.len(), path_params })
        }
        Err((denied, standing)) => {
            call.standing = standing;
            Err(denied)
        }
    }
}

/// The operation, and the decoded parameters of its path where something reads them.
fn route(api: &Published, method: &Method, below: &str) -> Result<(usize, Vec<(String, String)>), Denied> {
    match api.find(method, below) {
        Found::Operation(index, params) => {
            let reads = matches!(api.source, Some(Source::Mocks(_)))
                || api.operations.get(index).is_some_and(|operation| operation.validator.is_some());
            let decoded = params
                .iter()
                .filter(|_| reads)
                .map(|(name, value)| (name.to_owned(), parse::decode(value).unwrap_or_else(|| value.to_owned())));
            Ok((index, decoded.collect()))
        }
        Found::Methods(allow) => Err(Denied::with(Reason::MethodNotAllowed, Note::Allow(allow.clone()))),
        Found::Nothing => Err(Reason::UnknownRoute.into()),
    }
}

/// Checks the request against the contract where the API asks for it, and gets the answer.
async fn deliver(ready: Ready, mut call: Box<Call>, parts: Parts, body: hyper::body::Incoming, snapshot: &Snapshot) -> Answered {
    let Ready { admitted, below_at, path_params } = ready;
    let api = Arc::clone(admitted.api());
    let validates = admitted.operation().is_some_and(|operation| operation.validator.is_some());
    let buffers = validates || matches!(api.source, Some(Source::Mocks(_)));
    let mut body = Outgoing::Stream(body);
    if buffers {
        let settings = &call.connection.worker.gateway.settings;
        match Box::pin(read(body, settings.max_masked_body, settings.body_timeout)).await {
            Ok(bytes) => {
                call.request_bytes = bytes.len() as u64;
                body = Outgoing::Whole(bytes);
            }
            Err(reason) => return Err((reason.into(), call)),
        }
    }
    if let (true, Outgoing::Whole(bytes)) = (validates, &body)
        && let Err(denied) = validate(&admitted, &parts, &path_params, bytes)
    {
        return Err((denied, call));
    }
    match &api.source {
        Some(Source::Upstream(upstream)) => forward(admitted, upstream, snapshot, parts, below_at, body, call).await,
        Some(Source::Mocks(mocks)) => match body {
            Outgoing::Whole(bytes) => mocked(mocks, &admitted, &parts, &path_params, &bytes, call),
            Outgoing::Stream(_) => Err((Reason::NotOpenOnStage.into(), call)),
        },
        None => Err((Reason::NotOpenOnStage.into(), call)),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn validate(admitted: &Admitted, parts: &Parts, path_params: &[(String, String)], body: &[u8]) -> Result<(), Denied> {
    let Some(validator) = admitted.operation().and_then(|operation| operation.validator.as_ref()) else { return Ok(()) };
    let media = text(&parts.headers, &header::CONTENT_TYPE).unwrap_or_default();
    let body = (!body.is_empty() || !media.is_empty()).then_some((media, body));
    let judged = validator.validate(path_params, parts.uri.query(), &parts.headers, body);
    judged.map_err(|violations| Denied::with(Reason::RequestInvalid, Note::Violations(violations)))
}

fn mocked(mocks: &Mocks, admitted: &Admitted, parts: &Parts, path_params: &[(String, String)], body: &[u8], call: Box<Call>) -> Answered {
    const MOCK_PARAMS: HeaderName = HeaderName::from_static("octroi-mock-params");
    let Some(operation) = admitted.operation() else { return Err((Reason::UnknownRoute.into(), call)) };
    // A header that is not text stands for parameters that no case has, not for none.
    let mock_params = parts.headers.get(MOCK_PARAMS).map(|value| std::str::from_utf8(value.as_bytes()).unwrap_or("\u{fffd}"));
    let request =
        MockRequest { path_params, query: parts.uri.query(), content_type: text(&parts.headers, &header::CONTENT_TYPE), body, mock_params };
    let answer = mocks.answer(&operation.name, &request);
    let Ok(status) = StatusCode::from_u16(answer.status) else { return Err((Reason::UpstreamInvalid.into(), call)) };
    minimise::mocked(status, &answer.content_type, answer.body, parts.method == Method::HEAD, admitted, call)
}

/// Reads a whole request body.
async fn read(body: Outgoing, most: usize, time: Duration) -> Result<Bytes, Reason> {
    if body.length() > most as u64 {
        return Err(Reason::BodyTooLarge);
    }
    let collect = async {
        let mut body = std::pin::pin!(body);
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let data = frame.map_err(|_| Reason::MalformedRequest)?.into_data().unwrap_or_default();
            if whole.len().saturating_add(data.len()) > most {
                return Err(Reason::BodyTooLarge);
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(time, collect).await.unwrap_or(Err(Reason::BodyTooSlow))
}

async fn token_endpoint(mut call: Box<Call>, parts: &Parts, body: hyper::body::Incoming, snapshot: &Snapshot) -> Answered {
    if parts.method != Method::POST {
        return Err((Denied::with(Reason::MethodNotAllowed, Note::Allow(HeaderValue::from_static("POST"))), call));
    }
    call.operation = Some(Arc::from(format!("POST {}", parts.uri.path())));
    let time = call.connection.worker.gateway.settings.body_timeout;
    let body = match read(Outgoing::Stream(body), token_request::MAX_BODY, time).await {
        Ok(body) => body,
        Err(reason) => return Err((reason.into(), call)),
    };
    call.request_bytes = body.len() as u64;
    // An Authorization header that is not text is one that authenticates nobody.
    let authorization = parts.headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
    let answer = token::respond(snapshot, call.times.now, authorization, text(&parts.headers, &header::CONTENT_TYPE), &body);
    call.app = answer.client.and_then(|client| snapshot.applications.get(&client)).map(Arc::clone);
    if answer.status == 200 {
        call.connection.worker.stats.tokens_issued.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(ours(status, headers, answer.json, call))
}

fn key_set(mut call: Box<Call>, method: &Method, snapshot: &Snapshot) -> Answered {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Err((Denied::with(Reason::MethodNotAllowed, Note::Allow(HeaderValue::from_static("GET, HEAD"))), call));
    }
    call.operation = Some(Arc::from("GET /.well-known/jwks.json"));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    let body = if *method == Method::HEAD { Bytes::new() } else { snapshot.jwks.clone() };
    Ok(ours(StatusCode::OK, headers, body, call))
}
