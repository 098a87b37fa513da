//! Relying parties of the sign-on, and the tokens that let programs register them.

use octroi_app::{
    query::Cursor,
    sign_on::clients::{ClientTerms, ClientView, InitialAccessView},
    view::List,
};
use octroi_domain::{
    Id,
    organization::Organization,
    sign_on::{ClientId, ClientState},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    call::{Answer, Call, Reply},
    problem::{Failure, Problem},
    query::{Limit, from_text, page},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientInput)]
pub struct Input {
    /// What RFC 7591 says of a client: `client_name`, `redirect_uris`, `token_endpoint_auth_method`, `grant_types`, `scope`…
    /// ID tokens are signed with ES256 unless `id_token_signed_response_alg` says `RS256` or `EdDSA`: many libraries accept
    /// RS256 alone unless they are told. `claims_in_id_token` puts what the scopes give into the ID token too.
    #[schema(value_type = Object)]
    metadata: Value,
    /// Id or SIRET of who runs it.
    organization: Option<String>,
    /// People are not asked whether they agree.
    #[serde(default)]
    first_party: bool,
    /// The API that it serves (RFC 8707).
    serves: Option<String>,
    /// 3600 when left out.
    access_token_seconds: Option<u32>,
    /// 30 days when left out.
    refresh_token_seconds: Option<u32>,
    /// The version that the change was written against; `If-Match` says the same. Not for a new one.
    version: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Filter {
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
#[schema(as = InitialAccessInput)]
pub struct AccessInput {
    label: String,
    /// Id or SIRET of whose the registered clients are.
    organization: Option<String>,
    /// How many clients it may register; one when left out.
    #[serde(default = "one")]
    uses: u32,
    /// How many days it is good for; 30 when left out.
    #[serde(default = "month")]
    days: u16,
}
const fn one() -> u32 {
    1
}
const fn month() -> u16 {
    30
}

fn id(call: &Call) -> Result<ClientId, Failure> {
    call.id("id")
}

async fn organization(call: &Call, text: Option<&str>) -> Result<Option<Id<Organization>>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let unknown = || Problem::field("/organization", "unknown", "organisation inconnue", "unknown organisation");
    Ok(Some(call.organization(text).await?.ok_or_else(unknown)?))
}

async fn terms(call: &Call, input: &Input) -> Result<ClientTerms, Failure> {
    Ok(ClientTerms {
        organization: organization(call, input.organization.as_deref()).await?,
        first_party: input.first_party,
        serves: input.serves.clone(),
        access_token_seconds: input.access_token_seconds,
        refresh_token_seconds: input.refresh_token_seconds,
    })
}

/// Register a relying party of the sign-on; its secret is shown once
#[utoipa::path(post, path = "/api/v1/clients", tag = "clients", request_body = Input, responses((status = 201, body = ClientView)))]
pub async fn create(call: Call, input: Input) -> Answer {
    let terms = terms(&call, &input).await?;
    Ok(Reply::done(call.app().create_client(&call.context(), input.metadata, terms).await?)?.located("/api/v1/clients").tagged())
}

/// List the relying parties, newest first
#[utoipa::path(get, path = "/api/v1/clients", tag = "clients", params(Filter), responses((status = 200, body = List<ClientView>)))]
pub async fn list(call: Call, input: Filter) -> Answer {
    Reply::ok(&call.app().list_clients(&call.context(), page(input.limit, input.cursor)).await?)
}

/// Read a relying party
#[utoipa::path(get, path = "/api/v1/clients/{id}", tag = "clients", params(("id" = String, Path)), responses((status = 200, body = ClientView)))]
pub async fn read(call: Call) -> Answer {
    let id = id(&call)?;
    Ok(Reply::ok(&call.app().read_client(&call.context(), &id).await?)?.tagged())
}

/// Change what is registered of a relying party, whole
#[utoipa::path(put, path = "/api/v1/clients/{id}", tag = "clients", params(("id" = String, Path)), request_body = Input, responses((status = 200, body = ClientView)))]
pub async fn update(call: Call, input: Input) -> Answer {
    let (id, expected) = (id(&call)?, call.expected(input.version)?);
    let terms = terms(&call, &input).await?;
    Ok(Reply::done(call.app().update_client(&call.context(), &id, expected, input.metadata, terms).await?)?.tagged())
}

/// Delete a relying party, with every token that it holds
#[utoipa::path(delete, path = "/api/v1/clients/{id}", tag = "clients", params(("id" = String, Path)), responses((status = 204)))]
pub async fn remove(call: Call) -> Answer {
    let id = id(&call)?;
    call.app().delete_client(&call.context(), &id).await?;
    Ok(Reply::no_content())
}

/// Suspend a relying party: nobody signs in to it, and its tokens are refused
#[utoipa::path(post, path = "/api/v1/clients/{id}/suspend", tag = "clients", params(("id" = String, Path)), responses((status = 200, body = ClientView)))]
pub async fn suspend(call: Call) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().set_client_state(&call.context(), &id, ClientState::Suspended).await?)?.tagged())
}

/// Let a suspended relying party go on
#[utoipa::path(post, path = "/api/v1/clients/{id}/resume", tag = "clients", params(("id" = String, Path)), responses((status = 200, body = ClientView)))]
pub async fn resume(call: Call) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().set_client_state(&call.context(), &id, ClientState::Active).await?)?.tagged())
}

/// Replace the secret of a relying party; the new one is shown once, the old one is refused from now on
#[utoipa::path(post, path = "/api/v1/clients/{id}/secret", tag = "clients", params(("id" = String, Path)), responses((status = 200, body = ClientView)))]
pub async fn replace_secret(call: Call) -> Answer {
    let id = id(&call)?;
    Ok(Reply::done(call.app().replace_client_secret(&call.context(), &id).await?)?.tagged())
}

/// Make a token that lets a program register clients (RFC 7591); it is shown once
#[utoipa::path(post, path = "/api/v1/initial-access-tokens", tag = "clients", request_body = AccessInput, responses((status = 201, body = InitialAccessView)))]
pub async fn create_initial_access(call: Call, input: AccessInput) -> Answer {
    let organization = organization(&call, input.organization.as_deref()).await?;
    let made = call.app().create_initial_access(&call.context(), &input.label, organization, input.uses, input.days).await?;
    Ok(Reply::done(made)?.located("/api/v1/initial-access-tokens"))
}

/// List the tokens that let programs register clients
#[utoipa::path(get, path = "/api/v1/initial-access-tokens", tag = "clients", responses((status = 200, body = List<InitialAccessView>)))]
pub async fn list_initial_access(call: Call) -> Answer {
    Reply::ok(&call.app().list_initial_access(&call.context()).await?)
}

/// Delete a token that lets programs register clients
#[utoipa::path(delete, path = "/api/v1/initial-access-tokens/{id}", tag = "clients", params(("id" = String, Path)), responses((status = 204)))]
pub async fn remove_initial_access(call: Call) -> Answer {
    let id = call.id("id")?;
    call.app().delete_initial_access(&call.context(), id).await?;
    Ok(Reply::no_content())
}
