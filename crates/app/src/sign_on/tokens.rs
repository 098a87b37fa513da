//! The token endpoint for relying parties: codes, refresh tokens, and clients in their own name.

use std::sync::Arc;

use octroi_domain::Moment;
use octroi_oauth::{
    client_metadata::{AuthMethod, GrantType},
    parameters::{no_scope, tokens},
};

pub use super::issue::Issued;
use super::{
    Known, Presented, Refusal, SCOPES, SignOnError,
    binding::Binding,
    digest,
    exchange::{Exchange, Granted, Shown},
    issue::Access,
};
use crate::{context::App, error::Error};

impl App {
    /// Answers a token request of a relying party.
    ///
    /// # Errors
    /// The refusal of RFC 6749 section 5.2, or RFC 9449.
    pub async fn client_token(&self, presented: Presented<'_>) -> Result<Issued, SignOnError> {
        let known = self.authenticate(presented).await?;
        let binding = self.binding(&known, presented).await?;
        let grant_type = match presented.parameters.get("grant_type") {
            Some("authorization_code") => GrantType::AuthorizationCode,
            Some("refresh_token") => GrantType::RefreshToken,
            Some("client_credentials") => GrantType::ClientCredentials,
            Some(_) => {
                let why = "authorization_code, refresh_token and client_credentials are offered";
                return Err(Refusal::new(400, "unsupported_grant_type", why).into());
            }
            None => return Err(Refusal::request("grant_type is missing").into()),
        };
        if !known.metadata.grant_types.contains(&grant_type) {
            return Err(Refusal::new(400, "unauthorized_client", "this client did not register the grant type").into());
        }
        match grant_type {
            GrantType::AuthorizationCode => {
                let code = presented.parameters.get("code").ok_or_else(|| Refusal::request("code is missing"))?;
                self.by_grant(&known, binding, Shown::Code(digest(code)), presented).await
            }
            GrantType::RefreshToken => {
                let token = presented.parameters.get("refresh_token").ok_or_else(|| Refusal::request("refresh_token is missing"))?;
                self.by_grant(&known, binding, Shown::Refresh(digest(token)), presented).await
            }
            GrantType::ClientCredentials => self.in_own_name(&known, binding, presented).await,
        }
    }

    /// What a code or a refresh token stands for, as tokens.
    async fn by_grant(&self, known: &Arc<Known>, binding: Binding, shown: Shown, presented: Presented<'_>) -> Result<Issued, SignOnError> {
        let now = presented.now;
        let asked = Exchange { known: Arc::clone(known), binding, parameters: presented.parameters.clone(), now, shown };
        let Granted { grant, scopes, audiences, binding, told, nonce, refresh } = self.exchange(asked).await?;
        let access = Access { subject: &grant.facts.subject, scopes: &scopes, audiences, binding, grant: Some(&grant) };
        let mut issued = self.access_token(known, access, now).await?;
        if scopes.iter().any(|scope| scope == "openid") {
            issued.id_token = Some(self.id_token(known, &grant, &told, nonce, &issued.access_token, now).await?);
        }
        issued.refresh_token = refresh.map(|secret| secret.show().to_owned());
        Ok(issued)
    }

    async fn in_own_name(&self, known: &Known, binding: Binding, presented: Presented<'_>) -> Result<Issued, SignOnError> {
        if known.metadata.token_endpoint_auth_method == AuthMethod::None {
            return Err(Refusal::new(400, "unauthorized_client", "a public client has no credentials of its own").into());
        }
        // Scopes of people mean nothing for a client in its own name; `openid` is accepted, as on PISTE.
        let own = |scope: &str| !SCOPES.contains(&scope);
        let granted: Vec<&str> =
            known.metadata.scope.as_deref().unwrap_or_default().split(' ').filter(|scope| !scope.is_empty() && own(scope)).collect();
        let scopes: Vec<String> = match presented.parameters.get("scope") {
            None => granted.iter().map(|scope| (*scope).to_owned()).collect(),
            Some(text) => {
                let asked = tokens(text, 100).map_err(|bad| Refusal::new(400, "invalid_scope", no_scope(&bad)))?;
                let asked: Vec<String> = asked.into_iter().filter(|scope| scope != "openid").collect();
                if let Some(other) = asked.iter().find(|scope| !granted.contains(&scope.as_str())) {
                    return Err(Refusal::new(400, "invalid_scope", format!("the scope `{other}` is not granted to this client")).into());
                }
                asked
            }
        };
        let mut audiences = Vec::new();
        for resource in presented.parameters.all("resource") {
            if resource != self.issuer() && !self.inner.store.read().is_served(resource).await? {
                return Err(Refusal::new(400, "invalid_target", "no API is registered under this resource").into());
            }
            audiences.push(resource.to_owned());
        }
        let access = Access { subject: known.client.id.as_str(), scopes: &scopes, audiences, binding, grant: None };
        self.access_token(known, access, presented.now).await
    }

    /// Out of date codes, tokens and requests, gone.
    pub(crate) async fn purge_sign_on(&self, tx: &mut octroi_store::Tx, now: Moment) -> Result<(), Error> {
        // A pushed request is used up when its sign-in ends, which may be an hour later.
        tx.interaction_purge(now.plus_seconds(-octroi_domain::sign_on::INTERACTION_SECONDS)).await?;
        tx.seen_purge(now).await?;
        tx.grant_purge(now).await?;
        tx.sign_on_key_purge(now.plus_seconds(-2 * crate::keys::RETIREMENT_HOURS * 3_600)).await?;
        Ok(())
    }
}
