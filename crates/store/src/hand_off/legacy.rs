//! Accounts of before, and whose they may be.

use octroi_domain::{
    Id, Moment, Slug,
    hand_off::{Dispute, LegacyLink, LegacyUser},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict};

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx,
    error::At,
    row::{Row, before, json, plain, touched, word},
};

const TABLE: &str = "legacy_user";
const DISPUTE: &str = "legacy_dispute";

mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "legacy_user")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub connection: String,
        pub reference: Option<String>,
        pub email: String,
        pub organization: String,
        pub role: String,
        pub password: Option<String>,
        pub created_at: i64,
        pub issuer: Option<String>,
        pub subject: Option<String>,
        pub linked_at: Option<i64>,
        pub proof: Option<String>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
mod dispute {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "legacy_dispute")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub connection: String,
        pub legacy_id: Uuid,
        pub issuer: String,
        pub subject: String,
        pub reason: String,
        pub organizations: String,
        pub created_at: i64,
        pub decided_at: Option<i64>,
        pub accepted: bool,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{ActiveModel, Column, Entity, Model};

fn legacy(model: Model) -> Result<LegacyUser, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let link = match (&model.issuer, &model.subject, model.linked_at, &model.proof) {
        (Some(issuer), Some(subject), Some(at), Some(proof)) => Some(LegacyLink {
            issuer: issuer.clone(),
            subject: subject.clone(),
            at: Moment::from_micros(at),
            proof: row.word("proof", proof)?,
        }),
        (None, None, None, None) => None,
        _ => return Err(row.corrupt("linked_at")),
    };
    Ok(LegacyUser {
        connection: row.parse("connection", &model.connection)?,
        organization: row.parse("organization", &model.organization)?,
        role: row.word("role", &model.role)?,
        id: Id::from_uuid(model.id),
        has_password: model.password.is_some(),
        created_at: Moment::from_micros(model.created_at),
        reference: model.reference,
        email: model.email,
        link,
    })
}

fn dispute_of(model: &dispute::Model) -> Result<Dispute, StoreError> {
    let row = Row::new(DISPUTE, &model.id);
    Ok(Dispute {
        id: Id::from_uuid(model.id),
        connection: row.parse("connection", &model.connection)?,
        legacy: Id::from_uuid(model.legacy_id),
        issuer: model.issuer.clone(),
        subject: model.subject.clone(),
        reason: row.word("reason", &model.reason)?,
        organizations: row.json("organizations", &model.organizations)?,
        created_at: Moment::from_micros(model.created_at),
        decided_at: model.decided_at.map(Moment::from_micros),
        accepted: model.accepted,
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn legacy_user_by_id(&self, id: Id<LegacyUser>) -> Result<Option<LegacyUser>, StoreError> {
        Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.map(legacy).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn legacy_user_by_email(&self, connection: &Slug, email: &str) -> Result<Option<LegacyUser>, StoreError> {
        let query = Entity::find().filter(Column::Connection.eq(connection.to_string())).filter(Column::Email.eq(plain(email)));
        query.one(&self.db()).await.at(TABLE)?.map(legacy).transpose()
    }

    /// The one that turned out to be this person's.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn legacy_user_of(&self, connection: &Slug, issuer: &str, subject: &str) -> Result<Option<LegacyUser>, StoreError> {
        let query = Entity::find().filter(Column::Connection.eq(connection.to_string()));
        let query = query.filter(Column::Issuer.eq(plain(issuer))).filter(Column::Subject.eq(plain(subject)));
        query.one(&self.db()).await.at(TABLE)?.map(legacy).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn legacy_user_password(&self, id: Id<LegacyUser>) -> Result<Option<String>, StoreError> {
        Ok(Entity::find_by_id(id.uuid()).one(&self.db()).await.at(TABLE)?.and_then(|model| model.password))
    }

    /// Of one product, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn legacy_user_list(&self, connection: &Slug, page: Page) -> Result<Listing<LegacyUser>, StoreError> {
        let mut query = Entity::find().filter(Column::Connection.eq(connection.to_string()));
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), legacy)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn dispute_by_id(&self, id: Id<Dispute>) -> Result<Option<Dispute>, StoreError> {
        dispute::Entity::find_by_id(id.uuid()).one(&self.db()).await.at(DISPUTE)?.as_ref().map(dispute_of).transpose()
    }

    /// What was asked of the operator about this account and this person.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn dispute_about(&self, legacy: Id<LegacyUser>, issuer: &str, subject: &str) -> Result<Option<Dispute>, StoreError> {
        use dispute::{Column, Entity};
        let query = Entity::find().filter(Column::LegacyId.eq(legacy.uuid()));
        let query = query.filter(Column::Issuer.eq(plain(issuer))).filter(Column::Subject.eq(plain(subject)));
        query.one(&self.db()).await.at(DISPUTE)?.as_ref().map(dispute_of).transpose()
    }

    /// Those of one product that wait for a decision, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn dispute_list(&self, connection: &Slug, page: Page) -> Result<Listing<Dispute>, StoreError> {
        use dispute::{Column, Entity, Model};
        let mut query = Entity::find().filter(Column::Connection.eq(connection.to_string())).filter(Column::DecidedAt.is_null());
        if let Some(after) = page.after {
            query = query.filter(before(Column::CreatedAt, Column::Id, (after.at, after.uuid())));
        }
        let query = query.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(page.fetch());
        let rows = query.all(&self.db()).await.at(DISPUTE)?;
        page.cut(rows, |row: &Model| Cursor::of_uuid(row.created_at, row.id), |model| dispute_of(&model))
    }
}

impl Tx {
    /// # Errors
    /// [`StoreError::Conflict`] when the product has one with this address.
    pub async fn legacy_user_insert(&mut self, user: &LegacyUser, password: Option<&str>) -> Result<(), StoreError> {
        let model = Model {
            id: user.id.uuid(),
            connection: user.connection.to_string(),
            reference: user.reference.as_deref().map(plain),
            email: plain(&user.email),
            organization: user.organization.to_string(),
            role: word(&user.role),
            password: password.map(plain),
            created_at: user.created_at.micros(),
            issuer: None,
            subject: None,
            linked_at: None,
            proof: None,
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(drop)
    }

    /// Whose it is from now on. Its password is of no more use, and is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it is somebody's, and when the person has another one.
    pub async fn legacy_user_link(&mut self, id: Id<LegacyUser>, link: &LegacyLink) -> Result<(), StoreError> {
        let change = ActiveModel {
            issuer: Set(Some(plain(&link.issuer))),
            subject: Set(Some(plain(&link.subject))),
            linked_at: Set(Some(link.at.micros())),
            proof: Set(Some(word(&link.proof))),
            password: Set(None),
            ..Default::default()
        };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(id.uuid())).filter(Column::LinkedAt.is_null());
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn legacy_user_delete(&mut self, id: Id<LegacyUser>) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(id.uuid()).exec(&self.db()).await.at(TABLE)?.rows_affected > 0)
    }

    /// Waits for the operator; false when it does, or did, already.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn dispute_put(&mut self, dispute: &Dispute) -> Result<bool, StoreError> {
        let model = dispute::Model {
            id: dispute.id.uuid(),
            connection: dispute.connection.to_string(),
            legacy_id: dispute.legacy.uuid(),
            issuer: plain(&dispute.issuer),
            subject: plain(&dispute.subject),
            reason: word(&dispute.reason),
            organizations: json(DISPUTE, &dispute.organizations)?,
            created_at: dispute.created_at.micros(),
            decided_at: dispute.decided_at.map(Moment::micros),
            accepted: dispute.accepted,
        };
        let insert = dispute::Entity::insert(model.into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&self.db())
            .await;
        match insert {
            Ok(rows) => Ok(rows > 0),
            Err(sea_orm::DbErr::RecordNotInserted) => Ok(false),
            Err(error) => Err(error).at(DISPUTE),
        }
    }

    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when it was decided.
    pub async fn dispute_decide(&mut self, id: Id<Dispute>, accepted: bool, at: Moment) -> Result<(), StoreError> {
        let change = dispute::ActiveModel { decided_at: Set(Some(at.micros())), accepted: Set(accepted), ..Default::default() };
        let update = dispute::Entity::update_many().set(change).filter(dispute::Column::Id.eq(id.uuid()));
        let update = update.filter(dispute::Column::DecidedAt.is_null()).exec(&self.db()).await;
        touched(update.map(|result| result.rows_affected), DISPUTE)
    }
}
