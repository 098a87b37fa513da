//! `POST /oauth/par`: requests that clients push beforehand (RFC 9126); and `POST /oauth/authorize`, which a browser sends.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{
    form::{Sent, open, refused},
    json,
};
use crate::dispatch::OpenCall;

#[derive(Serialize)]
struct Pushed {
    request_uri: String,
    expires_in: i64,
}

/// `POST /oauth/par`
pub async fn push(call: OpenCall) -> Response {
    let sent = match Sent::read(call, "POST").await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    if let Some(fault) = &sent.fault {
        return refused(fault, false);
    }
    match sent.shared.web.app.push_request(sent.presented()).await {
        Ok((request_uri, expires_in)) => {
            let mut response = open(json(&Pushed { request_uri, expires_in }));
            *response.status_mut() = StatusCode::CREATED;
            sent.noted(response, "")
        }
        Err(error) => sent.answer(error),
    }
}

/// `POST /oauth/authorize`: the same as GET (OpenID Connect Core section 3.1.2.1). The browser comes back by GET, with the
/// cookie that it does not send with the form of another site.
pub async fn authorize(call: OpenCall) -> Response {
    by_get(call, "/oauth/authorize").await
}

/// `POST /oauth/logout`: the same (RP-Initiated Logout section 2).
pub async fn logout(call: OpenCall) -> Response {
    by_get(call, "/oauth/logout").await
}

async fn by_get(call: OpenCall, path: &str) -> Response {
    let sent = match Sent::read(call, "POST").await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    if let Some(fault) = &sent.fault {
        return refused(fault, false);
    }
    let text = String::from_utf8_lossy(&sent.body);
    // Written anew, so that nothing but a query can come of it.
    // A secret has no place in an address, and none here.
    let pairs = form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| !matches!(name.as_ref(), "client_secret" | "client_assertion"));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::try_from(format!("{path}?{query}")) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
