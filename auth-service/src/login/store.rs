//! SQL of known devices, of the day's failed guesses and of the history of logins.

use uuid::Uuid;

use super::reason::Ending;
use crate::{
    client::Client,
    db::{Conn, DbError, Ts, run},
    ids::{Entropy, TokenHash, UserId},
    sweep::BATCH,
};

/// The most devices that are known to one account.
const MAX_DEVICES: i64 = 100;

const FIND_DEVICE: &str = "
    SELECT user_id FROM known_devices WHERE token_hash = $1 AND user_id = $2 AND expires_at > $3";

/// Whether this person has logged in on the device before.
pub async fn is_known_device(conn: &mut Conn, device: &TokenHash, user: UserId, now: Ts) -> Result<bool, DbError> {
    let row: Option<(UserId,)> = run!(conn, fetch_optional, FIND_DEVICE, device.as_bytes(), user, now)?;
    Ok(row.is_some())
}

const INSERT_DEVICE: &str = "
    INSERT INTO known_devices (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
const FORGET_OLDEST_DEVICES: &str = "
    DELETE FROM known_devices WHERE token_hash IN (
        SELECT token_hash FROM known_devices WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1000 OFFSET $2)";

/// Remembers a device; one too many makes room for it, for a client that keeps nothing is new at every login.
pub async fn insert_device(
    conn: &mut Conn,
    device: &TokenHash,
    user: UserId,
    expires_at: Ts,
    now: Ts,
) -> Result<(), DbError> {
    run!(conn, execute, INSERT_DEVICE, device.as_bytes(), user, now, expires_at)?;
    run!(conn, execute, FORGET_OLDEST_DEVICES, user, MAX_DEVICES).map(drop)
}

const FORGET_DEVICES: &str = "DELETE FROM known_devices WHERE user_id = $1 AND token_hash <> $2";

/// Forgets every device of a person but `spared`.
pub async fn forget_devices(conn: &mut Conn, user: UserId, spared: Option<&TokenHash>) -> Result<(), DbError> {
    let spared = spared.map_or(&[][..], TokenHash::as_bytes);
    run!(conn, execute, FORGET_DEVICES, user, spared).map(drop)
}

const COUNT_FAILURES: &str = "SELECT failures FROM daily_guesses WHERE subject = $1 AND day = $2";

/// How many guesses have failed on this day.
pub async fn count_failures(conn: &mut Conn, subject: &TokenHash, day: i64) -> Result<i64, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, COUNT_FAILURES, subject.as_bytes(), day)?;
    Ok(row.map_or(0, |(failures,)| failures))
}

const ADD_FAILURE: &str = "
    INSERT INTO daily_guesses (subject, day, failures) VALUES ($1, $2, 1)
    ON CONFLICT (subject, day) DO UPDATE SET failures = daily_guesses.failures + 1";

/// Counts one failed guess.
pub async fn add_failure(conn: &mut Conn, subject: &TokenHash, day: i64) -> Result<(), DbError> {
    run!(conn, execute, ADD_FAILURE, subject.as_bytes(), day).map(drop)
}

const DELETE_FAILURES: &str = "DELETE FROM daily_guesses WHERE subject = $1";

/// Forgets the failures of one subject.
pub async fn delete_failures(conn: &mut Conn, subject: &TokenHash) -> Result<(), DbError> {
    run!(conn, execute, DELETE_FAILURES, subject.as_bytes()).map(drop)
}

const DELETE_OLD_FAILURES: &str = "
    DELETE FROM daily_guesses WHERE (subject, day) IN (
        SELECT subject, day FROM daily_guesses WHERE day < $1 ORDER BY day LIMIT $2)";

/// Forgets failures of the days before `day`.
pub async fn delete_old_failures(conn: &mut Conn, day: i64) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD_FAILURES, day, BATCH)
}

const DELETE_EXPIRED_DEVICES: &str = "
    DELETE FROM known_devices WHERE token_hash IN (
        SELECT token_hash FROM known_devices WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

/// Forgets devices that were known for too long.
pub async fn delete_expired_devices(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_EXPIRED_DEVICES, limit, BATCH)
}

const INSERT_HISTORY: &str = "
    INSERT INTO login_histories (id, user_id, session_id, at, outcome, method, ip_address, user_agent, reason)
    SELECT $1, id, $3, $4, $5, $8, $6, $7, $9 FROM users WHERE id = $2";

/// Adds a line to a person's history; to nobody's, nothing.
pub async fn insert_history(
    conn: &mut Conn,
    (user, ending): (UserId, Ending),
    way: &str,
    client: &Client,
    now: Ts,
) -> Result<(), DbError> {
    let (outcome, session, reason) = match ending {
        Ending::LoggedIn(session) => ("logged_in", Some(session), None),
        Ending::Refused(reason) => ("refused", None, Some(reason.as_str())),
    };
    let (id, ip, agent) = (Entropy.uuid(now), client.ip.to_string(), client.user_agent.as_deref());
    run!(conn, execute, INSERT_HISTORY, id, user, session, now, outcome, ip, agent, way, reason).map(drop)
}

/// A line of a person's history.
#[derive(sqlx::FromRow)]
pub struct HistoryRow {
    pub id: Uuid,
    pub at: Ts,
    pub outcome: String,
    pub reason: Option<String>,
    pub method: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub session_id: Option<Uuid>,
}

const LIST_HISTORY: &str = "
    SELECT id, at, outcome, reason, method, ip_address, user_agent, session_id
    FROM login_histories WHERE user_id = $1 AND (at, id) < ($2, $3) ORDER BY at DESC, id DESC LIMIT $4";

/// A person's history, newest first, below this time and id.
pub async fn list_history(
    conn: &mut Conn,
    user: UserId,
    below: (Ts, Uuid),
    limit: i64,
) -> Result<Vec<HistoryRow>, DbError> {
    run!(conn, fetch_all, LIST_HISTORY, user, below.0, below.1, limit)
}

const DELETE_HISTORY: &str = "
    DELETE FROM login_histories WHERE id IN (SELECT id FROM login_histories WHERE user_id = $1 LIMIT $2)";

/// Deletes lines of a person's history, at most so many.
pub async fn delete_history(conn: &mut Conn, user: UserId, limit: i64) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_HISTORY, user, limit)
}

const DELETE_OLD_HISTORY: &str = "
    DELETE FROM login_histories WHERE id IN (
        SELECT id FROM login_histories WHERE at < $1 ORDER BY at LIMIT $2)";

/// Deletes lines from before `limit`, at most so many.
pub async fn delete_old_history(conn: &mut Conn, limit: Ts, most: i64) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD_HISTORY, limit, most)
}
