//! The operations: one function per thing that a person or a program can do. Pages, the REST API,
//! jobs and commands share them.
//!
//! Each operation asks `domain::policy` who may, moves a state of `domain`, and writes the state, the
//! ledger entry and the outbox rows in one transaction of `store`.

pub mod access_requests;
pub mod applications;
pub mod catalogue;
pub mod catalogue_files;
mod context;
pub mod credentials;
mod error;
pub mod feed;
pub mod jobs;
pub mod keys;
pub mod ledger;
mod mails;
pub mod password;
pub mod people;
pub mod permits;
pub mod query;
pub mod sessions;
pub mod traces;
pub mod view;

pub use context::{App, Context, Done, GatewayPort, Idempotency, Settings};
pub use error::Error;
