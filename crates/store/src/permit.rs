//! Permits: what was granted is written once; only the state moves.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::AccessRequest,
    feed::PermitStatus,
    organization::{Organization, Siret},
    permit::{Grant, Permit, StateRecord},
    scope::ScopeSet,
    stage::Stage,
    user::User,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, FromQueryResult, IntoActiveModel, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait, Select,
};
use uuid::Uuid;

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx, Visible,
    access_request::one_line,
    counter,
    error::At,
    row::{Row, before, json, touched},
    visible::{Columns, texts, words},
};

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
        pub search: String,
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
use table::{Column, Entity, Model, Relation};

/// Every status, to read its word back.
const STATUSES: [PermitStatus; 5] =
    [PermitStatus::Active, PermitStatus::Suspended, PermitStatus::Superseded, PermitStatus::Revoked, PermitStatus::Expired];

/// Which permits are wanted, among those that the asker may see. An empty list asks for nothing in particular.
#[derive(Debug, Clone)]
pub struct PermitFilter {
    pub visible: Visible,
    pub statuses: Vec<PermitStatus>,
    pub definitions: Vec<Slug>,
    pub providers: Vec<Slug>,
    pub organizations: Vec<Id<Organization>>,
    pub applicant: Option<Id<User>>,
    /// Each word is looked for in the title, the organisation and the applicant; `H12` finds the number.
    pub text: Option<String>,
}
impl PermitFilter {
    /// Everything that the asker may see.
    #[must_use]
    pub const fn within(visible: Visible) -> Self {
        Self {
            visible,
            statuses: Vec::new(),
            definitions: Vec::new(),
            providers: Vec::new(),
            organizations: Vec::new(),
            applicant: None,
            text: None,
        }
    }

    fn condition(&self) -> Condition {
        let columns = Columns {
            definition: Column::Definition,
            provider: Column::Provider,
            organization: Column::OrganizationId,
            applicant: Column::ApplicantId,
        };
        let mut condition = Condition::all().add(self.visible.condition(&columns));
        if !self.statuses.is_empty() {
            condition = condition.add(Column::Status.is_in(self.statuses.iter().map(|status| status.as_str())));
        }
        if !self.definitions.is_empty() {
            condition = condition.add(Column::Definition.is_in(texts(&self.definitions)));
        }
        if !self.providers.is_empty() {
            condition = condition.add(Column::Provider.is_in(texts(&self.providers)));
        }
        if !self.organizations.is_empty() {
            condition = condition.add(Column::OrganizationId.is_in(self.organizations.iter().map(|id| id.uuid())));
        }
        if let Some(applicant) = self.applicant {
            condition = condition.add(Column::ApplicantId.eq(applicant.uuid()));
        }
        if let Some(text) = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            condition = condition.add(match text.to_uppercase().parse::<Number<Permit>>() {
                Ok(number) => Condition::any().add(Column::Id.eq(number.get())).add(words(Column::Search, text)),
                Err(_) => words(Column::Search, text),
            });
        }
        condition
    }
}

/// A permit as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PermitSummary {
    pub id: Number<Permit>,
    pub request: Number<AccessRequest>,
    pub definition: Slug,
    pub definition_version: i64,
    pub provider: Slug,
    pub stage: Option<Stage>,
    pub organization: Id<Organization>,
    pub organization_name: String,
    pub siret: Siret,
    pub applicant: Id<User>,
    pub applicant_name: String,
    pub title: String,
    pub status: PermitStatus,
    pub scopes: ScopeSet,
    pub granted_at: Moment,
    pub expires_at: Option<Moment>,
}

#[derive(FromQueryResult)]
struct Line {
    id: i64,
    request_id: i64,
    status: String,
    definition: String,
    definition_version: i64,
    provider: String,
    stage: Option<String>,
    applicant_id: Uuid,
    organization_id: Uuid,
    granted_at: i64,
    expires_at: Option<i64>,
    title: String,
    scopes: String,
    organization_name: String,
    siret: String,
    given_name: String,
    family_name: String,
}
impl Line {
    fn summary(self) -> Result<PermitSummary, StoreError> {
        let row = Row::new(TABLE, &self.id);
        Ok(PermitSummary {
            id: Number::new(self.id),
            request: Number::new(self.request_id),
            definition: row.parse("definition", &self.definition)?,
            definition_version: self.definition_version,
            provider: row.parse("provider", &self.provider)?,
            stage: row.parse_option("stage", self.stage.as_deref())?,
            organization: Id::from_uuid(self.organization_id),
            organization_name: self.organization_name,
            siret: row.parse("siret", &self.siret)?,
            applicant: Id::from_uuid(self.applicant_id),
            applicant_name: format!("{} {}", self.given_name, self.family_name),
            title: self.title,
            status: status(&row, &self.status)?,
            scopes: row.json("scopes", &self.scopes)?,
            granted_at: Moment::from_micros(self.granted_at),
            expires_at: self.expires_at.map(Moment::from_micros),
        })
    }
}

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

    /// Last granted first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn permit_list(&self, filter: &PermitFilter, page: Page) -> Result<Listing<PermitSummary>, StoreError> {
        let mut query = lines().filter(filter.condition());
        if let Some(after) = page.after {
            query = query.filter(before(Column::GrantedAt, Column::Id, (after.at, after.number())));
        }
        let query = query.order_by(Column::GrantedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.into_model::<Line>().all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |line| Cursor::of_number(line.granted_at, line.id), Line::summary)
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

fn lines() -> Select<Entity> {
    use crate::{organization::table as organization, user::table as user};
    Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::RequestId,
            Column::Status,
            Column::Definition,
            Column::DefinitionVersion,
            Column::Provider,
            Column::Stage,
            Column::ApplicantId,
            Column::OrganizationId,
            Column::GrantedAt,
            Column::ExpiresAt,
            Column::Title,
            Column::Scopes,
        ])
        .column_as(organization::Column::Name, "organization_name")
        .column(organization::Column::Siret)
        .column(user::Column::GivenName)
        .column(user::Column::FamilyName)
        .join(JoinType::InnerJoin, Relation::Organization.def())
        .join(JoinType::InnerJoin, Relation::Applicant.def())
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
        let (grant, record) = permit.to_parts();
        let model = Model {
            id: grant.id.get(),
            request_id: grant.request.get(),
            status: permit.status().as_str().to_owned(),
            definition: grant.definition.to_string(),
            definition_version: grant.definition_version,
            provider: self.definition_provider(&grant.definition).await?,
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
            search: self.search_text(title, grant.organization, grant.applicant).await?,
        };
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
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
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }
}

#[cfg(test)]
mod tests;
