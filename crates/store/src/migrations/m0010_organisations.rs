//! What links people to organisations, and what is known of these: facts of a directory, e-mail domains, wishes to join, invitations.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0010_organisations", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
ALTER TABLE membership ADD COLUMN external boolean NOT NULL DEFAULT false;
ALTER TABLE membership ADD COLUMN proof text NOT NULL DEFAULT 'recorded';
ALTER TABLE membership ADD COLUMN proved_at bigint NOT NULL DEFAULT 0;
ALTER TABLE membership ADD COLUMN proved_by {uuid} REFERENCES "user" (id);
UPDATE membership SET proved_at = created_at;

CREATE TABLE organization_profile (
    organization_id {uuid} PRIMARY KEY REFERENCES organization (id), asked_at bigint NOT NULL, known boolean NOT NULL,
    source text, facts text, fetched_at bigint, official_contact text
);
CREATE INDEX organization_profile_asked ON organization_profile (asked_at);
INSERT INTO organization_profile (organization_id, asked_at, known) SELECT id, 0, true FROM organization;

CREATE TABLE organization_domain (
    organization_id {uuid} NOT NULL REFERENCES organization (id), domain text NOT NULL, state text NOT NULL, set_at bigint NOT NULL,
    PRIMARY KEY (organization_id, domain)
);

CREATE TABLE joining (
    id {uuid} PRIMARY KEY, user_id {uuid} NOT NULL REFERENCES "user" (id), organization_id {uuid} NOT NULL REFERENCES organization (id),
    email text NOT NULL, reason text NOT NULL, way text NOT NULL, blocking boolean NOT NULL, state text NOT NULL,
    note text NOT NULL, answer text NOT NULL, may_reopen boolean NOT NULL, created_at bigint NOT NULL, updated_at bigint NOT NULL,
    decided_by {uuid} REFERENCES "user" (id), code_digest {bytes}, code_expires_at bigint
);
CREATE UNIQUE INDEX joining_pending ON joining (user_id, organization_id) WHERE state = 'pending';
CREATE INDEX joining_queue ON joining (state, created_at, id);
CREATE INDEX joining_organization ON joining (organization_id, created_at);
CREATE INDEX joining_user ON joining (user_id, created_at);

CREATE TABLE member_invitation (
    id {uuid} PRIMARY KEY, organization_id {uuid} NOT NULL REFERENCES organization (id), email text NOT NULL, digest {bytes} NOT NULL UNIQUE,
    invited_by {uuid} NOT NULL REFERENCES "user" (id), created_at bigint NOT NULL, expires_at bigint NOT NULL, ended_at bigint,
    accepted_by {uuid} REFERENCES "user" (id)
);
CREATE INDEX member_invitation_list ON member_invitation (organization_id, created_at, id);
"#;
