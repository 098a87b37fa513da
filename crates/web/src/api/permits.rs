//! Permits (habilitations): reading them, and what can happen to one.

use octroi_app::{
    permits::PermitMove,
    query::{Page, PermitFilter, PermitSort},
    view::{List, PermitLine, PermitView, RequestView, StateCounts},
};
use octroi_domain::{Number, Slug, feed::PermitStatus, permit::Permit, stage::Stage};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::access_requests;
use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
    query::{Paging, from_text, several},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What the holder reads.
    reason: String,
}

/// Which permits are asked for: the list, the counts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `active`, `suspended`, `superseded`, `revoked` or `expired`; several are separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>, example = "active")]
    state: Vec<PermitStatus>,
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    definition: Vec<Slug>,
    /// One or several, separated by commas.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    provider: Vec<Slug>,
    /// Id or SIRET.
    organization: Option<String>,
    /// `sandbox` or `production`.
    #[serde(default, deserialize_with = "several")]
    #[param(value_type = Option<String>)]
    stage: Vec<Stage>,
    /// Words, each the beginning of one in the title, the organisation's name and SIRET, the applicant's name and
    /// address; `H12` finds the number, `D12` what the request led to.
    q: Option<String>,
    /// `granted` (the default, the latest first) or `expires` (the soonest first).
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    sort: Option<PermitSort>,
}
impl Filter {
    async fn read(self, call: &Call) -> Result<PermitFilter, Failure> {
        Ok(PermitFilter {
            statuses: self.state,
            definitions: self.definition,
            providers: self.provider,
            organizations: call.wanted_organization(self.organization.as_deref()).await?,
            stages: self.stage,
            text: self.q,
            sort: self.sort.unwrap_or_default(),
            ..PermitFilter::new()
        })
    }
}

fn id(call: &Call) -> Result<Number<Permit>, Failure> {
    call.id("id")
}

/// List the permits that one may see
#[utoipa::path(get, path = "/api/v1/permits", tag = "permits", params(Filter, Paging), responses((status = 200, body = List<PermitLine>)))]
pub async fn list(call: Call, input: Filter, page: Page) -> Answer {
    let filter = input.read(&call).await?;
    Reply::ok(&call.app().list_permits(&call.context(), filter, page).await?)
}

/// Count the permits that one may see, by state
///
/// The parameters of the list, but for the page; `state` and `sort` do not matter.
#[utoipa::path(get, path = "/api/v1/permits/counts", tag = "permits", params(Filter), responses((status = 200, body = StateCounts)))]
pub async fn counts(call: Call, input: Filter) -> Answer {
    let filter = input.read(&call).await?;
    Reply::ok(&call.app().count_permits_by_state(&call.context(), filter).await?)
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
