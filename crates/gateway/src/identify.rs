//! Who calls: an application, by an API key or by an access token.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use octroi_domain::{
    api::AcceptedCredential,
    scope::{Scope, ScopeSet},
};
use octroi_oauth::secret::{self, SecretKind};

use crate::{
    admit::Standing,
    denied::{Denied, Reason},
    parse::Presented,
    published::Published,
    snapshot::{App, LastUse, Snapshot},
};

/// Tokens that one thread remembers.
const MAX_REMEMBERED: usize = 10_000;
/// How long a refused token is remembered as refused.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// An identified caller, and what it was found to hold on the APIs that it called. It lives no longer
/// than the snapshot that knew it.
pub(crate) struct Caller {
    pub app: Arc<App>,
    pub kind: AcceptedCredential,
    /// The scopes that its token names; none: an API key, which holds all that its subscription opens.
    pub scopes: Option<ScopeSet>,
    /// When its token ends, seconds since the epoch.
    expires: Option<i64>,
    revoked: bool,
    used: Option<Arc<LastUse>>,
    standings: Mutex<Vec<Arc<Standing>>>,
}
impl Caller {
    pub(crate) const fn by_key(app: Arc<App>, used: Arc<LastUse>, revoked: bool) -> Self {
        Self {
            app,
            kind: AcceptedCredential::ApiKey,
            scopes: None,
            expires: None,
            revoked,
            used: Some(used),
            standings: Mutex::new(Vec::new()),
        }
    }

    /// What it holds on an API, worked out once per snapshot; `None` without a subscription.
    pub(crate) fn standing(self: &Arc<Self>, api: &Arc<Published>, snapshot: &Snapshot) -> Option<Arc<Standing>> {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = standings.iter().find(|standing| Arc::ptr_eq(&standing.api, api)) {
            return Some(Arc::clone(known));
        }
        let sub = snapshot.subscription(self.app.known.id, api)?;
        let standing = Arc::new(Standing::new(Arc::clone(&self.app), Arc::clone(api), Arc::clone(sub), self.scopes.as_ref()));
        standings.push(Arc::clone(&standing));
        Some(standing)
    }

    fn is_valid(&self, now: i64) -> bool {
        !self.revoked && self.expires.is_none_or(|end| now < end)
    }
}

/// The tokens that one thread has verified, or refused, against one snapshot.
#[derive(Default)]
pub(crate) struct Remembered {
    /// Serial of the snapshot.
    of: u64,
    tokens: HashMap<[u8; 32], Memory>,
}
enum Memory {
    Good(Arc<Caller>),
    Refused(Instant),
}
impl Remembered {
    fn get(&mut self, snapshot: &Snapshot, digest: &[u8; 32], now: Instant) -> Option<Result<Arc<Caller>, Denied>> {
        if self.of != snapshot.serial {
            self.of = snapshot.serial;
            self.tokens.clear();
        }
        match self.tokens.get(digest)? {
            Memory::Good(caller) => Some(Ok(Arc::clone(caller))),
            Memory::Refused(at) if now.saturating_duration_since(*at) < REFUSED_FOR => Some(Err(Reason::InvalidCredential.into())),
            Memory::Refused(_) => None,
        }
    }

    fn put(&mut self, digest: [u8; 32], memory: Memory) {
        if self.tokens.len() >= MAX_REMEMBERED {
            // Full: refusals go first, else everything; a token costs one verification to come back.
            self.tokens.retain(|_, memory| matches!(memory, Memory::Good(_)));
            if self.tokens.len() >= MAX_REMEMBERED {
                self.tokens.clear();
            }
        }
        self.tokens.insert(digest, memory);
    }
}

/// A caller, or the refusal and who it seems to be (for the trace alone).
pub(crate) type Identified = Result<Arc<Caller>, (Denied, Option<Arc<Caller>>)>;

/// Finds who presents this credential. `now_s` is in seconds since the epoch.
pub(crate) fn identify(
    presented: Presented<'_>,
    snapshot: &Snapshot,
    remembered: &Mutex<Remembered>,
    now: Instant,
    now_s: i64,
) -> Identified {
    let refused = |caller| Err((Reason::InvalidCredential.into(), caller));
    let text = match presented {
        Presented::Nothing => return Err((Reason::MissingCredential.into(), None)),
        Presented::Unreadable => return refused(None),
        Presented::Secret(text) => text,
    };
    let caller = if text.starts_with("oct_") {
        if !matches!(secret::recognise(text), Some(SecretKind::ProductionApiKey | SecretKind::SandboxApiKey)) {
            return refused(None);
        }
        match snapshot.keys.get(&secret::digest(text)) {
            Some(caller) => Arc::clone(caller),
            None => return refused(None),
        }
    } else {
        let digest = secret::digest(text);
        let mut memory = remembered.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.get(snapshot, &digest, now) {
            Some(Ok(caller)) => caller,
            Some(Err(denied)) => return Err((denied, None)),
            None => match by_token(text, snapshot, now_s) {
                Some(caller) => {
                    let caller = Arc::new(caller);
                    memory.put(digest, Memory::Good(Arc::clone(&caller)));
                    caller
                }
                None => {
                    memory.put(digest, Memory::Refused(now));
                    return refused(None);
                }
            },
        }
    };
    if !caller.is_valid(now_s) {
        return refused(Some(caller));
    }
    if let Some(used) = &caller.used {
        used.mark(now_s);
    }
    Ok(caller)
}

/// Verifies an access token and everything that could have revoked it.
fn by_token(text: &str, snapshot: &Snapshot, now: i64) -> Option<Caller> {
    let claims = valid_claims(text, snapshot, now)?;
    let app = snapshot.applications.get(&claims.client_id.parse().ok()?)?;
    let credential = claims.octroi_credential.as_deref().and_then(|id| snapshot.credentials.get(&id.parse().ok()?));
    Some(Caller {
        app: Arc::clone(app),
        kind: AcceptedCredential::AccessToken,
        scopes: Some(claims.scope.split(' ').filter_map(|scope| Scope::new(scope).ok()).collect()),
        expires: Some(claims.exp),
        revoked: false,
        used: credential.map(|known| Arc::clone(&known.used)),
        standings: Mutex::new(Vec::new()),
    })
}

/// The claims of a token that is valid now: signed by us for this stage, in date, not revoked, and
/// neither its client nor the secret it was obtained with has gone.
pub(crate) fn valid_claims(text: &str, snapshot: &Snapshot, now: i64) -> Option<octroi_oauth::jwt::AccessTokenClaims> {
    let claims = snapshot.verifier.access_token(text, now).ok()?;
    let client = claims.client_id.parse().ok()?;
    if snapshot.revoked_tokens.contains(&claims.jti) || !snapshot.applications.contains_key(&client) {
        return None;
    }
    if let Some(id) = claims.octroi_credential.as_deref() {
        let known = snapshot.credentials.get(&id.parse().ok()?)?;
        if known.revoked || known.application != client {
            return None;
        }
    }
    Some(claims)
}
