//! Passwords: Argon2id (RFC 9106), with the library's defaults (OWASP's first choice).

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};

use crate::{Error, context::App};

/// A longer password is refused unread.
pub const MAX_LENGTH: usize = 128;
pub const MIN_LENGTH: usize = 12;

/// # Errors
/// When the system's random generator fails.
pub fn hash(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hash.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

impl App {
    /// Verifies on the bounded pool; against a decoy when there is no hash, so that both take the same time.
    pub(crate) async fn password_matches(&self, password: String, hash: Option<String>) -> Result<bool, Error> {
        let internal = |error: &dyn std::error::Error| Error::Internal(error.to_string());
        let _turn = self.inner.hashing.acquire().await.map_err(|error| internal(&error))?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.inner.decoy_hash.clone());
        let good = tokio::task::spawn_blocking(move || matches(&password, &hash)).await.map_err(|error| internal(&error))?;
        Ok(good && known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(matches("correct horse battery", &stored));
        assert!(!matches("correct horse batterz", &stored));
        assert!(!matches("", &stored) && !matches("x", "not a hash"));
    }
}
