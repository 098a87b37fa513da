//! A request as its form shows it: the steps, what is still missing, and what the reader may do.

use std::{collections::BTreeSet, sync::Arc};

use octroi_domain::{
    Moment, Number, Slug,
    access_request::AccessRequest,
    definition::{Answers, Definition, FieldError, Form, Step, Typed, Vendor},
    policy::{Action, Principal, Subject},
    stage::Stage,
    text::Text,
};

use crate::{
    access_requests::{Loaded, load},
    context::{App, Context},
    error::Error,
    view::{PermitStop, RequestView},
};

/// A request, the version of the definition that it was written against, and its form.
#[derive(Debug, Clone)]
pub struct RequestForm {
    pub request: RequestView,
    pub definition: Arc<Definition>,
    /// The provider's name.
    pub provider: Text,
    pub form: Form,
    pub answers: Answers,
    pub created_at: Moment,
    /// The steps that ask something.
    pub steps: Vec<Step>,
    /// The blocks that the form fixes, for reading.
    pub fixed: Vec<Step>,
    /// Everything that keeps the answers from being submitted.
    pub missing: Vec<FieldError>,
    /// What the reader may do with the request in its state.
    pub allowed: BTreeSet<Action>,
    /// Does the reader read it for the provider?
    pub reads: bool,
    /// Why the permit that it led to opens nothing; none while it is in force.
    pub stop: Option<PermitStop>,
}

impl RequestForm {
    /// Is nothing missing from this step?
    #[must_use]
    pub fn is_complete(&self, step: &Step) -> bool {
        !self.missing.iter().any(|error| step.owns(error))
    }

    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        self.allowed.contains(&action)
    }
}

/// What became of a step that was filled in.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The version that is there now.
    pub version: u32,
    /// What could not be taken; the rest was.
    pub errors: Vec<FieldError>,
}

fn form(loaded: &Loaded, context: &Context, provider: Text, stop: Option<PermitStop>) -> Result<RequestForm, Error> {
    let header = loaded.request.header();
    let definition = &loaded.definition;
    let form = loaded.form()?;
    let (fixed, steps) = definition.steps(form, header.stage).into_iter().partition(Step::is_fixed);
    let subject = loaded.subject();
    let state = loaded.request.state();
    let features = definition.features;
    let allowed = |action: &Action| {
        let switched_on = match action {
            Action::TransferRequest => features.transfer,
            Action::WriteMessage => features.messaging,
            _ => true,
        };
        switched_on && action.states().is_none_or(|states| states.contains(&state)) && context.require(*action, &subject).is_ok()
    };
    Ok(RequestForm {
        request: loaded.view(),
        provider,
        form: form.clone(),
        answers: header.answers.clone(),
        created_at: header.created_at,
        steps,
        fixed,
        missing: definition.missing(form, header.stage, &header.answers, header.created_at),
        allowed: Action::ON_REQUEST.into_iter().filter(allowed).collect(),
        reads: reads(&context.principal, definition),
        stop,
        definition: Arc::clone(definition),
    })
}

/// Does a role of the principal read requests of this definition?
pub(crate) fn reads(principal: &Principal, definition: &Definition) -> bool {
    let mut held = principal.person().into_iter().flat_map(|person| &person.roles).filter(|grant| grant.role.reads_requests());
    held.any(|grant| grant.perimeter.covers_definition(&definition.slug, &definition.provider))
}

impl App {
    /// What the account knows of a contact: member and text.
    pub async fn own_contact(&self, context: &Context) -> Result<[(&'static str, String); 3], Error> {
        let user = self.inner.store.read().user_by_id(context.person()?.user).await?.ok_or(Error::SignIn)?;
        Ok([("family_name", user.family_name), ("given_name", user.given_name), ("email", user.email)])
    }

    /// A request and its form, for whoever may read the request.
    pub async fn request_form(&self, context: &Context, id: Number<AccessRequest>) -> Result<RequestForm, Error> {
        let reader = self.inner.store.read();
        let request = reader.access_request_by_number(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&reader, request).await?;
        context.require(Action::ReadRequest, &loaded.subject())?;
        let provider = reader.provider_by_slug(&loaded.definition.provider).await?;
        let provider =
            provider.map_or_else(|| Text::new(loaded.definition.provider.as_str(), loaded.definition.provider.as_str()), |held| held.name);
        let permit = match loaded.request.permit() {
            Some(number) => reader.permit_by_number(number).await?,
            None => None,
        };
        form(&loaded, context, provider, permit.as_ref().and_then(|permit| PermitStop::of(permit, context.now)))
    }

    /// Takes what was typed into a step: each good answer, whatever is wrong with the others. `expected`
    /// is the version that the step was shown with; what changes nothing is not written.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else changed the request; [`Error::NotFound`] when the form has no such step.
    pub async fn fill_step(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        step: usize,
        expected: u32,
        typed: &Typed,
    ) -> Result<Filled, Error> {
        let held = self.request_form(context, id).await?;
        let step = held.steps.get(step).ok_or(Error::NotFound)?;
        let read = held.definition.read(&step.fields, typed);
        let mut changes = read.answers;
        changes.retain(|field, value| held.answers.get(field).unwrap_or(&serde_json::Value::Null) != value);
        if changes.is_empty() && held.may(Action::EditRequest) {
            return Ok(Filled { version: held.request.version, errors: read.errors });
        }
        // A repeat of what was just saved has no value of its own: the version is one further.
        let saved = self.edit_request(context, id, Some(expected), changes).await?.value();
        Ok(Filled { version: saved.map_or(expected.saturating_add(1), |request| request.version), errors: read.errors })
    }
}

/// A definition that can be asked for, and its forms.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    pub definition: Slug,
    pub name: Text,
    pub description: Text,
    /// The provider's name.
    pub provider: Text,
    pub stages: Vec<Stage>,
    pub validity_months: Option<u16>,
    /// The one offered first is first.
    pub forms: Vec<OfferedForm>,
}

/// A form that can be started.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedForm {
    pub slug: Slug,
    pub name: Text,
    pub introduction: Option<Text>,
    pub use_case: Option<Slug>,
    pub vendor: Option<Vendor>,
    pub default: bool,
    /// The titles of the steps that ask something, and of those that the form fixes.
    pub asked: Vec<Text>,
    pub fixed: Vec<Text>,
}

fn offered(definition: &Definition, form: &Form) -> OfferedForm {
    let (fixed, asked): (Vec<Step>, Vec<Step>) = definition.steps(form, definition.first_stage()).into_iter().partition(Step::is_fixed);
    let titles = |steps: Vec<Step>| steps.into_iter().map(|step| step.title).collect();
    OfferedForm {
        slug: form.slug.clone(),
        name: form.name.clone(),
        introduction: form.introduction.clone(),
        use_case: form.use_case.clone(),
        vendor: form.vendor.clone(),
        default: form.default,
        asked: titles(asked),
        fixed: titles(fixed),
    }
}

impl App {
    /// What can be asked for now: definitions and forms that take requests.
    pub async fn offers(&self, context: &Context) -> Result<Vec<Offer>, Error> {
        context.require(Action::ReadPublic, &Subject::Platform)?;
        let reader = self.inner.store.read();
        let providers = reader.provider_list().await?;
        let open = reader.definition_list().await?.into_iter().filter(|stored| !stored.retired && stored.definition.startable);
        let offer = |stored: octroi_store::StoredDefinition| {
            let definition = stored.definition;
            let provider = providers.iter().find(|provider| provider.slug == definition.provider);
            let startable = definition.forms.iter().filter(|form| form.startable);
            let mut forms: Vec<OfferedForm> = startable.map(|form| offered(&definition, form)).collect();
            forms.sort_by_key(|form| !form.default);
            Offer {
                definition: definition.slug.clone(),
                name: definition.name.clone(),
                description: definition.description.clone(),
                provider: provider
                    .map_or_else(|| Text::new(definition.provider.as_str(), definition.provider.as_str()), |held| held.name.clone()),
                stages: definition.stages.clone(),
                validity_months: definition.validity_months,
                forms,
            }
        };
        Ok(open.map(offer).filter(|offer| !offer.forms.is_empty()).collect())
    }
}
