//! The rows of a demonstration: the columns that it fills, and one chunk of people with all that is theirs.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::db::{
    Column::{Bytes, Flag, Id, Number, Text, Time},
    Conn, DbError, Table, Ts,
};

/// Rows of one statement: it must end in time on a busy machine too.
const STATEMENT: usize = 1_000;

const USERS: Table = Table {
    name: "users",
    columns: &[
        ("id", Id),
        ("email", Text),
        ("email_verified_at", Time),
        ("username", Text),
        ("display_name", Text),
        ("phone", Text),
        ("locale", Text),
        ("status", Text),
        ("password_hash", Text),
        ("password_changed_at", Time),
        ("token_version", Number),
        ("created_at", Time),
        ("updated_at", Time),
        ("last_login_at", Time),
        ("deleted_at", Time),
        ("search_text", Text),
        ("search_name", Text),
    ],
};

#[derive(Serialize)]
pub(super) struct UserRow {
    pub(super) id: Uuid,
    pub(super) email: Option<String>,
    pub(super) email_verified_at: Option<Ts>,
    pub(super) username: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) locale: &'static str,
    pub(super) status: &'static str,
    pub(super) password_hash: Option<String>,
    pub(super) password_changed_at: Option<Ts>,
    pub(super) token_version: i64,
    pub(super) created_at: Ts,
    pub(super) updated_at: Ts,
    pub(super) last_login_at: Option<Ts>,
    pub(super) deleted_at: Option<Ts>,
    pub(super) search_text: String,
    pub(super) search_name: Option<String>,
}

const GRANTS: Table = Table {
    name: "user_roles",
    columns: &[("user_id", Id), ("role_id", Id), ("granted_at", Time), ("expires_at", Time)],
};

#[derive(Serialize)]
pub(super) struct GrantRow {
    pub(super) user_id: Uuid,
    pub(super) role_id: Uuid,
    pub(super) granted_at: Ts,
    pub(super) expires_at: Option<Ts>,
}

const IDENTITIES: Table = Table {
    name: "oauth_accounts",
    columns: &[
        ("id", Id),
        ("user_id", Id),
        ("provider", Text),
        ("issuer", Text),
        ("subject", Text),
        ("email", Text),
        ("email_verified", Flag),
        ("display_name", Text),
        ("profile", Text),
        ("created_at", Time),
        ("linked_at", Time),
        ("last_login_at", Time),
        ("detached_at", Time),
    ],
};

#[derive(Serialize)]
pub(super) struct IdentityRow {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) provider: &'static str,
    pub(super) issuer: &'static str,
    pub(super) subject: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) display_name: String,
    pub(super) profile: &'static str,
    pub(super) created_at: Ts,
    pub(super) linked_at: Ts,
    pub(super) last_login_at: Option<Ts>,
    pub(super) detached_at: Option<Ts>,
}

const SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        ("id", Id),
        ("user_id", Id),
        ("client", Text),
        ("auth_methods", Text),
        ("authenticated_at", Time),
        ("created_at", Time),
        ("last_used_at", Time),
        ("expires_at", Time),
        ("absolute_expires_at", Time),
        ("ended_at", Time),
        ("end_reason", Text),
        ("ip_address", Text),
        ("user_agent", Text),
        ("device_name", Text),
    ],
};

#[derive(Serialize)]
pub(super) struct SessionRow {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) client: &'static str,
    pub(super) auth_methods: &'static str,
    pub(super) authenticated_at: Ts,
    pub(super) created_at: Ts,
    pub(super) last_used_at: Ts,
    pub(super) expires_at: Ts,
    pub(super) absolute_expires_at: Ts,
    pub(super) ended_at: Option<Ts>,
    pub(super) end_reason: Option<&'static str>,
    pub(super) ip_address: String,
    pub(super) user_agent: &'static str,
    pub(super) device_name: Option<&'static str>,
}

const LOGINS: Table = Table {
    name: "login_histories",
    columns: &[
        ("id", Id),
        ("user_id", Id),
        ("session_id", Id),
        ("at", Time),
        ("outcome", Text),
        ("method", Text),
        ("ip_address", Text),
        ("user_agent", Text),
    ],
};

#[derive(Serialize)]
pub(super) struct LoginRow {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) session_id: Option<Uuid>,
    pub(super) at: Ts,
    pub(super) outcome: &'static str,
    pub(super) method: &'static str,
    pub(super) ip_address: String,
    pub(super) user_agent: &'static str,
}

const KEYS: Table = Table {
    name: "api_keys",
    columns: &[
        ("id", Id),
        ("user_id", Id),
        ("name", Text),
        ("secret_hash", Bytes),
        ("scopes", Text),
        ("rate_limit", Text),
        ("created_at", Time),
        ("expires_at", Time),
        ("last_used_at", Time),
        ("revoked_at", Time),
    ],
};

#[derive(Serialize)]
pub(super) struct KeyRow {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) name: &'static str,
    pub(super) secret_hash: String,
    pub(super) scopes: &'static str,
    pub(super) rate_limit: Option<&'static str>,
    pub(super) created_at: Ts,
    pub(super) expires_at: Ts,
    pub(super) last_used_at: Option<Ts>,
    pub(super) revoked_at: Option<Ts>,
}

const MAILS: Table = Table {
    name: "mail_outbox",
    columns: &[
        ("id", Id),
        ("user_id", Id),
        ("kind", Text),
        ("recipient", Text),
        ("locale", Text),
        ("details", Text),
        ("created_at", Time),
        ("next_attempt_at", Time),
        ("attempts", Number),
        ("handed_over_at", Time),
        ("sent_at", Time),
        ("failed_at", Time),
        ("last_error", Text),
    ],
};

#[derive(Serialize)]
pub(super) struct MailRow {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) kind: &'static str,
    pub(super) recipient: String,
    pub(super) locale: &'static str,
    pub(super) details: String,
    pub(super) created_at: Ts,
    pub(super) next_attempt_at: Ts,
    pub(super) attempts: i64,
    pub(super) handed_over_at: Option<Ts>,
    pub(super) sent_at: Option<Ts>,
    pub(super) failed_at: Option<Ts>,
    pub(super) last_error: Option<&'static str>,
}

const ENTRIES: Table = Table {
    name: "audit_logs",
    columns: &[
        ("id", Id),
        ("at", Time),
        ("event", Text),
        ("outcome", Text),
        ("actor_id", Id),
        ("target_kind", Text),
        ("target_id", Id),
        ("request_id", Text),
        ("details", Text),
        ("ip_address", Text),
        ("user_agent", Text),
        ("salt", Bytes),
        ("personal_hash", Bytes),
    ],
};

/// Unsealed: the next instance that runs seals it.
#[derive(Serialize)]
pub(super) struct EntryRow {
    pub(super) id: Uuid,
    pub(super) at: Ts,
    pub(super) event: &'static str,
    pub(super) outcome: &'static str,
    pub(super) actor_id: Option<Uuid>,
    pub(super) target_kind: Option<&'static str>,
    pub(super) target_id: Option<Uuid>,
    pub(super) request_id: String,
    pub(super) details: String,
    pub(super) ip_address: String,
    pub(super) user_agent: &'static str,
    pub(super) salt: String,
    pub(super) personal_hash: String,
}

/// Some people, and all that is theirs.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) users: Vec<UserRow>,
    pub(super) grants: Vec<GrantRow>,
    pub(super) identities: Vec<IdentityRow>,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) logins: Vec<LoginRow>,
    pub(super) keys: Vec<KeyRow>,
    pub(super) mails: Vec<MailRow>,
    pub(super) entries: Vec<EntryRow>,
}

impl Chunk {
    /// Adds everything to the database, and how many rows that were to `counts`.
    pub(super) async fn store(&self, tx: &mut Conn, counts: &mut BTreeMap<&'static str, u64>) -> Result<(), DbError> {
        // People first: everything else hangs on them.
        add(tx, &USERS, &self.users, counts).await?;
        add(tx, &GRANTS, &self.grants, counts).await?;
        add(tx, &IDENTITIES, &self.identities, counts).await?;
        add(tx, &SESSIONS, &self.sessions, counts).await?;
        add(tx, &LOGINS, &self.logins, counts).await?;
        add(tx, &KEYS, &self.keys, counts).await?;
        add(tx, &MAILS, &self.mails, counts).await?;
        add(tx, &ENTRIES, &self.entries, counts).await
    }
}

async fn add<R: Serialize + Sync>(
    tx: &mut Conn,
    table: &Table,
    rows: &[R],
    counts: &mut BTreeMap<&'static str, u64>,
) -> Result<(), DbError> {
    for rows in rows.chunks(STATEMENT) {
        *counts.entry(table.name).or_default() += table.insert(tx, rows).await?;
    }
    Ok(())
}
