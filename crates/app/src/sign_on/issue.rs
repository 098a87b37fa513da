//! Tokens as they are made: access tokens (RFC 9068), ID tokens (OpenID Connect Core section 2), refresh tokens.

use octroi_domain::{
    Moment,
    authentication::Acr,
    sign_on::{Grant, ID_TOKEN_SECONDS, RefreshToken},
};
use octroi_oauth::{
    client_metadata::{AuthMethod, GrantType},
    id_token::{GrantTokenClaims, ID_TOKEN, IdTokenClaims, left_half},
    jwt::{ACCESS_TOKEN, SigningAlgorithm},
    secret::{self, PlainSecret, SecretKind},
};
use octroi_store::Tx;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Known, SignOnError,
    binding::Binding,
    claims::{self, Told},
    stored,
};
use crate::{context::App, error::Error, sessions::SESSION_HOURS};

/// The answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issued {
    pub access_token: String,
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: u32,
    /// Left out when there is none: a list of scopes has one at least (section 3.3).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// What an access token is to say.
pub(super) struct Access<'a> {
    pub subject: &'a str,
    pub scopes: &'a [String],
    pub audiences: Vec<String>,
    pub binding: Binding,
    pub grant: Option<&'a Grant>,
}

impl App {
    /// Signs an access token.
    pub(super) async fn access_token(&self, known: &Known, access: Access<'_>, now: Moment) -> Result<Issued, SignOnError> {
        let seconds = known.client.access_token_seconds;
        let scope = access.scopes.join(" ");
        let aud = match access.audiences.as_slice() {
            [] => json!(self.issuer()),
            [one] => json!(one),
            several => json!(several),
        };
        let token_type = if access.binding.jkt.is_some() { "DPoP" } else { "Bearer" };
        let facts = access.grant.map(|grant| &grant.facts);
        let claims = GrantTokenClaims {
            iss: self.issuer().to_owned(),
            sub: access.subject.to_owned(),
            aud,
            client_id: known.client.id.to_string(),
            exp: now.seconds().saturating_add(i64::from(seconds)),
            iat: now.seconds(),
            jti: secret::random_word()?,
            scope: scope.clone(),
            auth_time: facts.map(|facts| facts.authenticated_at.seconds()),
            acr: facts.map(|facts| facts.acr.as_str().to_owned()),
            cnf: access.binding.confirmation(),
            octroi_grant: access.grant.map(|grant| grant.id.to_string()),
        };
        let key = self.signer(SigningAlgorithm::Es256, now).await?;
        let access_token = key.sign(ACCESS_TOKEN, &claims).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Issued { access_token, token_type, expires_in: seconds, scope, id_token: None, refresh_token: None })
    }

    /// Signs the ID token that goes with an access token.
    pub(super) async fn id_token(
        &self,
        known: &Known,
        grant: &Grant,
        told: &Told,
        nonce: Option<String>,
        access_token: &str,
        now: Moment,
    ) -> Result<String, SignOnError> {
        let algorithm = known.metadata.id_token_signed_response_alg;
        let claims = claims::asked(known, &grant.facts);
        let claims = IdTokenClaims {
            iss: self.issuer().to_owned(),
            sub: grant.facts.subject.clone(),
            aud: known.client.id.to_string(),
            exp: now.seconds().saturating_add(ID_TOKEN_SECONDS),
            iat: now.seconds(),
            auth_time: Some(grant.facts.authenticated_at.seconds()),
            nonce,
            acr: Some(Acr::as_str(grant.facts.acr).to_owned()),
            amr: grant.facts.amr.clone(),
            sid: Some(self.sid(&grant.client, grant.session)),
            at_hash: Some(left_half(algorithm, access_token)),
            others: told.id_token(known, &claims),
        };
        let key = self.signer(algorithm, now).await?;
        Ok(key.sign(ID_TOKEN, &claims).map_err(|error| Error::Internal(error.to_string()))?)
    }

    /// Makes a refresh token, where the client has the grant type. Without `offline_access` it ends with the longest
    /// that the session can last.
    pub(super) async fn refresh_token(
        &self,
        tx: &mut Tx,
        known: &Known,
        grant: &Grant,
        binding: &Binding,
        now: Moment,
    ) -> Result<Option<PlainSecret>, SignOnError> {
        if !known.metadata.grant_types.contains(&GrantType::RefreshToken) {
            return Ok(None);
        }
        let mut expires_at = now.plus_seconds(i64::from(known.client.refresh_token_seconds));
        if !grant.facts.is_offline() {
            expires_at = expires_at.min(grant.facts.authenticated_at.plus_seconds(SESSION_HOURS * 3_600));
        }
        // Confidential clients prove themselves at each refresh; a public one by what it is bound to.
        let public = known.metadata.token_endpoint_auth_method == AuthMethod::None;
        let jkt = binding.holder().filter(|_| public);
        let secret = PlainSecret::generate(SecretKind::RefreshToken)?;
        let token = RefreshToken { grant: grant.id, jkt, created_at: now, expires_at, replaced_at: None };
        tx.refresh_token_insert(stored(&secret).bytes(), &token).await?;
        let access_ends = now.plus_seconds(i64::from(known.client.access_token_seconds));
        tx.grant_extend(grant.id, expires_at.max(access_ends)).await?;
        Ok(Some(secret))
    }

    /// A JWT that answers a client about a person or a token: userinfo (OpenID Connect Core section 5.3.2) or introspection (RFC 9701).
    pub(super) async fn signed(&self, typ: &str, algorithm: SigningAlgorithm, claims: &Value, now: Moment) -> Result<String, SignOnError> {
        let key = self.signer(algorithm, now).await?;
        Ok(key.sign(typ, claims).map_err(|error| Error::Internal(error.to_string()))?)
    }
}
