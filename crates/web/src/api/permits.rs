//! Permits (habilitations): reading them, and what can happen to one.

use octroi_app::{
    permits::PermitMove,
    query::{Cursor, PermitFilter},
    view::{List, PermitLine, PermitView, RequestView},
};
use octroi_domain::{Number, Slug, feed::PermitStatus, permit::Permit};
use serde::{Deserialize, Deserializer, de};
use utoipa::{IntoParams, ToSchema};

use super::access_requests::{self, nothing};
use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
    query::{Limit, from_text, page},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What the holder reads.
    reason: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `active`, `suspended`, `superseded`, `revoked` or `expired`.
    #[serde(default, deserialize_with = "status")]
    #[param(value_type = Option<String>, example = "active")]
    state: Option<PermitStatus>,
    #[param(value_type = Option<String>)]
    definition: Option<Slug>,
    #[param(value_type = Option<String>)]
    provider: Option<Slug>,
    /// Words that must all be found; `H12` finds the number.
    q: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PermitStatus>, D::Error> {
    use PermitStatus::{Active, Expired, Revoked, Superseded, Suspended};
    let text = String::deserialize(deserializer)?;
    let found = [Active, Suspended, Superseded, Revoked, Expired].into_iter().find(|status| status.as_str() == text);
    found.map(Some).ok_or_else(|| de::Error::custom("expected active, suspended, superseded, revoked or expired"))
}

fn id(call: &Call) -> Result<Number<Permit>, Failure> {
    call.id("id")
}

/// List the permits that one may see, the latest granted first
#[utoipa::path(get, path = "/api/v1/permits", tag = "permits", params(Filter), responses((status = 200, body = List<PermitLine>)))]
pub async fn list(call: Call, input: Filter) -> Answer {
    let mut filter = PermitFilter::within(nothing());
    filter.statuses.extend(input.state);
    filter.definitions.extend(input.definition);
    filter.providers.extend(input.provider);
    filter.text = input.q.filter(|text| !text.trim().is_empty());
    Reply::ok(&call.app().list_permits(&call.context(), filter, page(input.limit, input.cursor)).await?)
}

/// Read a permit
#[utoipa::path(get, path = "/api/v1/permits/{id}", tag = "permits", params(("id" = String, Path, example = "H1")), responses((status = 200, body = PermitView)))]
pub async fn read(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::ok(&call.app().read_permit(&call.context(), id).await?)
}

async fn moved(call: Call, what: PermitMove) -> Answer {
    let id = id(&call)?;
    Reply::done(call.app().move_permit(&call.context(), id, what).await?)
}

/// Revoke a permit for good: the very next call is refused
#[utoipa::path(post, path = "/api/v1/permits/{id}/revoke", tag = "permits", params(("id" = String, Path, example = "H1")), request_body = Reason, responses((status = 200, body = PermitView)))]
pub async fn revoke(call: Call, input: Reason) -> Answer {
    moved(call, PermitMove::Revoke { reason: input.reason }).await
}

/// Suspend a permit: calls are refused until it is resumed
#[utoipa::path(post, path = "/api/v1/permits/{id}/suspend", tag = "permits", params(("id" = String, Path, example = "H1")), request_body = Reason, responses((status = 200, body = PermitView)))]
pub async fn suspend(call: Call, input: Reason) -> Answer {
    moved(call, PermitMove::Suspend { reason: input.reason }).await
}

/// Resume a suspended permit
#[utoipa::path(post, path = "/api/v1/permits/{id}/resume", tag = "permits", params(("id" = String, Path, example = "H1")), responses((status = 200, body = PermitView)))]
pub async fn resume(call: Call) -> Answer {
    moved(call, PermitMove::Resume).await
}

async fn follow(call: Call, stage_change: bool) -> Answer {
    let id = id(&call)?;
    let done = call.app().follow_permit(&call.context(), id, stage_change).await?;
    Ok(Reply::done(done)?.located(access_requests::COLLECTION).tagged())
}

/// Open a request that changes or renews a permit
///
/// The permit stays in force until the request is approved.
#[utoipa::path(post, path = "/api/v1/permits/{id}/amend", tag = "permits", params(("id" = String, Path, example = "H1")), responses((status = 201, body = RequestView)))]
pub async fn amend(call: Call) -> Answer {
    follow(call, false).await
}

/// Open a request for the permit's next stage, keeping what was filled in
#[utoipa::path(post, path = "/api/v1/permits/{id}/next-stage", tag = "permits", params(("id" = String, Path, example = "H1")), responses((status = 201, body = RequestView)))]
pub async fn next_stage(call: Call) -> Answer {
    follow(call, true).await
}
