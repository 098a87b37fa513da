//! What the control plane tells the gateway: everything that one stage needs, and no more.
//!
//! `store` reads it, the binary hands it over, `gateway` compiles it into its `Snapshot`.

use std::sync::Arc;

use crate::{
    Id, Moment, Number, Slug,
    api::{ApiDocument, ApiName},
    application::{Application, ApplicationState, Subscription, SubscriptionState},
    credential::{Credential, CredentialKind, SecretDigest},
    organization::{Organization, RegistryId},
    permit::Permit,
    quota::DayUse,
    scope::ScopeSet,
    stage::Stage,
};

/// The state of one stage at one version.
#[derive(Debug, Clone)]
pub struct GatewayState {
    pub stage: Stage,
    /// Grows with every change that the gateway must know.
    pub version: i64,
    pub apis: Vec<PublishedApi>,
    pub applications: Vec<KnownApplication>,
    pub credentials: Vec<KnownCredential>,
    pub subscriptions: Vec<KnownSubscription>,
    /// `jti` of access tokens that were revoked and are still in date.
    pub revoked_tokens: Vec<String>,
    pub keys: Vec<SigningKey>,
}

#[derive(Debug, Clone)]
pub struct PublishedApi {
    pub name: ApiName,
    /// The version of the document: a compiled one is kept from snapshot to snapshot.
    pub version: i64,
    pub document: Arc<ApiDocument>,
}

#[derive(Debug, Clone)]
pub struct KnownApplication {
    pub id: Id<Application>,
    pub name: String,
    pub state: ApplicationState,
    pub organization: Id<Organization>,
    pub organization_name: String,
    pub siret: RegistryId,
}

/// A credential, revoked or not (a revoked one is kept so that its use can be traced to its owner).
#[derive(Debug, Clone)]
pub struct KnownCredential {
    pub id: Id<Credential>,
    pub application: Id<Application>,
    pub kind: CredentialKind,
    pub digest: SecretDigest,
    pub revoked: bool,
}

#[derive(Debug, Clone)]
pub struct KnownSubscription {
    pub id: Id<Subscription>,
    pub application: Id<Application>,
    pub api: ApiName,
    pub plan: Slug,
    pub terms_accepted: Option<u32>,
    pub state: SubscriptionState,
    pub permit: Option<KnownPermit>,
    /// What the day had used when the state was read; the gateway's own counter wins when it is ahead.
    pub used: DayUse,
}

#[derive(Debug, Clone)]
pub struct KnownPermit {
    pub id: Number<Permit>,
    pub scopes: ScopeSet,
    pub status: PermitStatus,
    pub expires_at: Option<Moment>,
}

/// Why a permit opens, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PermitStatus {
    Active,
    Suspended,
    Superseded,
    Revoked,
    Expired,
}

/// A key pair of a stage, in clear: it exists in memory alone.
#[derive(Clone)]
pub struct SigningKey {
    pub kid: String,
    /// PKCS#8 DER of an ECDSA P-256 private key.
    pub pkcs8: Vec<u8>,
    pub purpose: KeyPurpose,
    /// The newest active key of a purpose signs; the others only verify.
    pub active: bool,
    pub created_at: Moment,
}
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("purpose", &self.purpose)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Signs access tokens of the stage.
    AccessToken,
    /// Signs assertions to the upstreams of the stage.
    Assertion,
}
impl KeyPurpose {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::Assertion => "assertion",
        }
    }
}
