//! SQL of imports: a batch of people in one statement each, and how far an import has come.

use std::collections::HashMap;

use uuid::Uuid;

use super::progress::Progress;
use crate::{
    db::{Conn, DbError, Engine, Ts, dialect, run},
    ids::TokenHash,
};

/// Lets SQLite keep 64 MiB of its file in memory, where two would be read and written many times over.
const WIDEN_CACHE: &str = "PRAGMA cache_size = -65536";

/// Readies the connection that an import writes by.
pub async fn widen_cache(conn: &mut Conn) -> Result<(), DbError> {
    match conn.engine() {
        Engine::Sqlite => conn.run_script(WIDEN_CACHE).await,
        // Its memory is the server's affair.
        Engine::Postgres => Ok(()),
    }
}

const LIST_ROLES: &str = "SELECT name, id FROM roles";

/// Every role by its name.
pub async fn list_roles(conn: &mut Conn) -> Result<HashMap<String, Uuid>, DbError> {
    let rows: Vec<(String, Uuid)> = run!(conn, fetch_all, LIST_ROLES)?;
    Ok(rows.into_iter().collect())
}

/// Adds the people of a batch, but for those whose address or username is taken; gives how many were added.
pub async fn insert(conn: &mut Conn, people: &str, now: Ts) -> Result<u64, DbError> {
    let engine = conn.engine();
    let added = run!(conn, execute, dialect::IMPORT_USERS.on(engine), people, now)?;
    if added > 0 {
        run!(conn, execute, dialect::IMPORT_ROLES.on(engine), people, now)?;
    }
    Ok(added)
}

/// A person of a batch who is not in the database.
#[derive(sqlx::FromRow)]
pub struct Missing {
    /// The place in the batch.
    pub n: i64,
    pub email_taken: bool,
    pub username_taken: bool,
}

/// Who of a batch is not in the database, and what others have.
pub async fn find_missing(conn: &mut Conn, people: &str) -> Result<Vec<Missing>, DbError> {
    let engine = conn.engine();
    run!(conn, fetch_all, dialect::IMPORT_MISSING.on(engine), people)
}

const FIND_PROGRESS: &str = "
    SELECT records, added, refused, report_bytes, finished_at FROM user_imports WHERE fingerprint = $1";

/// How far an import of this file has come.
pub async fn find_progress(conn: &mut Conn, file: &TokenHash) -> Result<Option<Progress>, DbError> {
    run!(conn, fetch_optional, FIND_PROGRESS, file.as_bytes())
}

const BEGIN: &str = "
    INSERT INTO user_imports (fingerprint, format, records, added, refused, report_bytes, started_at, updated_at)
    VALUES ($1, $2, 0, 0, 0, 0, $3, $3)
    ON CONFLICT (fingerprint) DO UPDATE SET records = 0, added = 0, refused = 0, report_bytes = 0,
        started_at = excluded.started_at, updated_at = excluded.updated_at, finished_at = NULL";

/// Begins an import of this file, for the first time or anew.
pub async fn begin(conn: &mut Conn, file: &TokenHash, format: &str, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, BEGIN, file.as_bytes(), format, now).map(drop)
}

const ADVANCE: &str = "
    UPDATE user_imports SET records = $3, added = $4, refused = $5, report_bytes = $6, updated_at = $7
    WHERE fingerprint = $1 AND records = $2 AND finished_at IS NULL";

/// Notes how far an import has come, in the transaction that brought it there; false when another import of the same
/// file has moved it meanwhile.
pub async fn advance(
    conn: &mut Conn,
    file: &TokenHash,
    before: i64,
    progress: &Progress,
    now: Ts,
) -> Result<bool, DbError> {
    let Progress { records, added, refused, report_bytes, .. } = *progress;
    let moved = run!(conn, execute, ADVANCE, file.as_bytes(), before, records, added, refused, report_bytes, now)?;
    Ok(moved == 1)
}

const FINISH: &str = "UPDATE user_imports SET finished_at = $2, updated_at = $2 WHERE fingerprint = $1";

/// Notes that an import has come to the end of its file.
pub async fn finish(conn: &mut Conn, file: &TokenHash, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, FINISH, file.as_bytes(), now).map(drop)
}
