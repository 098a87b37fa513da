//! Verifications of the ledger that somebody started: how far they are, and what they found.

use octroi_domain::{Moment, canonical::Sha256Hash};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::{
    Page, Reader, StoreError, Tx, Verdict,
    error::At,
    row::{Row, plain, touched},
};

const TABLE: &str = "ledger_verification";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "ledger_verification")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub started_by: String,
        pub started_at: i64,
        pub touched_at: i64,
        pub total: i64,
        pub entries: i64,
        pub ended_at: Option<i64>,
        pub outcome: Option<String>,
        pub fault_seq: Option<i64>,
        pub fault: Option<String>,
        pub head: Option<Vec<u8>>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// A verification, under way or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub id: i64,
    pub started_by: String,
    pub started_at: Moment,
    /// When it last said how far it is: one that is silent for long was interrupted.
    pub touched_at: Moment,
    /// Entries there were when it began.
    pub total: i64,
    /// Entries read so far.
    pub entries: i64,
    /// None while it is under way.
    pub ended: Option<(Moment, Outcome)>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sound {
        head: Sha256Hash,
    },
    Broken {
        seq: i64,
        what: String,
    },
    /// It could not be done: the database did not answer.
    Failed {
        what: String,
    },
}
impl From<&Verdict> for Outcome {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Sound(verified) => Self::Sound { head: verified.head },
            Verdict::Broken(fault) => Self::Broken { seq: fault.seq, what: fault.what.to_string() },
        }
    }
}

fn verification(model: Model) -> Result<Verification, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let what = || model.fault.clone().ok_or_else(|| row.corrupt("fault"));
    let ended = match (model.ended_at, model.outcome.as_deref()) {
        (None, None) => None,
        (Some(at), Some("sound")) => {
            let head = model.head.as_deref().ok_or_else(|| row.corrupt("head"))?;
            Some((at, Outcome::Sound { head: row.hash("head", head)? }))
        }
        (Some(at), Some("broken")) => {
            Some((at, Outcome::Broken { seq: model.fault_seq.ok_or_else(|| row.corrupt("fault_seq"))?, what: what()? }))
        }
        (Some(at), Some("failed")) => Some((at, Outcome::Failed { what: what()? })),
        _ => return Err(row.corrupt("outcome")),
    };
    Ok(Verification {
        id: model.id,
        started_by: model.started_by,
        started_at: Moment::from_micros(model.started_at),
        touched_at: Moment::from_micros(model.touched_at),
        total: model.total,
        entries: model.entries,
        ended: ended.map(|(at, outcome)| (Moment::from_micros(at), outcome)),
    })
}

impl Reader {
    /// The latest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verification_list(&self, limit: u32) -> Result<Vec<Verification>, StoreError> {
        let query = Entity::find().order_by_desc(Column::Id).limit(u64::from(limit.clamp(1, Page::MAX)));
        query.all(&self.db()).await.at(TABLE)?.into_iter().map(verification).collect()
    }
}

impl Tx {
    /// Begins a verification of `total` entries; or the one that is under way and was heard of since `alive`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verification_begin(
        &mut self,
        by: &str,
        at: Moment,
        total: i64,
        alive: Moment,
    ) -> Result<(Verification, bool), StoreError> {
        // Two that begin at once wait for each other here.
        self.ledger_lock().await?;
        let running = Entity::find().filter(Column::EndedAt.is_null()).filter(Column::TouchedAt.gte(alive.micros()));
        if let Some(found) = running.order_by_desc(Column::Id).one(&self.db()).await.at(TABLE)? {
            return Ok((verification(found)?, false));
        }
        let model = table::ActiveModel {
            id: NotSet,
            started_by: Set(plain(by)),
            started_at: Set(at.micros()),
            touched_at: Set(at.micros()),
            total: Set(total),
            entries: Set(0),
            ended_at: Set(None),
            outcome: Set(None),
            fault_seq: Set(None),
            fault: Set(None),
            head: Set(None),
        };
        let inserted = Entity::insert(model).exec_with_returning(&self.db()).await.at(TABLE)?;
        Ok((verification(inserted)?, true))
    }

    /// Says how far it is.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it has ended.
    pub async fn verification_touch(&mut self, id: i64, at: Moment, entries: i64) -> Result<(), StoreError> {
        let change = table::ActiveModel { touched_at: Set(at.micros()), entries: Set(entries), ..Default::default() };
        self.verification_change(id, change).await
    }

    /// Says what it found.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it has ended.
    pub async fn verification_end(&mut self, id: i64, at: Moment, entries: i64, outcome: &Outcome) -> Result<(), StoreError> {
        let (word, seq, what, head) = match outcome {
            Outcome::Sound { head } => ("sound", None, None, Some(head.0.to_vec())),
            Outcome::Broken { seq, what } => ("broken", Some(*seq), Some(what), None),
            Outcome::Failed { what } => ("failed", None, Some(what), None),
        };
        let change = table::ActiveModel {
            touched_at: Set(at.micros()),
            entries: Set(entries),
            ended_at: Set(Some(at.micros())),
            outcome: Set(Some(word.to_owned())),
            fault_seq: Set(seq),
            fault: Set(what.map(|what| plain(what).chars().take(500).collect())),
            head: Set(head),
            ..Default::default()
        };
        self.verification_change(id, change).await
    }

    async fn verification_change(&self, id: i64, change: table::ActiveModel) -> Result<(), StoreError> {
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id)).filter(Column::EndedAt.is_null());
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, each};

    #[test]
    fn one_at_a_time_unless_it_fell_silent() {
        each(async |store| {
            let begin = async |second: i64| {
                let mut tx = store.write().await.unwrap();
                let begun = tx.verification_begin("user:x", at(second), 7, at(second - 30)).await.unwrap();
                tx.commit().await.unwrap();
                (begun.0.id, begun.1)
            };
            let (first, fresh) = begin(0).await;
            assert!(fresh);
            assert_eq!(begin(10).await, (first, false));
            let mut tx = store.write().await.unwrap();
            tx.verification_touch(first, at(20), 3).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(begin(50).await, (first, false));
            let (second, fresh) = begin(51).await;
            assert!(fresh && second != first);

            let outcomes = [
                Outcome::Sound { head: Sha256Hash::of(b"x") },
                Outcome::Broken { seq: 5, what: "it is missing".into() },
                Outcome::Failed { what: "gone\u{fffd}".into() },
            ];
            for (number, outcome) in outcomes.iter().enumerate() {
                let id = begin(100 * (i64::try_from(number).unwrap() + 1)).await.0;
                let mut tx = store.write().await.unwrap();
                tx.verification_end(id, at(900), 7, outcome).await.unwrap();
                assert!(tx.verification_end(id, at(901), 7, outcome).await.unwrap_err().is_stale());
                drop(tx);
                let mut tx = store.write().await.unwrap();
                tx.verification_end(id, at(900), 7, outcome).await.unwrap();
                tx.commit().await.unwrap();
                let found = store.read().verification_list(1).await.unwrap();
                assert_eq!(found.first().unwrap().ended, Some((at(900), outcome.clone())));
            }
            assert_eq!(store.read().verification_list(9).await.unwrap().len(), 5);
        });
    }
}
