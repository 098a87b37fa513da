//! `GET /oauth/jwks`: the public keys of access tokens (RFC 7517 section 5).

use axum::response::Response;

use super::json;
use crate::dispatch::OpenCall;

pub async fn show(call: OpenCall) -> Response {
    json(&call.shared.web.tokens.jwks())
}
