//! A message that nobody can deliver is given up; the mailbox, which is the demo's alone, keeps the whole mail.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0006_mail", sql: SQL, sqlite: SQLITE, postgres: POSTGRES };

const SQL: &str = "
ALTER TABLE outbox ADD COLUMN failed_at bigint;
ALTER TABLE outbox ADD COLUMN leased_until bigint;
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (next_attempt_at, id) WHERE done_at IS NULL AND failed_at IS NULL;
CREATE INDEX outbox_failed ON outbox (id) WHERE failed_at IS NOT NULL;
ALTER TABLE mailbox ADD COLUMN mail text NOT NULL DEFAULT '{}';
";

const SQLITE: &str = "
UPDATE mailbox SET mail = json_object('to', recipient, 'subject', subject, 'text', body);
ALTER TABLE mailbox DROP COLUMN subject;
ALTER TABLE mailbox DROP COLUMN body;
";

const POSTGRES: &str = "
UPDATE mailbox SET mail = json_build_object('to', recipient, 'subject', subject, 'text', body)::text;
ALTER TABLE mailbox DROP COLUMN subject;
ALTER TABLE mailbox DROP COLUMN body;
";
