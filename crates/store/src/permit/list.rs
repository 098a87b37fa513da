//! Lists of permits, and the public register of those in force.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::AccessRequest,
    feed::PermitStatus,
    fold,
    organization::{Organization, Siret},
    permit::{Grant, Permit},
    scope::ScopeSet,
    stage::Stage,
    user::User,
};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, RelationTrait, Select};
use uuid::Uuid;

use super::{
    STATUSES, TABLE, status,
    table::{Column, Entity, Relation},
};
use crate::{
    Listing, Page, Reader, Store, StoreError, Visible,
    error::At,
    lists::{Held, Rows},
    page::UnknownSort,
    row::Row,
    search::{self, Criteria, Line, Rank, Shared, Wanted, late_first},
};

/// The order of a list of permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PermitSort {
    /// The latest granted first.
    #[default]
    Granted,
    /// What expires soonest first, and what never expires last.
    Expires,
}
impl PermitSort {
    pub const ALL: [Self; 2] = [Self::Granted, Self::Expires];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Expires => "expires",
        }
    }

    /// Where a permit stands in the list; of that, what a cursor says.
    fn rank(self, rank: Rank) -> Rank {
        if self == Self::Expires { rank } else { late_first(rank) }
    }

    fn of(self, line: &Line<Facts>) -> Rank {
        let at = match self {
            Self::Granted => line.facts.granted_at,
            Self::Expires => line.facts.expires_at.unwrap_or(i64::MAX),
        };
        self.rank((at, line.number))
    }
}
impl std::str::FromStr for PermitSort {
    type Err = UnknownSort;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(UnknownSort("granted or expires"))
    }
}

/// Which permits are wanted, among those that the asker may see. An empty list asks for nothing in particular.
#[derive(Debug, Clone)]
pub struct PermitFilter {
    pub visible: Visible,
    pub statuses: Vec<PermitStatus>,
    pub definitions: Vec<Slug>,
    pub providers: Vec<Slug>,
    pub organizations: Vec<Id<Organization>>,
    pub applicant: Option<Id<User>>,
    pub stages: Vec<Stage>,
    /// Each word begins one of the title, the organisation's name and SIRET, and the applicant's name and
    /// address; `H12` finds the number, `D12` the permit that the request led to.
    pub text: Option<String>,
    /// Are the applicants' names and addresses looked through? Not for those who may not know them.
    pub people: bool,
    pub sort: PermitSort,
}
impl PermitFilter {
    /// What nobody sees: an operation says what its principal sees.
    #[must_use]
    pub const fn new() -> Self {
        Self::within(Visible::nothing())
    }

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
            stages: Vec::new(),
            text: None,
            people: true,
            sort: PermitSort::Granted,
        }
    }

    /// Is the line wanted, whatever its status?
    fn wanted<'a>(&'a self, shared: &Shared) -> impl Fn(&Line<Facts>) -> bool + use<'a> {
        let criteria = Criteria {
            visible: &self.visible,
            definitions: &self.definitions,
            providers: &self.providers,
            organizations: &self.organizations,
            applicant: self.applicant,
            stages: &self.stages,
            text: self.text.as_deref(),
            people: self.people,
        };
        let wanted = Wanted::new(&criteria, shared);
        let (request, permit) = (search::number::<AccessRequest>(criteria.text), search::number::<Permit>(criteria.text));
        move |line| wanted.has(line, || permit == Some(line.number) || request == Some(line.facts.request))
    }

    fn has_status(&self, line: &Line<Facts>) -> bool {
        self.statuses.is_empty() || STATUSES.get(line.state).is_some_and(|status| self.statuses.contains(status))
    }
}
impl Default for PermitFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// What only permits have, for lists.
#[derive(Debug)]
pub(crate) struct Facts {
    request: i64,
    granted_at: i64,
    expires_at: Option<i64>,
}

/// A row that becomes a line of the lists.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Found {
    pub(crate) id: i64,
    request_id: i64,
    status: String,
    definition: String,
    provider: String,
    stage: Option<String>,
    pub(crate) applicant_id: Uuid,
    pub(crate) organization_id: Uuid,
    granted_at: i64,
    expires_at: Option<i64>,
    title: String,
}
impl Found {
    pub(crate) fn line(self, shared: &mut Shared) -> Result<Line<Facts>, StoreError> {
        let row = Row::new(TABLE, &self.id);
        Ok(Line {
            number: self.id,
            state: STATUSES.iter().position(|status| status.as_str() == self.status).ok_or_else(|| row.corrupt("status"))?,
            stage: row.parse_option("stage", self.stage.as_deref())?,
            definition: shared.definitions.place_of(self.definition),
            provider: shared.providers.place_of(self.provider),
            organization: shared.organizations.place(&self.organization_id).ok_or_else(|| row.corrupt("organization_id"))?,
            applicant: shared.people.place(&self.applicant_id).ok_or_else(|| row.corrupt("applicant_id"))?,
            title: fold::folded(&self.title).into_boxed_str(),
            facts: Facts { request: self.request_id, granted_at: self.granted_at, expires_at: self.expires_at },
        })
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
struct Shown {
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
impl Shown {
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

impl Reader {
    /// What lists hold of permits.
    pub(crate) async fn permit_found(&self, rows: Rows<'_>) -> Result<Vec<Found>, StoreError> {
        let query = Entity::find().select_only().columns([
            Column::Id,
            Column::RequestId,
            Column::Status,
            Column::Definition,
            Column::Provider,
            Column::Stage,
            Column::ApplicantId,
            Column::OrganizationId,
            Column::GrantedAt,
            Column::ExpiresAt,
            Column::Title,
        ]);
        rows.of(query, Column::Id).into_model().all(&self.db()).await.at(TABLE)
    }

    /// What permits say, those of `numbers` that exist, in no order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn grants(&self, numbers: &[Number<Permit>]) -> Result<Vec<Grant>, StoreError> {
        let query = Entity::find().select_only().columns([Column::Id, Column::Frozen]);
        let rows: Vec<(i64, String)> =
            query.filter(Column::Id.is_in(numbers.iter().map(|number| number.get()))).into_tuple().all(&self.db()).await.at(TABLE)?;
        rows.into_iter().map(|(id, frozen)| Row::new(TABLE, &id).json("frozen", &frozen)).collect()
    }
}

impl Store {
    /// A page of the permits that are wanted, in the filter's order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn permit_list(&self, filter: &PermitFilter, page: Page) -> Result<Listing<PermitSummary>, StoreError> {
        self.catch_up().await?;
        let after = page.after.map(|after| filter.sort.rank((after.at, after.number())));
        let ranks = self.lists().held().first_permits(filter, page.rows() + 1, after);
        let places: Vec<Rank> = ranks.into_iter().map(|rank| filter.sort.rank(rank)).collect();
        let query = lines().filter(Column::Id.is_in(places.iter().map(|(_, number)| *number)));
        let rows = query.into_model::<Shown>().all(&self.read().db()).await.at(TABLE)?;
        page.arrange(&places, rows, |row| row.id, Shown::summary)
    }

    /// How many are wanted in each status, those with none included; the filter's own statuses do not matter.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn permit_counts(&self, filter: &PermitFilter) -> Result<Vec<(PermitStatus, u64)>, StoreError> {
        self.catch_up().await?;
        let held = self.lists().held();
        let counts: [u64; STATUSES.len()] = held.permits.counts(filter.wanted(&held.shared));
        Ok(STATUSES.into_iter().zip(counts).collect())
    }
}

impl Held {
    fn first_permits(&self, filter: &PermitFilter, count: usize, after: Option<Rank>) -> Vec<Rank> {
        let wanted = filter.wanted(&self.shared);
        self.permits.first(count, after, |line| filter.has_status(line) && wanted(line), |line| filter.sort.of(line))
    }
}
