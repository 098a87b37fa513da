//! Reading the ledger, and verifying it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use octroi_domain::{
    Id, Moment, Number,
    access_request::AccessRequest,
    ledger::Entry,
    permit::Permit,
    policy::{Action, Subject},
    user::User,
};
use octroi_store::{LedgerFilter, Order, Outcome, StoreError, Verification};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
    view::List,
};

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EntryView {
    pub seq: i64,
    pub at: String,
    pub actor: String,
    /// The name of the person who did it; for the operator alone.
    pub actor_name: Option<String>,
    pub action: String,
    pub subject: String,
    #[schema(value_type = Object)]
    pub details: Value,
    /// SHA-256, in hexadecimal, of the entry before.
    pub previous: String,
    /// SHA-256, in hexadecimal, of this entry's canonical text.
    pub hash: String,
}

/// Which entries are wanted, all of them told exactly: `D12`, `user:<id>`, `permit.granted`.
#[derive(Debug, Clone, Default)]
pub struct LedgerQuery {
    pub subject: Option<String>,
    pub actor: Option<String>,
    pub action: Option<String>,
}

/// A verification of the whole ledger, under way or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VerificationView {
    pub id: i64,
    /// `running`, `interrupted`, `sound`, `broken` or `failed`.
    pub state: String,
    pub started_by: String,
    pub started_at: String,
    pub ended_at: Option<String>,
    /// Entries there were when it began.
    pub total: i64,
    /// Entries read so far.
    pub entries: i64,
    /// The hash of the last entry of a sound ledger.
    pub head: Option<String>,
    /// The entry at fault; 0 when no entry speaks of it.
    pub fault_seq: Option<i64>,
    pub fault: Option<String>,
}
impl VerificationView {
    fn new(found: Verification, now: Moment) -> Self {
        let (state, head, fault_seq, fault) = match &found.ended {
            None if found.touched_at < now.plus_seconds(-SILENCE) => ("interrupted", None, None, None),
            None => ("running", None, None, None),
            Some((_, Outcome::Sound { head })) => ("sound", Some(head.to_string()), None, None),
            Some((_, Outcome::Broken { seq, what })) => ("broken", None, Some(*seq), Some(what.clone())),
            Some((_, Outcome::Failed { what })) => ("failed", None, None, Some(what.clone())),
        };
        Self {
            id: found.id,
            state: state.to_owned(),
            started_by: found.started_by,
            started_at: found.started_at.to_string(),
            ended_at: found.ended.map(|(at, _)| at.to_string()),
            total: found.total,
            entries: found.entries,
            head,
            fault_seq,
            fault,
        }
    }
}

/// A verification that said nothing for this many seconds was interrupted.
const SILENCE: i64 = 30;
/// How often one says how far it is.
const BEAT: Duration = Duration::from_secs(1);

impl App {
    /// Begins to verify the whole ledger, or tells of the verification that is under way. It goes on by
    /// itself, whoever closes their browser: [`App::list_verifications`] says how far it is.
    pub async fn verify_ledger(&self, context: &Context) -> Result<VerificationView, Error> {
        context.require(Action::ManagePlatform, &Subject::Platform)?;
        let actor = context.principal.actor();
        let mut tx = self.inner.store.write().await?;
        let (total, _) = tx.ledger_head().await?;
        let (found, fresh) = tx.verification_begin(&actor, context.now, total, context.now.plus_seconds(-SILENCE)).await?;
        tx.commit().await?;
        if fresh {
            let (app, id, begun) = (self.clone(), found.id, context.now);
            tokio::spawn(async move {
                if let Err(error) = app.verify(id, &actor, begun).await {
                    tracing::error!(%error, "a verification of the ledger was not told to its end");
                }
            });
        }
        Ok(VerificationView::new(found, context.now))
    }

    /// The latest verifications.
    pub async fn list_verifications(&self, context: &Context) -> Result<Vec<VerificationView>, Error> {
        context.require(Action::ReadLedger, &Subject::Platform)?;
        let found = self.inner.store.read().verification_list(10).await?;
        Ok(found.into_iter().map(|found| VerificationView::new(found, context.now)).collect())
    }

    async fn verify(&self, id: i64, actor: &str, begun: Moment) -> Result<(), Error> {
        let clock = Instant::now();
        let now = || begun.plus_seconds(i64::try_from(clock.elapsed().as_secs()).unwrap_or(0));
        let read = Arc::new(AtomicI64::new(0));
        let counter = Arc::clone(&read);
        let walk = self.inner.store.verify_ledger(move |entries| counter.store(entries, Ordering::Relaxed));
        let beat = async {
            loop {
                tokio::time::sleep(BEAT).await;
                let told = self.tell_progress(id, now(), read.load(Ordering::Relaxed)).await;
                if let Err(error) = told {
                    tracing::warn!(%error, "the progress of a verification was not told");
                }
            }
        };
        let outcome = tokio::select! {
            verdict = walk => match verdict {
                Ok(verdict) => Outcome::from(&verdict),
                Err(error) => Outcome::Failed { what: error.to_string() },
            },
            () = beat => Outcome::Failed { what: String::new() },
        };
        let entries = read.load(Ordering::Relaxed);
        let mut tx = self.inner.store.write().await?;
        tx.verification_end(id, now(), entries, &outcome).await?;
        let details = match &outcome {
            Outcome::Sound { head } => json!({ "outcome": "sound", "entries": entries, "head": head }),
            Outcome::Broken { seq, what } => json!({ "outcome": "broken", "entry": seq, "fault": what }),
            Outcome::Failed { .. } => json!({ "outcome": "failed" }),
        };
        tx.record(now(), actor, "ledger.verified", "ledger", details);
        tx.commit().await?;
        Ok(())
    }

    /// The people who did what these entries tell.
    async fn actors(&self, entries: &[Entry]) -> Result<Vec<User>, Error> {
        let mut ids: Vec<Id<User>> = entries.iter().filter_map(|entry| entry.actor.strip_prefix("user:")?.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(self.inner.store.read().users_by_ids(&ids).await?)
    }

    async fn tell_progress(&self, id: i64, at: Moment, entries: i64) -> Result<(), StoreError> {
        let mut tx = self.inner.store.write().await?;
        tx.verification_touch(id, at, entries).await?;
        tx.commit().await.map(drop)
    }

    /// The ledger, the latest first: whole for the operator; of one request or permit for whoever may read it.
    pub async fn list_ledger(
        &self,
        context: &Context,
        query: LedgerQuery,
        after: Option<i64>,
        limit: u32,
    ) -> Result<List<EntryView>, Error> {
        let LedgerQuery { subject, actor, action } = query;
        let request = subject.as_deref().and_then(|text| text.parse::<Number<AccessRequest>>().ok());
        let permit = subject.as_deref().and_then(|text| text.parse::<Number<Permit>>().ok());
        let whole = context.require(Action::ReadLedger, &Subject::Platform).is_ok();
        match (request, permit) {
            _ if whole => {}
            (Some(id), _) => drop(self.read_request(context, id).await?),
            (_, Some(id)) => drop(self.read_permit(context, id).await?),
            (None, None) => context.require(Action::ReadLedger, &Subject::Platform)?,
        }
        let limit = limit.clamp(1, 100);
        let filter = LedgerFilter { subject, actor, action, ..LedgerFilter::default() };
        let entries = self.inner.store.read().ledger_page(&filter, Order::Descending, after, limit).await?;
        let full = entries.len() >= limit as usize;
        let next = entries.last().filter(|_| full).map(|entry| entry.seq.to_string());
        let people = if whole { self.actors(&entries).await? } else { Vec::new() };
        let name = |actor: &str| {
            let id = actor.strip_prefix("user:")?.parse().ok()?;
            people.iter().find(|user| user.id == id).map(User::full_name)
        };
        let view = |entry: Entry| EntryView {
            seq: entry.seq,
            at: entry.at.to_string(),
            actor_name: name(&entry.actor),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            details: entry.details,
            previous: entry.previous.to_string(),
            hash: entry.hash.to_string(),
        };
        Ok(List { items: entries.into_iter().map(view).collect(), next })
    }
}
