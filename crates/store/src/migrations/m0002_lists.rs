//! When a request was first submitted, and when it was decided; what only lists by SQL needed goes. Lists are
//! read from indexes that hold all they need: a row with its answers is fifty times as long.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0002_lists", sql: SQL, sqlite: "", postgres: "" };

const SQL: &str = "
ALTER TABLE access_request ADD COLUMN submitted_at bigint;
ALTER TABLE access_request ADD COLUMN decided_at bigint;
UPDATE access_request SET
    submitted_at = (SELECT min(at) FROM ledger WHERE subject = 'D' || access_request.id AND action = 'access_request.submitted'),
    decided_at = (SELECT min(at) FROM ledger WHERE subject = 'D' || access_request.id
        AND action IN ('access_request.approved', 'access_request.refused'));
DROP INDEX access_request_list;
DROP INDEX access_request_definition;
DROP INDEX access_request_provider;
DROP INDEX access_request_applicant;
DROP INDEX access_request_state;
DROP INDEX permit_list;
DROP INDEX permit_definition;
DROP INDEX permit_provider;
ALTER TABLE access_request DROP COLUMN search;
ALTER TABLE permit DROP COLUMN search;
CREATE INDEX access_request_line ON access_request (id, state, kind, of_permit, definition, provider, stage, applicant_id, organization_id,
    permit_id, created_at, updated_at, submitted_at, decided_at, title);
CREATE INDEX permit_line ON permit (id, request_id, status, definition, provider, stage, applicant_id, organization_id, granted_at, expires_at,
    title);
";
