//! Requests: from the first draft to the decision.

use std::{collections::BTreeMap, sync::Arc};

use octroi_domain::{
    Id, Moment, Number, Slug,
    access_request::{AccessRequest, Approval, Draft, Header, Kind, State},
    canonical::Sha256Hash,
    definition::{Answers, Definition, Form},
    event::Event,
    organization::Organization,
    permit::Permit,
    policy::{Action, Principal, Subject},
    stage::Stage,
    user::{LinkLevel, Membership, Role, User},
};
use octroi_store::{Page, Reader, RequestFilter, StoredDefinition, Tx, Visible};
use serde_json::Value;

use crate::{
    context::{App, Begin, Context, Done, under},
    error::Error,
    mails,
    view::{ApprovalView, List, RequestLine, RequestView, StateCounts},
};

/// A reviewer's message: its longest, in characters.
pub const MAX_MESSAGE: usize = 5_000;

/// A request with everything that an operation on it looks at.
pub(crate) struct Loaded {
    pub request: AccessRequest,
    pub definition: Arc<Definition>,
    pub applicant: User,
    pub organization: Organization,
}
impl Loaded {
    pub fn subject(&self) -> Subject {
        let header = self.request.header();
        Subject::Request {
            applicant: header.applicant,
            organization: header.organization,
            definition: self.definition.slug.clone(),
            provider: self.definition.provider.clone(),
        }
    }

    pub fn form(&self) -> Result<&Form, Error> {
        let form = &self.request.header().form;
        self.definition.form(form).ok_or_else(|| Error::Internal(format!("form {form} is not in the definition's version")))
    }

    pub fn view(&self) -> RequestView {
        RequestView::new(&self.request, &self.applicant, &self.organization)
    }
}

/// Completes a request read from the store.
pub(crate) async fn load(reader: &Reader, request: AccessRequest) -> Result<Loaded, Error> {
    let header = request.header();
    let missing = |what: &str| Error::Internal(format!("{} of {} is missing", what, header.id));
    let definition =
        reader.definition_version(&header.definition, header.definition_version).await?.ok_or_else(|| missing("definition"))?.definition;
    let applicant = reader.user_by_id(header.applicant).await?.ok_or_else(|| missing("applicant"))?;
    let organization = reader.organization_by_id(header.organization).await?.ok_or_else(|| missing("organization"))?;
    Ok(Loaded { request, definition, applicant, organization })
}

/// The title shown in lists.
pub(crate) fn title(answers: &Answers, definition: &Definition) -> String {
    answers.text("title").unwrap_or(&definition.name.fr).to_owned()
}

/// What the principal may see in lists: their own, their organisations', their perimeters'.
pub(crate) fn visible(principal: &Principal) -> Visible {
    let (mut definitions, mut providers, mut organizations, mut applicant) = (Vec::new(), Vec::new(), Vec::new(), None);
    match principal {
        Principal::Anonymous => {}
        Principal::Application(machine) => organizations.push(machine.organization),
        Principal::Person(person) => {
            use octroi_domain::user::Perimeter;
            applicant = Some(person.user);
            organizations.extend(person.memberships.iter().filter(|(_, level)| *level >= LinkLevel::Verified).map(|(id, _)| *id));
            for grant in person.roles.iter().filter(|grant| grant.role.reads_requests()) {
                match &grant.perimeter {
                    Perimeter::Definition(slug) => definitions.push(slug.clone()),
                    Perimeter::Provider(slug) => providers.push(slug.clone()),
                    Perimeter::Api(_) | Perimeter::Platform => {}
                }
            }
        }
    }
    Visible::Any { definitions, providers, organizations, applicant }
}

/// The filter, with what the principal may see.
fn seen(context: &Context, filter: RequestFilter) -> Result<RequestFilter, Error> {
    context.require(Action::ListRequests, &Subject::Platform)?;
    Ok(RequestFilter { visible: visible(&context.principal), ..filter })
}

/// What a new request is made from.
#[derive(Debug, Clone)]
pub struct NewRequest {
    pub definition: Slug,
    pub form: Slug,
    /// None: the person's only organisation.
    pub organization: Option<Id<Organization>>,
}

/// A reviewer's decision to grant.
#[derive(Debug, Clone)]
pub struct ApproveInput {
    /// The version that was read.
    pub version: u32,
    pub content_hash: Option<Sha256Hash>,
    pub message: Option<String>,
}

impl App {
    /// Opens a draft, with the form's prefilled answers.
    pub async fn create_request(&self, context: &Context, input: NewRequest) -> Result<Done<RequestView>, Error> {
        let person = context.person()?;
        let organization = match (input.organization, person.memberships.as_slice()) {
            (Some(chosen), _) => chosen,
            (None, [(only, _)]) => *only,
            (None, _) => return Err(Error::field("/organization", "required", "Choisissez l’organisation.", "Choose the organisation.")),
        };
        context.require(Action::CreateRequest, &Subject::Organization(organization))?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let unknown =
            || Error::field("/definition", "unknown_definition", "Ce type d’habilitation n’existe pas.", "There is no such definition.");
        let stored = tx.definition_current(&input.definition).await?.ok_or_else(unknown)?;
        let form = startable(&stored, &input.form)?;
        let stage = stored.definition.first_stage();
        if stored.definition.unique
            && let Some(active) = tx.access_request_active(&input.definition, organization).await?
        {
            return Err(Error::conflict(
                "already_requested",
                format!("Votre organisation a déjà la demande {active}."),
                format!("Your organisation already has the request {active}."),
            ));
        }
        let id = tx.access_request_next().await?;
        let header = Header {
            id,
            kind: Kind::Initial,
            definition: input.definition,
            definition_version: stored.version,
            form: input.form,
            stage,
            applicant: person.user,
            organization,
            created_at: context.now,
            updated_at: context.now,
            version: 1,
            answers: stored.definition.prefilled(form, stage),
        };
        let view = insert(&mut tx, context, header).await?;
        self.finish(context, tx, 201, view).await
    }

    /// Reads what lists look through, so that the first who asks for one does not wait for it.
    pub async fn prepare_lists(&self) -> Result<(), Error> {
        Ok(self.inner.store.catch_up().await?)
    }

    /// The requests that the principal may see, in the filter's order.
    pub async fn list_requests(&self, context: &Context, filter: RequestFilter, page: Page) -> Result<List<RequestLine>, Error> {
        let filter = seen(context, filter)?;
        Ok(self.inner.store.access_request_list(&filter, page).await?.into())
    }

    /// How many there are in each state, whatever states the filter asks for.
    pub async fn count_requests_by_state(&self, context: &Context, filter: RequestFilter) -> Result<StateCounts, Error> {
        let filter = seen(context, filter)?;
        Ok(StateCounts::new(self.inner.store.access_request_counts(&filter).await?, State::as_str))
    }

    /// The request that follows another one in the list. When that one was decided since, it has its old
    /// place among the submitted alone: among the latest changed it is the first now.
    pub async fn next_request(
        &self,
        context: &Context,
        filter: RequestFilter,
        after: Number<AccessRequest>,
    ) -> Result<Option<String>, Error> {
        let filter = seen(context, filter)?;
        Ok(self.inner.store.access_request_after(&filter, after).await?.map(|next| next.to_string()))
    }

    pub async fn read_request(&self, context: &Context, id: Number<AccessRequest>) -> Result<RequestView, Error> {
        let reader = self.inner.store.read();
        let request = reader.access_request_by_number(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&reader, request).await?;
        context.require(Action::ReadRequest, &loaded.subject())?;
        Ok(loaded.view())
    }

    /// Takes answers into a draft. `expected` is the version that they were written against, if given.
    pub async fn edit_request(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        expected: Option<u32>,
        changes: BTreeMap<String, Value>,
    ) -> Result<Done<RequestView>, Error> {
        self.move_request(context, id, Action::EditRequest, expected, |loaded, now| {
            let form = loaded.form()?;
            let header = loaded.request.header();
            let accepted = loaded.definition.accept(form, header.stage, &header.answers, &changes);
            let answers = accepted.map_err(|errors| under("/answers", errors))?;
            let moved = match loaded.request.clone() {
                AccessRequest::Draft(draft) => AccessRequest::Draft(draft.edit(answers, now)),
                AccessRequest::ChangesRequested(state) => AccessRequest::ChangesRequested(state.edit(answers, now)),
                other => return Err(wrong_state(&other, Action::EditRequest)),
            };
            let header = moved.header();
            let event = Event::RequestEdited { request: header.id, version: header.version };
            Ok((moved, event))
        })
        .await
    }

    pub async fn submit_request(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        expected: Option<u32>,
    ) -> Result<Done<RequestView>, Error> {
        let closed = self.organization_closed(id).await?;
        self.move_request(context, id, Action::SubmitRequest, expected, |loaded, now| {
            if closed {
                return Err(organization_closed());
            }
            let form = loaded.form()?;
            let header = loaded.request.header();
            let complete = || {
                let judged = loaded.definition.complete(form, header.stage, &header.answers, header.created_at);
                judged.map_err(|errors| under("/answers", errors))
            };
            let (submitted, event) = match loaded.request.clone() {
                AccessRequest::Draft(draft) => draft.submit(complete()?, now),
                AccessRequest::ChangesRequested(state) => state.submit(complete()?, now),
                other => return Err(wrong_state(&other, Action::SubmitRequest)),
            };
            Ok((AccessRequest::Submitted(submitted), event))
        })
        .await
    }

    /// Gives a request back. `read` is the version that the decision is about, if given.
    pub async fn request_changes(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        read: Option<u32>,
        message: String,
    ) -> Result<Done<RequestView>, Error> {
        let message = checked_message("/message", message)?;
        self.move_request(context, id, Action::RequestChanges, read, |loaded, now| match loaded.request.clone() {
            AccessRequest::Submitted(state) => {
                let (moved, event) = state.request_changes(message, now);
                Ok((AccessRequest::ChangesRequested(moved), event))
            }
            other => Err(wrong_state(&other, Action::RequestChanges)),
        })
        .await
    }

    /// Refuses. `read` as for [`App::request_changes`].
    pub async fn refuse_request(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        read: Option<u32>,
        message: String,
    ) -> Result<Done<RequestView>, Error> {
        let message = checked_message("/message", message)?;
        self.move_request(context, id, Action::RefuseRequest, read, |loaded, now| match loaded.request.clone() {
            AccessRequest::Submitted(state) => {
                let (moved, event) = state.refuse(message, now);
                Ok((AccessRequest::Refused(moved), event))
            }
            other => Err(wrong_state(&other, Action::RefuseRequest)),
        })
        .await
    }

    pub async fn archive_request(&self, context: &Context, id: Number<AccessRequest>) -> Result<Done<RequestView>, Error> {
        self.move_request(context, id, Action::ArchiveRequest, None, |loaded, now| {
            let (archived, event) = match loaded.request.clone() {
                AccessRequest::Draft(state) => state.archive(now),
                AccessRequest::ChangesRequested(state) => state.archive(now),
                AccessRequest::Refused(state) => state.archive(now),
                other => return Err(wrong_state(&other, Action::ArchiveRequest)),
            };
            Ok((AccessRequest::Archived(archived), event))
        })
        .await
    }

    /// Hands the request to a colleague, named by their e-mail address.
    pub async fn transfer_request(&self, context: &Context, id: Number<AccessRequest>, email: &str) -> Result<Done<RequestView>, Error> {
        let colleague = self.inner.store.read().user_by_email(email).await?;
        let unknown = || {
            Error::field(
                "/email",
                "not_a_member",
                "Cette personne n’est pas membre de l’organisation : vérifiez son adresse, ou demandez son rattachement.",
                "This person is not a member of the organisation, or their link is not verified: check the address.",
            )
        };
        let colleague = colleague.ok_or_else(unknown)?;
        let members = self.inner.store.read().memberships_of_user(colleague.id).await?;
        self.move_request(context, id, Action::TransferRequest, None, |loaded, now| {
            if !loaded.definition.features.transfer {
                return Err(Error::conflict(
                    "transfer_disabled",
                    "Ce type d’habilitation ne se transfère pas.",
                    "This definition does not allow transfers.",
                ));
            }
            let organization = loaded.request.header().organization;
            // Who is not surely a member sees their own requests alone, and is given nobody else's.
            let sure = |held: &Membership| held.organization == organization && held.level >= LinkLevel::Verified;
            if !members.iter().any(sure) {
                return Err(unknown());
            }
            Ok(loaded.request.clone().transfer(colleague.id, now))
        })
        .await
    }

    /// Grants: the permit, the end of the one it amends, and the subscriptions that follow it, at once.
    pub async fn approve_request(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        input: ApproveInput,
    ) -> Result<Done<ApprovalView>, Error> {
        let by = context.person()?.user;
        let message = input.message.map(|text| checked_message("/message", text)).transpose()?;
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let request = tx.access_request_lock(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&tx, request).await?;
        context.require(Action::ApproveRequest, &loaded.subject())?;
        let AccessRequest::Submitted(submitted) = loaded.request.clone() else {
            return Err(wrong_state(&loaded.request, Action::ApproveRequest));
        };
        let permit_id = tx.permit_next().await?;
        let expires_at = loaded.definition.validity_months.map(|months| context.now.plus_months(months));
        let approval = Approval {
            permit: permit_id,
            by,
            at: context.now,
            read: input.version,
            read_content: input.content_hash,
            expires_at,
            message: message.clone(),
        };
        let (approved, active, event) = submitted.approve(approval).map_err(|(_, stale)| Error::Stale { current: stale.current })?;
        let approved = AccessRequest::Approved(approved);
        let permit = Permit::Active(active);
        let title = title(&approved.header().answers, &loaded.definition);
        let before = loaded.request.header().version;
        tx.access_request_save(&approved, before, &title).await.map_err(|error| stale(error, before))?;
        tx.permit_insert(&permit, &title).await?;
        let decided = Event::RequestApproved { request: id, permit: permit_id };
        for event in [&decided, &event] {
            tx.record(context.now, &context.principal.actor(), event.action(), &event.subject(), event.details());
        }
        if let Kind::Amendment { of } = &approved.header().kind {
            supersede(&mut tx, context, *of, permit_id).await?;
        }
        tx.gateway_changed();
        let told = mails::decided(&loaded, &approved, permit_id, message.as_deref(), self.settings());
        mails::send(&mut tx, context.now, &loaded.definition.provider, told).await?;
        let view = ApprovalView { permit: permit_id.to_string(), request: id.to_string(), version: approved.header().version };
        self.finish(context, tx, 200, view).await
    }

    /// Opens a request that changes or renews a permit, or takes it to its next stage, keeping what was filled in.
    pub async fn follow_permit(&self, context: &Context, permit: Number<Permit>, stage_change: bool) -> Result<Done<RequestView>, Error> {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let held = tx.permit_lock(permit).await?.ok_or(Error::NotFound)?;
        let (subject, stored) = crate::permits::subject(&tx, &held).await?;
        context.require(Action::AmendPermit, &subject)?;
        let person = context.person()?;
        let grant = held.grant().clone();
        if !matches!(held, Permit::Active(_)) {
            return Err(Error::conflict("wrong_state", "Cette habilitation n’est plus en vigueur.", "This permit is not in force."));
        }
        if let Some(open) = tx.access_request_open_of(permit).await? {
            return Err(Error::conflict(
                "already_requested",
                format!("La demande {open} est déjà ouverte."),
                format!("The request {open} is already open."),
            ));
        }
        let current = tx.definition_current(&grant.definition).await?.unwrap_or(stored);
        let definition = current.definition.clone();
        let form = definition.form(&grant.form).or_else(|| definition.forms.first()).ok_or(Error::NotFound)?;
        let (kind, stage) = if stage_change {
            let next = grant.stage.and_then(|stage| definition.next_stage(stage));
            let none = || {
                Error::conflict("no_next_stage", "Ce type d’habilitation n’a pas d’étape suivante.", "This definition has no next stage.")
            };
            (Kind::StageChange { from: permit }, Some(next.ok_or_else(none)?))
        } else if definition.features.amendment {
            (Kind::Amendment { of: permit }, grant.stage)
        } else {
            return Err(Error::conflict(
                "amendment_disabled",
                "Ce type d’habilitation ne se modifie pas.",
                "This definition does not allow amendments.",
            ));
        };
        let id = tx.access_request_next().await?;
        let header = Header {
            id,
            kind,
            definition: grant.definition.clone(),
            definition_version: current.version,
            form: form.slug.clone(),
            stage,
            applicant: person.user,
            organization: grant.organization,
            created_at: context.now,
            updated_at: context.now,
            version: 1,
            answers: carried(&definition, form, stage, &grant.answers),
        };
        let view = insert(&mut tx, context, header).await?;
        self.finish(context, tx, 201, view).await
    }

    /// The shape of every move: lock, ask the policy, move, save with compare-and-set, record, tell.
    async fn move_request<F>(
        &self,
        context: &Context,
        id: Number<AccessRequest>,
        action: Action,
        expected: Option<u32>,
        step: F,
    ) -> Result<Done<RequestView>, Error>
    where
        F: FnOnce(&Loaded, Moment) -> Result<(AccessRequest, Event), Error> + Send,
    {
        let mut tx = match self.begin(context).await? {
            Begin::Fresh(tx) => tx,
            Begin::Replay(done) => return Ok(done),
        };
        let request = tx.access_request_lock(id).await?.ok_or(Error::NotFound)?;
        let loaded = load(&tx, request).await?;
        context.require(action, &loaded.subject())?;
        let before = loaded.request.header().version;
        if expected.is_some_and(|expected| expected != before) {
            return Err(Error::Stale { current: before });
        }
        let (moved, event) = step(&loaded, context.now)?;
        let title = title(&moved.header().answers, &loaded.definition);
        tx.access_request_save(&moved, before, &title).await.map_err(|error| stale(error, before))?;
        tx.record(context.now, &context.principal.actor(), event.action(), &event.subject(), event.details());
        let mut told = mails::moved(&loaded, &moved, self.settings());
        if matches!(event, Event::RequestSubmitted { .. }) {
            let (definition, provider) = (&loaded.definition.slug, &loaded.definition.provider);
            for subscriber in tx.users_covering_definition(Role::Subscriber, definition, provider).await? {
                told.push(mails::submitted(&loaded, &subscriber, self.settings()));
            }
        }
        mails::send(&mut tx, context.now, &loaded.definition.provider, told).await?;
        let applicant = if moved.header().applicant == loaded.applicant.id {
            loaded.applicant
        } else {
            tx.user_by_id(moved.header().applicant).await?.ok_or(Error::NotFound)?
        };
        let view = RequestView::new(&moved, &applicant, &loaded.organization);
        self.finish(context, tx, 200, view).await
    }
}

fn startable<'a>(stored: &'a StoredDefinition, form: &Slug) -> Result<&'a Form, Error> {
    let unknown =
        || Error::field("/form", "unknown_form", "Ce type d’habilitation n’a pas ce formulaire.", "This definition has no such form.");
    let form = stored.definition.form(form).ok_or_else(unknown)?;
    if stored.retired || !stored.definition.startable || !form.startable {
        return Err(Error::conflict("not_startable", "Ce formulaire n’accepte plus de demande.", "This form takes no more requests."));
    }
    Ok(form)
}

/// The answers of a permit that the (newer) definition still takes.
fn carried(definition: &Definition, form: &Form, stage: Option<Stage>, answers: &Answers) -> Answers {
    let start = definition.prefilled(form, stage);
    answers.values().iter().fold(start, |taken, (field, value)| {
        let one = BTreeMap::from([(field.clone(), value.clone())]);
        definition.accept(form, stage, &taken, &one).unwrap_or(taken)
    })
}

fn organization_closed() -> Error {
    Error::conflict(
        "organization_closed",
        "L’établissement pour lequel vous demandez est fermé : faites la demande pour celui qui lui a succédé.",
        "The establishment that you ask for is closed: make the request for its successor.",
    )
}

async fn insert(tx: &mut Tx, context: &Context, header: Header) -> Result<RequestView, Error> {
    if tx.profile(header.organization).await?.standing.is_closed() {
        return Err(organization_closed());
    }
    let event = Event::RequestCreated { request: header.id };
    let loaded = load(tx, AccessRequest::Draft(Draft::new(header))).await?;
    let title = title(&loaded.request.header().answers, &loaded.definition);
    tx.access_request_insert(&loaded.request, &title).await?;
    tx.record(context.now, &context.principal.actor(), event.action(), &event.subject(), event.details());
    Ok(loaded.view())
}

async fn supersede(tx: &mut Tx, context: &Context, old: Number<Permit>, new: Number<Permit>) -> Result<(), Error> {
    let held = tx.permit_lock(old).await?.ok_or(Error::NotFound)?;
    let before = held.status();
    if let Ok(open) = held.open() {
        let (ended, event) = open.supersede(new, context.now);
        tx.permit_save(&Permit::Ended(ended), before).await?;
        tx.record(context.now, &context.principal.actor(), event.action(), &event.subject(), event.details());
        tx.subscriptions_move(old, new).await?;
        Ok(())
    } else {
        Err(Error::conflict(
            "amended_permit_ended",
            "L’habilitation à modifier n’est plus en vigueur.",
            "The permit to amend is no longer in force.",
        ))
    }
}

fn stale(error: octroi_store::StoreError, current: u32) -> Error {
    if error.is_stale() { Error::Stale { current: current.saturating_add(1) } } else { error.into() }
}

pub(crate) fn checked_message(pointer: &str, message: String) -> Result<String, Error> {
    let length = message.chars().count();
    if message.trim().is_empty() || length > MAX_MESSAGE {
        return Err(Error::field(
            pointer,
            "invalid",
            format!("Écrivez un texte de 1 à {MAX_MESSAGE} caractères."),
            format!("Write a text of 1 to {MAX_MESSAGE} characters."),
        ));
    }
    Ok(message)
}

pub(crate) fn wrong_state(request: &AccessRequest, action: Action) -> Error {
    let (fr, en) = said(request.state());
    let possible = |word: fn(State) -> &'static str| {
        action.states().unwrap_or_default().iter().map(|state| word(*state)).collect::<Vec<_>>().join(", ")
    };
    Error::conflict(
        "wrong_state",
        format!("La demande est dans l’état « {fr} » ; cette action demande l’état : {}.", possible(|state| said(state).0)),
        format!("The request is in the state “{en}”; this action needs the state: {}.", possible(|state| said(state).1)),
    )
}

/// A state as people are told of it.
const fn said(state: State) -> (&'static str, &'static str) {
    match state {
        State::Draft => ("brouillon", "draft"),
        State::Submitted => ("en instruction", "in review"),
        State::ChangesRequested => ("à compléter", "changes requested"),
        State::Approved => ("acceptée", "approved"),
        State::Refused => ("refusée", "refused"),
        State::Archived => ("archivée", "archived"),
    }
}
