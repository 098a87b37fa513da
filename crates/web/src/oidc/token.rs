//! `POST /oauth/token`: tokens for relying parties (RFC 6749 section 3.2), and for applications that call through the
//! gateway (section 4.4).

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    form::{Sent, open, refused},
    json,
};
use crate::dispatch::OpenCall;

/// Answers a relying party itself; hands any other request to the gateway of the client's stage, and its answer back.
pub async fn issue(call: OpenCall) -> Response {
    let sent = match Sent::read(call, "POST").await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    let app = &sent.shared.web.app;
    if app.is_from_client(&sent.presented()) {
        if let Some(fault) = &sent.fault {
            return refused(fault, false);
        }
        return match app.client_token(sent.presented()).await {
            Ok(issued) => sent.noted(unkept(open(json(&issued))), ""),
            Err(error) => sent.answer(error),
        };
    }
    let door = match app.door(sent.presented()).await {
        Ok(door) => door,
        Err(error) => return sent.answer(error),
    };
    let answer = sent.shared.web.tokens.token(None, sent.authorization.as_deref(), sent.content_type.as_deref(), &sent.body);
    let settled = match answer.status {
        401 => app.was_wrong(door, sent.now).await,
        200 => app.was_right(door, sent.now).await,
        _ => Ok(()),
    };
    if let Err(error) = settled {
        return sent.answer(error);
    }
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    open(response)
}

/// For what answers over HTTP/1.0 too (RFC 6749 section 5.1); `Cache-Control` is on every answer of the portal.
fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
