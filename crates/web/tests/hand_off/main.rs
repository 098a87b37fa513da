//! People handed over to a product with a front and an API of its own: each mode, and who tries to come in by it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test: what is not there fails it")]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod legacy;
mod modes;
mod organizations;
mod world;
