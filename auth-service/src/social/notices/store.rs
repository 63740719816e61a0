//! SQL of what providers told us.

use uuid::Uuid;

use super::Notice;
use crate::{
    db::{Conn, DbError, Ts, run},
    sweep::BATCH,
};

/// What waits to be processed.
#[derive(sqlx::FromRow)]
pub struct NoticeRow {
    pub id: Uuid,
    pub provider: String,
    pub issuer: String,
    pub subject: Option<String>,
    pub kinds: String,
}

const INSERT: &str = "
    INSERT INTO oauth_notices (id, provider, issuer, subject, jti, kinds, received_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING";

/// Adds a notice; nothing happens when its id is known.
pub async fn insert(conn: &mut Conn, id: Uuid, notice: &Notice<'_>, now: Ts) -> Result<(), DbError> {
    let Notice { provider, subject, jti, kinds } = notice;
    let (name, issuer) = (provider.name.as_str(), provider.issuer.as_str());
    let kinds = serde_json::to_string(kinds).unwrap_or_default();
    run!(conn, execute, INSERT, id, name, issuer, *subject, *jti, kinds, now).map(drop)
}

const COUNT_WAITING: &str = "SELECT COUNT(*) FROM oauth_notices WHERE processed_at IS NULL";

/// Whether one waits.
pub async fn has_waiting(conn: &mut Conn) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_WAITING)?;
    Ok(count > 0)
}

const TAKE: &str = "
    UPDATE oauth_notices SET processed_at = $1
    WHERE processed_at IS NULL AND id = (
        SELECT id FROM oauth_notices WHERE processed_at IS NULL ORDER BY received_at, id LIMIT 1)
    RETURNING id, provider, issuer, subject, kinds";

/// Takes the oldest that waits; it waits again if the transaction is not committed. Nothing also when somebody else was
/// faster.
pub async fn take(tx: &mut Conn, now: Ts) -> Result<Option<NoticeRow>, DbError> {
    run!(tx, fetch_optional, TAKE, now)
}

const DELETE_OLD: &str = "
    DELETE FROM oauth_notices WHERE id IN (
        SELECT id FROM oauth_notices WHERE received_at < $1 AND processed_at IS NOT NULL ORDER BY received_at LIMIT $2)";

/// Deletes those that came before `limit` and were processed.
pub async fn delete_old(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, limit, BATCH)
}
