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
    /// The browser in those words; absent from copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The system in those words; absent from copies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
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
    /// What it is called now; absent unless `names` asks for it and the caller may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Which entries of the log to read: what is absent may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct AuditFilter {
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// `done` or `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Who did it, or it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// In which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Not before this (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Before this (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Body of `POST /api/v1/audit-logs/verify`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"expect": "42:0c3faa9d96301ee838e3a2104db33f8de212172d9f8465020f95c1865004daf1"}))]
pub struct VerifyAuditLogs {
    /// A head that was kept elsewhere, as `SEQ:HASH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// The `next_seq` of the part before; the beginning when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub from_seq: Option<i64>,
}

/// What was found in a part of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditVerification {
    /// Whether every entry of this part is as it was sealed.
    pub ok: bool,
    /// Sealed entries that were read.
    pub entries: u64,
    /// Of them, entries whose personal parts were erased.
    pub erased: u64,
    /// The number of the first entry of this part.
    pub from_seq: i64,
    /// The `from_seq` of the next part; `null` at the end of the chain.
    pub next_seq: Option<i64>,
    /// Where this part has come to; at the end of the chain, its head: worth keeping elsewhere.
    pub head: AuditLink,
    /// The number of the last sealed entry that there is.
    pub last_seq: i64,
    /// The last entry that retention has removed, with all before it.
    pub removed_to: Option<i64>,
    /// Entries that wait for their seal.
    pub unsealed: u64,
    /// Faults in this part, counted up to a thousand.
    pub faults: u64,
    /// The first of them.
    pub first_fault: Option<AuditFault>,
    /// With `expect`, in the part that comes by it: everything up to this entry is as it was then, if all parts before are
    /// `ok` too.
    pub proven_until: Option<i64>,
}

/// A place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditLink {
    /// The number of an entry; 0 before the first.
    pub seq: i64,
    /// Its hash in hexadecimal.
    pub hash: String,
}

/// An entry that is not as it was sealed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AuditFault {
    /// Its number.
    pub seq: i64,
    /// `changed`, `missing`, `shortened`, `stray`, `personal`, `unexplained`, `checkpoint`, `rewritten` or `outdated`.
    #[schema(example = "changed")]
    pub what: String,
    /// The same as a sentence in English.
    pub detail: String,
}
