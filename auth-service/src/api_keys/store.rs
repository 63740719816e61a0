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
