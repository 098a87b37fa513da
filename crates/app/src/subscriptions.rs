//! Subscriptions: the right of an application to call an API.

use octroi_domain::{
    Id, Moment, Number, Slug,
    api::{Access, Api, ApiName},
    application::{Application, Stopper, Subscription, SubscriptionState},
    permit::Permit,
    policy::{Action, Subject},
};
use octroi_store::{Page, Reader, SubscriptionFilter, Tx};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    usage::permit_stop,
    view::{List, SubscriptionView},
};

/// What a subscription asks for.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    pub api: ApiName,
    pub permit: Option<Number<Permit>>,
    pub plan: Option<Slug>,
    pub accept_terms: bool,
}

/// A subscription that may be made: everything that its way in has to check was checked.
pub(crate) struct Ready<'a> {
    pub application: &'a Application,
    pub api: &'a Api,
    pub permit: Option<Number<Permit>>,
    pub plan: Option<Slug>,
    pub terms_accepted: Option<u32>,
    /// Has the API's side a say each time, or has it just had it?
    pub by_provider: bool,
}

/// Makes the subscription, or takes up again the one that had ended, or whose permit had, with its day's count.
pub(crate) async fn establish(tx: &mut Tx, context: &Context, ready: Ready<'_>, action: &str) -> Result<Subscription, Error> {
    let (application, api) = (ready.application.id, ready.api.full_name());
    let ended = match tx.subscription_of(application, &api).await? {
        // One whose permit has ended lets nothing through any more: it goes on under the new one.
        Some(held) if permit_stop(tx, &held, Some(&ready.api.access), context.now).await?.is_some_and(|stop| stop.for_good()) => Some(held),
        Some(held) => return Err(already(&held)),
        None => ended_before(tx, application, &api).await?,
    };
    // What the API's side had ended waits for the API's side.
    let stopped = ended.as_ref().is_some_and(|ended| ended.stopped_by == Some(Stopper::Provider)) && !ready.by_provider;
    let waits = stopped || (matches!(ready.api.access, Access::Approval) && !ready.by_provider);
    let subscription = Subscription {
        id: ended.as_ref().map_or_else(|| Id::from_uuid(Uuid::now_v7()), |ended| ended.id),
        application,
        api,
        permit: ready.permit,
        plan: chosen_plan(ready.api, ready.plan)?,
        terms_accepted: ready.terms_accepted,
        state: if waits { SubscriptionState::Pending } else { SubscriptionState::Active },
        stopped_by: stopped.then_some(Stopper::Provider),
        created_at: context.now,
    };
    match ended {
        Some(ended) => tx.subscription_save(&subscription, ended.state).await?,
        None => tx.subscription_insert(&subscription).await?,
    }
    let details = json!({
        "application": application, "api": subscription.api, "permit": subscription.permit, "plan": subscription.plan,
        "terms": subscription.terms_accepted, "state": subscription.state,
    });
    tx.record(context.now, &context.principal.actor(), action, &format!("subscription:{}", subscription.id), details);
    tx.gateway_changed();
    Ok(subscription)
}

/// An API that its administrator may open to an application by hand, on its stage.
pub(crate) fn by_hand(api: &Api, application: Option<&Application>) -> Result<(), Error> {
    if matches!(api.access, Access::Permit { .. }) {
        return Err(Error::conflict(
            "permit_required",
            "Cette API demande une habilitation : l’application s’abonne avec la sienne.",
            "This API needs a permit: the subscriber subscribes with theirs.",
        ));
    }
    if application.is_some_and(|application| api.backends.of(application.stage).is_none()) {
        return Err(Error::field(
            "/application",
            "not_open_on_stage",
            "L’API n’est pas ouverte à l’étape de cette application.",
            "The API is not open on this application’s stage.",
        ));
    }
    Ok(())
}

impl App {
    /// Subscribes an application to an API, as the API's access mode demands.
    pub async fn subscribe(
        &self,
        context: &Context,
        application: Id<Application>,
        input: NewSubscription,
    ) -> Result<Done<SubscriptionView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let application = tx.application_by_id(application).await?.ok_or(Error::NotFound)?;
        context.require(Action::Subscribe, &Subject::Application { organization: application.organization })?;
        context.on_stage(application.stage)?;
        let unknown = || Error::field("/api", "unknown_api", "Cette API n’existe pas.", "There is no such API.");
        let stored = tx.api_current(&input.api).await?.filter(|stored| !stored.withdrawn).ok_or_else(unknown)?;
        let api = &stored.document.api;
        // A private API that the principal does not know is as unknown as one that does not exist.
        if !self.may_see(&tx, context, api).await? {
            return Err(unknown());
        }
        if api.backends.of(application.stage).is_none() {
            let message = format!("{} n’est pas ouverte à l’étape {}.", input.api, application.stage);
            return Err(Error::field(
                "/api",
                "not_open_on_stage",
                message,
                format!("{} is not open on the stage {}.", input.api, application.stage),
            ));
        }
        let terms_accepted = accepted_terms(api, input.accept_terms)?;
        let permit = self.checked_permit(&tx, &application, api, input.permit, context.now).await?;
        let ready = Ready { application: &application, api, permit, plan: input.plan, terms_accepted, by_provider: false };
        let subscription = establish(&mut tx, context, ready, "subscription.created").await?;
        self.finish(context, tx, 201, SubscriptionView::from(&subscription)).await
    }

    /// Enrols an application of anybody, by the API's administrator: how a private API gets its
    /// subscribers. The terms, where there are some, are the subscriber's to accept.
    pub async fn enrol(
        &self,
        context: &Context,
        api: &ApiName,
        application: Id<Application>,
        plan: Option<Slug>,
    ) -> Result<Done<SubscriptionView>, Error> {
        context.require(Action::AdministerApi, &Subject::Perimeter { api: Some(api.clone()), definition: None })?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let stored = tx.api_current(api).await?.filter(|stored| !stored.withdrawn).ok_or(Error::NotFound)?;
        let unknown =
            || Error::field("/application", "unknown_application", "Cette application n’existe pas.", "There is no such application.");
        let application = tx.application_by_id(application).await?.ok_or_else(unknown)?;
        context.require(Action::DecideSubscription, &Subject::Subscription { organization: application.organization, api: api.clone() })?;
        let api = &stored.document.api;
        by_hand(api, Some(&application))?;
        let ready = Ready { application: &application, api, permit: None, plan, terms_accepted: None, by_provider: true };
        let subscription = establish(&mut tx, context, ready, "subscription.enrolled").await?;
        self.finish(context, tx, 201, SubscriptionView::from(&subscription)).await
    }

    /// The permit that the subscription rests on: asked for where the API is restricted, of the same
    /// organisation, in force, of the right definition and stage.
    async fn checked_permit(
        &self,
        reader: &Reader,
        application: &Application,
        api: &Api,
        permit: Option<Number<Permit>>,
        now: Moment,
    ) -> Result<Option<Number<Permit>>, Error> {
        let Access::Permit { definitions } = &api.access else {
            return match permit {
                None => Ok(None),
                Some(_) => {
                    Err(Error::field("/permit", "not_needed", "Cette API ne demande pas d’habilitation.", "This API needs no permit."))
                }
            };
        };
        let needed = || {
            Error::field(
                "/permit",
                "permit_required",
                "Choisissez une habilitation en vigueur : cette API en demande une.",
                "Choose a permit in force: this API needs one.",
            )
        };
        let number = permit.ok_or_else(needed)?;
        let found = reader.permit_by_number(number).await?;
        // A permit of somebody else is as unknown as one that does not exist.
        let held = found.filter(|permit| permit.grant().organization == application.organization).ok_or_else(|| {
            Error::field(
                "/permit",
                "unknown_permit",
                "Votre organisation n’a pas cette habilitation.",
                "Your organisation has no such permit.",
            )
        })?;
        let grant = held.grant();
        if !definitions.contains(&grant.definition) {
            return Err(Error::field(
                "/permit",
                "wrong_permit",
                "Cette habilitation n’ouvre pas cette API : choisissez-en une autre.",
                "This permit does not open this API: choose another one.",
            ));
        }
        if !grant.covers(application.stage) {
            let message = format!("Cette habilitation ne couvre pas l’étape {}.", application.stage);
            return Err(Error::field(
                "/permit",
                "wrong_stage",
                message,
                format!("This permit does not cover the stage {}.", application.stage),
            ));
        }
        if !matches!(held, Permit::Active(_)) || grant.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::conflict("permit_not_in_force", "Cette habilitation n’est pas en vigueur.", "This permit is not in force."));
        }
        Ok(Some(number))
    }

    /// Subscriptions to an API, for its administrator; or of an application, for its organisation.
    pub async fn list_subscriptions(
        &self,
        context: &Context,
        filter: SubscriptionFilter,
        page: Page,
    ) -> Result<List<SubscriptionView>, Error> {
        let reader = self.inner.store.read();
        match (&filter.api, filter.application) {
            (_, Some(application)) => {
                let application = reader.application_by_id(application).await?.ok_or(Error::NotFound)?;
                context.require(Action::ReadApplication, &Subject::Application { organization: application.organization })?;
            }
            (Some(api), None) => context.require(Action::ReadTraces, &Subject::Perimeter { api: Some(api.clone()), definition: None })?,
            (None, None) => {
                return Err(Error::field("/api", "required", "Choisissez une API ou une application.", "Choose an API or an application."));
            }
        }
        let listing = reader.subscription_list(&filter, page).await?;
        Ok(List { next: listing.next.map(|cursor| cursor.to_string()), items: listing.items.iter().map(SubscriptionView::from).collect() })
    }

    /// Moves a subscription: its API's administrator activates, suspends or revokes it; its own
    /// organisation may end it. Accepting new terms is a move of the subscriber too.
    pub async fn set_subscription_state(
        &self,
        context: &Context,
        id: Id<Subscription>,
        next: SubscriptionState,
    ) -> Result<Done<SubscriptionView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut subscription = tx.subscription_by_id(id).await?.ok_or(Error::NotFound)?;
        let application = tx.application_by_id(subscription.application).await?.ok_or(Error::NotFound)?;
        let subject = Subject::Subscription { organization: application.organization, api: subscription.api.clone() };
        let action = if next == SubscriptionState::Revoked { Action::EndSubscription } else { Action::DecideSubscription };
        context.require(action, &subject)?;
        let before = subscription.state;
        if !before.may_become(next) {
            let (fr, en) = said(before);
            return Err(Error::conflict(
                "wrong_state",
                format!("L’abonnement est {fr} : cette action n’est pas possible."),
                format!("The subscription is {en}: this is not possible."),
            ));
        }
        let runs = context.require(Action::DecideSubscription, &subject).is_ok();
        // What the API's side has stopped, the subscriber does not end to begin anew.
        if !runs && before == SubscriptionState::Suspended {
            return Err(Error::conflict(
                "wrong_state",
                "L’abonnement est suspendu par l’administrateur de l’API : adressez-vous à lui.",
                "The subscription is suspended by the API's administrator: ask them.",
            ));
        }
        let by = if runs { Stopper::Provider } else { Stopper::Organization };
        subscription.state = next;
        subscription.stopped_by = match (next, subscription.stopped_by) {
            (SubscriptionState::Active | SubscriptionState::Pending, _) => None,
            // It waited for the API's side, and would wait again.
            (_, Some(Stopper::Provider)) => Some(Stopper::Provider),
            _ => Some(by),
        };
        tx.subscription_save(&subscription, before).await?;
        tx.record(
            context.now,
            &context.principal.actor(),
            &format!("subscription.{}", next.as_str()),
            &format!("subscription:{id}"),
            json!({ "from": before, "to": next, "by": by }),
        );
        tx.gateway_changed();
        self.finish(context, tx, 200, SubscriptionView::from(&subscription)).await
    }

    /// Accepts the API's current terms for a subscription made under older ones.
    pub async fn accept_terms(&self, context: &Context, id: Id<Subscription>) -> Result<Done<SubscriptionView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut subscription = tx.subscription_by_id(id).await?.ok_or(Error::NotFound)?;
        let application = tx.application_by_id(subscription.application).await?.ok_or(Error::NotFound)?;
        context.require(Action::Subscribe, &Subject::Application { organization: application.organization })?;
        let stored = tx.api_current(&subscription.api).await?.ok_or(Error::NotFound)?;
        subscription.terms_accepted = stored.document.api.terms.as_ref().map(|terms| terms.version);
        tx.subscription_save(&subscription, subscription.state).await?;
        let details = json!({ "terms": subscription.terms_accepted });
        tx.record(context.now, &context.principal.actor(), "subscription.terms_accepted", &format!("subscription:{id}"), details);
        tx.gateway_changed();
        self.finish(context, tx, 200, SubscriptionView::from(&subscription)).await
    }
}

/// The latest ended subscription of an application to an API.
async fn ended_before(reader: &Reader, application: Id<Application>, api: &ApiName) -> Result<Option<Subscription>, Error> {
    let filter = SubscriptionFilter {
        application: Some(application),
        api: Some(api.clone()),
        states: vec![SubscriptionState::Revoked],
        ..SubscriptionFilter::default()
    };
    Ok(reader.subscription_list(&filter, Page::first(1)).await?.items.into_iter().next())
}

fn already(existing: &Subscription) -> Error {
    let (id, (fr, en)) = (existing.id, said(existing.state));
    let message = format!("L’application a déjà l’abonnement {id} ({fr}).");
    Error::conflict("already_subscribed", message, format!("The application already has the subscription {id} ({en})."))
}

/// A state as people are told of it.
const fn said(state: SubscriptionState) -> (&'static str, &'static str) {
    match state {
        SubscriptionState::Pending => ("en attente", "pending"),
        SubscriptionState::Active => ("actif", "active"),
        SubscriptionState::Suspended => ("suspendu", "suspended"),
        SubscriptionState::Revoked => ("terminé", "ended"),
    }
}

pub(crate) fn accepted_terms(api: &Api, accepted: bool) -> Result<Option<u32>, Error> {
    match (&api.terms, accepted) {
        (None, _) => Ok(None),
        (Some(terms), true) => Ok(Some(terms.version)),
        (Some(_), false) => Err(Error::field(
            "/accept_terms",
            "terms_not_accepted",
            "Acceptez les conditions d’utilisation de l’API.",
            "Accept the API’s terms of use.",
        )),
    }
}

pub(crate) fn chosen_plan(api: &Api, plan: Option<Slug>) -> Result<Slug, Error> {
    let found = match &plan {
        Some(plan) => api.plan(plan),
        None => api.default_plan(),
    };
    let names: Vec<&str> = api.plans.iter().map(|plan| plan.id.as_str()).collect();
    let unknown = || {
        Error::field(
            "/plan",
            "unknown_plan",
            format!("Choisissez une de ces offres : {}.", names.join(", ")),
            format!("Choose one of these plans: {}.", names.join(", ")),
        )
    };
    found.map(|plan| plan.id.clone()).ok_or_else(unknown)
}
