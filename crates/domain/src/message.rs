//! What the applicant and the reviewers write to each other on a request.

use serde::{Deserialize, Serialize};

use crate::{Id, Moment, Number, access_request::AccessRequest, user::User};

/// Who writes: the one who applies, or those who decide. A message waits for the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Applicant,
    Reviewer,
}
impl Side {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Reviewer => "reviewer",
        }
    }

    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Applicant => Self::Reviewer,
            Self::Reviewer => Self::Applicant,
        }
    }
}

/// The most messages that one request takes.
pub const MAX_MESSAGES: u64 = 500;

/// One message. Its text is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: Id<Message>,
    pub request: Number<AccessRequest>,
    pub side: Side,
    pub author: Id<User>,
    pub text: String,
    pub at: Moment,
    /// When the other side saw it.
    pub read_at: Option<Moment>,
}
