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

/// A cookie for one redirect: what was posted to the end-session endpoint.
pub const LEAVING: &str = "octroi_leaving";
/// Browsers keep some 4,000 bytes of a cookie.
const MOST_KEPT: usize = 3_500;

/// `POST /oauth/logout`: the same (RP-Initiated Logout section 2). Who posts wants the ID token out of the address: it waits
/// in a cookie meanwhile.
pub async fn logout(call: OpenCall) -> Response {
    let (query, sent) = match posted(call).await {
        Ok(posted) => posted,
        Err(response) => return response,
    };
    if query.len() > MOST_KEPT {
        return to(&format!("/oauth/logout?{query}"));
    }
    let mut response = to("/oauth/logout");
    let secure = if sent.shared.https { "; Secure" } else { "" };
    let cookie = format!("{LEAVING}={query}; Path=/oauth/logout; HttpOnly; SameSite=Lax; Max-Age=60{secure}");
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

async fn by_get(call: OpenCall, path: &str) -> Response {
    match posted(call).await {
        Ok((query, _)) => to(&format!("{path}?{query}")),
        Err(response) => response,
    }
}

fn to(address: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(value) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

/// A form, as a query.
async fn posted(call: OpenCall) -> Result<(String, Sent), Response> {
    let sent = Sent::read(call, "POST").await?;
    if let Some(fault) = &sent.fault {
        return Err(refused(fault, false));
    }
    let text = String::from_utf8_lossy(&sent.body);
    // Written anew, so that nothing but a query can come of it.
    // A secret has no place in an address, and none here.
    let pairs = form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| !matches!(name.as_ref(), "client_secret" | "client_assertion"));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Ok((query, sent))
}
