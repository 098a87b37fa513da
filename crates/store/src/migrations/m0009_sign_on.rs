//! The sign-on: relying parties, what people let them have, and what is used once.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0009_sign_on", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
CREATE TABLE client (
    id text PRIMARY KEY, key {uuid} NOT NULL UNIQUE, metadata text NOT NULL, secret {bytes}, registration {bytes},
    organization_id {uuid} REFERENCES organization (id), first_party boolean NOT NULL, serves text,
    state text NOT NULL, access_token_seconds bigint NOT NULL, refresh_token_seconds bigint NOT NULL,
    created_at bigint NOT NULL, updated_at bigint NOT NULL, version bigint NOT NULL
);
CREATE INDEX client_newest ON client (created_at, key);
CREATE INDEX client_serves ON client (serves) WHERE serves IS NOT NULL;
CREATE TABLE initial_access (
    id {uuid} PRIMARY KEY, label text NOT NULL, digest {bytes} NOT NULL UNIQUE, organization_id {uuid} REFERENCES organization (id),
    created_at bigint NOT NULL, expires_at bigint NOT NULL, uses_left bigint NOT NULL
);
CREATE TABLE interaction (
    digest {bytes} PRIMARY KEY, client_id text NOT NULL REFERENCES client (id) ON DELETE CASCADE, request text NOT NULL, pushed {bytes},
    choices text NOT NULL, created_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX interaction_expires ON interaction (expires_at);
CREATE TABLE consent (
    user_id {uuid} NOT NULL REFERENCES "user" (id), client_id text NOT NULL REFERENCES client (id) ON DELETE CASCADE,
    scopes text NOT NULL, updated_at bigint NOT NULL, PRIMARY KEY (user_id, client_id)
);
CREATE TABLE client_grant (
    id {uuid} PRIMARY KEY, client_id text NOT NULL REFERENCES client (id) ON DELETE CASCADE, user_id {uuid} NOT NULL REFERENCES "user" (id),
    session_id {uuid} NOT NULL, facts text NOT NULL, created_at bigint NOT NULL, expires_at bigint NOT NULL, ended_at bigint
);
CREATE INDEX client_grant_by_session ON client_grant (session_id);
CREATE INDEX client_grant_by_user ON client_grant (user_id, client_id);
CREATE INDEX client_grant_expires ON client_grant (expires_at);
CREATE TABLE client_code (
    digest {bytes} PRIMARY KEY, grant_id {uuid} NOT NULL REFERENCES client_grant (id) ON DELETE CASCADE, facts text NOT NULL,
    expires_at bigint NOT NULL, used_at bigint
);
CREATE INDEX client_code_by_grant ON client_code (grant_id);
CREATE TABLE refresh_token (
    digest {bytes} PRIMARY KEY, grant_id {uuid} NOT NULL REFERENCES client_grant (id) ON DELETE CASCADE, jkt text,
    created_at bigint NOT NULL, expires_at bigint NOT NULL, replaced_at bigint
);
CREATE INDEX refresh_token_by_grant ON refresh_token (grant_id);
CREATE TABLE seen (key {bytes} PRIMARY KEY, expires_at bigint NOT NULL);
CREATE INDEX seen_expires ON seen (expires_at);
CREATE TABLE sign_on_key (
    kid text PRIMARY KEY, algorithm text NOT NULL, sealed {bytes} NOT NULL, created_at bigint NOT NULL, retired_at bigint
);
"#;
