//! Access requests: each in one row, its answers and what belongs to its state as JSON.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::{AccessRequest, Header, Kind, State, StateRecord},
    feed::PermitStatus,
    organization::{Organization, Siret},
    permit::Permit,
    stage::Stage,
    user::User,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, FromQueryResult, IntoActiveModel, JoinType, Order, QueryFilter, QueryOrder, QuerySelect,
    RelationTrait, Select,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    Cursor, Listing, Page, Reader, StoreError, Tx, Visible, counter,
    error::At,
    row::{Row, before, json, touched},
    visible::{Columns, texts, words},
};

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

/// The name of a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KindName {
    Initial,
    Amendment,
    StageChange,
}
impl KindName {
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

/// Which requests are wanted, among those that the asker may see. An empty list asks for nothing in particular.
#[derive(Debug, Clone)]
pub struct RequestFilter {
    pub visible: Visible,
    pub states: Vec<State>,
    pub definitions: Vec<Slug>,
    pub providers: Vec<Slug>,
    pub organizations: Vec<Id<Organization>>,
    pub applicant: Option<Id<User>>,
    pub kinds: Vec<KindName>,
    /// Amendments and stage changes of this permit.
    pub permit: Option<Number<Permit>>,
    /// Each word is looked for in the title, the organisation and the applicant; `D12` finds the number.
    pub text: Option<String>,
}
impl RequestFilter {
    /// Everything that the asker may see.
    #[must_use]
    pub const fn within(visible: Visible) -> Self {
        Self {
            visible,
            states: Vec::new(),
            definitions: Vec::new(),
            providers: Vec::new(),
            organizations: Vec::new(),
            applicant: None,
            kinds: Vec::new(),
            permit: None,
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
        if !self.states.is_empty() {
            condition = condition.add(Column::State.is_in(self.states.iter().map(|state| state.as_str())));
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
        if !self.kinds.is_empty() {
            condition = condition.add(Column::Kind.is_in(self.kinds.iter().map(|kind| kind.as_str())));
        }
        if let Some(permit) = self.permit {
            condition = condition.add(Column::OfPermit.eq(permit.get()));
        }
        if let Some(text) = self.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            condition = condition.add(match text.to_uppercase().parse::<Number<AccessRequest>>() {
                Ok(number) => Condition::any().add(Column::Id.eq(number.get())).add(words(Column::Search, text)),
                Err(_) => words(Column::Search, text),
            });
        }
        condition
    }
}

/// A request as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSummary {
    pub id: Number<AccessRequest>,
    pub state: State,
    pub kind: Kind,
    pub definition: Slug,
    pub definition_version: i64,
    pub provider: Slug,
    pub form: Slug,
    pub stage: Option<Stage>,
    pub applicant: Id<User>,
    pub applicant_name: String,
    pub organization: Id<Organization>,
    pub organization_name: String,
    pub siret: Siret,
    pub title: String,
    pub version: u32,
    /// The permit that it led to.
    pub permit: Option<Number<Permit>>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

#[derive(FromQueryResult)]
struct Line {
    id: i64,
    state: String,
    kind: String,
    of_permit: Option<i64>,
    definition: String,
    definition_version: i64,
    provider: String,
    form: String,
    stage: Option<String>,
    applicant_id: Uuid,
    organization_id: Uuid,
    version: i64,
    permit_id: Option<i64>,
    created_at: i64,
    updated_at: i64,
    title: String,
    organization_name: String,
    siret: String,
    given_name: String,
    family_name: String,
}
impl Line {
    fn summary(self) -> Result<RequestSummary, StoreError> {
        let row = Row::new(TABLE, &self.id);
        Ok(RequestSummary {
            id: Number::new(self.id),
            state: row.word("state", &self.state)?,
            kind: kind(&row, &self.kind, self.of_permit)?,
            definition: row.parse("definition", &self.definition)?,
            definition_version: self.definition_version,
            provider: row.parse("provider", &self.provider)?,
            form: row.parse("form", &self.form)?,
            stage: row.parse_option("stage", self.stage.as_deref())?,
            applicant: Id::from_uuid(self.applicant_id),
            applicant_name: format!("{} {}", self.given_name, self.family_name),
            organization: Id::from_uuid(self.organization_id),
            organization_name: self.organization_name,
            siret: row.parse("siret", &self.siret)?,
            title: self.title,
            version: row.number("version", self.version)?,
            permit: self.permit_id.map(Number::new),
            created_at: Moment::from_micros(self.created_at),
            updated_at: Moment::from_micros(self.updated_at),
        })
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

    /// Last changed first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_list(&self, filter: &RequestFilter, page: Page) -> Result<Listing<RequestSummary>, StoreError> {
        let mut query = lines().filter(filter.condition());
        if let Some(after) = page.after {
            query = query.filter(before(Column::UpdatedAt, Column::Id, (after.at, after.number())));
        }
        let query = query.order_by(Column::UpdatedAt, Order::Desc).order_by(Column::Id, Order::Desc).limit(page.fetch());
        let rows = query.into_model::<Line>().all(&self.db()).await.at(TABLE)?;
        page.cut(rows, |line| Cursor::of_number(line.updated_at, line.id), Line::summary)
    }

    /// How many in each state, the states with none included.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_counts(&self, filter: &RequestFilter) -> Result<Vec<(State, u64)>, StoreError> {
        let query = Entity::find().select_only().column(Column::State).column_as(Column::Id.count(), "rows").filter(filter.condition());
        let rows: Vec<(String, i64)> = query.group_by(Column::State).into_tuple().all(&self.db()).await.at(TABLE)?;
        let count = |state: State| rows.iter().find(|(name, _)| name == state.as_str()).map_or(0, |(_, rows)| *rows);
        Ok(State::ALL.into_iter().map(|state| (state, u64::try_from(count(state)).unwrap_or(0))).collect())
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

    /// What a search looks through: title, organisation and applicant, in lower case.
    pub(crate) async fn search_text(&self, title: &str, organization: Id<Organization>, applicant: Id<User>) -> Result<String, StoreError> {
        let organization = self.organization_by_id(organization).await?;
        let applicant = self.user_by_id(applicant).await?;
        let mut text = one_line(title);
        if let Some(organization) = organization {
            text = format!("{text} {} {}", organization.name, organization.siret);
        }
        if let Some(applicant) = applicant {
            text = format!("{text} {} {}", applicant.full_name(), applicant.email);
        }
        Ok(text.to_lowercase())
    }
}

const OPEN: [State; 3] = [State::Draft, State::Submitted, State::ChangesRequested];

fn lines() -> Select<Entity> {
    use crate::{organization::table as organization, user::table as user};
    Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::State,
            Column::Kind,
            Column::OfPermit,
            Column::Definition,
            Column::DefinitionVersion,
            Column::Provider,
            Column::Form,
            Column::Stage,
            Column::ApplicantId,
            Column::OrganizationId,
            Column::Version,
            Column::PermitId,
            Column::CreatedAt,
            Column::UpdatedAt,
            Column::Title,
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
    pub async fn access_request_next(&mut self) -> Result<Number<AccessRequest>, StoreError> {
        counter::next(&self.db(), TABLE).await.map(Number::new)
    }

    /// `title` is what lists show.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the version of the definition, the organisation or the applicant is not there.
    pub async fn access_request_insert(&mut self, request: &AccessRequest, title: &str) -> Result<(), StoreError> {
        let model = self.access_request_model(request, title).await?;
        Entity::insert(model.into_active_model()).exec_without_returning(&self.db()).await.at(TABLE).map(|_| ())
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
            search: Set(model.search),
            ..Default::default()
        };
        let update =
            Entity::update_many().set(change).filter(Column::Id.eq(model.id)).filter(Column::Version.eq(i64::from(expected_version)));
        touched(update.exec(&self.db()).await.map(|result| result.rows_affected), TABLE)
    }

    async fn access_request_model(&self, request: &AccessRequest, title: &str) -> Result<Model, StoreError> {
        let (header, record) = request.to_parts();
        let (kind, of_permit) = match &header.kind {
            Kind::Initial => (KindName::Initial, None),
            Kind::Amendment { of } => (KindName::Amendment, Some(of.get())),
            Kind::StageChange { from } => (KindName::StageChange, Some(from.get())),
        };
        Ok(Model {
            id: header.id.get(),
            state: request.state().as_str().to_owned(),
            kind: kind.as_str().to_owned(),
            of_permit,
            definition: header.definition.to_string(),
            definition_version: header.definition_version,
            provider: self.definition_provider(&header.definition).await?,
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
            search: self.search_text(title, header.organization, header.applicant).await?,
        })
    }
}

#[cfg(test)]
mod tests;
