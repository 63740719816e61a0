//! SQL of the audit log.

use serde_json::{Value, json};

use super::{Entry, Target};
use crate::{
    db::{Conn, DbError, Ts, run},
    ids::{Entropy, TokenHash},
};

/// Bytes of the salt that keeps a personal part from being guessed by its hash.
const SALT: usize = 16;

const INSERT: &str = "
    INSERT INTO audit_logs (id, at, event, outcome, actor_id, target_kind, target_id, request_id, details,
                            ip_address, user_agent, salt, personal_hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// Appends an entry, unsealed.
pub async fn insert(conn: &mut Conn, entry: &Entry<'_>, now: Ts) -> Result<(), DbError> {
    let details = Value::Object(entry.details.clone()).to_string();
    let ip = entry.client.map(|client| client.ip.to_string());
    let agent = entry.client.and_then(|client| client.user_agent.as_deref());
    let salt: [u8; SALT] = Entropy.bytes();
    let personal = hash_personal(&salt, ip.as_deref(), agent);
    run!(
        conn,
        execute,
        INSERT,
        Entropy.uuid(now),
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

/// SHA-256 of the salt and of the personal parts, as a JSON array.
fn hash_personal(salt: &[u8], ip_address: Option<&str>, user_agent: Option<&str>) -> TokenHash {
    let parts = json!([ip_address, user_agent]).to_string();
    TokenHash::of(&[salt, parts.as_bytes()].concat())
}
