//! The platform as its operator sees it: mails that wait, what is published, settings, health.

use octroi_app::{
    platform::{ApiState, DefinitionState, HealthView, OutboxCountsView, OutboxLine, RetriedView, SettingView},
    query::{Cursor, OutboxState},
    view::List,
};
use octroi_domain::Slug;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    call::{Answer, Call, Reply},
    query::{Limit, from_text, page},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `waiting`, `failed` or `done`.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>, example = "failed")]
    state: Option<OutboxState>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// List the mails of the outbox, the newest first
#[utoipa::path(get, path = "/api/v1/outbox", tag = "platform", params(Filter), responses((status = 200, body = List<OutboxLine>)))]
pub async fn outbox(call: Call, input: Filter) -> Answer {
    Reply::ok(&call.app().list_outbox(&call.context(), input.state, page(input.limit, input.cursor)).await?)
}

/// Count the mails of the outbox
#[utoipa::path(get, path = "/api/v1/outbox/counts", tag = "platform", responses((status = 200, body = OutboxCountsView)))]
pub async fn outbox_counts(call: Call) -> Answer {
    Reply::ok(&call.app().count_outbox(&call.context()).await?)
}

/// Try a mail again now
#[utoipa::path(post, path = "/api/v1/outbox/{id}/retry", tag = "platform", params(("id" = i64, Path)), responses((status = 200, body = OutboxLine)))]
pub async fn retry(call: Call) -> Answer {
    let id = call.id("id")?;
    Reply::done(call.app().retry_mail(&call.context(), id).await?)
}

/// Try every failed mail again now
#[utoipa::path(post, path = "/api/v1/outbox/retry-failed", tag = "platform", responses((status = 200, body = RetriedView)))]
pub async fn retry_failed(call: Call) -> Answer {
    Reply::done(call.app().retry_failed_mails(&call.context()).await?)
}

/// List the definitions as they stand, with what the lint says
#[utoipa::path(get, path = "/api/v1/platform/definitions", tag = "platform", responses((status = 200, body = Vec<DefinitionState>)))]
pub async fn definitions(call: Call) -> Answer {
    Reply::ok(&call.app().list_definition_states(&call.context()).await?)
}

/// Read a definition as it stands, with its versions
#[utoipa::path(get, path = "/api/v1/platform/definitions/{slug}", tag = "platform", params(("slug" = String, Path)), responses((status = 200, body = DefinitionState)))]
pub async fn definition(call: Call) -> Answer {
    let slug: Slug = call.id("slug")?;
    Reply::ok(&call.app().read_definition_state(&call.context(), &slug).await?)
}

/// List the APIs as they stand, with their versions and stages
#[utoipa::path(get, path = "/api/v1/platform/apis", tag = "platform", responses((status = 200, body = Vec<ApiState>)))]
pub async fn apis(call: Call) -> Answer {
    Reply::ok(&call.app().list_api_states(&call.context()).await?)
}

/// Read the settings in force, secrets left out
#[utoipa::path(get, path = "/api/v1/platform/settings", tag = "platform", responses((status = 200, body = Vec<SettingView>)))]
pub async fn settings(call: Call) -> Answer {
    Reply::ok(&call.app().settings_in_force(&call.context())?)
}

/// Read how the platform is
#[utoipa::path(get, path = "/api/v1/platform/health", tag = "platform", responses((status = 200, body = HealthView)))]
pub async fn health(call: Call) -> Answer {
    Reply::ok(&call.app().health(&call.context()).await?)
}
