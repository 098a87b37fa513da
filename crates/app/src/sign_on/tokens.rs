//! The token endpoint for relying parties: codes, refresh tokens, and clients in their own name.

use octroi_domain::{
    Moment,
    sign_on::{Grant, RefreshUse},
};
use octroi_oauth::{
    client_metadata::{AuthMethod, GrantType},
    parameters::{Parameters, no_scope, tokens},
    pkce::Challenge,
};
use serde_json::json;

pub use super::issue::Issued;
use super::{
    Known, Presented, Refusal, SCOPES, SignOnError,
    binding::Binding,
    claims::{self, Told},
    digest,
    issue::Access,
};
use crate::{context::App, error::Error};

/// One sentence for a code that is unknown, used, out of date, of another client or not proven.
const BAD_CODE: &str = "the code is unknown, used, out of date, or not this client's; or redirect_uri or code_verifier is not its own";
const BAD_REFRESH: &str = "the refresh token is unknown, used, out of date, revoked, or not this client's";

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
            GrantType::AuthorizationCode => self.by_code(&known, binding, presented).await,
            GrantType::RefreshToken => self.by_refresh(&known, binding, presented).await,
            GrantType::ClientCredentials => self.in_own_name(&known, binding, presented).await,
        }
    }

    async fn by_code(&self, known: &Known, binding: Binding, presented: Presented<'_>) -> Result<Issued, SignOnError> {
        let (parameters, now) = (presented.parameters, presented.now);
        let code = parameters.get("code").ok_or_else(|| Refusal::request("code is missing"))?;
        let code = digest(code);
        let refused = || SignOnError::from(Refusal::grant(BAD_CODE));
        let mut tx = self.inner.store.write().await?;
        let found = tx.code_lock(&code).await?.ok_or_else(refused)?;
        let grant = tx.grant_lock(found.grant).await?.filter(|grant| grant.client == known.client.id).ok_or_else(refused)?;
        if found.used_at.is_some() {
            // Two hold the code: what the first was given ends (RFC 6749 section 4.1.2).
            if tx.grant_end(grant.id, now).await? {
                let subject = format!("client:{}", known.client.id);
                tx.record(now, &subject, "code.reused", &subject, json!({ "grant": grant.id }));
            }
            tx.commit().await?;
            return Err(refused());
        }
        let facts = &found.facts;
        let proven = match (&facts.challenge, parameters.get("code_verifier")) {
            (None, None) => true,
            (Some(challenge), Some(verifier)) => Challenge::read(challenge).is_some_and(|challenge| challenge.is_of(verifier)),
            // A verifier for a code without challenge: somebody took the challenge away (RFC 9700 section 4.8.2).
            (None, Some(_)) | (Some(_), None) => false,
        };
        let same_key = facts.jkt.is_none() || facts.jkt == binding.jkt;
        let same_address = parameters.get("redirect_uri") == Some(facts.redirect_uri.as_str());
        if now >= found.expires_at || grant.ended_at.is_some() || !proven || !same_key || !same_address {
            return Err(refused());
        }
        let audiences = self.audiences(parameters, &grant)?;
        let user = tx.user_by_id(grant.user).await?.ok_or_else(refused)?;
        tx.code_used(&code, now).await?;
        let claims = claims::asked(known, &grant.facts);
        let told = Told::for_id_token(&tx, &user, &grant.facts, &claims).await?;
        let refresh = self.refresh_token(&mut tx, known, &grant, &binding, now).await?;
        tx.commit().await?;
        let access = Access { subject: &grant.facts.subject, scopes: &grant.facts.scopes, audiences, binding, grant: Some(&grant) };
        let mut issued = self.access_token(known, access, now).await?;
        if grant.facts.has_scope("openid") {
            issued.id_token = Some(self.id_token(known, &grant, &told, facts.nonce.clone(), &issued.access_token, now).await?);
        }
        issued.refresh_token = refresh.map(|secret| secret.show().to_owned());
        Ok(issued)
    }

    async fn by_refresh(&self, known: &Known, binding: Binding, presented: Presented<'_>) -> Result<Issued, SignOnError> {
        let (parameters, now) = (presented.parameters, presented.now);
        let token = parameters.get("refresh_token").ok_or_else(|| Refusal::request("refresh_token is missing"))?;
        let token = digest(token);
        let refused = || SignOnError::from(Refusal::grant(BAD_REFRESH));
        let mut tx = self.inner.store.write().await?;
        let held = tx.refresh_token_lock(&token).await?.ok_or_else(refused)?;
        let grant = tx.grant_lock(held.grant).await?.filter(|grant| grant.client == known.client.id).ok_or_else(refused)?;
        if grant.ended_at.is_some() {
            return Err(refused());
        }
        match held.shown(now) {
            RefreshUse::Good => {}
            RefreshUse::Expired => return Err(refused()),
            RefreshUse::Reused => {
                tx.grant_end(grant.id, now).await?;
                let subject = format!("client:{}", known.client.id);
                tx.record(now, &subject, "refresh_token.reused", &subject, json!({ "grant": grant.id }));
                tx.commit().await?;
                return Err(refused());
            }
        }
        if held.jkt.is_some() && held.jkt != binding.holder() {
            return Err(refused());
        }
        let scopes = narrowed(parameters, &grant)?;
        let audiences = self.audiences(parameters, &grant)?;
        let user = tx.user_by_id(grant.user).await?.ok_or_else(refused)?;
        let claims = claims::asked(known, &grant.facts);
        let told = Told::for_id_token(&tx, &user, &grant.facts, &claims).await?;
        // Of several that came of one answer that was lost, or stolen, the first to be used goes on alone.
        if held.replaced_at.is_none() {
            tx.refresh_tokens_replaced(grant.id, now).await?;
        }
        let refresh = self.refresh_token(&mut tx, known, &grant, &binding, now).await?;
        tx.commit().await?;
        let access = Access { subject: &grant.facts.subject, scopes: &scopes, audiences, binding, grant: Some(&grant) };
        let mut issued = self.access_token(known, access, now).await?;
        if scopes.iter().any(|scope| scope == "openid") {
            issued.id_token = Some(self.id_token(known, &grant, &told, None, &issued.access_token, now).await?);
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

    /// Whom the access token is for (RFC 8707 section 2.2): what is asked for now, of what was asked for then.
    fn audiences(&self, parameters: &Parameters, grant: &Grant) -> Result<Vec<String>, Refusal> {
        let asked: Vec<String> = parameters.all("resource").map(str::to_owned).collect();
        let then = &grant.facts.resources;
        if asked.iter().any(|resource| !then.contains(resource) && resource != self.issuer()) {
            return Err(Refusal::new(400, "invalid_target", "the resource was not part of the request"));
        }
        if !asked.is_empty() {
            return Ok(asked);
        }
        let mut all = then.clone();
        if !all.is_empty() && grant.facts.has_scope("openid") && !all.iter().any(|resource| resource == self.issuer()) {
            all.push(self.issuer().to_owned());
        }
        Ok(all)
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

/// The scopes of a refresh: never more than were given (RFC 6749 section 6).
fn narrowed(parameters: &Parameters, grant: &Grant) -> Result<Vec<String>, Refusal> {
    let Some(text) = parameters.get("scope") else { return Ok(grant.facts.scopes.clone()) };
    let asked = tokens(text, 100).map_err(|bad| Refusal::new(400, "invalid_scope", no_scope(&bad)))?;
    match asked.iter().find(|scope| !grant.facts.has_scope(scope)) {
        Some(other) => Err(Refusal::new(400, "invalid_scope", format!("the scope `{other}` was not given"))),
        None => Ok(asked),
    }
}
