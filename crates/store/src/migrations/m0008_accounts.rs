//! What accounts are opened, proven and guarded with. Attempts are counted anew, with a delay that grows.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0008_accounts", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
ALTER TABLE "user" ADD COLUMN email_verified_at bigint;
ALTER TABLE "user" ADD COLUMN deleted_at bigint;

CREATE TABLE throttle (
    key text PRIMARY KEY, count bigint NOT NULL, last_at bigint NOT NULL, next_at bigint NOT NULL
);
CREATE INDEX throttle_last ON throttle (last_at);

CREATE TABLE proof (
    id {uuid} PRIMARY KEY, kind text NOT NULL, browser {bytes} NOT NULL, user_id {uuid} REFERENCES "user" (id), email text NOT NULL,
    code {bytes}, link {bytes} UNIQUE, methods text NOT NULL, tries bigint NOT NULL,
    created_at bigint NOT NULL, expires_at bigint NOT NULL, proven_at bigint,
    UNIQUE (browser, kind)
);
CREATE INDEX proof_expires ON proof (expires_at);
CREATE INDEX proof_by_user ON proof (user_id);

CREATE TABLE known_browser (
    user_id {uuid} NOT NULL REFERENCES "user" (id), browser {bytes} NOT NULL, last_used_at bigint NOT NULL,
    PRIMARY KEY (user_id, browser)
);
CREATE INDEX known_browser_last ON known_browser (last_used_at);

CREATE TABLE passkey (
    id {uuid} PRIMARY KEY, user_id {uuid} NOT NULL REFERENCES "user" (id), credential {bytes} NOT NULL UNIQUE, name text NOT NULL,
    data text NOT NULL, created_at bigint NOT NULL, last_used_at bigint
);
CREATE INDEX passkey_by_user ON passkey (user_id);

CREATE TABLE ceremony (
    browser {bytes} NOT NULL, purpose text NOT NULL, user_id {uuid} REFERENCES "user" (id), state text NOT NULL, expires_at bigint NOT NULL,
    PRIMARY KEY (browser, purpose)
);
CREATE INDEX ceremony_expires ON ceremony (expires_at);

CREATE TABLE totp (
    user_id {uuid} PRIMARY KEY REFERENCES "user" (id), sealed {bytes} NOT NULL, last_step bigint NOT NULL, created_at bigint NOT NULL,
    confirmed_at bigint
);

CREATE TABLE recovery_code (
    user_id {uuid} NOT NULL REFERENCES "user" (id), digest {bytes} NOT NULL, used_at bigint,
    PRIMARY KEY (user_id, digest)
);
"#;
