//! `POST /oauth/introspect`: what a token is good for (RFC 7662; signed: RFC 9701).

use axum::response::Response;
use octroi_oauth::{error::OAuthError, introspection::IntrospectionResponse};

use super::{
    authenticated,
    form::{Sent, refused as refuse, told},
    json, refused, unavailable,
};
use crate::dispatch::OpenCall;

const SIGNED: &str = "application/token-introspection+jwt";

/// Does the header `Accept` ask for the signed form? With a weight of nothing it refuses it (RFC 9110 section 12.4.2).
fn is_signed(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(SIGNED));
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|weight| weight.bytes().all(|b| matches!(b, b'0' | b'.'))));
        named && !refused
    })
}

/// Tells a client about a token: a relying party about its own, or about those for the API that it serves; an application
/// about those of its own stage, its own or of its organisation. Any other is answered like one that does not exist
/// (section 2.2).
pub async fn answer(call: OpenCall) -> Response {
    let sent = match Sent::read(call, "POST").await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    if sent.shared.web.app.is_from_client(&sent.presented()) {
        if let Some(fault) = &sent.fault {
            return refuse(fault, false);
        }
        let signed = sent.accept.as_deref().is_some_and(is_signed);
        return match sent.shared.web.app.client_introspect(signed, sent.presented()).await {
            Ok(answer) => told(answer, SIGNED),
            Err(error) => sent.answer(error),
        };
    }
    let (request, stage) = match authenticated(&sent).await {
        Ok(authenticated) => authenticated,
        Err(response) => return response,
    };
    let shared = &sent.shared;
    let Some(token) = request.get("token") else { return refused(&OAuthError::InvalidRequest("the parameter token is missing")) };
    let found = shared.web.tokens.introspect(token).filter(|(_, found)| *found == stage).map(|(claims, _)| claims);
    let Some(claims) = found else { return json(&IntrospectionResponse::default()) };
    let own = claims.client_id == request.client.client_id;
    let shown = if own { Ok(true) } else { shared.web.app.same_organization(&claims.client_id, &request.client.client_id).await };
    match shown {
        Ok(true) => json(&IntrospectionResponse { active: true, claims: Some(claims) }),
        Ok(false) => json(&IntrospectionResponse::default()),
        Err(error) => unavailable(&sent.request_id, &error),
    }
}
