//! Everything that can have happened to a request or a permit.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Id, Number, access_request::AccessRequest, canonical::Sha256Hash, message::Side, permit::Permit, scope::ScopeSet};

/// A move that was made. The ledger writes it, mails and webhooks follow from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    RequestCreated {
        request: Number<AccessRequest>,
    },
    RequestEdited {
        request: Number<AccessRequest>,
        version: u32,
    },
    RequestSubmitted {
        request: Number<AccessRequest>,
        version: u32,
        content: Sha256Hash,
    },
    ChangesRequested {
        request: Number<AccessRequest>,
        message: String,
    },
    RequestRefused {
        request: Number<AccessRequest>,
        message: String,
    },
    RequestApproved {
        request: Number<AccessRequest>,
        permit: Number<Permit>,
    },
    RequestArchived {
        request: Number<AccessRequest>,
    },
    RequestTransferred {
        request: Number<AccessRequest>,
        from: Id<crate::user::User>,
        to: Id<crate::user::User>,
    },
    /// The text stands beside the ledger; its SHA-256 is the evidence.
    MessageSent {
        request: Number<AccessRequest>,
        side: Side,
        text: Sha256Hash,
    },
    PermitGranted {
        request: Number<AccessRequest>,
        permit: Number<Permit>,
        content: Sha256Hash,
        scopes: ScopeSet,
        message: Option<String>,
    },
    PermitSuperseded {
        permit: Number<Permit>,
        by: Number<Permit>,
    },
    PermitSuspended {
        permit: Number<Permit>,
        reason: String,
    },
    PermitResumed {
        permit: Number<Permit>,
    },
    PermitRevoked {
        permit: Number<Permit>,
        reason: String,
    },
    PermitExpired {
        permit: Number<Permit>,
    },
}

impl Event {
    /// The name in the ledger.
    #[must_use]
    pub const fn action(&self) -> &'static str {
        match self {
            Self::RequestCreated { .. } => "access_request.created",
            Self::RequestEdited { .. } => "access_request.edited",
            Self::RequestSubmitted { .. } => "access_request.submitted",
            Self::ChangesRequested { .. } => "access_request.changes_requested",
            Self::RequestRefused { .. } => "access_request.refused",
            Self::RequestApproved { .. } => "access_request.approved",
            Self::RequestArchived { .. } => "access_request.archived",
            Self::RequestTransferred { .. } => "access_request.transferred",
            Self::MessageSent { .. } => "access_request.message_sent",
            Self::PermitGranted { .. } => "permit.granted",
            Self::PermitSuperseded { .. } => "permit.superseded",
            Self::PermitSuspended { .. } => "permit.suspended",
            Self::PermitResumed { .. } => "permit.resumed",
            Self::PermitRevoked { .. } => "permit.revoked",
            Self::PermitExpired { .. } => "permit.expired",
        }
    }

    /// What it happened to.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::RequestCreated { request }
            | Self::RequestEdited { request, .. }
            | Self::RequestSubmitted { request, .. }
            | Self::ChangesRequested { request, .. }
            | Self::RequestRefused { request, .. }
            | Self::RequestApproved { request, .. }
            | Self::RequestArchived { request }
            | Self::RequestTransferred { request, .. }
            | Self::MessageSent { request, .. } => request.to_string(),
            Self::PermitGranted { permit, .. }
            | Self::PermitSuperseded { permit, .. }
            | Self::PermitSuspended { permit, .. }
            | Self::PermitResumed { permit }
            | Self::PermitRevoked { permit, .. }
            | Self::PermitExpired { permit } => permit.to_string(),
        }
    }

    /// The facts, for the ledger.
    #[must_use]
    pub fn details(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| json!({}))
    }
}
