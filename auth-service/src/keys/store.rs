//! SQL of signing keys.

use crate::db::{Conn, DbError, Ts, run};

/// A row of `signing_keys`.
#[derive(Clone, sqlx::FromRow)]
pub struct KeyRow {
    pub kid: String,
    pub algorithm: String,
    /// PEM; absent for HS256, whose key is no public thing.
    pub public_key: Option<String>,
    /// Absent for a key that comes from the configuration.
    pub sealed_private: Option<Vec<u8>>,
    pub created_at: Ts,
    pub signs_from: Ts,
    /// When an instance was last known to sign with it.
    pub last_used_at: Ts,
    pub withdrawn_at: Option<Ts>,
}

const INSERT: &str = "
    INSERT INTO signing_keys (kid, algorithm, public_key, sealed_private, created_at, signs_from, last_used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";

/// Adds a key; one that is known stays as it is.
pub async fn insert(conn: &mut Conn, key: &KeyRow) -> Result<(), DbError> {
    let (kid, algorithm, public_key) = (key.kid.as_str(), key.algorithm.as_str(), key.public_key.as_deref());
    run!(
        conn,
        execute,
        INSERT,
        kid,
        algorithm,
        public_key,
        key.sealed_private.as_deref(),
        key.created_at,
        key.signs_from,
        key.last_used_at
    )
    .map(drop)
}

const LIST: &str = "
    SELECT kid, algorithm, public_key, sealed_private, created_at, signs_from, last_used_at, withdrawn_at
    FROM signing_keys ORDER BY signs_from, created_at, kid";

/// Every key, in the order in which they sign.
pub async fn list(conn: &mut Conn) -> Result<Vec<KeyRow>, DbError> {
    run!(conn, fetch_all, LIST)
}

const FIND_SIGNS_FROM: &str = "SELECT signs_from FROM signing_keys WHERE kid = $1";

/// Since when a key signs; nothing of one that is not known yet.
pub async fn find_signs_from(conn: &mut Conn, kid: &str) -> Result<Option<Ts>, DbError> {
    let row: Option<(Ts,)> = run!(conn, fetch_optional, FIND_SIGNS_FROM, kid)?;
    Ok(row.map(|(at,)| at))
}

const MARK_USED: &str = "UPDATE signing_keys SET last_used_at = $2 WHERE kid = $1 AND last_used_at < $2";

/// Notes that a key signs.
pub async fn mark_used(conn: &mut Conn, kid: &str, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, MARK_USED, kid, now).map(drop)
}

const WITHDRAW: &str = "UPDATE signing_keys SET withdrawn_at = $2 WHERE kid = $1 AND withdrawn_at IS NULL";

/// Takes a key out of use for good.
pub async fn withdraw(conn: &mut Conn, kid: &str, now: Ts) -> Result<u64, DbError> {
    run!(conn, execute, WITHDRAW, kid, now)
}
