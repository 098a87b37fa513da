//! What a provider says of itself, its keys, and what it answers.

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use octroi_domain::{Moment, connection::ClientAuth};
use octroi_oauth::{
    foreign::JwkSet,
    jwt::SigningKeyPair,
    relying_party::{self, Doubt, Proof, Provider, TokenAnswer},
    secret,
};
use octroi_store::StoredConnection;
use serde_json::{Map, Value};

use super::ConnectionError;
use crate::{
    context::App,
    error::Error,
    sign_on::outgoing::{Answered, Ask},
};

/// A document is good for so long.
const FRESH: Duration = Duration::from_secs(600);
/// And so long where the provider does not answer.
const STALE: Duration = Duration::from_secs(86_400);
/// Providers kept at once.
const MOST: usize = 200;
const JSON: &str = "application/json";

/// What the secret and the key of a connection are sealed with.
pub(super) fn seal_context(what: &str, slug: &octroi_domain::Slug) -> String {
    format!("connection {what}: {slug}")
}

impl App {
    /// What the provider of this issuer says of itself.
    pub(super) async fn provider(&self, issuer: &str) -> Result<Arc<Provider>, ConnectionError> {
        let kept = self.inner.connections.providers.lock().unwrap_or_else(PoisonError::into_inner).get(issuer).cloned();
        if let Some((at, provider)) = &kept
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(provider));
        }
        if !relying_party::is_issuer(issuer) {
            return Err(Doubt::Issuer.into());
        }
        let address = relying_party::document_address(issuer);
        let provider = match self.ask_provider(Ask { address: &address, form: None, authorization: None, accept: JSON }).await {
            Ok(answered) if answered.status == 200 => Arc::new(Provider::read(&answered.body, issuer)?),
            other => {
                // What it said yesterday is better than nobody coming in.
                if let Some((_, provider)) = kept.filter(|(at, _)| at.elapsed() < STALE) {
                    return Ok(provider);
                }
                return Err(match other {
                    Ok(answered) => ConnectionError::Unreachable(format!("its document answers {}", answered.status)),
                    Err(error) => error,
                });
            }
        };
        let mut all = self.inner.connections.providers.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(issuer.to_owned(), (Instant::now(), Arc::clone(&provider)));
        Ok(provider)
    }

    async fn ask_provider(&self, ask: Ask<'_>) -> Result<Answered, ConnectionError> {
        let port = self.outgoing().ok_or_else(|| ConnectionError::Unreachable("nothing leads out of here".to_owned()))?;
        port.ask(ask).await.map_err(ConnectionError::Unreachable)
    }

    /// Checks something with the provider's keys; with fresh ones where it names a key that is not known yet.
    pub(super) async fn with_keys<T>(
        &self,
        provider: &Provider,
        check: impl Fn(&JwkSet) -> Result<T, Doubt>,
    ) -> Result<T, ConnectionError> {
        let unreachable = || ConnectionError::Unreachable("its keys cannot be fetched".to_owned());
        let keys = self.keys_at(&provider.jwks_uri, false).await.ok_or_else(unreachable)?;
        match check(&keys) {
            // An unnamed key may have been replaced as well as a named one.
            Err(Doubt::UnknownKey | Doubt::Signature | Doubt::NoKid) => {
                let keys = self.keys_at(&provider.jwks_uri, true).await.ok_or_else(unreachable)?;
                Ok(check(&keys)?)
            }
            outcome => Ok(outcome?),
        }
    }

    /// The key that we sign assertions with.
    pub(super) fn connection_key(&self, stored: &StoredConnection) -> Result<SigningKeyPair, Error> {
        let slug = &stored.connection.slug;
        let sealed = stored.key.as_ref().ok_or_else(|| Error::Internal(format!("connection {slug} has no key")))?;
        let pkcs8 = self.inner.master_key.open(&seal_context("key", slug), sealed).map_err(|error| Error::Internal(error.to_string()))?;
        SigningKeyPair::from_pkcs8(format!("{slug}-1"), &pkcs8).map_err(|error| Error::Internal(error.to_string()))
    }

    fn connection_secret(&self, stored: &StoredConnection) -> Result<String, Error> {
        let slug = &stored.connection.slug;
        let sealed = stored.secret.as_ref().ok_or_else(|| Error::Internal(format!("connection {slug} has no secret")))?;
        let plain =
            self.inner.master_key.open(&seal_context("secret", slug), sealed).map_err(|error| Error::Internal(error.to_string()))?;
        String::from_utf8(plain).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Exchanges a code for what the provider says.
    pub(super) async fn exchange_code(
        &self,
        stored: &StoredConnection,
        provider: &Provider,
        exchange: (&str, &str, &str),
        now: Moment,
    ) -> Result<TokenAnswer, ConnectionError> {
        let connection = &stored.connection;
        let internal = |error: octroi_oauth::jwt::KeyError| Error::Internal(error.to_string());
        let make = |proof: Proof<'_>| relying_party::token_request(&provider.issuer, &connection.client_id, proof, exchange);
        let request = match connection.client_auth {
            ClientAuth::SecretBasic => make(Proof::Basic(&self.connection_secret(stored)?)).map_err(internal)?,
            ClientAuth::SecretPost => make(Proof::Post(&self.connection_secret(stored)?)).map_err(internal)?,
            ClientAuth::PrivateKeyJwt => {
                let (key, word) = (self.connection_key(stored)?, secret::random_word()?);
                make(Proof::Key { key: &key, word: &word, now: now.seconds() }).map_err(internal)?
            }
        };
        let (address, authorization) = (provider.token_endpoint.as_str(), request.authorization.as_deref());
        let answered = self.ask_provider(Ask { address, form: Some(&request.form), authorization, accept: JSON }).await?;
        match answered.status {
            200 => Ok(TokenAnswer::read(&answered.body)?),
            status @ 500.. => Err(ConnectionError::Unreachable(format!("its token endpoint answers {status}"))),
            status => {
                let error = serde_json::from_slice::<Value>(&answered.body).ok().and_then(|body| body.get("error")?.as_str().map(word));
                tracing::warn!(connection = %connection.slug, status, error, "a provider does not take a code, or does not know us");
                Err(Doubt::TokenAnswer.into())
            }
        }
    }

    /// What the userinfo endpoint says, where there is one.
    pub(super) async fn asserted_facts(
        &self,
        stored: &StoredConnection,
        provider: &Provider,
        (access_token, subject): (&str, &str),
        now: Moment,
    ) -> Result<Map<String, Value>, ConnectionError> {
        let signed = stored.connection.signed_userinfo;
        let Some(address) = provider.userinfo_endpoint.as_deref() else {
            return if signed { Err(Doubt::Unsigned.into()) } else { Ok(Map::new()) };
        };
        let authorization = format!("Bearer {access_token}");
        let accept = if signed { "application/jwt" } else { "application/json, application/jwt" };
        let answered = self.ask_provider(Ask { address, form: None, authorization: Some(&authorization), accept }).await?;
        if answered.status != 200 {
            return Err(ConnectionError::Unreachable(format!("its userinfo endpoint answers {}", answered.status)));
        }
        let expected = relying_party::Expected { issuer: &provider.issuer, client_id: &stored.connection.client_id, now: now.seconds() };
        let shown = (answered.content_type.as_str(), answered.body.as_slice());
        self.with_keys(provider, |keys| relying_party::userinfo(shown, keys, expected, (subject, signed))).await
    }
}

/// A word of a protocol that came from outside, for a log or a page.
pub(super) fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')).take(60).collect()
}
