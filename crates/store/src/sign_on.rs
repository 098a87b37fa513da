//! What the sign-on keeps for a while: who is about to sign in, what was seen and counts once; and its keys.

use octroi_domain::{
    Moment,
    sign_on::{Interaction, SignOnKey},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::OnConflict};

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{Row, plain},
};

const TABLE: &str = "interaction";
const SEEN: &str = "seen";
const KEY: &str = "sign_on_key";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "interaction")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub client_id: String,
        pub request: String,
        pub pushed: Option<Vec<u8>>,
        pub choices: String,
        pub created_at: i64,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod seen {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "seen")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub key: Vec<u8>,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "sign_on_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kid: String,
        pub algorithm: String,
        pub sealed: Vec<u8>,
        pub created_at: i64,
        pub retired_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

impl Reader {
    /// Unless it is out of date at `now`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn interaction(&self, digest: &[u8; 32], now: Moment) -> Result<Option<Interaction>, StoreError> {
        let found = Entity::find_by_id(digest.to_vec()).one(&self.db()).await.at(TABLE)?;
        let Some(model) = found.filter(|model| model.expires_at > now.micros()) else { return Ok(None) };
        let row = Row::new(TABLE, &model.client_id);
        Ok(Some(Interaction {
            client: row.parse("client_id", &model.client_id)?,
            pushed: model.pushed.as_ref().map(|bytes| row.bytes32("pushed", bytes)).transpose()?,
            request: model.request.clone(),
            choices: model.choices.clone(),
            created_at: Moment::from_micros(model.created_at),
            expires_at: Moment::from_micros(model.expires_at),
        }))
    }

    /// Was this seen, and does it still count?
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn was_seen(&self, key: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(seen::Entity::find_by_id(key.to_vec()).one(&self.db()).await.at(SEEN)?.is_some())
    }

    /// Newest first, retired ones included.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn sign_on_keys(&self) -> Result<Vec<SignOnKey>, StoreError> {
        let rows =
            key::Entity::find().order_by_desc(key::Column::CreatedAt).order_by_desc(key::Column::Kid).all(&self.db()).await.at(KEY)?;
        let key = |model: key::Model| SignOnKey {
            kid: model.kid,
            algorithm: model.algorithm,
            sealed: model.sealed,
            created_at: Moment::from_micros(model.created_at),
            retired_at: model.retired_at.map(Moment::from_micros),
        };
        Ok(rows.into_iter().map(key).collect())
    }
}

impl Tx {
    /// Keeps it under the digest of a random word, which is nowhere.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the client is not there.
    pub async fn interaction_insert(&mut self, digest: &[u8; 32], interaction: &Interaction) -> Result<(), StoreError> {
        let model = Model {
            digest: digest.to_vec(),
            client_id: interaction.client.to_string(),
            request: plain(&interaction.request),
            pushed: interaction.pushed.map(|digest| digest.to_vec()),
            choices: plain(&interaction.choices),
            created_at: interaction.created_at.micros(),
            expires_at: interaction.expires_at.micros(),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn interaction_choose(&mut self, digest: &[u8; 32], choices: &str) -> Result<(), StoreError> {
        let change = table::ActiveModel { choices: Set(plain(choices)), ..Default::default() };
        let query = Entity::update_many().set(change).filter(Column::Digest.eq(digest.to_vec()));
        query.exec(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Uses it up; false when somebody else did, or it is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn interaction_delete(&mut self, digest: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(digest.to_vec()).exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn interaction_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let query = Entity::delete_many().filter(Column::ExpiresAt.lte(now.micros()));
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// Notes what counts once; false when it was there already.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn see(&mut self, key: &[u8; 32], expires: Moment) -> Result<bool, StoreError> {
        let model = seen::Model { key: key.to_vec(), expires_at: expires.micros() };
        let insert = seen::Entity::insert(model.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.db())
            .await;
        match insert {
            Ok(rows) => Ok(rows > 0),
            Err(sea_orm::DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error).at(SEEN),
        }
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn seen_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let query = seen::Entity::delete_many().filter(seen::Column::ExpiresAt.lte(now.micros()));
        Ok(query.exec(&self.db()).await.at(SEEN)?.rows_affected)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the `kid` is taken.
    pub async fn sign_on_key_insert(&mut self, key: &SignOnKey) -> Result<(), StoreError> {
        let model = key::Model {
            kid: key.kid.clone(),
            algorithm: key.algorithm.clone(),
            sealed: key.sealed.clone(),
            created_at: key.created_at.micros(),
            retired_at: key.retired_at.map(Moment::micros),
        };
        key::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(KEY).map(|_| ())
    }

    /// They sign no more; what they signed can still be verified. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn sign_on_keys_retire(&mut self, at: Moment) -> Result<u64, StoreError> {
        let change = key::ActiveModel { retired_at: Set(Some(at.micros())), ..Default::default() };
        let query = key::Entity::update_many().set(change).filter(key::Column::RetiredAt.is_null());
        Ok(query.exec(&self.db()).await.at(KEY)?.rows_affected)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn sign_on_key_purge(&mut self, retired_before: Moment) -> Result<u64, StoreError> {
        let query = key::Entity::delete_many().filter(key::Column::RetiredAt.lt(retired_before.micros()));
        Ok(query.exec(&self.db()).await.at(KEY)?.rows_affected)
    }
}
