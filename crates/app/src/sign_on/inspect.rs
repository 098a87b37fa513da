//! What a token is good for: userinfo (OpenID Connect Core section 5.3), introspection (RFC 7662, RFC 9701) and revocation
//! (RFC 7009).

use std::sync::Arc;

use octroi_domain::{
    Id, Moment,
    sign_on::{Grant, RefreshUse},
};
use octroi_oauth::{
    claims_request::ClaimsRequest,
    id_token::{GrantTokenClaims, INTROSPECTION},
    jwt::SigningAlgorithm,
};
use serde_json::{Map, Value, json};

use super::{
    Known, Presented, Refusal, SignOnError,
    claims::{Told, needs_organization},
    digest, once,
};
use crate::context::App;

/// An answer that a client may have signed.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Json(Value),
    Jwt(String),
}

/// How an access token was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    Bearer,
    Dpop,
}

/// An access token that is good now.
struct Active {
    claims: Arc<GrantTokenClaims>,
    known: Arc<Known>,
    grant: Option<Grant>,
}

impl App {
    /// The access token, when it is ours, in date, not revoked, and its grant goes on.
    async fn active(&self, token: &str, now: Moment) -> Result<Option<Active>, SignOnError> {
        let Some(claims) = self.access_claims(token, now).await? else { return Ok(None) };
        if claims.iss != self.issuer() || claims.exp <= now.seconds() {
            return Ok(None);
        }
        let Ok(client) = claims.client_id.parse() else { return Ok(None) };
        let reader = self.inner.store.read();
        let Some(known) = self.client_known(&client).await? else { return Ok(None) };
        if reader.was_seen(&once("revoked", "", &claims.jti)).await? {
            return Ok(None);
        }
        let grant = match &claims.octroi_grant {
            None => None,
            Some(id) => {
                let Ok(id) = id.parse::<Id<Grant>>() else { return Ok(None) };
                match reader.grant_by_id(id).await?.filter(|grant| grant.ended_at.is_none()) {
                    Some(grant) => Some(grant),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(Active { claims, known, grant }))
    }

    /// Tells a client of the person that its access token stands for.
    ///
    /// # Errors
    /// 401 `invalid_token`, 403 `insufficient_scope` (RFC 6750 section 3.1), 401 `invalid_dpop_proof`.
    pub async fn userinfo(&self, scheme: Scheme, token: &str, presented: Presented<'_>) -> Result<Answer, SignOnError> {
        let now = presented.now;
        let refused = || SignOnError::from(Refusal::token());
        let Active { claims, known, grant } = self.active(token, now).await?.ok_or_else(refused)?;
        if !claims.is_for(self.issuer()) {
            return Err(refused());
        }
        let cnf = claims.cnf.clone().unwrap_or_default();
        // One that is bound to a certificate is none with another, or without (RFC 8705 section 3).
        if cnf.x5t_s256.is_some() && cnf.x5t_s256 != presented.certificate.map(octroi_oauth::certificate::Certificate::thumbprint) {
            return Err(Refusal::bound("the access token is bound to a client certificate, and this request does not show it").into());
        }
        match (cnf.jkt, scheme) {
            (None, Scheme::Bearer) => {}
            (Some(bound), Scheme::Dpop) => {
                let unproven = |refusal: SignOnError| match refusal {
                    SignOnError::Refused(refusal) => SignOnError::Refused(Refusal { status: 401, ..refusal }),
                    failed @ SignOnError::Failed(_) => failed,
                };
                let proven = self.proof(known.is_strict(), Some(token), presented).await.map_err(unproven)?;
                if proven.as_deref() != Some(bound.as_str()) {
                    return Err(Refusal { status: 401, ..Refusal::proof("the DPoP proof is not of the key of the token") }.into());
                }
            }
            // A token that is bound to a key is none without it (RFC 9449 section 7.1).
            (Some(_), Scheme::Bearer) => {
                let why = "the access token is bound to a key: send it as `Authorization: DPoP`, with a proof in the header DPoP";
                return Err(Refusal::bound(why).into());
            }
            (None, Scheme::Dpop) => {
                return Err(Refusal::bound("the access token is not bound to a key: send it as `Authorization: Bearer`").into());
            }
        }
        if !claims.scope.split(' ').any(|scope| scope == "openid") {
            return Err(Refusal::new(403, "insufficient_scope", "the access token lacks the scope openid").into());
        }
        let grant = grant.ok_or_else(refused)?;
        let reader = self.inner.store.read();
        let user = reader.user_by_id(grant.user).await?.ok_or_else(refused)?;
        let told = Told::read(&reader, &user, &grant.facts).await?;
        let asked: ClaimsRequest = serde_json::from_str(&grant.facts.claims).unwrap_or_default();
        // The token may have been narrowed by a refresh.
        let scopes = claims.scope.split(' ').map(str::to_owned).collect();
        let facts = octroi_domain::sign_on::GrantFacts { scopes, ..grant.facts.clone() };
        let mut answer = Map::from_iter([("sub".to_owned(), json!(grant.facts.subject))]);
        answer.extend(told.userinfo(&known, &facts, &asked));
        let Some(algorithm) = known.metadata.userinfo_signed_response_alg else { return Ok(Answer::Json(Value::Object(answer))) };
        // Clients read it like an ID token.
        answer.extend([
            ("iss".to_owned(), json!(self.issuer())),
            ("aud".to_owned(), json!(known.client.id)),
            ("iat".to_owned(), json!(now.seconds())),
            ("exp".to_owned(), json!(now.seconds().saturating_add(octroi_domain::sign_on::ID_TOKEN_SECONDS))),
        ]);
        Ok(Answer::Jwt(self.signed("JWT", algorithm, &Value::Object(answer), now).await?))
    }

    /// Tells a client what a token is good for: its own, or one that is meant for the API that it serves. Any other is inactive.
    ///
    /// # Errors
    /// The refusal of a client that does not authenticate.
    pub async fn client_introspect(&self, signed: bool, presented: Presented<'_>) -> Result<Answer, SignOnError> {
        let asking = self.authenticate(presented).await?;
        if asking.metadata.token_endpoint_auth_method == octroi_oauth::client_metadata::AuthMethod::None {
            return Err(Refusal::client("a public client cannot prove who it is, and is told nothing").into());
        }
        let token = presented.parameters.get("token").ok_or_else(|| Refusal::request("token is missing"))?;
        let answer = self.introspection(&asking, token, presented.now).await?.unwrap_or_else(|| json!({ "active": false }));
        if !signed {
            return Ok(Answer::Json(answer));
        }
        let claims = json!({
            "iss": self.issuer(), "aud": asking.client.id, "iat": presented.now.seconds(), "token_introspection": answer,
        });
        let algorithm = asking.metadata.introspection_signed_response_alg.unwrap_or(SigningAlgorithm::Es256);
        Ok(Answer::Jwt(self.signed(INTROSPECTION, algorithm, &claims, presented.now).await?))
    }

    async fn introspection(&self, asking: &Known, token: &str, now: Moment) -> Result<Option<Value>, SignOnError> {
        if let Some(Active { claims, known, grant }) = self.active(token, now).await? {
            let own = claims.client_id == asking.client.id.as_str();
            let served = asking.client.serves.as_deref().is_some_and(|serves| claims.is_for(serves));
            if !own && !served {
                return Ok(None);
            }
            let bound = claims.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
            let mut answer = serde_json::to_value(claims.as_ref()).map_err(|error| crate::error::Error::Internal(error.to_string()))?;
            if let Some(members) = answer.as_object_mut() {
                members.remove("octroi_grant");
                members.insert("active".to_owned(), json!(true));
                members.insert("token_type".to_owned(), json!(if bound { "DPoP" } else { "Bearer" }));
                if let Some(grant) = grant {
                    members.extend(self.acting_for(&known, &grant, &claims).await?);
                }
            }
            return Ok(Some(answer));
        }
        let reader = self.inner.store.read();
        let Some(refresh) = reader.refresh_token(&digest(token)).await? else { return Ok(None) };
        let grant = reader.grant_by_id(refresh.grant).await?.filter(|grant| grant.ended_at.is_none() && grant.client == asking.client.id);
        let Some(grant) = grant.filter(|_| refresh.shown(now) == RefreshUse::Good) else { return Ok(None) };
        Ok(Some(json!({
            "active": true, "client_id": grant.client, "sub": grant.facts.subject, "iss": self.issuer(),
            "scope": grant.facts.scopes.join(" "), "iat": refresh.created_at.seconds(), "exp": refresh.expires_at.seconds(),
        })))
    }

    /// The organisation that the person chose for the grant of this token, where its scopes tell of one: an API decides by it.
    async fn acting_for(&self, known: &Known, grant: &Grant, claims: &GrantTokenClaims) -> Result<Map<String, Value>, SignOnError> {
        let scopes: Vec<String> = claims.scope.split(' ').map(str::to_owned).collect();
        if grant.facts.organization.is_none() || !needs_organization(&scopes, &ClaimsRequest::default()) {
            return Ok(Map::new());
        }
        let reader = self.inner.store.read();
        let Some(user) = reader.user_by_id(grant.user).await? else { return Ok(Map::new()) };
        let told = Told::read(&reader, &user, &grant.facts).await?;
        let facts = octroi_domain::sign_on::GrantFacts { scopes, ..grant.facts.clone() };
        Ok(told.organization(known, &facts))
    }

    /// Ends a token of the client: a refresh token with all that came of its grant, an access token by itself.
    /// What is not the client's is as unknown to it as what never was (section 2.2).
    ///
    /// # Errors
    /// The refusal of a client that does not authenticate.
    pub async fn client_revoke(&self, presented: Presented<'_>) -> Result<(), SignOnError> {
        let known = self.authenticate(presented).await?;
        let (token, now) = (presented.parameters.get("token").ok_or_else(|| Refusal::request("token is missing"))?, presented.now);
        let subject = format!("client:{}", known.client.id);
        if let Some(Active { claims, .. }) = self.active(token, now).await?.filter(|active| active.known.client.id == known.client.id) {
            let mut tx = self.inner.store.write().await?;
            if tx.see(&once("revoked", "", &claims.jti), Moment::from_micros(0).plus_seconds(claims.exp)).await? {
                tx.record(now, &subject, "token.revoked", &subject, json!({ "jti": claims.jti }));
            }
            tx.commit().await?;
            return Ok(());
        }
        let mut tx = self.inner.store.write().await?;
        let own = tx.refresh_tokens_lock(&[digest(token)]).await?.pop().filter(|(_, _, grant)| grant.client == known.client.id);
        if let Some((_, _, grant)) = own
            && tx.grant_end(grant.id, now).await?
        {
            tx.record(now, &subject, "grant.ended", &subject, json!({ "grant": grant.id, "why": "revoked by the client" }));
        }
        tx.commit().await?;
        Ok(())
    }
}
