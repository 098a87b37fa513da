//! How often somebody guessed: counted at once, committed apart.

use octroi_domain::{
    Moment,
    account::{Curve, Throttle},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use crate::{
    Reader, Store, StoreError, Tx,
    error::At,
    row::{plain, touched},
};

const TABLE: &str = "throttle";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "throttle")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub count: i64,
        pub last_at: i64,
        pub next_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{ActiveModel, Column, Entity, Model};

impl Store {
    /// Counts one guess for each key, all or none, in a transaction of its own: it stays counted whatever becomes of the guess. Guesses at
    /// once are counted one after another.
    ///
    /// # Errors
    /// [`StoreError`]. Inside, when a key has to wait: the seconds.
    pub async fn throttle_take(&self, keys: &[(String, Curve)], now: Moment) -> Result<Result<(), i64>, StoreError> {
        let tx = self.write().await?;
        // In one order, so that two that count the same keys do not wait for each other.
        let mut keys = keys.to_vec();
        keys.sort_by(|one, other| one.0.cmp(&other.0));
        for (key, curve) in keys {
            let key = plain(&key);
            let fresh = Model { key: key.clone(), count: 0, last_at: 0, next_at: 0 };
            let insert = Entity::insert(fresh.into_active_model())
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&tx.db())
                .await;
            match insert {
                Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
                Err(error) => return Err(error).at(TABLE),
            }
            let found = Entity::find_by_id(key.clone()).lock_exclusive().one(&tx.db()).await.at(TABLE)?;
            let known = found.filter(|model| model.count > 0).map(|model| Throttle {
                count: model.count,
                last_at: Moment::from_micros(model.last_at),
                next_at: Moment::from_micros(model.next_at),
            });
            let taken = match Throttle::take(known, curve, now) {
                Ok(taken) => taken,
                Err(wait) => {
                    tx.rollback().await?;
                    return Ok(Err(wait));
                }
            };
            let model = ActiveModel {
                count: Set(taken.count),
                last_at: Set(taken.last_at.micros()),
                next_at: Set(taken.next_at.micros()),
                ..Default::default()
            };
            let update = Entity::update_many().set(model).filter(Column::Key.eq(key)).exec(&tx.db()).await;
            touched(update.map(|result| result.rows_affected), TABLE)?;
        }
        tx.commit().await?;
        Ok(Ok(()))
    }
}

impl Reader {
    /// Before when a key has to wait, for those that were counted; at most 20 keys.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn throttle_next(&self, keys: &[String]) -> Result<Vec<(String, Moment)>, StoreError> {
        let keys: Vec<String> = keys.iter().take(20).map(|key| plain(key)).collect();
        let rows = Entity::find().filter(Column::Key.is_in(keys)).all(&self.db()).await.at(TABLE)?;
        Ok(rows.into_iter().map(|row| (row.key, Moment::from_micros(row.next_at))).collect())
    }
}

impl Tx {
    /// Forgets the guesses of a key: one was right.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn throttle_reset(&mut self, key: &str) -> Result<(), StoreError> {
        Entity::delete_by_id(plain(key)).exec(&self.db()).await.at(TABLE).map(drop)
    }

    /// Takes one guess back: many people may share the key, and this one was right.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn throttle_give_back(&mut self, key: &str) -> Result<(), StoreError> {
        let one_less = Entity::update_many()
            .col_expr(Column::Count, Expr::col(Column::Count).sub(1))
            .filter(Column::Key.eq(plain(key)))
            .filter(Column::Count.gt(0));
        one_less.exec(&self.db()).await.at(TABLE).map(drop)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn throttle_purge(&mut self, last_before: Moment) -> Result<u64, StoreError> {
        let query = Entity::delete_many().filter(Column::LastAt.lt(last_before.micros()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use octroi_domain::account::{GUESSES, OF_ADDRESS};

    use crate::testing::{at, each};

    #[test]
    fn of_two_hundred_at_once_ten_are_looked_at() {
        each(async |store| {
            let keys = [("password:ada".to_owned(), GUESSES), ("address:192.0.2.1".to_owned(), OF_ADDRESS)];
            let tasks: Vec<_> = (0..200)
                .map(|_| {
                    let (store, keys) = (store.clone(), keys.clone());
                    tokio::spawn(async move { store.throttle_take(&keys, at(0)).await.unwrap() })
                })
                .collect();
            let mut good = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(()) => good += 1,
                    Err(wait) => assert_eq!(wait, 61),
                }
            }
            assert_eq!(good, 10);
            // What was refused was not counted for the address either.
            for _ in 0..90 {
                assert_eq!(store.throttle_take(&keys[1..], at(1)).await.unwrap(), Ok(()));
            }
            assert_eq!(store.throttle_take(&keys[1..], at(1)).await.unwrap(), Err(61));
            // It waits longer each time, and begins anew after a right one.
            assert_eq!(store.throttle_take(&keys[..1], at(60)).await.unwrap(), Ok(()));
            assert_eq!(store.throttle_take(&keys[..1], at(61)).await.unwrap(), Err(120));
            let mut tx = store.write().await.unwrap();
            tx.throttle_reset("password:ada").await.unwrap();
            tx.commit().await.unwrap();
            for _ in 0..10 {
                assert_eq!(store.throttle_take(&keys[..1], at(62)).await.unwrap(), Ok(()));
            }
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.throttle_purge(at(1_000)).await.unwrap(), 2);
            tx.commit().await.unwrap();
        });
    }
}
