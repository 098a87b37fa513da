//! Answers to keep, so that a request sent twice is done once (`Idempotency-Key`).

use octroi_domain::Moment;
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, Statement};

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{Row, plain},
};

const TABLE: &str = "idempotency";
/// Until the end of the transaction.
const WAIT: &str = "SELECT pg_advisory_xact_lock($1)";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "idempotency")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: Vec<u8>,
        pub request: Vec<u8>,
        pub status: i64,
        pub body: Option<String>,
        pub created_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// What was answered to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The hash of the request: the same key with another request is a mistake.
    pub request: [u8; 32],
    pub status: u16,
    pub body: Option<String>,
    pub created_at: Moment,
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn idempotency_find(&self, key: &[u8; 32]) -> Result<Option<Answered>, StoreError> {
        let Some(model) = Entity::find_by_id(key.to_vec()).one(&self.db()).await.at(TABLE)? else { return Ok(None) };
        let row = Row::new(TABLE, &model.created_at);
        Ok(Some(Answered {
            request: row.bytes32("request", &model.request)?,
            status: row.number("status", model.status)?,
            body: model.body,
            created_at: Moment::from_micros(model.created_at),
        }))
    }
}

impl Tx {
    /// The answer given before under this key. While another transaction holds the same key, this waits
    /// for its end: a twin finds the answer of the first, never the state that the first left behind.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn idempotency_claim(&mut self, key: &[u8; 32]) -> Result<Option<Answered>, StoreError> {
        // On SQLite there is one writer at a time.
        if self.db().get_database_backend() == DbBackend::Postgres {
            let start: [u8; 8] = std::array::from_fn(|place| key.get(place).copied().unwrap_or_default());
            let wait = Statement::from_sql_and_values(DbBackend::Postgres, WAIT, [i64::from_be_bytes(start).into()]);
            self.db().execute_raw(wait).await.at(TABLE)?;
        }
        self.idempotency_find(key).await
    }

    /// Keeps the answer in the transaction that has the effect. Twins sent at once meet here: one of
    /// them waits for the other, and then conflicts.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Duplicate`] when the twin was first.
    pub async fn idempotency_insert(&mut self, key: &[u8; 32], answered: &Answered) -> Result<(), StoreError> {
        let model = Model {
            key: key.to_vec(),
            request: answered.request.to_vec(),
            status: i64::from(answered.status),
            body: answered.body.as_deref().map(plain),
            created_at: answered.created_at.micros(),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn idempotency_purge(&mut self, created_before: Moment) -> Result<u64, StoreError> {
        let delete = Entity::delete_many().filter(Column::CreatedAt.lt(created_before.micros()));
        Ok(delete.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, each};

    #[test]
    fn a_twin_finds_the_answer_of_the_first() {
        each(async |store| {
            let tasks: Vec<_> = (0..8_u8)
                .map(|task| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        let mut tx = store.write().await.unwrap();
                        if let Some(answered) = tx.idempotency_claim(&[1; 32]).await.unwrap() {
                            return (false, answered.request);
                        }
                        // Long enough for the others to come.
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                        let answered = Answered { request: [task; 32], status: 200, body: None, created_at: at(0) };
                        tx.idempotency_insert(&[1; 32], &answered).await.unwrap();
                        tx.commit().await.unwrap();
                        (true, [task; 32])
                    })
                })
                .collect();
            let mut found = Vec::new();
            for task in tasks {
                found.push(task.await.unwrap());
            }
            assert_eq!(found.iter().filter(|(first, _)| *first).count(), 1);
            assert!(found.iter().all(|(_, request)| *request == found[0].1), "{found:?}");
        });
    }

    #[test]
    fn twins_run_once() {
        each(async |store| {
            let tasks: Vec<_> = (0..8_u8)
                .map(|task| {
                    let store = store.clone();
                    tokio::spawn(async move {
                        let mut tx = store.write().await.unwrap();
                        let answered = Answered { request: [task; 32], status: 201, body: Some("{}".into()), created_at: at(0) };
                        tx.record(at(0), "user:x", "thing.done", "x", serde_json::json!({}));
                        match tx.idempotency_insert(&[1; 32], &answered).await {
                            Ok(()) => tx.commit().await.map(|_| true),
                            Err(error) if error.is_duplicate() => Ok(false),
                            Err(error) => Err(error),
                        }
                    })
                })
                .collect();
            let mut done = 0;
            for task in tasks {
                done += u32::from(task.await.unwrap().unwrap());
            }
            assert_eq!((done, store.read().ledger_head().await.unwrap().0), (1, 1));
            let found = store.read().idempotency_find(&[1; 32]).await.unwrap().unwrap();
            assert_eq!((found.status, found.body.as_deref(), found.created_at), (201, Some("{}"), at(0)));
            assert_eq!(store.read().idempotency_find(&[2; 32]).await.unwrap(), None);
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.idempotency_purge(at(1)).await.unwrap(), 1);
        });
    }
}
