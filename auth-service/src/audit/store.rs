//! SQL of the audit log.

use uuid::Uuid;

use super::Entry;
use crate::db::{Conn, DbError, Ts, run};

const INSERT: &str = "
    INSERT INTO audit_logs (id, at, event, outcome, actor_id, target_id, ip_address, user_agent, request_id, details)
    VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)";

/// Appends an entry.
pub async fn insert(conn: &mut Conn, id: Uuid, entry: &Entry<'_>, now: Ts) -> Result<(), DbError> {
    let details = serde_json::Value::Object(entry.details.clone()).to_string();
    let (event, outcome) = (entry.event.as_str(), entry.event.outcome());
    let client = entry.client;
    run!(
        conn,
        execute,
        INSERT,
        id,
        now,
        event,
        outcome,
        entry.user,
        client.ip.to_string(),
        client.user_agent.as_deref(),
        client.request_id.as_str(),
        details
    )
    .map(drop)
}
