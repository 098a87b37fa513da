//! Credentials: made, shown once, revoked.

use octroi_app::view::{CredentialView, NewCredentialView};
use octroi_domain::{
    Id,
    credential::{Credential, CredentialKind},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::call::{Answer, Call, Reply};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCredential)]
pub struct Create {
    /// `client_secret` or `api_key`.
    #[schema(value_type = String, example = "api_key")]
    kind: CredentialKind,
}

/// Make a credential
///
/// The answer shows the secret, once: sent again with the same `Idempotency-Key`, the answer has the
/// same status and `{"replayed": true, "detail": …}`.
#[utoipa::path(post, path = "/api/v1/applications/{id}/credentials", tag = "credentials", params(("id" = String, Path)), request_body = Create, responses((status = 201, body = NewCredentialView)))]
pub async fn create(call: Call, input: Create) -> Answer {
    let application = super::applications::id(&call)?;
    Reply::done(call.app().create_credential(&call.context(), application, input.kind).await?)
}

/// Revoke a credential: the next call that shows it is refused
#[utoipa::path(delete, path = "/api/v1/credentials/{id}", tag = "credentials", params(("id" = String, Path)), responses((status = 200, body = CredentialView)))]
pub async fn revoke(call: Call) -> Answer {
    let id: Id<Credential> = call.id("id")?;
    Reply::done(call.app().revoke_credential(&call.context(), id).await?)
}
