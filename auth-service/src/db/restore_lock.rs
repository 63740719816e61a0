//! The hold that a restore has on a PostgreSQL database while it replaces it: what the folder's lock is for SQLite.

use super::{Conn, DbError, dialect, run};

/// The number of the advisory lock that a restore takes in its transaction.
pub const RESTORE_LOCK: i64 = 7_209_035;

/// Passes unless a restore is replacing this database now.
///
/// # Errors
/// [`DbError::Unavailable`] until it has ended.
pub async fn refuse_while_restored(conn: &mut Conn) -> Result<(), DbError> {
    let sql = dialect::TRY_RESTORE_LOCK.on(conn.engine());
    let (is_free,): (bool,) = run!(conn, fetch_one, sql, RESTORE_LOCK)?;
    if is_free { Ok(()) } else { Err(DbError::Unavailable("a restore of this database is running".into())) }
}
