//! Invitations to an API, by mail, of somebody who may not have an account yet.

use octroi_app::{
    invitations::{InvitationView, NewInvitation},
    query::Cursor,
    view::{List, SubscriptionView},
};
use octroi_domain::{Id, Slug, application::Application, invitation::Invitation, text::Language};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    query::{Limit, from_text, page},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub struct Invite {
    #[schema(example = "nouvelle@hautmoulin.example")]
    email: String,
    /// Left out: the API's first plan.
    #[schema(value_type = Option<String>)]
    plan: Option<Slug>,
    /// Of the mail: `fr` or `en`; left out: that of this request.
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct InvitationPage {
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Limit,
    /// `next` of the page before.
    #[serde(default, deserialize_with = "from_text")]
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AcceptInvitation)]
pub struct Accept {
    /// The word that the link in the mail ends with.
    word: String,
    #[schema(value_type = String)]
    application: Id<Application>,
    /// `true` accepts the API's terms of use, where it has some.
    #[serde(default)]
    accept_terms: bool,
}

/// Invite an address to subscribe to an API, by its administrator
///
/// The mail holds the only copy of the word that accepts it. An invitation works once, for 30 days, for
/// who signs in with this address.
#[utoipa::path(post, path = "/api/v1/apis/{provider}/{api}/invitations", tag = "subscriptions", params(("provider" = String, Path), ("api" = String, Path)), request_body = Invite, responses((status = 201, body = InvitationView)))]
pub async fn create(call: Call, input: Invite) -> Answer {
    let api = super::catalogue::api_name(&call)?;
    let new = NewInvitation { email: input.email, plan: input.plan, language: input.language.unwrap_or(call.language) };
    Reply::done(call.app().invite(&call.context(), &api, new).await?)
}

/// List the invitations to an API, by its administrator
#[utoipa::path(get, path = "/api/v1/apis/{provider}/{api}/invitations", tag = "subscriptions", params(("provider" = String, Path), ("api" = String, Path), InvitationPage), responses((status = 200, body = List<InvitationView>)))]
pub async fn list(call: Call, input: InvitationPage) -> Answer {
    let api = super::catalogue::api_name(&call)?;
    Reply::ok(&call.app().list_invitations(&call.context(), &api, page(input.limit, input.cursor)).await?)
}

/// Take back an invitation that nobody has accepted
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "subscriptions", params(("id" = String, Path)), responses((status = 200, body = InvitationView)))]
pub async fn withdraw(call: Call) -> Answer {
    let id: Id<Invitation> = call.id("id")?;
    Reply::done(call.app().withdraw_invitation(&call.context(), id).await?)
}

/// Accept an invitation for an application of one's own: subscribed at once
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = "subscriptions", request_body = Accept, responses((status = 201, body = SubscriptionView)))]
pub async fn accept(call: Call, input: Accept) -> Answer {
    Reply::done(call.app().accept_invitation(&call.context(), &input.word, input.application, input.accept_terms).await?)
}
