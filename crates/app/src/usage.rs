//! How an application is doing: what is left of its quotas, when it called last, and what went wrong.

use std::collections::BTreeMap;

use octroi_domain::{
    Id, Moment,
    api::{AcceptedCredential, Access, ApiName, Contract},
    application::{Application, Subscription, SubscriptionState},
    policy::{Action, Subject},
    stage::Stage,
    text::Text,
};
use octroi_store::{CallOutcome, Page, Reader, TraceFilter, TraceVisible};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    context::{App, Context},
    error::Error,
    traces::TraceView,
    traffic::RefusalWords,
    try_it::{BODY_FIELD, SandboxCall, for_production, written},
    view::{PermitStop, SubscriptionView},
};

/// Errors that are shown.
const ERRORS: u32 = 10;

/// A subscription and what is left of it today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubscriptionUsageView {
    #[serde(flatten)]
    pub subscription: SubscriptionView,
    /// The API's name; none when the API has left the catalogue.
    #[schema(value_type = Option<Object>)]
    pub title: Option<Text>,
    /// The plan's name; none when the API has it no more.
    #[schema(value_type = Option<Object>)]
    pub plan_title: Option<Text>,
    /// Why its permit lets nothing through; none while it does, and where none is needed.
    pub stop: Option<PermitStop>,
    /// Calls in any one second; none: no limit.
    pub rate_per_second: Option<u32>,
    /// Calls in one civil day of the platform's time zone; none: no limit.
    pub quota_per_day: Option<u32>,
    /// Calls today.
    pub used_today: u32,
    /// None where there is no limit.
    pub left_today: Option<u32>,
    /// When the day's count begins again.
    pub resets_at: String,
    /// The last call, as long as traces are kept.
    pub last_call_at: Option<String>,
    /// The version of the terms that calls need; another one than `terms_accepted` closes the API.
    pub terms_in_force: Option<u32>,
}

/// A call that went wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CallErrorView {
    pub call: TraceView,
    /// What the gateway's refusal means; none when the upstream answered.
    pub explanation: Option<RefusalWords>,
}

/// A first call to an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstCall {
    pub call: SandboxCall,
    /// The API's name.
    pub title: Text,
    /// Why it would be refused, whatever it is called with.
    pub stop: Option<PermitStop>,
    /// Does the API take access tokens?
    pub by_token: bool,
    /// Does it take API keys?
    pub by_key: bool,
    /// Do words stand in it for values that are the caller's to give?
    pub to_fill_in: bool,
}

/// How an application is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageView {
    pub application: String,
    /// Those that have not ended.
    pub subscriptions: Vec<SubscriptionUsageView>,
    /// The latest calls that were answered 4xx or 5xx, the last one first; at most 10.
    pub errors: Vec<CallErrorView>,
}

/// The last call of a filter: its hour is found in the hours, its instant among the traces of that hour.
pub(crate) async fn last_call(reader: &Reader, filter: &TraceFilter) -> Result<Option<Moment>, Error> {
    let Some(last) = reader.calls_by_hour_latest(filter).await? else { return Ok(None) };
    let within = TraceFilter { from: Some(last), to: Some(last.plus_seconds(3_600)), ..filter.clone() };
    let found = reader.trace_list(&within, Page::first(1)).await?.items;
    Ok(Some(found.first().map_or(last, |stored| stored.trace.at)))
}

/// Why the permit of a subscription lets nothing through.
pub(crate) async fn permit_stop(
    reader: &Reader,
    subscription: &Subscription,
    access: Option<&Access>,
    now: Moment,
) -> Result<Option<PermitStop>, Error> {
    let Some(number) = subscription.permit.filter(|_| matches!(access, Some(Access::Permit { .. }))) else { return Ok(None) };
    Ok(reader.permit_by_number(number).await?.and_then(|permit| PermitStop::of(&permit, now)))
}

impl App {
    /// What is left of each subscription today, when it was last used, and the last errors.
    pub async fn application_usage(&self, context: &Context, id: Id<Application>) -> Result<UsageView, Error> {
        let reader = self.inner.store.read();
        let application = reader.application_by_id(id).await?.ok_or(Error::NotFound)?;
        context.require(Action::ReadApplication, &Subject::Application { organization: application.organization })?;
        self.inner.gateway.flush_traces().await;
        // The organisation is named so that its index is used; the application is one of it.
        let calls =
            TraceFilter { application: Some(id), organization: Some(application.organization), ..TraceFilter::within(TraceVisible::All) };
        let all = reader.subscriptions_of_application(id).await?;
        let held: Vec<_> = all.into_iter().filter(|held| held.state != SubscriptionState::Revoked).collect();
        let uses = reader.day_uses(&held.iter().map(|held| held.id).collect::<Vec<_>>()).await?;
        let today = self.settings().time_zone.day(context.now);
        let mut subscriptions = Vec::with_capacity(held.len());
        for subscription in &held {
            let stored = reader.api_current(&subscription.api).await?;
            let api = stored.as_ref().map(|stored| &stored.document.api);
            let plan = api.and_then(|api| api.plan(&subscription.plan));
            let quota = plan.and_then(|plan| plan.quota_per_day).map(u32::from);
            let used = uses.get(&subscription.id).copied().unwrap_or_default();
            let of_api = TraceFilter { api: Some(subscription.api.clone()), ..calls.clone() };
            subscriptions.push(SubscriptionUsageView {
                subscription: subscription.into(),
                title: api.map(|api| api.name.clone()),
                plan_title: plan.map(|plan| plan.name.clone()),
                stop: permit_stop(&reader, subscription, api.map(|api| &api.access), context.now).await?,
                rate_per_second: plan.and_then(|plan| plan.rate_per_second).map(u32::from),
                quota_per_day: quota,
                used_today: if used.day == today.day { used.used } else { 0 },
                left_today: quota.map(|quota| used.left(today.day, quota)),
                resets_at: Moment::from_micros(0).plus_seconds(today.end).to_string(),
                last_call_at: last_call(&reader, &of_api).await?.map(|at| at.to_string()),
                terms_in_force: api.and_then(|api| api.terms.as_ref()).map(|terms| terms.version),
            });
        }
        let errors = TraceFilter { outcome: Some(CallOutcome::Error), ..calls };
        let errors = match reader.calls_by_hour_latest(&errors).await? {
            None => Vec::new(),
            Some(_) => reader.trace_list(&errors, Page::first(ERRORS)).await?.items,
        };
        let explained = |call: TraceView| {
            let explanation = call.refusal.as_deref().and_then(RefusalWords::find);
            CallErrorView { call, explanation }
        };
        let errors = errors.into_iter().map(|stored| explained(stored.into())).collect();
        Ok(UsageView { application: id.to_string(), subscriptions, errors })
    }

    /// A first call of an application to an API that it is subscribed to: an operation that its permit opens, one
    /// that only reads where there is one. In the sandbox with the values of a test case; in production, where people are
    /// real, with words that stand for them.
    pub async fn first_call(&self, context: &Context, application: Id<Application>, api: &ApiName) -> Result<FirstCall, Error> {
        let reader = self.inner.store.read();
        let application = reader.application_by_id(application).await?.ok_or(Error::NotFound)?;
        context.require(Action::ReadApplication, &Subject::Application { organization: application.organization })?;
        let subscription = reader.subscription_of(application.id, api).await?.ok_or(Error::NotFound)?;
        let permit = match subscription.permit {
            Some(number) => reader.permit_by_number(number).await?,
            None => None,
        };
        let stored = reader.api_current(api).await?.ok_or(Error::NotFound)?;
        let document = &stored.document;
        let opened = |contract: &Contract| {
            let opening = contract.opening_scopes();
            opening.is_empty() || permit.as_ref().is_some_and(|permit| permit.grant().scopes.iter().any(|scope| opening.contains(scope)))
        };
        let lines = crate::reference::lines(document);
        let found = lines.iter().filter(|(_, contract, _)| opened(contract)).min_by_key(|(line, ..)| line.method != "GET");
        let (line, ..) = found.or_else(|| lines.first()).ok_or(Error::NotFound)?;
        let mut form = self.filled_form(document, &line.key, None)?;
        let production = application.stage == Stage::Production;
        let mut to_fill_in = false;
        if production {
            let owner = reader.organization_by_id(application.organization).await?.ok_or(Error::NotFound)?;
            to_fill_in = for_production(&mut form, owner.siret.as_str(), context.language);
        }
        let mut values: BTreeMap<String, String> = form.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect();
        values.insert(BODY_FIELD.to_owned(), form.body.clone());
        let mount = &document.api.mount;
        // Without a test case for what it needs, the names of its parameters stand there.
        let call = written(&form, mount, &values).unwrap_or_else(|_| SandboxCall {
            method: line.method.clone(),
            target: format!("{mount}{}", line.path),
            headers: Vec::new(),
            body: None,
        });
        let stop = match &document.api.access {
            Access::Permit { .. } => permit.as_ref().and_then(|permit| PermitStop::of(permit, context.now)),
            _ => None,
        };
        let title = document.api.name.clone();
        let takes = |credential| document.api.credentials.contains(&credential);
        Ok(FirstCall {
            call,
            title,
            stop,
            by_token: takes(AcceptedCredential::AccessToken),
            by_key: takes(AcceptedCredential::ApiKey),
            to_fill_in,
        })
    }
}
