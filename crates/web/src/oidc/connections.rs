//! What a provider that people sign in through asks of us: our public key, and the end of a session.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use octroi_app::{Error, connections::ConnectionError};
use octroi_domain::Slug;
use octroi_oauth::jwk::JwkSet;

use super::{
    form::{Sent, open, refusal, refused},
    json, unavailable,
};
use crate::dispatch::OpenCall;

fn slug(call: &OpenCall) -> Option<Slug> {
    call.params.iter().find(|(name, _)| name == "connection").and_then(|(_, text)| text.parse().ok())
}

fn unknown() -> Response {
    refused(&refusal(404, "invalid_request", "no such connection"), false)
}

/// `GET /auth/{connection}/jwks`: the public key that we authenticate with (`private_key_jwt`).
pub async fn jwks(call: OpenCall) -> Response {
    let Some(slug) = slug(&call) else { return unknown() };
    match call.shared.web.app.connection_jwks(&slug).await {
        Ok(keys) => open(json(&JwkSet { keys })),
        Err(Error::NotFound) => unknown(),
        Err(error) => unavailable(&call.facts.request_id, &error),
    }
}

/// `POST /auth/{connection}/backchannel-logout` (OpenID Connect Back-Channel Logout 1.0 section 2.5).
pub async fn backchannel_logout(call: OpenCall) -> Response {
    let Some(slug) = slug(&call) else { return unknown() };
    let sent = match Sent::read(call, "POST").await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    if let Some(fault) = &sent.fault {
        return not_stored(refused(fault, false));
    }
    let Some(token) = sent.parameters.get("logout_token") else {
        return not_stored(refused(&refusal(400, "invalid_request", "the parameter logout_token is missing"), false));
    };
    not_stored(match sent.shared.web.app.backchannel_logout(&slug, token, sent.now).await {
        Ok(_) => Response::new(Body::empty()),
        Err(ConnectionError::NotFound) => unknown(),
        Err(ConnectionError::Failed(error)) => unavailable(&sent.request_id, &error),
        Err(error) => {
            error.log(&slug);
            let status = if matches!(error, ConnectionError::Unreachable(_)) { 503 } else { 400 };
            refused(&refusal(status, "invalid_request", &error.to_string()), false)
        }
    })
}

/// Section 2.8.
fn not_stored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
