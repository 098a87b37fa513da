//! The only SQL: migrations, rows, queries, outbox, ledger.
