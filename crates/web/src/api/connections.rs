//! Connections: the providers that people sign in through, as the operator sets them up.

use octroi_app::{
    connections::{ConnectionInput, ConnectionView, LinkRequestView},
    view::List,
};
use octroi_domain::Slug;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    call::{Answer, Call, Reply},
    problem::Failure,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewConnection)]
pub struct New {
    /// Stands in addresses: `/auth/{slug}/callback`.
    slug: String,
    settings: ConnectionInput,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConnectionChange)]
pub struct Change {
    settings: ConnectionInput,
    /// The version that the change was written against; `If-Match` says the same.
    version: Option<u32>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LinkDecision)]
pub struct Decision {
    /// True: the provider’s word opens the account from now on.
    accept: bool,
}

fn slug(call: &Call) -> Result<Slug, Failure> {
    call.id("slug")
}

/// Set up a provider that people sign in through; its secret is written and never read
#[utoipa::path(post, path = "/api/v1/connections", tag = "connections", request_body = New, responses((status = 201, body = ConnectionView)))]
pub async fn create(call: Call, input: New) -> Answer {
    let done = call.app().create_connection(&call.context(), &input.slug, input.settings).await?;
    Ok(Reply::done(done)?.located("/api/v1/connections").tagged())
}

/// List the providers that people sign in through
#[utoipa::path(get, path = "/api/v1/connections", tag = "connections", responses((status = 200, body = List<ConnectionView>)))]
pub async fn list(call: Call) -> Answer {
    Reply::ok(&call.app().list_connections(&call.context()).await?)
}

/// Read a connection
#[utoipa::path(get, path = "/api/v1/connections/{slug}", tag = "connections", params(("slug" = String, Path)), responses((status = 200, body = ConnectionView)))]
pub async fn read(call: Call) -> Answer {
    let slug = slug(&call)?;
    Ok(Reply::ok(&call.app().read_connection(&call.context(), &slug).await?)?.tagged())
}

/// Change a connection, whole; without `client_secret`, the one that is there stays
#[utoipa::path(put, path = "/api/v1/connections/{slug}", tag = "connections", params(("slug" = String, Path)), request_body = Change, responses((status = 200, body = ConnectionView)))]
pub async fn update(call: Call, input: Change) -> Answer {
    let (slug, expected) = (slug(&call)?, call.expected(input.version)?);
    Ok(Reply::done(call.app().update_connection(&call.context(), &slug, expected, input.settings).await?)?.tagged())
}

/// Delete a connection; the ways in of people stay, for another one to the same provider
#[utoipa::path(delete, path = "/api/v1/connections/{slug}", tag = "connections", params(("slug" = String, Path)), responses((status = 204)))]
pub async fn remove(call: Call) -> Answer {
    let slug = slug(&call)?;
    call.app().delete_connection(&call.context(), &slug).await?;
    Ok(Reply::no_content())
}

/// List the links to accounts that wait for a decision, the oldest first
#[utoipa::path(get, path = "/api/v1/connections/{slug}/link-requests", tag = "connections", params(("slug" = String, Path)), responses((status = 200, body = List<LinkRequestView>)))]
pub async fn link_requests(call: Call) -> Answer {
    let slug = slug(&call)?;
    Reply::ok(&call.app().list_link_requests(&call.context(), &slug).await?)
}

/// Decide whether a provider’s word opens an account
#[utoipa::path(post, path = "/api/v1/link-requests/{id}/decide", tag = "connections", params(("id" = String, Path)), request_body = Decision, responses((status = 204)))]
pub async fn decide(call: Call, input: Decision) -> Answer {
    let id = call.id("id")?;
    call.app().decide_link_request(&call.context(), id, input.accept).await?;
    Ok(Reply::no_content())
}
