//! What the asker of a list may see: a condition on each row, never a filter that can be forgotten.

use octroi_domain::{Id, Slug, organization::Organization, user::User};
use sea_orm::{ColumnTrait, Condition};

use crate::row::plain;

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

/// The columns that visibility looks at.
pub(crate) struct Columns<C> {
    pub(crate) definition: C,
    pub(crate) provider: C,
    pub(crate) organization: C,
    pub(crate) applicant: C,
}

impl Visible {
    pub(crate) fn condition<C: ColumnTrait>(&self, columns: &Columns<C>) -> Condition {
        match self {
            Self::All => Condition::all(),
            // `is_in` of an empty list is false, and an `any` of nothing would be true: so each list is always there.
            Self::Any { definitions, providers, organizations, applicant } => Condition::any()
                .add(columns.definition.is_in(texts(definitions)))
                .add(columns.provider.is_in(texts(providers)))
                .add(columns.organization.is_in(organizations.iter().map(|id| id.uuid())))
                .add(columns.applicant.is_in(applicant.iter().map(|id| id.uuid()))),
        }
    }
}

/// Each word of what was typed must be in the searched text.
pub(crate) fn words<C: ColumnTrait>(column: C, text: &str) -> Condition {
    let mut condition = Condition::all();
    for word in plain(text).to_lowercase().split_whitespace().take(8) {
        let word: String = word.chars().take(100).collect();
        let mut pattern = String::from("%");
        for character in word.chars() {
            if matches!(character, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(character);
        }
        pattern.push('%');
        condition = condition.add(column.like(sea_orm::sea_query::LikeExpr::new(pattern).escape('\\')));
    }
    condition
}

pub(crate) fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}
