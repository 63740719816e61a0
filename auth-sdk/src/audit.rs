//! The audit log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditEntry {
    /// UUIDv7.
    pub id: Uuid,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened.
    #[schema(example = "logged_in")]
    pub event: String,
    /// `done`, or `refused` where somebody was kept from what they tried.
    #[schema(example = "done")]
    pub outcome: String,
    /// Who did it; `null` where it was the system, or nobody known.
    pub actor: Option<AuditRef>,
    /// What it was done to; `null` where it was no single thing.
    pub target: Option<AuditRef>,
    /// The client's address; `null` once the person is erased.
    pub ip_address: Option<String>,
    /// The client's own words; `null` once the person is erased.
    pub user_agent: Option<String>,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// What else there is to know of it; never a personal datum.
    pub details: Value,
    /// The entry's number in the chain; `null` until it is sealed.
    pub seq: Option<i64>,
    /// The chain's hash at this entry, in hexadecimal; `null` until it is sealed.
    pub hash: Option<String>,
}

/// Somebody or something that an entry tells of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditRef {
    /// `user`, `role`, `permission` or `api_key`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: Uuid,
}
