//! The sign-on that others rely on: who relies on it, and what a person let them have.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    Id, Moment,
    authentication::{Acr, Session},
    credential::SecretDigest,
    organization::Organization,
    user::User,
};

/// Seconds that a code can be exchanged.
pub const CODE_SECONDS: i64 = 60;
/// Seconds that an ID token is good for.
pub const ID_TOKEN_SECONDS: i64 = 600;
/// Seconds that somebody has to sign in and agree.
pub const INTERACTION_SECONDS: i64 = 3_600;
/// Seconds that a pushed request can be used (RFC 9126 section 2.2 asks for a short time).
pub const PUSHED_SECONDS: i64 = 90;
/// Seconds after its replacement during which a refresh token is still taken: the answer may have been lost.
pub const GRACE_SECONDS: i64 = 10;

/// The `client_id` of a relying party: `sso_` and 22 letters or digits. An application's is a UUID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientId(String);
impl ClientId {
    pub const PREFIX: &str = "sso_";
    const RANDOM: usize = 22;

    /// From random letters and digits.
    #[must_use]
    pub fn of(random: &str) -> Option<Self> {
        format!("{}{}", Self::PREFIX, random.get(..Self::RANDOM)?).parse().ok()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
/// The text is no `client_id` of a relying party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the client_id of a relying party")]
pub struct ClientIdError;
impl FromStr for ClientId {
    type Err = ClientIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let random = text.strip_prefix(Self::PREFIX).ok_or(ClientIdError)?;
        let good = random.len() == Self::RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric());
        if good { Ok(Self(text.to_owned())) } else { Err(ClientIdError) }
    }
}
impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    Active,
    Suspended,
}
impl ClientState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// A relying party: a program that people sign in to through us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    /// What RFC 7591 says of a client, as JSON: the crate that knows the protocol reads it.
    pub metadata: String,
    pub secret: Option<SecretDigest>,
    /// Of the token that its own registration is changed with (RFC 7592).
    pub registration: Option<SecretDigest>,
    /// Whose it is.
    pub organization: Option<Id<Organization>>,
    /// Ours: people are not asked whether they agree.
    pub first_party: bool,
    /// The API that it serves, as clients name it (RFC 8707): it may look into tokens that are meant for it.
    pub serves: Option<String>,
    pub state: ClientState,
    /// Seconds.
    pub access_token_seconds: u32,
    pub refresh_token_seconds: u32,
    pub created_at: Moment,
    pub updated_at: Moment,
    pub version: u32,
}
impl Client {
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.state, ClientState::Active)
    }
}

/// What a person let a client have, once; codes and tokens belong to it and end with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub id: Id<Grant>,
    pub client: ClientId,
    pub user: Id<User>,
    /// The session that it was given in.
    pub session: Id<Session>,
    pub facts: GrantFacts,
    pub created_at: Moment,
    /// How long it has to be remembered.
    pub expires_at: Moment,
    pub ended_at: Option<Moment>,
}

/// What is fixed when a grant is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFacts {
    /// The organisation that was chosen for this grant, and for no other.
    pub organization: Option<Id<Organization>>,
    pub scopes: Vec<String>,
    /// The parameter `claims`, as JSON.
    pub claims: String,
    /// How the client knows the person.
    pub subject: String,
    pub authenticated_at: Moment,
    pub acr: Acr,
    pub amr: Vec<String>,
    /// The audiences that were asked for (RFC 8707).
    pub resources: Vec<String>,
}
impl GrantFacts {
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }

    /// Does it outlive the session that it was given in?
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.has_scope("offline_access")
    }
}

/// What a code is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFacts {
    pub redirect_uri: String,
    pub nonce: Option<String>,
    /// The S256 challenge.
    pub challenge: Option<String>,
    /// Thumbprint of the key that it is bound to (RFC 9449 section 10).
    pub jkt: Option<String>,
}

/// What a refresh token is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub grant: Id<Grant>,
    /// Of the DPoP key of a public client.
    pub jkt: Option<String>,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// When another took its place.
    pub replaced_at: Option<Moment>,
}

/// What becomes of a refresh token that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshUse {
    Good,
    Expired,
    /// It was used long ago: two hold it, and one of them stole it.
    Reused,
}
impl RefreshToken {
    #[must_use]
    pub fn shown(&self, now: Moment) -> RefreshUse {
        match self.replaced_at {
            Some(at) if now > at.plus_seconds(GRACE_SECONDS) => RefreshUse::Reused,
            _ if now >= self.expires_at => RefreshUse::Expired,
            _ => RefreshUse::Good,
        }
    }
}

/// Somebody who is about to sign in to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    pub client: ClientId,
    /// The request, as JSON.
    pub request: String,
    /// The pushed request that it came from: used up when it ends well.
    pub pushed: Option<[u8; 32]>,
    /// What was chosen on the way, as JSON.
    pub choices: String,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// A client is to be told that a session ended (OpenID Connect Back-Channel Logout 1.0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutNotice {
    pub client: ClientId,
    /// How the client knows the person.
    pub subject: String,
    pub session: Id<Session>,
}

/// A key that signs for the sign-on.
#[derive(Clone, PartialEq, Eq)]
pub struct SignOnKey {
    pub kid: String,
    pub algorithm: String,
    pub sealed: Vec<u8>,
    pub created_at: Moment,
    pub retired_at: Option<Moment>,
}
impl fmt::Debug for SignOnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignOnKey").field("kid", &self.kid).field("retired_at", &self.retired_at).finish_non_exhaustive()
    }
}

/// A word that lets a program register clients by itself (RFC 7591 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitialAccess {
    pub id: Id<InitialAccess>,
    pub label: String,
    pub digest: SecretDigest,
    pub organization: Option<Id<Organization>>,
    pub created_at: Moment,
    pub expires_at: Moment,
    pub uses_left: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_told_from_an_applications() {
        let id = ClientId::of(&"aB3".repeat(10)).map(|id| id.to_string());
        assert_eq!(id.as_deref(), Some("sso_aB3aB3aB3aB3aB3aB3aB3a"));
        assert_eq!(ClientId::of("short"), None);
        for bad in ["", "sso_", "0192f0c1-2222-7333-8444-555566667777", "sso_aB3aB3aB3aB3aB3aB3aB3", "sso_aB3aB3aB3aB3aB3aB3aB3-"] {
            assert!(bad.parse::<ClientId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_replaced_token_has_a_moment_of_grace() {
        let at = |seconds| Moment::from_micros(0).plus_seconds(seconds);
        let token =
            RefreshToken { grant: Id::from_uuid(uuid::Uuid::nil()), jkt: None, created_at: at(0), expires_at: at(100), replaced_at: None };
        let replaced = RefreshToken { replaced_at: Some(at(50)), ..token.clone() };
        assert_eq!((token.shown(at(99)), token.shown(at(100))), (RefreshUse::Good, RefreshUse::Expired));
        assert_eq!((replaced.shown(at(60)), replaced.shown(at(61))), (RefreshUse::Good, RefreshUse::Reused));
        assert_eq!(replaced.shown(at(500)), RefreshUse::Reused);
    }
}
