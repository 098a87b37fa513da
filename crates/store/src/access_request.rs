//! Access requests: each in one row, its answers and what belongs to its state as JSON.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::{AccessRequest, Header, Kind, State, StateRecord},
    feed::PermitStatus,
    organization::Organization,
    permit::Permit,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Reader, StoreError, Tx, counter,
    error::At,
    row::{Row, json, touched},
};

mod list;

pub(crate) use list::{Facts, Found};
pub use list::{RequestFilter, RequestSort, RequestSummary};
#[cfg(feature = "seed")]
pub(crate) use list::{found_query, page_query};

pub(crate) const TABLE: &str = "access_request";

pub(crate) mod table {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "access_request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub state: String,
        pub kind: String,
        pub of_permit: Option<i64>,
        pub definition: String,
        pub definition_version: i64,
        pub provider: String,
        pub form: String,
        pub stage: Option<String>,
        pub applicant_id: Uuid,
        pub organization_id: Uuid,
        pub version: i64,
        pub permit_id: Option<i64>,
        pub created_at: i64,
        pub updated_at: i64,
        pub title: String,
        pub answers: String,
        pub record: String,
        pub content: Vec<u8>,
        pub submitted_at: Option<i64>,
        pub decided_at: Option<i64>,
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

/// The name of a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    Initial,
    Amendment,
    StageChange,
}
impl KindName {
    pub const ALL: [Self; 3] = [Self::Initial, Self::Amendment, Self::StageChange];

    #[must_use]
    pub const fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Initial => Self::Initial,
            Kind::Amendment { .. } => Self::Amendment,
            Kind::StageChange { .. } => Self::StageChange,
        }
    }
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Amendment => "amendment",
            Self::StageChange => "stage_change",
        }
    }
}

fn kind(row: &Row<'_>, name: &str, permit: Option<i64>) -> Result<Kind, StoreError> {
    match (name, permit.map(Number::new)) {
        ("initial", None) => Ok(Kind::Initial),
        ("amendment", Some(of)) => Ok(Kind::Amendment { of }),
        ("stage_change", Some(from)) => Ok(Kind::StageChange { from }),
        _ => Err(row.corrupt("kind")),
    }
}

fn request(model: &Model) -> Result<AccessRequest, StoreError> {
    let row = Row::new(TABLE, &model.id);
    let header = Header {
        id: Number::new(model.id),
        kind: kind(&row, &model.kind, model.of_permit)?,
        definition: row.parse("definition", &model.definition)?,
        definition_version: model.definition_version,
        form: row.parse("form", &model.form)?,
        stage: row.parse_option("stage", model.stage.as_deref())?,
        applicant: Id::from_uuid(model.applicant_id),
        organization: Id::from_uuid(model.organization_id),
        created_at: Moment::from_micros(model.created_at),
        updated_at: Moment::from_micros(model.updated_at),
        version: row.number("version", model.version)?,
        answers: row.json("answers", &model.answers)?,
    };
    if header.content().0.as_slice() != model.content {
        return Err(row.corrupt("content"));
    }
    let record: StateRecord = row.json("record", &model.record)?;
    let request = AccessRequest::from_parts(header, record);
    if request.state().as_str() == model.state { Ok(request) } else { Err(row.corrupt("state")) }
}

/// One line, without what a search could not show.
pub(crate) fn one_line(title: &str) -> String {
    title.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect::<String>().trim().to_owned()
}

impl Reader {
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_by_number(&self, id: Number<AccessRequest>) -> Result<Option<AccessRequest>, StoreError> {
        Entity::find_by_id(id.get()).one(&self.db()).await.at(TABLE)?.as_ref().map(request).transpose()
    }

    /// The request that keeps an organisation from opening another one for a definition: one that is
    /// still open, or was approved and whose permit has not ended.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_active(
        &self,
        definition: &Slug,
        organization: Id<Organization>,
    ) -> Result<Option<Number<AccessRequest>>, StoreError> {
        use crate::permit::table as permit;
        let granted = permit::Entity::find()
            .select_only()
            .column(permit::Column::RequestId)
            .filter(permit::Column::Definition.eq(definition.as_str()))
            .filter(permit::Column::OrganizationId.eq(organization.uuid()))
            .filter(permit::Column::Status.is_in([PermitStatus::Active.as_str(), PermitStatus::Suspended.as_str()]))
            .order_by_asc(permit::Column::Id)
            .limit(1);
        let open = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Definition.eq(definition.as_str()))
            .filter(Column::OrganizationId.eq(organization.uuid()))
            .filter(Column::Kind.eq(KindName::Initial.as_str()))
            .filter(Column::State.is_in(OPEN.map(State::as_str)))
            .order_by_asc(Column::Id)
            .limit(1);
        let found: Option<i64> = match open.into_tuple().one(&self.db()).await.at(TABLE)? {
            Some(found) => Some(found),
            None => granted.into_tuple().one(&self.db()).await.at(TABLE)?,
        };
        Ok(found.map(Number::new))
    }

    /// The amendment or stage change of a permit that is still open.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_open_of(&self, permit: Number<Permit>) -> Result<Option<Number<AccessRequest>>, StoreError> {
        let query = Entity::find().select_only().column(Column::Id).filter(Column::OfPermit.eq(permit.get()));
        let query = query.filter(Column::State.is_in(OPEN.map(State::as_str))).order_by_asc(Column::Id).limit(1);
        Ok(query.into_tuple::<i64>().one(&self.db()).await.at(TABLE)?.map(Number::new))
    }

    /// The first request that is approved without its permit, or has a permit without being approved: a fault.
    pub(crate) async fn access_request_without_permit(&self) -> Result<Option<Number<AccessRequest>>, StoreError> {
        use crate::permit::table as permit;
        let anothers = ExprTrait::not_equals(Expr::col((permit::Entity, permit::Column::Id)), (Entity, Column::PermitId));
        let not_its_own = Condition::any().add(permit::Column::Id.is_null()).add(Column::PermitId.is_null()).add(anothers);
        let approved = Condition::all().add(Column::State.eq(State::Approved.as_str())).add(not_its_own);
        let other = Condition::all().add(Column::State.ne(State::Approved.as_str())).add(permit::Column::Id.is_not_null());
        let query = Entity::find()
            .select_only()
            .column(Column::Id)
            .join(JoinType::LeftJoin, Entity::belongs_to(permit::Entity).from(Column::Id).to(permit::Column::RequestId).into())
            .filter(Condition::any().add(approved).add(other))
            .order_by_asc(Column::Id)
            .limit(1);
        Ok(query.into_tuple::<i64>().one(&self.db()).await.at(TABLE)?.map(Number::new))
    }
}

const OPEN: [State; 3] = [State::Draft, State::Submitted, State::ChangesRequested];

impl Tx {
    /// Takes the next number: 1, 2, 3, …; one that is rolled back is given again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_next(&mut self) -> Result<Number<AccessRequest>, StoreError> {
        counter::next(&self.db(), TABLE).await.map(Number::new)
    }

    /// `title` is what lists show.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version of the definition, the organisation or the applicant is not there.
    pub async fn access_request_insert(&mut self, request: &AccessRequest, title: &str) -> Result<(), StoreError> {
        let model = self.access_request_model(request, title).await?;
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE)?;
        self.wrote(request.header().id);
        Ok(())
    }

    /// Reads a request and keeps every other writer of it waiting until this transaction ends.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_lock(&mut self, id: Number<AccessRequest>) -> Result<Option<AccessRequest>, StoreError> {
        Entity::find_by_id(id.get()).lock_exclusive().one(&self.db()).await.at(TABLE)?.as_ref().map(request).transpose()
    }

    /// Writes a request over the version that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] with [`crate::Why::Stale`] when another version is there.
    pub async fn access_request_save(&mut self, request: &AccessRequest, expected_version: u32, title: &str) -> Result<(), StoreError> {
        let model = self.access_request_model(request, title).await?;
        let change = table::ActiveModel {
            state: Set(model.state),
            applicant_id: Set(model.applicant_id),
            version: Set(model.version),
            permit_id: Set(model.permit_id),
            updated_at: Set(model.updated_at),
            title: Set(model.title),
            answers: Set(model.answers),
            record: Set(model.record),
            content: Set(model.content),
            ..Default::default()
        };
        // Both are the first of their kind: what comes later leaves them as they are.
        let first = |column: Column, at: Option<i64>| Expr::col(column).if_null(at);
        let update = Entity::update_many()
            .set(change)
            .col_expr(Column::SubmittedAt, first(Column::SubmittedAt, model.submitted_at))
            .col_expr(Column::DecidedAt, first(Column::DecidedAt, model.decided_at))
            .filter(Column::Id.eq(model.id))
            .filter(Column::Version.eq(i64::from(expected_version)));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)?;
        self.wrote(request.header().id);
        Ok(())
    }

    async fn access_request_model(&self, request: &AccessRequest, title: &str) -> Result<Model, StoreError> {
        model(request, title, self.definition_provider(&request.header().definition).await?)
    }
}

/// The row of a request that is what it is since its last change.
pub(crate) fn model(request: &AccessRequest, title: &str, provider: String) -> Result<Model, StoreError> {
    let (header, record) = request.to_parts();
    let (kind, of_permit) = match &header.kind {
        Kind::Initial => (KindName::Initial, None),
        Kind::Amendment { of } => (KindName::Amendment, Some(of.get())),
        Kind::StageChange { from } => (KindName::StageChange, Some(from.get())),
    };
    let since = |states: &[State]| states.contains(&request.state()).then_some(header.updated_at.micros());
    Ok(Model {
        id: header.id.get(),
        state: request.state().as_str().to_owned(),
        kind: kind.as_str().to_owned(),
        of_permit,
        definition: header.definition.to_string(),
        definition_version: header.definition_version,
        provider,
        form: header.form.to_string(),
        stage: header.stage.map(|stage| stage.to_string()),
        applicant_id: header.applicant.uuid(),
        organization_id: header.organization.uuid(),
        version: i64::from(header.version),
        permit_id: request.permit().map(Number::get),
        created_at: header.created_at.micros(),
        updated_at: header.updated_at.micros(),
        title: one_line(title),
        answers: json(TABLE, &header.answers)?,
        record: json(TABLE, &record)?,
        content: header.content().0.to_vec(),
        submitted_at: since(&[State::Submitted]),
        decided_at: since(&[State::Approved, State::Refused]),
    })
}

#[cfg(test)]
mod tests;
