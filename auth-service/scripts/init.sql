-- The whole schema of auth-system on PostgreSQL 14 or later. Safe to run again, before or after `auth-system migrate`:
--   psql -h "$DB_HOST" -U admin -d authdb -f auth-service/scripts/init.sql
-- The same schema for SQLite stands in init.sqlite.sql; a test compares the two catalogs.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT pg_advisory_xact_lock(7209034);

CREATE TABLE IF NOT EXISTS schema_migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    checksum   TEXT,
    applied_at TIMESTAMPTZ NOT NULL
);

-- E-mail is stored canonical (lower case, NFC), so that equality is exact; who came by another way may have none. What is searched is folded by the program:
-- search_text is all that a person is found by, search_name the name they show. A username is only wished for until the
-- address is proven, or registering would tell which addresses have accounts.
CREATE TABLE IF NOT EXISTS users (
    id                  UUID PRIMARY KEY,
    email               TEXT COLLATE "C",
    email_verified_at   TIMESTAMPTZ,
    username            TEXT COLLATE "C",
    display_name        TEXT,
    phone               TEXT,
    avatar_url          TEXT,
    locale              TEXT NOT NULL,
    status              TEXT NOT NULL CHECK (status IN ('active', 'disabled', 'pending')),
    password_hash       TEXT,
    password_changed_at TIMESTAMPTZ,
    token_version       BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    last_login_at       TIMESTAMPTZ,
    dormancy_noticed_at TIMESTAMPTZ,
    deleted_at          TIMESTAMPTZ,
    wished_username     TEXT,
    search_text         TEXT COLLATE "C" NOT NULL,
    search_name         TEXT COLLATE "C"
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_users_email_active ON users (email) WHERE deleted_at IS NULL;
-- Its condition names the name too, or a planner without statistics may choose it to look people up by address.
CREATE UNIQUE INDEX IF NOT EXISTS idx_users_username_active ON users (lower(username))
    WHERE deleted_at IS NULL AND lower(username) IS NOT NULL;

CREATE TABLE IF NOT EXISTS roles (
    id          UUID PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT NOT NULL,
    is_system   BOOLEAN NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);

CREATE TABLE IF NOT EXISTS permissions (
    id          UUID PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS role_permissions (
    role_id       UUID NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    permission_id UUID NOT NULL REFERENCES permissions (id) ON DELETE CASCADE,
    PRIMARY KEY (role_id, permission_id)
);

CREATE TABLE IF NOT EXISTS user_roles (
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id    UUID NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    granted_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    PRIMARY KEY (user_id, role_id)
);

-- One row: raised with every change of a role, and carried by access tokens as `rv`.
CREATE TABLE IF NOT EXISTS role_catalogue (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS sessions (
    id                  UUID PRIMARY KEY,
    user_id             UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client              TEXT NOT NULL,
    auth_methods        TEXT NOT NULL,
    authenticated_at    TIMESTAMPTZ NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    last_used_at        TIMESTAMPTZ NOT NULL,
    expires_at          TIMESTAMPTZ NOT NULL,
    absolute_expires_at TIMESTAMPTZ NOT NULL,
    ended_at            TIMESTAMPTZ,
    end_reason          TEXT,
    ip_address          TEXT,
    user_agent          TEXT,
    device_name         TEXT,
    credential_hash     BYTEA
);
-- Sessions of the console have a credential of their own, of which only SHA-256 is kept, in place of refresh tokens.
CREATE UNIQUE INDEX IF NOT EXISTS idx_sessions_credential ON sessions (credential_hash) WHERE credential_hash IS NOT NULL;

-- How the first administrator is made: a token that is printed at start, of which only SHA-256 is kept.
CREATE TABLE IF NOT EXISTS setup_tokens (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    token_hash BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);

-- Only SHA-256 of a token is kept. The successor waits, sealed under the token it replaced, for the grace alone.
CREATE TABLE IF NOT EXISTS refresh_tokens (
    token_hash       BYTEA PRIMARY KEY,
    session_id       UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at        TIMESTAMPTZ NOT NULL,
    expires_at       TIMESTAMPTZ NOT NULL,
    consumed_at      TIMESTAMPTZ,
    successor_hash   BYTEA,
    sealed_successor BYTEA
);

-- Browsers and apps on which a person has logged in before: they keep their own count of guesses.
CREATE TABLE IF NOT EXISTS known_devices (
    token_hash BYTEA PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- Failed guesses per account and UTC day; `subject` is a hash, so unknown names leave no trace of themselves.
CREATE TABLE IF NOT EXISTS daily_guesses (
    subject  BYTEA NOT NULL,
    day      BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    PRIMARY KEY (subject, day)
);

CREATE TABLE IF NOT EXISTS login_histories (
    id         UUID PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id UUID,
    at         TIMESTAMPTZ NOT NULL,
    outcome    TEXT NOT NULL,
    reason     TEXT,
    method     TEXT NOT NULL,
    ip_address TEXT,
    user_agent TEXT
);

-- What happened in an hour, in hours since 1970: counted once it is over and late commits are in. Logins that belong to
-- nobody, of kind `stranger`, are in no other table: each instance adds its own.
CREATE TABLE IF NOT EXISTS activity_hours (
    hour   BIGINT NOT NULL,
    kind   TEXT NOT NULL,
    reason TEXT NOT NULL,
    total  BIGINT NOT NULL,
    PRIMARY KEY (hour, kind, reason)
);

-- Who was there in an hour, counted once it is over: `people` is a JSON array of those who logged in, by how many hours
-- earlier they last had; `sessions` is how many were open when it ended.
CREATE TABLE IF NOT EXISTS presence_hours (
    hour     BIGINT PRIMARY KEY,
    people   TEXT,
    sessions BIGINT
);

-- Who takes part: instances of the API, and gateways, each by an id that it chooses at its start. What it says of itself
-- is JSON.
CREATE TABLE IF NOT EXISTS instances (
    id         UUID PRIMARY KEY,
    role       TEXT NOT NULL,
    address    TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at    TIMESTAMPTZ NOT NULL,
    left_at    TIMESTAMPTZ,
    state      TEXT NOT NULL
);

-- Numbers that take long to count, as they were when they were last counted.
CREATE TABLE IF NOT EXISTS gauges (
    name       TEXT PRIMARY KEY,
    value      BIGINT NOT NULL,
    counted_at TIMESTAMPTZ NOT NULL
);

-- Written with its cause, sealed by one: `seq` and `hash` come within a second. `salt` and the personal parts go when the
-- person is erased; `personal_hash` stays, so that the chain still verifies.
CREATE TABLE IF NOT EXISTS audit_logs (
    id            UUID PRIMARY KEY,
    at            TIMESTAMPTZ NOT NULL,
    event         TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    actor_id      UUID,
    target_kind   TEXT,
    target_id     UUID,
    request_id    TEXT,
    details       TEXT NOT NULL,
    ip_address    TEXT,
    user_agent    TEXT,
    salt          BYTEA,
    personal_hash BYTEA NOT NULL,
    seq           BIGINT,
    hash          BYTEA
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_audit_logs_seq ON audit_logs (seq) WHERE seq IS NOT NULL;

-- Where retention has removed the beginning of the chain: the last entry that is gone.
CREATE TABLE IF NOT EXISTS audit_checkpoints (
    seq        BIGINT PRIMARY KEY,
    hash       BYTEA NOT NULL,
    removed_at TIMESTAMPTZ NOT NULL
);

-- Links in mails: only SHA-256 of a token is kept, each is good once, and a newer one of the same purpose ends the older.
CREATE TABLE IF NOT EXISTS one_time_tokens (
    token_hash BYTEA PRIMARY KEY,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT NOT NULL,
    email      TEXT,
    session_id UUID,
    oauth_account_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);

-- Mails to be sent, committed with their cause. `handed_over_at` is set before the first byte of a mail goes out: whatever
-- happens then, it is not sent again. One without a user is nobody's: asked for an unknown address, and only deleted.
-- `retried_at` is when an operator had one tried again: its patience counts from then.
CREATE TABLE IF NOT EXISTS mail_outbox (
    id              UUID PRIMARY KEY,
    user_id         UUID REFERENCES users (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL,
    recipient       TEXT NOT NULL,
    locale          TEXT NOT NULL,
    details         TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempts        BIGINT NOT NULL,
    handed_over_at  TIMESTAMPTZ,
    sent_at         TIMESTAMPTZ,
    failed_at       TIMESTAMPTZ,
    retried_at      TIMESTAMPTZ,
    last_error      TEXT
);

-- An id is one secret for ever: a rotation makes a new row. Only SHA-256 of the secret is kept.
CREATE TABLE IF NOT EXISTS api_keys (
    id           UUID PRIMARY KEY,
    user_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    secret_hash  BYTEA NOT NULL,
    scopes       TEXT NOT NULL,
    rate_limit   TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);

-- Answers to calls that carried an Idempotency-Key, for a day.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    route      TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  BYTEA NOT NULL,
    status     BIGINT,
    answer     TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, route, key)
);

-- Imports of accounts: how far each file, known by its SHA-256, has come. Moved in the transaction that stores a batch.
CREATE TABLE IF NOT EXISTS user_imports (
    fingerprint  BYTEA PRIMARY KEY,
    format       TEXT NOT NULL,
    records      BIGINT NOT NULL,
    added        BIGINT NOT NULL,
    refused      BIGINT NOT NULL,
    report_bytes BIGINT NOT NULL,
    started_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    finished_at  TIMESTAMPTZ
);

-- Who a person is elsewhere: a subject of an issuer, never an address. A row without linked_at is proposed, until the
-- account's owner proves to be the same person; one with unlinked_at was ended by the provider, and revives with the next
-- login there; one with detached_at belongs to a deleted account, and is free for another.
CREATE TABLE IF NOT EXISTS oauth_accounts (
    id             UUID PRIMARY KEY,
    user_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider       TEXT COLLATE "C" NOT NULL,
    issuer         TEXT COLLATE "C" NOT NULL,
    subject        TEXT COLLATE "C" NOT NULL,
    email          TEXT,
    email_verified BOOLEAN NOT NULL,
    display_name   TEXT,
    profile        TEXT NOT NULL,
    sealed_tokens  BYTEA,
    renewing_until TIMESTAMPTZ,
    created_at     TIMESTAMPTZ NOT NULL,
    linked_at      TIMESTAMPTZ,
    last_login_at  TIMESTAMPTZ,
    unlinked_at    TIMESTAMPTZ,
    detached_at    TIMESTAMPTZ
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_oauth_accounts_subject ON oauth_accounts (issuer, subject)
    WHERE linked_at IS NOT NULL AND detached_at IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS idx_oauth_accounts_provider ON oauth_accounts (user_id, provider)
    WHERE linked_at IS NOT NULL;

-- What a login through a provider hands out on its way, each good once: tickets, states, parked answers, codes. Only
-- SHA-256 of a handle is kept.
CREATE TABLE IF NOT EXISTS oauth_handles (
    handle_hash BYTEA PRIMARY KEY,
    kind        TEXT NOT NULL,
    details     TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    used_at     TIMESTAMPTZ
);

-- What providers tell of accounts there, kept until it is processed and for two days more: one that comes again is known
-- by its jti.
CREATE TABLE IF NOT EXISTS oauth_notices (
    id           UUID PRIMARY KEY,
    provider     TEXT COLLATE "C" NOT NULL,
    issuer       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C",
    jti          TEXT COLLATE "C",
    kinds        TEXT NOT NULL,
    received_at  TIMESTAMPTZ NOT NULL,
    processed_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX IF NOT EXISTS idx_oauth_notices_jti ON oauth_notices (issuer, jti) WHERE jti IS NOT NULL;

-- Who is to be unlinked at a provider, committed with the end of the identity here; deleted when that is done.
CREATE TABLE IF NOT EXISTS oauth_unlinks (
    id              UUID PRIMARY KEY,
    provider        TEXT COLLATE "C" NOT NULL,
    subject         TEXT COLLATE "C" NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    attempts        BIGINT NOT NULL
);

-- The log that every instance tails. A transaction may commit late and clocks differ, so the cursor is the
-- transaction's own number, never a time.
CREATE TABLE IF NOT EXISTS revocations (
    id         UUID PRIMARY KEY,
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    version    BIGINT NOT NULL,
    revoked_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    xact       XID8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX IF NOT EXISTS idx_revocations_xact ON revocations (xact);

-- Rotated keys with their private half sealed by SECRETS_KEY; a key that comes from the configuration has none.
CREATE TABLE IF NOT EXISTS signing_keys (
    kid            TEXT COLLATE "C" PRIMARY KEY,
    algorithm      TEXT NOT NULL,
    public_key     TEXT,
    sealed_private BYTEA,
    created_at     TIMESTAMPTZ NOT NULL,
    signs_from     TIMESTAMPTZ NOT NULL,
    last_used_at   TIMESTAMPTZ NOT NULL,
    withdrawn_at   TIMESTAMPTZ
);

INSERT INTO role_catalogue (id, version) VALUES (1, 1) ON CONFLICT DO NOTHING;

INSERT INTO roles (id, name, description, is_system, created_at) VALUES
    ('01900000-0000-7000-8000-000000000001', 'admin', 'Everything', TRUE, now()),
    ('01900000-0000-7000-8000-000000000002', 'manager', 'Reads and writes users and reads roles', TRUE, now()),
    ('01900000-0000-7000-8000-000000000003', 'user', 'Nothing beyond oneself', TRUE, now())
ON CONFLICT DO NOTHING;

INSERT INTO permissions (id, name, description) VALUES
    ('01900000-0000-7000-8000-000000000101', 'users:read', 'See other users'),
    ('01900000-0000-7000-8000-000000000102', 'users:write', 'Create and change users'),
    ('01900000-0000-7000-8000-000000000103', 'users:delete', 'Delete and restore users'),
    ('01900000-0000-7000-8000-000000000104', 'roles:read', 'See roles and permissions'),
    ('01900000-0000-7000-8000-000000000105', 'roles:write', 'Change roles and permissions'),
    ('01900000-0000-7000-8000-000000000106', 'audit:read', 'Read the audit log'),
    ('01900000-0000-7000-8000-000000000107', 'api_keys:read', 'See other people''s API keys'),
    ('01900000-0000-7000-8000-000000000108', 'api_keys:write', 'Revoke other people''s API keys'),
    ('01900000-0000-7000-8000-000000000109', 'system:read', 'See how the system is set up and how it fares'),
    ('01900000-0000-7000-8000-000000000110', 'system:write', 'Operate the system: keys, mails')
ON CONFLICT DO NOTHING;

INSERT INTO role_permissions (role_id, permission_id)
SELECT roles.id, permissions.id FROM roles CROSS JOIN permissions
WHERE roles.name = 'admin' OR (roles.name = 'manager' AND permissions.name IN ('users:read', 'users:write', 'roles:read'))
ON CONFLICT DO NOTHING;

INSERT INTO schema_migrations (version, name, applied_at) VALUES (0, 'init', now()) ON CONFLICT DO NOTHING;
COMMIT;
