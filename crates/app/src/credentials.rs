//! Credentials: made, shown once, revoked.

use octroi_domain::{
    Id, Moment,
    application::Application,
    credential::{ACTIVE_PER_KIND, Credential, CredentialKind, SecretDigest},
    policy::{Action, Subject},
    stage::Stage,
};
use octroi_oauth::secret::{PlainSecret, SecretKind};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    view::{CredentialView, NewCredentialView},
};

/// Draws a secret for an application: the row to store, and the one answer that shows it.
pub(crate) fn draw(application: &Application, kind: CredentialKind, now: Moment) -> Result<(Credential, NewCredentialView), Error> {
    let secret_kind = match (kind, application.stage) {
        (CredentialKind::ApiKey, Stage::Production) => SecretKind::ProductionApiKey,
        (CredentialKind::ApiKey, Stage::Sandbox) => SecretKind::SandboxApiKey,
        (CredentialKind::ClientSecret, Stage::Production) => SecretKind::ProductionClientSecret,
        (CredentialKind::ClientSecret, Stage::Sandbox) => SecretKind::SandboxClientSecret,
    };
    let secret = PlainSecret::generate(secret_kind)?;
    let credential = Credential {
        id: Id::from_uuid(Uuid::now_v7()),
        application: application.id,
        kind,
        hint: secret.hint().to_owned(),
        digest: SecretDigest::from_bytes(secret.digest()),
        created_at: now,
        last_used_at: None,
        revoked_at: None,
    };
    let view = NewCredentialView {
        id: credential.id.to_string(),
        kind: kind.as_str().to_owned(),
        application: application.id.to_string(),
        client_id: application.id.to_string(),
        secret: Some(secret.show().to_owned()),
        hint: credential.hint.clone(),
        created_at: now.to_string(),
    };
    Ok((credential, view))
}

impl App {
    /// Makes a credential. Two of a kind may be active at once, so that one can replace the other.
    pub async fn create_credential(
        &self,
        context: &Context,
        application: Id<Application>,
        kind: CredentialKind,
    ) -> Result<Done<NewCredentialView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let application = tx.application_by_id(application).await?.ok_or(Error::NotFound)?;
        context.require(Action::CreateCredential, &Subject::Application { organization: application.organization })?;
        context.on_stage(application.stage)?;
        let held = tx.credentials_of_application(application.id).await?;
        if held.iter().filter(|credential| credential.kind == kind && credential.revoked_at.is_none()).count() >= ACTIVE_PER_KIND {
            return Err(Error::conflict(
                "too_many_credentials",
                "Deux sont déjà actifs : révoquez l’ancien avant d’en créer un autre.",
                "Two are active already: revoke the old one before making another.",
            ));
        }
        let (credential, view) = draw(&application, kind, context.now)?;
        tx.credential_insert(&credential).await?;
        let details = json!({ "application": application.id, "kind": kind, "hint": credential.hint });
        tx.record(context.now, &context.principal.actor(), "credential.created", &format!("credential:{}", credential.id), details);
        tx.gateway_changed();
        let shown_again = NewCredentialView { secret: None, ..view.clone() };
        let again = serde_json::to_string(&shown_again).map_err(|error| Error::Internal(error.to_string()))?;
        self.finish_with(context, tx, 201, view, again).await
    }

    /// Revokes a credential; the next call that shows it is refused.
    pub async fn revoke_credential(&self, context: &Context, id: Id<Credential>) -> Result<Done<CredentialView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut credential = tx.credential_by_id(id).await?.ok_or(Error::NotFound)?;
        let application = tx.application_by_id(credential.application).await?.ok_or(Error::NotFound)?;
        context.require(Action::RevokeCredential, &Subject::Application { organization: application.organization })?;
        context.on_stage(application.stage)?;
        if !tx.credential_revoke(id, context.now).await? {
            return Err(Error::conflict("wrong_state", "Ce secret est déjà révoqué.", "This credential is revoked already."));
        }
        credential.revoked_at = Some(context.now);
        tx.record(
            context.now,
            &context.principal.actor(),
            "credential.revoked",
            &format!("credential:{id}"),
            json!({ "application": application.id }),
        );
        tx.gateway_changed();
        self.finish(context, tx, 200, CredentialView::from(&credential)).await
    }
}
