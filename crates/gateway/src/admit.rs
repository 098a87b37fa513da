//! May this caller make this call now? Only this file makes an [`Admitted`], and only an
//! [`Admitted`] is forwarded.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock},
};

use octroi_domain::{Moment, application::SubscriptionState, calendar::Window, feed::PermitStatus, scope::ScopeSet};

use crate::{
    assertion::Cached,
    denied::{Denied, Note, Reason},
    identify::Caller,
    mask::Mask,
    published::{Operation, Published, Terms},
    snapshot::{App, Snapshot, Sub},
};

/// What a caller holds on one API, under one snapshot.
pub(crate) struct Standing {
    pub app: Arc<App>,
    pub api: Arc<Published>,
    pub sub: Arc<Sub>,
    /// The scopes that hold for its calls: those of its token that the subscription opens now.
    pub scopes: ScopeSet,
    /// What stands in the way whatever the operation and the time.
    obstacle: Option<Reason>,
    /// By contract.
    openings: Vec<OnceLock<Opening>>,
    /// The assertion that tells the upstream about it, for some seconds.
    pub assertion: Mutex<Option<Cached>>,
}

#[derive(Clone)]
struct Opening {
    open: bool,
    mask: Option<Arc<Mask>>,
}

impl Standing {
    pub(crate) fn new(app: Arc<App>, api: Arc<Published>, sub: Arc<Sub>, token: Option<&ScopeSet>) -> Self {
        let scopes = token.map_or_else(|| sub.scopes.clone(), |token| token.intersection(&sub.scopes));
        let obstacle = obstacle(&api, &sub);
        let openings = api.contracts.iter().map(|_| OnceLock::new()).collect();
        Self { app, api, sub, scopes, obstacle, openings, assertion: Mutex::new(None) }
    }

    fn opening(&self, index: usize, contract: &Terms) -> Opening {
        let find = || {
            let open = contract.scopes.is_empty() || contract.scopes.iter().any(|scope| self.scopes.contains(scope));
            let mask = contract.mask.as_ref().filter(|_| open).map(|plan| Arc::new(plan.mask_for(&self.scopes)));
            Opening { open, mask }
        };
        match self.openings.get(index) {
            Some(known) => known.get_or_init(find).clone(),
            None => find(),
        }
    }
}

/// What of the subscription, the permit and the terms stands in the way.
fn obstacle(api: &Published, sub: &Sub) -> Option<Reason> {
    match sub.state {
        SubscriptionState::Active => {}
        SubscriptionState::Pending => return Some(Reason::SubscriptionPending),
        SubscriptionState::Suspended => return Some(Reason::SubscriptionSuspended),
        SubscriptionState::Revoked => return Some(Reason::SubscriptionRevoked),
    }
    match sub.permit.as_ref().map(|permit| permit.status) {
        None if api.needs_permit => return Some(Reason::PermitMissing),
        None | Some(PermitStatus::Active) => {}
        Some(PermitStatus::Suspended) => return Some(Reason::PermitSuspended),
        Some(PermitStatus::Superseded) => return Some(Reason::PermitSuperseded),
        Some(PermitStatus::Revoked) => return Some(Reason::PermitRevoked),
        Some(PermitStatus::Expired) => return Some(Reason::PermitExpired),
    }
    (api.terms_version.is_some() && sub.terms_accepted != api.terms_version).then_some(Reason::TermsNotAccepted)
}

/// A call that may be made, once: it was counted.
pub(crate) struct Admitted {
    standing: Arc<Standing>,
    operation: usize,
    mask: Option<Arc<Mask>>,
}
impl Admitted {
    pub(crate) fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }
    pub(crate) fn api(&self) -> &Arc<Published> {
        &self.standing.api
    }
    /// None for an index that the API does not have, which `admit` never lets through.
    pub(crate) fn operation(&self) -> Option<&Operation> {
        self.standing.api.operations.get(self.operation)
    }
    /// Which fields of an answer are shown; none: the operation is not masked.
    pub(crate) const fn mask(&self) -> Option<&Arc<Mask>> {
        self.mask.as_ref()
    }
}

/// The instants that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub now: Moment,
    /// [`crate::limits::monotonic_us`].
    pub monotonic_us: u64,
    pub today: Window,
}

/// Decides, in the order of the design; the last step counts the call. The caller's standing comes
/// back with a refusal too, for the trace and the quota headers.
pub(crate) fn admit(
    caller: &Arc<Caller>,
    api: &Arc<Published>,
    operation: usize,
    snapshot: &Snapshot,
    address: IpAddr,
    times: Times,
) -> Result<Admitted, (Denied, Option<Arc<Standing>>)> {
    if !api.accepts(caller.kind) {
        return Err((Reason::CredentialKindNotAccepted.into(), None));
    }
    if !caller.app.is_active() {
        return Err((Reason::ApplicationSuspended.into(), None));
    }
    let Some(standing) = caller.standing(api, snapshot) else { return Err((Reason::SubscriptionMissing.into(), None)) };
    match check(&standing, operation, address, times) {
        Ok(mask) => Ok(Admitted { standing, operation, mask }),
        Err(denied) => Err((denied, Some(standing))),
    }
}

fn check(standing: &Standing, operation: usize, address: IpAddr, times: Times) -> Result<Option<Arc<Mask>>, Denied> {
    let (api, sub) = (&standing.api, &standing.sub);
    // A permit that has run out is refused as such before anything that comes after it in the order.
    let expired = sub
        .permit
        .as_ref()
        .is_some_and(|permit| permit.status == PermitStatus::Active && permit.expires_at.is_some_and(|end| times.now >= end));
    match standing.obstacle {
        Some(Reason::TermsNotAccepted) | None if expired => return Err(Reason::PermitExpired.into()),
        Some(reason) => return Err(reason.into()),
        None => {}
    }
    if !api.networks.is_empty() && !api.networks.iter().any(|network| network.contains(address)) {
        return Err(Reason::AddressNotAllowed.into());
    }
    let index = api.operations.get(operation).map(|operation| operation.contract).ok_or(Reason::UnknownRoute)?;
    let contract = api.contracts.get(index).ok_or(Reason::UnknownRoute)?;
    let opening = standing.opening(index, contract);
    if !opening.open {
        return Err(Denied::with(Reason::ScopeMissing, Note::Scopes(contract.scopes.to_string())));
    }
    sub.limits.take(times.monotonic_us, times.today, times.now.seconds())?;
    Ok(opening.mask)
}
