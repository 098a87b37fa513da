//! `/oauth/register`: clients that register themselves (RFC 7591), and change their registration (RFC 7592).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use octroi_app::sign_on::{SignOnError, registration};
use serde_json::Value;

use super::{
    form::{refusal, refused},
    json, unavailable,
};
use crate::{body, dispatch::OpenCall, headers::once};

/// Bytes of the metadata of a client.
const MOST: usize = 100_000;

/// The token that the request shows.
fn token(call: &OpenCall) -> Option<String> {
    let header = once(&call.headers, &header::AUTHORIZATION).ok().flatten()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn id(call: &OpenCall) -> String {
    call.params.iter().find(|(name, _)| name == "id").map(|(_, id)| id.clone()).unwrap_or_default()
}

/// The metadata, as JSON; none: it is none.
async fn metadata(call: OpenCall) -> Result<Value, Response> {
    let bad = |what: &str| refused(&refusal(400, "invalid_client_metadata", what), false);
    let kind = once(&call.headers, &header::CONTENT_TYPE).ok().flatten().unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(bad("send the metadata as application/json"));
    }
    let bytes = body::read(call.body, &call.headers, MOST).await.map_err(|_| bad("the body is too long, too slow or incomplete"))?;
    let members = body::object(&bytes).map_err(|_| bad("the body is not one JSON object, or has a member twice"))?;
    Ok(Value::Object(members))
}

/// `shown`: did the request show a token?
fn answer(request_id: &str, shown: bool, status: StatusCode, outcome: Result<Value, SignOnError>) -> Response {
    match outcome {
        Ok(value) => {
            let mut response = json(&value);
            *response.status_mut() = status;
            response
        }
        Err(SignOnError::Refused(refusal)) => {
            let mut response = refused(&refusal, false);
            if refusal.status == 401 {
                // Where nothing was shown, nothing is wrong with it (RFC 6750 section 3.1).
                let text = if shown { "Bearer realm=\"octroi\", error=\"invalid_token\"" } else { "Bearer realm=\"octroi\"" };
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(text));
            }
            response
        }
        Err(SignOnError::Failed(error)) => unavailable(request_id, &error),
    }
}

/// `POST /oauth/register`
pub async fn register(call: OpenCall) -> Response {
    let (shared, request_id, token) = (call.shared.clone(), call.facts.request_id.clone(), token(&call));
    // Without a token nothing is read.
    if token.is_none() {
        return answer(&request_id, false, StatusCode::CREATED, Err(registration::unauthorized()));
    }
    match metadata(call).await {
        Ok(metadata) => {
            let outcome = shared.web.app.register_client(token.as_deref(), metadata, shared.now()).await;
            answer(&request_id, true, StatusCode::CREATED, outcome)
        }
        Err(response) => response,
    }
}

/// `GET /oauth/register/{id}`
pub async fn read(call: OpenCall) -> Response {
    let token = token(&call);
    let outcome = call.shared.web.app.read_registration(token.as_deref(), &id(&call)).await;
    answer(&call.facts.request_id, token.is_some(), StatusCode::OK, outcome)
}

/// `PUT /oauth/register/{id}`
pub async fn change(call: OpenCall) -> Response {
    let (shared, request_id, token, id) = (call.shared.clone(), call.facts.request_id.clone(), token(&call), id(&call));
    match metadata(call).await {
        Ok(metadata) => {
            let outcome = shared.web.app.change_registration(token.as_deref(), &id, metadata, shared.now()).await;
            answer(&request_id, token.is_some(), StatusCode::OK, outcome)
        }
        Err(response) => response,
    }
}

/// `DELETE /oauth/register/{id}`
pub async fn delete(call: OpenCall) -> Response {
    let token = token(&call);
    let outcome = call.shared.web.app.delete_registration(token.as_deref(), &id(&call), call.shared.now()).await;
    let mut response = answer(&call.facts.request_id, token.is_some(), StatusCode::NO_CONTENT, outcome.map(|()| Value::Null));
    if response.status() == StatusCode::NO_CONTENT {
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    response
}
