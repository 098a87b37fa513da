//! Credentials of applications, the platform's signing keys, and tokens that were revoked.

use octroi_domain::{
    Id, Moment,
    application::Application,
    credential::{Credential, SecretDigest},
    feed::KeyPurpose,
    stage::Stage,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use crate::{
    Reader, Store, StoreError, Tx,
    error::At,
    row::{Row, plain},
};

const TABLE: &str = "credential";
const KEY: &str = "signing_key";
const REVOKED: &str = "revoked_token";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "credential")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub application_id: Uuid,
        pub kind: String,
        pub hint: String,
        pub digest: Vec<u8>,
        pub created_at: i64,
        pub last_used_at: Option<i64>,
        pub revoked_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::application::table::Entity",
            from = "Column::ApplicationId",
            to = "crate::application::table::Column::Id"
        )]
        Application,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
mod signing_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_key")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub kid: String,
        pub stage: String,
        pub purpose: String,
        pub sealed: Vec<u8>,
        pub public: Vec<u8>,
        pub created_at: i64,
        pub retired_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
pub(crate) mod revoked_token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub jti: String,
        pub stage: String,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// A key pair of a stage. Its private part is sealed by whoever gave it, and opened by the same.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    pub kid: String,
    pub stage: Stage,
    pub purpose: KeyPurpose,
    pub sealed: Vec<u8>,
    /// As it was given: the store does not look into it.
    pub public: Vec<u8>,
    pub created_at: Moment,
    /// It signs no more; what it signed can still be verified.
    pub retired_at: Option<Moment>,
}
impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey")
            .field("kid", &self.kid)
            .field("stage", &self.stage)
            .field("purpose", &self.purpose)
            .field("retired_at", &self.retired_at)
            .finish_non_exhaustive()
    }
}

pub(crate) fn credential(model: Model) -> Result<Credential, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let (kind, digest) = (row.word("kind", &model.kind)?, row.bytes32("digest", &model.digest)?);
    Ok(Credential {
        id: Id::from_uuid(model.id),
        application: Id::from_uuid(model.application_id),
        kind,
        hint: model.hint,
        digest: SecretDigest::from_bytes(digest),
        created_at: Moment::from_micros(model.created_at),
        last_used_at: model.last_used_at.map(Moment::from_micros),
        revoked_at: model.revoked_at.map(Moment::from_micros),
    })
}

fn key(model: signing_key::Model) -> Result<StoredKey, StoreError> {
    let row = Row::new(KEY, &model.kid);
    let purpose = [KeyPurpose::AccessToken, KeyPurpose::Assertion].into_iter().find(|purpose| purpose.as_str() == model.purpose);
    let (stage, purpose) = (row.stage(&model.stage)?, purpose.ok_or_else(|| row.corrupt("purpose"))?);
    Ok(StoredKey {
        kid: model.kid,
        stage,
        purpose,
        sealed: model.sealed,
        public: model.public,
        created_at: Moment::from_micros(model.created_at),
        retired_at: model.retired_at.map(Moment::from_micros),
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn credential_by_id(&self, id: Id<Credential>) -> Result<Option<Credential>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(credential).transpose()
    }

    /// Revoked or not: the caller looks.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn credential_by_digest(&self, digest: &SecretDigest) -> Result<Option<Credential>, StoreError> {
        let query = Entity::find().filter(Column::Digest.eq(digest.bytes().to_vec()));
        query.one(&self.db()).await.at(TABLE)?.map(credential).transpose()
    }

    /// Newest first, revoked ones included, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn credentials_of_application(&self, application: Id<Application>) -> Result<Vec<Credential>, StoreError> {
        let query = Entity::find().filter(Column::ApplicationId.eq(application.uuid()));
        let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(1_000);
        query.all(&self.db()).await.at(TABLE)?.into_iter().map(credential).collect()
    }

    /// Of one stage, or of both; newest first, retired ones included.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn signing_key_list(&self, stage: Option<Stage>) -> Result<Vec<StoredKey>, StoreError> {
        let mut query = signing_key::Entity::find();
        if let Some(stage) = stage {
            query = query.filter(signing_key::Column::Stage.eq(stage.as_str()));
        }
        let query = query.order_by_desc(signing_key::Column::CreatedAt).order_by_desc(signing_key::Column::Kid);
        query.all(&self.db()).await.at(KEY)?.into_iter().map(key).collect()
    }

    /// Was this access token revoked?
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn revoked_token_is(&self, jti: &str, stage: Stage) -> Result<bool, StoreError> {
        let found = revoked_token::Entity::find_by_id(plain(jti)).one(&self.db()).await.at(REVOKED)?;
        Ok(found.is_some_and(|model| model.stage == stage.as_str()))
    }
}

impl Store {
    /// Notes when credentials were last used, in one transaction; an older instant changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn credential_touch(&self, uses: &[(Id<Credential>, Moment)]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        // In one order, so that two nodes never wait for each other in a circle.
        let mut uses = uses.to_vec();
        uses.sort_unstable_by_key(|(id, _)| *id);
        let tx = self.write().await?;
        for (id, at) in uses {
            let change = table::ActiveModel { last_used_at: Set(Some(at.micros())), ..Default::default() };
            let older = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(at.micros()));
            let update = Entity::update_many().set(change).filter(Column::Id.eq(id.uuid())).filter(older);
            update.exec(&tx.db()).await.at(TABLE)?;
        }
        tx.commit().await.map(|_| ())
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the application is not there.
    pub async fn credential_insert(&mut self, credential: &Credential) -> Result<(), StoreError> {
        let model = Model {
            id: credential.id.uuid(),
            application_id: credential.application.uuid(),
            kind: credential.kind.as_str().to_owned(),
            hint: credential.hint.clone(),
            digest: credential.digest.bytes().to_vec(),
            created_at: credential.created_at.micros(),
            last_used_at: credential.last_used_at.map(Moment::micros),
            revoked_at: credential.revoked_at.map(Moment::micros),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// For good; false when it was revoked already or is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn credential_revoke(&mut self, id: Id<Credential>, at: Moment) -> Result<bool, StoreError> {
        let change = table::ActiveModel { revoked_at: Set(Some(at.micros())), ..Default::default() };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id.uuid())).filter(Column::RevokedAt.is_null());
        Ok(update.exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError::Conflict`] when the `kid` is taken.
    pub async fn signing_key_insert(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        let model = signing_key::Model {
            kid: key.kid.clone(),
            stage: key.stage.to_string(),
            purpose: key.purpose.as_str().to_owned(),
            sealed: key.sealed.clone(),
            public: key.public.clone(),
            created_at: key.created_at.micros(),
            retired_at: key.retired_at.map(Moment::micros),
        };
        signing_key::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(KEY).map(|_| ())
    }

    /// It signs no more; false when it was retired already or is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn signing_key_retire(&mut self, kid: &str, at: Moment) -> Result<bool, StoreError> {
        let change = signing_key::ActiveModel { retired_at: Set(Some(at.micros())), ..Default::default() };
        let update = signing_key::Entity::update_many()
            .set(change)
            .filter(signing_key::Column::Kid.eq(plain(kid)))
            .filter(signing_key::Column::RetiredAt.is_null());
        Ok(update.exec(&self.db()).await.at(KEY)?.rows_affected > 0)
    }

    /// Forgets keys retired so long ago that nothing they signed is still in date.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn signing_key_delete(&mut self, retired_before: Moment) -> Result<u64, StoreError> {
        let delete = signing_key::Entity::delete_many().filter(signing_key::Column::RetiredAt.lt(retired_before.micros()));
        Ok(delete.exec(&self.db()).await.at(KEY)?.rows_affected)
    }

    /// Revokes an access token until it would have expired; twice is the same as once.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn revoked_token_insert(&mut self, jti: &str, stage: Stage, expires_at: Moment) -> Result<(), StoreError> {
        let model = revoked_token::Model { jti: plain(jti), stage: stage.to_string(), expires_at: expires_at.micros() };
        let insert = revoked_token::Entity::insert(model.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.db())
            .await;
        match insert {
            Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => Ok(()),
            Err(error) => Err(error).at(REVOKED),
        }
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn revoked_token_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let delete = revoked_token::Entity::delete_many().filter(revoked_token::Column::ExpiresAt.lte(now.micros()));
        Ok(delete.exec(&self.db()).await.at(REVOKED)?.rows_affected)
    }
}
