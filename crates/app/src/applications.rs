//! Applications: the programs of an organisation.

use octroi_domain::{
    Id,
    application::{Application, ApplicationState, Stopper},
    organization::Organization,
    policy::{Action, Subject},
    stage::Stage,
    text::is_plain,
};
use octroi_store::{Page, Reader};
use serde_json::json;
use uuid::Uuid;

use crate::{
    context::{App, Begin, Context, Done},
    error::Error,
    view::{ApplicationView, List},
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
                _ => Err(Error::field("/organization", "required", "Choisissez l’organisation.", "Choose the organisation.")),
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
        if name.is_empty() || name.chars().count() > 120 || !is_plain(name) {
            return Err(Error::field(
                "/name",
                "invalid",
                "Donnez un nom de 1 à 120 caractères, sans caractère invisible.",
                "Give a name of 1 to 120 characters, none of them invisible.",
            ));
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
            suspended_by: None,
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
                "L’application est déjà dans cet état.",
                "The application is in this state already.",
            ));
        }
        let operator = context.require(Action::ManagePlatform, &Subject::Platform).is_ok();
        if state == ApplicationState::Active && !operator && application.suspended_by == Some(Stopper::Operator) {
            return Err(Error::conflict(
                "suspended_by_operator",
                "L’exploitant a suspendu cette application : lui seul peut la rétablir.",
                "The operator suspended this application: the operator alone resumes it.",
            ));
        }
        let by = if operator { Stopper::Operator } else { Stopper::Organization };
        application.state = state;
        application.suspended_by = (state == ApplicationState::Suspended).then_some(by);
        tx.application_save(&application).await?;
        let action = match state {
            ApplicationState::Active => "application.resumed",
            ApplicationState::Suspended => "application.suspended",
        };
        tx.record(context.now, &context.principal.actor(), action, &format!("application:{id}"), json!({ "by": by }));
        tx.gateway_changed();
        let view = view(&tx, &application).await?;
        self.finish(context, tx, 200, view).await
    }
}
