//! `GET /oauth/jwks`: the public keys of the sign-on and of the gateways' access tokens (RFC 7517 section 5).

use axum::response::Response;

use super::{form::open, json, unavailable};
use crate::dispatch::OpenCall;

pub async fn show(call: OpenCall) -> Response {
    let mut keys = match call.shared.web.app.sign_on_jwks(call.shared.now()).await {
        Ok(keys) => keys,
        Err(error) => return unavailable(&call.facts.request_id, &error),
    };
    let mut set = call.shared.web.tokens.jwks();
    set.keys.append(&mut keys);
    // Not to be kept on the way: a new key signs at once.
    open(json(&set))
}
