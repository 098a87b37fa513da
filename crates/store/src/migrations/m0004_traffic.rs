//! Figures of calls by the hour, who stopped an application or a subscription, and invitations to APIs.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0004_traffic", sql: SQL, sqlite: "", postgres: "" };

/// `call_hour`: calls of one hour, of one application (all zeros: nobody that is known), with one outcome; `d00` to `d21` count
/// them by the classes of durations of `octroi_domain::traffic`. Without an API, `api` is empty; without a refusal, `refusal` is.
const SQL: &str = "
CREATE TABLE call_hour (
    api text NOT NULL, hour bigint NOT NULL, stage text NOT NULL, application_id {uuid} NOT NULL, status bigint NOT NULL,
    refusal text NOT NULL, organization_id {uuid}, calls bigint NOT NULL,
    d00 bigint NOT NULL, d01 bigint NOT NULL, d02 bigint NOT NULL, d03 bigint NOT NULL, d04 bigint NOT NULL, d05 bigint NOT NULL,
    d06 bigint NOT NULL, d07 bigint NOT NULL, d08 bigint NOT NULL, d09 bigint NOT NULL, d10 bigint NOT NULL, d11 bigint NOT NULL,
    d12 bigint NOT NULL, d13 bigint NOT NULL, d14 bigint NOT NULL, d15 bigint NOT NULL, d16 bigint NOT NULL, d17 bigint NOT NULL,
    d18 bigint NOT NULL, d19 bigint NOT NULL, d20 bigint NOT NULL, d21 bigint NOT NULL,
    PRIMARY KEY (api, hour, stage, application_id, status, refusal)
) {without_rowid};
CREATE INDEX call_hour_organization ON call_hour (organization_id, hour) WHERE organization_id IS NOT NULL;

ALTER TABLE application ADD COLUMN suspended_by text;
ALTER TABLE subscription ADD COLUMN stopped_by text;

CREATE TABLE invitation (
    id {uuid} PRIMARY KEY, api text NOT NULL REFERENCES api (name), email text NOT NULL, plan text NOT NULL, digest {bytes} NOT NULL UNIQUE,
    invited_by {uuid} NOT NULL REFERENCES \"user\" (id), created_at bigint NOT NULL, expires_at bigint NOT NULL,
    ended_at bigint, subscription_id {uuid} REFERENCES subscription (id)
);
CREATE INDEX invitation_api ON invitation (api, created_at, id);
";
