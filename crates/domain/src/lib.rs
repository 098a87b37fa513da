//! The rules of Octroi: requests, permits, scopes, credentials, quotas, and who may do what.
//!
//! Nothing here performs I/O, asks what time it is, or knows HTTP or SQL: a rule receives what it
//! needs and returns a value. That is what makes each of them testable without anything running.

pub mod access_request;
pub mod account;
pub mod api;
pub mod application;
pub mod authentication;
pub mod calendar;
pub mod canonical;
pub mod catalogue;
pub mod comparison;
pub mod connection;
pub mod credential;
pub mod definition;
pub mod directory;
pub mod email_domain;
pub mod event;
pub mod feed;
pub mod fold;
pub mod hand_off;
pub mod invitation;
pub mod joining;
pub mod ledger;
pub mod mail;
pub mod message;
pub mod network;
pub mod organization;
pub mod permit;
pub mod policy;
pub mod quota;
pub mod refusal;
pub mod scope;
pub mod sign_on;
pub mod stage;
pub mod text;
pub mod trace;
pub mod traffic;
pub mod user;
mod value;

pub use value::{Id, Moment, Number, Numbered, ParseNumberError, Slug, SlugError};
