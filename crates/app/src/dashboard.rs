//! What waits for the reader first, then what is theirs.

use std::collections::BTreeSet;

use octroi_domain::{
    Id, Moment, Slug,
    access_request::State,
    application::SubscriptionState,
    feed::PermitStatus,
    organization::Organization,
    policy::{Action, Person, Subject},
    user::Perimeter,
};
use octroi_store::{Awaited, Page, PermitFilter, PermitSort, Reader, RequestFilter, RequestSort, SubscriptionFilter, Waiting};
use serde::Serialize;

use crate::{
    context::{App, Context},
    error::Error,
    view::{ApplicationView, List, PermitLine, RequestLine},
};

/// A permit that ends within so many days is worth a word.
pub const EXPIRES_SOON_DAYS: i64 = 90;
/// A permit that was stopped is worth a word for so many days, and as long as an application rests on it.
pub const STOPPED_DAYS: i64 = 30;
/// Lines of each list.
const LINES: u32 = 20;
/// Permits that are looked through for one that nothing uses.
const LOOKED_THROUGH: u32 = 200;

/// Messages that wait on a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessagesWaiting {
    pub request: String,
    pub title: String,
    pub organization: String,
    pub messages: u64,
    /// Of the latest.
    pub at: String,
}
impl From<Waiting> for MessagesWaiting {
    fn from(waiting: Waiting) -> Self {
        Self {
            request: waiting.request.to_string(),
            title: waiting.title,
            organization: waiting.organization,
            messages: waiting.messages,
            at: waiting.at.to_string(),
        }
    }
}

/// What waits for the one who applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ForApplicant {
    pub changes_requested: Vec<RequestLine>,
    pub messages: Vec<MessagesWaiting>,
    pub drafts: Vec<RequestLine>,
    /// Permits of their organisations that end within [`EXPIRES_SOON_DAYS`], the first to end first.
    pub expiring: Vec<PermitLine>,
    /// Permits of their organisations that are suspended, or were revoked or expired lately, or that an application
    /// still rests on: its calls are refused.
    pub stopped: Vec<PermitLine>,
    /// Permits in force that no application uses.
    pub unused: Vec<PermitLine>,
}

/// What waits for one who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForReviewer {
    pub submitted: u64,
    /// The first submitted first.
    pub oldest: Vec<RequestLine>,
    pub messages: Vec<MessagesWaiting>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dashboard {
    pub for_applicant: ForApplicant,
    /// None for one who decides nothing.
    pub for_reviewer: Option<ForReviewer>,
    /// Made by the person, the latest changed first.
    pub requests: List<RequestLine>,
    /// Of the person's organisations.
    pub permits: List<PermitLine>,
    pub applications: List<ApplicationView>,
}

/// The definitions and providers that a person decides for, none named twice.
async fn decided(reader: &Reader, person: &Person) -> Result<(Vec<Slug>, Vec<Slug>), Error> {
    let (mut definitions, mut providers) = (BTreeSet::new(), BTreeSet::new());
    for grant in person.roles.iter().filter(|grant| grant.role.decides()) {
        match &grant.perimeter {
            Perimeter::Definition(slug) => drop(definitions.insert(slug.clone())),
            Perimeter::Provider(slug) => drop(providers.insert(slug.clone())),
            Perimeter::Api(_) | Perimeter::Platform => {}
        }
    }
    let mut apart = Vec::new();
    for slug in definitions {
        let covered = reader.definition_current(&slug).await?.is_some_and(|stored| providers.contains(&stored.definition.provider));
        if !covered {
            apart.push(slug);
        }
    }
    Ok((apart, providers.into_iter().collect()))
}

impl App {
    /// What waits for the person, and what is theirs.
    pub async fn dashboard(&self, context: &Context) -> Result<Dashboard, Error> {
        context.require(Action::ReadSelf, &Subject::Platform)?;
        let person = context.person()?;
        let reader = self.inner.store.read();
        let mine = |states: &[State]| RequestFilter { applicant: Some(person.user), states: states.to_vec(), ..RequestFilter::new() };
        let lines = Page::first(LINES);
        let organizations: Vec<Id<Organization>> =
            person.memberships.iter().map(|(organization, _)| *organization).filter(|held| person.is_verified_member(*held)).collect();
        let looked_at = self.permits_to_look_at(context, &organizations).await?;
        let messages = reader.messages_waiting(&Awaited::Applicant(person.user), LINES).await?;
        let for_applicant = ForApplicant {
            changes_requested: self.list_requests(context, mine(&[State::ChangesRequested]), lines).await?.items,
            messages: messages.into_iter().map(MessagesWaiting::from).collect(),
            drafts: self.list_requests(context, mine(&[State::Draft]), lines).await?.items,
            ..looked_at
        };
        let mut applications = List { items: Vec::new(), next: None };
        let mut permits = List { items: Vec::new(), next: None };
        if !organizations.is_empty() {
            let filter = PermitFilter { organizations: organizations.clone(), ..PermitFilter::new() };
            permits = self.list_permits(context, filter, lines).await?;
        }
        for organization in &organizations {
            let page = self.list_applications(context, Some(*organization), lines).await?;
            applications.items.extend(page.items);
            applications.next = applications.next.or(page.next);
        }
        Ok(Dashboard {
            for_applicant,
            for_reviewer: self.for_reviewer(context, &reader, person).await?,
            requests: self.list_requests(context, mine(&[]), lines).await?,
            permits,
            applications,
        })
    }

    /// The permits of these organisations that end soon, those that were stopped, and those in force that no application uses.
    async fn permits_to_look_at(&self, context: &Context, organizations: &[Id<Organization>]) -> Result<ForApplicant, Error> {
        if organizations.is_empty() {
            return Ok(ForApplicant::default());
        }
        let of = |statuses: Vec<PermitStatus>, sort: PermitSort| PermitFilter {
            organizations: organizations.to_vec(),
            statuses,
            sort,
            ..PermitFilter::new()
        };
        let looked_through = Page::first(LOOKED_THROUGH);
        let held = self.list_permits(context, of(vec![PermitStatus::Active], PermitSort::Expires), looked_through).await?.items;
        let ended = vec![PermitStatus::Suspended, PermitStatus::Revoked, PermitStatus::Expired];
        let ended = self.list_permits(context, of(ended, PermitSort::Granted), looked_through).await?.items;
        let reader = self.inner.store.read();
        let mut used = BTreeSet::new();
        for organization in organizations {
            let live = SubscriptionFilter {
                organization: Some(*organization),
                states: vec![SubscriptionState::Pending, SubscriptionState::Active, SubscriptionState::Suspended],
                ..SubscriptionFilter::default()
            };
            let found = reader.subscription_list(&live, Page::first(Page::MAX)).await?.items;
            used.extend(found.into_iter().filter_map(|subscription| subscription.permit).map(|permit| permit.to_string()));
        }
        let soon = context.now.plus_days(EXPIRES_SOON_DAYS);
        let ends_soon = |line: &&PermitLine| {
            let end = line.expires_at.as_deref().and_then(|text| text.parse::<Moment>().ok());
            end.is_some_and(|end| end <= soon)
        };
        let few = |lines: Vec<PermitLine>| lines.into_iter().take(LINES as usize).collect();
        let expiring = few(held.iter().filter(ends_soon).cloned().collect());
        let unused = few(held.into_iter().filter(|line| !used.contains(&line.id)).collect());
        let lately = context.now.plus_days(-STOPPED_DAYS);
        let worth_a_word = |line: &PermitLine| {
            let at = line.stopped_at.as_deref().and_then(|text| text.parse::<Moment>().ok());
            line.state == PermitStatus::Suspended.as_str() || used.contains(&line.id) || at.is_some_and(|at| at >= lately)
        };
        let mut stopped: Vec<PermitLine> = ended.into_iter().filter(worth_a_word).collect();
        stopped.sort_by(|one, other| other.stopped_at.cmp(&one.stopped_at));
        Ok(ForApplicant { expiring, stopped: few(stopped), unused, ..ForApplicant::default() })
    }

    async fn for_reviewer(&self, context: &Context, reader: &Reader, person: &Person) -> Result<Option<ForReviewer>, Error> {
        let (definitions, providers) = decided(reader, person).await?;
        if definitions.is_empty() && providers.is_empty() {
            return Ok(None);
        }
        let awaited = Awaited::Reviewers { definitions: definitions.clone(), providers: providers.clone() };
        let messages = reader.messages_waiting(&awaited, LINES).await?.into_iter().map(MessagesWaiting::from).collect();
        let submitted = || RequestFilter { states: vec![State::Submitted], sort: RequestSort::Submitted, ..RequestFilter::new() };
        let mut filters = vec![];
        if !definitions.is_empty() {
            filters.push(RequestFilter { definitions, ..submitted() });
        }
        if !providers.is_empty() {
            filters.push(RequestFilter { providers, ..submitted() });
        }
        let (mut count, mut oldest) = (0, Vec::new());
        for filter in filters {
            let counts = self.count_requests_by_state(context, filter.clone()).await?;
            count += counts.states.iter().filter(|held| held.state == State::Submitted.as_str()).map(|held| held.count).sum::<u64>();
            oldest.extend(self.list_requests(context, filter, Page::first(LINES)).await?.items);
        }
        oldest.sort_by(|one, other| one.submitted_at.cmp(&other.submitted_at));
        oldest.truncate(LINES as usize);
        Ok(Some(ForReviewer { submitted: count, oldest, messages }))
    }
}
