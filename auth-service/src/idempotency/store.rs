//! SQL of idempotency keys.

use super::{KEPT, UNDER_WAY};
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::{TokenHash, UserId},
    sweep::BATCH,
};

/// Whose key, and for what.
pub struct Place {
    pub user: UserId,
    pub route: String,
    pub key: String,
}

/// What is known of an earlier call.
#[derive(sqlx::FromRow)]
pub struct Earlier {
    pub body_hash: Vec<u8>,
    pub status: Option<i64>,
    pub answer: Option<String>,
}

const TAKE: &str = "
    INSERT INTO idempotency_keys (user_id, route, key, body_hash, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id, route, key) DO UPDATE
        SET body_hash = excluded.body_hash, created_at = excluded.created_at, status = NULL, answer = NULL
        WHERE idempotency_keys.created_at < $6
            OR (idempotency_keys.status IS NULL AND idempotency_keys.created_at < $7)";

/// Takes a key, unless its answer is kept, or a call with it is under way; whether it was taken.
pub async fn take(conn: &mut Conn, place: &Place, body: &TokenHash, now: Ts) -> Result<bool, DbError> {
    let (route, key, body) = (place.route.as_str(), place.key.as_str(), body.as_bytes());
    let (kept, under_way) = (now.minus(KEPT), now.minus(UNDER_WAY));
    Ok(run!(conn, execute, TAKE, place.user, route, key, body, now, kept, under_way)? == 1)
}

const FIND: &str = "
    SELECT body_hash, status, answer FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3";

/// The earlier call with a key.
pub async fn find(conn: &mut Conn, place: &Place) -> Result<Option<Earlier>, DbError> {
    run!(conn, fetch_optional, FIND, place.user, place.route.as_str(), place.key.as_str())
}

const KEEP: &str = "
    UPDATE idempotency_keys SET status = $4, answer = $5 WHERE user_id = $1 AND route = $2 AND key = $3";

/// Keeps an answer for repeats.
pub async fn keep(conn: &mut Conn, place: &Place, status: u16, answer: &str) -> Result<(), DbError> {
    let (route, key) = (place.route.as_str(), place.key.as_str());
    run!(conn, execute, KEEP, place.user, route, key, i64::from(status), answer).map(drop)
}

const GIVE_UP: &str = "DELETE FROM idempotency_keys WHERE user_id = $1 AND route = $2 AND key = $3";

/// Frees a key whose call did nothing.
pub async fn give_up(conn: &mut Conn, place: &Place) -> Result<(), DbError> {
    run!(conn, execute, GIVE_UP, place.user, place.route.as_str(), place.key.as_str()).map(drop)
}

const DELETE_OLD: &str = "
    DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
        SELECT user_id, route, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

/// Forgets keys that were taken before `limit`.
pub async fn delete_old(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, limit, BATCH)
}
