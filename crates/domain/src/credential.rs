//! Credentials of an application. Only their digest is ever here.

use serde::{Deserialize, Serialize};

use crate::{Id, Moment, application::Application, canonical::Sha256Hash};

/// At most this many active credentials of one kind: two, so that one can replace the other without a gap.
pub const ACTIVE_PER_KIND: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// Authenticates the OAuth client at the token endpoint.
    ClientSecret,
    /// Authenticates a call.
    ApiKey,
}
impl CredentialKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret",
            Self::ApiKey => "api_key",
        }
    }
}

/// The SHA-256 of a secret of 256 random bits. It can be stored and never shown: it has no `Display`,
/// and its `Debug` says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest(Sha256Hash);
impl SecretDigest {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Sha256Hash(bytes))
    }
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}
impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// A secret or key that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub id: Id<Credential>,
    pub application: Id<Application>,
    pub kind: CredentialKind,
    /// The first characters of the secret, to recognise it by.
    pub hint: String,
    pub digest: SecretDigest,
    pub created_at: Moment,
    pub last_used_at: Option<Moment>,
    pub revoked_at: Option<Moment>,
}
