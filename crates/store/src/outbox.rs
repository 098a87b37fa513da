//! What must leave after a commit, written by it; and the demo's mailbox, where mails arrive.

use octroi_domain::{Moment, mail::Mail};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockBehavior, LockType, OnConflict},
};

use crate::{
    Page, Reader, Store, StoreError, Tx,
    error::At,
    row::{Row, json, plain, touched},
};

const TABLE: &str = "outbox";
const MAILBOX: &str = "mailbox";
const MAIL: &str = "mail";
/// How long whoever claimed a message has to report on it, seconds.
const LEASE: i64 = 60;
/// First and longest wait after a failure, seconds.
const RETRY: (i64, i64) = (10, 3_600);

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub kind: String,
        pub payload: String,
        pub created_at: i64,
        pub attempts: i64,
        pub next_attempt_at: i64,
        pub last_error: Option<String>,
        pub done_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod mailbox {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "mailbox")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub outbox_id: i64,
        pub recipient: String,
        pub subject: String,
        pub body: String,
        pub at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// What is to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboxMessage {
    Mail(Mail),
}

/// A message that was claimed: whoever holds it has 60 seconds to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    pub id: i64,
    pub message: OutboxMessage,
    /// This one included.
    pub attempts: u32,
}

/// A mail in the demo's mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredMail {
    pub id: i64,
    pub mail: Mail,
    pub at: Moment,
}

fn item(model: &Model) -> Result<OutboxItem, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let message = match model.kind.as_str() {
        MAIL => OutboxMessage::Mail(row.json("payload", &model.payload)?),
        _ => return Err(row.corrupt("kind")),
    };
    Ok(OutboxItem { id: model.id, message, attempts: row.number("attempts", model.attempts)? })
}

impl Reader {
    /// The demo's mailbox, newest first; of one recipient, or of all.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mailbox_list(&self, to: Option<&str>, limit: u32) -> Result<Vec<DeliveredMail>, StoreError> {
        let mut query = mailbox::Entity::find().order_by_desc(mailbox::Column::Id).limit(u64::from(limit.clamp(1, Page::MAX)));
        if let Some(to) = to {
            query = query.filter(mailbox::Column::Recipient.eq(plain(to)));
        }
        let rows = query.all(&self.db()).await.at(MAILBOX)?;
        let delivered = |model: mailbox::Model| DeliveredMail {
            id: model.id,
            mail: Mail { to: model.recipient, subject: model.subject, text: model.body },
            at: Moment::from_micros(model.at),
        };
        Ok(rows.into_iter().map(delivered).collect())
    }

    /// How many messages wait.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_pending(&self) -> Result<u64, StoreError> {
        Entity::find().filter(Column::DoneAt.is_null()).count(&self.db()).await.at(TABLE)
    }
}

impl Store {
    /// Takes up to `limit` messages whose time has come, oldest first. Nobody else is given them for
    /// 60 seconds; after that an unreported one is given again, so a message may leave twice, never zero times.
    /// A row that cannot be read is put off and does not hold up the others.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_claim(&self, now: Moment, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let mut tx = self.write().await?;
        let query = Entity::find()
            .filter(Column::DoneAt.is_null())
            .filter(Column::NextAttemptAt.lte(now.micros()))
            .order_by_asc(Column::NextAttemptAt)
            .order_by_asc(Column::Id)
            .limit(u64::from(limit.clamp(1, Page::MAX)))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let mut rows = query.all(&tx.db()).await.at(TABLE)?;
        let mut items = Vec::with_capacity(rows.len());
        for model in &mut rows {
            model.attempts = model.attempts.saturating_add(1);
            let change = table::ActiveModel {
                attempts: Set(model.attempts),
                next_attempt_at: Set(now.plus_seconds(LEASE).micros()),
                ..Default::default()
            };
            Entity::update_many().set(change).filter(Column::Id.eq(model.id)).exec(&tx.db()).await.at(TABLE)?;
            match item(model) {
                Ok(item) => items.push(item),
                Err(error) => {
                    tracing::error!(%error, "a message of the outbox cannot be read");
                    tx.outbox_failed(model.id, now, "unreadable").await?;
                }
            }
        }
        tx.commit().await?;
        Ok(items)
    }
}

impl Tx {
    /// The mail leaves if this transaction commits.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn enqueue_mail(&mut self, at: Moment, mail: &Mail) -> Result<(), StoreError> {
        let model = table::ActiveModel {
            id: NotSet,
            kind: Set(MAIL.to_owned()),
            payload: Set(json(TABLE, mail)?),
            created_at: Set(at.micros()),
            attempts: Set(0),
            next_attempt_at: Set(at.micros()),
            last_error: Set(None),
            done_at: Set(None),
        };
        Entity::insert(model).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// It has left.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it had left already.
    pub async fn outbox_done(&mut self, id: i64, at: Moment) -> Result<(), StoreError> {
        let change = table::ActiveModel { done_at: Set(Some(at.micros())), last_error: Set(None), ..Default::default() };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::DoneAt.is_null());
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// It could not leave: tried again after 10 seconds, then twice as long each time, at most an hour.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_failed(&mut self, id: i64, at: Moment, error: &str) -> Result<(), StoreError> {
        let Some(found) = Entity::find_by_id(id).one(&self.db()).await.at(TABLE)? else { return Ok(()) };
        let doublings = u32::try_from(found.attempts.saturating_sub(1)).unwrap_or(0).min(20);
        let wait = RETRY.0.saturating_mul(1_i64 << doublings).min(RETRY.1);
        let change = table::ActiveModel {
            next_attempt_at: Set(at.plus_seconds(wait).micros()),
            last_error: Set(Some(plain(error).chars().take(500).collect())),
            ..Default::default()
        };
        Entity::update_many().set(change).filter(Column::Id.eq(id)).exec(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Puts a mail in the demo's mailbox and marks it as gone. A message delivered before is not delivered again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mailbox_deliver(&mut self, id: i64, mail: &Mail, at: Moment) -> Result<(), StoreError> {
        let model = mailbox::ActiveModel {
            id: NotSet,
            outbox_id: Set(id),
            recipient: Set(plain(&mail.to)),
            subject: Set(plain(&mail.subject)),
            body: Set(plain(&mail.text)),
            at: Set(at.micros()),
        };
        let insert = mailbox::Entity::insert(model)
            .on_conflict(OnConflict::column(mailbox::Column::OutboxId).do_nothing().to_owned())
            .exec_without_returning(&self.db())
            .await;
        match insert {
            Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
            Err(error) => return Err(error).at(MAILBOX),
        }
        match self.outbox_done(id, at).await {
            Err(error) if error.is_stale() => Ok(()),
            other => other,
        }
    }

    /// Forgets what left before `done_before`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_purge(&mut self, done_before: Moment) -> Result<u64, StoreError> {
        let delete = Entity::delete_many().filter(Column::DoneAt.lt(done_before.micros()));
        Ok(delete.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, each};

    fn mail(to: &str) -> Mail {
        Mail { to: to.into(), subject: "Sujet é".into(), text: "a\nb".into() }
    }

    async fn enqueue(store: &Store, recipients: &[&str]) {
        let mut tx = store.write().await.unwrap();
        for to in recipients {
            tx.enqueue_mail(at(0), &mail(to)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    #[test]
    fn a_mail_is_claimed_once_and_delivered_once() {
        each(async |store| {
            enqueue(&store, &["a", "b", "c"]).await;
            assert_eq!(store.outbox_claim(at(-1), 9).await.unwrap(), []);
            let mut claimed = store.outbox_claim(at(0), 2).await.unwrap();
            claimed.extend(store.outbox_claim(at(0), 2).await.unwrap());
            let to: Vec<_> = claimed.iter().map(|OutboxItem { message: OutboxMessage::Mail(mail), .. }| mail.to.as_str()).collect();
            assert_eq!(to, ["a", "b", "c"]);
            assert_eq!(store.outbox_claim(at(59), 9).await.unwrap(), []);
            assert_eq!(store.read().outbox_pending().await.unwrap(), 3);
            for _ in 0..2 {
                let mut tx = store.write().await.unwrap();
                for OutboxItem { id, message: OutboxMessage::Mail(mail), .. } in &claimed {
                    tx.mailbox_deliver(*id, mail, at(1)).await.unwrap();
                }
                tx.commit().await.unwrap();
            }
            let found = store.read().mailbox_list(None, 9).await.unwrap();
            assert_eq!(found.iter().map(|found| found.mail.clone()).collect::<Vec<_>>(), [mail("c"), mail("b"), mail("a")]);
            assert_eq!(store.read().mailbox_list(Some("b"), 9).await.unwrap().len(), 1);
            assert_eq!(store.read().outbox_pending().await.unwrap(), 0);
            assert_eq!(store.outbox_claim(at(9_999), 9).await.unwrap(), []);
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.outbox_purge(at(1)).await.unwrap(), 0);
            assert_eq!(tx.outbox_purge(at(2)).await.unwrap(), 3);
        });
    }

    #[test]
    fn what_failed_is_tried_later_and_later() {
        each(async |store| {
            enqueue(&store, &["a"]).await;
            let mut now = at(0);
            for (attempt, wait) in [(1, 10), (2, 20), (3, 40), (4, 80)] {
                let claimed = store.outbox_claim(now, 9).await.unwrap();
                let [item] = claimed.as_slice() else { panic!("{claimed:?}") };
                assert_eq!(item.attempts, attempt);
                let mut tx = store.write().await.unwrap();
                tx.outbox_failed(item.id, now, "no route\0").await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(store.outbox_claim(now.plus_seconds(wait - 1), 9).await.unwrap(), []);
                now = now.plus_seconds(wait);
            }
        });
    }

    #[test]
    fn what_nobody_reported_on_is_given_again_and_what_is_unreadable_stops_nothing() {
        use sea_orm::ConnectionTrait;
        each(async |store| {
            enqueue(&store, &["a", "b"]).await;
            store.writer().execute_unprepared("UPDATE outbox SET payload = 'x' WHERE id = 1").await.unwrap();
            assert_eq!(store.outbox_claim(at(0), 9).await.unwrap().len(), 1);
            assert_eq!(store.outbox_claim(at(60), 9).await.unwrap().len(), 1);
        });
    }

    #[test]
    fn two_workers_never_claim_the_same() {
        each(async |store| {
            let names: Vec<String> = (0..40).map(|n| n.to_string()).collect();
            enqueue(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
            let worker = |store: Store| async move {
                let mut ids = Vec::new();
                loop {
                    let claimed = store.outbox_claim(at(0), 3).await.unwrap();
                    if claimed.is_empty() {
                        return ids;
                    }
                    ids.extend(claimed.iter().map(|item| item.id));
                }
            };
            let (one, two) = tokio::join!(tokio::spawn(worker(store.clone())), tokio::spawn(worker(store.clone())));
            let mut ids = [one.unwrap(), two.unwrap()].concat();
            ids.sort_unstable();
            // A worker that met only locked rows may have stopped early, but the other took them.
            assert_eq!(ids, (1..=40).collect::<Vec<i64>>());
        });
    }
}
