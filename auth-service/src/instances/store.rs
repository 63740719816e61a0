//! SQL of who takes part.

use uuid::Uuid;

use crate::db::{Conn, DbError, Ts, run};

/// The most that can take part; gateways that come and go leave rows behind for a while.
const MOST: i64 = 500;
/// Of those who have not been heard of, so many are kept.
const KEPT: i64 = 100;

/// An instance or a gateway, as it last said of itself.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct InstanceRow {
    pub id: Uuid,
    pub role: String,
    pub address: String,
    pub version: String,
    pub started_at: Ts,
    pub seen_at: Ts,
    pub left_at: Option<Ts>,
    /// JSON.
    pub state: String,
}

const UPSERT: &str = "
    INSERT INTO instances (id, role, address, version, started_at, seen_at, left_at, state)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8
    WHERE (SELECT COUNT(*) FROM instances) < $9 OR EXISTS (SELECT 1 FROM instances WHERE id = $1)
    ON CONFLICT (id) DO UPDATE SET address = excluded.address, version = excluded.version,
        started_at = excluded.started_at, seen_at = excluded.seen_at, left_at = excluded.left_at, state = excluded.state
    WHERE instances.role = excluded.role";

/// Keeps what somebody says of itself; false when there are too many, or its id is that of somebody of another role.
pub async fn upsert(conn: &mut Conn, row: &InstanceRow) -> Result<bool, DbError> {
    let InstanceRow { id, role, address, version, started_at, seen_at, left_at, state } = row;
    let (role, address, version, state) = (role.as_str(), address.as_str(), version.as_str(), state.as_str());
    let kept = run!(conn, execute, UPSERT, id, role, address, version, started_at, seen_at, left_at, state, MOST)?;
    Ok(kept > 0)
}

const FIND_ROLE: &str = "SELECT role FROM instances WHERE id = $1";

/// What somebody is, if it is known.
pub async fn find_role(conn: &mut Conn, id: Uuid) -> Result<Option<String>, DbError> {
    let row: Option<(String,)> = run!(conn, fetch_optional, FIND_ROLE, id)?;
    Ok(row.map(|(role,)| role))
}

const LIST: &str = "
    SELECT id, role, address, version, started_at, seen_at, left_at, state FROM instances
    ORDER BY role, address, started_at, id";

/// Everybody who takes part, or did lately.
pub async fn list(conn: &mut Conn) -> Result<Vec<InstanceRow>, DbError> {
    run!(conn, fetch_all, LIST)
}

const DELETE_OLD: &str = "DELETE FROM instances WHERE seen_at < $1";
const DELETE_TOO_MANY: &str = "
    DELETE FROM instances WHERE id IN (
        SELECT id FROM instances WHERE seen_at < $1 ORDER BY seen_at DESC LIMIT $2 OFFSET $3)";

/// Forgets who was not heard of since `forgotten`, and all but some of those who were not since `late`: whoever starts
/// again and again leaves no room for others otherwise.
pub async fn delete_old(conn: &mut Conn, forgotten: Ts, late: Ts) -> Result<(), DbError> {
    run!(conn, execute, DELETE_OLD, forgotten)?;
    run!(conn, execute, DELETE_TOO_MANY, late, MOST, KEPT).map(drop)
}
