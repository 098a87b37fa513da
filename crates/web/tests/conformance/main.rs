//! What the modules of the OpenID conformance suite assert of a provider, and attacks beside them: one file for each
//! plan, one test for each module, under its name.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test: what is not there fails it")]

mod attacks;
mod basic;
mod certificates;
mod connected;
mod contracts;
mod doors;
mod dynamic;
mod fapi2;
mod fapi2_par;
mod holes;
mod libraries;
mod logout;
mod nonces;
mod plans;
mod relying;
mod strict;
#[path = "../support/mod.rs"]
mod support;
mod told;
