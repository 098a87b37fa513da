//! The ledger: append-only, each entry bound to the one before it.

use octroi_domain::{Moment, canonical, canonical::Sha256Hash, ledger::Entry};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select};
use serde_json::Value;

use crate::{
    Page, Reader, StoreError, Tx,
    error::{At, Cause},
    row::{CHUNK, Row, plain, touched},
};

pub(crate) const TABLE: &str = "ledger";
const HEAD: &str = "ledger_head";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub at: i64,
        pub actor: String,
        pub action: String,
        pub subject: String,
        pub details: String,
        pub previous: Vec<u8>,
        pub hash: Vec<u8>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
pub(crate) mod head {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_head")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub seq: i64,
        pub hash: Vec<u8>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// An entry that a transaction will write when it commits.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) at: Moment,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) details: Value,
}

/// Which entries are wanted; what is empty asks for nothing in particular.
#[derive(Debug, Clone, Default)]
pub struct LedgerFilter {
    pub subject: Option<String>,
    /// Any of these.
    pub subjects: Vec<String>,
    pub action: Option<String>,
    pub actor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

pub(crate) fn entry(model: Model) -> Result<Entry, StoreError> {
    let row = Row::new(TABLE, &model.seq);
    let details: Value = row.json("details", &model.details)?;
    // Another spelling of the same facts is a change all the same.
    if canonical::text(&details) != model.details {
        return Err(row.corrupt("details"));
    }
    Ok(Entry {
        seq: model.seq,
        at: Moment::from_micros(model.at),
        previous: row.hash("previous", &model.previous)?,
        hash: row.hash("hash", &model.hash)?,
        actor: model.actor,
        action: model.action,
        subject: model.subject,
        details,
    })
}

fn position(head: Option<&head::Model>) -> Result<(i64, Sha256Hash), StoreError> {
    let head = head.ok_or(StoreError::Corrupt { table: HEAD, column: "id", row: "1".to_owned() })?;
    Ok((head.seq, Row::new(HEAD, &head.id).hash("hash", &head.hash)?))
}

/// Writes the entries after the head, which other writers wait for from here to the commit.
pub(crate) async fn append(db: &impl ConnectionTrait, pending: Vec<Pending>) -> Result<(), StoreError> {
    if pending.is_empty() {
        return Ok(());
    }
    let held = head::Entity::find_by_id(1).lock_exclusive().one(db).await.at(HEAD)?;
    let (before, mut hash) = position(held.as_ref())?;
    let mut seq = before;
    let mut rows = Vec::with_capacity(pending.len());
    for entry in pending {
        // The facts are hashed as they will be read back from their text.
        let text = canonical::text(&entry.details);
        let unreadable = |_| StoreError::Other { table: TABLE, cause: Cause::said("the facts have no canonical text") };
        let details: Value = serde_json::from_str(&text).map_err(unreadable)?;
        let bound = Entry::bind(seq + 1, entry.at, plain(&entry.actor), plain(&entry.action), plain(&entry.subject), details, hash);
        let model = Model {
            seq: bound.seq,
            at: bound.at.micros(),
            details: canonical::text(&bound.details),
            actor: bound.actor,
            action: bound.action,
            subject: bound.subject,
            previous: bound.previous.0.to_vec(),
            hash: bound.hash.0.to_vec(),
        };
        rows.push(model.into_active_model());
        (seq, hash) = (bound.seq, bound.hash);
    }
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(CHUNK));
        Entity::insert_many(std::mem::replace(&mut rows, rest)).exec_without_returning(db).await.at(TABLE)?;
    }
    let change = head::ActiveModel { seq: Set(seq), hash: Set(hash.0.to_vec()), ..Default::default() };
    let update = head::Entity::update_many().set(change).filter(head::Column::Id.eq(1)).filter(head::Column::Seq.eq(before));
    touched(update.exec(db).await.map(|result| result.rows_affected), HEAD)
}

impl Tx {
    /// Waits for other writers of the ledger, and keeps them waiting until this transaction ends.
    pub(crate) async fn ledger_lock(&self) -> Result<(), StoreError> {
        head::Entity::find_by_id(1).lock_exclusive().one(&self.db()).await.at(HEAD).map(|_| ())
    }
}

impl Reader {
    /// Entries in order of their number, beginning after `after` (before it, when descending).
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when an entry was changed so that it cannot be read; [`crate::Store::verify_ledger`] says more.
    pub async fn ledger_page(&self, filter: &LedgerFilter, order: Order, after: Option<i64>, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.ledger_rows(filter, order, after, limit).await?.into_iter().map(entry).collect()
    }

    pub(crate) async fn ledger_rows(
        &self,
        filter: &LedgerFilter,
        order: Order,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Model>, StoreError> {
        let mut query = Entity::find();
        if let Some(subject) = &filter.subject {
            query = query.filter(Column::Subject.eq(plain(subject)));
        }
        if !filter.subjects.is_empty() {
            query = query.filter(Column::Subject.is_in(filter.subjects.iter().map(|subject| plain(subject))));
        }
        if let Some(action) = &filter.action {
            query = query.filter(Column::Action.eq(plain(action)));
        }
        if let Some(actor) = &filter.actor {
            query = query.filter(Column::Actor.eq(plain(actor)));
        }
        query = match order {
            Order::Ascending => query.filter(Column::Seq.gt(after.unwrap_or(i64::MIN))).order_by_asc(Column::Seq),
            Order::Descending => query.filter(Column::Seq.lt(after.unwrap_or(i64::MAX))).order_by_desc(Column::Seq),
        };
        query.limit(u64::from(limit.clamp(1, Page::MAX))).all(&self.db()).await.at(TABLE)
    }

    /// The number and the hash of the last entry; 0 and zeros before the first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn ledger_head(&self) -> Result<(i64, Sha256Hash), StoreError> {
        position(head_query().one(&self.db()).await.at(HEAD)?.as_ref())
    }

    /// What the entries after one, up to another, are about; each once.
    pub(crate) async fn ledger_subjects(&self, after: i64, last: i64) -> Result<Vec<String>, StoreError> {
        subjects_query(after, last).into_tuple().all(&self.db()).await.at(TABLE)
    }
}

pub(crate) fn head_query() -> Select<head::Entity> {
    head::Entity::find_by_id(1)
}

pub(crate) fn subjects_query(after: i64, last: i64) -> Select<Entity> {
    Entity::find().select_only().column(Column::Subject).distinct().filter(Column::Seq.gt(after)).filter(Column::Seq.lte(last))
}
