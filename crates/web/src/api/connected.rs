//! The clients that a person let in.

use octroi_app::{sign_on::consents::ConnectedClient, view::List};

use crate::call::{Answer, Call, Reply};

/// List the applications that hold something of one's own, the last used first
#[utoipa::path(get, path = "/api/v1/me/connected-applications", tag = "session", responses((status = 200, body = List<ConnectedClient>)))]
pub async fn list(call: Call) -> Answer {
    let items = call.app().connected_clients(&call.context()).await?;
    Reply::ok(&List { items, next: None })
}

/// Take back what an application was given: its tokens end at once, and it has to ask again
#[utoipa::path(delete, path = "/api/v1/me/connected-applications/{client_id}", tag = "session", params(("client_id" = String, Path)), responses((status = 204), (status = 404, description = "It holds nothing")))]
pub async fn remove(call: Call) -> Answer {
    let id = call.id("client_id")?;
    call.app().disconnect_client(&call.context(), &id).await?;
    Ok(Reply::no_content())
}
