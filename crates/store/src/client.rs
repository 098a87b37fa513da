//! Relying parties of the sign-on, and the words that register them.

use octroi_domain::{
    Id, Moment,
    credential::SecretDigest,
    organization::Organization,
    sign_on::{Client, ClientId, ClientState, InitialAccess},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::NotSet, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{Row, before, plain, touched},
};

const TABLE: &str = "client";
const INITIAL: &str = "initial_access";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "client")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        /// Where it stands in lists among those of the same instant.
        pub key: Uuid,
        pub metadata: String,
        pub secret: Option<Vec<u8>>,
        pub registration: Option<Vec<u8>>,
        pub organization_id: Option<Uuid>,
        pub first_party: bool,
        pub serves: Option<String>,
        pub state: String,
        pub access_token_seconds: i64,
        pub refresh_token_seconds: i64,
        pub created_at: i64,
        pub updated_at: i64,
        pub version: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod initial {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "initial_access")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub label: String,
        pub digest: Vec<u8>,
        pub organization_id: Option<Uuid>,
        pub created_at: i64,
        pub expires_at: i64,
        pub uses_left: i64,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

fn client(model: Model) -> Result<Client, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let digest =
        |column, bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| row.bytes32(column, bytes).map(SecretDigest::from_bytes)).transpose();
    Ok(Client {
        id: row.parse("id", &model.id)?,
        secret: digest("secret", &model.secret)?,
        registration: digest("registration", &model.registration)?,
        organization: model.organization_id.map(Id::from_uuid),
        first_party: model.first_party,
        state: row.word::<ClientState>("state", &model.state)?,
        access_token_seconds: row.number("access_token_seconds", model.access_token_seconds)?,
        refresh_token_seconds: row.number("refresh_token_seconds", model.refresh_token_seconds)?,
        created_at: Moment::from_micros(model.created_at),
        updated_at: Moment::from_micros(model.updated_at),
        version: row.number("version", model.version)?,
        serves: model.serves.clone(),
        metadata: model.metadata.clone(),
    })
}

fn row(client: &Client) -> Model {
    Model {
        id: client.id.to_string(),
        key: uuid::Uuid::new_v4(),
        metadata: client.metadata.clone(),
        secret: client.secret.map(|digest| digest.bytes().to_vec()),
        registration: client.registration.map(|digest| digest.bytes().to_vec()),
        organization_id: client.organization.map(Id::uuid),
        first_party: client.first_party,
        serves: client.serves.as_deref().map(plain),
        state: client.state.as_str().to_owned(),
        access_token_seconds: i64::from(client.access_token_seconds),
        refresh_token_seconds: i64::from(client.refresh_token_seconds),
        created_at: client.created_at.micros(),
        updated_at: client.updated_at.micros(),
        version: i64::from(client.version),
    }
}

fn access(model: &initial::Model) -> Result<InitialAccess, StoreError> {
    let row = Row::new(INITIAL, &model.id);
    Ok(InitialAccess {
        id: Id::from_uuid(model.id),
        label: model.label.clone(),
        digest: SecretDigest::from_bytes(row.bytes32("digest", &model.digest)?),
        organization: model.organization_id.map(Id::from_uuid),
        created_at: Moment::from_micros(model.created_at),
        expires_at: Moment::from_micros(model.expires_at),
        uses_left: row.number("uses_left", model.uses_left)?,
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn client_by_id(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        Entity::find_by_id(id.as_str()).one(&self.db()).await.at(TABLE)?.map(client).transpose()
    }

    /// Newest first; of one organisation, or all.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn client_list(&self, organization: Option<Id<Organization>>, page: Page) -> Result<Listing<Client>, StoreError> {
        let mut query = Entity::find().order_by_desc(Column::CreatedAt).order_by_desc(Column::Key).limit(page.fetch());
        if let Some(organization) = organization {
            query = query.filter(Column::OrganizationId.eq(organization.uuid()));
        }
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Key, (after.at, after.uuid())));
        }
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row| Cursor::of_uuid(row.created_at, row.key), client)
    }

    /// Does an active client serve this API?
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn is_served(&self, resource: &str) -> Result<bool, StoreError> {
        let query = Entity::find().filter(Column::Serves.eq(plain(resource))).filter(Column::State.eq(ClientState::Active.as_str()));
        Ok(query.limit(1).one(&self.db()).await.at(TABLE)?.is_some())
    }

    /// Every word that registers clients, newest first, at most 200.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn initial_access_list(&self) -> Result<Vec<InitialAccess>, StoreError> {
        let query = initial::Entity::find().order_by_desc(initial::Column::CreatedAt).limit(200);
        query.all(&self.db()).await.at(INITIAL)?.iter().map(access).collect()
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError`]
    pub async fn client_insert(&mut self, client: &Client) -> Result<(), StoreError> {
        self.clients_changed();
        Entity::insert(row(client).into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
    }

    /// Compare-and-set: `client.version` is the new one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it changed meanwhile.
    pub async fn client_save(&mut self, client: &Client) -> Result<(), StoreError> {
        self.clients_changed();
        let mut model = row(client).into_active_model().reset_all();
        (model.id, model.key, model.created_at) = (NotSet, NotSet, NotSet);
        let query = Entity::update_many().set(model).filter(Column::Id.eq(client.id.as_str()));
        let query = query.filter(Column::Version.eq(i64::from(client.version.saturating_sub(1))));
        touched(query.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// With all that belongs to it; false when it is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn client_delete(&mut self, id: &ClientId) -> Result<bool, StoreError> {
        self.clients_changed();
        Ok(Entity::delete_by_id(id.as_str()).exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn initial_access_insert(&mut self, access: &InitialAccess) -> Result<(), StoreError> {
        let model = initial::Model {
            id: access.id.uuid(),
            label: plain(&access.label),
            digest: access.digest.bytes().to_vec(),
            organization_id: access.organization.map(Id::uuid),
            created_at: access.created_at.micros(),
            expires_at: access.expires_at.micros(),
            uses_left: i64::from(access.uses_left),
        };
        initial::Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(INITIAL).map(|_| ())
    }

    /// Takes one use of a word; none when it is unknown, out of date or used up.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn initial_access_use(&mut self, digest: &[u8; 32], now: Moment) -> Result<Option<InitialAccess>, StoreError> {
        let one_less = initial::Entity::update_many()
            .col_expr(initial::Column::UsesLeft, Expr::col(initial::Column::UsesLeft).sub(1))
            .filter(initial::Column::Digest.eq(digest.to_vec()))
            .filter(initial::Column::ExpiresAt.gt(now.micros()))
            .filter(initial::Column::UsesLeft.gt(0));
        if one_less.exec(&self.db()).await.at(INITIAL)?.rows_affected == 0 {
            return Ok(None);
        }
        let found = initial::Entity::find().filter(initial::Column::Digest.eq(digest.to_vec())).one(&self.db()).await.at(INITIAL)?;
        found.as_ref().map(access).transpose()
    }

    /// False when it is not there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn initial_access_delete(&mut self, id: Id<InitialAccess>) -> Result<bool, StoreError> {
        Ok(initial::Entity::delete_by_id(id.uuid()).exec(&self.db()).await.at(INITIAL)?.rows_affected > 0)
    }
}
