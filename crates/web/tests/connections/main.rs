//! Signing in through another OpenID provider: as people live it, as an attacker tries it, and module by module of the OpenID
//! conformance suite's plan for relying parties.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test: what is not there fails it")]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod logout;
mod manage;
mod modules;
mod policies;
mod provider;
mod second;
