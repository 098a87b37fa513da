//! The rules of Octroi: requests, permits, scopes, credentials, quotas, and who may do what.
//!
//! Nothing here performs I/O, asks what time it is, or knows HTTP or SQL: a rule receives what it
//! needs and returns a value. That is what makes each of them testable without anything running.

pub mod access_request;
pub mod api;
pub mod application;
pub mod canonical;
pub mod catalogue;
pub mod credential;
pub mod definition;
pub mod event;
pub mod feed;
pub mod ledger;
pub mod mail;
pub mod organization;
pub mod permit;
pub mod policy;
pub mod quota;
pub mod scope;
pub mod stage;
pub mod text;
pub mod trace;
pub mod user;
mod value;

pub use value::{Id, Moment, Number, Numbered, ParseNumberError, Slug, SlugError};
