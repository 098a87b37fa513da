//! Lists of permits, and the public register of those in force.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::AccessRequest,
    feed::PermitStatus,
    organization::{Organization, RegistryId},
    permit::{Grant, Permit, StateRecord},
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
    search::{self, Asked, Criteria, Line, Lines, Rank, Shared, late_first},
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

    fn of(self, facts: &Facts) -> Rank {
        let at = match self {
            Self::Granted => facts.granted_at,
            Self::Expires => facts.expires_at.unwrap_or(i64::MAX),
        };
        self.rank((at, facts.number))
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
}

/// A filter with the numbers that its text is.
struct Question<'a> {
    filter: &'a PermitFilter,
    request: Option<i64>,
    permit: Option<i64>,
}
impl<'a> From<&'a PermitFilter> for Question<'a> {
    fn from(filter: &'a PermitFilter) -> Self {
        let text = filter.text.as_deref();
        Self { filter, request: search::number::<AccessRequest>(text), permit: search::number::<Permit>(text) }
    }
}
impl Asked<Facts> for Question<'_> {
    fn criteria(&self) -> Criteria<'_> {
        let filter = self.filter;
        Criteria {
            visible: &filter.visible,
            definitions: &filter.definitions,
            providers: &filter.providers,
            organizations: &filter.organizations,
            applicant: filter.applicant,
            stages: &filter.stages,
            text: filter.text.as_deref(),
            people: filter.people,
        }
    }

    fn has(&self, _: &Facts) -> bool {
        true
    }

    fn is_named(&self, facts: &Facts) -> bool {
        self.permit == Some(facts.number) || self.request == Some(facts.request)
    }

    fn has_state(&self, state: u8) -> bool {
        let statuses = &self.filter.statuses;
        statuses.is_empty() || STATUSES.get(usize::from(state)).is_some_and(|status| statuses.contains(status))
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
    number: i64,
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
    /// Takes the row into the lines.
    pub(crate) fn put(self, lines: &mut Lines<Facts>, shared: &mut Shared) -> Result<(), StoreError> {
        let row = Row::new(TABLE, &self.id);
        let state = STATUSES.iter().position(|status| status.as_str() == self.status);
        let line = Line {
            state: state.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| row.corrupt("status"))?,
            stage: row.parse_option("stage", self.stage.as_deref())?,
            definition: shared.definitions.small_place(self.definition),
            provider: shared.providers.small_place(self.provider),
            organization: shared.organizations.place(&self.organization_id).ok_or_else(|| row.corrupt("organization_id"))?,
            applicant: shared.people.place(&self.applicant_id).ok_or_else(|| row.corrupt("applicant_id"))?,
        };
        let facts = Facts { number: self.id, request: self.request_id, granted_at: self.granted_at, expires_at: self.expires_at };
        lines.put(self.id, line, facts, &self.title);
        Ok(())
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
    pub siret: RegistryId,
    pub applicant: Id<User>,
    pub applicant_name: String,
    pub title: String,
    pub status: PermitStatus,
    pub scopes: ScopeSet,
    pub granted_at: Moment,
    pub expires_at: Option<Moment>,
    /// Since when it opens nothing; none while it is in force.
    pub stopped_at: Option<Moment>,
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
    record: String,
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
            stopped_at: row.json::<StateRecord>("record", &self.record)?.stopped_at(),
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
            Column::Record,
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
        let counts: [u64; STATUSES.len()] = held.permits.counts(&Question::from(filter), &held.shared);
        Ok(STATUSES.into_iter().zip(counts).collect())
    }
}

impl Held {
    fn first_permits(&self, filter: &PermitFilter, count: usize, after: Option<Rank>) -> Vec<Rank> {
        self.permits.first(&Question::from(filter), &self.shared, |facts| filter.sort.of(facts), after, count)
    }
}
