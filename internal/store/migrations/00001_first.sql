-- +goose Up
-- Times are microseconds since 1970, 0 for none. Columns named "spec…" hold JSON that no query looks into.
-- BYTEA is PostgreSQL's word; SQLite keeps blobs in such a column as they are.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
CREATE TABLE secrets (id TEXT PRIMARY KEY, key_id TEXT NOT NULL, wrapped_key BYTEA NOT NULL, ciphertext BYTEA NOT NULL);
CREATE TABLE proxies (
    id TEXT PRIMARY KEY, host_name TEXT NOT NULL, description TEXT NOT NULL, port INTEGER NOT NULL, built_in BOOLEAN NOT NULL, version TEXT NOT NULL,
    maintenance BOOLEAN NOT NULL, cpu DOUBLE PRECISION NOT NULL, memory DOUBLE PRECISION NOT NULL, last_seen BIGINT NOT NULL, created BIGINT NOT NULL
);
CREATE TABLE accounts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, role TEXT NOT NULL, password_hash TEXT NOT NULL, disabled BOOLEAN NOT NULL,
    created BIGINT NOT NULL, last_login BIGINT NOT NULL, organization TEXT NOT NULL, object_id TEXT NOT NULL, factor BOOLEAN NOT NULL, factor_step BIGINT NOT NULL,
    factor_misses INTEGER NOT NULL, factor_wait BIGINT NOT NULL, passkeys INTEGER NOT NULL
);
CREATE TABLE passkeys (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL, public_key BYTEA NOT NULL, sign_count BIGINT NOT NULL, flags INTEGER NOT NULL,
    spec_transports TEXT NOT NULL, created BIGINT NOT NULL, last_used BIGINT NOT NULL
);
CREATE INDEX passkeys_account ON passkeys (account);
CREATE TABLE browser_sessions (
    hash TEXT PRIMARY KEY, account TEXT NOT NULL, address TEXT NOT NULL, created BIGINT NOT NULL, last_used BIGINT NOT NULL, expires BIGINT NOT NULL, proved BIGINT NOT NULL
);
CREATE INDEX browser_sessions_account ON browser_sessions (account);
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, account TEXT NOT NULL, role TEXT NOT NULL, spec_organizations TEXT NOT NULL, created BIGINT NOT NULL,
    expires BIGINT NOT NULL, last_used BIGINT NOT NULL
);
CREATE INDEX api_keys_account ON api_keys (account);
CREATE TABLE recovery_codes (account TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (account, hash));
CREATE TABLE rbac_roles (id TEXT PRIMARY KEY, organization TEXT NOT NULL, name_key TEXT NOT NULL, spec TEXT NOT NULL, UNIQUE (organization, name_key));
CREATE TABLE directory_groups (organization TEXT NOT NULL, id TEXT NOT NULL, spec_members TEXT NOT NULL, read_at BIGINT NOT NULL, PRIMARY KEY (organization, id));
-- What the directory had at the last synchronisation. round is that of the full reading which saw a row last.
CREATE TABLE directory_objects (
    organization TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, name_key TEXT NOT NULL, display_key TEXT NOT NULL, personal BOOLEAN NOT NULL, gone BIGINT NOT NULL,
    round BIGINT NOT NULL, spec TEXT NOT NULL, PRIMARY KEY (organization, kind, id)
);
CREATE INDEX directory_objects_name ON directory_objects (organization, kind, display_key);
CREATE TABLE directory_members (
    organization TEXT NOT NULL, group_id TEXT NOT NULL, member TEXT NOT NULL, kind TEXT NOT NULL, round BIGINT NOT NULL, PRIMARY KEY (organization, group_id, member)
);
CREATE INDEX directory_members_member ON directory_members (organization, member);
CREATE TABLE directory_states (organization TEXT PRIMARY KEY, spec TEXT NOT NULL);
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY, kind TEXT NOT NULL, family TEXT NOT NULL, account TEXT NOT NULL, issued BIGINT NOT NULL, expires BIGINT NOT NULL, used BIGINT NOT NULL
);
CREATE INDEX tokens_family ON tokens (family);
CREATE INDEX tokens_expires ON tokens (expires);
CREATE INDEX tokens_account ON tokens (account);
CREATE TABLE audit (
    number BIGINT PRIMARY KEY, time BIGINT NOT NULL, actor TEXT NOT NULL, address TEXT NOT NULL, act TEXT NOT NULL, object TEXT NOT NULL, detail TEXT NOT NULL,
    prev TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE organizations (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, office_name TEXT NOT NULL, description TEXT NOT NULL, tenant_id TEXT NOT NULL, region TEXT NOT NULL,
    exchange BOOLEAN NOT NULL, sharepoint BOOLEAN NOT NULL, teams BOOLEAN NOT NULL, teams_chats BOOLEAN NOT NULL, chats BOOLEAN NOT NULL, application_id TEXT NOT NULL, certificate_thumbprint TEXT NOT NULL,
    first_backup BIGINT NOT NULL, last_backup BIGINT NOT NULL, created BIGINT NOT NULL
);
CREATE TABLE repositories (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, path TEXT NOT NULL, next_retention BIGINT NOT NULL, spec TEXT NOT NULL
);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, repository TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, scope TEXT NOT NULL,
    spec_selected TEXT NOT NULL, spec_excluded TEXT NOT NULL, chats BOOLEAN NOT NULL, personal_sites BOOLEAN NOT NULL, spec_schedule TEXT NOT NULL, enabled BOOLEAN NOT NULL, last_run BIGINT NOT NULL, last_backup BIGINT NOT NULL,
    last_status TEXT NOT NULL, next_run BIGINT NOT NULL, retry_at BIGINT NOT NULL, retry_of TEXT NOT NULL, created BIGINT NOT NULL
);
CREATE INDEX jobs_organization ON jobs (organization);
CREATE INDEX jobs_repository ON jobs (repository);
CREATE INDEX jobs_next_run ON jobs (next_run);
CREATE TABLE job_sessions (
    id TEXT PRIMARY KEY, main TEXT NOT NULL, job TEXT NOT NULL, job_name TEXT NOT NULL, organization TEXT NOT NULL, repository TEXT NOT NULL, whole BOOLEAN NOT NULL, anew BOOLEAN NOT NULL,
    status TEXT NOT NULL, details TEXT NOT NULL, created BIGINT NOT NULL, ended BIGINT NOT NULL, progress INTEGER NOT NULL, retry INTEGER NOT NULL,
    will_retry BOOLEAN NOT NULL, restore_point TEXT NOT NULL, stop_by BIGINT NOT NULL, spec_notes TEXT NOT NULL, objects BIGINT NOT NULL, objects_total BIGINT NOT NULL, items BIGINT NOT NULL,
    skipped BIGINT NOT NULL, read_bytes BIGINT NOT NULL, written_bytes BIGINT NOT NULL, requests BIGINT NOT NULL, resource_units BIGINT NOT NULL,
    throttled BIGINT NOT NULL, bottleneck TEXT NOT NULL
);
CREATE INDEX job_sessions_created ON job_sessions (created);
CREATE INDEX job_sessions_job ON job_sessions (job, created);
-- One running session a job, whatever the program does.
CREATE UNIQUE INDEX job_sessions_active ON job_sessions (job) WHERE ended = 0;
CREATE TABLE log_lines (
    session TEXT NOT NULL, number BIGINT NOT NULL, type TEXT NOT NULL, title TEXT NOT NULL, created BIGINT NOT NULL, ended BIGINT NOT NULL, PRIMARY KEY (session, number)
);
CREATE TABLE tasks (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, organization TEXT NOT NULL, repository TEXT NOT NULL, job TEXT NOT NULL, job_session TEXT NOT NULL,
    restore_session TEXT NOT NULL, container TEXT NOT NULL, spec_container TEXT NOT NULL, epoch BIGINT NOT NULL, attempt INTEGER NOT NULL, request BYTEA NOT NULL,
    state TEXT NOT NULL, proxy TEXT NOT NULL, lease_until BIGINT NOT NULL, not_before BIGINT NOT NULL, position INTEGER NOT NULL, urgency INTEGER NOT NULL,
    cancel BOOLEAN NOT NULL, own_credential BOOLEAN NOT NULL, result TEXT NOT NULL, retriable BOOLEAN NOT NULL, spec_entry TEXT NOT NULL, ended BIGINT NOT NULL
);
CREATE INDEX tasks_job_session ON tasks (job_session, kind, state);
CREATE INDEX tasks_container ON tasks (container, job_session);
CREATE INDEX tasks_restore_session ON tasks (restore_session);
CREATE INDEX tasks_state ON tasks (state, urgency, position, attempt, id);
CREATE INDEX tasks_repository ON tasks (repository, state);
CREATE TABLE containers (
    repository TEXT NOT NULL, organization TEXT NOT NULL, container TEXT NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL,
    address TEXT NOT NULL, owner TEXT NOT NULL, owners TEXT NOT NULL, head BIGINT NOT NULL, head_time BIGINT NOT NULL, checkpoint BIGINT NOT NULL, items BIGINT NOT NULL, bytes BIGINT NOT NULL,
    first BIGINT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (repository, organization, container)
);
CREATE INDEX containers_owner ON containers (organization, owner);
-- Who has what several have together: the id stands in the columns "owner" in their place. Rows stay; equal sets are one.
CREATE TABLE owner_sets (id TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (id, owner));
CREATE INDEX owner_sets_owner ON owner_sets (owner);
CREATE TABLE heads (
    repository TEXT NOT NULL, organization TEXT NOT NULL, container TEXT NOT NULL, number BIGINT NOT NULL, epoch BIGINT NOT NULL, time BIGINT NOT NULL, journal TEXT NOT NULL,
    items BIGINT NOT NULL, bytes BIGINT NOT NULL, data BYTEA NOT NULL, spec_container TEXT NOT NULL, PRIMARY KEY (repository, organization, container, number)
);
CREATE TABLE checkpoints (
    repository TEXT NOT NULL, organization TEXT NOT NULL, container TEXT NOT NULL, number BIGINT NOT NULL, epoch BIGINT NOT NULL, time BIGINT NOT NULL, journal TEXT NOT NULL,
    items BIGINT NOT NULL, bytes BIGINT NOT NULL, data BYTEA NOT NULL, spec_container TEXT NOT NULL, PRIMARY KEY (repository, organization, container)
);
CREATE TABLE restore_points (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, repository TEXT NOT NULL, job TEXT NOT NULL, job_name TEXT NOT NULL, job_session TEXT NOT NULL, time BIGINT NOT NULL,
    status TEXT NOT NULL
);
CREATE INDEX restore_points_time ON restore_points (time);
CREATE INDEX restore_points_job ON restore_points (job, time);
CREATE INDEX restore_points_repository ON restore_points (repository, time);
CREATE TABLE restore_point_entries (
    restore_point TEXT NOT NULL, position INTEGER NOT NULL, container TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, head BIGINT NOT NULL, spec TEXT NOT NULL,
    PRIMARY KEY (restore_point, position)
);
CREATE INDEX restore_point_entries_container ON restore_point_entries (container, head);
CREATE INDEX restore_point_entries_owner ON restore_point_entries (owner);
CREATE TABLE restore_sessions (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, account TEXT NOT NULL, stopped BOOLEAN NOT NULL, created BIGINT NOT NULL, ended BIGINT NOT NULL, last_used BIGINT NOT NULL, spec TEXT NOT NULL
);
CREATE INDEX restore_sessions_created ON restore_sessions (created);
CREATE TABLE restore_events (
    id TEXT NOT NULL, session TEXT NOT NULL, number BIGINT NOT NULL, request TEXT NOT NULL, item TEXT NOT NULL, status TEXT NOT NULL, spec TEXT NOT NULL,
    PRIMARY KEY (session, id)
);
CREATE UNIQUE INDEX restore_events_number ON restore_events (session, number);
CREATE INDEX restore_events_request ON restore_events (session, request, status);
CREATE TABLE restore_items (
    request TEXT NOT NULL, item TEXT NOT NULL, version TEXT NOT NULL, epoch BIGINT NOT NULL, began BIGINT NOT NULL, spec_result TEXT NOT NULL,
    PRIMARY KEY (request, item, version)
);
CREATE TABLE baskets (id TEXT PRIMARY KEY, account TEXT NOT NULL, created BIGINT NOT NULL, spec TEXT NOT NULL);
CREATE INDEX baskets_account ON baskets (account, created);
CREATE TABLE basket_entries (id TEXT PRIMARY KEY, basket TEXT NOT NULL, added BIGINT NOT NULL, spec TEXT NOT NULL);
CREATE INDEX basket_entries_basket ON basket_entries (basket, added);
CREATE TABLE saved_searches (id TEXT PRIMARY KEY, account TEXT NOT NULL, created BIGINT NOT NULL, spec TEXT NOT NULL);
CREATE INDEX saved_searches_account ON saved_searches (account, created);
