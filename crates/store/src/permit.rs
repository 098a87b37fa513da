//! Permits: what was granted is written once; only the state moves.

use octroi_domain::{
    Moment, Number,
    access_request::AccessRequest,
    feed::PermitStatus,
    permit::{Grant, Permit, StateRecord},
    scope::ScopeSet,
    stage::Stage,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Page, Reader, StoreError, Tx,
    access_request::one_line,
    counter,
    error::At,
    row::{Row, json, touched},
};

mod list;

pub(crate) use list::{Facts, Found};
pub use list::{PermitFilter, PermitSort, PermitSummary};

pub(crate) const TABLE: &str = "permit";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "permit")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub request_id: i64,
        pub status: String,
        pub definition: String,
        pub definition_version: i64,
        pub provider: String,
        pub stage: Option<String>,
        pub applicant_id: Uuid,
        pub organization_id: Uuid,
        pub granted_at: i64,
        pub expires_at: Option<i64>,
        pub title: String,
        pub scopes: String,
        pub frozen: String,
        pub record: String,
        pub content: Vec<u8>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "crate::organization::table::Entity",
            from = "Column::OrganizationId",
            to = "crate::organization::table::Column::Id"
        )]
        Organization,
        #[sea_orm(belongs_to = "crate::user::table::Entity", from = "Column::ApplicantId", to = "crate::user::table::Column::Id")]
        Applicant,
    }
    impl ActiveModelBehavior for ActiveModel {}
}
use table::{Column, Entity, Model};

/// Every status, to read its word back.
pub(crate) const STATUSES: [PermitStatus; 5] =
    [PermitStatus::Active, PermitStatus::Suspended, PermitStatus::Superseded, PermitStatus::Revoked, PermitStatus::Expired];

pub(crate) fn status(row: &Row<'_>, text: &str) -> Result<PermitStatus, StoreError> {
    STATUSES.into_iter().find(|status| status.as_str() == text).ok_or_else(|| row.corrupt("status"))
}

/// The columns that repeat what is frozen must say the same.
pub(crate) fn permit(model: &Model) -> Result<Permit, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let grant: Grant = row.json("frozen", &model.frozen)?;
    let scopes: ScopeSet = row.json("scopes", &model.scopes)?;
    let same = grant.id.get() == model.id
        && grant.request.get() == model.request_id
        && grant.organization.uuid() == model.organization_id
        && grant.definition.as_str() == model.definition
        && grant.stage.map(Stage::as_str) == model.stage.as_deref()
        && grant.expires_at.map(Moment::micros) == model.expires_at
        && grant.content.0.as_slice() == model.content
        && grant.scopes == scopes;
    if !same {
        return Err(row.corrupt("frozen"));
    }
    let record: StateRecord = row.json("record", &model.record)?;
    let permit = Permit::from_parts(grant, record);
    if permit.status().as_str() == model.status { Ok(permit) } else { Err(row.corrupt("status")) }
}

/// The row of a permit.
pub(crate) fn model(permit: &Permit, title: &str, provider: String) -> Result<Model, StoreError> {
    let (grant, record) = permit.to_parts();
    Ok(Model {
        id: grant.id.get(),
        request_id: grant.request.get(),
        status: permit.status().as_str().to_owned(),
        definition: grant.definition.to_string(),
        definition_version: grant.definition_version,
        provider,
        stage: grant.stage.map(|stage| stage.to_string()),
        applicant_id: grant.applicant.uuid(),
        organization_id: grant.organization.uuid(),
        granted_at: grant.granted_at.micros(),
        expires_at: grant.expires_at.map(Moment::micros),
        title: one_line(title),
        scopes: json(TABLE, &grant.scopes)?,
        frozen: json(TABLE, grant)?,
        record: json(TABLE, &record)?,
        content: grant.content.0.to_vec(),
    })
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn permit_by_number(&self, id: Number<Permit>) -> Result<Option<Permit>, StoreError> {
        Entity::find_by_id(id.get()).one(&self.db()).await.at(TABLE)?.as_ref().map(permit).transpose()
    }

    /// # Errors
    /// [`StoreError`]
    pub async fn permit_of_request(&self, request: Number<AccessRequest>) -> Result<Option<Permit>, StoreError> {
        let query = Entity::find().filter(Column::RequestId.eq(request.get()));
        query.one(&self.db()).await.at(TABLE)?.as_ref().map(permit).transpose()
    }

    /// Permits in force or suspended that are out of date at `before`, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn permits_due(&self, before: Moment, limit: u32) -> Result<Vec<Permit>, StoreError> {
        let query = Entity::find()
            .filter(Column::Status.is_in([PermitStatus::Active.as_str(), PermitStatus::Suspended.as_str()]))
            .filter(Column::ExpiresAt.lte(before.micros()))
            .order_by_asc(Column::ExpiresAt)
            .limit(u64::from(limit.min(Page::MAX)));
        query.all(&self.db()).await.at(TABLE)?.iter().map(permit).collect()
    }

    /// Permits by number, for the verification of the ledger.
    pub(crate) async fn permit_rows(&self, after: i64, limit: u64) -> Result<Vec<Model>, StoreError> {
        let query = Entity::find().filter(Column::Id.gt(after)).order_by_asc(Column::Id).limit(limit);
        query.all(&self.db()).await.at(TABLE)
    }
}

impl Tx {
    /// Takes the next number: 1, 2, 3, …; one that is rolled back is given again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn permit_next(&mut self) -> Result<Number<Permit>, StoreError> {
        counter::next(&self.db(), TABLE).await.map(Number::new)
    }

    /// `title` is what lists show.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the request has a permit already, or what it points at is not there.
    pub async fn permit_insert(&mut self, permit: &Permit, title: &str) -> Result<(), StoreError> {
        let grant = permit.grant();
        let model = model(permit, title, self.definition_provider(&grant.definition).await?)?;
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE)?;
        self.wrote(grant.id);
        Ok(())
    }

    /// Reads a permit and keeps every other writer of it waiting until this transaction ends.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn permit_lock(&mut self, id: Number<Permit>) -> Result<Option<Permit>, StoreError> {
        Entity::find_by_id(id.get()).lock_exclusive().one(&self.db()).await.at(TABLE)?.as_ref().map(permit).transpose()
    }

    /// Writes the state, and nothing else, over the state that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when another state is there.
    pub async fn permit_save(&mut self, permit: &Permit, expected: PermitStatus) -> Result<(), StoreError> {
        let (grant, record) = permit.to_parts();
        let change = table::ActiveModel {
            status: Set(permit.status().as_str().to_owned()),
            record: Set(json(TABLE, &record)?),
            ..Default::default()
        };
        let update = Entity::update_many().set(change).filter(Column::Id.eq(grant.id.get())).filter(Column::Status.eq(expected.as_str()));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)?;
        self.wrote(grant.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
