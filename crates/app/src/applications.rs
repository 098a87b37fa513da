//! Applications and their subscriptions.

use octroi_domain::{
    Id, Moment, Number, Slug,
    api::{Access, Api, ApiName},
    application::{Application, ApplicationState, Subscription, SubscriptionState},
    organization::Organization,
    permit::Permit,
    policy::{Action, Subject},
    stage::Stage,
};
use octroi_store::{LedgerFilter, Order, Page, Reader, SubscriptionFilter};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    view::{ApplicationView, List, SubscriptionView},
};

/// A new application.
#[derive(Debug, Clone)]
pub struct NewApplication {
    pub name: String,
    pub stage: Stage,
    /// None: the principal's only organisation.
    pub organization: Option<Id<Organization>>,
    pub management: bool,
}

/// What a subscription asks for.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    pub api: ApiName,
    pub permit: Option<Number<Permit>>,
    pub plan: Option<Slug>,
    pub accept_terms: bool,
}

pub(crate) async fn view(reader: &Reader, application: &Application) -> Result<ApplicationView, Error> {
    let missing = || Error::Internal(format!("organization of {} is missing", application.id));
    let organization = reader.organization_by_id(application.organization).await?.ok_or_else(missing)?;
    let subscriptions = reader.subscriptions_of_application(application.id).await?;
    let credentials = reader.credentials_of_application(application.id).await?;
    Ok(ApplicationView::new(application, &organization, &subscriptions, &credentials))
}

impl Context {
    /// The organisation that something is done for: the one that was named, or the only one.
    pub(crate) fn organization(&self, named: Option<Id<Organization>>) -> Result<Id<Organization>, Error> {
        use octroi_domain::policy::Principal;
        match (named, &self.principal) {
            (Some(named), _) => Ok(named),
            (None, Principal::Anonymous) => Err(Error::SignIn),
            (None, Principal::Application(machine)) => Ok(machine.organization),
            (None, Principal::Person(person)) => match person.memberships.as_slice() {
                [(only, _)] => Ok(*only),
                _ => Err(Error::field("/organization", "required", "indiquez l'organisation", "say for which organisation")),
            },
        }
    }
}

impl App {
    pub async fn create_application(&self, context: &Context, input: NewApplication) -> Result<Done<ApplicationView>, Error> {
        let organization = context.organization(input.organization)?;
        context.require(Action::CreateApplication, &Subject::Organization(organization))?;
        context.on_stage(input.stage)?;
        // Only a person can make an application that may act for the organisation.
        let created_by = match (&context.principal, input.management) {
            (_, true) => context.person()?.user,
            (octroi_domain::policy::Principal::Application(machine), false) => self.owner_of(machine.application).await?,
            (_, false) => context.person()?.user,
        };
        let name = input.name.trim();
        if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
            return Err(Error::field("/name", "invalid", "nom de 1 à 120 caractères attendu", "expected a name of 1 to 120 characters"));
        }
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let application = Application {
            // A random id: it is public, but it says nothing of when or after whom it was made.
            id: Id::from_uuid(Uuid::new_v4()),
            name: name.to_owned(),
            stage: input.stage,
            organization,
            created_by,
            created_at: context.now,
            management: input.management,
            state: ApplicationState::Active,
        };
        tx.application_insert(&application).await?;
        let details = json!({ "name": application.name, "stage": application.stage, "organization": organization, "management": application.management });
        tx.record(context.now, &context.principal.actor(), "application.created", &format!("application:{}", application.id), details);
        tx.gateway_changed();
        let view = view(&tx, &application).await?;
        self.finish(context, tx, 201, view).await
    }

    async fn owner_of(&self, application: Id<Application>) -> Result<Id<octroi_domain::user::User>, Error> {
        let found = self.inner.store.read().application_by_id(application).await?;
        found.map(|application| application.created_by).ok_or(Error::InvalidCredential)
    }

    /// The applications of the principal's organisations.
    pub async fn list_applications(
        &self,
        context: &Context,
        organization: Option<Id<Organization>>,
        page: Page,
    ) -> Result<List<ApplicationView>, Error> {
        let organization = context.organization(organization)?;
        context.require(Action::ListApplications, &Subject::Organization(organization))?;
        let reader = self.inner.store.read();
        let listing = reader.application_list(Some(organization), page).await?;
        let mut items = Vec::with_capacity(listing.items.len());
        for application in &listing.items {
            items.push(view(&reader, application).await?);
        }
        Ok(List { items, next: listing.next.map(|cursor| cursor.to_string()) })
    }

    pub async fn read_application(&self, context: &Context, id: Id<Application>) -> Result<ApplicationView, Error> {
        let reader = self.inner.store.read();
        let application = reader.application_by_id(id).await?.ok_or(Error::NotFound)?;
        context.require(Action::ReadApplication, &Subject::Application { organization: application.organization })?;
        view(&reader, &application).await
    }

    /// Stops every call of the application, or lets them go on.
    pub async fn set_application_state(
        &self,
        context: &Context,
        id: Id<Application>,
        state: ApplicationState,
    ) -> Result<Done<ApplicationView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let mut application = tx.application_by_id(id).await?.ok_or(Error::NotFound)?;
        context.require(Action::SuspendApplication, &Subject::Application { organization: application.organization })?;
        if application.state == state {
            return Err(Error::conflict(
                "wrong_state",
                "L'application est déjà dans cet état.",
                "The application is in this state already.",
            ));
        }
        let subject = format!("application:{id}");
        let operator = context.require(Action::ManagePlatform, &Subject::Platform).is_ok();
        if state == ApplicationState::Active
            && !operator
            && last_by(&tx, &subject, "application.suspended").await?.as_deref() == Some(OPERATOR)
        {
            return Err(Error::conflict(
                "suspended_by_operator",
                "L'exploitant a suspendu cette application : lui seul peut la rétablir.",
                "The operator suspended this application: the operator alone resumes it.",
            ));
        }
        application.state = state;
        tx.application_save(&application).await?;
        let action = match state {
            ApplicationState::Active => "application.resumed",
            ApplicationState::Suspended => "application.suspended",
        };
        let by = if operator { OPERATOR } else { "organization" };
        tx.record(context.now, &context.principal.actor(), action, &subject, json!({ "by": by }));
        tx.gateway_changed();
        let view = view(&tx, &application).await?;
        self.finish(context, tx, 200, view).await
    }

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
        let unknown = || Error::field("/api", "unknown_api", "API inconnue", "unknown API");
        let stored = tx.api_current(&input.api).await?.filter(|stored| !stored.withdrawn).ok_or_else(unknown)?;
        let api = &stored.document.api;
        // A private API that the principal does not know is as unknown as one that does not exist.
        if !self.may_see(&tx, context, api).await? {
            return Err(unknown());
        }
        if api.backends.of(application.stage).is_none() {
            let message = format!("{} n'est pas ouverte en {}", input.api, application.stage);
            return Err(Error::field("/api", "not_open_on_stage", message, format!("{} is not open on {}", input.api, application.stage)));
        }
        let terms_accepted = accepted_terms(api, input.accept_terms)?;
        let plan = chosen_plan(api, input.plan)?;
        let permit = self.checked_permit(&tx, &application, api, input.permit, context.now).await?;
        // A subscription that had ended is taken up again, with its day's count; one that the API's side
        // ended waits for the API's side.
        let ended = ended_before(&tx, application.id, &input.api).await?;
        let stopped = match &ended {
            Some(ended) => last_by(&tx, &format!("subscription:{}", ended.id), "subscription.revoked").await?.as_deref() == Some(PROVIDER),
            None => false,
        };
        let waits = stopped || matches!(api.access, Access::Approval);
        let state = if waits { SubscriptionState::Pending } else { SubscriptionState::Active };
        let subscription = Subscription {
            id: ended.as_ref().map_or_else(|| Id::from_uuid(Uuid::now_v7()), |ended| ended.id),
            application: application.id,
            api: input.api.clone(),
            permit,
            plan,
            terms_accepted,
            state,
            created_at: context.now,
        };
        if let Some(existing) = tx.subscription_of(application.id, &input.api).await? {
            return Err(already(&existing));
        }
        match ended {
            Some(ended) => tx.subscription_save(&subscription, ended.state).await?,
            None => tx.subscription_insert(&subscription).await?,
        }
        let details = json!({ "application": application.id, "api": input.api, "permit": permit, "plan": subscription.plan, "terms": terms_accepted, "state": state });
        tx.record(context.now, &context.principal.actor(), "subscription.created", &format!("subscription:{}", subscription.id), details);
        tx.gateway_changed();
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
        context.require(Action::ReadTraces, &Subject::Perimeter { api: Some(api.clone()), definition: None })?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let stored = tx.api_current(api).await?.filter(|stored| !stored.withdrawn).ok_or(Error::NotFound)?;
        let unknown = || Error::field("/application", "unknown_application", "application inconnue", "unknown application");
        let application = tx.application_by_id(application).await?.ok_or_else(unknown)?;
        context.require(Action::DecideSubscription, &Subject::Subscription { organization: application.organization, api: api.clone() })?;
        if matches!(stored.document.api.access, Access::Permit { .. }) {
            return Err(Error::conflict(
                "permit_required",
                "Cette API demande une habilitation : l'abonné souscrit avec la sienne.",
                "This API needs a permit: the subscriber subscribes with theirs.",
            ));
        }
        if stored.document.api.backends.of(application.stage).is_none() {
            return Err(Error::field(
                "/application",
                "not_open_on_stage",
                "l'API n'est pas ouverte à l'étape de cette application",
                "the API is not open on this application's stage",
            ));
        }
        let ended = ended_before(&tx, application.id, api).await?;
        let subscription = Subscription {
            id: ended.as_ref().map_or_else(|| Id::from_uuid(Uuid::now_v7()), |ended| ended.id),
            application: application.id,
            api: api.clone(),
            permit: None,
            plan: chosen_plan(&stored.document.api, plan)?,
            terms_accepted: None,
            state: SubscriptionState::Active,
            created_at: context.now,
        };
        if let Some(existing) = tx.subscription_of(application.id, api).await? {
            return Err(already(&existing));
        }
        match ended {
            Some(ended) => tx.subscription_save(&subscription, ended.state).await?,
            None => tx.subscription_insert(&subscription).await?,
        }
        let details = json!({ "application": application.id, "api": api, "plan": subscription.plan, "state": subscription.state });
        tx.record(context.now, &context.principal.actor(), "subscription.enrolled", &format!("subscription:{}", subscription.id), details);
        tx.gateway_changed();
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
                    Err(Error::field("/permit", "not_needed", "cette API ne demande pas d'habilitation", "this API needs no permit"))
                }
            };
        };
        let needed = || {
            Error::field("/permit", "permit_required", "cette API demande une habilitation en vigueur", "this API needs a permit in force")
        };
        let number = permit.ok_or_else(needed)?;
        let found = reader.permit_by_number(number).await?;
        // A permit of somebody else is as unknown as one that does not exist.
        let held = found.filter(|permit| permit.grant().organization == application.organization).ok_or_else(|| {
            Error::field(
                "/permit",
                "unknown_permit",
                "votre organisation n'a pas cette habilitation",
                "your organisation has no such permit",
            )
        })?;
        let grant = held.grant();
        if !definitions.contains(&grant.definition) {
            return Err(Error::field(
                "/permit",
                "wrong_permit",
                "cette habilitation n'ouvre pas cette API",
                "this permit does not open this API",
            ));
        }
        if !grant.covers(application.stage) {
            let message = format!("cette habilitation ne couvre pas l'étape {}", application.stage);
            return Err(Error::field(
                "/permit",
                "wrong_stage",
                message,
                format!("this permit does not cover the stage {}", application.stage),
            ));
        }
        if !matches!(held, Permit::Active(_)) || grant.expires_at.is_some_and(|end| end <= now) {
            return Err(Error::conflict("permit_not_in_force", "Cette habilitation n'est pas en vigueur.", "This permit is not in force."));
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
                return Err(Error::field("/api", "required", "indiquez une API ou une application", "say which API or application"));
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
            return Err(Error::conflict(
                "wrong_state",
                format!("La souscription est dans l'état « {} ».", before.as_str()),
                format!("The subscription is in the state `{}`.", before.as_str()),
            ));
        }
        let runs = context.require(Action::DecideSubscription, &subject).is_ok();
        // What the API's side has stopped, the subscriber does not end to begin anew.
        if !runs && before == SubscriptionState::Suspended {
            return Err(Error::conflict(
                "wrong_state",
                "La souscription est suspendue par l'administrateur de l'API : adressez-vous à lui.",
                "The subscription is suspended by the API's administrator: ask them.",
            ));
        }
        subscription.state = next;
        tx.subscription_save(&subscription, before).await?;
        let details = json!({ "from": before, "to": next, "by": if runs { PROVIDER } else { "subscriber" } });
        tx.record(
            context.now,
            &context.principal.actor(),
            &format!("subscription.{}", next.as_str()),
            &format!("subscription:{id}"),
            details,
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

/// Who stopped it, as the ledger's details say.
const PROVIDER: &str = "provider";
const OPERATOR: &str = "operator";

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

/// Whose hand the latest such entry of the ledger names.
async fn last_by(reader: &Reader, subject: &str, action: &str) -> Result<Option<String>, Error> {
    let filter = LedgerFilter { subject: Some(subject.to_owned()), action: Some(action.to_owned()), ..LedgerFilter::default() };
    let entries = reader.ledger_page(&filter, Order::Descending, None, 1).await?;
    Ok(entries.first().and_then(|entry| entry.details.get("by")?.as_str().map(str::to_owned)))
}

fn already(existing: &Subscription) -> Error {
    let (id, state) = (existing.id, existing.state.as_str());
    let message = format!("L'application a déjà la souscription {id} ({state}).");
    Error::conflict("already_subscribed", message, format!("The application already has the subscription {id} ({state})."))
}

fn accepted_terms(api: &Api, accepted: bool) -> Result<Option<u32>, Error> {
    match (&api.terms, accepted) {
        (None, _) => Ok(None),
        (Some(terms), true) => Ok(Some(terms.version)),
        (Some(_), false) => Err(Error::field(
            "/accept_terms",
            "terms_not_accepted",
            "acceptez les conditions d'utilisation de l'API (true)",
            "accept the API's terms of use (true)",
        )),
    }
}

fn chosen_plan(api: &Api, plan: Option<Slug>) -> Result<Slug, Error> {
    let found = match &plan {
        Some(plan) => api.plan(plan),
        None => api.default_plan(),
    };
    let names: Vec<&str> = api.plans.iter().map(|plan| plan.id.as_str()).collect();
    let unknown = || {
        Error::field(
            "/plan",
            "unknown_plan",
            format!("offre inconnue ; choisissez parmi : {}", names.join(", ")),
            format!("unknown plan; choose one of: {}", names.join(", ")),
        )
    };
    found.map(|plan| plan.id.clone()).ok_or_else(unknown)
}
