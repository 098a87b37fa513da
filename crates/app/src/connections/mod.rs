//! Signing in through another OpenID provider: people are sent there, and what it says of them when they come back is checked.
//! `arrive.rs` says whose account that is; a product's hand-off has its own rule for it.

mod arrive;
mod flow;
mod identities;
mod logout;
mod manage;
mod provider;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use octroi_oauth::relying_party::{Doubt, Provider};
use octroi_store::StoreError;

pub use self::{
    arrive::{Arrived, PendingView},
    flow::{Begin, Begun},
    identities::IdentityView,
    logout::LogoutTold,
    manage::{ConnectionInput, ConnectionView, LinkRequestView},
};
use crate::error::Error;

/// Why nobody comes in.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// There is no such connection, or it is not active.
    #[error("no such connection")]
    NotFound,
    /// The answer belongs to no question that this browser asked, or to one that was answered or is too old.
    #[error("nobody is on the way with this answer")]
    Over,
    /// The answer came from another provider than the one that was asked (RFC 9207).
    #[error("the answer is another provider's")]
    MixUp,
    /// The provider said no, in its own word (RFC 6749 section 4.1.2.1).
    #[error("the provider refused: {0}")]
    Denied(String),
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// It answered what cannot be believed.
    #[error("the provider is not believed: {0}")]
    NotBelieved(#[from] Doubt),
    #[error(transparent)]
    Failed(#[from] Error),
}
impl From<StoreError> for ConnectionError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
impl From<octroi_oauth::secret::RandomError> for ConnectionError {
    fn from(error: octroi_oauth::secret::RandomError) -> Self {
        Self::Failed(error.into())
    }
}

/// Documents of providers, by issuer; nothing is lost with them.
#[derive(Default)]
pub(crate) struct Kept {
    providers: Mutex<HashMap<String, (Instant, Arc<Provider>)>>,
}
