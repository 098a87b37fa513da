//! `POST /oauth/token`: access tokens for clients (RFC 6749 section 4.4).

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode},
    response::Response,
};

use super::{form, refused};
use crate::dispatch::OpenCall;

/// Hands the request to the gateway of the client's stage, and its answer back.
pub async fn issue(call: OpenCall) -> Response {
    let form = match form(&call.headers, call.body).await {
        Ok(form) => form,
        Err(error) => return refused(&error),
    };
    let answer = call.shared.web.tokens.token(None, form.authorization.as_deref(), form.content_type.as_deref(), &form.body);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
