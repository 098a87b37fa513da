//! A call that is refused. Its reasons, with their words, are the domain's: the portal explains them too.

use http::{HeaderValue, StatusCode};
pub use octroi_domain::refusal::Reason;

use crate::openapi::Violation;

/// The status of a reason, as this HTTP library has it.
pub(crate) fn status_of(reason: Reason) -> StatusCode {
    StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What goes with a refusal.
#[derive(Debug)]
pub(crate) enum Note {
    None,
    /// What was malformed; English words that complete the sentence.
    Because(&'static str),
    /// The methods that the path has, for `Allow`.
    Allow(HeaderValue),
    /// The scopes that would open the operation.
    Scopes(String),
    /// Seconds.
    RetryAfter(u64),
    Violations(Vec<Violation>),
}

/// A call that is refused.
#[derive(Debug)]
pub(crate) struct Denied {
    pub reason: Reason,
    pub note: Note,
    /// The framing of the connection is in doubt: it is closed after the answer.
    pub close: bool,
}
impl Denied {
    pub(crate) const fn malformed(why: &'static str) -> Self {
        Self { reason: Reason::MalformedRequest, note: Note::Because(why), close: false }
    }
    pub(crate) const fn with(reason: Reason, note: Note) -> Self {
        Self { reason, note, close: false }
    }
}
impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        let note = match reason {
            Reason::ViewTooOld | Reason::NoSnapshot | Reason::TraceUnavailable => Note::RetryAfter(1),
            _ => Note::None,
        };
        Self { reason, note, close: false }
    }
}
