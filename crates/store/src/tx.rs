//! Reading, and writing all or nothing.

use std::{
    collections::HashSet,
    ops::Deref,
    sync::{Arc, atomic::Ordering},
};

use octroi_domain::Moment;
use sea_orm::{DatabaseConnection, DatabaseExecutor, DatabaseTransaction};
use serde_json::Value;

use crate::{
    StoreError,
    catalogue::Cache,
    error::{At, Cause},
    gateway,
    group::Turn,
    ledger,
};

/// Every read of the store. Where it reads from (the pool, or one transaction) is not its caller's business.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    cache: Arc<Cache>,
    /// A version written by a transaction may still be rolled back: what a writer read is not kept.
    may_cache: bool,
}
#[derive(Debug)]
enum Source {
    Pool(DatabaseConnection),
    Transaction(DatabaseTransaction),
    /// A writer of the embedded database, which shares its transaction with others.
    Turn(Turn),
}
impl Reader {
    pub(crate) const fn of_pool(pool: DatabaseConnection, cache: Arc<Cache>) -> Self {
        Self { source: Source::Pool(pool), cache, may_cache: true }
    }
    pub(crate) const fn of_transaction(transaction: DatabaseTransaction, cache: Arc<Cache>, may_cache: bool) -> Self {
        Self { source: Source::Transaction(transaction), cache, may_cache }
    }
    pub(crate) const fn of_turn(turn: Turn, cache: Arc<Cache>) -> Self {
        Self { source: Source::Turn(turn), cache, may_cache: false }
    }
    pub(crate) fn db(&self) -> DatabaseExecutor<'_> {
        match &self.source {
            Source::Pool(pool) => pool.into(),
            Source::Transaction(transaction) => transaction.into(),
            Source::Turn(turn) => turn.transaction().into(),
        }
    }
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }
    pub(crate) const fn may_cache(&self) -> bool {
        self.may_cache
    }
}

/// Counts a change when it is dropped.
struct Changed(Arc<Cache>);
impl Drop for Changed {
    fn drop(&mut self) {
        self.0.clients_changed.fetch_add(1, Ordering::SeqCst);
    }
}

/// A write transaction. Dropped without [`Tx::commit`], it never happened. After an error nothing
/// more can be done in it: drop it.
#[derive(Debug)]
pub struct Tx {
    reader: Reader,
    entries: Vec<ledger::Pending>,
    /// The numbers of the requests and permits that were written.
    written: Vec<String>,
    gateway_changed: bool,
    clients_changed: bool,
}
impl Deref for Tx {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}
impl Tx {
    pub(crate) const fn new(reader: Reader) -> Self {
        Self { reader, entries: Vec::new(), written: Vec::new(), gateway_changed: false, clients_changed: false }
    }

    /// An entry of the ledger, written by [`Tx::commit`] in the order of the calls: the head of the
    /// ledger is locked last and shortly, so that two transactions never wait for each other in a circle.
    pub fn record(&mut self, at: Moment, actor: &str, action: &str, subject: &str, details: Value) {
        self.entries.push(ledger::Pending { at, actor: actor.to_owned(), action: action.to_owned(), subject: subject.to_owned(), details });
    }

    /// Says that a request or a permit was written: without an entry about it the transaction does not
    /// commit, and by that entry other processes learn of it.
    pub(crate) fn wrote(&mut self, number: impl ToString) {
        self.written.push(number.to_string());
    }

    /// Says that the gateway must see what this transaction does.
    pub const fn gateway_changed(&mut self) {
        self.gateway_changed = true;
    }

    /// Says that what is kept in memory of relying parties is out of date once this is true.
    pub(crate) const fn clients_changed(&mut self) {
        self.clients_changed = true;
    }

    /// Makes it all true at once; the new version of the gateway's state when it changed.
    ///
    /// # Errors
    /// When the database refuses or is gone: then nothing was written, unless the connection broke
    /// while the commit was under way, which nobody can know.
    pub async fn commit(self) -> Result<Option<i64>, StoreError> {
        let Self { reader, entries, written, gateway_changed, clients_changed } = self;
        // Counted when this ends, in whatever way: then nobody reads what was kept before.
        let _changed = clients_changed.then(|| Changed(Arc::clone(&reader.cache)));
        let told: HashSet<&str> = entries.iter().map(|entry| entry.subject.as_str()).collect();
        if let Some(untold) = written.iter().find(|number| !told.contains(number.as_str())) {
            tracing::error!(number = untold, "written without its entry in the ledger");
            let cause = Cause::said("a request or a permit was written without its entry");
            return Err(StoreError::Other { table: ledger::TABLE, cause });
        }
        ledger::append(&reader.db(), entries).await?;
        let version = if gateway_changed { Some(gateway::bump(&reader.db()).await?) } else { None };
        match reader.source {
            Source::Turn(turn) => turn.commit().await?,
            Source::Transaction(transaction) => transaction.commit().await.at("transaction")?,
            Source::Pool(_) => return Err(StoreError::Other { table: "transaction", cause: Cause::said("not a transaction") }),
        }
        Ok(version)
    }

    /// Forgets it all, at once rather than when the connection is next used.
    ///
    /// # Errors
    /// When the database is gone: then nothing was written either.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self.reader.source {
            Source::Transaction(transaction) => transaction.rollback().await.at("transaction"),
            Source::Turn(_) | Source::Pool(_) => Ok(()),
        }
    }
}
