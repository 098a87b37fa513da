//! The hot path: parse strictly, identify, admit, forward, minimise, trace.
//!
//! One listener serves one stage ([`start`]); the control plane hands it immutable states
//! ([`Handle::publish`]) and takes traces from it ([`trace::channel`]). Nothing here knows a
//! database: what is not in the snapshot does not exist.

mod admit;
mod answer;
mod assertion;
mod call;
mod denied;
mod forward;
mod gate;
mod guard;
mod handle;
mod identify;
mod limits;
pub mod mask;
mod minimise;
pub mod mock;
pub mod openapi;
mod parse;
mod pool;
mod published;
pub mod query;
mod server;
mod settings;
mod snapshot;
mod stats;
#[cfg(test)]
mod tests;
mod token;
pub mod trace;

pub use answer::OCTROI_ERROR;
pub use denied::Reason;
pub use handle::{Handle, StartError, check, start};
pub use published::BuildError;
pub use settings::{Network, NetworkError, Settings};
pub use stats::Stats;
pub use token::TokenAnswer;
pub use trace::{Spilled, TraceSink, TraceSource};
