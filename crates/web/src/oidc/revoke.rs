//! `POST /oauth/revoke`: a client gives a token back (RFC 7009).

use axum::response::Response;
use octroi_domain::Moment;
use octroi_oauth::error::OAuthError;

use super::{
    authenticated,
    form::{Sent, open, refused as refuse},
    json, refused, unavailable,
};
use crate::dispatch::OpenCall;

/// Revokes a token of the client itself. Anything else is 200 too (section 2.2): what is not the
/// client's is as unknown to it as what never was.
pub async fn revoke(call: OpenCall) -> Response {
    let sent = match Sent::read(call, "POST").await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    if sent.shared.web.app.is_from_client(&sent.presented()) {
        if let Some(fault) = &sent.fault {
            return refuse(fault, false);
        }
        return match sent.shared.web.app.client_revoke(sent.presented()).await {
            Ok(()) => open(done()),
            Err(error) => sent.answer(error),
        };
    }
    let (request, stage) = match authenticated(&sent).await {
        Ok(authenticated) => authenticated,
        Err(response) => return response,
    };
    let shared = &sent.shared;
    let Some(token) = request.get("token") else { return refused(&OAuthError::InvalidRequest("the parameter token is missing")) };
    let own = shared.web.tokens.introspect(token).filter(|(claims, found)| *found == stage && claims.client_id == request.client.client_id);
    if let Some((claims, _)) = own {
        let expires_at = Moment::from_micros(0).plus_seconds(claims.exp);
        if let Err(error) = shared.web.app.revoke_token(&claims.client_id, &claims.jti, stage, expires_at, shared.now()).await {
            return unavailable(&sent.request_id, &error);
        }
    }
    done()
}

/// Nothing is to be read in it (section 2.2); some clients want JSON all the same.
fn done() -> Response {
    json(&serde_json::json!({}))
}
