//! Lists of requests: who asks for which, in which order, and how many there are.

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::{AccessRequest, Kind, State},
    organization::{Organization, RegistryId},
    permit::Permit,
    stage::Stage,
    user::User,
};
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, RelationTrait, Select};
use uuid::Uuid;

use super::{
    KindName, TABLE, kind,
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

/// The order of a list of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestSort {
    /// The latest changed first.
    #[default]
    Changed,
    /// Who has waited longest first: by the first submission, and what was never submitted last. A request
    /// that comes back after changes keeps its place.
    Submitted,
    /// The latest opened first.
    Created,
}
impl RequestSort {
    pub const ALL: [Self; 3] = [Self::Changed, Self::Submitted, Self::Created];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Submitted => "submitted",
            Self::Created => "created",
        }
    }

    /// Where a request stands in the list; of that, what a cursor says.
    fn rank(self, rank: Rank) -> Rank {
        if self == Self::Submitted { rank } else { late_first(rank) }
    }

    fn of(self, facts: &Facts) -> Rank {
        let at = match self {
            Self::Changed => facts.updated_at,
            Self::Submitted => facts.submitted_at.unwrap_or(i64::MAX),
            Self::Created => facts.created_at,
        };
        self.rank((at, facts.number))
    }
}
impl std::str::FromStr for RequestSort {
    type Err = UnknownSort;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(UnknownSort("changed, submitted or created"))
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
    pub stages: Vec<Stage>,
    /// Amendments and stage changes of this permit.
    pub permit: Option<Number<Permit>>,
    /// Each word begins one of the title, the organisation's name and SIRET, the applicant's name and
    /// address; `D12` finds the number, `H12` the request that led to the permit and those that amend it.
    pub text: Option<String>,
    pub sort: RequestSort,
}
impl RequestFilter {
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
            states: Vec::new(),
            definitions: Vec::new(),
            providers: Vec::new(),
            organizations: Vec::new(),
            applicant: None,
            kinds: Vec::new(),
            stages: Vec::new(),
            permit: None,
            text: None,
            sort: RequestSort::Changed,
        }
    }
}

/// A filter with the numbers that its text is.
struct Question<'a> {
    filter: &'a RequestFilter,
    request: Option<i64>,
    permit: Option<i64>,
}
impl<'a> From<&'a RequestFilter> for Question<'a> {
    fn from(filter: &'a RequestFilter) -> Self {
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
            people: true,
        }
    }

    fn has(&self, facts: &Facts) -> bool {
        let (kinds, permit) = (&self.filter.kinds, self.filter.permit);
        (kinds.is_empty() || kinds.contains(&facts.kind)) && (permit.is_none() || facts.of_permit == permit.map(Number::get))
    }

    fn is_named(&self, facts: &Facts) -> bool {
        self.request == Some(facts.number) || self.permit.is_some() && (facts.permit == self.permit || facts.of_permit == self.permit)
    }

    fn has_state(&self, state: u8) -> bool {
        let states = &self.filter.states;
        states.is_empty() || State::ALL.get(usize::from(state)).is_some_and(|state| states.contains(state))
    }
}
impl Default for RequestFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// What only requests have, for lists.
#[derive(Debug)]
pub(crate) struct Facts {
    number: i64,
    kind: KindName,
    of_permit: Option<i64>,
    permit: Option<i64>,
    updated_at: i64,
    pub(crate) created_at: i64,
    pub(crate) submitted_at: Option<i64>,
    pub(crate) decided_at: Option<i64>,
}

/// A row that becomes a line of the lists.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Found {
    pub(crate) id: i64,
    state: String,
    kind: String,
    of_permit: Option<i64>,
    definition: String,
    provider: String,
    stage: Option<String>,
    pub(crate) applicant_id: Uuid,
    pub(crate) organization_id: Uuid,
    permit_id: Option<i64>,
    created_at: i64,
    updated_at: i64,
    submitted_at: Option<i64>,
    decided_at: Option<i64>,
    title: String,
}
impl Found {
    /// Takes the row into the lines.
    pub(crate) fn put(self, lines: &mut Lines<Facts>, shared: &mut Shared) -> Result<(), StoreError> {
        let row = Row::new(TABLE, &self.id);
        let state = State::ALL.iter().position(|state| state.as_str() == self.state);
        let facts = Facts {
            number: self.id,
            kind: KindName::ALL.into_iter().find(|kind| kind.as_str() == self.kind).ok_or_else(|| row.corrupt("kind"))?,
            of_permit: self.of_permit,
            permit: self.permit_id,
            updated_at: self.updated_at,
            created_at: self.created_at,
            submitted_at: self.submitted_at,
            decided_at: self.decided_at,
        };
        let line = Line {
            state: state.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| row.corrupt("state"))?,
            stage: row.parse_option("stage", self.stage.as_deref())?,
            definition: shared.definitions.small_place(self.definition),
            provider: shared.providers.small_place(self.provider),
            organization: shared.organizations.place(&self.organization_id).ok_or_else(|| row.corrupt("organization_id"))?,
            applicant: shared.people.place(&self.applicant_id).ok_or_else(|| row.corrupt("applicant_id"))?,
        };
        lines.put(self.id, line, facts, &self.title);
        Ok(())
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
    pub siret: RegistryId,
    pub title: String,
    pub version: u32,
    /// The permit that it led to.
    pub permit: Option<Number<Permit>>,
    pub created_at: Moment,
    pub updated_at: Moment,
    /// The first time.
    pub submitted_at: Option<Moment>,
}

#[derive(FromQueryResult)]
struct Shown {
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
    submitted_at: Option<i64>,
    title: String,
    organization_name: String,
    siret: String,
    given_name: String,
    family_name: String,
}
impl Shown {
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
            submitted_at: self.submitted_at.map(Moment::from_micros),
        })
    }
}

/// The rows that a page shows.
pub(crate) fn page_query(numbers: &[i64]) -> Select<Entity> {
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
            Column::SubmittedAt,
            Column::Title,
        ])
        .column_as(organization::Column::Name, "organization_name")
        .column(organization::Column::Siret)
        .column(user::Column::GivenName)
        .column(user::Column::FamilyName)
        .join(JoinType::InnerJoin, Relation::Organization.def())
        .join(JoinType::InnerJoin, Relation::Applicant.def())
        .filter(Column::Id.is_in(numbers.iter().copied()))
}

impl Reader {
    /// What lists hold of requests.
    pub(crate) async fn access_request_found(&self, rows: Rows<'_>) -> Result<Vec<Found>, StoreError> {
        found_query(rows).into_model().all(&self.db()).await.at(TABLE)
    }
}

pub(crate) fn found_query(rows: Rows<'_>) -> Select<Entity> {
    let query = Entity::find().select_only().columns([
        Column::Id,
        Column::State,
        Column::Kind,
        Column::OfPermit,
        Column::Definition,
        Column::Provider,
        Column::Stage,
        Column::ApplicantId,
        Column::OrganizationId,
        Column::PermitId,
        Column::CreatedAt,
        Column::UpdatedAt,
        Column::SubmittedAt,
        Column::DecidedAt,
        Column::Title,
    ]);
    rows.of(query, Column::Id)
}

impl Store {
    /// A page of the requests that are wanted, in the filter's order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_list(&self, filter: &RequestFilter, page: Page) -> Result<Listing<RequestSummary>, StoreError> {
        self.catch_up().await?;
        let after = page.after.map(|after| filter.sort.rank((after.at, after.number())));
        let ranks = self.lists().held().first_requests(filter, page.rows() + 1, after);
        // Of the last one only its being there matters.
        let places: Vec<Rank> = ranks.into_iter().map(|rank| filter.sort.rank(rank)).collect();
        let numbers: Vec<i64> = places.iter().map(|(_, number)| *number).collect();
        let rows = page_query(&numbers).into_model::<Shown>().all(&self.read().db()).await.at(TABLE)?;
        page.arrange(&places, rows, |row| row.id, Shown::summary)
    }

    /// How many are wanted in each state, the states with none included; the filter's own states do not matter.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_counts(&self, filter: &RequestFilter) -> Result<Vec<(State, u64)>, StoreError> {
        self.catch_up().await?;
        let held = self.lists().held();
        let counts: [u64; State::ALL.len()] = held.requests.counts(&Question::from(filter), &held.shared);
        Ok(State::ALL.into_iter().zip(counts).collect())
    }

    /// The request that follows another one in the list, whether that one is still wanted or not.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn access_request_after(
        &self,
        filter: &RequestFilter,
        number: Number<AccessRequest>,
    ) -> Result<Option<Number<AccessRequest>>, StoreError> {
        self.catch_up().await?;
        let held = self.lists().held();
        let Some(facts) = held.requests.get(number.get()) else { return Ok(None) };
        let next = held.first_requests(filter, 1, Some(filter.sort.of(facts)));
        Ok(next.first().map(|rank| Number::new(filter.sort.rank(*rank).1)))
    }
}

impl Held {
    fn first_requests(&self, filter: &RequestFilter, count: usize, after: Option<Rank>) -> Vec<Rank> {
        self.requests.first(&Question::from(filter), &self.shared, |facts| filter.sort.of(facts), after, count)
    }
}
