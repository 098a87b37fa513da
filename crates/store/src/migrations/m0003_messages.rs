//! What the applicant and the reviewers write to each other on a request.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0003_messages", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = r#"
CREATE TABLE message (
    id {uuid} PRIMARY KEY, request_id bigint NOT NULL REFERENCES access_request (id), side text NOT NULL,
    author_id {uuid} NOT NULL REFERENCES "user" (id), text text NOT NULL, at bigint NOT NULL, read_at bigint
);
CREATE INDEX message_request ON message (request_id, at, id);
CREATE INDEX message_unread ON message (side, request_id) WHERE read_at IS NULL;
"#;
