//! The first schema. Instants are microseconds since 1970 in `bigint`; what the domain writes as JSON is text.

use super::Migration;

pub(super) const MIGRATION: Migration = Migration { name: "m0001_start", sql: SQL, sqlite: SQLITE, postgres: POSTGRES };

const SQL: &str = r#"
CREATE TABLE counter (name text PRIMARY KEY, value bigint NOT NULL);
INSERT INTO counter (name, value) VALUES ('access_request', 0), ('permit', 0), ('trace_scrub', 0);

CREATE TABLE organization (
    id {uuid} PRIMARY KEY, siret text NOT NULL UNIQUE, name text NOT NULL, created_at bigint NOT NULL
);
CREATE INDEX organization_list ON organization (created_at, id);

CREATE TABLE "user" (
    id {uuid} PRIMARY KEY, email text NOT NULL UNIQUE, given_name text NOT NULL, family_name text NOT NULL,
    language text NOT NULL, password_hash text, created_at bigint NOT NULL
);
CREATE INDEX user_list ON "user" (created_at, id);

CREATE TABLE membership (
    user_id {uuid} NOT NULL REFERENCES "user" (id), organization_id {uuid} NOT NULL REFERENCES organization (id),
    level text NOT NULL, created_at bigint NOT NULL, PRIMARY KEY (user_id, organization_id)
);
CREATE INDEX membership_organization ON membership (organization_id);

CREATE TABLE role_grant (
    user_id {uuid} NOT NULL REFERENCES "user" (id), role text NOT NULL, perimeter text NOT NULL, created_at bigint NOT NULL,
    PRIMARY KEY (user_id, role, perimeter)
);
CREATE INDEX role_grant_role ON role_grant (role, perimeter);

CREATE TABLE session (
    digest {bytes} PRIMARY KEY, user_id {uuid} NOT NULL REFERENCES "user" (id),
    created_at bigint NOT NULL, last_seen_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE login_attempt (key text PRIMARY KEY, window_start bigint NOT NULL, count bigint NOT NULL);

CREATE TABLE provider (slug text PRIMARY KEY, content text NOT NULL, updated_at bigint NOT NULL);

CREATE TABLE definition_version (
    slug text NOT NULL, version bigint NOT NULL, hash {bytes} NOT NULL, content text NOT NULL, created_at bigint NOT NULL,
    PRIMARY KEY (slug, version)
);
CREATE TABLE definition (
    slug text PRIMARY KEY, provider text NOT NULL REFERENCES provider (slug), version bigint NOT NULL, retired boolean NOT NULL,
    FOREIGN KEY (slug, version) REFERENCES definition_version (slug, version)
);

CREATE TABLE api_version (
    name text NOT NULL, version bigint NOT NULL, hash {bytes} NOT NULL, content text NOT NULL, created_at bigint NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE TABLE api (
    name text PRIMARY KEY, provider text NOT NULL REFERENCES provider (slug), mount text NOT NULL UNIQUE, version bigint NOT NULL,
    withdrawn boolean NOT NULL, FOREIGN KEY (name, version) REFERENCES api_version (name, version)
);

CREATE TABLE access_request (
    id bigint PRIMARY KEY, state text NOT NULL, kind text NOT NULL, of_permit bigint,
    definition text NOT NULL, definition_version bigint NOT NULL, provider text NOT NULL, form text NOT NULL, stage text,
    applicant_id {uuid} NOT NULL REFERENCES "user" (id), organization_id {uuid} NOT NULL REFERENCES organization (id),
    version bigint NOT NULL, permit_id bigint, created_at bigint NOT NULL, updated_at bigint NOT NULL,
    title text NOT NULL, answers text NOT NULL, record text NOT NULL, content {bytes} NOT NULL, search text NOT NULL,
    FOREIGN KEY (definition, definition_version) REFERENCES definition_version (slug, version)
);
CREATE INDEX access_request_list ON access_request (updated_at, id);
CREATE INDEX access_request_organization ON access_request (organization_id, updated_at, id);
CREATE INDEX access_request_definition ON access_request (definition, updated_at, id);
CREATE INDEX access_request_provider ON access_request (provider, updated_at, id);
CREATE INDEX access_request_applicant ON access_request (applicant_id, updated_at, id);
CREATE INDEX access_request_state ON access_request (state, updated_at, id);
CREATE INDEX access_request_of_permit ON access_request (of_permit) WHERE of_permit IS NOT NULL;

CREATE TABLE permit (
    id bigint PRIMARY KEY, request_id bigint NOT NULL UNIQUE REFERENCES access_request (id), status text NOT NULL,
    definition text NOT NULL, definition_version bigint NOT NULL, provider text NOT NULL, stage text,
    applicant_id {uuid} NOT NULL REFERENCES "user" (id), organization_id {uuid} NOT NULL REFERENCES organization (id),
    granted_at bigint NOT NULL, expires_at bigint,
    title text NOT NULL, scopes text NOT NULL, frozen text NOT NULL, record text NOT NULL, content {bytes} NOT NULL, search text NOT NULL,
    FOREIGN KEY (definition, definition_version) REFERENCES definition_version (slug, version)
);
CREATE INDEX permit_list ON permit (granted_at, id);
CREATE INDEX permit_organization ON permit (organization_id, granted_at, id);
CREATE INDEX permit_definition ON permit (definition, granted_at, id);
CREATE INDEX permit_provider ON permit (provider, granted_at, id);
CREATE INDEX permit_expires ON permit (expires_at) WHERE status IN ('active', 'suspended');

CREATE TABLE application (
    id {uuid} PRIMARY KEY, name text NOT NULL, stage text NOT NULL, organization_id {uuid} NOT NULL REFERENCES organization (id),
    created_by {uuid} NOT NULL REFERENCES "user" (id), created_at bigint NOT NULL, management boolean NOT NULL, state text NOT NULL
);
CREATE INDEX application_list ON application (organization_id, created_at, id);

CREATE TABLE subscription (
    id {uuid} PRIMARY KEY, application_id {uuid} NOT NULL REFERENCES application (id), api text NOT NULL REFERENCES api (name),
    permit_id bigint REFERENCES permit (id), plan text NOT NULL, terms_accepted bigint, state text NOT NULL, created_at bigint NOT NULL
);
CREATE UNIQUE INDEX subscription_live ON subscription (application_id, api) WHERE state <> 'revoked';
CREATE INDEX subscription_api ON subscription (api, created_at, id);
CREATE INDEX subscription_permit ON subscription (permit_id) WHERE permit_id IS NOT NULL;
CREATE INDEX subscription_application ON subscription (application_id);

CREATE TABLE credential (
    id {uuid} PRIMARY KEY, application_id {uuid} NOT NULL REFERENCES application (id), kind text NOT NULL, hint text NOT NULL,
    digest {bytes} NOT NULL UNIQUE, created_at bigint NOT NULL, last_used_at bigint, revoked_at bigint
);
CREATE INDEX credential_application ON credential (application_id);

CREATE TABLE signing_key (
    kid text PRIMARY KEY, stage text NOT NULL, purpose text NOT NULL, sealed {bytes} NOT NULL, public {bytes} NOT NULL,
    created_at bigint NOT NULL, retired_at bigint
);
CREATE TABLE revoked_token (jti text PRIMARY KEY, stage text NOT NULL, expires_at bigint NOT NULL);
CREATE INDEX revoked_token_expires ON revoked_token (expires_at);

CREATE TABLE ledger (
    seq bigint PRIMARY KEY, at bigint NOT NULL, actor text NOT NULL, action text NOT NULL, subject text NOT NULL,
    details text NOT NULL, previous {bytes} NOT NULL, hash {bytes} NOT NULL
);
CREATE INDEX ledger_subject ON ledger (subject, seq);
CREATE INDEX ledger_action ON ledger (action, seq);
CREATE INDEX ledger_actor ON ledger (actor, seq);
CREATE TABLE ledger_head (id bigint PRIMARY KEY CHECK (id = 1), seq bigint NOT NULL, hash {bytes} NOT NULL);

CREATE TABLE outbox (
    id {identity}, kind text NOT NULL, payload text NOT NULL, created_at bigint NOT NULL, attempts bigint NOT NULL,
    next_attempt_at bigint NOT NULL, last_error text, done_at bigint
);
CREATE INDEX outbox_due ON outbox (next_attempt_at, id) WHERE done_at IS NULL;
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;
CREATE TABLE mailbox (
    id {identity}, outbox_id bigint NOT NULL UNIQUE, recipient text NOT NULL, subject text NOT NULL, body text NOT NULL, at bigint NOT NULL
);
CREATE INDEX mailbox_recipient ON mailbox (recipient, id);

CREATE TABLE idempotency (
    key {bytes} PRIMARY KEY, request {bytes} NOT NULL, status bigint NOT NULL, body text, created_at bigint NOT NULL
);
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE gateway_version (id bigint PRIMARY KEY CHECK (id = 1), version bigint NOT NULL);
INSERT INTO gateway_version (id, version) VALUES (1, 1);
CREATE TABLE day_use (subscription_id {uuid} PRIMARY KEY, day bigint NOT NULL, used bigint NOT NULL);

CREATE TABLE trace (
    id {uuid} NOT NULL, at bigint NOT NULL, stage text NOT NULL, request_id text, api text, provider text, operation text,
    status bigint NOT NULL, refusal text, duration_us bigint NOT NULL, upstream_us bigint NOT NULL,
    request_bytes bigint NOT NULL, response_bytes bigint NOT NULL, application_id {uuid}, organization_id {uuid}, permit_id bigint,
    subscription_id {uuid}, masked_fields bigint NOT NULL, address text, anonymised_at bigint,
    PRIMARY KEY (at, id)
) {without_rowid};
CREATE INDEX trace_organization ON trace (organization_id, at) WHERE organization_id IS NOT NULL;
CREATE INDEX trace_provider ON trace (provider, at);
"#;

/// What was written to the ledger, and each version of a definition or of an API, stays as it is.
const SQLITE: &str = r"
INSERT INTO ledger_head (id, seq, hash) VALUES (1, 0, zeroblob(32));
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER definition_version_no_update BEFORE UPDATE ON definition_version BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER definition_version_no_delete BEFORE DELETE ON definition_version BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER api_version_no_update BEFORE UPDATE ON api_version BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER api_version_no_delete BEFORE DELETE ON api_version BEGIN SELECT RAISE(ABORT, 'append-only'); END;
";

const POSTGRES: &str = r"
INSERT INTO ledger_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
CREATE FUNCTION octroi_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'append-only'; END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION octroi_append_only();
CREATE TRIGGER definition_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON definition_version
    FOR EACH STATEMENT EXECUTE FUNCTION octroi_append_only();
CREATE TRIGGER api_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON api_version
    FOR EACH STATEMENT EXECUTE FUNCTION octroi_append_only();
";
