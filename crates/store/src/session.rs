//! Sessions of the portal, and attempts of things that are counted in a window.

use octroi_domain::{
    Id, Moment,
    authentication::{Authentication, Method, Session},
    user::User,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use crate::{
    Reader, Store, StoreError, Tx,
    error::At,
    row::{Row, plain, touched},
};

const TABLE: &str = "session";
const ATTEMPT: &str = "login_attempt";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "session")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub id: Uuid,
        pub user_id: Uuid,
        pub authenticated_at: i64,
        pub methods: String,
        pub address: String,
        pub agent: String,
        pub created_at: i64,
        pub last_seen_at: i64,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod attempt {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "login_attempt")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: String,
        pub window_start: i64,
        pub count: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

fn session(model: &Model) -> Result<Session, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let word = |word: &str| row.word::<Method>("methods", word);
    Ok(Session {
        id: Id::from_uuid(model.id),
        user: Id::from_uuid(model.user_id),
        authentication: Authentication {
            at: Moment::from_micros(model.authenticated_at),
            methods: model.methods.split_ascii_whitespace().map(word).collect::<Result<_, _>>()?,
        },
        created_at: Moment::from_micros(model.created_at),
        last_seen_at: Moment::from_micros(model.last_seen_at),
        expires_at: Moment::from_micros(model.expires_at),
        address: model.address.clone(),
        agent: model.agent.clone(),
    })
}

fn row(digest: &[u8; 32], session: &Session) -> Model {
    let methods: Vec<&str> = session.authentication.methods.iter().map(|method| method.as_str()).collect();
    Model {
        digest: digest.to_vec(),
        id: session.id.uuid(),
        user_id: session.user.uuid(),
        authenticated_at: session.authentication.at.micros(),
        methods: methods.join(" "),
        address: plain(&session.address),
        agent: plain(&session.agent),
        created_at: session.created_at.micros(),
        last_seen_at: session.last_seen_at.micros(),
        expires_at: session.expires_at.micros(),
    }
}

/// How many attempts still count at `now`.
fn still_counting(model: &attempt::Model, now: Moment, window_seconds: i64) -> i64 {
    if Moment::from_micros(model.window_start).plus_seconds(window_seconds) > now { model.count } else { 0 }
}

impl Reader {
    /// The session of a cookie's digest, unless it has expired at `now`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn session_by_digest(&self, digest: &[u8; 32], now: Moment) -> Result<Option<Session>, StoreError> {
        let found = Entity::find_by_id(digest.to_vec()).one(&self.db()).await.at(TABLE)?;
        found.as_ref().filter(|model| model.expires_at > now.micros()).map(session).transpose()
    }

    /// A person's sessions that have not expired at `now`, the last used first, at most 200.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn sessions_of_user(&self, user: Id<User>, now: Moment) -> Result<Vec<Session>, StoreError> {
        let query = Entity::find().filter(Column::UserId.eq(user.uuid())).filter(Column::ExpiresAt.gt(now.micros()));
        let rows = query.order_by(Column::LastSeenAt, Order::Desc).limit(200).all(&self.db()).await.at(TABLE)?;
        rows.iter().map(session).collect()
    }

    /// The attempts of the current window, without counting one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn login_attempts(&self, key: &str, now: Moment, window_seconds: i64) -> Result<i64, StoreError> {
        let found = attempt::Entity::find_by_id(plain(key)).one(&self.db()).await.at(ATTEMPT)?;
        Ok(found.map_or(0, |model| still_counting(&model, now, window_seconds)))
    }
}

impl Store {
    /// Counts an attempt, in a transaction of its own, so that it stays counted whatever
    /// becomes of the attempt; the number of attempts in the window of `key`, this one included.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn login_attempt(&self, key: &str, now: Moment, window_seconds: i64) -> Result<i64, StoreError> {
        let key = plain(key);
        let tx = self.write().await?;
        let fresh = attempt::Model { key: key.clone(), window_start: now.micros(), count: 0 };
        let insert = attempt::Entity::insert(fresh.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&tx.db())
            .await;
        match insert {
            Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
            Err(error) => return Err(error).at(ATTEMPT),
        }
        let found = attempt::Entity::find_by_id(key.clone()).lock_exclusive().one(&tx.db()).await.at(ATTEMPT)?;
        let Some(found) = found else { return Err(StoreError::stale(ATTEMPT)) };
        let counted = still_counting(&found, now, window_seconds);
        let count = counted.saturating_add(1);
        let window_start = if counted == 0 { now.micros() } else { found.window_start };
        let model = attempt::ActiveModel { window_start: Set(window_start), count: Set(count), ..Default::default() };
        let update = attempt::Entity::update_many().set(model).filter(attempt::Column::Key.eq(key)).exec(&tx.db()).await;
        touched(update.map(|result| result.rows_affected), ATTEMPT)?;
        tx.commit().await?;
        Ok(count)
    }
}

impl Tx {
    /// Keeps a session under the digest of its cookie: the cookie itself is nowhere.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn session_insert(&mut self, digest: &[u8; 32], session: &Session) -> Result<(), StoreError> {
        Entity::insert(row(digest, session).into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Is this session still there? Asked once its person is locked, nobody ends it meanwhile but by signing out.
    pub(crate) async fn session_is_there(&mut self, id: Id<Session>) -> Result<bool, StoreError> {
        let query = Entity::find().select_only().column(Column::Id).filter(Column::Id.eq(id.uuid()));
        Ok(query.into_tuple::<uuid::Uuid>().one(&self.db()).await.at(TABLE)?.is_some())
    }

    /// One session, whatever its cookie; false when it is gone.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn session_delete_by_id(&mut self, id: Id<Session>) -> Result<bool, StoreError> {
        let query = Entity::delete_many().filter(Column::Id.eq(id.uuid()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// Notes that a session was used and how long it may last; false when it is gone.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn session_touch(&mut self, digest: &[u8; 32], last_seen: Moment, expires: Moment) -> Result<bool, StoreError> {
        let model = table::ActiveModel { last_seen_at: Set(last_seen.micros()), expires_at: Set(expires.micros()), ..Default::default() };
        let query = Entity::update_many().set(model).filter(Column::Digest.eq(digest.to_vec()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn session_delete(&mut self, digest: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(digest.to_vec()).exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn session_delete_of_user(&mut self, user: Id<User>) -> Result<u64, StoreError> {
        let query = Entity::delete_many().filter(Column::UserId.eq(user.uuid()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// A person's sessions but this one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn session_delete_others(&mut self, user: Id<User>, kept: Id<Session>) -> Result<u64, StoreError> {
        let query = Entity::delete_many().filter(Column::UserId.eq(user.uuid())).filter(Column::Id.ne(kept.uuid()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn session_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let query = Entity::delete_many().filter(Column::ExpiresAt.lte(now.micros()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn login_attempt_purge(&mut self, started_before: Moment) -> Result<u64, StoreError> {
        let query = attempt::Entity::delete_many().filter(attempt::Column::WindowStart.lt(started_before.micros()));
        Ok(query.exec(&self.db()).await.at(ATTEMPT)?.rows_affected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Town, at, each};

    #[test]
    fn a_session_lives_until_it_expires_or_is_deleted() {
        each(async |store| {
            let town = Town::found(&store).await;
            let session = Session {
                id: Id::from_uuid(uuid::Uuid::now_v7()),
                user: town.applicant.id,
                authentication: Authentication { at: at(0), methods: vec![Method::Password, Method::Totp] },
                created_at: at(0),
                last_seen_at: at(0),
                expires_at: at(100),
                address: "192.0.2.1".into(),
                agent: "Mozilla".into(),
            };
            let mut tx = store.write().await.unwrap();
            tx.session_insert(&[1; 32], &session).await.unwrap();
            let other = Id::from_uuid(uuid::Uuid::now_v7());
            tx.session_insert(&[5; 32], &Session { id: other, ..session.clone() }).await.unwrap();
            for digest in [3, 4] {
                tx.session_insert(&[digest; 32], &Session { id: Id::from_uuid(uuid::Uuid::now_v7()), ..session.clone() }).await.unwrap();
            }
            tx.commit().await.unwrap();
            let kept = store.read().sessions_of_user(town.applicant.id, at(0)).await.unwrap();
            assert!(kept.len() == 4 && kept.contains(&session), "{kept:?}");
            let mut tx = store.write().await.unwrap();
            assert!(tx.session_delete_by_id(other).await.unwrap() && !tx.session_delete_by_id(other).await.unwrap());
            tx.commit().await.unwrap();
            let reader = store.read();
            assert_eq!(reader.session_by_digest(&[1; 32], at(99)).await.unwrap(), Some(session));
            assert_eq!(reader.session_by_digest(&[1; 32], at(100)).await.unwrap(), None);
            assert_eq!(reader.session_by_digest(&[9; 32], at(0)).await.unwrap(), None);
            let mut tx = store.write().await.unwrap();
            assert!(tx.session_touch(&[1; 32], at(50), at(150)).await.unwrap());
            assert!(!tx.session_touch(&[9; 32], at(50), at(150)).await.unwrap());
            assert!(tx.session_delete(&[3; 32]).await.unwrap());
            assert_eq!(tx.session_purge(at(120)).await.unwrap(), 1);
            assert_eq!(tx.session_by_digest(&[1; 32], at(120)).await.unwrap().unwrap().last_seen_at, at(50));
            assert_eq!(tx.session_delete_of_user(town.applicant.id).await.unwrap(), 1);
            tx.commit().await.unwrap();
        });
    }

    #[test]
    fn attempts_at_once_are_all_counted() {
        each(async |store| {
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let store = store.clone();
                    tokio::spawn(async move { store.login_attempt("ada", at(0), 60).await.unwrap() })
                })
                .collect();
            let mut counts = Vec::new();
            for task in tasks {
                counts.push(task.await.unwrap());
            }
            counts.sort_unstable();
            assert_eq!(counts, (1..=20).collect::<Vec<_>>());
            let reader = store.read();
            assert_eq!(reader.login_attempts("ada", at(59), 60).await.unwrap(), 20);
            assert_eq!(reader.login_attempts("ada", at(60), 60).await.unwrap(), 0);
            assert_eq!(store.login_attempt("ada", at(60), 60).await.unwrap(), 1);
            assert_eq!(store.login_attempt("ada", at(61), 60).await.unwrap(), 2);
            let mut tx = store.write().await.unwrap();
            assert_eq!(tx.login_attempt_purge(at(1_000)).await.unwrap(), 1);
            tx.commit().await.unwrap();
            assert_eq!(reader.login_attempts("ada", at(61), 60).await.unwrap(), 0);
        });
    }
}
