//! `GET /oauth/jwks`: the public keys of the sign-on and of the gateways' access tokens (RFC 7517 section 5).

use axum::{
    http::{HeaderValue, header},
    response::Response,
};

use super::{form::open, json, unavailable};
use crate::dispatch::OpenCall;

pub async fn show(call: OpenCall) -> Response {
    let mut keys = match call.shared.web.app.sign_on_jwks(call.shared.now()).await {
        Ok(keys) => keys,
        Err(error) => return unavailable(&call.facts.request_id, &error),
    };
    let mut set = call.shared.web.tokens.jwks();
    set.keys.append(&mut keys);
    let mut response = open(json(&set));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}
