//! Accounts of products.

use octroi_domain::{Id, Moment, Slug, hand_off::ProductAccount};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{Row, before, json, plain, touched, word},
};

const TABLE: &str = "product_account";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "product_account")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub connection: String,
        pub issuer: String,
        pub subject: String,
        pub organization: String,
        pub role: String,
        pub active: bool,
        pub facts: String,
        pub created_at: i64,
        pub last_login_at: i64,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

fn account(model: Model) -> Result<ProductAccount, StoreError> {
    let row = Row::new(TABLE, &model.id);
    Ok(ProductAccount {
        connection: row.parse("connection", &model.connection)?,
        organization: row.parse("organization", &model.organization)?,
        role: row.word("role", &model.role)?,
        facts: row.json("facts", &model.facts)?,
        version: row.number("version", model.version)?,
        id: Id::from_uuid(model.id),
        active: model.active,
        created_at: Moment::from_micros(model.created_at),
        last_login_at: Moment::from_micros(model.last_login_at),
        issuer: model.issuer,
        subject: model.subject,
    })
}

fn row(account: &ProductAccount) -> Result<Model, StoreError> {
    Ok(Model {
        id: account.id.uuid(),
        connection: account.connection.to_string(),
        issuer: plain(&account.issuer),
        subject: plain(&account.subject),
        organization: account.organization.to_string(),
        role: word(&account.role),
        active: account.active,
        facts: json(TABLE, &account.facts)?,
        created_at: account.created_at.micros(),
        last_login_at: account.last_login_at.micros(),
        version: i64::from(account.version),
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn product_account_by_id(&self, id: Id<ProductAccount>) -> Result<Option<ProductAccount>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(account).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn product_account(&self, connection: &Slug, issuer: &str, subject: &str) -> Result<Option<ProductAccount>, StoreError> {
        let query = Entity::find().filter(Column::Connection.eq(connection.to_string()));
        let query = query.filter(Column::Issuer.eq(plain(issuer))).filter(Column::Subject.eq(plain(subject)));
        query.one(&self.db()).await.at(TABLE)?.map(account).transpose()
    }

    /// Of one product, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn product_account_list(&self, connection: &Slug, page: Page) -> Result<Listing<ProductAccount>, StoreError> {
        let mut query = Entity::find().filter(Column::Connection.eq(connection.to_string()));
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), account)
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when somebody was as quick with the same identity.
    pub async fn product_account_insert(&mut self, account: &ProductAccount) -> Result<(), StoreError> {
        Entity::insert(row(account)?.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(drop)
    }

    /// Saves one whose version is one more than what was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when somebody saved it in between.
    pub async fn product_account_save(&mut self, account: &ProductAccount) -> Result<(), StoreError> {
        let model = row(account)?.into_active_model().reset_all();
        let update = Entity::update_many().set(model).filter(Column::Id.eq(account.id.uuid()));
        let update = update.filter(Column::Version.eq(i64::from(account.version) - 1));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }
}
