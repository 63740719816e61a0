//! SQL that looks at the database itself.

use crate::db::{Conn, DbError, Ts, dialect, run};

/// The engine's own name and version.
pub async fn show_version(conn: &mut Conn) -> Result<String, DbError> {
    let sql = dialect::SHOW_VERSION.on(conn.engine());
    let (version,): (String,) = run!(conn, fetch_one, sql)?;
    Ok(version)
}

/// Whether the index that finds people by their address is there.
pub async fn has_active_email_index(conn: &mut Conn) -> Result<bool, DbError> {
    let sql = dialect::COUNT_ACTIVE_EMAIL_INDEX.on(conn.engine());
    let (count,): (i64,) = run!(conn, fetch_one, sql)?;
    Ok(count == 1)
}

const READ_CLOCK: &str = "SELECT CURRENT_TIMESTAMP";

/// The database server's clock.
pub async fn read_clock(conn: &mut Conn) -> Result<Ts, DbError> {
    let (now,): (Ts,) = run!(conn, fetch_one, READ_CLOCK)?;
    Ok(now)
}
