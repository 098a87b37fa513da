//! The faces: the REST API, the OAuth endpoints, and the pages.
//!
//! A face reads a request strictly, finds out who asks, calls one operation of `octroi-app`, and
//! writes its outcome down. It holds no rule and no SQL: who may do what is `octroi_domain::policy`,
//! and every route names the action that it is for (`router.rs`).

mod api;
mod body;
mod call;
mod dispatch;
mod headers;
mod idempotency;
mod oidc;
pub mod openapi;
mod principal;
mod problem;
mod product;
mod query;
mod router;
mod state;
mod ui;

pub use oidc::{TokenAnswer, TokenPort};
pub use router::{Route, router, routes};
pub use state::{Clock, Peer, WebState};
pub use ui::site::{Colour, Site};
