//! Where the engines truly differ: every pair of texts stands here, so that the exceptions stay countable.

use sqlx::{error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

use super::Engine;

/// A statement that has one text per engine.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The text for PostgreSQL.
    pub postgres: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
}

impl Pair {
    /// The text for `engine`.
    #[must_use]
    pub const fn on(self, engine: Engine) -> &'static str {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::Sqlite => self.sqlite,
        }
    }
}

/// Begins a transaction that writes; SQLite takes its write lock at once, or two readers that upgrade deadlock.
pub(super) const BEGIN: Pair = Pair { postgres: "BEGIN", sqlite: "BEGIN IMMEDIATE" };

/// The tail of the revocation log from a cursor, oldest first, with the cursor for the next read. On PostgreSQL the
/// next cursor is the oldest transaction still running, so a late commit is never passed over.
pub const TAIL_REVOCATIONS: Pair = Pair {
    postgres: "SELECT tip.next, r.id, r.kind, r.subject, r.version, r.revoked_at, r.expires_at
        FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS next) AS tip
        LEFT JOIN revocations AS r ON r.xact >= $1::text::xid8 AND r.expires_at > $2",
    sqlite: "SELECT tip.next, r.id, r.kind, r.subject, r.version, r.revoked_at, r.expires_at
        FROM (SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'revocations'), 0) + 1 AS next) AS tip
        LEFT JOIN revocations AS r ON r.xact >= CAST($1 AS INTEGER) AND r.expires_at > $2",
};

/// The people who logged in from one instant to before another, by the hour in which they last had before, since a third. The plus keeps
/// SQLite from looking for the hour of each person in turn.
pub const COUNT_PEOPLE_OF_HOUR: Pair = Pair {
    postgres: "WITH present AS MATERIALIZED (
            SELECT DISTINCT user_id FROM login_histories WHERE at >= $1 AND at < $2 AND outcome = 'logged_in'),
        seen AS MATERIALIZED (
            SELECT (SELECT MAX(earlier.at) FROM login_histories AS earlier
                    WHERE earlier.user_id = present.user_id AND earlier.at >= $3 AND earlier.at < $1
                        AND earlier.outcome = 'logged_in') AS before
            FROM present)
        SELECT floor(extract(epoch FROM before) / 3600)::bigint AS last_hour, COUNT(*) AS people
        FROM seen GROUP BY last_hour",
    sqlite: "WITH present AS MATERIALIZED (
            SELECT DISTINCT +user_id AS user_id FROM login_histories
            WHERE at >= $1 AND at < $2 AND outcome = 'logged_in'),
        seen AS MATERIALIZED (
            SELECT (SELECT MAX(earlier.at) FROM login_histories AS earlier
                    WHERE earlier.user_id = present.user_id AND earlier.at >= $3 AND earlier.at < $1
                        AND earlier.outcome = 'logged_in') AS before
            FROM present)
        SELECT before / 3600000000 AS last_hour, COUNT(*) AS people
        FROM seen GROUP BY last_hour",
};

/// The sessions of a page that were open at an instant or later, by the hours in which they began, and ended or will.
pub const COUNT_SESSIONS_BY_HOUR: Pair = Pair {
    postgres: "SELECT floor(extract(epoch FROM created_at) / 3600)::bigint AS began,
               floor(extract(epoch FROM LEAST(expires_at, ended_at)) / 3600)::bigint AS ended, COUNT(*) AS sessions
        FROM sessions WHERE id > $1 AND id <= $2 AND expires_at > $3 AND (ended_at IS NULL OR ended_at > $3)
        GROUP BY began, ended",
    sqlite: "SELECT created_at / 3600000000 AS began,
               MIN(expires_at, COALESCE(ended_at, expires_at)) / 3600000000 AS ended, COUNT(*) AS sessions
        FROM sessions WHERE id > $1 AND id <= $2 AND expires_at > $3 AND (ended_at IS NULL OR ended_at > $3)
        GROUP BY began, ended",
};

/// Whether this transaction alone may do the job with this number from now on. On SQLite its write lock says so already.
pub const TRY_JOB_LOCK: Pair =
    Pair { postgres: "SELECT pg_try_advisory_xact_lock($1)", sqlite: "SELECT $1 IS NOT NULL" };

/// Whether nobody has the lock with this number for itself; it is let go at once. SQLite has the folder's for it.
pub(super) const TRY_RESTORE_LOCK: Pair =
    Pair { postgres: "SELECT pg_try_advisory_xact_lock_shared($1)", sqlite: "SELECT $1 IS NOT NULL" };

/// Gives audit entries their place in the chain: `[[id, seq, hash], …]` as JSON, ids and hashes in hexadecimal. One
/// statement, for a statement per entry could not keep up. The plus keeps SQLite from looking for each place among all
/// unsealed entries.
pub const SEAL_AUDIT_ENTRIES: Pair = Pair {
    postgres: "UPDATE audit_logs SET seq = place.seq, hash = place.hash
        FROM (SELECT (value ->> 0)::uuid AS id, (value ->> 1)::bigint AS seq, decode(value ->> 2, 'hex') AS hash
              FROM json_array_elements($1::text::json)) AS place
        WHERE audit_logs.id = place.id AND audit_logs.seq IS NULL",
    sqlite: "UPDATE audit_logs SET seq = place.seq, hash = place.hash
        FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS seq, unhex(value ->> 2) AS hash FROM json_each($1)) AS place
        WHERE audit_logs.id = place.id AND +audit_logs.seq IS NULL",
};

/// Has the engine look at its tables anew after many rows came at once: until then it plans for what was there before.
pub const TAKE_STOCK: Pair = Pair { postgres: "ANALYZE users, user_roles", sqlite: "PRAGMA optimize" };

/// The same for every table that a demonstration fills. SQLite looks at about a thousand rows of each index, not at all.
pub const TAKE_STOCK_OF_ALL: Pair = Pair {
    postgres: "ANALYZE users, user_roles, oauth_accounts, sessions, login_histories, api_keys, mail_outbox, audit_logs",
    sqlite: "PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA analysis_limit = 0",
};

/// Adds the people of a batch, given as a JSON array, but for those whose address or username is taken. One bind, for a
/// row of binds per person takes longer to send than to store.
pub const IMPORT_USERS: Pair = Pair {
    postgres: "INSERT INTO users (id, email, email_verified_at, username, display_name, locale, status, password_hash,
                           password_changed_at, token_version, created_at, updated_at, search_text, search_name)
        SELECT id, email, CASE WHEN email_verified THEN $2::timestamptz END, username, display_name, locale, status,
               password_hash, CASE WHEN password_hash IS NOT NULL THEN $2::timestamptz END, 1,
               'epoch'::timestamptz + created_at * INTERVAL '1 microsecond', $2::timestamptz, search_text, search_name
        FROM json_to_recordset($1::json) AS person (
            id uuid, email text, email_verified boolean, username text, display_name text, locale text, status text,
            password_hash text, created_at bigint, search_text text, search_name text)
        ON CONFLICT DO NOTHING",
    sqlite: "INSERT INTO users (id, email, email_verified_at, username, display_name, locale, status, password_hash,
                           password_changed_at, token_version, created_at, updated_at, search_text, search_name)
        SELECT unhex(value ->> 'id'), value ->> 'email', CASE WHEN value ->> 'email_verified' THEN $2 END,
               value ->> 'username', value ->> 'display_name', value ->> 'locale', value ->> 'status',
               value ->> 'password_hash', CASE WHEN value ->> 'password_hash' IS NOT NULL THEN $2 END, 1,
               value ->> 'created_at', $2, value ->> 'search_text', value ->> 'search_name'
        FROM json_each($1) WHERE TRUE
        ON CONFLICT DO NOTHING",
};

/// Gives the people of a batch who were added their roles. PostgreSQL cannot guess how few there are, and would read the
/// whole table for them: hence its subquery, by the index one by one.
pub const IMPORT_ROLES: Pair = Pair {
    postgres: "INSERT INTO user_roles (user_id, role_id, granted_at)
        SELECT added.id, role.id::uuid, $2::timestamptz
        FROM json_to_recordset($1::json) AS person (id uuid, roles json)
        CROSS JOIN LATERAL (SELECT users.id FROM users WHERE users.id = person.id LIMIT 1) AS added
        CROSS JOIN LATERAL json_array_elements_text(person.roles) AS role (id)",
    sqlite: "INSERT INTO user_roles (user_id, role_id, granted_at)
        SELECT users.id, unhex(role.value), $2
        FROM json_each($1) AS person
        CROSS JOIN json_each(person.value, '$.roles') AS role
        CROSS JOIN users ON users.id = unhex(person.value ->> 'id')",
};

/// Who of a batch is not in the database, and whether somebody else has the address or the username.
pub const IMPORT_MISSING: Pair = Pair {
    postgres: "SELECT person.n,
               EXISTS (SELECT 1 FROM users WHERE users.email = person.email AND deleted_at IS NULL) AS email_taken,
               EXISTS (SELECT 1 FROM users WHERE lower(users.username) = lower(person.username)
                       AND deleted_at IS NULL) AS username_taken
        FROM json_to_recordset($1::json) AS person (n bigint, id uuid, email text, username text)
        WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = person.id)",
    sqlite: "SELECT person.value ->> 'n' AS n,
               EXISTS (SELECT 1 FROM users WHERE users.email = person.value ->> 'email'
                       AND deleted_at IS NULL) AS email_taken,
               EXISTS (SELECT 1 FROM users WHERE lower(users.username) = lower(person.value ->> 'username')
                       AND deleted_at IS NULL) AS username_taken
        FROM json_each($1) AS person
        WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = unhex(person.value ->> 'id'))",
};

/// Whether the schema's own record of applied scripts exists.
pub(super) const HAS_MIGRATIONS_TABLE: Pair = Pair {
    postgres: "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('schema_migrations')",
    sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
};

/// The engine's own name and version.
pub const SHOW_VERSION: Pair = Pair { postgres: "SELECT version()", sqlite: "SELECT 'SQLite ' || sqlite_version()" };

/// Whether the index that finds people by their address is there.
pub const COUNT_ACTIVE_EMAIL_INDEX: Pair = Pair {
    postgres: "SELECT COUNT(*) FROM pg_catalog.pg_indexes WHERE indexname = 'idx_users_email_active'",
    sqlite: "SELECT COUNT(*) FROM sqlite_master WHERE type = 'index' AND name = 'idx_users_email_active'",
};

/// Whether a fault that the engine reported is an outage: lost connections, no resources, shutdown, deadlock, read-only
/// or full.
pub(super) fn is_outage(fault: &dyn DatabaseError) -> bool {
    if let Some(fault) = fault.try_downcast_ref::<PgDatabaseError>() {
        return ["08", "25006", "40", "53", "57", "58"].iter().any(|class| fault.code().starts_with(class));
    }
    // The low byte is the primary code: busy 5, locked 6, read-only 8, I/O 10, full 13, cannot open 14.
    let code = fault.try_downcast_ref::<SqliteError>().and_then(|fault| fault.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}
