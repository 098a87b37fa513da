//! Applications and their subscriptions: who calls, and what they may call.

use serde::{Deserialize, Serialize};

use crate::{Id, Moment, Number, Slug, api::ApiName, organization::Organization, permit::Permit, stage::Stage, user::User};

/// A program of an organisation, in one stage. Its id is its OAuth `client_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    pub id: Id<Application>,
    pub name: String,
    pub stage: Stage,
    pub organization: Id<Organization>,
    pub created_by: Id<User>,
    pub created_at: Moment,
    /// May its API keys use the REST API in the name of its organisation?
    pub management: bool,
    pub state: ApplicationState,
    /// Who suspended it; none when it is active.
    pub suspended_by: Option<Stopper>,
}

/// Who stopped an application or a subscription: only they, or who stands above them, undo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopper {
    /// The organisation that it belongs to.
    Organization,
    /// Who administers the API.
    Provider,
    Operator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationState {
    Active,
    Suspended,
}

/// The right of one application to call one API, under a plan and, for a restricted API, a permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: Id<Subscription>,
    pub application: Id<Application>,
    pub api: ApiName,
    pub permit: Option<Number<Permit>>,
    pub plan: Slug,
    /// The version of the terms that was accepted.
    pub terms_accepted: Option<u32>,
    pub state: SubscriptionState,
    /// Who suspended or ended it last; none before.
    pub stopped_by: Option<Stopper>,
    pub created_at: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// Waits for the API's administrator.
    Pending,
    Active,
    Suspended,
    /// Ended for good; a new subscription may be made.
    Revoked,
}
impl SubscriptionState {
    /// The moves of an administrator (and of the subscriber, who may only end it).
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending | Self::Suspended, Self::Active | Self::Revoked) | (Self::Active, Self::Suspended | Self::Revoked)
        )
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}
