//! The REST API: one file per resource. A handler turns what was sent into what an operation takes,
//! calls it, and writes the outcome down; nothing else.

pub mod access_requests;
pub mod account;
pub mod applications;
pub mod catalogue;
pub mod clients;
pub mod connected;
pub mod connections;
pub mod credentials;
pub mod dev;
pub mod invitations;
pub mod ledger;
pub mod messages;
pub mod organizations;
pub mod people;
pub mod permits;
pub mod platform;
pub mod products;
pub mod register;
pub mod session;
pub mod statistics;
pub mod subscriptions;
pub mod traces;
