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
mod connect;
mod counter;
mod credential;
mod error;
mod gateway;
mod idempotency;
mod ledger;
mod migrations;
mod organization;
mod outbox;
mod page;
mod permit;
mod row;
mod session;
mod store;
#[cfg(test)]
mod testing;
mod trace;
mod tx;
mod user;
mod verify;
mod visible;

pub use self::{
    access_request::{KindName, RequestFilter, RequestSummary},
    application::SubscriptionFilter,
    catalogue::{ApiIndex, DefinitionIndex, Put, StoredApi, StoredDefinition},
    credential::StoredKey,
    error::{Cause, StoreError, Why},
    gateway::GatewayRows,
    idempotency::Answered,
    ledger::{LedgerFilter, Order},
    outbox::{DeliveredMail, OutboxItem, OutboxMessage},
    page::{Cursor, CursorError, Listing, Page},
    permit::{PermitFilter, PermitSummary},
    session::Session,
    store::Store,
    trace::{Anonymise, StoredTrace, TraceCount, TraceFilter, TraceVisible},
    tx::{Reader, Tx},
    verify::{Fault, LedgerFault, Verdict, Verified},
    visible::Visible,
};
