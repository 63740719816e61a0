//! SQL of API keys.

use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
    sweep::BATCH,
};

/// A row of `api_keys`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub id: Uuid,
    pub user_id: UserId,
    pub name: String,
    pub secret_hash: Vec<u8>,
    pub scopes: String,
    pub rate_limit: Option<String>,
    pub created_at: Ts,
    pub expires_at: Ts,
    pub last_used_at: Option<Ts>,
}

const INSERT: &str = "
    INSERT INTO api_keys (id, user_id, name, secret_hash, scopes, rate_limit, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// Adds a key.
pub async fn insert(conn: &mut Conn, key: &KeyRow) -> Result<(), DbError> {
    let (name, hash, scopes) = (key.name.as_str(), key.secret_hash.as_slice(), key.scopes.as_str());
    let rate_limit = key.rate_limit.as_deref();
    run!(conn, execute, INSERT, key.id, key.user_id, name, hash, scopes, rate_limit, key.created_at, key.expires_at)
        .map(drop)
}

const FIND_LIVE: &str = "
    SELECT id, user_id, name, secret_hash, scopes, rate_limit, created_at, expires_at, last_used_at
    FROM api_keys WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2";

/// The live key with this id.
pub async fn find_live(conn: &mut Conn, id: Uuid, now: Ts) -> Result<Option<KeyRow>, DbError> {
    run!(conn, fetch_optional, FIND_LIVE, id, now)
}

const LIST_LIVE: &str = "
    SELECT id, user_id, name, secret_hash, scopes, rate_limit, created_at, expires_at, last_used_at
    FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY created_at DESC, id DESC";

/// A person's live keys, newest first.
pub async fn list_live(conn: &mut Conn, user: UserId, now: Ts) -> Result<Vec<KeyRow>, DbError> {
    run!(conn, fetch_all, LIST_LIVE, user, now)
}

/// A key with its owner.
#[derive(sqlx::FromRow)]
pub struct OwnedRow {
    #[sqlx(flatten)]
    pub key: KeyRow,
    pub email: Option<String>,
    pub display_name: Option<String>,
}

const LIST_ALL: &str = "
    SELECT api_keys.id, user_id, name, secret_hash, scopes, rate_limit, api_keys.created_at, expires_at, last_used_at,
           users.email, users.display_name
    FROM api_keys JOIN users ON users.id = api_keys.user_id
    WHERE revoked_at IS NULL AND expires_at > $1 AND (api_keys.created_at, api_keys.id) < ($2, $3)
    ORDER BY api_keys.created_at DESC, api_keys.id DESC LIMIT $4";

/// Everybody's live keys, newest first, below this time and id.
pub async fn list_all(conn: &mut Conn, below: (Ts, Uuid), limit: i64, now: Ts) -> Result<Vec<OwnedRow>, DbError> {
    run!(conn, fetch_all, LIST_ALL, now, below.0, below.1, limit)
}

/// The most keys of a name that are looked up and sorted; of more, enough are met soon where all are walked.
const FEW: i64 = 1_000;
const COUNT_NAMED: &str = "
    SELECT COUNT(*) FROM (
        SELECT 1 AS found FROM api_keys
        WHERE revoked_at IS NULL AND lower(name) >= $1 AND lower(name) < $2 LIMIT $3) AS counted";
const LIST_FEW_NAMED: &str = "
    WITH found AS MATERIALIZED (
        SELECT id, user_id, name, secret_hash, scopes, rate_limit, created_at, expires_at, last_used_at
        FROM api_keys WHERE revoked_at IS NULL AND lower(name) >= $5 AND lower(name) < $6)
    SELECT found.id, user_id, name, secret_hash, scopes, rate_limit, found.created_at, expires_at, last_used_at,
           users.email, users.display_name
    FROM found JOIN users ON users.id = found.user_id
    WHERE expires_at > $1 AND (found.created_at, found.id) < ($2, $3)
    ORDER BY found.created_at DESC, found.id DESC LIMIT $4";
// What is appended keeps the index of names from being chosen.
const LIST_MANY_NAMED: &str = "
    SELECT api_keys.id, user_id, name, secret_hash, scopes, rate_limit, api_keys.created_at, expires_at, last_used_at,
           users.email, users.display_name
    FROM api_keys JOIN users ON users.id = api_keys.user_id
    WHERE revoked_at IS NULL AND expires_at > $1 AND (api_keys.created_at, api_keys.id) < ($2, $3)
        AND lower(name) || '' >= $5 AND lower(name) || '' < $6
    ORDER BY api_keys.created_at DESC, api_keys.id DESC LIMIT $4";

/// The same of those whose names begin so, without regard to the case of ASCII.
pub async fn list_named(
    conn: &mut Conn,
    prefix: &str,
    below: (Ts, Uuid),
    limit: i64,
    now: Ts,
) -> Result<Vec<OwnedRow>, DbError> {
    let from = prefix.to_ascii_lowercase();
    let to = format!("{from}\u{10ffff}");
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_NAMED, from.as_str(), to.as_str(), FEW + 1)?;
    let sql = if count > FEW { LIST_MANY_NAMED } else { LIST_FEW_NAMED };
    run!(conn, fetch_all, sql, now, below.0, below.1, limit, from.as_str(), to.as_str())
}

const LOCK_OWNER: &str = "UPDATE users SET updated_at = updated_at WHERE id = $1 AND deleted_at IS NULL";
const COUNT_LIVE: &str = "
    SELECT COUNT(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2";

/// How many live keys a person has; nobody else makes one of theirs before this transaction ends.
pub async fn count_live_for_update(conn: &mut Conn, user: UserId, now: Ts) -> Result<i64, DbError> {
    run!(conn, execute, LOCK_OWNER, user)?;
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_LIVE, user, now)?;
    Ok(count)
}

const SHORTEN: &str = "
    UPDATE api_keys SET expires_at = $4
    WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3 AND expires_at > $4";

/// Lets a person's live key end sooner.
pub async fn shorten(conn: &mut Conn, id: Uuid, user: UserId, expires_at: Ts, now: Ts) -> Result<u64, DbError> {
    run!(conn, execute, SHORTEN, id, user, now, expires_at)
}

const REVOKE: &str = "
    UPDATE api_keys SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > $3";

/// Ends a person's live key; 0 if there is none.
pub async fn revoke(conn: &mut Conn, id: Uuid, user: UserId, now: Ts) -> Result<u64, DbError> {
    run!(conn, execute, REVOKE, id, user, now)
}

const REVOKE_ALL: &str = "
    UPDATE api_keys SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 RETURNING id";

/// Ends every live key of a person.
pub async fn revoke_all(conn: &mut Conn, user: UserId, now: Ts) -> Result<Vec<Uuid>, DbError> {
    let rows: Vec<(Uuid,)> = run!(conn, fetch_all, REVOKE_ALL, user, now)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const NOTE_USE: &str = "
    UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $3)";

/// Notes that a key is used, unless that was noted since `since`.
pub async fn note_use(conn: &mut Conn, id: Uuid, now: Ts, since: Ts) -> Result<(), DbError> {
    run!(conn, execute, NOTE_USE, id, now, since).map(drop)
}

const DELETE_OLD: &str = "
    DELETE FROM api_keys WHERE id IN (
        SELECT id FROM api_keys WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)";

/// Deletes keys that ended before `limit`.
pub async fn delete_old(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, limit, BATCH)
}
