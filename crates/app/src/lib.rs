//! The operations: one function per thing that a person or a program can do. Pages, the REST API,
//! jobs and commands share them.
//!
//! Each operation asks `domain::policy` who may, moves a state of `domain`, and writes the state, the
//! ledger entry and the outbox rows in one transaction of `store`.

pub mod access_requests;
pub mod account;
pub mod accounts;
pub mod api_administration;
pub mod applications;
pub mod catalogue;
pub mod catalogue_files;
pub mod connections;
mod context;
pub mod credentials;
pub mod dashboard;
mod error;
pub mod factors;
pub mod feed;
pub mod hand_off;
pub mod invitations;
pub mod jobs;
pub mod joining;
pub mod keys;
pub mod ledger;
pub mod mails;
pub mod member_invitations;
pub mod messages;
pub mod moderation;
pub mod organizations;
pub mod passkeys;
pub mod password;
pub mod people;
pub mod permit_sheets;
pub mod permits;
pub mod platform;
pub mod proofs;
pub mod query;
pub mod reference;
pub mod register;
pub mod request_forms;
pub mod review;
pub mod sessions;
pub mod showcase;
pub mod sign_on;
pub mod statistics;
pub mod subscriptions;
pub mod timeline;
pub mod traces;
pub mod traffic;
pub mod try_it;
pub mod usage;
pub mod view;

pub use context::{App, Context, Done, GatewayPort, Idempotency, MaskedSample, Settings};
pub use error::Error;
