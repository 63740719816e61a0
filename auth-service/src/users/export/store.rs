//! SQL of everything that is held on a person, less hashes and secrets.

use uuid::Uuid;

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
};

/// The account, deleted or not.
#[derive(sqlx::FromRow)]
pub struct ProfileRow {
    pub id: Uuid,
    pub email: Option<String>,
    pub email_verified_at: Option<Ts>,
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub phone: Option<String>,
    pub avatar_url: Option<String>,
    pub locale: String,
    pub status: String,
    pub password_changed_at: Option<Ts>,
    pub created_at: Ts,
    pub updated_at: Ts,
    pub last_login_at: Option<Ts>,
    pub deleted_at: Option<Ts>,
}

const FIND_PROFILE: &str = "
    SELECT id, email, email_verified_at, username, display_name, phone, avatar_url, locale, status, password_changed_at,
           created_at, updated_at, last_login_at, deleted_at
    FROM users WHERE id = $1";

/// The account with this id.
pub async fn find_profile(conn: &mut Conn, user: UserId) -> Result<Option<ProfileRow>, DbError> {
    run!(conn, fetch_optional, FIND_PROFILE, user)
}

#[derive(sqlx::FromRow)]
pub struct RoleRow {
    pub name: String,
    pub granted_at: Ts,
    pub expires_at: Option<Ts>,
}

const LIST_ROLES: &str = "
    SELECT roles.name, user_roles.granted_at, user_roles.expires_at
    FROM user_roles JOIN roles ON roles.id = user_roles.role_id WHERE user_roles.user_id = $1 ORDER BY roles.name";

/// The roles that a person was given.
pub async fn list_roles(conn: &mut Conn, user: UserId) -> Result<Vec<RoleRow>, DbError> {
    run!(conn, fetch_all, LIST_ROLES, user)
}

#[derive(sqlx::FromRow)]
pub struct IdentityRow {
    pub id: Uuid,
    pub provider: String,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    pub profile: String,
    pub linked_at: Ts,
    pub last_login_at: Option<Ts>,
    pub unlinked_at: Option<Ts>,
}

const LIST_IDENTITIES: &str = "
    SELECT id, provider, issuer, subject, email, email_verified, display_name, profile, linked_at, last_login_at,
           unlinked_at
    FROM oauth_accounts WHERE user_id = $1 AND linked_at IS NOT NULL ORDER BY linked_at, id";

/// Who a person is at providers, one of each at most. What is only proposed may be somebody else's profile.
pub async fn list_identities(conn: &mut Conn, user: UserId) -> Result<Vec<IdentityRow>, DbError> {
    run!(conn, fetch_all, LIST_IDENTITIES, user)
}

#[derive(sqlx::FromRow)]
pub struct DeviceRow {
    pub created_at: Ts,
    pub expires_at: Ts,
}

const LIST_DEVICES: &str = "
    SELECT created_at, expires_at FROM known_devices WHERE user_id = $1 ORDER BY created_at DESC";

/// The devices that are known to an account, of which there are a hundred at most.
pub async fn list_devices(conn: &mut Conn, user: UserId) -> Result<Vec<DeviceRow>, DbError> {
    run!(conn, fetch_all, LIST_DEVICES, user)
}

#[derive(sqlx::FromRow)]
pub struct SessionRow {
    pub id: Uuid,
    pub created_at: Ts,
    pub last_used_at: Ts,
    pub expires_at: Ts,
    pub ended_at: Option<Ts>,
    pub end_reason: Option<String>,
    pub client: String,
    pub auth_methods: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub device_name: Option<String>,
}

const LIST_SESSIONS: &str = "
    SELECT id, created_at, last_used_at, expires_at, ended_at, end_reason, client, auth_methods, ip_address, user_agent,
           device_name
    FROM sessions WHERE user_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4";

/// A person's sessions, newest first, below this time and id.
pub async fn list_sessions(
    conn: &mut Conn,
    user: UserId,
    below: (Ts, Uuid),
    limit: i64,
) -> Result<Vec<SessionRow>, DbError> {
    run!(conn, fetch_all, LIST_SESSIONS, user, below.0, below.1, limit)
}

#[derive(sqlx::FromRow)]
pub struct ApiKeyRow {
    pub id: Uuid,
    pub name: String,
    pub scopes: String,
    pub rate_limit: Option<String>,
    pub created_at: Ts,
    pub expires_at: Ts,
    pub last_used_at: Option<Ts>,
    pub revoked_at: Option<Ts>,
}

const LIST_API_KEYS: &str = "
    SELECT id, name, scopes, rate_limit, created_at, expires_at, last_used_at, revoked_at
    FROM api_keys WHERE user_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4";

/// A person's API keys, newest first, below this time and id.
pub async fn list_api_keys(
    conn: &mut Conn,
    user: UserId,
    below: (Ts, Uuid),
    limit: i64,
) -> Result<Vec<ApiKeyRow>, DbError> {
    run!(conn, fetch_all, LIST_API_KEYS, user, below.0, below.1, limit)
}

#[derive(sqlx::FromRow)]
pub struct MailRow {
    pub id: Uuid,
    pub kind: String,
    pub recipient: String,
    pub locale: String,
    pub created_at: Ts,
    pub sent_at: Option<Ts>,
    pub failed_at: Option<Ts>,
}

const LIST_MAILS: &str = "
    SELECT id, kind, recipient, locale, created_at, sent_at, failed_at
    FROM mail_outbox WHERE user_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4";

/// Mails to a person, newest first, below this time and id.
pub async fn list_mails(conn: &mut Conn, user: UserId, below: (Ts, Uuid), limit: i64) -> Result<Vec<MailRow>, DbError> {
    run!(conn, fetch_all, LIST_MAILS, user, below.0, below.1, limit)
}
