//! What a session proves, and where it was opened. Sessions from before prove nothing: people sign in again.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0007_identity", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
DROP TABLE session;
CREATE TABLE session (
    digest {bytes} PRIMARY KEY, id {uuid} NOT NULL UNIQUE, user_id {uuid} NOT NULL REFERENCES "user" (id),
    authenticated_at bigint NOT NULL, methods text NOT NULL, address text NOT NULL, agent text NOT NULL,
    created_at bigint NOT NULL, last_seen_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);
"#;
