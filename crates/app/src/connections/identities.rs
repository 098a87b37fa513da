//! The ways into one's own account that lead through providers.

use octroi_domain::{Id, connection::Identity};
use serde_json::json;

use crate::{
    context::{App, Context},
    error::Error,
    mails::accounts as mails,
};

/// A provider by which one comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityView {
    pub id: String,
    /// What the connection is called; the issuer, where it is gone.
    pub name: octroi_domain::text::Text,
    pub created_at: String,
    pub last_used_at: String,
}

impl App {
    /// # Errors
    /// When nobody is signed in.
    pub async fn identities(&self, context: &Context) -> Result<Vec<IdentityView>, Error> {
        let user = self.own(context).await?;
        let reader = self.inner.store.read();
        let mut all = Vec::new();
        for identity in reader.identities_of_user(user.id).await? {
            all.push(IdentityView {
                id: identity.id.to_string(),
                name: self.name_of(&reader, &identity).await?,
                created_at: identity.created_at.to_string(),
                last_used_at: identity.last_used_at.to_string(),
            });
        }
        Ok(all)
    }

    async fn name_of(&self, reader: &octroi_store::Reader, identity: &Identity) -> Result<octroi_domain::text::Text, Error> {
        let stored = reader.connection(&identity.connection).await?;
        let stored = stored.filter(|stored| stored.connection.issuer == identity.issuer);
        Ok(stored.map_or_else(|| octroi_domain::text::Text::new(&identity.issuer, &identity.issuer), |stored| stored.connection.name))
    }

    /// Takes a way in away; never the last.
    ///
    /// # Errors
    /// `NotFound` for another's; a conflict for the last one.
    pub async fn unlink_identity(&self, context: &Context, id: Id<Identity>) -> Result<(), Error> {
        let user = self.own(context).await?;
        context.recent()?;
        self.strong_enough(context, user.id).await?;
        let mut tx = self.inner.store.write().await?;
        let user = self.own_in(&mut tx, context).await?;
        let all = tx.identities_of_user(user.id).await?;
        let named = all.iter().find(|identity| identity.id == id).ok_or(Error::NotFound)?;
        // Who proved their address comes in by mail.
        let otherwise = user.email_verified_at.is_some()
            || tx.user_password(user.id).await?.is_some()
            || !tx.passkeys_of_user(user.id).await?.is_empty();
        if all.len() == 1 && !otherwise {
            return Err(Error::conflict(
                "last_way_in",
                "C’est votre seul moyen d’entrer : vérifiez d’abord votre adresse, ou choisissez un mot de passe.",
                "This is your only way in: verify your address first, or choose a password.",
            ));
        }
        let name = self.name_of(&tx, named).await?;
        if !tx.identity_delete(user.id, id).await? {
            return Err(Error::NotFound);
        }
        let about = format!("user:{}", user.id);
        let details = json!({ "identity": id, "connection": named.connection, "by": "owner" });
        tx.record(context.now, &about, "user.identity_unlinked", &about, details);
        let name = name.in_language(user.language);
        tx.enqueue_mail(context.now, &mails::changed(&user, mails::Change::IdentityUnlinked, Some(name), &self.settings().public_url))
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
