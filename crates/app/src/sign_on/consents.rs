//! What a person lets clients have: the list, and its end.

use octroi_domain::{
    Id, Moment,
    organization::Organization,
    policy::{Action, Subject},
    sign_on::{ClientId, Grant, LogoutNotice},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{Known, interaction::ORGANIZATION};
use crate::{
    context::{App, Context},
    error::Error,
    view::OrganizationView,
};

/// A client that holds something of the person, or that need not ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConnectedApplication)]
pub struct ConnectedClient {
    pub client_id: String,
    pub name: String,
    /// Who runs it.
    pub owner: Option<OrganizationView>,
    /// What it was given, or what the person agreed to; `claim:…` for one claim.
    pub scopes: Vec<String>,
    /// The organisations that the person signed in for.
    pub organizations: Vec<OrganizationView>,
    /// Does it hold tokens now?
    pub active: bool,
    /// When it was first let in, of what has not ended.
    pub since: String,
    /// When it last got tokens.
    pub last_used: Option<String>,
}

/// What is known of one client on the way.
struct Found {
    client: ClientId,
    scopes: Vec<String>,
    organizations: Vec<Id<Organization>>,
    active: bool,
    since: Moment,
    last_used: Option<Moment>,
}
impl Found {
    fn take(&mut self, grant: &Grant, used: Option<Moment>) {
        self.active = true;
        self.since = self.since.min(grant.created_at);
        self.last_used = self.last_used.max(Some(used.unwrap_or(grant.created_at)));
        for scope in &grant.facts.scopes {
            if !self.scopes.contains(scope) {
                self.scopes.push(scope.clone());
            }
        }
        if let Some(organization) = grant.facts.organization
            && !self.organizations.contains(&organization)
        {
            self.organizations.push(organization);
        }
    }
}

impl App {
    /// The clients that hold something of the person, or that they agreed to, the last used first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn connected_clients(&self, context: &Context) -> Result<Vec<ConnectedClient>, Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let user = context.person()?.user;
        let reader = self.inner.store.read();
        let mut found: Vec<Found> = Vec::new();
        for (client, agreed, since) in reader.consents_of_user(user).await? {
            let (about, scopes): (Vec<String>, Vec<String>) = agreed.into_iter().partition(|agreed| agreed.starts_with(ORGANIZATION));
            let organizations = about.iter().filter_map(|about| about.strip_prefix(ORGANIZATION)?.parse().ok()).collect();
            found.push(Found { client, scopes, organizations, active: false, since, last_used: None });
        }
        let used = reader.tokens_last_made(user).await?;
        for grant in reader.grants_of_user_at(user, context.now).await? {
            let last = used.iter().find(|(id, _)| *id == grant.id).map(|(_, at)| *at);
            match found.iter_mut().find(|found| found.client == grant.client) {
                Some(known) => known.take(&grant, last),
                None => {
                    let (client, since) = (grant.client.clone(), grant.created_at);
                    let mut new = Found { client, scopes: Vec::new(), organizations: Vec::new(), active: true, since, last_used: None };
                    new.take(&grant, last);
                    found.push(new);
                }
            }
        }
        found.sort_by_key(|found| std::cmp::Reverse((found.last_used, found.since)));
        let mut told = Vec::with_capacity(found.len());
        for found in found {
            let Some(client) = reader.client_by_id(&found.client).await? else { continue };
            let owner = match client.organization {
                Some(owner) => reader.organization_by_id(owner).await?,
                None => None,
            };
            let name = Known::of(client)?.metadata.client_name;
            let organizations = reader.organizations_by_ids(&found.organizations).await?;
            told.push(ConnectedClient {
                name: if name.trim().is_empty() { found.client.to_string() } else { name },
                client_id: found.client.to_string(),
                owner: owner.as_ref().map(OrganizationView::from),
                scopes: found.scopes,
                organizations: organizations.iter().map(OrganizationView::from).collect(),
                active: found.active,
                since: found.since.to_string(),
                last_used: found.last_used.map(|at| at.to_string()),
            });
        }
        Ok(told)
    }

    /// Takes back what the person agreed to: every token of theirs that the client holds ends, it is told so, and it has
    /// to ask again. Their session goes on.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the client holds nothing of theirs.
    pub async fn disconnect_client(&self, context: &Context, client: &ClientId) -> Result<(), Error> {
        context.require(Action::ManageAccount, &Subject::Platform)?;
        let user = context.person()?.user;
        let mut tx = self.inner.store.write().await?;
        let mut any = tx.consent_delete(user, client).await?;
        let told = match tx.client_by_id(client).await? {
            Some(held) => Known::of(held)?.metadata.backchannel_logout_uri.is_some(),
            None => false,
        };
        let mut sessions = Vec::new();
        for grant in tx.grants_of_user(user).await?.into_iter().filter(|grant| grant.client == *client) {
            any |= tx.grant_end(grant.id, context.now).await?;
            if told && !sessions.contains(&grant.session) {
                sessions.push(grant.session);
                let notice = LogoutNotice { client: client.clone(), subject: grant.facts.subject, session: grant.session };
                tx.enqueue_logout(context.now, &notice).await?;
            }
        }
        if !any {
            return Err(Error::NotFound);
        }
        tx.record(context.now, &context.principal.actor(), "grant.withdrawn", &format!("client:{client}"), json!({}));
        tx.commit().await?;
        Ok(())
    }
}
