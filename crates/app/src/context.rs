//! What an operation works with: the application, who asks, and one transaction.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use octroi_domain::{
    Moment,
    account::{RECENT_SECONDS, SecondFactor},
    api::{ApiDocument, OperationName},
    authentication::Session,
    calendar::Zone,
    definition::FieldError,
    policy::{self, Action, Person, Principal, Subject},
    scope::ScopeSet,
    stage::Stage,
    text::Language,
};
use octroi_oauth::seal::MasterKey;
use octroi_store::{Answered, Store, StoreError, Tx};
use serde::Serialize;
use tokio::sync::{Mutex, Semaphore};

use crate::{
    error::{Error, Require},
    mails::Mailing,
    organizations::DirectoryPort,
    platform::{HostPort, Jobs},
    try_it::TryOut,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the control plane asks of the data plane; the binary implements it.
pub trait GatewayPort: Send + Sync {
    /// Returns when the gateway serves `version` of its state or a newer one.
    fn refresh(&self, version: i64) -> Boxed<'_, ()>;
    /// Returns when every trace emitted so far can be read from the store.
    fn flush_traces(&self) -> Boxed<'_, ()>;
    /// An answer of an operation as the API's cases or examples have it, and what of it a call with these
    /// scopes is let see, by the code that masks real answers. None when there is no such answer.
    fn masked_sample(&self, document: &ApiDocument, operation: &OperationName, granted: &ScopeSet) -> Option<MaskedSample>;
}

/// A sample answer, whole and masked: two JSON texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedSample {
    pub whole: String,
    pub masked: String,
    /// Members and elements that were cut; one that is cut whole counts once.
    pub removed: u32,
}

/// What an operator sets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people and programs reach the portal; never taken from a request.
    pub public_url: String,
    /// The example data and the mailbox are there.
    pub demo: bool,
    /// Days after which a trace is anonymised.
    pub trace_retention_days: u16,
    /// Whose civil days quotas and figures count.
    pub time_zone: Zone,
    /// How mails leave.
    pub mail: Mailing,
    /// Who has to sign in with two factors.
    pub second_factor: SecondFactor,
}

/// The application: cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
}
pub(crate) struct Inner {
    pub store: Store,
    pub settings: Settings,
    pub gateway: Arc<dyn GatewayPort>,
    pub master_key: MasterKey,
    /// Password hashes at work: bounded, so that a flood of sign-ins cannot take the machine.
    pub hashing: Semaphore,
    /// Held while mails leave: who waits for it finds delivered what was claimed before.
    pub mailing: Mutex<()>,
    /// None where the public address has no host name that passkeys can be bound to.
    pub passkeys: Option<webauthn_rs::Webauthn>,
    /// Verified against when the account does not exist, so that the time says nothing.
    pub decoy_hash: String,
    /// How visitors try an API in the sandbox; not there until the binary offers it.
    pub try_out: OnceLock<TryOut>,
    /// Who knows organisations; not there where no directory is set.
    pub directory: OnceLock<Arc<dyn DirectoryPort>>,
    /// Who tells of the program: settings, gateways, disk.
    pub host: OnceLock<Arc<dyn HostPort>>,
    pub jobs: Jobs,
    pub statistics: crate::statistics::Kept,
    pub sign_on: crate::sign_on::Kept,
    pub hand_offs: crate::hand_off::Counts,
    pub connections: crate::connections::Kept,
}

/// A request that may be sent twice and must act once.
#[derive(Debug, Clone, Copy)]
pub struct Idempotency {
    /// Digest of who asks, what for, and the key that was sent.
    pub key: [u8; 32],
    /// Digest of the request itself.
    pub request: [u8; 32],
}

/// Who asks, when, and how the answer will be read.
#[derive(Debug, Clone)]
pub struct Context {
    pub principal: Principal,
    /// The session that a person came by.
    pub session: Option<Session>,
    pub now: Moment,
    pub language: Language,
    pub idempotency: Option<Idempotency>,
}
impl Context {
    #[must_use]
    pub const fn new(principal: Principal, now: Moment) -> Self {
        Self { principal, session: None, now, language: Language::Fr, idempotency: None }
    }

    /// Asks the policy.
    ///
    /// # Errors
    /// The policy's refusal.
    pub(crate) fn require(&self, action: Action, subject: &Subject) -> Result<(), Error> {
        policy::decide(&self.principal, action, subject).require()
    }

    /// A key of one stage acts on that stage alone.
    pub(crate) const fn on_stage(&self, stage: Stage) -> Result<(), Error> {
        match &self.principal {
            Principal::Application(machine) if machine.stage as u8 != stage as u8 => Err(Error::Forbidden(policy::Forbidden::OtherStage)),
            _ => Ok(()),
        }
    }

    /// Before what changes who may do what: whoever stands at a session left open must not be able to.
    ///
    /// # Errors
    /// `SignInAgain` when the session's last proof is too long ago. What acts without a session (a command) needs none.
    pub(crate) fn recent(&self) -> Result<(), Error> {
        match &self.session {
            Some(session) if !session.authentication.is_recent(RECENT_SECONDS, self.now) => Err(Error::SignInAgain),
            _ => Ok(()),
        }
    }

    pub(crate) fn person(&self) -> Result<&Person, Error> {
        match &self.principal {
            Principal::Person(person) => Ok(person),
            Principal::Anonymous => Err(Error::SignIn),
            Principal::Application(_) => Err(Error::Forbidden(policy::Forbidden::PersonRequired)),
        }
    }
}

/// The outcome of a write: made now, or made before under the same idempotency key.
#[derive(Debug, Clone, PartialEq)]
pub enum Done<T> {
    Now {
        status: u16,
        value: T,
    },
    /// The body as it was answered the first time; none when it held a secret.
    Before {
        status: u16,
        body: Option<String>,
    },
}
impl<T> Done<T> {
    /// The value, when it was made now.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Now { value, .. } => Some(value),
            Self::Before { .. } => None,
        }
    }
}

/// How a write begins: with a transaction, or with the answer given before.
pub(crate) enum Begin<T> {
    Fresh(Tx),
    Replay(Done<T>),
}

impl App {
    /// # Errors
    /// When the decoy password cannot be hashed.
    pub fn new(store: Store, settings: Settings, gateway: Arc<dyn GatewayPort>, master_key: MasterKey) -> Result<Self, Error> {
        let decoy_hash = crate::password::hash("a password that nobody has")?;
        let passkeys = crate::passkeys::verifier(&settings.public_url);
        let hashing = Semaphore::new(std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1)));
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                settings,
                gateway,
                master_key,
                hashing,
                mailing: Mutex::new(()),
                passkeys,
                decoy_hash,
                try_out: OnceLock::new(),
                directory: OnceLock::new(),
                host: OnceLock::new(),
                jobs: Jobs::default(),
                statistics: crate::statistics::Kept::default(),
                sign_on: crate::sign_on::Kept::default(),
                hand_offs: crate::hand_off::Counts::default(),
                connections: crate::connections::Kept::default(),
            }),
        })
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    #[must_use]
    pub fn gateway(&self) -> &dyn GatewayPort {
        self.inner.gateway.as_ref()
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Opens the transaction of a write, unless its idempotency key was answered before.
    pub(crate) async fn begin<T>(&self, context: &Context) -> Result<Begin<T>, Error> {
        let mut tx = self.inner.store.write().await?;
        if let Some(idempotency) = context.idempotency
            && let Some(answered) = tx.idempotency_claim(&idempotency.key).await?
        {
            return replay(idempotency, answered).map(Begin::Replay);
        }
        Ok(Begin::Fresh(tx))
    }

    /// Commits: the state, the ledger, the outbox and the idempotency record, or nothing. Returns
    /// once the gateway knows.
    pub(crate) async fn finish<T: Serialize>(&self, context: &Context, tx: Tx, status: u16, value: T) -> Result<Done<T>, Error> {
        let again = serde_json::to_string(&value).map_err(|error| Error::Internal(error.to_string()))?;
        self.finish_with(context, tx, status, value, again).await
    }

    /// The same, where a repeated request is answered otherwise than the first: a secret is shown once.
    pub(crate) async fn finish_with<T>(
        &self,
        context: &Context,
        mut tx: Tx,
        status: u16,
        value: T,
        again: String,
    ) -> Result<Done<T>, Error> {
        if let Some(idempotency) = context.idempotency {
            let answered = Answered { request: idempotency.request, status, body: Some(again), created_at: context.now };
            if let Err(error) = tx.idempotency_insert(&idempotency.key, &answered).await {
                drop(tx);
                return self.lost_to_twin(idempotency, error).await;
            }
        }
        match tx.commit().await {
            Ok(Some(version)) => self.inner.gateway.refresh(version).await,
            Ok(None) => {}
            Err(error) if error.is_duplicate() && context.idempotency.is_some() => {
                if let Some(idempotency) = context.idempotency {
                    return self.lost_to_twin(idempotency, error).await;
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Done::Now { status, value })
    }

    /// A parallel request with the same key was first: its answer is ours.
    async fn lost_to_twin<T>(&self, idempotency: Idempotency, error: StoreError) -> Result<Done<T>, Error> {
        if !error.is_duplicate() {
            return Err(error.into());
        }
        match self.inner.store.read().idempotency_find(&idempotency.key).await? {
            Some(answered) => replay(idempotency, answered),
            None => Err(Error::conflict(
                "in_progress",
                "La même requête est en cours ; réessayez.",
                "The same request is in progress; try again.",
            )),
        }
    }
}

fn replay<T>(idempotency: Idempotency, answered: Answered) -> Result<Done<T>, Error> {
    if answered.request == idempotency.request {
        Ok(Done::Before { status: answered.status, body: answered.body })
    } else {
        Err(Error::IdempotencyMismatch)
    }
}

/// Prefixes the pointers of field errors, for answers that stand inside a larger body.
pub(crate) fn under(prefix: &str, errors: Vec<FieldError>) -> Error {
    Error::Invalid(errors.into_iter().map(|error| FieldError { pointer: format!("{prefix}{}", error.pointer), ..error }).collect())
}
