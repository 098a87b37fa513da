//! An API as who runs it sees it: its stages and whether they answer, its subscribers, and what its masks show.

use octroi_domain::{
    Id, Moment,
    api::{Access, ApiName, OperationName},
    application::{Subscription, SubscriptionState},
    policy::{Action, Principal, Subject},
    scope::ScopeSet,
    stage::Stage,
    user::Role,
};
use octroi_store::{CallOutcome, Page, Reader, StoredApi, SubscriptionFilter, TraceFilter, TraceVisible};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    catalogue::{ApiView, api_view},
    context::{App, Context},
    error::Error,
    usage::{last_call, permit_stop},
    view::{List, OrganizationView, SubscriptionView},
};

/// How far back calls tell of the present, seconds.
const RECENT: i64 = 15 * 60;

/// An API in the list of those that one administers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdministeredLine {
    pub api: ApiView,
    /// Subscriptions that wait for an administrator; 100 stands for that many or more.
    pub pending: usize,
}

/// An API as its administrator sees it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdministeredView {
    pub api: ApiView,
    pub pending: usize,
    pub stages: Vec<StageView>,
}

/// Where a stage's answers come from, and whether they do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StageView {
    /// `sandbox` or `production`.
    pub stage: String,
    /// None: answered from the examples and the case files.
    pub upstream: Option<String>,
    pub connect_timeout_ms: u32,
    pub timeout_ms: u32,
    pub health: HealthView,
}

/// What calls tell of an upstream: the platform knows of nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthView {
    /// `no_call` (as long as traces are kept), `answering` or `failing`: the outcome of the last call that reached it.
    pub state: &'static str,
    pub last_answer_at: Option<String>,
    /// 5xx, or no answer that could be passed on.
    pub last_failure_at: Option<String>,
    /// Calls of the last 15 minutes that reached it.
    pub recent_calls: u64,
    /// Of which failed.
    pub recent_failures: u64,
}
impl HealthView {
    fn new(answered: Option<Moment>, failed: Option<Moment>, recent_answers: u64, recent_failures: u64) -> Self {
        let state = match (answered, failed) {
            (None, None) => "no_call",
            (answered, failed) if failed > answered => "failing",
            _ => "answering",
        };
        Self {
            state,
            last_answer_at: answered.map(|at| at.to_string()),
            last_failure_at: failed.map(|at| at.to_string()),
            recent_calls: recent_answers + recent_failures,
            recent_failures,
        }
    }
}

/// A subscription to an API, with who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubscriberView {
    #[serde(flatten)]
    pub subscription: SubscriptionView,
    pub application_name: String,
    pub stage: String,
    pub organization: OrganizationView,
    /// Is the application itself suspended? Then it calls nothing.
    pub application_suspended: bool,
    /// `suspended`, `revoked` or `expired`: its permit lets nothing through. None while it does, and where none is needed.
    pub permit_stopped: Option<String>,
}

/// What a call with some scopes sees of a sample answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MaskPreviewView {
    pub operation: String,
    pub scopes: Vec<String>,
    /// Does any of the scopes open the operation? If not, the gateway refuses the call.
    pub open: bool,
    /// JSON.
    pub whole: String,
    /// JSON.
    pub masked: String,
    /// Fields that the mask removed.
    pub removed: u32,
}

impl App {
    /// The API, for who administers it: for others it does not exist.
    async fn administered(&self, context: &Context, reader: &Reader, name: &ApiName) -> Result<StoredApi, Error> {
        context.require(Action::AdministerApi, &Subject::Perimeter { api: Some(name.clone()), definition: None })?;
        reader.api_current(name).await?.ok_or(Error::NotFound)
    }

    /// The APIs that the principal administers.
    pub async fn list_administered(&self, context: &Context) -> Result<Vec<AdministeredLine>, Error> {
        context.require(Action::AdministerApi, &Subject::Platform)?;
        let Principal::Person(person) = &context.principal else { return Ok(Vec::new()) };
        let runs =
            |name: &ApiName| person.roles.iter().any(|grant| grant.role == Role::ApiAdministrator && grant.perimeter.covers_api(name));
        let mut lines = Vec::new();
        for stored in self.inner.store.read().api_list().await?.iter().filter(|stored| !stored.withdrawn && runs(&stored.name)) {
            lines.push(AdministeredLine { api: api_view(stored), pending: self.pending_subscriptions(&stored.name).await? });
        }
        Ok(lines)
    }

    /// One of them, without asking whether it answers.
    pub async fn read_administered_line(&self, context: &Context, name: &ApiName) -> Result<AdministeredLine, Error> {
        let stored = self.administered(context, &self.inner.store.read(), name).await?;
        Ok(AdministeredLine { api: api_view(&stored), pending: self.pending_subscriptions(name).await? })
    }

    pub async fn read_administered(&self, context: &Context, name: &ApiName) -> Result<AdministeredView, Error> {
        let reader = self.inner.store.read();
        let stored = self.administered(context, &reader, name).await?;
        self.inner.gateway.flush_traces().await;
        let mut stages = Vec::new();
        for stage in Stage::ALL {
            let Some(backend) = stored.document.api.backends.of(stage) else { continue };
            stages.push(StageView {
                stage: stage.to_string(),
                upstream: backend.upstream.clone(),
                connect_timeout_ms: backend.connect_timeout_ms,
                timeout_ms: backend.timeout_ms,
                health: health(&reader, name, stage, context.now).await?,
            });
        }
        Ok(AdministeredView { api: api_view(&stored), pending: self.pending_subscriptions(name).await?, stages })
    }

    /// The subscriptions to an API with who holds them, the latest first.
    pub async fn list_subscribers(
        &self,
        context: &Context,
        api: &ApiName,
        states: Vec<SubscriptionState>,
        page: Page,
    ) -> Result<List<SubscriberView>, Error> {
        let reader = self.inner.store.read();
        let access = self.administered(context, &reader, api).await?.document.api.access.clone();
        let filter = SubscriptionFilter { api: Some(api.clone()), states, ..SubscriptionFilter::default() };
        let listing = reader.subscription_list(&filter, page).await?;
        let items = with_holders(&reader, &access, &listing.items, context.now).await?;
        Ok(List { items, next: listing.next.map(|cursor| cursor.to_string()) })
    }

    /// One subscription to an API with who holds it.
    pub async fn read_subscriber(&self, context: &Context, api: &ApiName, id: Id<Subscription>) -> Result<SubscriberView, Error> {
        let reader = self.inner.store.read();
        let access = self.administered(context, &reader, api).await?.document.api.access.clone();
        let found = reader.subscription_by_id(id).await?.filter(|found| found.api == *api).ok_or(Error::NotFound)?;
        with_holders(&reader, &access, &[found], context.now).await?.pop().ok_or(Error::NotFound)
    }

    /// What a call with these scopes would see of a sample answer, by the mask of real calls. None when the
    /// API has no sample of this operation.
    pub async fn preview_mask(
        &self,
        context: &Context,
        api: &ApiName,
        operation: &OperationName,
        scopes: ScopeSet,
    ) -> Result<Option<MaskPreviewView>, Error> {
        let stored = self.administered(context, &self.inner.store.read(), api).await?;
        let contracts = &stored.document.api.contracts;
        let contract = contracts.iter().find(|contract| contract.operations.contains(operation)).ok_or(Error::NotFound)?;
        let opening = contract.opening_scopes();
        let open = opening.is_empty() || scopes.iter().any(|scope| opening.contains(scope));
        let sample = self.inner.gateway.masked_sample(&stored.document, operation, &scopes);
        Ok(sample.map(|sample| MaskPreviewView {
            operation: operation.to_string(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            open,
            whole: sample.whole,
            masked: sample.masked,
            removed: sample.removed,
        }))
    }
}

/// Subscriptions with the application and the organisation that hold them.
async fn with_holders(reader: &Reader, access: &Access, subscriptions: &[Subscription], now: Moment) -> Result<Vec<SubscriberView>, Error> {
    let ids: Vec<_> = subscriptions.iter().map(|subscription| subscription.application).collect();
    let applications = reader.applications_by_ids(&ids).await?;
    let owners: Vec<_> = applications.iter().map(|application| application.organization).collect();
    let organizations = reader.organizations_by_ids(&owners).await?;
    let view = |subscription: &Subscription, permit_stopped: Option<String>| {
        let missing = || Error::Internal(format!("the application of subscription {} is missing", subscription.id));
        let application = applications.iter().find(|found| found.id == subscription.application).ok_or_else(missing)?;
        let owner = organizations.iter().find(|found| found.id == application.organization).ok_or_else(missing)?;
        Ok::<_, Error>(SubscriberView {
            subscription: subscription.into(),
            application_name: application.name.clone(),
            stage: application.stage.to_string(),
            organization: owner.into(),
            application_suspended: application.suspended_by.is_some(),
            permit_stopped,
        })
    };
    let mut views = Vec::with_capacity(subscriptions.len());
    for subscription in subscriptions {
        // Why is between who decided and who holds it.
        let stop = permit_stop(reader, subscription, Some(access), now).await?;
        views.push(view(subscription, stop.map(|stop| stop.state))?);
    }
    Ok(views)
}

async fn health(reader: &Reader, api: &ApiName, stage: Stage, now: Moment) -> Result<HealthView, Error> {
    let calls = TraceFilter { api: Some(api.clone()), stage: Some(stage), ..TraceFilter::within(TraceVisible::All) };
    let answered = TraceFilter { outcome: Some(CallOutcome::UpstreamAnswered), ..calls.clone() };
    let failed = TraceFilter { outcome: Some(CallOutcome::UpstreamFailed), ..calls };
    let recent = |filter: &TraceFilter| TraceFilter { from: Some(now.plus_seconds(-RECENT)), ..filter.clone() };
    Ok(HealthView::new(
        last_call(reader, &answered).await?,
        last_call(reader, &failed).await?,
        reader.trace_count(&recent(&answered)).await?,
        reader.trace_count(&recent(&failed)).await?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_as_its_last_call_was() {
        let at = |second: i64| Some(Moment::from_micros(0).plus_seconds(second));
        for (answered, failed, state) in [
            (None, None, "no_call"),
            (at(1), None, "answering"),
            (None, at(1), "failing"),
            (at(2), at(1), "answering"),
            (at(1), at(2), "failing"),
        ] {
            assert_eq!(HealthView::new(answered, failed, 0, 0).state, state, "{answered:?} {failed:?}");
        }
    }
}
