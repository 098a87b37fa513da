//! The decision (habilitation): frozen content, and a state that only moves forward.
//!
//! `Active → Superseded | Suspended | Revoked | Expired`, `Suspended → Active | Superseded | Revoked | Expired`.

use serde::{Deserialize, Serialize};

use crate::{
    Id, Moment, Number, Numbered, Slug, access_request::AccessRequest, canonical::Sha256Hash, definition::Answers, event::Event,
    feed::PermitStatus, organization::Organization, scope::ScopeSet, stage::Stage, user::User,
};

/// What was granted. Nothing in it ever changes: a change is another permit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub id: Number<Permit>,
    pub request: Number<AccessRequest>,
    pub definition: Slug,
    pub definition_version: i64,
    pub form: Slug,
    /// None: it covers both stages.
    pub stage: Option<Stage>,
    pub organization: Id<Organization>,
    pub applicant: Id<User>,
    pub granted_by: Id<User>,
    pub granted_at: Moment,
    pub expires_at: Option<Moment>,
    /// Everything that was answered: legal basis, purpose, retention, contacts, documents.
    pub answers: Answers,
    pub scopes: ScopeSet,
    pub modality: Option<String>,
    /// The hash of the version that the reviewer read.
    pub content: Sha256Hash,
}
impl Grant {
    #[must_use]
    pub fn covers(&self, stage: Stage) -> bool {
        self.stage.is_none_or(|held| held == stage)
    }
}

/// In force.
#[derive(Debug, Clone, PartialEq)]
pub struct Active(Grant);
/// Stopped for a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Suspended {
    grant: Grant,
    at: Moment,
    reason: String,
}
/// Ended: replaced, revoked or out of date.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    grant: Grant,
    end: End,
}
/// How a permit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum End {
    Superseded { at: Moment, by: Number<Permit> },
    Revoked { at: Moment, by: Id<User>, reason: String },
    Expired { at: Moment },
}

/// A permit in any of its states.
#[derive(Debug, Clone, PartialEq)]
pub enum Permit {
    Active(Active),
    Suspended(Suspended),
    Ended(Ended),
}
impl Numbered for Permit {
    const PREFIX: char = 'H';
}

impl Active {
    pub(crate) const fn new(grant: Grant) -> Self {
        Self(grant)
    }
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.0
    }
    #[must_use]
    pub fn suspend(self, at: Moment, reason: String) -> (Suspended, Event) {
        let event = Event::PermitSuspended { permit: self.0.id, reason: reason.clone() };
        (Suspended { grant: self.0, at, reason }, event)
    }
    #[must_use]
    pub fn supersede(self, by: Number<Permit>, at: Moment) -> (Ended, Event) {
        Open::from(self).supersede(by, at)
    }
}
impl Suspended {
    #[must_use]
    pub fn resume(self) -> (Active, Event) {
        let event = Event::PermitResumed { permit: self.grant.id };
        (Active(self.grant), event)
    }
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
    #[must_use]
    pub const fn at(&self) -> Moment {
        self.at
    }
}
impl Ended {
    #[must_use]
    pub const fn end(&self) -> &End {
        &self.end
    }
}

/// A permit that has not ended: in force or suspended.
#[derive(Debug, Clone, PartialEq)]
pub struct Open(Grant);
impl From<Active> for Open {
    fn from(active: Active) -> Self {
        Self(active.0)
    }
}
impl From<Suspended> for Open {
    fn from(suspended: Suspended) -> Self {
        Self(suspended.grant)
    }
}
impl Open {
    #[must_use]
    pub fn revoke(self, by: Id<User>, at: Moment, reason: String) -> (Ended, Event) {
        let event = Event::PermitRevoked { permit: self.0.id, reason: reason.clone() };
        (Ended { grant: self.0, end: End::Revoked { at, by, reason } }, event)
    }
    #[must_use]
    pub fn supersede(self, by: Number<Permit>, at: Moment) -> (Ended, Event) {
        let event = Event::PermitSuperseded { permit: self.0.id, by };
        (Ended { grant: self.0, end: End::Superseded { at, by } }, event)
    }
    #[must_use]
    pub fn expire(self, at: Moment) -> (Ended, Event) {
        let event = Event::PermitExpired { permit: self.0.id };
        (Ended { grant: self.0, end: End::Expired { at } }, event)
    }
}

impl Permit {
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        match self {
            Self::Active(active) => &active.0,
            Self::Suspended(suspended) => &suspended.grant,
            Self::Ended(ended) => &ended.grant,
        }
    }

    /// The permit as one that can still be ended, or back as it was.
    ///
    /// # Errors
    /// The permit itself, when it has ended already.
    pub fn open(self) -> Result<Open, Box<Self>> {
        match self {
            Self::Active(active) => Ok(active.into()),
            Self::Suspended(suspended) => Ok(suspended.into()),
            Self::Ended(_) => Err(Box::new(self)),
        }
    }

    #[must_use]
    pub const fn status(&self) -> PermitStatus {
        match self {
            Self::Active(_) => PermitStatus::Active,
            Self::Suspended(_) => PermitStatus::Suspended,
            Self::Ended(ended) => match ended.end {
                End::Superseded { .. } => PermitStatus::Superseded,
                End::Revoked { .. } => PermitStatus::Revoked,
                End::Expired { .. } => PermitStatus::Expired,
            },
        }
    }

    /// For storage: the grant, the name of the state, and what belongs to it.
    #[must_use]
    pub fn to_parts(&self) -> (&Grant, StateRecord) {
        let record = match self {
            Self::Active(_) => StateRecord::Active,
            Self::Suspended(suspended) => StateRecord::Suspended { at: suspended.at, reason: suspended.reason.clone() },
            Self::Ended(ended) => StateRecord::Ended { end: ended.end.clone() },
        };
        (self.grant(), record)
    }

    /// From storage.
    #[must_use]
    pub fn from_parts(grant: Grant, record: StateRecord) -> Self {
        match record {
            StateRecord::Active => Self::Active(Active(grant)),
            StateRecord::Suspended { at, reason } => Self::Suspended(Suspended { grant, at, reason }),
            StateRecord::Ended { end } => Self::Ended(Ended { grant, end }),
        }
    }
}

/// The state of a permit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StateRecord {
    Active,
    Suspended { at: Moment, reason: String },
    Ended { end: End },
}
impl StateRecord {
    /// Since when the permit opens nothing; none while it is in force.
    #[must_use]
    pub const fn stopped_at(&self) -> Option<Moment> {
        match self {
            Self::Active => None,
            Self::Suspended { at, .. }
            | Self::Ended { end: End::Superseded { at, .. } | End::Revoked { at, .. } | End::Expired { at } } => Some(*at),
        }
    }
}
impl PermitStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}
