//! SQL of the chain: sealing it, walking along it, and removing its beginning.

use data_encoding::HEXLOWER;
use serde_json::json;
use uuid::Uuid;

use super::{ChainRow, Link};
use crate::db::{Conn, DbError, Ts, dialect, run};

const FIND_UNSEALED: &str = "SELECT id FROM audit_logs WHERE seq IS NULL LIMIT 1";

/// Whether there is anything to seal.
pub async fn has_unsealed(conn: &mut Conn) -> Result<bool, DbError> {
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, FIND_UNSEALED)?;
    Ok(row.is_some())
}

const COUNT_UNSEALED: &str = "SELECT COUNT(*) FROM audit_logs WHERE seq IS NULL";

/// How many entries wait for the sealer.
pub async fn count_unsealed(conn: &mut Conn) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_UNSEALED)?;
    Ok(count)
}

const LIST_UNSEALED: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, request_id, details, personal_hash
    FROM audit_logs WHERE seq IS NULL ORDER BY at, id LIMIT $1";

/// The oldest entries that are not sealed yet.
pub async fn list_unsealed(conn: &mut Conn, limit: i64) -> Result<Vec<ChainRow>, DbError> {
    run!(conn, fetch_all, LIST_UNSEALED, limit)
}

/// Gives entries their places.
pub async fn seal(conn: &mut Conn, places: &[(Uuid, Link)]) -> Result<u64, DbError> {
    let sql = dialect::SEAL_AUDIT_ENTRIES.on(conn.engine());
    let places: Vec<_> = places
        .iter()
        .map(|(id, link)| json!([id.simple().to_string(), link.seq, HEXLOWER.encode(&link.hash)]))
        .collect();
    run!(conn, execute, sql, json!(places).to_string())
}

const FIND_LAST: &str = "
    SELECT seq, hash FROM audit_logs WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1";

/// The end of the chain: its last entry, or the last one that retention removed, or the beginning.
pub async fn find_head(conn: &mut Conn) -> Result<Link, DbError> {
    let row: Option<(i64, Option<Vec<u8>>)> = run!(conn, fetch_optional, FIND_LAST)?;
    let last = row.map(|(seq, hash)| Link { seq, hash: hash.unwrap_or_default() });
    let checkpoint = find_checkpoint(conn).await?.unwrap_or_else(Link::beginning);
    Ok(last.filter(|last| last.seq > checkpoint.seq).unwrap_or(checkpoint))
}

const FIND_LAST_TO: &str = "SELECT seq, hash FROM audit_logs WHERE seq <= $1 ORDER BY seq DESC LIMIT 1";

/// The last entry that has this number or a lower one.
pub async fn find_last_to(conn: &mut Conn, seq: i64) -> Result<Option<Link>, DbError> {
    let row: Option<(i64, Option<Vec<u8>>)> = run!(conn, fetch_optional, FIND_LAST_TO, seq)?;
    Ok(row.map(|(seq, hash)| Link { seq, hash: hash.unwrap_or_default() }))
}

const FIND_CHECKPOINT: &str = "SELECT seq, hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1";

/// The last entry that retention removed.
pub async fn find_checkpoint(conn: &mut Conn) -> Result<Option<Link>, DbError> {
    let row: Option<(i64, Vec<u8>)> = run!(conn, fetch_optional, FIND_CHECKPOINT)?;
    Ok(row.map(|(seq, hash)| Link { seq, hash }))
}

/// A sealed entry, with everything that there is to check.
#[derive(sqlx::FromRow)]
pub struct SealedRow {
    pub seq: i64,
    pub hash: Option<Vec<u8>>,
    #[sqlx(flatten)]
    pub entry: ChainRow,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub salt: Option<Vec<u8>>,
}

const LIST_SEALED: &str = "
    SELECT seq, hash, id, at, event, outcome, actor_id, target_kind, target_id, request_id, details, personal_hash,
           ip_address, user_agent, salt
    FROM audit_logs WHERE seq > $1 ORDER BY seq LIMIT $2";

/// Entries in the order of the chain, from behind `after`.
pub async fn list_sealed(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<SealedRow>, DbError> {
    run!(conn, fetch_all, LIST_SEALED, after, limit)
}

const LIST_UNEXPLAINED: &str = "
    SELECT entry.seq, entry.id FROM audit_logs AS entry
    WHERE entry.seq > $1 AND entry.seq <= $2 AND entry.salt IS NULL
        AND NOT EXISTS (SELECT 1 FROM audit_logs AS erasure
            WHERE erasure.event = 'user_erased' AND erasure.target_id IN (entry.actor_id, entry.target_id))
        AND NOT EXISTS (SELECT 1 FROM users
            WHERE users.deleted_at IS NOT NULL AND users.id IN (entry.actor_id, entry.target_id))
    ORDER BY entry.seq";

/// Entries between two places whose personal parts are gone though nobody they tell of was erased or is being erased.
pub async fn list_unexplained(conn: &mut Conn, after: i64, to: i64) -> Result<Vec<(i64, Uuid)>, DbError> {
    run!(conn, fetch_all, LIST_UNEXPLAINED, after, to)
}

const FIND_TRIM: &str = "SELECT id FROM audit_logs WHERE event = 'audit_trimmed' AND details = $1 LIMIT 1";

/// Whether the log itself tells of the checkpoint that is described so.
pub async fn has_trim(conn: &mut Conn, details: &str) -> Result<bool, DbError> {
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, FIND_TRIM, details)?;
    Ok(row.is_some())
}

/// A place at the beginning of the chain.
#[derive(sqlx::FromRow)]
pub struct OldRow {
    pub seq: i64,
    pub hash: Option<Vec<u8>>,
    pub at: Ts,
}

const LIST_OLDEST: &str = "
    SELECT seq, hash, at FROM audit_logs WHERE seq IS NOT NULL ORDER BY seq LIMIT $1";

/// The first entries of the chain.
pub async fn list_oldest(conn: &mut Conn, limit: i64) -> Result<Vec<OldRow>, DbError> {
    run!(conn, fetch_all, LIST_OLDEST, limit)
}

const DELETE_TO: &str = "DELETE FROM audit_logs WHERE seq <= $1";
const INSERT_CHECKPOINT: &str = "INSERT INTO audit_checkpoints (seq, hash, removed_at) VALUES ($1, $2, $3)";
const DELETE_OLDER_CHECKPOINTS: &str = "DELETE FROM audit_checkpoints WHERE seq < $1";

/// Removes the chain up to `last` and leaves a checkpoint there in place of any before it.
pub async fn cut(conn: &mut Conn, last: &Link, now: Ts) -> Result<u64, DbError> {
    let removed = run!(conn, execute, DELETE_TO, last.seq)?;
    run!(conn, execute, INSERT_CHECKPOINT, last.seq, last.hash.as_slice(), now)?;
    run!(conn, execute, DELETE_OLDER_CHECKPOINTS, last.seq)?;
    Ok(removed)
}
