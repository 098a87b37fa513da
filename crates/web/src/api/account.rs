//! One's own account: names, and the sessions that are open.

use octroi_app::{account::SessionView, sessions::MeView};
use octroi_domain::{Id, authentication::Session};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::call::{Answer, Call, Reply};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OwnName)]
pub struct Name {
    /// 1 to 120 characters.
    given_name: String,
    /// 1 to 120 characters.
    family_name: String,
}

/// Change one's name
#[utoipa::path(put, path = "/api/v1/me/name", tag = "session", request_body = Name, responses((status = 200, body = MeView)))]
pub async fn rename(call: Call, input: Name) -> Answer {
    let context = call.context();
    call.app().rename_account(&context, &input.given_name, &input.family_name).await?;
    Reply::ok(&call.app().me(&context, call.lacks_second_factor()).await?)
}

/// List one's open sessions, the last used first
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "session", responses((status = 200, body = Vec<SessionView>), (status = 403, description = "A sign-in of the last 15 minutes is needed")))]
pub async fn sessions(call: Call) -> Answer {
    let context = call.context();
    call.app().recently(&context)?;
    Reply::ok(&call.app().list_sessions(&context).await?)
}

/// End one of one's sessions; its cookie is worth nothing from now on
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "session", params(("id" = String, Path)), responses((status = 204), (status = 403, description = "A sign-in of the last 15 minutes is needed")))]
pub async fn end(call: Call) -> Answer {
    let id: Id<Session> = call.id("id")?;
    call.app().end_session(&call.context(), id).await?;
    Ok(Reply::no_content())
}

/// End all of one's sessions but this one
#[utoipa::path(post, path = "/api/v1/me/sessions/end-others", tag = "session", responses((status = 204), (status = 403, description = "A sign-in of the last 15 minutes is needed")))]
pub async fn end_others(call: Call) -> Answer {
    call.app().end_other_sessions(&call.context(), call.visitor()).await?;
    Ok(Reply::no_content())
}
