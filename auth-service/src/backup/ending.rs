//! The script by which a restore ends everything that was handed out; restores of both engines prove it.

use std::time::Duration;

use auth_token::EVERYONE;

use crate::{
    db::{Engine, Ts, dialect::Pair},
    revocation::MARGIN,
};

/// Ends every session, and spends everything that was handed out and could be used again.
///
/// The one row refuses every access token of before at whoever tails the log: those of sessions and people that are not
/// in the backup, too, for each carries the version of the roles at its issue. The versions of accounts rise as well:
/// a gateway may still know of a revocation that is not in the backup, and new tokens must be above it.
///
/// They jump to the time, in microseconds, of the database's clock where it has one: from a backup that is restored twice
/// the same sum would come out twice, and tokens that were issued in between would live.
const END_SESSIONS: Pair = Pair {
    postgres: "
        UPDATE sessions SET ended_at = now(), end_reason = 'restore' WHERE ended_at IS NULL;
        UPDATE one_time_tokens SET used_at = now() WHERE used_at IS NULL;
        UPDATE oauth_handles SET used_at = now() WHERE used_at IS NULL;
        DELETE FROM known_devices;
        UPDATE users SET token_version = GREATEST(token_version + 1, (extract(epoch FROM now()) * 1000000)::bigint);
        UPDATE role_catalogue SET version = GREATEST(version + 1, (extract(epoch FROM now()) * 1000000)::bigint);
        INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
        SELECT gen_random_uuid(), 'everyone', ':everyone', version, now(), now() + INTERVAL '1 second' * :token_life
        FROM role_catalogue;",
    sqlite: "
        UPDATE sessions SET ended_at = :now, end_reason = 'restore' WHERE ended_at IS NULL;
        UPDATE one_time_tokens SET used_at = :now WHERE used_at IS NULL;
        UPDATE oauth_handles SET used_at = :now WHERE used_at IS NULL;
        DELETE FROM known_devices;
        UPDATE users SET token_version = MAX(token_version + 1, :now);
        UPDATE role_catalogue SET version = MAX(version + 1, :now);
        INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at)
        SELECT randomblob(16), 'everyone', ':everyone', version, :now, :now + 1000000 * :token_life
        FROM role_catalogue;",
};

/// The statements of [`END_SESSIONS`], for tokens that live so long.
#[must_use]
pub fn script(engine: Engine, token_life: Duration, now: Ts) -> String {
    let life = (token_life + MARGIN).as_secs().to_string();
    let text = END_SESSIONS.on(engine).replace(":token_life", &life).replace(":everyone", EVERYONE);
    text.replace(":now", &now.as_micros().to_string())
}
