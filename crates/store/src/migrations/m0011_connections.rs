//! Other OpenID providers that people sign in through: who they are, who is on the way, whom their word stands for.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0011_connections", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
CREATE TABLE connection (
    slug text PRIMARY KEY, issuer text NOT NULL, settings text NOT NULL, secret {bytes}, key {bytes}, active boolean NOT NULL,
    created_at bigint NOT NULL, updated_at bigint NOT NULL, version bigint NOT NULL
);
CREATE TABLE connection_flow (
    digest {bytes} PRIMARY KEY, connection text NOT NULL REFERENCES connection (slug) ON DELETE CASCADE, state text NOT NULL,
    nonce text NOT NULL, verifier text NOT NULL, return_to text, user_id {uuid} REFERENCES "user" (id), extra text NOT NULL,
    created_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX connection_flow_expires ON connection_flow (expires_at);
CREATE TABLE connection_pending (
    digest {bytes} PRIMARY KEY, connection text NOT NULL REFERENCES connection (slug) ON DELETE CASCADE,
    user_id {uuid} NOT NULL REFERENCES "user" (id), sealed {bytes} NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX connection_pending_expires ON connection_pending (expires_at);
CREATE TABLE identity (
    id {uuid} PRIMARY KEY, issuer text NOT NULL, subject text NOT NULL, user_id {uuid} NOT NULL REFERENCES "user" (id),
    connection text NOT NULL, created_at bigint NOT NULL, last_used_at bigint NOT NULL, UNIQUE (issuer, subject)
);
CREATE INDEX identity_by_user ON identity (user_id);
CREATE TABLE link_request (
    id {uuid} PRIMARY KEY, connection text NOT NULL REFERENCES connection (slug) ON DELETE CASCADE, issuer text NOT NULL,
    subject text NOT NULL, user_id {uuid} NOT NULL REFERENCES "user" (id), created_at bigint NOT NULL, decided_at bigint,
    accepted boolean NOT NULL, UNIQUE (issuer, subject)
);
CREATE INDEX link_request_queue ON link_request (connection, created_at);
CREATE TABLE upstream_session (
    session_id {uuid} PRIMARY KEY, connection text NOT NULL, issuer text NOT NULL, subject text NOT NULL, sid text,
    sealed {bytes} NOT NULL, created_at bigint NOT NULL
);
CREATE INDEX upstream_session_subject ON upstream_session (issuer, subject);
CREATE INDEX upstream_session_created ON upstream_session (created_at);
"#;
