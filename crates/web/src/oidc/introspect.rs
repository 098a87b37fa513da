//! `POST /oauth/introspect`: what a token is good for (RFC 7662).

use axum::response::Response;
use octroi_oauth::{error::OAuthError, introspection::IntrospectionResponse};

use super::{authenticated, json, refused, unavailable};
use crate::dispatch::OpenCall;

/// Tells a client about a token of its own stage: its own, or one of its organisation. Any other is
/// answered like one that does not exist (section 2.2).
pub async fn answer(call: OpenCall) -> Response {
    let (shared, request_id) = (call.shared.clone(), call.facts.request_id.clone());
    let (request, stage) = match authenticated(call).await {
        Ok(authenticated) => authenticated,
        Err(error) => return refused(&error),
    };
    let Some(token) = request.get("token") else { return refused(&OAuthError::InvalidRequest("the parameter token is missing")) };
    let found = shared.web.tokens.introspect(token).filter(|(_, found)| *found == stage).map(|(claims, _)| claims);
    let Some(claims) = found else { return json(&IntrospectionResponse::default()) };
    let own = claims.client_id == request.client.client_id;
    let shown = if own { Ok(true) } else { shared.web.app.same_organization(&claims.client_id, &request.client.client_id).await };
    match shown {
        Ok(true) => json(&IntrospectionResponse { active: true, claims: Some(claims) }),
        Ok(false) => json(&IntrospectionResponse::default()),
        Err(error) => unavailable(&request_id, &error),
    }
}
