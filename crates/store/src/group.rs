//! Commits of the embedded database, several at once.
//!
//! SQLite has one writer, and a commit waits for the disk: some milliseconds, whatever was written. Writers that wait for
//! each other therefore share one transaction, each within a savepoint of its own; when those who were waiting have had
//! their turn it is committed, and only then is anyone told that it is done. A writer that takes its work back, or breaks
//! off, takes back its own savepoint alone. When SQLite gave the whole transaction up (the disk is full), there is no
//! savepoint to go back to, and everyone in it is told that it failed.
//!
//! Whoever asks may break off at any await. What must be done once it is begun runs in a task of its own.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::{
    StoreError,
    connect::ACQUIRE,
    error::{At, Cause},
};

/// The writers of one database. Whoever holds the lock writes; the others come in the order in which they asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group(Arc<Mutex<Shared>>);

/// The transaction that is shared, between two writers.
#[derive(Debug, Default)]
struct Shared {
    open: Option<Arc<DatabaseTransaction>>,
    /// Who waits to hear of the commit.
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    /// What becomes of the last writer's savepoint.
    left: Left,
}

/// What a writer leaves behind for the next one, who then asks the database once for both of them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// No savepoint.
    #[default]
    Nothing,
    /// One that is to be undone.
    Undo,
    /// One that is to be part of the commit.
    Keep,
}

impl Shared {
    /// Settles what the last writer left, and opens a savepoint for the next one; false when the transaction is gone.
    async fn hand_over(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        let settled = match std::mem::take(&mut self.left) {
            Left::Nothing => open.execute_unprepared("SAVEPOINT writer").await,
            // Undone, it is as good as new.
            Left::Undo => open.execute_unprepared("ROLLBACK TO writer").await,
            Left::Keep => open.execute_unprepared("RELEASE writer; SAVEPOINT writer").await,
        };
        if let Err(error) = settled {
            tracing::error!(%error, "the database gave up what was written");
            self.end(Err(error.to_string())).await;
            return false;
        }
        self.left = Left::Undo;
        true
    }

    /// Commits what is open, and tells everyone.
    async fn close(&mut self) {
        let undone = match &self.open {
            // A savepoint that is kept ends with the commit.
            Some(open) if std::mem::take(&mut self.left) == Left::Undo => open.execute_unprepared("ROLLBACK TO writer").await.map(drop),
            _ => Ok(()),
        };
        if let Err(error) = &undone {
            tracing::error!(%error, "the database gave up what was written");
        }
        self.end(undone.map_err(|error| error.to_string())).await;
    }

    async fn end(&mut self, outcome: Result<(), String>) {
        let waiting = std::mem::take(&mut self.waiting);
        let Some(open) = self.open.take().and_then(Arc::into_inner) else { return };
        let outcome = match outcome {
            // Nobody's work is in it.
            Ok(()) if waiting.is_empty() => open.rollback().await.map_err(|error| error.to_string()),
            Ok(()) => open.commit().await.map_err(|error| error.to_string()),
            Err(why) => {
                // It is gone already; the driver is told too.
                let _ = open.rollback().await;
                Err(why)
            }
        };
        for one in waiting {
            // Who no longer listens has given up.
            let _ = one.send(outcome.clone());
        }
    }
}

/// One writer's turn: its savepoint is undone when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Dropped before the lock is let go.
    open: Arc<DatabaseTransaction>,
    held: Held,
}

/// The lock, and what becomes of the transaction when it is let go.
#[derive(Debug)]
struct Held {
    shared: Option<OwnedMutexGuard<Shared>>,
    group: Group,
}

impl Group {
    /// Waits for its turn, and opens a savepoint.
    pub(crate) async fn enter(&self, writer: &DatabaseConnection) -> Result<Turn, StoreError> {
        let asked = tokio::time::timeout(ACQUIRE, Arc::clone(&self.0).lock_owned()).await;
        let shared = asked.map_err(|_| StoreError::Unavailable(Cause::said("another write takes too long")))?;
        let (group, writer) = (self.clone(), writer.clone());
        tokio::spawn(async move { group.begin(shared, &writer).await }).await.map_err(|_| lost())?
    }

    async fn begin(self, mut shared: OwnedMutexGuard<Shared>, writer: &DatabaseConnection) -> Result<Turn, StoreError> {
        if !shared.hand_over().await {
            // A SQLite transaction that reads before it writes fails at once unless it begins as a writer.
            let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
            shared.open = Some(Arc::new(writer.begin_with_options(options).await.at("transaction")?));
            if !shared.hand_over().await {
                return Err(lost());
            }
        }
        let open = shared.open.clone().ok_or_else(lost)?;
        Ok(Turn { open, held: Held { shared: Some(shared), group: self } })
    }

    /// Waits until nothing is open any more.
    pub(crate) async fn finish(&self) {
        self.0.lock().await.close().await;
    }

    /// Has what is open committed, after those who ask for their turn before.
    fn close_soon(&self) {
        let group = self.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { group.finish().await });
        }
    }
}

impl Turn {
    pub(crate) fn transaction(&self) -> &DatabaseTransaction {
        &self.open
    }

    /// Lets the next writer in, and returns when what was written is on the disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self.leave().await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => {
                tracing::error!(why, "a commit failed");
                Err(StoreError::Unavailable(Cause::said("the commit failed")))
            }
            Err(_) => Err(lost()),
        }
    }

    fn leave(mut self) -> oneshot::Receiver<Result<(), String>> {
        let (tell, told) = oneshot::channel();
        if let Some(shared) = &mut self.held.shared {
            shared.left = Left::Keep;
            shared.waiting.push(tell);
        }
        told
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        // The first whose work is in it, or who leaves nothing in it, sees to its end; so does who breaks off.
        let ends = shared.left == Left::Undo || shared.waiting.len() <= 1;
        drop(shared);
        if ends {
            self.group.close_soon();
        }
    }
}

fn lost() -> StoreError {
    StoreError::Unavailable(Cause::said("the transaction was lost"))
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use sea_orm::ConnectionTrait;
    use tokio::sync::Barrier;

    use crate::{Store, testing::organization};

    fn siret(number: usize) -> String {
        // Of a body that does not exist; the last digit makes the sum right.
        let digits = format!("900000{number:03}0001");
        (0..10).map(|last| format!("{digits}{last}")).find(|text| text.parse::<octroi_domain::organization::Siret>().is_ok()).unwrap()
    }

    async fn store() -> (Store, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}", folder.path().join("o.db").display())).await.unwrap();
        store.migrate().await.unwrap();
        (store, folder)
    }

    async fn is_there(store: &Store, number: usize) -> bool {
        store.read().organization_by_siret(&siret(number).parse().unwrap()).await.unwrap().is_some()
    }

    /// Of writers at once some commit, some take their work back, some drop it, some are broken off at any moment.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn each_writer_answers_for_its_own() {
        let (store, _folder) = store().await;
        let together = Arc::new(Barrier::new(120));
        let write = |number: usize| {
            let (store, together) = (store.clone(), Arc::clone(&together));
            async move {
                together.wait().await;
                let mut tx = store.write().await.unwrap();
                tx.organization_insert(&organization(&siret(number), "Town")).await.unwrap();
                match number % 4 {
                    0 => tx.rollback().await.unwrap(),
                    1 => drop(tx),
                    _ => {
                        tx.commit().await.unwrap();
                        // Told only when everyone else can see it.
                        assert!(is_there(&store, number).await, "{number}");
                    }
                }
            }
        };
        let running: Vec<_> = (0..120)
            .map(|number| {
                let task = tokio::spawn(write(number));
                if number % 4 == 3 {
                    let stop = task.abort_handle();
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_micros(number as u64 * 300)).await;
                        stop.abort();
                    });
                }
                (number, task)
            })
            .collect();
        for (number, task) in running {
            let outcome = task.await;
            match number % 4 {
                0 | 1 => assert!(outcome.is_ok() && !is_there(&store, number).await, "{number}"),
                2 => assert!(outcome.is_ok() && is_there(&store, number).await, "{number}"),
                // Broken off: all of it or nothing; it may have been told before.
                _ => assert!(outcome.is_err() || is_there(&store, number).await, "{number}"),
            }
        }
        // Nothing is left open: another process may write.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut tx = store.write().await.unwrap();
        tx.organization_insert(&organization(&siret(500), "Town")).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await.unwrap();
    }

    /// SQLite gave the transaction up in the middle, as it does when the disk is full: nobody is told that it is done.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_transaction_that_is_gone_is_told() {
        let (store, _folder) = store().await;
        // Whoever still has something to end ends it.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut first = store.write().await.unwrap();
        first.organization_insert(&organization(&siret(1), "Town")).await.unwrap();
        // Two more wait, so that the first is not committed alone.
        let (again, third) = (store.clone(), store.clone());
        let second = tokio::spawn(async move {
            let mut tx = again.write().await.unwrap();
            tx.organization_insert(&organization(&siret(2), "Town")).await.unwrap();
            tx.db().execute_unprepared("ROLLBACK").await.unwrap();
            drop(tx);
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(first.commit().await.is_err());
        second.await.unwrap();
        assert!(!is_there(&store, 1).await && !is_there(&store, 2).await);
        let mut tx = third.write().await.unwrap();
        tx.organization_insert(&organization(&siret(3), "Town")).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_there(&store, 3).await);
    }
}
