//! A question before something that matters: what will follow, perhaps something to fill in, and the button.

use askama::Template;

use super::{
    kit::{ErrorSummary, Facts, Field, Link},
    page::Shell,
};

#[derive(Template)]
#[template(path = "confirm.html")]
pub struct Confirm {
    pub shell: Shell,
    /// What will follow.
    pub text: String,
    pub facts: Option<Facts>,
    pub summary: Option<ErrorSummary>,
    pub action: String,
    pub fields: Vec<Field>,
    pub button: String,
    pub danger: bool,
    pub back: Link,
}
