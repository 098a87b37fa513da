//! The sign-on that others rely on: an OpenID provider and authorisation server. One file for each thing that a
//! relying party, or a person who signs in to one, can do.

mod authenticate;
pub mod authorize;
mod binding;
mod claims;
pub mod clients;
pub mod consents;
mod doors;
pub mod inspect;
mod interaction;
mod issue;
mod keys;
pub mod logout;
pub mod outgoing;
pub mod registration;
pub mod settings;
pub mod tokens;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
    time::{Duration, Instant},
};

use octroi_domain::{
    Moment,
    credential::SecretDigest,
    sign_on::{Client, ClientId},
};
use octroi_oauth::{certificate::Certificate, client_metadata::ClientMetadata, id_token, parameters::Parameters};
use octroi_store::StoreError;

pub use self::{
    claims::names as claim_names,
    doors::Door,
    interaction::{AccountView, Back, ConsentView, OrganizationChoice, Step},
    keys::PublicKeys,
};
use crate::{context::App, error::Error};
use keys::KeyRing;

/// What every client may ask for, unless its own list is shorter.
pub const SCOPES: [&str; 12] = [
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "organizations",
    "organization",
    "uid",
    "given_name",
    "usual_name",
    "siret",
    "offline_access",
];

/// A refusal in the words of RFC 6749 section 5.2 and its family.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {description}")]
pub struct Refusal {
    pub status: u16,
    pub code: &'static str,
    pub description: String,
    /// Seconds.
    pub retry_after: Option<u32>,
}
impl Refusal {
    #[must_use]
    pub fn new(status: u16, code: &'static str, description: impl Into<String>) -> Self {
        Self { status, code, description: description.into(), retry_after: None }
    }
    pub(crate) fn request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }
    pub(crate) fn grant(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", description)
    }
    /// One status and code for an unknown client, a wrong secret and a suspended one.
    pub(crate) fn client(description: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", description)
    }
    pub(crate) fn token() -> Self {
        Self::new(401, "invalid_token", "the access token is unknown, out of date, revoked, or not for this address")
    }
    /// A good token, shown otherwise than what it is bound to wants.
    pub(crate) fn bound(description: &str) -> Self {
        Self::new(401, "invalid_token", description)
    }
    pub(crate) fn proof(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_dpop_proof", description)
    }
}

/// Why an endpoint of the sign-on does not do it.
#[derive(Debug, thiserror::Error)]
pub enum SignOnError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Failed(#[from] Error),
}
impl From<StoreError> for SignOnError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
impl From<octroi_oauth::secret::RandomError> for SignOnError {
    fn from(error: octroi_oauth::secret::RandomError) -> Self {
        Self::Failed(error.into())
    }
}

/// A client's request to one of the endpoints, as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `DPoP`.
    pub dpop: Option<&'a str>,
    /// What the proxy in front says that the client showed.
    pub certificate: Option<&'a Certificate>,
    /// The network address that it comes from.
    pub peer: &'a str,
    pub method: &'a str,
    /// The address as the client knows it, without query.
    pub address: &'a str,
    pub parameters: &'a Parameters,
    pub now: Moment,
}

/// A client that is known, and what it registered.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub client: Client,
    pub metadata: ClientMetadata,
}
impl Known {
    pub fn of(client: Client) -> Result<Self, Error> {
        let metadata = serde_json::from_str(&client.metadata)
            .map_err(|error| Error::Internal(format!("the metadata of {} cannot be read: {error}", client.id)))?;
        Ok(Self { client, metadata })
    }

    /// What it may ask for.
    pub fn may_ask(&self, scope: &str) -> bool {
        match &self.metadata.scope {
            Some(list) => list.split(' ').any(|allowed| allowed == scope),
            None => SCOPES.contains(&scope),
        }
    }

    /// What a request without `scope` asks for (RFC 6749 section 3.3): what was registered, else `openid` alone.
    pub fn default_scopes(&self) -> Vec<String> {
        match &self.metadata.scope {
            Some(list) => list.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            None => vec!["openid".to_owned()],
        }
    }

    /// Is it held to FAPI 2.0: pushed requests, PKCE, the issuer as the only audience of assertions?
    pub const fn is_strict(&self) -> bool {
        self.metadata.require_pushed_authorization_requests
    }
}

/// A client that another process changed is known anew after this time at most, as the gateways' state is; one that this
/// process changed, at once.
const CLIENT_FRESH: Duration = Duration::from_secs(1);
/// Clients that are kept; when there are more, all are read anew.
const CLIENTS_KEPT: usize = 1_000;

struct KeptClient {
    known: Arc<Known>,
    /// The changes of clients before it was read.
    changes: u64,
    at: Instant,
}

/// What the sign-on keeps in memory; nothing of it is lost with it.
#[derive(Default)]
pub(crate) struct Kept {
    keys: Mutex<Option<Arc<KeyRing>>>,
    fetch: OnceLock<Arc<dyn outgoing::OutgoingPort>>,
    /// Clients, read and parsed.
    clients: RwLock<HashMap<ClientId, KeptClient>>,
    /// Keys of clients, by the address that they are fetched from.
    fetched: Mutex<HashMap<String, outgoing::Fetched>>,
    settings: OnceLock<settings::SignOnSettings>,
    doors: doors::Doors,
}

impl App {
    /// The issuer: the public address without a slash at its end.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.settings().public_url.trim_end_matches('/')
    }

    /// Lets the sign-on reach its clients: their keys, and the addresses that want to know of a logout.
    pub fn attach_outgoing(&self, port: Arc<dyn outgoing::OutgoingPort>) {
        let _ = self.inner.sign_on.fetch.set(port);
    }

    /// The client, when it is active.
    pub(crate) async fn client_known(&self, id: &ClientId) -> Result<Option<Arc<Known>>, Error> {
        let kept = &self.inner.sign_on.clients;
        // Asked before the read: a change that ends meanwhile makes what is read out of date.
        let changes = self.inner.store.clients_changed();
        let found = kept.read().unwrap_or_else(PoisonError::into_inner).get(id).and_then(|kept| {
            let good = kept.changes == changes && kept.at.elapsed() < CLIENT_FRESH;
            good.then(|| Arc::clone(&kept.known))
        });
        if found.is_some() {
            return Ok(found);
        }
        let at = Instant::now();
        let Some(client) = self.inner.store.read().client_by_id(id).await?.filter(Client::is_active) else { return Ok(None) };
        let known = Arc::new(Known::of(client)?);
        let mut kept = kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= CLIENTS_KEPT {
            kept.clear();
        }
        kept.insert(id.clone(), KeptClient { known: Arc::clone(&known), changes, at });
        Ok(Some(known))
    }

    /// What makes pairwise subjects: of this platform alone, and the same for good.
    fn pairwise_salt(&self) -> String {
        id_token::pairwise(self.inner.master_key.bytes(), "octroi", "pairwise subjects")
    }

    /// How a client knows a person.
    fn subject(&self, known: &Known, user: &octroi_domain::user::User) -> String {
        use octroi_oauth::client_metadata::SubjectType;
        match (known.metadata.subject_type, known.metadata.sector()) {
            (SubjectType::Pairwise, Some(sector)) => id_token::pairwise(self.pairwise_salt().as_bytes(), &sector, &user.id.to_string()),
            _ => user.id.to_string(),
        }
    }
}

fn digest(text: &str) -> [u8; 32] {
    octroi_oauth::secret::digest(text)
}

/// What is seen once: of whom, and which.
fn once(kind: &str, whose: &str, which: &str) -> [u8; 32] {
    digest(&format!("{kind}\n{whose}\n{which}"))
}

fn stored(secret: &octroi_oauth::secret::PlainSecret) -> SecretDigest {
    SecretDigest::from_bytes(secret.digest())
}
