//! The only SQL: migrations, rows, queries, outbox, ledger.
//!
//! One text for two engines, embedded SQLite and PostgreSQL 15 or later. Every read is a method of
//! [`Reader`]; a [`Tx`] dereferences to a `Reader`, so the same reads run inside a transaction;
//! every write is a method of `Tx`. One file for each resource, named as in the domain.
//!
//! There is no table of events beside the ledger: an entry of the ledger already holds the name,
//! the subject and the facts of what happened, in order, written by the transaction that did it.

mod access_request;
mod application;
mod catalogue;
mod client;
mod connect;
mod connection;
mod counter;
mod credential;
mod error;
mod factor;
mod gateway;
mod grant;
mod group;
mod hand_off;
mod idempotency;
mod invitation;
mod joining;
mod ledger;
mod lists;
mod message;
mod migrations;
mod organization;
mod outbox;
mod page;
mod permit;
mod profile;
mod proof;
mod row;
mod search;
#[cfg(feature = "seed")]
mod seed;
mod session;
mod sign_on;
mod statistics;
mod store;
#[cfg(test)]
mod testing;
mod throttle;
mod trace;
mod tx;
mod user;
mod verification;
mod verify;
mod visible;

#[cfg(feature = "seed")]
pub use self::seed::Seeded;
pub use self::{
    access_request::{KindName, RequestFilter, RequestSort, RequestSummary},
    application::SubscriptionFilter,
    catalogue::{ApiIndex, DefinitionIndex, Put, StoredApi, StoredDefinition, VersionIndex},
    connection::{PendingLink, StoredConnection},
    credential::StoredKey,
    error::{Cause, StoreError, Why},
    factor::{Ceremony, Totp},
    gateway::GatewayRows,
    grant::StoredCode,
    hand_off::StoredPending,
    idempotency::Answered,
    joining::JoiningFilter,
    ledger::{LedgerFilter, Order},
    message::{Awaited, Waiting},
    outbox::{DeliveredMail, OutboxCounts, OutboxItem, OutboxMessage, OutboxRow, OutboxState},
    page::{Cursor, CursorError, Listing, Page, UnknownSort},
    permit::{PermitFilter, PermitSort, PermitSummary},
    statistics::{Month, OfDefinition, Tally},
    store::Store,
    trace::{Anonymise, CallOutcome, CallsOfApplication, HourOfCalls, StoredTrace, TraceCount, TraceFilter, TraceVisible},
    tx::{Reader, Tx},
    verification::{Outcome, Verification},
    verify::{Fault, LedgerFault, Verdict, Verified},
    visible::Visible,
};
