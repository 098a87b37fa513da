//! What the operator's pages look for: organisations and people by their words, and verifications of the ledger.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0005_platform", sql: SQL, sqlite: "", postgres: "" };

/// `search` holds folded words (`octroi_domain::fold`), each after a space. Rows from before are folded
/// as far as SQL can; saving one again does the rest.
const SQL: &str = r#"
ALTER TABLE organization ADD COLUMN search text NOT NULL DEFAULT '';
UPDATE organization SET search = ' ' || lower(name) || ' ' || siret;

ALTER TABLE "user" ADD COLUMN search text NOT NULL DEFAULT '';
UPDATE "user" SET search = ' ' || lower(given_name) || ' ' || lower(family_name) || ' ' || replace(replace(email, '@', ' '), '.', ' ');

CREATE TABLE ledger_verification (
    id {identity}, started_by text NOT NULL, started_at bigint NOT NULL, touched_at bigint NOT NULL,
    total bigint NOT NULL, entries bigint NOT NULL, ended_at bigint, outcome text, fault_seq bigint, fault text, head {bytes}
);
"#;
