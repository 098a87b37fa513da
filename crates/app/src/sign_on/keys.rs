//! The keys that the sign-on signs with: made when first needed, sealed, rotated without a failed sign-in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use octroi_domain::{Moment, sign_on::SignOnKey};
use octroi_oauth::{
    client_metadata::ClientMetadata,
    foreign::{self, Algorithm},
    id_token::GrantTokenClaims,
    jwk,
    jwt::{ACCESS_TOKEN, SigningAlgorithm, SigningKeyPair},
    secret,
};
use octroi_store::Tx;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{context::App, error::Error, keys::RETIREMENT_HOURS};

/// A key that another node made is signed with after this time at most. Keys to verify with are looked up at once.
const FRESH: Duration = Duration::from_secs(10);
/// Tokens that are remembered as verified; when there are more, all are verified anew.
const VERIFIED: usize = 10_000;
/// What our own tokens are signed with.
const OURS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA];

/// The keys, opened.
pub(crate) struct KeyRing {
    signing: Vec<Arc<SigningKeyPair>>,
    /// Of all that may still have signed something in date.
    published: Vec<jwk::Jwk>,
    verifying: foreign::JwkSet,
    /// Access tokens that were found good, by their digest: whoever asks of one token again and again has it verified once.
    verified: Mutex<HashMap<[u8; 32], Arc<GrantTokenClaims>>>,
    at: Instant,
}
impl KeyRing {
    fn signer(&self, algorithm: SigningAlgorithm) -> Option<Arc<SigningKeyPair>> {
        self.signing.iter().find(|key| key.algorithm() == algorithm).cloned()
    }

    fn knows(&self, kid: Option<&str>) -> bool {
        self.published.iter().any(|key| Some(key.kid.as_str()) == kid)
    }
}

/// The public keys of the sign-on.
pub type PublicKeys = Vec<jwk::Jwk>;

impl App {
    async fn ring(&self, at_least: Option<Instant>, now: Moment) -> Result<Arc<KeyRing>, Error> {
        let kept = self.inner.sign_on.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(ring) = kept.filter(|ring| at_least.map_or(ring.at.elapsed() < FRESH, |at| ring.at >= at)) {
            return Ok(ring);
        }
        let begun = Instant::now();
        let stored = self.inner.store.read().sign_on_keys().await?;
        let ring = Arc::new(self.open_ring(&stored, now, begun)?);
        *self.inner.sign_on.keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&ring));
        Ok(ring)
    }

    fn open_ring(&self, stored: &[SignOnKey], now: Moment, at: Instant) -> Result<KeyRing, Error> {
        let (mut signing, mut published) = (Vec::new(), Vec::new());
        let alive = |key: &&SignOnKey| key.retired_at.is_none_or(|retired| now < retired.plus_seconds(RETIREMENT_HOURS * 3_600));
        for key in stored.iter().filter(alive) {
            let fault = |why: String| Error::Internal(format!("sign-on key {}: {why}", key.kid));
            let algorithm = SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == key.algorithm);
            let algorithm = algorithm.ok_or_else(|| fault("unknown algorithm".to_owned()))?;
            let pkcs8 = self.inner.master_key.open(&key.kid, &key.sealed).map_err(|error| fault(error.to_string()))?;
            let pair = SigningKeyPair::of(algorithm, key.kid.clone(), &pkcs8).map_err(|error| fault(error.to_string()))?;
            published.extend(pair.jwk());
            if key.retired_at.is_none() {
                signing.push(Arc::new(pair));
            }
        }
        let verifying = serde_json::to_value(json!({ "keys": published })).and_then(serde_json::from_value);
        let verifying = verifying.map_err(|error| Error::Internal(format!("our own keys: {error}")))?;
        Ok(KeyRing { signing, published, verifying, verified: Mutex::default(), at })
    }

    /// The key to sign with, made when there is none.
    pub(super) async fn signer(&self, algorithm: SigningAlgorithm, now: Moment) -> Result<Arc<SigningKeyPair>, Error> {
        if let Some(key) = self.ring(None, now).await?.signer(algorithm) {
            return Ok(key);
        }
        // An RSA key takes its time: not while a transaction is open.
        let pkcs8 = tokio::task::spawn_blocking(move || SigningKeyPair::generate(algorithm)).await;
        let pkcs8 = pkcs8.map_err(|error| Error::Internal(error.to_string()))?.map_err(|error| Error::Internal(error.to_string()))?;
        let mut tx = self.inner.store.write().await?;
        let held = tx.sign_on_keys().await?;
        if !held.iter().any(|key| key.retired_at.is_none() && key.algorithm == algorithm.as_str()) {
            self.keep_key(&mut tx, algorithm, &pkcs8, "system", now).await?;
            tx.commit().await?;
        } else {
            tx.rollback().await?;
        }
        let ring = self.ring(Some(Instant::now()), now).await?;
        ring.signer(algorithm).ok_or_else(|| Error::Internal("a signing key that was made is not there".to_owned()))
    }

    /// Makes the keys that answers to a client will be signed with before it reads `jwks_uri`: clients do not read it twice in
    /// a minute, even for a key that they do not know.
    pub(super) async fn make_keys_for(&self, metadata: &ClientMetadata, now: Moment) -> Result<(), Error> {
        let asked = [
            Some(metadata.id_token_signed_response_alg),
            metadata.userinfo_signed_response_alg,
            metadata.introspection_signed_response_alg,
        ];
        for algorithm in asked.into_iter().flatten() {
            self.signer(algorithm, now).await?;
        }
        Ok(())
    }

    /// Makes a key for each algorithm that the metadata names, where there is none.
    ///
    /// # Errors
    /// When a key cannot be made, or the store cannot answer.
    pub async fn make_sign_on_keys(&self, now: Moment) -> Result<(), Error> {
        for algorithm in SigningAlgorithm::ALL {
            self.signer(algorithm, now).await?;
        }
        Ok(())
    }

    async fn keep_key(&self, tx: &mut Tx, algorithm: SigningAlgorithm, pkcs8: &[u8], actor: &str, now: Moment) -> Result<(), Error> {
        let kid: String = secret::random_word()?.chars().take(16).collect();
        let sealed = self.inner.master_key.seal(&kid, pkcs8).map_err(|error| Error::Internal(error.to_string()))?;
        let key = SignOnKey { kid: kid.clone(), algorithm: algorithm.as_str().to_owned(), sealed, created_at: now, retired_at: None };
        tx.sign_on_key_insert(&key).await?;
        tx.record(now, actor, "sign_on_key.created", &format!("key:{kid}"), json!({ "algorithm": algorithm }));
        Ok(())
    }

    /// Replaces the keys of the sign-on. What the old ones signed stays good for a day; new ones are told at once by
    /// `jwks_uri`, which is read from the store each time.
    ///
    /// # Errors
    /// When a key cannot be made, or the store cannot answer.
    pub async fn rotate_sign_on_keys(&self, now: Moment) -> Result<(), Error> {
        let held = self.inner.store.read().sign_on_keys().await?;
        let active = held.iter().filter(|key| key.retired_at.is_none());
        let algorithms: Vec<SigningAlgorithm> =
            active.filter_map(|key| SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == key.algorithm)).collect();
        let make =
            move || algorithms.into_iter().map(|algorithm| SigningKeyPair::generate(algorithm).map(|key| (algorithm, key))).collect();
        let made: Result<Vec<_>, _> = tokio::task::spawn_blocking(make).await.map_err(|error| Error::Internal(error.to_string()))?;
        let made = made.map_err(|error: octroi_oauth::jwt::KeyError| Error::Internal(error.to_string()))?;
        let mut tx = self.inner.store.write().await?;
        let retired = tx.sign_on_keys_retire(now).await?;
        tx.record(now, "operator-shell", "sign_on_key.retired", "keys", json!({ "count": retired }));
        for (algorithm, pkcs8) in made {
            self.keep_key(&mut tx, algorithm, &pkcs8, "operator-shell", now).await?;
        }
        tx.commit().await?;
        self.ring(Some(Instant::now()), now).await?;
        Ok(())
    }

    /// The public keys, as they are in the store now.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn sign_on_jwks(&self, now: Moment) -> Result<PublicKeys, Error> {
        self.signer(SigningAlgorithm::Es256, now).await?;
        Ok(self.ring(Some(Instant::now()), now).await?.published.clone())
    }

    /// The claims of an access token that we signed; times, issuer and audience are the caller's to check. None for any other.
    pub(super) async fn access_claims(&self, token: &str, now: Moment) -> Result<Option<Arc<GrantTokenClaims>>, Error> {
        let ring = self.ring(None, now).await?;
        let digest = secret::digest(token);
        let verified = || ring.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(claims) = verified().get(&digest) {
            return Ok(Some(Arc::clone(claims)));
        }
        let Some(claims) = self.our_claims(token, ACCESS_TOKEN, now).await?.map(Arc::new) else { return Ok(None) };
        let mut kept = verified();
        if kept.len() >= VERIFIED {
            kept.clear();
        }
        kept.insert(digest, Arc::clone(&claims));
        Ok(Some(claims))
    }

    /// The claims of a token that we signed; times, issuer and audience are the caller's to check. None for any other.
    pub(super) async fn our_claims<T: DeserializeOwned>(&self, token: &str, typ: &str, now: Moment) -> Result<Option<T>, Error> {
        let Ok(header) = foreign::header(token) else { return Ok(None) };
        if header.typ.as_deref() != Some(typ) {
            return Ok(None);
        }
        let mut ring = self.ring(None, now).await?;
        if !ring.knows(header.kid.as_deref()) && ring.at.elapsed() > Duration::from_secs(1) {
            ring = self.ring(Some(Instant::now()), now).await?;
        }
        if !ring.knows(header.kid.as_deref()) {
            return Ok(None);
        }
        Ok(foreign::verify(token, &ring.verifying, &OURS).ok())
    }
}
