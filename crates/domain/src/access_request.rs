//! What a body fills in (demande d'habilitation), one struct per state.
//!
//! `Draft → Submitted → (ChangesRequested → Submitted)* → Approved | Refused`; `Draft`,
//! `ChangesRequested` and `Refused` can be archived. A move exists only on the state that allows
//! it, and consumes it: there is no `Draft::approve`.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Id, Moment, Number, Numbered, Slug,
    canonical::Sha256Hash,
    definition::{Answers, CompleteAnswers},
    event::Event,
    organization::Organization,
    permit::{self, Grant, Permit},
    scope::ScopeSet,
    stage::Stage,
    user::User,
};

/// Why it was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Initial,
    /// A change or renewal: the permit stays in force until this is approved.
    Amendment {
        of: Number<Permit>,
    },
    /// From the sandbox to production, keeping what was filled in.
    StageChange {
        from: Number<Permit>,
    },
}

/// What every state has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub id: Number<AccessRequest>,
    #[serde(flatten)]
    pub kind: Kind,
    pub definition: Slug,
    pub definition_version: i64,
    pub form: Slug,
    pub stage: Option<Stage>,
    pub applicant: Id<User>,
    pub organization: Id<Organization>,
    pub created_at: Moment,
    pub updated_at: Moment,
    /// Grows by one with each change: what a stale writer is told apart by.
    pub version: u32,
    pub answers: Answers,
}

impl Header {
    /// SHA-256 of what a reviewer reads: the answers, and what they were written against.
    #[must_use]
    pub fn content(&self) -> Sha256Hash {
        Sha256Hash::of_value(&json!({
            "request": self.id,
            "definition": self.definition,
            "definition_version": self.definition_version,
            "form": self.form,
            "stage": self.stage,
            "organization": self.organization,
            "answers": self.answers,
        }))
    }

    const fn touched(mut self, at: Moment) -> Self {
        self.version = self.version.saturating_add(1);
        self.updated_at = at;
        self
    }
}

/// Being written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft(Header);
/// Waiting for a reviewer; nobody can change its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    header: Header,
    scopes: ScopeSet,
    modality: Option<String>,
    submitted_at: Moment,
}
/// Back with the applicant, with a reason.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangesRequested {
    header: Header,
    message: String,
}
/// Granted: see the permit.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    header: Header,
    permit: Number<Permit>,
}
/// Refused, with a reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    header: Header,
    message: String,
}
/// Put away.
#[derive(Debug, Clone, PartialEq)]
pub struct Archived(Header);

/// A request in any of its states.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessRequest {
    Draft(Draft),
    Submitted(Submitted),
    ChangesRequested(ChangesRequested),
    Approved(Approved),
    Refused(Refused),
    Archived(Archived),
}
impl Numbered for AccessRequest {
    const PREFIX: char = 'D';
}

/// The version that was read is not the version that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request changed since it was read: version {read} was read, version {current} is there")]
pub struct StaleRead {
    pub read: u32,
    pub current: u32,
}

/// What an approval says beside the request itself.
#[derive(Debug, Clone)]
pub struct Approval {
    pub permit: Number<Permit>,
    pub by: Id<User>,
    pub at: Moment,
    /// The version of the request that the reviewer read, and its content hash if the reviewer gave it.
    pub read: u32,
    pub read_content: Option<Sha256Hash>,
    pub expires_at: Option<Moment>,
    pub message: Option<String>,
}

impl Draft {
    #[must_use]
    pub const fn new(header: Header) -> Self {
        Self(header)
    }
    #[must_use]
    pub fn edit(mut self, answers: Answers, at: Moment) -> Self {
        self.0.answers = answers;
        Self(self.0.touched(at))
    }
    #[must_use]
    pub fn submit(self, complete: CompleteAnswers, at: Moment) -> (Submitted, Event) {
        Submitted::enter(self.0, &complete, at)
    }
    #[must_use]
    pub fn archive(self, at: Moment) -> (Archived, Event) {
        Archived::enter(self.0, at)
    }
}
impl ChangesRequested {
    #[must_use]
    pub fn edit(mut self, answers: Answers, at: Moment) -> Self {
        self.header.answers = answers;
        Self { header: self.header.touched(at), message: self.message }
    }
    #[must_use]
    pub fn submit(self, complete: CompleteAnswers, at: Moment) -> (Submitted, Event) {
        Submitted::enter(self.header, &complete, at)
    }
    #[must_use]
    pub fn archive(self, at: Moment) -> (Archived, Event) {
        Archived::enter(self.header, at)
    }
}
impl Refused {
    #[must_use]
    pub fn archive(self, at: Moment) -> (Archived, Event) {
        Archived::enter(self.header, at)
    }
}
impl Archived {
    fn enter(header: Header, at: Moment) -> (Self, Event) {
        let event = Event::RequestArchived { request: header.id };
        (Self(header.touched(at)), event)
    }
}
impl Submitted {
    fn enter(mut header: Header, complete: &CompleteAnswers, at: Moment) -> (Self, Event) {
        header.answers = complete.answers().clone();
        let header = header.touched(at);
        let event = Event::RequestSubmitted { request: header.id, version: header.version, content: header.content() };
        let submitted =
            Self { header, scopes: complete.scopes().clone(), modality: complete.modality().map(str::to_owned), submitted_at: at };
        (submitted, event)
    }

    #[must_use]
    pub const fn submitted_at(&self) -> Moment {
        self.submitted_at
    }

    #[must_use]
    pub fn request_changes(self, message: String, at: Moment) -> (ChangesRequested, Event) {
        let event = Event::ChangesRequested { request: self.header.id, message: message.clone() };
        (ChangesRequested { header: self.header.touched(at), message }, event)
    }

    #[must_use]
    pub fn refuse(self, message: String, at: Moment) -> (Refused, Event) {
        let event = Event::RequestRefused { request: self.header.id, message: message.clone() };
        (Refused { header: self.header.touched(at), message }, event)
    }

    /// Grants exactly what was read: the permit freezes the answers of that version.
    ///
    /// # Errors
    /// When another version than the current one was read; the request comes back unchanged.
    pub fn approve(self, approval: Approval) -> Result<(Approved, permit::Active, Event), (Box<Self>, StaleRead)> {
        let content = self.header.content();
        if approval.read != self.header.version || approval.read_content.is_some_and(|read| read != content) {
            let stale = StaleRead { read: approval.read, current: self.header.version };
            return Err((Box::new(self), stale));
        }
        let grant = Grant {
            id: approval.permit,
            request: self.header.id,
            definition: self.header.definition.clone(),
            definition_version: self.header.definition_version,
            form: self.header.form.clone(),
            stage: self.header.stage,
            organization: self.header.organization,
            applicant: self.header.applicant,
            granted_by: approval.by,
            granted_at: approval.at,
            expires_at: approval.expires_at,
            answers: self.header.answers.clone(),
            scopes: self.scopes.clone(),
            modality: self.modality.clone(),
            content,
        };
        let event = Event::PermitGranted {
            request: self.header.id,
            permit: grant.id,
            content,
            scopes: grant.scopes.clone(),
            message: approval.message,
        };
        let approved = Approved { permit: grant.id, header: self.header.touched(approval.at) };
        Ok((approved, permit::Active::new(grant), event))
    }
}

/// The state of a request as it is stored and named outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Draft,
    Submitted,
    ChangesRequested,
    Approved,
    Refused,
    Archived,
}
impl State {
    pub const ALL: [Self; 6] = [Self::Draft, Self::Submitted, Self::ChangesRequested, Self::Approved, Self::Refused, Self::Archived];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::ChangesRequested => "changes_requested",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Archived => "archived",
        }
    }
}

/// What belongs to a state, as it is stored beside the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StateRecord {
    Draft,
    Submitted { at: Moment, scopes: ScopeSet, modality: Option<String> },
    ChangesRequested { message: String },
    Approved { permit: Number<Permit> },
    Refused { message: String },
    Archived,
}

impl AccessRequest {
    #[must_use]
    pub const fn header(&self) -> &Header {
        match self {
            Self::Draft(Draft(header)) | Self::Archived(Archived(header)) => header,
            Self::Submitted(state) => &state.header,
            Self::ChangesRequested(state) => &state.header,
            Self::Approved(state) => &state.header,
            Self::Refused(state) => &state.header,
        }
    }

    #[must_use]
    pub const fn state(&self) -> State {
        match self {
            Self::Draft(_) => State::Draft,
            Self::Submitted(_) => State::Submitted,
            Self::ChangesRequested(_) => State::ChangesRequested,
            Self::Approved(_) => State::Approved,
            Self::Refused(_) => State::Refused,
            Self::Archived(_) => State::Archived,
        }
    }

    /// The last word of the reviewer, where the state has one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::ChangesRequested(state) => Some(&state.message),
            Self::Refused(state) => Some(&state.message),
            _ => None,
        }
    }

    /// The permit that it led to.
    #[must_use]
    pub const fn permit(&self) -> Option<Number<Permit>> {
        match self {
            Self::Approved(state) => Some(state.permit),
            _ => None,
        }
    }

    /// Hands the request to another person of the same organisation; its state stays.
    #[must_use]
    pub fn transfer(mut self, to: Id<User>, at: Moment) -> (Self, Event) {
        let header = match &mut self {
            Self::Draft(Draft(header)) | Self::Archived(Archived(header)) => header,
            Self::Submitted(state) => &mut state.header,
            Self::ChangesRequested(state) => &mut state.header,
            Self::Approved(state) => &mut state.header,
            Self::Refused(state) => &mut state.header,
        };
        let event = Event::RequestTransferred { request: header.id, from: header.applicant, to };
        header.applicant = to;
        header.version = header.version.saturating_add(1);
        header.updated_at = at;
        (self, event)
    }

    /// For storage.
    #[must_use]
    pub fn to_parts(&self) -> (&Header, StateRecord) {
        let record = match self {
            Self::Draft(_) => StateRecord::Draft,
            Self::Submitted(state) => {
                StateRecord::Submitted { at: state.submitted_at, scopes: state.scopes.clone(), modality: state.modality.clone() }
            }
            Self::ChangesRequested(state) => StateRecord::ChangesRequested { message: state.message.clone() },
            Self::Approved(state) => StateRecord::Approved { permit: state.permit },
            Self::Refused(state) => StateRecord::Refused { message: state.message.clone() },
            Self::Archived(_) => StateRecord::Archived,
        };
        (self.header(), record)
    }

    /// From storage.
    #[must_use]
    pub fn from_parts(header: Header, record: StateRecord) -> Self {
        match record {
            StateRecord::Draft => Self::Draft(Draft(header)),
            StateRecord::Submitted { at, scopes, modality } => Self::Submitted(Submitted { header, scopes, modality, submitted_at: at }),
            StateRecord::ChangesRequested { message } => Self::ChangesRequested(ChangesRequested { header, message }),
            StateRecord::Approved { permit } => Self::Approved(Approved { header, permit }),
            StateRecord::Refused { message } => Self::Refused(Refused { header, message }),
            StateRecord::Archived => Self::Archived(Archived(header)),
        }
    }
}
