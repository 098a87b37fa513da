//! What a person lets clients have: the list, and its end.

use octroi_domain::{
    policy::{Action, Subject},
    sign_on::ClientId,
};
use serde::Serialize;
use serde_json::json;

use super::Known;
use crate::{
    context::{App, Context},
    error::Error,
};

/// A client that the person signed in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectedClient {
    pub client_id: String,
    pub name: String,
    pub scopes: Vec<String>,
    pub since: String,
}

impl App {
    /// The clients that hold something of the person, the latest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn connected_clients(&self, context: &Context) -> Result<Vec<ConnectedClient>, Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let user = context.person()?.user;
        let reader = self.inner.store.read();
        let mut found: Vec<ConnectedClient> = Vec::new();
        for grant in reader.grants_of_user(user).await? {
            let id = grant.client.to_string();
            if found.iter().any(|client| client.client_id == id) {
                continue;
            }
            let Some(client) = reader.client_by_id(&grant.client).await? else { continue };
            let name = Known::of(client)?.metadata.client_name;
            let name = if name.is_empty() { id.clone() } else { name };
            found.push(ConnectedClient { client_id: id, name, scopes: grant.facts.scopes, since: grant.created_at.to_string() });
        }
        Ok(found)
    }

    /// Takes back what the person agreed to: every token of theirs that the client holds ends, and it has to ask again.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the client holds nothing of theirs.
    pub async fn disconnect_client(&self, context: &Context, client: &ClientId) -> Result<(), Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let user = context.person()?.user;
        let mut tx = self.inner.store.write().await?;
        let mut any = tx.consent_delete(user, client).await?;
        for grant in tx.grants_of_user(user).await?.into_iter().filter(|grant| grant.client == *client) {
            any |= tx.grant_end(grant.id, context.now).await?;
        }
        if !any {
            return Err(Error::NotFound);
        }
        tx.record(context.now, &context.principal.actor(), "grant.withdrawn", &format!("client:{client}"), json!({}));
        tx.commit().await?;
        Ok(())
    }
}
