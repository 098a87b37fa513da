//! What the asker of a list may see: part of every question, never a filter that can be forgotten.

use octroi_domain::{Id, Slug, organization::Organization, user::User};

/// What the asker may see of requests and permits. `Any` is an *or*: with nothing in it, it shows nothing.
#[derive(Debug, Clone)]
pub enum Visible {
    /// Everything: for the platform's own jobs and for the operator.
    All,
    Any {
        /// Held roles: requests of these definitions.
        definitions: Vec<Slug>,
        /// Held roles: requests of every definition of these providers.
        providers: Vec<Slug>,
        /// Requests of these organisations.
        organizations: Vec<Id<Organization>>,
        /// Requests of this person.
        applicant: Option<Id<User>>,
    },
}

impl Visible {
    /// Nothing at all.
    #[must_use]
    pub const fn nothing() -> Self {
        Self::Any { definitions: Vec::new(), providers: Vec::new(), organizations: Vec::new(), applicant: None }
    }
}

pub(crate) fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
