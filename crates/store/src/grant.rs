//! What people let clients have: grants, their codes and refresh tokens, and what was agreed to.

use octroi_domain::{
    Id, Moment,
    authentication::Session,
    sign_on::{ClientId, CodeFacts, Grant, RefreshToken},
    user::User,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{Row, json, plain},
};

const TABLE: &str = "client_grant";
const CODE: &str = "client_code";
const REFRESH: &str = "refresh_token";
const CONSENT: &str = "consent";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "client_grant")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub client_id: String,
        pub user_id: Uuid,
        pub session_id: Uuid,
        pub facts: String,
        pub created_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod code {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "client_code")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub grant_id: Uuid,
        pub facts: String,
        pub expires_at: i64,
        pub used_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::table::Entity", from = "Column::GrantId", to = "super::table::Column::Id")]
        Grant,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
mod refresh {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "refresh_token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub grant_id: Uuid,
        pub jkt: Option<String>,
        pub created_at: i64,
        pub expires_at: i64,
        pub replaced_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::table::Entity", from = "Column::GrantId", to = "super::table::Column::Id")]
        Grant,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
mod consent {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "consent")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub client_id: String,
        pub scopes: String,
        pub updated_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// A code, and whether it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCode {
    pub grant: Grant,
    pub facts: CodeFacts,
    pub expires_at: Moment,
    pub used_at: Option<Moment>,
}

fn grant(model: &Model) -> Result<Grant, StoreError> {
    let row = Row::new(TABLE, &model.id);
    Ok(Grant {
        id: Id::from_uuid(model.id),
        client: row.parse("client_id", &model.client_id)?,
        user: Id::from_uuid(model.user_id),
        session: Id::from_uuid(model.session_id),
        facts: row.json("facts", &model.facts)?,
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        ended_at: model.ended_at.map(Moment::from_micros),
    })
}

fn model(grant: &Grant) -> Result<Model, StoreError> {
    Ok(Model {
        id: grant.id.uuid(),
        client_id: grant.client.to_string(),
        user_id: grant.user.uuid(),
        session_id: grant.session.uuid(),
        facts: json(TABLE, &grant.facts)?,
        created_at: grant.created_at.micros(),
        expires_at: grant.expires_at.micros(),
        ended_at: grant.ended_at.map(Moment::micros),
    })
}

fn refresh_token(model: &refresh::Model) -> RefreshToken {
    RefreshToken {
        grant: Id::from_uuid(model.grant_id),
        jkt: model.jkt.clone(),
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        replaced_at: model.replaced_at.map(Moment::from_micros),
    }
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn grant_by_id(&self, id: Id<Grant>) -> Result<Option<Grant>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.as_ref().map(grant).transpose()
    }

    /// What has not ended of what was given in a session: all of it, because it is to end.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grants_of_session(&self, session: Id<Session>) -> Result<Vec<Grant>, StoreError> {
        let query = Entity::find().filter(Column::SessionId.eq(session.uuid())).filter(Column::EndedAt.is_null());
        query.all(&self.db()).await.at(TABLE)?.iter().map(grant).collect()
    }

    /// What has not ended of what a person gave, newest first: all of it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grants_of_user(&self, user: Id<User>) -> Result<Vec<Grant>, StoreError> {
        let query = Entity::find().filter(Column::UserId.eq(user.uuid())).filter(Column::EndedAt.is_null());
        query.order_by_desc(Column::CreatedAt).all(&self.db()).await.at(TABLE)?.iter().map(grant).collect()
    }

    /// What a person gave and that may still have tokens in date, newest first, at most 1,000.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grants_of_user_at(&self, user: Id<User>, now: Moment) -> Result<Vec<Grant>, StoreError> {
        let query = Entity::find().filter(Column::UserId.eq(user.uuid())).filter(Column::EndedAt.is_null());
        let query = query.filter(Column::ExpiresAt.gt(now.micros())).order_by_desc(Column::CreatedAt).limit(1_000);
        query.all(&self.db()).await.at(TABLE)?.iter().map(grant).collect()
    }

    /// When the last refresh token of each grant of a person was made.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tokens_last_made(&self, user: Id<User>) -> Result<Vec<(Id<Grant>, Moment)>, StoreError> {
        let of_user = Query::select().column(Column::Id).from(Entity).and_where(Column::UserId.eq(user.uuid())).to_owned();
        let query = refresh::Entity::find()
            .select_only()
            .column(refresh::Column::GrantId)
            .column_as(refresh::Column::CreatedAt.max(), "made_at")
            .filter(refresh::Column::GrantId.in_subquery(of_user))
            .group_by(refresh::Column::GrantId);
        let rows: Vec<(Uuid, i64)> = query.into_tuple().all(&self.db()).await.at(REFRESH)?;
        Ok(rows.into_iter().map(|(grant, at)| (Id::from_uuid(grant), Moment::from_micros(at))).collect())
    }

    /// What a person agreed to, by client, and when they last did.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consents_of_user(&self, user: Id<User>) -> Result<Vec<(ClientId, Vec<String>, Moment)>, StoreError> {
        let query = consent::Entity::find().filter(consent::Column::UserId.eq(user.uuid())).limit(1_000);
        let read = |model: consent::Model| {
            let row = Row::new(CONSENT, &model.user_id);
            let scopes = model.scopes.split_ascii_whitespace().map(str::to_owned).collect();
            Ok((row.parse("client_id", &model.client_id)?, scopes, Moment::from_micros(model.updated_at)))
        };
        query.all(&self.db()).await.at(CONSENT)?.into_iter().map(read).collect()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn refresh_token(&self, digest: &[u8; 32]) -> Result<Option<RefreshToken>, StoreError> {
        Ok(refresh::Entity::find_by_id(digest.to_vec()).one(&self.db()).await.at(REFRESH)?.as_ref().map(refresh_token))
    }

    /// The scopes that a person agreed to for a client.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn consent(&self, user: Id<User>, client: &ClientId) -> Result<Vec<String>, StoreError> {
        let found = consent::Entity::find_by_id((user.uuid(), client.to_string())).one(&self.db()).await.at(CONSENT)?;
        Ok(found.map(|model| model.scopes.split_ascii_whitespace().map(str::to_owned).collect()).unwrap_or_default())
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the client or the person is not there.
    pub async fn grant_insert(&mut self, grant: &Grant) -> Result<(), StoreError> {
        Entity::insert(model(grant)?.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Has grants that are there remembered as long as they now say.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grants_extend(&mut self, locked: &[Grant]) -> Result<(), StoreError> {
        if locked.is_empty() {
            return Ok(());
        }
        let rows = locked.iter().map(|grant| model(grant).map(IntoActiveModel::into_active_model)).collect::<Result<Vec<_>, _>>()?;
        // Each has a time of its own, which one UPDATE of both engines cannot say.
        let longer = OnConflict::column(Column::Id).update_column(Column::ExpiresAt).to_owned();
        Entity::insert_many(rows).on_conflict(longer).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Ends it, with every token that belongs to it; false when it had ended.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grant_end(&mut self, id: Id<Grant>, at: Moment) -> Result<bool, StoreError> {
        let change = table::ActiveModel { ended_at: Set(Some(at.micros())), ..Default::default() };
        let query = Entity::update_many().set(change).filter(Column::Id.eq(id.uuid())).filter(Column::EndedAt.is_null());
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn code_insert(&mut self, digest: &[u8; 32], grant: Id<Grant>, facts: &CodeFacts, expires: Moment) -> Result<(), StoreError> {
        let model = code::Model {
            digest: digest.to_vec(),
            grant_id: grant.uuid(),
            facts: json(CODE, facts)?,
            expires_at: expires.micros(),
            used_at: None,
        };
        code::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(CODE).map(|_| ())
    }

    /// Codes and their grants, held against other writers until the end of the transaction: of two that show one, the second sees that it was
    /// used. What is not there is left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn codes_lock(&mut self, digests: &[[u8; 32]]) -> Result<Vec<([u8; 32], StoredCode)>, StoreError> {
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        let query = code::Entity::find().filter(code::Column::Digest.is_in(digests.iter().map(|digest| digest.to_vec())));
        let query = query.join(JoinType::InnerJoin, code::Relation::Grant.def()).order_by_asc(code::Column::Digest);
        let rows = query.select_also(Entity).lock_exclusive().all(&self.db()).await.at(CODE)?;
        let read = |(model, held): (code::Model, Option<Model>)| {
            let row = Row::new(CODE, &model.grant_id);
            let stored = StoredCode {
                grant: grant(&held.ok_or_else(|| row.corrupt("grant_id"))?)?,
                facts: row.json("facts", &model.facts)?,
                expires_at: Moment::from_micros(model.expires_at),
                used_at: model.used_at.map(Moment::from_micros),
            };
            Ok((row.bytes32("digest", &model.digest)?, stored))
        };
        rows.into_iter().map(read).collect()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn codes_used(&mut self, digests: &[[u8; 32]], at: Moment) -> Result<(), StoreError> {
        if digests.is_empty() {
            return Ok(());
        }
        let change = code::ActiveModel { used_at: Set(Some(at.micros())), ..Default::default() };
        let these = code::Column::Digest.is_in(digests.iter().map(|digest| digest.to_vec()));
        code::Entity::update_many().set(change).filter(these).exec(&self.db()).await.at(CODE).map(|_| ())
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn refresh_tokens_insert(&mut self, tokens: &[([u8; 32], RefreshToken)]) -> Result<(), StoreError> {
        if tokens.is_empty() {
            return Ok(());
        }
        let rows = tokens.iter().map(|(digest, token)| {
            let model = refresh::Model {
                digest: digest.to_vec(),
                grant_id: token.grant.uuid(),
                jkt: token.jkt.as_deref().map(plain),
                created_at: token.created_at.micros(),
                expires_at: token.expires_at.micros(),
                replaced_at: token.replaced_at.map(Moment::micros),
            };
            model.into_active_model()
        });
        refresh::Entity::insert_many(rows).exec_without_returning(&self.db()).await.at(REFRESH).map(|_| ())
    }

    /// Refresh tokens and their grants, held against other writers until the end of the transaction. What is not there is left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn refresh_tokens_lock(&mut self, digests: &[[u8; 32]]) -> Result<Vec<([u8; 32], RefreshToken, Grant)>, StoreError> {
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        let query = refresh::Entity::find().filter(refresh::Column::Digest.is_in(digests.iter().map(|digest| digest.to_vec())));
        let query = query.join(JoinType::InnerJoin, refresh::Relation::Grant.def()).order_by_asc(refresh::Column::Digest);
        let rows = query.select_also(Entity).lock_exclusive().all(&self.db()).await.at(REFRESH)?;
        let read = |(model, held): (refresh::Model, Option<Model>)| {
            let row = Row::new(REFRESH, &model.grant_id);
            let held = grant(&held.ok_or_else(|| row.corrupt("grant_id"))?)?;
            Ok((row.bytes32("digest", &model.digest)?, refresh_token(&model), held))
        };
        rows.into_iter().map(read).collect()
    }

    /// Others take the place of all that these grants have; the first time counts.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn refresh_tokens_replaced(&mut self, grants: &[Id<Grant>], at: Moment) -> Result<(), StoreError> {
        if grants.is_empty() {
            return Ok(());
        }
        let change = refresh::ActiveModel { replaced_at: Set(Some(at.micros())), ..Default::default() };
        let theirs = refresh::Column::GrantId.is_in(grants.iter().map(|grant| grant.uuid()));
        let query = refresh::Entity::update_many().set(change).filter(theirs).filter(refresh::Column::ReplacedAt.is_null());
        query.exec(&self.db()).await.at(REFRESH).map(|_| ())
    }

    /// Forgets what a person agreed to.
    ///
    /// # Errors
    /// When the store cannot answer.
    pub async fn consent_delete_of_user(&mut self, user: Id<User>) -> Result<(), StoreError> {
        let theirs = consent::Column::UserId.eq(user.uuid());
        consent::Entity::delete_many().filter(theirs).exec(&self.db()).await.at(CONSENT).map(|_| ())
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn consent_put(&mut self, user: Id<User>, client: &ClientId, scopes: &[String], at: Moment) -> Result<(), StoreError> {
        let model = consent::Model {
            user_id: user.uuid(),
            client_id: client.to_string(),
            scopes: plain(&scopes.join(" ")),
            updated_at: at.micros(),
        };
        let anew = OnConflict::columns([consent::Column::UserId, consent::Column::ClientId])
            .update_columns([consent::Column::Scopes, consent::Column::UpdatedAt])
            .to_owned();
        consent::Entity::insert(model.into_active_model())
            .on_conflict(anew)
            .exec_without_returning(&self.db())
            .await
            .at(CONSENT)
            .map(|_| ())
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn consent_delete(&mut self, user: Id<User>, client: &ClientId) -> Result<bool, StoreError> {
        let query = consent::Entity::delete_by_id((user.uuid(), client.to_string()));
        Ok(query.exec(&self.db()).await.at(CONSENT)?.rows_affected > 0)
    }

    /// Forgets what nothing refers to any more: grants out of date, with their codes and refresh tokens.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grant_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let query = Entity::delete_many().filter(Column::ExpiresAt.lte(now.micros()));
        let refresh = refresh::Entity::delete_many().filter(refresh::Column::ExpiresAt.lte(now.micros()));
        refresh.exec(&self.db()).await.at(REFRESH)?;
        Ok(query.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }
}

#[cfg(test)]
mod tests;
