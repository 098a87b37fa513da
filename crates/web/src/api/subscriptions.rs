//! Subscriptions: the right of one application to call one API.

use octroi_app::{
    api_administration::SubscriberView,
    query::{Cursor, SubscriptionFilter},
    subscriptions::NewSubscription,
    view::{List, SubscriptionView},
};
use octroi_domain::{
    Id, Number, Slug,
    api::ApiName,
    application::{Application, Subscription, SubscriptionState},
    permit::Permit,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    query::{Limit, from_text, page},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSubscription)]
pub struct Create {
    /// `provider/api`.
    #[schema(value_type = String, example = "dinum/api-particulier")]
    api: ApiName,
    /// Needed where the API is restricted.
    #[schema(value_type = Option<String>, example = "H1")]
    permit: Option<Number<Permit>>,
    /// Left out: the API's first plan.
    #[schema(value_type = Option<String>)]
    plan: Option<Slug>,
    /// `true` accepts the API's terms of use, where it has some.
    #[serde(default)]
    accept_terms: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// `provider/api`: for its administrator.
    #[param(value_type = Option<String>)]
    api: Option<ApiName>,
    /// For its organisation.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    application: Option<Id<Application>>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Subscribe an application to an API
#[utoipa::path(post, path = "/api/v1/applications/{id}/subscriptions", tag = "subscriptions", params(("id" = String, Path)), request_body = Create, responses((status = 201, body = SubscriptionView)))]
pub async fn create(call: Call, input: Create) -> Answer {
    let application = super::applications::id(&call)?;
    let new = NewSubscription { api: input.api, permit: input.permit, plan: input.plan, accept_terms: input.accept_terms };
    Reply::done(call.app().subscribe(&call.context(), application, new).await?)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    /// The application's id, as its organisation gave it.
    #[schema(value_type = String)]
    application: Id<Application>,
    /// Left out: the API's first plan.
    #[schema(value_type = Option<String>)]
    plan: Option<Slug>,
}

/// Enrol somebody's application, as the API's administrator: how a private API gets its subscribers
#[utoipa::path(post, path = "/api/v1/apis/{provider}/{api}/subscribers", tag = "subscriptions", params(("provider" = String, Path), ("api" = String, Path)), request_body = Enrol, responses((status = 201, body = SubscriptionView)))]
pub async fn enrol(call: Call, input: Enrol) -> Answer {
    let api = super::catalogue::api_name(&call)?;
    Reply::done(call.app().enrol(&call.context(), &api, input.application, input.plan).await?)
}

/// List the subscriptions to an API, or of an application. One of `api` and `application` must be given.
#[utoipa::path(get, path = "/api/v1/subscriptions", tag = "subscriptions", params(Filter), responses((status = 200, body = List<SubscriptionView>)))]
pub async fn list(call: Call, input: Filter) -> Answer {
    let filter = SubscriptionFilter { api: input.api, application: input.application, ..SubscriptionFilter::default() };
    Reply::ok(&call.app().list_subscriptions(&call.context(), filter, page(input.limit, input.cursor)).await?)
}

async fn moved(call: Call, next: SubscriptionState) -> Answer {
    let id: Id<Subscription> = call.id("id")?;
    Reply::done(call.app().set_subscription_state(&call.context(), id, next).await?)
}

/// Let a pending or suspended subscription call
#[utoipa::path(post, path = "/api/v1/subscriptions/{id}/activate", tag = "subscriptions", params(("id" = String, Path)), responses((status = 200, body = SubscriptionView)))]
pub async fn activate(call: Call) -> Answer {
    moved(call, SubscriptionState::Active).await
}

/// Suspend a subscription
#[utoipa::path(post, path = "/api/v1/subscriptions/{id}/suspend", tag = "subscriptions", params(("id" = String, Path)), responses((status = 200, body = SubscriptionView)))]
pub async fn suspend(call: Call) -> Answer {
    moved(call, SubscriptionState::Suspended).await
}

/// End a subscription for good
#[utoipa::path(post, path = "/api/v1/subscriptions/{id}/revoke", tag = "subscriptions", params(("id" = String, Path)), responses((status = 200, body = SubscriptionView)))]
pub async fn revoke(call: Call) -> Answer {
    moved(call, SubscriptionState::Revoked).await
}

/// Accept the API's current terms of use
#[utoipa::path(post, path = "/api/v1/subscriptions/{id}/accept-terms", tag = "subscriptions", params(("id" = String, Path)), responses((status = 200, body = SubscriptionView)))]
pub async fn accept_terms(call: Call) -> Answer {
    let id: Id<Subscription> = call.id("id")?;
    Reply::done(call.app().accept_terms(&call.context(), id).await?)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SubscriberFilter {
    /// `pending`, `active`, `suspended` or `revoked`.
    #[param(value_type = Option<String>)]
    state: Option<SubscriptionState>,
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// List the subscriptions to an API with who holds them, by its administrator
#[utoipa::path(get, path = "/api/v1/apis/{provider}/{api}/subscribers", tag = "subscriptions", params(("provider" = String, Path), ("api" = String, Path), SubscriberFilter), responses((status = 200, body = List<SubscriberView>)))]
pub async fn subscribers(call: Call, input: SubscriberFilter) -> Answer {
    let api = super::catalogue::api_name(&call)?;
    let states = input.state.into_iter().collect();
    Reply::ok(&call.app().list_subscribers(&call.context(), &api, states, page(input.limit, input.cursor)).await?)
}
