//! SQL of accounts that nobody uses, a page at a time. A session that has ended counts by its login alone: only live ones
//! are found by their owner.

use uuid::Uuid;

use super::Notice;
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
    sweep::BATCH,
};

const PAGE_END: &str = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";

/// The last id of the page of accounts that begins after `from`, twice: as a bound, and, unless nothing comes after it,
/// as where the next page begins.
pub async fn page_end(conn: &mut Conn, from: UserId) -> Result<(UserId, Option<UserId>), DbError> {
    let row: Option<(UserId,)> = run!(conn, fetch_optional, PAGE_END, from, BATCH - 1)?;
    Ok(row.map_or((UserId(Uuid::max()), None), |(id,)| (id, Some(id))))
}

const MARK_NOTICED: &str = "
    UPDATE users SET dormancy_noticed_at = $4
    WHERE id > $1 AND id <= $2 AND status = 'active' AND deleted_at IS NULL AND email IS NOT NULL
      AND updated_at <= $3 AND created_at <= $3 AND (last_login_at IS NULL OR last_login_at <= $3)
      AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = users.id AND ended_at IS NULL AND last_used_at > $3)
      AND NOT EXISTS (SELECT 1 FROM api_keys WHERE user_id = users.id AND last_used_at > $3)
      AND (dormancy_noticed_at IS NULL OR dormancy_noticed_at < last_login_at OR EXISTS (
          SELECT 1 FROM api_keys
          WHERE api_keys.user_id = users.id AND api_keys.last_used_at > users.dormancy_noticed_at))
    RETURNING id, email, locale, display_name";

/// Marks the accounts of a page that were not used since an instant as told so, unless they were since they were used, or
/// have no address.
pub async fn mark_noticed(
    conn: &mut Conn,
    (from, until): (UserId, UserId),
    unused_since: Ts,
    now: Ts,
) -> Result<Vec<Notice>, DbError> {
    run!(conn, fetch_all, MARK_NOTICED, from, until, unused_since, now)
}

const FIND_UNUSED: &str = "
    SELECT id FROM users
    WHERE id > $1 AND id <= $2 AND status = 'active' AND deleted_at IS NULL
      AND updated_at <= $3 AND created_at <= $3 AND (last_login_at IS NULL OR last_login_at <= $3)
      AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = users.id AND ended_at IS NULL AND last_used_at > $3)
      AND NOT EXISTS (SELECT 1 FROM api_keys WHERE user_id = users.id AND last_used_at > $3)";

/// The accounts of a page that were not used since an instant.
pub async fn find_unused(
    conn: &mut Conn,
    (from, until): (UserId, UserId),
    unused_since: Ts,
) -> Result<Vec<UserId>, DbError> {
    let rows: Vec<(UserId,)> = run!(conn, fetch_all, FIND_UNUSED, from, until, unused_since)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

const FIND_NOTICED: &str = "
    SELECT id FROM users
    WHERE id > $1 AND id <= $2 AND status = 'active' AND deleted_at IS NULL
      AND updated_at <= $3 AND created_at <= $3 AND (last_login_at IS NULL OR last_login_at <= $3)
      AND dormancy_noticed_at <= $4 AND (last_login_at IS NULL OR last_login_at <= dormancy_noticed_at)
      AND NOT EXISTS (SELECT 1 FROM sessions WHERE user_id = users.id AND ended_at IS NULL AND last_used_at > $3)
      AND NOT EXISTS (
          SELECT 1 FROM api_keys WHERE api_keys.user_id = users.id AND api_keys.last_used_at > dormancy_noticed_at)";

/// The accounts of a page that were not used since an instant, and were told so by another.
pub async fn find_noticed(
    conn: &mut Conn,
    (from, until): (UserId, UserId),
    unused_since: Ts,
    noticed_by: Ts,
) -> Result<Vec<UserId>, DbError> {
    let rows: Vec<(UserId,)> = run!(conn, fetch_all, FIND_NOTICED, from, until, unused_since, noticed_by)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
