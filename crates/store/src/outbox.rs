//! What must leave after a commit, written by it; and the demo's mailbox, where mails arrive.
//!
//! A message waits, is claimed for the time of a lease, and ends: done, or failed for good. Nothing is held
//! while it is sent: the claim is a transaction, and the report is another.

use std::str::FromStr;

use octroi_domain::{Moment, mail::Mail, sign_on::LogoutNotice};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Condition, Expr, LockBehavior, LockType, OnConflict},
};
use serde::{Deserialize, Serialize};

use crate::{
    Cursor, Listing, Page, Reader, Store, StoreError, Tx,
    error::At,
    row::{Row, json, plain, touched},
};

const TABLE: &str = "outbox";
const MAILBOX: &str = "mailbox";
const MAIL: &str = "mail";
const LOGOUT: &str = "logout";
/// How long whoever claimed a message has to report on it, seconds.
const LEASE: i64 = 60;
/// First and longest wait after a failure, seconds.
const RETRY: (i64, i64) = (10, 3_600);
/// Attempts after which a message is given up: a little over two days.
const GIVE_UP: i64 = 60;

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
        /// When it was given up.
        pub failed_at: Option<i64>,
        /// Until when it is somebody's.
        pub leased_until: Option<i64>,
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
        pub at: i64,
        pub mail: String,
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
    pub created_at: Moment,
    /// This one included.
    pub attempts: u32,
}

/// Where a message of the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// To be sent, or being sent.
    Waiting,
    /// Refused for good, or tried too often.
    Failed,
    Done,
}
impl OutboxState {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Failed, Self::Done];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    fn rows(self) -> Condition {
        match self {
            Self::Waiting => Condition::all().add(Column::DoneAt.is_null()).add(Column::FailedAt.is_null()),
            Self::Failed => Condition::all().add(Column::FailedAt.is_not_null()),
            Self::Done => Condition::all().add(Column::DoneAt.is_not_null()),
        }
    }
}

/// The text is not a state of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected waiting, failed or done")]
pub struct OutboxStateError;
impl FromStr for OutboxState {
    type Err = OutboxStateError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(OutboxStateError)
    }
}

/// A message of the outbox, as it is shown to an operator: never its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: i64,
    pub state: OutboxState,
    /// Empty when the message cannot be read.
    pub to: String,
    pub subject: String,
    pub created_at: Moment,
    pub attempts: u32,
    pub next_attempt_at: Moment,
    pub last_error: Option<String>,
    /// When it left, or was given up.
    pub ended_at: Option<Moment>,
}

/// How many messages are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxCounts {
    pub waiting: u64,
    pub failed: u64,
    pub done: u64,
    /// When the oldest of those that wait was written.
    pub oldest_waiting: Option<Moment>,
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
    let created_at = Moment::from_micros(model.created_at);
    Ok(OutboxItem { id: model.id, message, created_at, attempts: row.number("attempts", model.attempts)? })
}

fn shown(model: &Model) -> OutboxRow {
    let (to, subject) = if model.kind == LOGOUT {
        let notice: Option<LogoutNotice> = serde_json::from_str(&model.payload).ok();
        notice.map_or_else(Default::default, |notice| (notice.client.to_string(), "logout".to_owned()))
    } else {
        let mail: Option<Mail> = serde_json::from_str(&model.payload).ok();
        mail.map_or_else(Default::default, |mail| (mail.to, mail.subject))
    };
    let (state, ended) = match (model.done_at, model.failed_at) {
        (Some(at), _) => (OutboxState::Done, Some(at)),
        (None, Some(at)) => (OutboxState::Failed, Some(at)),
        (None, None) => (OutboxState::Waiting, None),
    };
    OutboxRow {
        id: model.id,
        state,
        to,
        subject,
        created_at: Moment::from_micros(model.created_at),
        attempts: u32::try_from(model.attempts).unwrap_or(0),
        next_attempt_at: Moment::from_micros(model.next_attempt_at),
        last_error: model.last_error.clone(),
        ended_at: ended.map(Moment::from_micros),
    }
}

fn delivered(model: mailbox::Model) -> Result<DeliveredMail, StoreError> {
    let mail = Row::new(MAILBOX, &model.id).json("mail", &model.mail)?;
    Ok(DeliveredMail { id: model.id, mail, at: Moment::from_micros(model.at) })
}

impl Reader {
    /// The demo's mailbox, newest first; of one recipient, or of all.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mailbox_list(&self, to: Option<&str>, page: Page) -> Result<Listing<DeliveredMail>, StoreError> {
        let mut query = mailbox::Entity::find().order_by_desc(mailbox::Column::Id).limit(page.fetch());
        if let Some(to) = to {
            query = query.filter(mailbox::Column::Recipient.eq(plain(to)));
        }
        if let Some(after) = page.after {
            query = query.filter(mailbox::Column::Id.lt(after.number()));
        }
        let rows = query.all(&self.db()).await.at(MAILBOX)?;
        page.cut(rows, |row| Cursor::of_number(row.at, row.id), delivered)
    }

    /// One mail of the demo's mailbox.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn mailbox_by_id(&self, id: i64) -> Result<Option<DeliveredMail>, StoreError> {
        mailbox::Entity::find_by_id(id).one(&self.db()).await.at(MAILBOX)?.map(delivered).transpose()
    }

    /// The outbox, newest first; what is in one state, or all.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_list(&self, state: Option<OutboxState>, page: Page) -> Result<Listing<OutboxRow>, StoreError> {
        let mut query = Entity::find().order_by_desc(Column::Id).limit(page.fetch());
        if let Some(state) = state {
            query = query.filter(state.rows());
        }
        if let Some(after) = page.after {
            query = query.filter(Column::Id.lt(after.number()));
        }
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row| Cursor::of_number(row.created_at, row.id), |row| Ok(shown(&row)))
    }

    /// One message of the outbox.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_row(&self, id: i64) -> Result<Option<OutboxRow>, StoreError> {
        Ok(Entity::find_by_id(id).one(&self.db()).await.at(TABLE)?.as_ref().map(shown))
    }

    /// How many messages are in each state, and since when the oldest waits.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        let count = async |state: OutboxState| Entity::find().filter(state.rows()).count(&self.db()).await.at(TABLE);
        let oldest = Entity::find().filter(OutboxState::Waiting.rows()).order_by_asc(Column::Id).limit(1);
        let oldest = oldest.one(&self.db()).await.at(TABLE)?;
        Ok(OutboxCounts {
            waiting: count(OutboxState::Waiting).await?,
            failed: count(OutboxState::Failed).await?,
            done: count(OutboxState::Done).await?,
            oldest_waiting: oldest.map(|row| Moment::from_micros(row.created_at)),
        })
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
        self.claim(Column::Kind.ne(LOGOUT), now, limit, item).await
    }

    /// The same for what clients of the sign-on are told when a session ends.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_claim_logouts(&self, now: Moment, limit: u32) -> Result<Vec<(i64, LogoutNotice)>, StoreError> {
        let read = |model: &Model| Row::new(TABLE, &model.id).json("payload", &model.payload).map(|notice| (model.id, notice));
        self.claim(Column::Kind.eq(LOGOUT), now, limit, read).await
    }

    async fn claim<T>(
        &self,
        which: Expr,
        now: Moment,
        limit: u32,
        read: impl Fn(&Model) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut tx = self.write().await?;
        let query = Entity::find()
            .filter(OutboxState::Waiting.rows())
            .filter(which)
            .filter(Column::NextAttemptAt.lte(now.micros()))
            .order_by_asc(Column::NextAttemptAt)
            .order_by_asc(Column::Id)
            .limit(u64::from(limit.clamp(1, Page::MAX)))
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        let mut rows = query.all(&tx.db()).await.at(TABLE)?;
        let mut items = Vec::with_capacity(rows.len());
        for model in &mut rows {
            model.attempts = model.attempts.saturating_add(1);
            let until = now.plus_seconds(LEASE).micros();
            let change = table::ActiveModel {
                attempts: Set(model.attempts),
                next_attempt_at: Set(until),
                leased_until: Set(Some(until)),
                ..Default::default()
            };
            Entity::update_many().set(change).filter(Column::Id.eq(model.id)).exec(&tx.db()).await.at(TABLE)?;
            match read(model) {
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
        self.enqueue(at, MAIL, json(TABLE, mail)?).await
    }

    /// A client is told of the end of a session if this transaction commits.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn enqueue_logout(&mut self, at: Moment, notice: &LogoutNotice) -> Result<(), StoreError> {
        self.enqueue(at, LOGOUT, json(TABLE, notice)?).await
    }

    async fn enqueue(&mut self, at: Moment, kind: &str, payload: String) -> Result<(), StoreError> {
        let model = table::ActiveModel {
            id: NotSet,
            kind: Set(kind.to_owned()),
            payload: Set(payload),
            created_at: Set(at.micros()),
            attempts: Set(0),
            next_attempt_at: Set(at.micros()),
            last_error: Set(None),
            done_at: Set(None),
            failed_at: Set(None),
            leased_until: Set(None),
        };
        Entity::insert(model).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// It has left. What it said is forgotten: only to whom and about what stays, for an operator to see.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it had left already.
    pub async fn outbox_done(&mut self, id: i64, at: Moment) -> Result<(), StoreError> {
        let payload = match Entity::find_by_id(id).one(&self.db()).await.at(TABLE)?.map(|found| item(&found)) {
            Some(Ok(OutboxItem { message: OutboxMessage::Mail(mail), .. })) => {
                let (preheader, text, html) = Default::default();
                Set(json(TABLE, &Mail { preheader, text, html, ..mail })?)
            }
            _ => NotSet,
        };
        // What was given up and leaves after all, from another process's hand, has left.
        let change = table::ActiveModel {
            payload,
            done_at: Set(Some(at.micros())),
            failed_at: Set(None),
            last_error: Set(None),
            leased_until: Set(None),
            ..Default::default()
        };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::DoneAt.is_null());
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// It could not leave: tried again after 10 seconds, then twice as long each time, at most an hour; given up
    /// after 60 attempts.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_failed(&mut self, id: i64, at: Moment, error: &str) -> Result<(), StoreError> {
        let Some(found) = Entity::find_by_id(id).one(&self.db()).await.at(TABLE)? else { return Ok(()) };
        let doublings = u32::try_from(found.attempts.saturating_sub(1)).unwrap_or(0).min(20);
        let wait = RETRY.0.saturating_mul(1_i64 << doublings).min(RETRY.1);
        self.outbox_report(id, at, at.plus_seconds(wait), found.attempts >= GIVE_UP, error).await
    }

    /// It can never leave, for instance because the recipient does not exist: not tried again by itself.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_refused(&mut self, id: i64, at: Moment, error: &str) -> Result<(), StoreError> {
        self.outbox_report(id, at, at, true, error).await
    }

    async fn outbox_report(&mut self, id: i64, at: Moment, next: Moment, end: bool, error: &str) -> Result<(), StoreError> {
        let change = table::ActiveModel {
            next_attempt_at: Set(next.micros()),
            failed_at: Set(end.then_some(at.micros())),
            last_error: Set(Some(plain(error).chars().take(500).collect())),
            leased_until: Set(None),
            ..Default::default()
        };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::DoneAt.is_null());
        update.exec(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Tries a message again now, as if for the first time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it has left, is being sent, or is not there.
    pub async fn outbox_retry(&mut self, id: i64, at: Moment) -> Result<(), StoreError> {
        let retried = self.retry(Condition::all().add(Column::Id.eq(id)).add(Column::DoneAt.is_null()), at).await?;
        touched(Ok(retried), TABLE)
    }

    /// Tries everything again that was given up; returns how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_retry_failed(&mut self, at: Moment) -> Result<u64, StoreError> {
        self.retry(OutboxState::Failed.rows(), at).await
    }

    async fn retry(&mut self, which: Condition, at: Moment) -> Result<u64, StoreError> {
        let change = table::ActiveModel { attempts: Set(0), next_attempt_at: Set(at.micros()), failed_at: Set(None), ..Default::default() };
        // What is somebody's would leave twice.
        let free = Condition::any().add(Column::LeasedUntil.is_null()).add(Column::LeasedUntil.lte(at.micros()));
        let update = Entity::update_many().set(change).filter(which).filter(free);
        Ok(update.exec(&self.db()).await.at(TABLE)?.rows_affected)
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
            at: Set(at.micros()),
            mail: Set(json(MAILBOX, mail)?),
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

    /// Forgets what left, or was given up, before `ended_before`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn outbox_purge(&mut self, ended_before: Moment) -> Result<u64, StoreError> {
        let before = ended_before.micros();
        let delete = Entity::delete_many().filter(Condition::any().add(Column::DoneAt.lt(before)).add(Column::FailedAt.lt(before)));
        Ok(delete.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, each};

    fn mail(to: &str) -> Mail {
        let from = Some("Ville <a@ville.example>".parse().unwrap());
        let text = |text: &str| text.to_owned();
        Mail { to: to.into(), from, reply_to: None, subject: text("Sujet é"), preheader: text("p"), text: text("a\nb"), html: text("<p>") }
    }

    async fn enqueue(store: &Store, recipients: &[&str]) {
        let mut tx = store.write().await.unwrap();
        for to in recipients {
            tx.enqueue_mail(at(0), &mail(to)).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn waiting(store: &Store) -> u64 {
        store.read().outbox_counts().await.unwrap().waiting
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
            assert_eq!(waiting(&store).await, 3);
            for _ in 0..2 {
                let mut tx = store.write().await.unwrap();
                for OutboxItem { id, message: OutboxMessage::Mail(mail), .. } in &claimed {
                    tx.mailbox_deliver(*id, mail, at(1)).await.unwrap();
                }
                tx.commit().await.unwrap();
            }
            let first = store.read().mailbox_list(None, Page::first(2)).await.unwrap();
            assert_eq!(first.items.iter().map(|found| found.mail.clone()).collect::<Vec<_>>(), [mail("c"), mail("b")]);
            let rest = store.read().mailbox_list(None, Page::new(first.next, 2)).await.unwrap();
            assert_eq!((rest.items[0].mail.clone(), rest.items.len(), rest.next), (mail("a"), 1, None));
            assert_eq!(store.read().mailbox_by_id(rest.items[0].id).await.unwrap().as_ref(), rest.items.first());
            assert_eq!(store.read().mailbox_by_id(99).await.unwrap(), None);
            assert_eq!(store.read().mailbox_list(Some("b"), Page::first(9)).await.unwrap().items.len(), 1);
            assert_eq!(waiting(&store).await, 0);
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
    fn what_fails_for_ever_is_given_up_and_an_operator_tries_it_again() {
        each(async |store| {
            enqueue(&store, &["a", "b"]).await;
            let list = async |state| store.read().outbox_list(Some(state), Page::first(9)).await.unwrap().items;
            let mut tx = store.write().await.unwrap();
            tx.outbox_refused(2, at(1), "550 no such user").await.unwrap();
            tx.commit().await.unwrap();
            let [refused] = &list(OutboxState::Failed).await[..] else { panic!() };
            assert_eq!((refused.to.as_str(), refused.subject.as_str(), refused.attempts), ("b", "Sujet é", 0));
            assert_eq!((refused.last_error.as_deref(), refused.ended_at), (Some("550 no such user"), Some(at(1))));
            let mut now = at(2);
            for attempt in 1..=60 {
                assert_eq!(list(OutboxState::Failed).await.len(), 1, "{attempt}");
                let claimed = store.outbox_claim(now, 1).await.unwrap();
                assert_eq!(claimed[0].id, 1, "{attempt}");
                let mut tx = store.write().await.unwrap();
                tx.outbox_failed(1, now, "no route").await.unwrap();
                tx.commit().await.unwrap();
                now = now.plus_seconds(3_600);
            }
            let counts = store.read().outbox_counts().await.unwrap();
            assert_eq!(counts, OutboxCounts { waiting: 0, failed: 2, done: 0, oldest_waiting: None });
            assert_eq!(store.outbox_claim(now, 9).await.unwrap(), []);
            assert_eq!(store.read().outbox_list(None, Page::first(1)).await.unwrap().items[0].id, 2);

            let mut tx = store.write().await.unwrap();
            tx.outbox_retry(1, now).await.unwrap();
            assert!(tx.outbox_retry(99, now).await.unwrap_err().is_stale());
            tx.commit().await.unwrap();
            let claimed = store.outbox_claim(now, 9).await.unwrap();
            assert_eq!(claimed.iter().map(|item| (item.id, item.attempts)).collect::<Vec<_>>(), [(1, 1)]);
            let mut tx = store.write().await.unwrap();
            assert!(tx.outbox_retry(1, now).await.unwrap_err().is_stale(), "it is being sent");
            tx.outbox_done(1, now).await.unwrap();
            assert!(tx.outbox_retry(1, now).await.unwrap_err().is_stale(), "it has left");
            assert_eq!(tx.outbox_retry_failed(now).await.unwrap(), 1);
            tx.commit().await.unwrap();
            assert_eq!(list(OutboxState::Failed).await, []);
            let done = &list(OutboxState::Done).await[0];
            assert_eq!((done.to.as_str(), done.subject.as_str(), done.ended_at), ("a", "Sujet é", Some(now)));
            let row = Entity::find_by_id(1).one(&store.read().db()).await.unwrap().unwrap();
            assert!(!row.payload.contains("a\\nb") && !row.payload.contains("<p>"), "{}", row.payload);
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
