//! Traces: each side reads its own, at once; and they are made anonymous in time, or on demand.

use std::collections::BTreeMap;

use octroi_domain::{
    Id, Moment, Slug,
    api::ApiName,
    organization::Organization,
    policy::{Action, Principal, Subject},
    text::Text,
    user::{LinkLevel, Perimeter, Role},
};
use octroi_store::{Anonymise, Listing, Page, Reader, StoredTrace, TraceCount, TraceFilter, TraceVisible};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    context::{App, Context},
    error::Error,
    view::List,
};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TraceView {
    pub id: String,
    pub at: String,
    pub stage: String,
    pub request_id: Option<String>,
    pub api: Option<String>,
    /// The API's name, as long as the catalogue has it.
    #[schema(value_type = Option<Object>)]
    pub api_title: Option<Text>,
    /// `METHOD /template`, never the raw path.
    pub operation: Option<String>,
    pub status: u16,
    /// The code of the gateway's refusal; none when the upstream answered.
    pub refusal: Option<String>,
    pub duration_us: u64,
    pub upstream_us: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub application: Option<String>,
    pub application_name: Option<String>,
    pub organization: Option<String>,
    pub organization_name: Option<String>,
    pub permit: Option<String>,
    /// How many fields the mask removed.
    pub masked_fields: u32,
    pub address: Option<String>,
    pub anonymised_at: Option<String>,
}
impl From<StoredTrace> for TraceView {
    fn from(stored: StoredTrace) -> Self {
        let trace = stored.trace;
        Self {
            id: stored.id.to_string(),
            at: trace.at.to_string(),
            stage: trace.stage.to_string(),
            request_id: (!trace.request_id.is_empty()).then_some(trace.request_id),
            api: trace.api.map(|api| api.to_string()),
            api_title: None,
            operation: trace.operation,
            status: trace.status,
            refusal: trace.refusal,
            duration_us: trace.duration_us,
            upstream_us: trace.upstream_us,
            request_bytes: trace.request_bytes,
            response_bytes: trace.response_bytes,
            application: trace.application.map(|id| id.to_string()),
            application_name: None,
            organization: trace.organization.map(|id| id.to_string()),
            organization_name: None,
            permit: trace.permit.map(|permit| permit.to_string()),
            masked_fields: trace.masked_fields,
            address: trace.address.map(|address| address.to_string()),
            anonymised_at: stored.anonymised_at.map(|moment| moment.to_string()),
        }
    }
}

/// Calls of one hour, by API and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TraceCountView {
    pub api: Option<String>,
    pub status: u16,
    pub hour: String,
    pub calls: u64,
}

impl From<TraceCount> for TraceCountView {
    fn from(count: TraceCount) -> Self {
        Self { api: count.api.map(|api| api.to_string()), status: count.status, hour: count.hour.to_string(), calls: count.calls }
    }
}

/// How many traces were made anonymous.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnonymisedView {
    pub anonymised: u64,
}

/// Which traces to make anonymous.
#[derive(Debug, Clone, Default)]
pub struct AnonymiseInput {
    pub api: Option<ApiName>,
    pub organization: Option<Id<Organization>>,
    /// Only those older than this.
    pub before: Option<Moment>,
}

/// What the principal may read: calls of their organisations, and calls to the APIs that they run.
pub(crate) fn visible(principal: &Principal) -> TraceVisible {
    let (mut organizations, mut apis, mut providers): (Vec<Id<Organization>>, Vec<ApiName>, Vec<Slug>) =
        (Vec::new(), Vec::new(), Vec::new());
    match principal {
        Principal::Anonymous => {}
        Principal::Application(machine) => organizations.push(machine.organization),
        Principal::Person(person) => {
            organizations.extend(person.memberships.iter().filter(|(_, level)| *level >= LinkLevel::Verified).map(|(id, _)| *id));
            for grant in person.roles.iter().filter(|grant| grant.role == Role::ApiAdministrator) {
                match &grant.perimeter {
                    Perimeter::Api(name) => apis.push(name.clone()),
                    Perimeter::Provider(slug) => providers.push(slug.clone()),
                    Perimeter::Definition(_) | Perimeter::Platform => {}
                }
            }
        }
    }
    TraceVisible::Any { organizations, apis, providers }
}

/// A request id that the gateway gave tells when the call was: there is no need to look elsewhere first.
fn near(filter: &TraceFilter) -> Option<TraceFilter> {
    let id: Uuid = filter.request_id.as_deref()?.parse().ok()?;
    let (seconds, _) = id.get_timestamp()?.to_unix();
    let at = Moment::from_micros(0).plus_seconds(i64::try_from(seconds).ok()?);
    let (from, to) = (at.plus_seconds(-60), at.plus_seconds(60));
    Some(TraceFilter { from: filter.from.max(Some(from)), to: Some(filter.to.map_or(to, |end| end.min(to))), ..filter.clone() })
}

/// Traces with the names of what they are about; what is gone keeps its calls.
async fn named(reader: &Reader, traces: Vec<StoredTrace>) -> Result<Vec<TraceView>, Error> {
    let ids: Vec<_> = traces.iter().filter_map(|stored| stored.trace.application).collect();
    let applications = reader.applications_by_ids(&ids).await?;
    let ids: Vec<_> = traces.iter().filter_map(|stored| stored.trace.organization).collect();
    let organizations = reader.organizations_by_ids(&ids).await?;
    let mut titles: BTreeMap<ApiName, Option<Text>> = BTreeMap::new();
    let mut views = Vec::with_capacity(traces.len());
    for stored in traces {
        let trace = &stored.trace;
        let api_title = match &trace.api {
            Some(api) => match titles.get(api) {
                Some(title) => title.clone(),
                None => {
                    let title = reader.api_current(api).await?.map(|stored| stored.document.api.name.clone());
                    titles.insert(api.clone(), title.clone());
                    title
                }
            },
            None => None,
        };
        let application = applications.iter().find(|application| Some(application.id) == trace.application);
        let organization = organizations.iter().find(|organization| Some(organization.id) == trace.organization);
        let (application_name, organization_name) = (application.map(|held| held.name.clone()), organization.map(|held| held.name.clone()));
        views.push(TraceView { api_title, application_name, organization_name, ..TraceView::from(stored) });
    }
    Ok(views)
}

impl App {
    /// The calls that the principal may see, the latest first; everything answered so far is in it.
    pub async fn list_traces(&self, context: &Context, mut filter: TraceFilter, page: Page) -> Result<List<TraceView>, Error> {
        context.require(Action::ReadTraces, &Subject::Platform)?;
        self.inner.gateway.flush_traces().await;
        filter.visible = visible(&context.principal);
        let reader = self.inner.store.read();
        let mut listing = match near(&filter) {
            Some(near) if page.after.is_none() => reader.trace_list(&near, page).await?,
            _ => Listing { items: Vec::new(), next: None },
        };
        if listing.items.is_empty() {
            listing = reader.trace_list(&filter, page).await?;
        }
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: named(&reader, listing.items).await? })
    }

    /// Makes traces anonymous for good: an API's, for who runs it; any, for the operator.
    pub async fn anonymise_traces(&self, context: &Context, input: AnonymiseInput) -> Result<AnonymisedView, Error> {
        context.require(Action::AnonymiseTraces, &Subject::Perimeter { api: input.api.clone(), definition: None })?;
        self.inner.gateway.flush_traces().await;
        let mut filter = TraceFilter::within(TraceVisible::All);
        filter.api = input.api.clone();
        filter.organization = input.organization;
        filter.to = input.before;
        // The intent is on record before anything is lost.
        let mut tx = self.inner.store.write().await?;
        let details = json!({ "api": input.api, "organization": input.organization, "before": input.before });
        tx.record(context.now, &context.principal.actor(), "traces.anonymised", "traces", details);
        tx.commit().await?;
        let anonymised = self.inner.store.trace_anonymise(&Anonymise::Matching(filter), context.now).await?;
        Ok(AnonymisedView { anonymised })
    }
}
