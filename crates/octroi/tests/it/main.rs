//! The whole program, through its own doors: real HTTP, a real process, both engines.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod administration;
mod bad_input;
mod commands;
mod corpus;
mod gate;
mod guesses;
mod harness;
mod kill;
mod lists;
mod openid_client;
mod policy;
mod relying_party;
mod story;
mod trial;
