//! What the upstream is told about the caller: a JWT that we sign, in a header of its own.

use std::sync::PoisonError;

use http::HeaderValue;
use serde::Serialize;

use crate::{admit::Standing, denied::Reason, snapshot::Snapshot};

/// Life of an assertion, seconds.
pub const LIFETIME: i64 = 60;
/// How long one is sent again before another is signed, seconds.
const REUSED_FOR: i64 = 10;

/// An assertion, ready to be sent until `until` (seconds since the epoch).
pub(crate) struct Cached {
    value: HeaderValue,
    from: i64,
    until: i64,
}

/// Claims of the assertion. The request's own id is in the header `X-Request-Id`.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    /// The API, `provider/api`.
    aud: &'a str,
    /// The application.
    sub: &'a str,
    iat: i64,
    exp: i64,
    stage: &'a str,
    api: &'a str,
    application: Party<'a>,
    organization: Organization<'a>,
    subscription: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permit: Option<String>,
    scopes: Vec<&'a str>,
}
#[derive(Debug, Serialize)]
struct Party<'a> {
    id: &'a str,
    name: &'a str,
}
#[derive(Debug, Serialize)]
struct Organization<'a> {
    id: &'a str,
    name: &'a str,
    siret: &'a str,
}

/// The assertion for a caller's standing at `now` (seconds since the epoch).
///
/// # Errors
/// `no_snapshot` when there is no key to sign with: without an assertion nothing is forwarded.
pub(crate) fn assertion(standing: &Standing, snapshot: &Snapshot, now: i64) -> Result<HeaderValue, Reason> {
    let mut cached = standing.assertion.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cached) = cached.as_ref().filter(|cached| (cached.from..cached.until).contains(&now)) {
        return Ok(cached.value.clone());
    }
    let key = snapshot.assertion_key.as_ref().ok_or(Reason::NoSnapshot)?;
    let app = &standing.app.known;
    let (application, organization) = (app.id.to_string(), app.organization.to_string());
    let (api, subscription) = (standing.api.name.to_string(), standing.sub.id.to_string());
    let claims = Claims {
        iss: &snapshot.gateway_url,
        aud: &api,
        sub: &application,
        iat: now,
        exp: now.saturating_add(LIFETIME),
        stage: snapshot.stage.as_str(),
        api: &api,
        application: Party { id: &application, name: &app.name },
        organization: Organization { id: &organization, name: &app.organization_name, siret: app.siret.as_str() },
        subscription: &subscription,
        permit: standing.sub.permit.as_ref().map(|permit| permit.id.to_string()),
        scopes: standing.scopes.iter().map(octroi_domain::scope::Scope::as_str).collect(),
    };
    let token = key.sign("JWT", &claims).map_err(|_| Reason::NoSnapshot)?;
    let value = HeaderValue::try_from(token).map_err(|_| Reason::NoSnapshot)?;
    *cached = Some(Cached { value: value.clone(), from: now, until: now.saturating_add(REUSED_FOR) });
    Ok(value)
}
