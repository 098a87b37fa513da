//! People handed over to products: their accounts there, the accounts of before, and what each login was given.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0012_hand_off", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
CREATE TABLE product_account (
    id {uuid} PRIMARY KEY, connection text NOT NULL REFERENCES connection (slug) ON DELETE CASCADE, issuer text NOT NULL,
    subject text NOT NULL, organization text NOT NULL, role text NOT NULL, active boolean NOT NULL, facts text NOT NULL,
    created_at bigint NOT NULL, last_login_at bigint NOT NULL, version bigint NOT NULL, UNIQUE (connection, issuer, subject)
);
CREATE INDEX product_account_newest ON product_account (connection, created_at, id);
CREATE TABLE legacy_user (
    id {uuid} PRIMARY KEY, connection text NOT NULL REFERENCES connection (slug) ON DELETE CASCADE, reference text, email text NOT NULL,
    organization text NOT NULL, role text NOT NULL, password text, created_at bigint NOT NULL, issuer text, subject text,
    linked_at bigint, proof text, UNIQUE (connection, email), UNIQUE (connection, issuer, subject)
);
CREATE INDEX legacy_user_newest ON legacy_user (connection, created_at, id);
CREATE TABLE legacy_dispute (
    id {uuid} PRIMARY KEY, connection text NOT NULL, legacy_id {uuid} NOT NULL REFERENCES legacy_user (id) ON DELETE CASCADE,
    issuer text NOT NULL, subject text NOT NULL, reason text NOT NULL, organizations text NOT NULL, created_at bigint NOT NULL,
    decided_at bigint, accepted boolean NOT NULL, UNIQUE (legacy_id, issuer, subject)
);
CREATE INDEX legacy_dispute_queue ON legacy_dispute (connection, created_at, id);
CREATE TABLE hand_off_pending (
    digest {bytes} PRIMARY KEY, connection text NOT NULL REFERENCES connection (slug) ON DELETE CASCADE, browser {bytes} NOT NULL,
    sealed {bytes} NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX hand_off_pending_expires ON hand_off_pending (expires_at);
CREATE TABLE hand_off (
    id {uuid} PRIMARY KEY, connection text NOT NULL, account_id {uuid} NOT NULL REFERENCES product_account (id) ON DELETE CASCADE,
    mode text NOT NULL, sid text, sealed {bytes} NOT NULL, created_at bigint NOT NULL, expires_at bigint NOT NULL, ended_at bigint
);
CREATE INDEX hand_off_by_account ON hand_off (account_id);
CREATE INDEX hand_off_by_sid ON hand_off (connection, sid);
CREATE INDEX hand_off_expires ON hand_off (expires_at);
CREATE TABLE hand_off_token (
    digest {bytes} PRIMARY KEY, hand_off_id {uuid} NOT NULL REFERENCES hand_off (id) ON DELETE CASCADE, kind text NOT NULL,
    challenge text, browser {bytes}, created_at bigint NOT NULL, expires_at bigint NOT NULL, used_at bigint
);
CREATE INDEX hand_off_token_by_login ON hand_off_token (hand_off_id);
"#;
