//! SQL of the revocation log.

use auth_token::{Revocation, RevocationKind};
use uuid::Uuid;

use crate::db::{Conn, DbError, Ts, dialect, run};

const INSERT: &str = "
    INSERT INTO revocations (id, kind, subject, version, revoked_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";

/// Appends a revocation, in the transaction of its cause.
pub async fn insert(conn: &mut Conn, revocation: &Revocation) -> Result<(), DbError> {
    let (revoked_at, expires_at) = (Ts::from_micros(revocation.revoked_at), Ts::from_micros(revocation.expires_at));
    let (kind, subject, version) = (revocation.kind.as_str(), revocation.subject.as_str(), revocation.version);
    run!(conn, execute, INSERT, revocation.id, kind, subject, version, revoked_at, expires_at).map(drop)
}

#[derive(sqlx::FromRow)]
struct TailRow {
    next: i64,
    id: Option<Uuid>,
    kind: Option<String>,
    subject: Option<String>,
    version: Option<i64>,
    revoked_at: Option<Ts>,
    expires_at: Option<Ts>,
}

impl TailRow {
    /// The revocation in this row; nothing where the tail was empty, or of a kind that a newer release wrote.
    fn into_revocation(self) -> Option<Revocation> {
        Some(Revocation {
            id: self.id?,
            kind: self.kind?.parse::<RevocationKind>().ok()?,
            subject: self.subject?,
            version: self.version?,
            revoked_at: self.revoked_at?.as_micros(),
            expires_at: self.expires_at?.as_micros(),
        })
    }
}

/// What was revoked from `cursor` on and still matters, with the cursor for the next call. The same row may come twice.
pub async fn tail(conn: &mut Conn, cursor: i64, now: Ts) -> Result<(i64, Vec<Revocation>), DbError> {
    let sql = dialect::TAIL_REVOCATIONS.on(conn.engine());
    let rows: Vec<TailRow> = run!(conn, fetch_all, sql, cursor.to_string(), now)?;
    let next = rows.first().map_or(cursor, |row| row.next);
    Ok((next, rows.into_iter().filter_map(TailRow::into_revocation).collect()))
}

const DELETE_EXPIRED: &str = "DELETE FROM revocations WHERE expires_at < $1";

/// Deletes revocations whose last token has long expired.
pub async fn delete_expired(conn: &mut Conn, limit: Ts) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_EXPIRED, limit)
}
