//! SQL of those who are to be unlinked at a provider.

use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
    sweep::BATCH,
};

/// Somebody who is to be unlinked.
#[derive(sqlx::FromRow)]
pub struct UnlinkRow {
    pub id: Uuid,
    pub subject: String,
    pub created_at: Ts,
    pub attempts: i64,
}

const INSERT: &str = "
    INSERT INTO oauth_unlinks (id, provider, subject, created_at, next_attempt_at, attempts)
    VALUES ($1, $2, $3, $4, $4, 0)";

/// Adds somebody, due at once.
pub async fn insert(tx: &mut Conn, id: Uuid, (provider, subject): (&str, &str), now: Ts) -> Result<(), DbError> {
    run!(tx, execute, INSERT, id, provider, subject, now).map(drop)
}

const LIST_SUBJECTS: &str = "
    SELECT subject FROM oauth_accounts WHERE user_id = $1 AND provider = $2 AND linked_at IS NOT NULL";

/// Who a person is at a provider.
pub async fn list_subjects(conn: &mut Conn, user: UserId, provider: &str) -> Result<Vec<String>, DbError> {
    let rows: Vec<(String,)> = run!(conn, fetch_all, LIST_SUBJECTS, user, provider)?;
    Ok(rows.into_iter().map(|(subject,)| subject).collect())
}

const COUNT_LINKED: &str = "
    SELECT COUNT(*) FROM oauth_accounts WHERE issuer = $1 AND subject = $2 AND linked_at IS NOT NULL";

/// Whether any account has this subject, also one that was deleted and may be restored.
pub async fn is_linked(conn: &mut Conn, issuer: &str, subject: &str) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_LINKED, issuer, subject)?;
    Ok(count > 0)
}

const COUNT_DUE: &str = "SELECT COUNT(*) FROM oauth_unlinks WHERE provider = $1 AND next_attempt_at <= $2";

/// Whether somebody is due.
pub async fn has_due(conn: &mut Conn, provider: &str, now: Ts) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_DUE, provider, now)?;
    Ok(count > 0)
}

const CLAIM: &str = "
    UPDATE oauth_unlinks SET next_attempt_at = $3, attempts = attempts + 1
    WHERE next_attempt_at <= $2 AND id = (
        SELECT id FROM oauth_unlinks WHERE provider = $1 AND next_attempt_at <= $2 ORDER BY next_attempt_at LIMIT 1)
    RETURNING id, subject, created_at, attempts";

/// Takes somebody who is due; until `leased_until` nobody else does. Nothing also when somebody else was faster.
pub async fn claim(conn: &mut Conn, provider: &str, leased_until: Ts, now: Ts) -> Result<Option<UnlinkRow>, DbError> {
    run!(conn, fetch_optional, CLAIM, provider, now, leased_until)
}

const RETRY: &str = "UPDATE oauth_unlinks SET next_attempt_at = $2 WHERE id = $1";

/// Has it tried again.
pub async fn retry(conn: &mut Conn, id: Uuid, at: Ts) -> Result<(), DbError> {
    run!(conn, execute, RETRY, id, at).map(drop)
}

const DELETE: &str = "DELETE FROM oauth_unlinks WHERE id = $1";

/// Deletes what is done, or given up.
pub async fn delete(conn: &mut Conn, id: Uuid) -> Result<(), DbError> {
    run!(conn, execute, DELETE, id).map(drop)
}

const DELETE_OLD: &str = "
    DELETE FROM oauth_unlinks WHERE id IN (
        SELECT id FROM oauth_unlinks WHERE next_attempt_at < $1 ORDER BY next_attempt_at LIMIT $2)";

/// Deletes what has been due since `limit`, and nobody tries.
pub async fn delete_old(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_OLD, limit, BATCH)
}
