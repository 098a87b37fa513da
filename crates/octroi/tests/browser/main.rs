//! The portal in a real browser: people who click, type and read.
//!
//! Needs Debian's `chromium` and `chromium-driver`, and axe-core by `npm ci` in this folder: `./test`
//! installs them. Without them the tests say so and pass, unless `OCTROI_BROWSER` is set.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

mod accounts;
mod checks;
mod driver;
mod filling;
#[expect(dead_code, reason = "the other tests of the whole use the rest of it")]
#[path = "../it/harness.rs"]
mod harness;
mod literal;
mod manners;
mod pages;
mod person;
mod relying;
mod selftest;
mod story;
mod words;
mod world;
