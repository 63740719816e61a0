//! SQL of erasing people for good.

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
};

const FIND_DELETED: &str = "SELECT id FROM users WHERE deleted_at < $1 ORDER BY deleted_at LIMIT 1";

/// The account that was deleted first, if that was before `limit`.
pub async fn find_deleted(conn: &mut Conn, limit: Ts) -> Result<Option<UserId>, DbError> {
    let row: Option<(UserId,)> = run!(conn, fetch_optional, FIND_DELETED, limit)?;
    Ok(row.map(|(id,)| id))
}

const LOCK_DELETED: &str = "UPDATE users SET updated_at = updated_at WHERE id = $1 AND deleted_at < $2";

/// Locks an account that was deleted before `limit`: nobody restores it meanwhile. False when there is none any more.
pub async fn lock_deleted(conn: &mut Conn, id: UserId, limit: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, LOCK_DELETED, id, limit)? == 1)
}

const ERASE: &str = "DELETE FROM users WHERE id = $1";

/// Deletes an account for good, with everything that belongs to it alone.
pub async fn erase(conn: &mut Conn, id: UserId) -> Result<(), DbError> {
    run!(conn, execute, ERASE, id).map(drop)
}
