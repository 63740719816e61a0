//! SQL of the audit log: writing it, reading it, and erasing people from it.

use data_encoding::HEXLOWER;
use serde_json::Value;
use uuid::Uuid;

use super::{Entry, Filter, Outcome, Target, chain::hash_personal};
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::{Entropy, TokenHash, UserId},
    jobs::BATCH,
    lists::Cursor,
};

/// Bytes of the salt that keeps a personal part from being guessed by its hash.
const SALT: usize = 16;

const INSERT: &str = "
    INSERT INTO audit_logs (id, at, event, outcome, actor_id, target_kind, target_id, request_id, details,
                            ip_address, user_agent, salt, personal_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// What is made for an entry when it is written.
struct NewEntry<'a> {
    id: Uuid,
    details: String,
    ip: Option<String>,
    agent: Option<&'a str>,
    salt: [u8; SALT],
    personal: TokenHash,
}

impl<'a> NewEntry<'a> {
    fn of(entry: &'a Entry<'_>, now: Ts) -> Self {
        let ip = entry.client.map(|client| client.ip.to_string());
        let agent = entry.client.and_then(|client| client.user_agent.as_deref());
        let salt = Entropy.bytes();
        let personal = hash_personal(&salt, ip.as_deref(), agent);
        Self {
            id: Entropy.uuid(now),
            details: Value::Object(entry.details.clone()).to_string(),
            ip,
            agent,
            salt,
            personal,
        }
    }
}

/// Appends an entry, unsealed.
pub async fn insert(conn: &mut Conn, entry: &Entry<'_>, now: Ts) -> Result<(), DbError> {
    let NewEntry { id, details, ip, agent, salt, personal } = NewEntry::of(entry, now);
    run!(
        conn,
        execute,
        INSERT,
        id,
        now,
        entry.event.as_str(),
        entry.event.outcome(),
        entry.actor,
        entry.target.map(Target::kind),
        entry.target.map(Target::id),
        entry.client.map(|client| client.request_id.as_str()),
        details,
        ip.as_deref(),
        agent,
        &salt[..],
        personal.as_bytes()
    )
    .map(drop)
}

/// The statement that appends an entry on PostgreSQL, with everything that it says as hexadecimal digits.
pub fn to_postgres(entry: &Entry<'_>, now: Ts) -> String {
    let text = |text: Option<&str>| match text {
        Some(text) => format!("convert_from(decode('{}', 'hex'), 'UTF8')", HEXLOWER.encode(text.as_bytes())),
        None => "NULL".to_owned(),
    };
    let bytes = |bytes: &[u8]| format!("decode('{}', 'hex')", HEXLOWER.encode(bytes));
    let id = |id: Option<Uuid>| id.map_or_else(|| "NULL".to_owned(), |id| format!("'{id}'"));
    let NewEntry { id: own, details, ip, agent, salt, personal } = NewEntry::of(entry, now);
    let values = [
        id(Some(own)),
        format!("'epoch'::timestamptz + {} * INTERVAL '1 microsecond'", now.as_micros()),
        text(Some(entry.event.as_str())),
        text(Some(entry.event.outcome())),
        id(entry.actor.map(|user| user.0)),
        text(entry.target.map(Target::kind)),
        id(entry.target.map(Target::id)),
        text(entry.client.map(|client| client.request_id.as_str())),
        text(Some(&details)),
        text(ip.as_deref()),
        text(agent),
        bytes(&salt),
        bytes(personal.as_bytes()),
    ];
    let (columns, _) = INSERT.split_once("VALUES").unwrap_or_default();
    format!("{columns}VALUES ({});", values.join(", "))
}

/// An entry as it is shown.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EntryRow {
    pub id: Uuid,
    pub at: Ts,
    pub event: String,
    pub outcome: String,
    pub actor_id: Option<Uuid>,
    pub target_kind: Option<String>,
    pub target_id: Option<Uuid>,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub details: String,
    pub personal_hash: Vec<u8>,
    pub seq: Option<i64>,
    pub hash: Option<Vec<u8>>,
}

impl EntryRow {
    /// Where the page behind this row begins.
    pub fn cursor(&self) -> Cursor {
        Cursor::at(self.at, self.id)
    }
}

// One text per filter that an index serves; the others are conditions on what that index finds. PostgreSQL may make one
// plan for all callers, knowing nothing of what they ask for, so the texts leave it no choice: the range holds the filtered
// column, in the order of its index, and of a COALESCE it does not conclude, as it would of an OR, that next to nothing is
// found and everything may as well be read and sorted.

const LIST: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE at >= $1 AND (at, id) < ($2, $3)
        AND COALESCE(event = $5, $5 IS NULL) AND COALESCE(outcome = $6, $6 IS NULL)
        AND COALESCE(actor_id = $7, $7 IS NULL) AND COALESCE(target_id = $8, $8 IS NULL)
        AND COALESCE(ip_address = $9, $9 IS NULL) AND COALESCE(request_id = $10, $10 IS NULL)
    ORDER BY at DESC, id DESC LIMIT $4";
const LIST_REFUSED: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE outcome = 'refused' AND at >= $1 AND (at, id) < ($2, $3)
        AND COALESCE(event = $5, $5 IS NULL) AND COALESCE(outcome = $6, $6 IS NULL)
        AND COALESCE(actor_id = $7, $7 IS NULL) AND COALESCE(target_id = $8, $8 IS NULL)
        AND COALESCE(ip_address = $9, $9 IS NULL) AND COALESCE(request_id = $10, $10 IS NULL)
    ORDER BY at DESC, id DESC LIMIT $4";
const LIST_BY_EVENT: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE (event, at) >= ($5, $1) AND (event, at, id) < ($5, $2, $3)
        AND COALESCE(outcome = $6, $6 IS NULL) AND COALESCE(actor_id = $7, $7 IS NULL)
        AND COALESCE(target_id = $8, $8 IS NULL) AND COALESCE(ip_address = $9, $9 IS NULL)
        AND COALESCE(request_id = $10, $10 IS NULL)
    ORDER BY event DESC, at DESC, id DESC LIMIT $4";
const LIST_BY_ACTOR: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE (actor_id, at) >= ($7, $1) AND (actor_id, at, id) < ($7, $2, $3)
        AND COALESCE(event = $5, $5 IS NULL) AND COALESCE(outcome = $6, $6 IS NULL)
        AND COALESCE(target_id = $8, $8 IS NULL) AND COALESCE(ip_address = $9, $9 IS NULL)
        AND COALESCE(request_id = $10, $10 IS NULL)
    ORDER BY actor_id DESC, at DESC, id DESC LIMIT $4";
const LIST_BY_TARGET: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE (target_id, at) >= ($8, $1) AND (target_id, at, id) < ($8, $2, $3)
        AND COALESCE(event = $5, $5 IS NULL) AND COALESCE(outcome = $6, $6 IS NULL)
        AND COALESCE(actor_id = $7, $7 IS NULL) AND COALESCE(ip_address = $9, $9 IS NULL)
        AND COALESCE(request_id = $10, $10 IS NULL)
    ORDER BY target_id DESC, at DESC, id DESC LIMIT $4";
const LIST_BY_ADDRESS: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE ip_address IS NOT NULL AND (ip_address, at) >= ($9, $1) AND (ip_address, at, id) < ($9, $2, $3)
        AND COALESCE(event = $5, $5 IS NULL) AND COALESCE(outcome = $6, $6 IS NULL)
        AND COALESCE(actor_id = $7, $7 IS NULL) AND COALESCE(target_id = $8, $8 IS NULL)
        AND COALESCE(request_id = $10, $10 IS NULL)
    ORDER BY ip_address DESC, at DESC, id DESC LIMIT $4";
const LIST_BY_REQUEST: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE request_id IS NOT NULL AND (request_id, at) >= ($10, $1) AND (request_id, at, id) < ($10, $2, $3)
        AND COALESCE(event = $5, $5 IS NULL) AND COALESCE(outcome = $6, $6 IS NULL)
        AND COALESCE(actor_id = $7, $7 IS NULL) AND COALESCE(target_id = $8, $8 IS NULL)
        AND COALESCE(ip_address = $9, $9 IS NULL)
    ORDER BY request_id DESC, at DESC, id DESC LIMIT $4";

/// Entries that pass the filter, newest first, from behind `after`. It does not ask whom they are `about`.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<EntryRow>, DbError> {
    // The filter that leaves least comes first.
    let sql = match filter {
        Filter { request_id: Some(_), .. } => LIST_BY_REQUEST,
        Filter { target: Some(_), .. } => LIST_BY_TARGET,
        Filter { actor: Some(_), .. } => LIST_BY_ACTOR,
        Filter { ip_address: Some(_), .. } => LIST_BY_ADDRESS,
        Filter { event: Some(_), .. } => LIST_BY_EVENT,
        Filter { outcome: Some(Outcome::Refused), .. } => LIST_REFUSED,
        Filter { .. } => LIST,
    };
    let (before, id) = filter.bound(after);
    run!(
        conn,
        fetch_all,
        sql,
        filter.earliest(),
        before,
        id,
        limit,
        filter.event.as_deref(),
        filter.outcome.map(Into::<&str>::into),
        filter.actor,
        filter.target,
        filter.ip_address.as_deref(),
        filter.request_id.as_deref()
    )
}

const FIND_SEQ: &str = "SELECT seq FROM audit_logs WHERE id = $1";

/// The number of an entry, once it is sealed.
pub async fn find_seq(conn: &mut Conn, id: Uuid) -> Result<Option<Option<i64>>, DbError> {
    let row: Option<(Option<i64>,)> = run!(conn, fetch_optional, FIND_SEQ, id)?;
    Ok(row.map(|(seq,)| seq))
}

const FIND_LAST_IN: &str = "
    SELECT id, seq FROM audit_logs WHERE seq > $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1";

/// The last entry behind one number and up to another.
pub async fn find_last_in(conn: &mut Conn, behind: i64, to: i64) -> Result<Option<(Uuid, i64)>, DbError> {
    run!(conn, fetch_optional, FIND_LAST_IN, behind, to)
}

const LIST_SEALED: &str = "
    SELECT id, at, event, outcome, actor_id, target_kind, target_id, ip_address, user_agent, request_id, details,
           personal_hash, seq, hash
    FROM audit_logs
    WHERE seq > $1 AND seq <= $2
        AND COALESCE(at >= $3, FALSE) AND COALESCE((at, id) < ($4, $5), FALSE)
        AND COALESCE(event = $6, $6 IS NULL) AND COALESCE(outcome = $7, $7 IS NULL)
        AND COALESCE(actor_id = $8, $8 IS NULL) AND COALESCE(target_id = $9, $9 IS NULL)
        AND COALESCE(actor_id = $10 OR target_id = $10, $10 IS NULL)
        AND COALESCE(ip_address = $11, $11 IS NULL) AND COALESCE(request_id = $12, $12 IS NULL)
    ORDER BY seq LIMIT $13";

/// Entries that pass the filter, in the order of the chain, from behind one number and up to another.
pub async fn list_sealed(
    conn: &mut Conn,
    filter: &Filter,
    (behind, to): (i64, i64),
    limit: i64,
) -> Result<Vec<EntryRow>, DbError> {
    let (before, id) = filter.bound(None);
    run!(
        conn,
        fetch_all,
        LIST_SEALED,
        behind,
        to,
        filter.earliest(),
        before,
        id,
        filter.event.as_deref(),
        filter.outcome.map(Into::<&str>::into),
        filter.actor,
        filter.target,
        filter.about,
        filter.ip_address.as_deref(),
        filter.request_id.as_deref(),
        limit
    )
}

/// Before every entry.
pub const BEGINNING: (Ts, Uuid) = (Ts::from_micros(0), Uuid::nil());
/// Behind every entry.
const END: (Ts, Uuid) = (Ts::from_micros(253_402_300_799_999_999), Uuid::max());

const FIND_LAST_BY: &str = "
    SELECT at, id FROM audit_logs WHERE actor_id = $1 AND (at, id) > ($2, $3) ORDER BY at, id LIMIT 1 OFFSET $4";
const ERASE_BY: &str = "
    UPDATE audit_logs SET salt = NULL, ip_address = NULL, user_agent = NULL
    WHERE actor_id = $1 AND (at, id) > ($2, $3) AND (at, id) <= ($4, $5) AND seq IS NOT NULL AND salt IS NOT NULL";

/// Takes the personal parts out of sealed entries by a person, a batch behind `after`; says where to go on.
pub async fn erase_by(conn: &mut Conn, user: UserId, after: (Ts, Uuid)) -> Result<Option<(Ts, Uuid)>, DbError> {
    let last: Option<(Ts, Uuid)> = run!(conn, fetch_optional, FIND_LAST_BY, user, after.0, after.1, BATCH - 1)?;
    let (at, id) = last.unwrap_or(END);
    run!(conn, execute, ERASE_BY, user, after.0, after.1, at, id)?;
    Ok(last)
}

const FIND_LAST_ABOUT: &str = "
    SELECT at, id FROM audit_logs WHERE target_id = $1 AND (at, id) > ($2, $3) ORDER BY at, id LIMIT 1 OFFSET $4";
const ERASE_ABOUT: &str = "
    UPDATE audit_logs SET salt = NULL, ip_address = NULL, user_agent = NULL
    WHERE target_id = $1 AND (at, id) > ($2, $3) AND (at, id) <= ($4, $5) AND seq IS NOT NULL AND salt IS NOT NULL";

/// Takes the personal parts out of sealed entries about a person, a batch behind `after`; says where to go on.
pub async fn erase_about(conn: &mut Conn, user: UserId, after: (Ts, Uuid)) -> Result<Option<(Ts, Uuid)>, DbError> {
    let last: Option<(Ts, Uuid)> = run!(conn, fetch_optional, FIND_LAST_ABOUT, user, after.0, after.1, BATCH - 1)?;
    let (at, id) = last.unwrap_or(END);
    run!(conn, execute, ERASE_ABOUT, user, after.0, after.1, at, id)?;
    Ok(last)
}

// Not by OR: of a busy person it would read everything, where unsealed entries are few.
const FIND_UNSEALED_OF: &str = "
    SELECT id FROM audit_logs
    WHERE seq IS NULL AND CASE WHEN actor_id = $1 THEN 1 WHEN target_id = $1 THEN 1 ELSE 0 END = 1 LIMIT 1";

/// Whether an entry by or about a person waits for its seal.
pub async fn has_unsealed_of(conn: &mut Conn, user: UserId) -> Result<bool, DbError> {
    let row: Option<(Uuid,)> = run!(conn, fetch_optional, FIND_UNSEALED_OF, user)?;
    Ok(row.is_some())
}
