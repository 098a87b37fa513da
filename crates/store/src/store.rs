//! The handle on the database.

use std::sync::{Arc, atomic::Ordering};

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, TransactionOptions, TransactionTrait,
};

use crate::{
    Reader, StoreError, Tx,
    catalogue::Cache,
    connect::{Connections, Ownership, connect},
    error::At,
    group::Group,
    lists::Lists,
    migrations,
};

/// The database: a cheap handle, shared by everything that needs it.
#[derive(Clone, Debug)]
pub struct Store {
    connections: Arc<Connections>,
    cache: Arc<Cache>,
    lists: Arc<Lists>,
    /// Who writes to the embedded database.
    group: Group,
}

impl Store {
    /// Opens `sqlite:///path/to/file.db` (folder and file are created) or `postgres://…`, as the one
    /// process that serves it: a second one on the same SQLite file is refused.
    ///
    /// # Errors
    /// [`StoreError::Url`], [`StoreError::Locked`], [`StoreError::NewerSchema`], [`StoreError::Unavailable`].
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, Ownership::Exclusive).await
    }

    /// Opens beside a running server, without the lock of the process: for commands. Reads and short
    /// writes are safe, for SQLite itself keeps writers apart.
    ///
    /// # Errors
    /// As [`Store::open`], without [`StoreError::Locked`].
    pub async fn open_shared(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, Ownership::Shared).await
    }

    async fn connect(url: &str, ownership: Ownership) -> Result<Self, StoreError> {
        let connections = Arc::new(connect(url, ownership).await?);
        let store = Self { connections, cache: Arc::default(), lists: Arc::default(), group: Group::default() };
        migrations::refuse_newer(&store).await?;
        Ok(store)
    }

    /// Brings the schema to this program's, one transaction for each migration; the names of those
    /// that were missing.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], or when the database refuses: the migrations before the failed one stay.
    pub async fn migrate(&self) -> Result<Vec<&'static str>, StoreError> {
        migrations::run(self).await
    }

    /// For a command that does not migrate: is the schema exactly this program's?
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::OlderSchema`].
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        migrations::check(self).await
    }

    /// Reads outside a transaction.
    #[must_use]
    pub fn read(&self) -> Reader {
        Reader::of_pool(self.connections.reader.clone(), Arc::clone(&self.cache))
    }

    /// How often this process has changed relying parties: what was read before a number is out of date after it.
    #[must_use]
    pub fn clients_changed(&self) -> u64 {
        self.cache.clients_changed.load(Ordering::SeqCst)
    }

    /// Opens a write transaction. On SQLite there is one at a time: a caller that holds one and
    /// asks for another waits for itself until the time-out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn write(&self) -> Result<Tx, StoreError> {
        let writer = &self.connections.writer;
        let cache = Arc::clone(&self.cache);
        Ok(Tx::new(match self.is_sqlite() {
            true => Reader::of_turn(self.group.enter(writer).await?, cache),
            false => Reader::of_transaction(writer.begin().await.at("transaction")?, cache, false),
        }))
    }

    /// A transaction in which every read sees the same instant.
    pub(crate) async fn frozen(&self) -> Result<Reader, StoreError> {
        let (isolation_level, access_mode) =
            if self.is_sqlite() { (None, None) } else { (Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)) };
        let options = TransactionOptions { isolation_level, access_mode, sqlite_transaction_mode: None };
        let transaction: DatabaseTransaction = self.connections.reader.begin_with_options(options).await.at("transaction")?;
        Ok(Reader::of_transaction(transaction, Arc::clone(&self.cache), true))
    }

    /// Does the database answer?
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.connections.reader.execute_unprepared("SELECT 1").await.at("ping").map(|_| ())
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.connections.writer.get_database_backend() == DbBackend::Sqlite
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.connections.writer
    }

    /// Closes every connection: what is still in use is waited for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.group.finish().await;
        self.connections.reader.close_by_ref().await.at("close")?;
        self.connections.writer.close_by_ref().await.at("close")?;
        if let Some(lock) = &self.connections.lock {
            lock.unlock().map_err(StoreError::io)?;
        }
        Ok(())
    }
}
