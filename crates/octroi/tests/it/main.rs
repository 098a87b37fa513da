//! The whole program, through its own doors: real HTTP, a real process, both engines.

mod bad_input;
mod commands;
mod corpus;
mod gate;
mod harness;
mod kill;
mod policy;
mod story;
