//! A message to a person, before it is sent.

use serde::{Deserialize, Serialize};

/// A mail ready to leave. The adapter knows how; the outbox knows when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// One recipient per mail: nobody sees whom else it went to.
    pub to: String,
    pub subject: String,
    pub text: String,
}
