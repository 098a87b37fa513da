//! People handed over to products: who is on the way, logins, and what each was given.

use octroi_domain::{
    Id, Moment, Slug,
    connection::HandOff,
    hand_off::{Login, ProductAccount, Token, TokenKind},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{
    Reader, StoreError, Tx,
    error::At,
    row::{Row, plain, touched, word},
};

mod account;
mod legacy;

const PENDING: &str = "hand_off_pending";
const TABLE: &str = "hand_off";
const TOKEN: &str = "hand_off_token";

mod pending {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "hand_off_pending")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub connection: String,
        pub browser: Vec<u8>,
        pub sealed: Vec<u8>,
        pub expires_at: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "hand_off")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub connection: String,
        pub account_id: Uuid,
        pub mode: String,
        pub sid: Option<String>,
        pub sealed: Vec<u8>,
        pub created_at: i64,
        pub expires_at: i64,
        pub ended_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "hand_off_token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub digest: Vec<u8>,
        pub hand_off_id: Uuid,
        pub kind: String,
        pub challenge: Option<String>,
        pub browser: Option<Vec<u8>>,
        pub created_at: i64,
        pub expires_at: i64,
        pub used_at: Option<i64>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// Somebody on the way, sealed: which connection, in which browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPending {
    pub connection: Slug,
    /// Digest of the word in the browser's cookie.
    pub browser: [u8; 32],
    pub sealed: Vec<u8>,
    pub expires_at: Moment,
}

fn login(model: &Model) -> Result<Login, StoreError> {
    let row = Row::new(TABLE, &model.id);
    Ok(Login {
        id: Id::from_uuid(model.id),
        connection: row.parse("connection", &model.connection)?,
        account: Id::from_uuid(model.account_id),
        mode: HandOff::read(&model.mode).ok_or_else(|| row.corrupt("mode"))?,
        sid: model.sid.clone(),
        sealed: model.sealed.clone(),
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        ended_at: model.ended_at.map(Moment::from_micros),
    })
}

fn token_of(model: &token::Model) -> Result<Token, StoreError> {
    let row = Row::new(TOKEN, &model.hand_off_id);
    Ok(Token {
        login: Id::from_uuid(model.hand_off_id),
        kind: row.word::<TokenKind>("kind", &model.kind)?,
        challenge: model.challenge.clone(),
        browser: model.browser.as_ref().map(|bytes| row.bytes32("browser", bytes)).transpose()?,
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        used_at: model.used_at.map(Moment::from_micros),
    })
}

fn pending_of(model: &pending::Model) -> Result<StoredPending, StoreError> {
    let row = Row::new(PENDING, &model.connection);
    Ok(StoredPending {
        connection: row.parse("connection", &model.connection)?,
        browser: row.bytes32("browser", &model.browser)?,
        sealed: model.sealed.clone(),
        expires_at: Moment::from_micros(model.expires_at),
    })
}

impl Reader {
    /// Who is on the way, unless it is too late at `now`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_pending(&self, digest: &[u8; 32], now: Moment) -> Result<Option<StoredPending>, StoreError> {
        let query = pending::Entity::find_by_id(digest.to_vec()).filter(pending::Column::ExpiresAt.gt(now.micros()));
        query.one(&self.db()).await.at(PENDING)?.as_ref().map(pending_of).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_token(&self, digest: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        token::Entity::find_by_id(digest.to_vec()).one(&self.db()).await.at(TOKEN)?.as_ref().map(token_of).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_by_id(&self, id: Id<Login>) -> Result<Option<Login>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.as_ref().map(login).transpose()
    }

    /// The logins of an account that have not ended, newest first, at most 500.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_offs_of_account(&self, account: Id<ProductAccount>) -> Result<Vec<Login>, StoreError> {
        let query = Entity::find().filter(Column::AccountId.eq(account.uuid())).filter(Column::EndedAt.is_null());
        query.order_by_desc(Column::CreatedAt).limit(500).all(&self.db()).await.at(TABLE)?.iter().map(login).collect()
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_pending_put(&mut self, digest: &[u8; 32], stored: &StoredPending) -> Result<(), StoreError> {
        let model = pending::Model {
            digest: digest.to_vec(),
            connection: stored.connection.to_string(),
            browser: stored.browser.to_vec(),
            sealed: stored.sealed.clone(),
            expires_at: stored.expires_at.micros(),
        };
        pending::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(PENDING).map(drop)
    }

    /// Uses it up.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it was used: two that come at once are one.
    pub async fn hand_off_pending_use(&mut self, digest: &[u8; 32]) -> Result<(), StoreError> {
        touched(pending::Entity::delete_by_id(digest.to_vec()).exec(&self.db()).await.map(|done| done.rows_affected), PENDING)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_insert(&mut self, login: &Login) -> Result<(), StoreError> {
        let model = Model {
            id: login.id.uuid(),
            connection: login.connection.to_string(),
            account_id: login.account.uuid(),
            mode: login.mode.as_str().to_owned(),
            sid: login.sid.as_deref().map(plain),
            sealed: login.sealed.clone(),
            created_at: login.created_at.micros(),
            expires_at: login.expires_at.micros(),
            ended_at: login.ended_at.map(Moment::micros),
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(drop)
    }

    /// Ends a login, with everything that it was given; false when it had ended.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_end(&mut self, id: Id<Login>, at: Moment) -> Result<bool, StoreError> {
        let open = Entity::update_many().filter(Column::Id.eq(id.uuid())).filter(Column::EndedAt.is_null());
        let ended = open.col_expr(Column::EndedAt, Expr::val(at.micros())).exec(&self.db()).await.at(TABLE)?;
        Ok(ended.rows_affected > 0)
    }

    /// Ends the logins of an account, those of one session of the provider or all; how many there were.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_end_of_account(&mut self, account: Id<ProductAccount>, sid: Option<&str>, at: Moment) -> Result<u64, StoreError> {
        let mut open = Entity::update_many().filter(Column::AccountId.eq(account.uuid())).filter(Column::EndedAt.is_null());
        if let Some(sid) = sid {
            open = open.filter(Column::Sid.eq(plain(sid)));
        }
        Ok(open.col_expr(Column::EndedAt, Expr::val(at.micros())).exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// Ends the logins of one session of a provider, whoever they are of; how many there were.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_end_of_sid(&mut self, connection: &Slug, sid: &str, at: Moment) -> Result<u64, StoreError> {
        let open = Entity::update_many().filter(Column::Connection.eq(connection.to_string())).filter(Column::EndedAt.is_null());
        let open = open.filter(Column::Sid.eq(plain(sid))).col_expr(Column::EndedAt, Expr::val(at.micros()));
        Ok(open.exec(&self.db()).await.at(TABLE)?.rows_affected)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_token_insert(&mut self, digest: &[u8; 32], given: &Token) -> Result<(), StoreError> {
        let model = token::Model {
            digest: digest.to_vec(),
            hand_off_id: given.login.uuid(),
            kind: word(&given.kind),
            challenge: given.challenge.as_deref().map(plain),
            browser: given.browser.map(|digest| digest.to_vec()),
            created_at: given.created_at.micros(),
            expires_at: given.expires_at.micros(),
            used_at: given.used_at.map(Moment::micros),
        };
        token::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TOKEN).map(drop)
    }

    /// A token, held against other writers until the end of the transaction: of two that show it, the second sees that it was used.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_token_lock(&mut self, digest: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        let found = token::Entity::find_by_id(digest.to_vec()).lock_exclusive().one(&self.db()).await.at(TOKEN)?;
        found.as_ref().map(token_of).transpose()
    }

    /// Used: the first time counts.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_token_used(&mut self, digest: &[u8; 32], at: Moment) -> Result<(), StoreError> {
        let change = token::ActiveModel { used_at: Set(Some(at.micros())), ..Default::default() };
        let query = token::Entity::update_many().set(change).filter(token::Column::Digest.eq(digest.to_vec()));
        query.filter(token::Column::UsedAt.is_null()).exec(&self.db()).await.at(TOKEN).map(drop)
    }

    /// A session goes on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_token_extend(&mut self, digest: &[u8; 32], expires: Moment) -> Result<(), StoreError> {
        let change = token::ActiveModel { expires_at: Set(expires.micros()), ..Default::default() };
        let query = token::Entity::update_many().set(change).filter(token::Column::Digest.eq(digest.to_vec()));
        query.filter(token::Column::ExpiresAt.lt(expires.micros())).exec(&self.db()).await.at(TOKEN).map(drop)
    }

    /// Forgets what is out of date, with all that belongs to it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hand_off_purge(&mut self, now: Moment) -> Result<u64, StoreError> {
        let late = pending::Entity::delete_many().filter(pending::Column::ExpiresAt.lte(now.micros()));
        let late = late.exec(&self.db()).await.at(PENDING)?.rows_affected;
        let over = Entity::delete_many().filter(Column::ExpiresAt.lte(now.micros())).exec(&self.db()).await.at(TABLE)?.rows_affected;
        Ok(late + over)
    }
}

#[cfg(test)]
mod tests;
