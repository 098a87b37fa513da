//! Sealing of private keys at rest: AES-256-GCM under the platform's master key.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    rand,
};
use zeroize::Zeroizing;

const NONCE: usize = 12;

/// The platform's master key: 32 bytes, kept outside the database.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// Sealing or opening failed. Opening fails with another master key, or when a byte was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value does not open with this master key")]
pub struct SealError;

impl MasterKey {
    /// # Errors
    /// When the system's random generator fails.
    pub fn generate() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut()).map_err(|_| SealError)?;
        Ok(Self(bytes))
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain`, bound to `context` (which must be given again to open it).
    ///
    /// # Errors
    /// When the cipher cannot be set up.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, self.0.as_ref()).map_err(|_| SealError)?;
        let mut body = plain.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut body).map_err(|_| SealError)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// # Errors
    /// When the key, the context or any byte differs from what was sealed.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, self.0.as_ref()).map_err(|_| SealError)?;
        let mut body = body.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(context.as_bytes()), &mut body).map_err(|_| SealError)?;
        Ok(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_and_context_only() {
        let key = MasterKey::generate().unwrap();
        let sealed = key.seal("kid-1", b"private").unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"private"));
        assert_eq!(key.open("kid-1", &sealed).unwrap(), b"private");
        assert_eq!(key.open("kid-2", &sealed), Err(SealError));
        assert_eq!(MasterKey::generate().unwrap().open("kid-1", &sealed), Err(SealError));
        let mut changed = sealed.clone();
        changed[14] ^= 1;
        assert_eq!(key.open("kid-1", &changed), Err(SealError));
        assert_eq!(key.open("kid-1", &[]), Err(SealError));
    }
}
