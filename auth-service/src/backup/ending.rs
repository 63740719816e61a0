//! The script by which a restore ends everything that was handed out; restores of both engines prove it.

use std::time::Duration;

use crate::db::{Engine, Ts, dialect::Pair};

/// Ends every session, and spends everything that was handed out and could be used again. Tokens that were issued since
/// the backup are refused by their versions: a million is more changes than an account or the roles see between a backup
/// and its restore. `:token_life` is in seconds.
const END_SESSIONS: Pair = Pair {
    postgres: "
        UPDATE sessions SET ended_at = now(), end_reason = 'restore' WHERE ended_at IS NULL;
        UPDATE one_time_tokens SET used_at = now() WHERE used_at IS NULL;
        UPDATE oauth_handles SET used_at = now() WHERE used_at IS NULL;
        DELETE FROM known_devices;
        UPDATE users SET token_version = token_version + 1000000;
        UPDATE role_catalogue SET version = version + 1000000;
        INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
        SELECT gen_random_uuid(), 'role', roles.name, role_catalogue.version, now(), now() + INTERVAL '1 second' * :token_life
        FROM roles CROSS JOIN role_catalogue;
        INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
        SELECT gen_random_uuid(), 'user', users.id::text, users.token_version, now(), now() + INTERVAL '1 second' * :token_life
        FROM users WHERE NOT EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id)
                     AND users.last_login_at IS NOT NULL;",
    sqlite: "
        UPDATE sessions SET ended_at = :now, end_reason = 'restore' WHERE ended_at IS NULL;
        UPDATE one_time_tokens SET used_at = :now WHERE used_at IS NULL;
        UPDATE oauth_handles SET used_at = :now WHERE used_at IS NULL;
        DELETE FROM known_devices;
        UPDATE users SET token_version = token_version + 1000000;
        UPDATE role_catalogue SET version = version + 1000000;
        INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
        SELECT randomblob(16), 'role', roles.name, role_catalogue.version, :now, :now + 1000000 * :token_life
        FROM roles CROSS JOIN role_catalogue;
        INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
        SELECT randomblob(16), 'user',
               lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-' ||
                     substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)),
               users.token_version, :now, :now + 1000000 * :token_life
        FROM users WHERE NOT EXISTS (SELECT 1 FROM user_roles WHERE user_roles.user_id = users.id)
                     AND users.last_login_at IS NOT NULL;",
};

/// The statements of [`END_SESSIONS`], for tokens that live so long.
#[must_use]
pub fn script(engine: Engine, token_life: Duration, now: Ts) -> String {
    let text = END_SESSIONS.on(engine).replace(":token_life", &token_life.as_secs().to_string());
    text.replace(":now", &now.as_micros().to_string())
}
