//! The catalogue as files: read whole and linted, written back.
//!
//! ```text
//! <provider>/provider.yaml
//! <provider>/<api>/api.yaml               with its `openapi.yaml` and its case files
//! <provider>/<definition>/definition.yaml with its `forms/*.yaml`
//! ```
//!
//! What each file may say is in [`octroi_domain::catalogue`]; `catalogue/README.md` tells providers.

mod cases;
mod fault;
mod lint;
mod lint_api;
mod read;
pub(crate) mod schema;
mod write;
mod yaml;

#[cfg(test)]
mod tests;

pub use self::{
    fault::Fault,
    read::{read, read_api},
    write::{WriteError, write},
};
