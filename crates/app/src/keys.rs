//! The signing keys of each stage: made, sealed, rotated, opened for the gateway.

use octroi_domain::{
    Moment,
    feed::{KeyPurpose, SigningKey},
    stage::Stage,
};
use octroi_oauth::{jwt::SigningKeyPair, secret};
use octroi_store::{StoredKey, Tx};
use serde_json::json;

use crate::{context::App, error::Error};

/// A retired key goes on verifying for this long: longer than any token it signed lives.
pub const RETIREMENT_HOURS: i64 = 24;

const PURPOSES: [KeyPurpose; 2] = [KeyPurpose::AccessToken, KeyPurpose::Assertion];

impl App {
    /// Makes the keys that are missing. Called at each start.
    pub async fn ensure_keys(&self, now: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        let mut made = false;
        for stage in Stage::ALL {
            let held = tx.signing_key_list(Some(stage)).await?;
            for purpose in PURPOSES {
                if !held.iter().any(|key| key.purpose == purpose && key.retired_at.is_none()) {
                    self.make_key(&mut tx, stage, purpose, "system", now).await?;
                    made = true;
                }
            }
        }
        if made {
            tx.gateway_changed();
        }
        self.commit_and_tell(tx).await
    }

    /// Replaces the signing keys of a stage; tokens signed by the old ones stay good until they expire.
    pub async fn rotate_keys(&self, stage: Stage, now: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        for key in tx.signing_key_list(Some(stage)).await?.iter().filter(|key| key.retired_at.is_none()) {
            tx.signing_key_retire(&key.kid, now).await?;
            tx.record(now, "operator-shell", "signing_key.retired", &format!("key:{}", key.kid), json!({ "stage": stage }));
        }
        for purpose in PURPOSES {
            self.make_key(&mut tx, stage, purpose, "operator-shell", now).await?;
        }
        tx.gateway_changed();
        self.commit_and_tell(tx).await
    }

    async fn make_key(&self, tx: &mut Tx, stage: Stage, purpose: KeyPurpose, actor: &str, now: Moment) -> Result<(), Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let pkcs8 = SigningKeyPair::generate_pkcs8().map_err(|error| internal(&error))?;
        let kid: String = secret::random_word()?.chars().take(16).collect();
        let pair = SigningKeyPair::from_pkcs8(kid.clone(), &pkcs8).map_err(|error| internal(&error))?;
        let public = pair
            .jwk()
            .and_then(|jwk| serde_json::to_vec(&jwk).ok())
            .ok_or_else(|| Error::Internal("a key without public half".to_owned()))?;
        let sealed = self.inner.master_key.seal(&kid, &pkcs8).map_err(|error| internal(&error))?;
        tx.signing_key_insert(&StoredKey { kid: kid.clone(), stage, purpose, sealed, public, created_at: now, retired_at: None }).await?;
        tx.record(now, actor, "signing_key.created", &format!("key:{kid}"), json!({ "stage": stage, "purpose": purpose.as_str() }));
        Ok(())
    }

    /// Opens the keys that still sign or verify.
    ///
    /// # Errors
    /// When a key does not open: another master key, or a changed row. Better no gateway than one that cannot tell.
    pub(crate) fn open_keys(&self, stored: &[StoredKey], now: Moment) -> Result<Vec<SigningKey>, Error> {
        let alive = |key: &&StoredKey| key.retired_at.is_none_or(|retired| now < retired.plus_seconds(RETIREMENT_HOURS * 3_600));
        stored
            .iter()
            .filter(alive)
            .map(|key| {
                let pkcs8 = self
                    .inner
                    .master_key
                    .open(&key.kid, &key.sealed)
                    .map_err(|error| Error::Internal(format!("signing key {}: {error}", key.kid)))?;
                Ok(SigningKey {
                    kid: key.kid.clone(),
                    pkcs8,
                    purpose: key.purpose,
                    active: key.retired_at.is_none(),
                    created_at: key.created_at,
                })
            })
            .collect()
    }

    /// Do the sealed keys open with this master key?
    ///
    /// # Errors
    /// The first key that does not.
    pub async fn check_keys(&self, now: Moment) -> Result<(), Error> {
        let stored = self.inner.store.read().signing_key_list(None).await?;
        self.open_keys(&stored, now).map(drop)
    }

    async fn commit_and_tell(&self, tx: Tx) -> Result<(), Error> {
        if let Some(version) = tx.commit().await? {
            self.inner.gateway.refresh(version).await;
        }
        Ok(())
    }

    /// Revokes an access token (RFC 7009): refused by its stage's gateway from now on.
    pub async fn revoke_token(&self, client: &str, jti: &str, stage: Stage, expires_at: Moment, now: Moment) -> Result<(), Error> {
        let mut tx = self.inner.store.write().await?;
        tx.revoked_token_insert(jti, stage, expires_at).await?;
        tx.record(now, &format!("application:{client}"), "token.revoked", &format!("token:{jti}"), json!({ "stage": stage }));
        tx.gateway_changed();
        self.commit_and_tell(tx).await
    }
}
