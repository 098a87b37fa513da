//! Everything that one stage knows at one version: immutable, swapped whole.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use octroi_domain::{
    Id, Moment,
    application::{Application, ApplicationState, Subscription, SubscriptionState},
    credential::{Credential, CredentialKind},
    feed::{GatewayState, KeyPurpose, KnownApplication, KnownPermit, KnownSubscription, PermitStatus, SigningKey},
    scope::ScopeSet,
    stage::Stage,
};
use octroi_oauth::{
    jwk::JwkSet,
    jwt::{SigningKeyPair, Verifier},
};

use crate::{
    identify::Caller,
    limits::{Limits, Registry},
    published::{BuildError, Published},
    settings::Settings,
};

/// When a credential was last used, seconds since the epoch; 0: not since it was last asked.
pub(crate) struct LastUse {
    pub id: Id<Credential>,
    at: AtomicI64,
}
impl LastUse {
    pub(crate) fn mark(&self, now: i64) {
        if self.at.load(Relaxed) < now {
            self.at.store(now, Relaxed);
        }
    }
}

/// The uses of credentials; they outlive every snapshot.
#[derive(Default)]
pub(crate) struct Uses(Mutex<HashMap<Id<Credential>, Arc<LastUse>>>);
impl Uses {
    fn of(&self, id: Id<Credential>) -> Arc<LastUse> {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(uses.entry(id).or_insert_with(|| Arc::new(LastUse { id, at: AtomicI64::new(0) })))
    }

    /// The credentials used since the last time that this was asked, and when.
    pub(crate) fn take(&self) -> Vec<(Id<Credential>, Moment)> {
        let uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = uses.values().map(|used| (used.id, used.at.swap(0, Relaxed)));
        taken.filter(|(_, at)| *at > 0).map(|(id, at)| (id, Moment::from_micros(0).plus_seconds(at))).collect()
    }

    fn keep(&self, known: &HashMap<Id<Credential>, KnownSecret>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| known.contains_key(id));
    }
}

/// An application, with its client secrets.
pub(crate) struct App {
    pub known: KnownApplication,
    pub secrets: Vec<([u8; 32], Arc<LastUse>)>,
}
impl App {
    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.known.state, ApplicationState::Active)
    }
}

/// A credential, by its id: tokens die with the secret that they were obtained with.
pub(crate) struct KnownSecret {
    pub application: Id<Application>,
    pub revoked: bool,
    pub used: Arc<LastUse>,
}

/// A subscription under its plan, and the API that it opens.
pub(crate) struct Sub {
    pub id: Id<Subscription>,
    pub state: SubscriptionState,
    pub terms_accepted: Option<u32>,
    pub permit: Option<KnownPermit>,
    /// What the subscription opens now: the permit's scopes, or, without a permit, all of the API's.
    pub scopes: ScopeSet,
    pub limits: Limits,
}
impl Sub {
    /// Does it open anything at this moment?
    pub(crate) fn is_in_force(&self, now: Moment, needs_permit: bool) -> bool {
        let permit = match &self.permit {
            Some(permit) => permit.status == PermitStatus::Active && permit.expires_at.is_none_or(|end| now < end),
            None => !needs_permit,
        };
        self.state == SubscriptionState::Active && permit
    }
}

/// One immutable view of a stage.
pub struct Snapshot {
    /// Of all snapshots of this process no two have the same.
    pub(crate) serial: u64,
    version: i64,
    pub(crate) stage: Stage,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// `iss` of assertions.
    pub(crate) gateway_url: String,
    pub(crate) token_lifetime_s: i64,
    /// By mount.
    apis: HashMap<String, Arc<Published>>,
    pub(crate) applications: HashMap<Id<Application>, Arc<App>>,
    /// API keys, revoked ones too: by digest.
    pub(crate) keys: HashMap<[u8; 32], Arc<Caller>>,
    pub(crate) credentials: HashMap<Id<Credential>, KnownSecret>,
    /// By application; the address of an API's compiled form is its identity within a snapshot.
    subscriptions: Subscriptions,
    pub(crate) revoked_tokens: HashSet<String>,
    pub(crate) verifier: Verifier,
    pub(crate) token_key: Option<SigningKeyPair>,
    pub(crate) assertion_key: Option<SigningKeyPair>,
    /// The JWK Set of all keys, as it is served.
    pub(crate) jwks: Bytes,
}

impl Snapshot {
    /// Compiles a state. APIs whose version `previous` has already are taken from it.
    ///
    /// # Errors
    /// When an API, a key or the stage is not what it should be; nothing has changed then but the
    /// registries, which only grow.
    pub(crate) fn build(
        state: &GatewayState,
        settings: &Settings,
        previous: Option<&Self>,
        registry: &Registry,
        uses: &Uses,
    ) -> Result<Self, BuildError> {
        if state.stage != settings.stage {
            return Err(BuildError::Stage { expected: settings.stage, found: state.stage });
        }
        let apis = compile_apis(state, previous)?;
        let keys = Keys::read(&state.keys)?;
        let verifier = Verifier::new(keys.tokens.iter(), &settings.issuer, &settings.audience, settings.stage.as_str());
        let credentials: HashMap<_, _> = state
            .credentials
            .iter()
            .map(|known| (known.id, KnownSecret { application: known.application, revoked: known.revoked, used: uses.of(known.id) }))
            .collect();
        let mut secrets = secrets_of(state, &credentials);
        let applications: HashMap<_, _> = state
            .applications
            .iter()
            .map(|known| (known.id, Arc::new(App { known: known.clone(), secrets: secrets.remove(&known.id).unwrap_or_default() })))
            .collect();
        let subscriptions = subscribe(state, &apis, registry);
        let api_keys = state.credentials.iter().filter(|known| known.kind == CredentialKind::ApiKey).filter_map(|known| {
            let app = Arc::clone(applications.get(&known.application)?);
            let used = Arc::clone(&credentials.get(&known.id)?.used);
            Some((*known.digest.bytes(), Arc::new(Caller::by_key(app, used, known.revoked))))
        });
        let jwks = serde_json::to_vec(&keys.public).unwrap_or_default().into();
        let (token_key, assertion_key) = (newest(&state.keys, KeyPurpose::AccessToken)?, newest(&state.keys, KeyPurpose::Assertion)?);
        let known: HashSet<_> = state.subscriptions.iter().map(|known| known.id).collect();
        registry.keep(|id| known.contains(&id));
        uses.keep(&credentials);
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        Ok(Self {
            serial: SERIAL.fetch_add(1, Relaxed),
            version: state.version,
            stage: settings.stage,
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            gateway_url: settings.gateway_url.clone(),
            token_lifetime_s: settings.token_lifetime_s,
            keys: api_keys.collect(),
            apis,
            applications,
            credentials,
            subscriptions,
            revoked_tokens: state.revoked_tokens.iter().cloned().collect(),
            verifier,
            token_key,
            assertion_key,
            jwks,
        })
    }

    /// The version of the state that it was built from.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The API whose mount is the longest prefix of the path, on a segment boundary, and the path below it.
    pub(crate) fn find<'a>(&self, path: &'a str) -> Option<(&Arc<Published>, &'a str)> {
        let mut end = path.len();
        loop {
            let (mount, below) = path.split_at_checked(end)?;
            if let Some(api) = self.apis.get(mount) {
                return Some((api, below));
            }
            end = mount.rfind('/').filter(|place| *place > 0)?;
        }
    }

    /// The subscription of an application to an API; of several, the one that opens most.
    pub(crate) fn subscription(&self, application: Id<Application>, api: &Arc<Published>) -> Option<&Arc<Sub>> {
        self.subscriptions.get(&application)?.iter().find(|(of, _)| Arc::ptr_eq(of, api)).map(|(_, sub)| sub)
    }

    /// The subscriptions of an application.
    pub(crate) fn subscriptions_of(&self, application: Id<Application>) -> impl Iterator<Item = (&Arc<Published>, &Arc<Sub>)> {
        self.subscriptions.get(&application).into_iter().flatten().map(|(api, sub)| (api, sub))
    }
}

fn compile_apis(state: &GatewayState, previous: Option<&Snapshot>) -> Result<HashMap<String, Arc<Published>>, BuildError> {
    let mut apis: HashMap<String, Arc<Published>> = HashMap::new();
    for known in &state.apis {
        let kept = previous
            .and_then(|snapshot| snapshot.apis.values().find(|api| api.name == known.name && api.version == known.version).map(Arc::clone));
        let api = match kept {
            Some(api) => api,
            None => Arc::new(Published::compile(&known.document, known.version, state.stage)?),
        };
        if let Some(other) = apis.insert(api.mount.clone(), Arc::clone(&api)) {
            return Err(BuildError::SameMount { one: other.name.clone(), other: api.name.clone(), mount: api.mount.clone() });
        }
    }
    Ok(apis)
}

type Secrets = HashMap<Id<Application>, Vec<([u8; 32], Arc<LastUse>)>>;

/// The client secrets that are valid, by application.
fn secrets_of(state: &GatewayState, credentials: &HashMap<Id<Credential>, KnownSecret>) -> Secrets {
    let mut secrets = Secrets::new();
    for known in state.credentials.iter().filter(|known| known.kind == CredentialKind::ClientSecret && !known.revoked) {
        if let Some(secret) = credentials.get(&known.id) {
            secrets.entry(known.application).or_default().push((*known.digest.bytes(), Arc::clone(&secret.used)));
        }
    }
    secrets
}

type Subscriptions = HashMap<Id<Application>, Vec<(Arc<Published>, Arc<Sub>)>>;

fn subscribe(state: &GatewayState, apis: &HashMap<String, Arc<Published>>, registry: &Registry) -> Subscriptions {
    let by_name: HashMap<_, _> = apis.values().map(|api| (&api.name, api)).collect();
    let mut subscriptions = Subscriptions::new();
    for known in &state.subscriptions {
        let Some(api) = by_name.get(&known.api) else { continue };
        let sub = Arc::new(sub_of(known, api, registry));
        let of_application = subscriptions.entry(known.application).or_default();
        match of_application.iter_mut().find(|(of, _)| Arc::ptr_eq(of, api)) {
            Some((_, held)) if rank(&sub) > rank(held) => *held = sub,
            Some(_) => {}
            None => of_application.push((Arc::clone(api), sub)),
        }
    }
    subscriptions
}

fn sub_of(known: &KnownSubscription, api: &Published, registry: &Registry) -> Sub {
    Sub {
        id: known.id,
        state: known.state,
        terms_accepted: known.terms_accepted,
        scopes: known
            .permit
            .as_ref()
            .map_or_else(|| if api.needs_permit { ScopeSet::empty() } else { api.scopes.clone() }, |permit| permit.scopes.clone()),
        permit: known.permit.clone(),
        limits: registry.limits(known.id, api.plan(&known.plan), known.used),
    }
}

/// Of two subscriptions to one API, the one nearer to opening it tells what is missing.
const fn rank(sub: &Sub) -> u8 {
    let permit = match &sub.permit {
        Some(permit) => matches!(permit.status, PermitStatus::Active) as u8,
        None => 0,
    };
    let state = match sub.state {
        SubscriptionState::Active => 6,
        SubscriptionState::Suspended => 4,
        SubscriptionState::Pending => 2,
        SubscriptionState::Revoked => 0,
    };
    state + permit
}

struct Keys {
    tokens: Vec<SigningKeyPair>,
    public: JwkSet,
}
impl Keys {
    fn read(keys: &[SigningKey]) -> Result<Self, BuildError> {
        let mut read = Self { tokens: Vec::new(), public: JwkSet::default() };
        for key in keys {
            let pair = pair_of(key)?;
            read.public.keys.extend(pair.jwk());
            if key.purpose == KeyPurpose::AccessToken {
                read.tokens.push(pair);
            }
        }
        Ok(read)
    }
}

fn pair_of(key: &SigningKey) -> Result<SigningKeyPair, BuildError> {
    SigningKeyPair::from_pkcs8(key.kid.as_str(), &key.pkcs8).map_err(|error| BuildError::Key { kid: key.kid.clone(), error })
}

/// The newest active key of a purpose signs.
fn newest(keys: &[SigningKey], purpose: KeyPurpose) -> Result<Option<SigningKeyPair>, BuildError> {
    let mine = keys.iter().filter(|key| key.purpose == purpose && key.active);
    mine.max_by_key(|key| key.created_at).map(pair_of).transpose()
}
