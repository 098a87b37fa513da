//! An invitation to subscribe to an API, sent by mail to somebody who may not have an account yet.

use crate::{Id, Moment, Slug, api::ApiName, application::Subscription, credential::SecretDigest, user::User};

/// How long an invitation can be accepted, days.
pub const VALID_DAYS: i64 = 30;

/// Good once, for one API and for whoever signs in with this address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    pub id: Id<Invitation>,
    pub api: ApiName,
    /// In lower case.
    pub email: String,
    pub plan: Slug,
    /// Of the word that the link in the mail ends with.
    pub digest: SecretDigest,
    pub invited_by: Id<User>,
    pub created_at: Moment,
    pub expires_at: Moment,
    /// When it was accepted or withdrawn.
    pub ended_at: Option<Moment>,
    /// What it led to.
    pub subscription: Option<Id<Subscription>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    Open,
    Accepted,
    Withdrawn,
    Expired,
}
impl InvitationState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

impl Invitation {
    #[must_use]
    pub fn state(&self, now: Moment) -> InvitationState {
        match (self.ended_at, self.subscription) {
            (_, Some(_)) => InvitationState::Accepted,
            (Some(_), None) => InvitationState::Withdrawn,
            (None, None) if self.expires_at <= now => InvitationState::Expired,
            (None, None) => InvitationState::Open,
        }
    }
}
