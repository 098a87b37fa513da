//! Is the ledger whole, and does what it tells agree with the permits and the requests?

use std::{
    collections::{HashMap, hash_map},
    fmt,
};

use octroi_domain::{
    Number,
    access_request::AccessRequest,
    canonical::Sha256Hash,
    event::Event,
    feed::PermitStatus,
    ledger::{Entry, GENESIS},
    permit::{Grant, Permit},
    scope::ScopeSet,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    LedgerFilter, Order, Page, Reader, Store, StoreError,
    ledger::{self, entry},
    permit::permit,
};

/// What the verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Sound(Verified),
    Broken(LedgerFault),
}

/// A ledger that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub entries: i64,
    pub head: Sha256Hash,
}

/// The first fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {what}")]
pub struct LedgerFault {
    /// The entry at fault, or the one that speaks of what is at fault; 0 when none does.
    pub seq: i64,
    pub what: Fault,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The entry of this number is missing.
    Missing,
    /// The entry is not what was written.
    Changed,
    /// The entry does not follow the one before it.
    Unbound,
    /// The head says that the ledger ends elsewhere.
    Head { seq: i64 },
    /// The facts of the entry cannot be read as the event that it names.
    Facts,
    /// The entry speaks of a permit that is not there.
    PermitMissing(Number<Permit>),
    /// The permit is there, and no entry tells that it was granted.
    PermitUntold(Number<Permit>),
    /// The permit is not what was granted.
    PermitDiffers(Number<Permit>),
    /// The permit is not in the state that the ledger tells.
    PermitState(Number<Permit>),
    /// The request is approved and its permit is not there, or is another's.
    RequestWithoutPermit(Number<AccessRequest>),
}
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is missing"),
            Self::Changed => f.write_str("it was changed after it was written"),
            Self::Unbound => f.write_str("it does not follow the entry before it"),
            Self::Head { seq } => write!(f, "it is the last one, but the head says {seq}"),
            Self::Facts => f.write_str("its facts are not those of its event"),
            Self::PermitMissing(permit) => write!(f, "permit {permit} is not there"),
            Self::PermitUntold(permit) => write!(f, "permit {permit} was never granted"),
            Self::PermitDiffers(permit) => write!(f, "permit {permit} is not what was granted"),
            Self::PermitState(permit) => write!(f, "permit {permit} is not in the state that the ledger tells"),
            Self::RequestWithoutPermit(request) => write!(f, "request {request} is approved and its permit is not there"),
        }
    }
}

/// What the ledger tells of one permit.
struct Told {
    /// The entry that granted it.
    seq: i64,
    content: Sha256Hash,
    scopes: ScopeSet,
    request: Number<AccessRequest>,
    status: PermitStatus,
}

impl Store {
    /// Reads the whole ledger in one instant, and compares it with the permits and the requests.
    /// `progress` is told the number of entries read so far, now and then.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read; a broken ledger is a [`Verdict`].
    pub async fn verify_ledger(&self, progress: impl FnMut(i64) + Send) -> Result<Verdict, StoreError> {
        verify(&self.frozen().await?, progress).await
    }
}

async fn verify(reader: &Reader, progress: impl FnMut(i64) + Send) -> Result<Verdict, StoreError> {
    let mut told = HashMap::new();
    let verified = match chain(reader, &mut told, progress).await? {
        Ok(verified) => verified,
        Err(fault) => return Ok(Verdict::Broken(fault)),
    };
    Ok(coherence(reader, told).await?.map_or(Verdict::Sound(verified), Verdict::Broken))
}

type Permits = HashMap<Number<Permit>, Told>;

/// Walks the entries one after the other.
async fn chain(
    reader: &Reader,
    told: &mut Permits,
    mut progress: impl FnMut(i64) + Send,
) -> Result<Result<Verified, LedgerFault>, StoreError> {
    let (mut seq, mut hash) = (0, GENESIS);
    loop {
        let rows = reader.ledger_rows(&LedgerFilter::default(), Order::Ascending, (seq != 0).then_some(seq), Page::MAX).await?;
        if rows.is_empty() {
            break;
        }
        for model in rows {
            if let Err(fault) = step(model, seq, hash, told).map(|bound| (seq, hash) = bound) {
                return Ok(Err(fault));
            }
        }
        progress(seq);
    }
    match reader.ledger_head().await {
        Ok(head) if head == (seq, hash) => Ok(Ok(Verified { entries: seq, head: hash })),
        Ok((head, _)) => Ok(Err(LedgerFault { seq, what: Fault::Head { seq: head } })),
        Err(StoreError::Corrupt { .. }) => Ok(Err(LedgerFault { seq, what: Fault::Head { seq: 0 } })),
        Err(error) => Err(error),
    }
}

fn step(model: ledger::table::Model, seq: i64, hash: Sha256Hash, told: &mut Permits) -> Result<(i64, Sha256Hash), LedgerFault> {
    let expected = seq + 1;
    if model.seq != expected {
        return Err(LedgerFault { seq: expected, what: Fault::Missing });
    }
    let fault = |what| LedgerFault { seq: expected, what };
    let entry = entry(model).map_err(|_| fault(Fault::Changed))?;
    if !entry.follows(seq, hash) {
        return Err(fault(if entry.hash == entry.computed_hash() { Fault::Unbound } else { Fault::Changed }));
    }
    listen(&entry, told).map_err(fault)?;
    Ok((entry.seq, entry.hash))
}

/// What an entry says of a permit.
fn listen(entry: &Entry, told: &mut Permits) -> Result<(), Fault> {
    if !entry.action.starts_with("permit.") {
        return Ok(());
    }
    let event = Event::deserialize(&entry.details).map_err(|_| Fault::Facts)?;
    if event.action() != entry.action || event.subject() != entry.subject {
        return Err(Fault::Facts);
    }
    let (permit, status) = match event {
        Event::PermitGranted { request, permit, content, scopes, .. } => {
            return match told.entry(permit) {
                hash_map::Entry::Occupied(_) => Err(Fault::Facts),
                hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(Told { seq: entry.seq, content, scopes, request, status: PermitStatus::Active });
                    Ok(())
                }
            };
        }
        Event::PermitSuperseded { permit, .. } => (permit, PermitStatus::Superseded),
        Event::PermitSuspended { permit, .. } => (permit, PermitStatus::Suspended),
        Event::PermitResumed { permit } => (permit, PermitStatus::Active),
        Event::PermitRevoked { permit, .. } => (permit, PermitStatus::Revoked),
        Event::PermitExpired { permit } => (permit, PermitStatus::Expired),
        _ => return Ok(()),
    };
    let told = told.get_mut(&permit).ok_or(Fault::PermitUntold(permit))?;
    told.status = status;
    Ok(())
}

/// Compares each permit with what the ledger told of it.
async fn coherence(reader: &Reader, mut told: Permits) -> Result<Option<LedgerFault>, StoreError> {
    let mut after = 0;
    loop {
        let rows = reader.permit_rows(after, 500).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for model in &rows {
            let number = Number::new(model.id);
            let Some(told) = told.remove(&number) else {
                return Ok(Some(LedgerFault { seq: 0, what: Fault::PermitUntold(number) }));
            };
            let fault = |what| Ok(Some(LedgerFault { seq: told.seq, what }));
            let Ok(permit) = permit(model) else { return fault(Fault::PermitDiffers(number)) };
            let grant = permit.grant();
            if grant.content != told.content
                || content(grant) != told.content
                || grant.scopes != told.scopes
                || grant.request != told.request
            {
                return fault(Fault::PermitDiffers(number));
            }
            if permit.status() != told.status {
                return fault(Fault::PermitState(number));
            }
        }
    }
    if let Some((number, told)) = told.into_iter().min_by_key(|(_, told)| told.seq) {
        return Ok(Some(LedgerFault { seq: told.seq, what: Fault::PermitMissing(number) }));
    }
    let request = reader.access_request_without_permit().await?;
    Ok(request.map(|request| LedgerFault { seq: 0, what: Fault::RequestWithoutPermit(request) }))
}

/// The hash of what the permit froze, which is the hash of what the reviewer read (see `Header::content`).
fn content(grant: &Grant) -> Sha256Hash {
    let content: Value = json!({
        "request": grant.request,
        "definition": grant.definition,
        "definition_version": grant.definition_version,
        "form": grant.form,
        "stage": grant.stage,
        "organization": grant.organization,
        "answers": grant.answers,
    });
    Sha256Hash::of_value(&content)
}

#[cfg(test)]
mod tests;
