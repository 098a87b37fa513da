//! The ledger: what happened, in order, each entry bound to the one before it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Moment, canonical::Sha256Hash};

/// The hash that the first entry is bound to.
pub const GENESIS: Sha256Hash = Sha256Hash([0; 32]);

/// One entry. Its hash covers everything else in it, the previous hash included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3, … without a gap.
    pub seq: i64,
    pub at: Moment,
    /// Who did it: `user:<id>`, `application:<id>`, `system` or `operator-shell`.
    pub actor: String,
    /// What happened: `permit.granted`, `access_request.submitted`, …
    pub action: String,
    /// To what: `H12`, `D3`, `application:<id>`, …
    pub subject: String,
    /// The facts, without personal data beyond ids and never a secret.
    pub details: Value,
    pub previous: Sha256Hash,
    pub hash: Sha256Hash,
}

impl Entry {
    /// Binds a new entry to the one before it.
    #[must_use]
    pub fn bind(seq: i64, at: Moment, actor: String, action: String, subject: String, details: Value, previous: Sha256Hash) -> Self {
        let mut entry = Self { seq, at, actor, action, subject, details, previous, hash: GENESIS };
        entry.hash = entry.computed_hash();
        entry
    }

    /// SHA-256 of the canonical text of every member but `hash`.
    #[must_use]
    pub fn computed_hash(&self) -> Sha256Hash {
        Sha256Hash::of_value(&json!({
            "seq": self.seq,
            "at": self.at.micros(),
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "details": self.details,
            "previous": self.previous,
        }))
    }

    /// Does the entry follow `previous` (its number and its hash), unchanged?
    #[must_use]
    pub fn follows(&self, seq: i64, previous: Sha256Hash) -> bool {
        self.seq == seq + 1 && self.previous == previous && self.hash == self.computed_hash()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_breaks_the_chain() {
        let first = Entry::bind(1, Moment::from_micros(5), "system".into(), "a".into(), "x".into(), json!({"n": 1}), GENESIS);
        assert!(first.follows(0, GENESIS));
        let second = Entry::bind(2, Moment::from_micros(6), "system".into(), "b".into(), "y".into(), json!({}), first.hash);
        assert!(second.follows(1, first.hash));
        assert!(!second.follows(0, first.hash) && !second.follows(1, GENESIS));
        for change in [
            Entry { at: Moment::from_micros(7), ..second.clone() },
            Entry { actor: "user".into(), ..second.clone() },
            Entry { action: "c".into(), ..second.clone() },
            Entry { subject: "z".into(), ..second.clone() },
            Entry { details: json!({"n": 2}), ..second.clone() },
            Entry { hash: first.hash, ..second.clone() },
        ] {
            assert!(!change.follows(1, first.hash), "{change:?}");
        }
    }
}
