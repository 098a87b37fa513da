//! Factors beside the password: passkeys, one-time codes of an application, recovery codes.

use octroi_domain::{Id, Moment, account::Passkey, user::User};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{plain, touched},
};

const PASSKEY: &str = "passkey";
const CEREMONY: &str = "ceremony";
const TOTP: &str = "totp";
const RECOVERY: &str = "recovery_code";

mod passkey {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "passkey")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub user_id: Uuid,
        pub credential: Vec<u8>,
        pub name: String,
        pub data: String,
        pub created_at: i64,
        pub last_used_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod ceremony {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "ceremony")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub browser: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub purpose: String,
        pub user_id: Option<Uuid>,
        pub state: String,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod totp {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "totp")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        pub sealed: Vec<u8>,
        pub last_step: i64,
        pub created_at: i64,
        pub confirmed_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod recovery {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "recovery_code")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub used_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

/// A challenge that a browser was given, and what is needed to judge the answer. It never leaves the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony {
    pub browser: [u8; 32],
    /// `add`, `sign_in` or `second_factor`.
    pub purpose: &'static str,
    pub user: Option<Id<User>>,
    pub state: String,
    pub expires_at: Moment,
}

/// The seed of somebody's one-time codes, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totp {
    pub user: Id<User>,
    pub sealed: Vec<u8>,
    /// The last step whose code was accepted: it is not accepted again.
    pub last_step: i64,
    pub created_at: Moment,
    /// None until a first code was right.
    pub confirmed_at: Option<Moment>,
}

fn held(model: passkey::Model) -> Passkey {
    Passkey {
        id: Id::from_uuid(model.id),
        user: Id::from_uuid(model.user_id),
        credential: model.credential,
        name: model.name,
        data: model.data,
        created_at: Moment::from_micros(model.created_at),
        last_used_at: model.last_used_at.map(Moment::from_micros),
    }
}

impl Reader {
    /// A person's passkeys, the oldest first, at most 50.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn passkeys_of_user(&self, user: Id<User>) -> Result<Vec<Passkey>, StoreError> {
        let query = passkey::Entity::find().filter(passkey::Column::UserId.eq(user.uuid()));
        let rows = query.order_by(passkey::Column::CreatedAt, Order::Asc).limit(50).all(&self.db()).await.at(PASSKEY)?;
        Ok(rows.into_iter().map(held).collect())
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn passkey_by_credential(&self, credential: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let query = passkey::Entity::find().filter(passkey::Column::Credential.eq(credential.to_vec()));
        Ok(query.one(&self.db()).await.at(PASSKEY)?.map(held))
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn totp_of_user(&self, user: Id<User>) -> Result<Option<Totp>, StoreError> {
        let found = totp::Entity::find_by_id(user.uuid()).one(&self.db()).await.at(TOTP)?;
        Ok(found.map(|model| Totp {
            user: Id::from_uuid(model.user_id),
            sealed: model.sealed,
            last_step: model.last_step,
            created_at: Moment::from_micros(model.created_at),
            confirmed_at: model.confirmed_at.map(Moment::from_micros),
        }))
    }

    /// Recovery codes that were not used.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recovery_codes_left(&self, user: Id<User>) -> Result<u64, StoreError> {
        let query = recovery::Entity::find().filter(recovery::Column::UserId.eq(user.uuid())).filter(recovery::Column::UsedAt.is_null());
        query.count(&self.db()).await.at(RECOVERY)
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the authenticator's key is there already.
    pub async fn passkey_insert(&mut self, new: &Passkey) -> Result<(), StoreError> {
        let model = passkey::Model {
            id: new.id.uuid(),
            user_id: new.user.uuid(),
            credential: new.credential.clone(),
            name: plain(&new.name),
            data: plain(&new.data),
            created_at: new.created_at.micros(),
            last_used_at: None,
        };
        passkey::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(PASSKEY).map(drop)
    }

    /// Notes that a passkey was used; `data` holds its new counter.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it is gone.
    pub async fn passkey_used(&mut self, id: Id<Passkey>, data: &str, at: Moment) -> Result<(), StoreError> {
        let model = passkey::ActiveModel { data: Set(plain(data)), last_used_at: Set(Some(at.micros())), ..Default::default() };
        let update = passkey::Entity::update_many().set(model).filter(passkey::Column::Id.eq(id.uuid()));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), PASSKEY)
    }

    /// Names a passkey; false when this person has no such one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn passkey_rename(&mut self, user: Id<User>, id: Id<Passkey>, name: &str) -> Result<bool, StoreError> {
        let model = passkey::ActiveModel { name: Set(plain(name)), ..Default::default() };
        let update = passkey::Entity::update_many()
            .set(model)
            .filter(passkey::Column::Id.eq(id.uuid()))
            .filter(passkey::Column::UserId.eq(user.uuid()));
        Ok(update.exec(&self.db()).await.at(PASSKEY)?.rows_affected > 0)
    }

    /// False when this person has no such one.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn passkey_delete(&mut self, user: Id<User>, id: Id<Passkey>) -> Result<bool, StoreError> {
        let query =
            passkey::Entity::delete_many().filter(passkey::Column::Id.eq(id.uuid())).filter(passkey::Column::UserId.eq(user.uuid()));
        Ok(query.exec(&self.db()).await.at(PASSKEY)?.rows_affected > 0)
    }

    /// Keeps a challenge, instead of the one that this browser had for the same purpose.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn ceremony_put(&mut self, new: &Ceremony) -> Result<(), StoreError> {
        ceremony::Entity::delete_by_id((new.browser.to_vec(), new.purpose.to_owned())).exec(&self.db()).await.at(CEREMONY)?;
        let model = ceremony::Model {
            browser: new.browser.to_vec(),
            purpose: new.purpose.to_owned(),
            user_id: new.user.map(Id::uuid),
            state: plain(&new.state),
            expires_at: new.expires_at.micros(),
        };
        ceremony::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(CEREMONY).map(drop)
    }

    /// Takes a challenge: it is there once.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn ceremony_take(&mut self, browser: &[u8; 32], purpose: &'static str, now: Moment) -> Result<Option<Ceremony>, StoreError> {
        let key = (browser.to_vec(), purpose.to_owned());
        let found = ceremony::Entity::find_by_id(key.clone()).one(&self.db()).await.at(CEREMONY)?;
        let gone = ceremony::Entity::delete_by_id(key).exec(&self.db()).await.at(CEREMONY)?.rows_affected > 0;
        Ok(found.filter(|model| gone && model.expires_at > now.micros()).map(|model| Ceremony {
            browser: *browser,
            purpose,
            user: model.user_id.map(Id::from_uuid),
            state: model.state,
            expires_at: Moment::from_micros(model.expires_at),
        }))
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn ceremony_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let query = ceremony::Entity::delete_many().filter(ceremony::Column::ExpiresAt.lte(now.micros()));
        Ok(query.exec(&self.db()).await.at(CEREMONY)?.rows_affected)
    }

    /// Keeps a seed, instead of the one that was there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn totp_put(&mut self, new: &Totp) -> Result<(), StoreError> {
        let model = totp::Model {
            user_id: new.user.uuid(),
            sealed: new.sealed.clone(),
            last_step: new.last_step,
            created_at: new.created_at.micros(),
            confirmed_at: new.confirmed_at.map(Moment::micros),
        };
        let all = [totp::Column::Sealed, totp::Column::LastStep, totp::Column::CreatedAt, totp::Column::ConfirmedAt];
        let instead = OnConflict::column(totp::Column::UserId).update_columns(all).to_owned();
        totp::Entity::insert(model.into_active_model()).on_conflict(instead).exec_without_returning(&self.db()).await.at(TOTP).map(drop)
    }

    /// Accepts the code of a step; false when it, or a later one, was accepted before: a code works once.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn totp_accept(&mut self, user: Id<User>, step: i64, at: Moment) -> Result<bool, StoreError> {
        let later = totp::ActiveModel { last_step: Set(step), ..Default::default() };
        let query =
            totp::Entity::update_many().set(later).filter(totp::Column::UserId.eq(user.uuid())).filter(totp::Column::LastStep.lt(step));
        if query.exec(&self.db()).await.at(TOTP)?.rows_affected == 0 {
            return Ok(false);
        }
        let confirmed = totp::ActiveModel { confirmed_at: Set(Some(at.micros())), ..Default::default() };
        let first = totp::Entity::update_many()
            .set(confirmed)
            .filter(totp::Column::UserId.eq(user.uuid()))
            .filter(totp::Column::ConfirmedAt.is_null());
        first.exec(&self.db()).await.at(TOTP)?;
        Ok(true)
    }

    /// False when there was none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn totp_delete(&mut self, user: Id<User>) -> Result<bool, StoreError> {
        Ok(totp::Entity::delete_by_id(user.uuid()).exec(&self.db()).await.at(TOTP)?.rows_affected > 0)
    }

    /// These recovery codes instead of those that were there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recovery_codes_put(&mut self, user: Id<User>, digests: &[[u8; 32]]) -> Result<(), StoreError> {
        recovery::Entity::delete_many().filter(recovery::Column::UserId.eq(user.uuid())).exec(&self.db()).await.at(RECOVERY)?;
        let rows: Vec<_> = digests
            .iter()
            .map(|digest| recovery::Model { user_id: user.uuid(), digest: digest.to_vec(), used_at: None }.into_active_model())
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        recovery::Entity::insert_many(rows).exec_without_returning(&self.db()).await.at(RECOVERY).map(drop)
    }

    /// Uses a recovery code; false when it is none, or was used.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recovery_code_use(&mut self, user: Id<User>, digest: &[u8; 32], at: Moment) -> Result<bool, StoreError> {
        let used = recovery::ActiveModel { used_at: Set(Some(at.micros())), ..Default::default() };
        let query = recovery::Entity::update_many()
            .set(used)
            .filter(recovery::Column::UserId.eq(user.uuid()))
            .filter(recovery::Column::Digest.eq(digest.to_vec()))
            .filter(recovery::Column::UsedAt.is_null());
        Ok(query.exec(&self.db()).await.at(RECOVERY)?.rows_affected > 0)
    }

    /// Everything that opens an account beside the password.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn factors_delete_of_user(&mut self, user: Id<User>) -> Result<(), StoreError> {
        let (id, db) = (user.uuid(), self.db());
        passkey::Entity::delete_many().filter(passkey::Column::UserId.eq(id)).exec(&db).await.at(PASSKEY)?;
        ceremony::Entity::delete_many().filter(ceremony::Column::UserId.eq(id)).exec(&db).await.at(CEREMONY)?;
        totp::Entity::delete_by_id(id).exec(&db).await.at(TOTP)?;
        recovery::Entity::delete_many().filter(recovery::Column::UserId.eq(id)).exec(&db).await.at(RECOVERY)?;
        self.proof_delete_of_user(user).await?;
        self.browser_delete_of_user(user).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Town, at, each};

    #[test]
    fn factors_are_kept_used_once_and_go() {
        each(async |store| {
            let town = Town::found(&store).await;
            let (ada, rex) = (town.applicant.id, town.reviewer.id);
            let key = Passkey {
                id: Id::from_uuid(uuid::Uuid::from_u128(1)),
                user: ada,
                credential: vec![1, 2],
                name: "Clé".into(),
                data: "{}".into(),
                created_at: at(1),
                last_used_at: None,
            };
            let challenge = Ceremony { browser: [1; 32], purpose: "add", user: Some(ada), state: "{\"x\":1}".into(), expires_at: at(60) };
            let seed = Totp { user: ada, sealed: vec![9], last_step: 0, created_at: at(1), confirmed_at: None };
            let mut tx = store.write().await.unwrap();
            tx.passkey_insert(&key).await.unwrap();
            tx.ceremony_put(&Ceremony { state: "old".into(), ..challenge.clone() }).await.unwrap();
            tx.ceremony_put(&challenge).await.unwrap();
            tx.totp_put(&Totp { sealed: vec![8], ..seed.clone() }).await.unwrap();
            tx.totp_put(&seed).await.unwrap();
            tx.recovery_codes_put(ada, &[[1; 32], [2; 32]]).await.unwrap();
            tx.commit().await.unwrap();
            let reader = store.read();
            assert_eq!(reader.passkeys_of_user(ada).await.unwrap(), std::slice::from_ref(&key));
            assert_eq!(reader.totp_of_user(ada).await.unwrap(), Some(seed));
            let mut tx = store.write().await.unwrap();
            assert!(tx.passkey_insert(&Passkey { id: Id::from_uuid(uuid::Uuid::from_u128(2)), user: rex, ..key.clone() }).await.is_err());
            drop(tx);
            let mut tx = store.write().await.unwrap();
            assert!(!tx.passkey_rename(rex, key.id, "Mine").await.unwrap() && tx.passkey_rename(ada, key.id, "Mine").await.unwrap());
            tx.passkey_used(key.id, "{\"counter\":2}", at(5)).await.unwrap();
            let used = tx.passkey_by_credential(&[1, 2]).await.unwrap().unwrap();
            assert_eq!((used.name.as_str(), used.data.as_str(), used.last_used_at), ("Mine", "{\"counter\":2}", Some(at(5))));
            assert_eq!(tx.ceremony_take(&[1; 32], "add", at(2)).await.unwrap(), Some(challenge.clone()));
            assert_eq!(tx.ceremony_take(&[1; 32], "add", at(2)).await.unwrap(), None);
            tx.ceremony_put(&challenge).await.unwrap();
            assert_eq!(tx.ceremony_take(&[1; 32], "add", at(60)).await.unwrap(), None);
            assert!(tx.totp_accept(ada, 10, at(6)).await.unwrap());
            assert!(!tx.totp_accept(ada, 10, at(6)).await.unwrap() && !tx.totp_accept(ada, 9, at(6)).await.unwrap());
            assert!(tx.totp_accept(ada, 11, at(7)).await.unwrap());
            assert_eq!(tx.totp_of_user(ada).await.unwrap().unwrap().confirmed_at, Some(at(6)));
            assert!(!tx.recovery_code_use(rex, &[1; 32], at(6)).await.unwrap());
            assert!(tx.recovery_code_use(ada, &[1; 32], at(6)).await.unwrap());
            assert!(!tx.recovery_code_use(ada, &[1; 32], at(6)).await.unwrap());
            assert_eq!(tx.recovery_codes_left(ada).await.unwrap(), 1);
            let erased = User { email: "erased@deleted.invalid".into(), given_name: "-".into(), ..town.applicant.clone() };
            tx.user_erase(&erased, at(9)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(reader.passkeys_of_user(ada).await.unwrap(), []);
            assert_eq!((reader.totp_of_user(ada).await.unwrap(), reader.recovery_codes_left(ada).await.unwrap()), (None, 0));
            assert_eq!((reader.user_by_id(ada).await.unwrap(), reader.user_password(ada).await.unwrap()), (Some(erased), None));
            assert_eq!(reader.roles_of_user(ada).await.unwrap(), []);
        });
    }
}
