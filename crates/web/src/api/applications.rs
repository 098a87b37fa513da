//! Applications: the programs that call.

use octroi_app::{
    applications::NewApplication,
    query::Cursor,
    usage::UsageView,
    view::{ApplicationView, List},
};
use octroi_domain::{
    Id,
    application::{Application, ApplicationState},
    stage::Stage,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
    query::{Limit, from_text, page},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApplication)]
pub struct Create {
    #[schema(example = "Cantine")]
    name: String,
    /// `sandbox` or `production`.
    #[schema(value_type = String, example = "sandbox")]
    stage: Stage,
    /// Id or SIRET; left out: the only organisation.
    organization: Option<String>,
    /// May its API keys use this REST API in the name of its organisation?
    #[serde(default)]
    management: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Id or SIRET; left out: the only organisation.
    organization: Option<String>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// The application that the path names.
pub fn id(call: &Call) -> Result<Id<Application>, Failure> {
    call.id("id")
}

/// Create an application in one stage; its id is its OAuth client_id
#[utoipa::path(post, path = "/api/v1/applications", tag = "applications", request_body = Create, responses((status = 201, body = ApplicationView)))]
pub async fn create(call: Call, input: Create) -> Answer {
    let organization = call.own_organization(input.organization.as_deref()).await?;
    let new = NewApplication { name: input.name, stage: input.stage, organization, management: input.management };
    Ok(Reply::done(call.app().create_application(&call.context(), new).await?)?.located("/api/v1/applications"))
}

/// List the applications of an organisation
#[utoipa::path(get, path = "/api/v1/applications", tag = "applications", params(Filter), responses((status = 200, body = List<ApplicationView>)))]
pub async fn list(call: Call, input: Filter) -> Answer {
    let organization = call.own_organization(input.organization.as_deref()).await?;
    Reply::ok(&call.app().list_applications(&call.context(), organization, page(input.limit, input.cursor)).await?)
}

/// Read an application, its subscriptions and its credentials
#[utoipa::path(get, path = "/api/v1/applications/{id}", tag = "applications", params(("id" = String, Path)), responses((status = 200, body = ApplicationView)))]
pub async fn read(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::ok(&call.app().read_application(&call.context(), id).await?)
}

/// See how an application is doing: quotas left today, last calls, last errors with what they mean
#[utoipa::path(get, path = "/api/v1/applications/{id}/usage", tag = "applications", params(("id" = String, Path)), responses((status = 200, body = UsageView)))]
pub async fn usage(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::ok(&call.app().application_usage(&call.context(), id).await?)
}

/// Suspend an application: every call of it is refused
#[utoipa::path(post, path = "/api/v1/applications/{id}/suspend", tag = "applications", params(("id" = String, Path)), responses((status = 200, body = ApplicationView)))]
pub async fn suspend(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::done(call.app().set_application_state(&call.context(), id, ApplicationState::Suspended).await?)
}

/// Let a suspended application call again
#[utoipa::path(post, path = "/api/v1/applications/{id}/resume", tag = "applications", params(("id" = String, Path)), responses((status = 200, body = ApplicationView)))]
pub async fn resume(call: Call) -> Answer {
    let id = id(&call)?;
    Reply::done(call.app().set_application_state(&call.context(), id, ApplicationState::Active).await?)
}
