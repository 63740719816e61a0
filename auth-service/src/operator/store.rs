//! SQL of an operator's commands.

use crate::{
    db::{Conn, DbError, Ts, run},
    ids::UserId,
};

/// An account with the names of the roles that it holds now.
#[derive(Debug, sqlx::FromRow)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// Its address, if one is known.
    pub email: Option<String>,
    /// When its address was proven.
    pub email_verified_at: Option<Ts>,
    /// Its username.
    pub username: Option<String>,
    /// What its owner wants to be called.
    pub display_name: Option<String>,
    /// `ko` or `en`.
    pub locale: String,
    /// `active`, `disabled` or `pending`.
    pub status: String,
    pub(super) password_hash: Option<String>,
    /// When it was made.
    pub created_at: Ts,
    /// When a session last began.
    pub last_login_at: Option<Ts>,
    roles: Option<String>,
}

impl Account {
    /// The names of its roles.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.as_deref().unwrap_or_default().split(',').filter(|name| !name.is_empty())
    }
}

const LIST: &str = "
    SELECT id, email, email_verified_at, username, display_name, locale, status, NULL AS password_hash, created_at,
           last_login_at,
           (SELECT string_agg(roles.name, ',' ORDER BY roles.name) FROM user_roles
            JOIN roles ON roles.id = user_roles.role_id
            WHERE user_roles.user_id = users.id
              AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $5)) AS roles
    FROM users
    WHERE deleted_at IS NULL
      AND ($1 = '' OR search_text LIKE $1 ESCAPE '!')
      AND ($2 = '' OR EXISTS (
          SELECT 1 FROM user_roles JOIN roles ON roles.id = user_roles.role_id
          WHERE user_roles.user_id = users.id AND roles.name = $2
            AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $5)))
      AND ($3 = '' OR status = $3)
    ORDER BY created_at DESC, id DESC LIMIT $4";

/// The newest accounts with a text, a role and a status; an empty one is any.
pub async fn list(
    conn: &mut Conn,
    [search, role, status]: [&str; 3],
    limit: i64,
    now: Ts,
) -> Result<Vec<Account>, DbError> {
    run!(conn, fetch_all, LIST, search, role, status, limit, now)
}

const PAGE: &str = "
    SELECT id, email, email_verified_at, username, display_name, locale, status, password_hash, created_at,
           last_login_at,
           (SELECT string_agg(roles.name, ',' ORDER BY roles.name) FROM user_roles
            JOIN roles ON roles.id = user_roles.role_id
            WHERE user_roles.user_id = users.id
              AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $3)) AS roles
    FROM users WHERE deleted_at IS NULL AND id > $1 ORDER BY id LIMIT $2";

/// The accounts whose ids come after `last`.
pub async fn page(conn: &mut Conn, last: UserId, limit: i64, now: Ts) -> Result<Vec<Account>, DbError> {
    run!(conn, fetch_all, PAGE, last, limit, now)
}

const OPEN: &str = "
    UPDATE users SET status = 'active', email_verified_at = COALESCE(email_verified_at, $2), updated_at = $2
    WHERE id = $1 AND deleted_at IS NULL AND (status <> 'active' OR email_verified_at IS NULL)";
const COUNT_CLOSED: &str = "SELECT COUNT(*) FROM users WHERE id = $1 AND status <> 'active'";

/// Opens an account and vouches for its address; true if it was closed.
pub async fn open(conn: &mut Conn, id: UserId, now: Ts) -> Result<bool, DbError> {
    let (closed,): (i64,) = run!(conn, fetch_one, COUNT_CLOSED, id)?;
    run!(conn, execute, OPEN, id, now)?;
    Ok(closed > 0)
}

const MAKE_ADMINISTRATOR: &str = "
    INSERT INTO user_roles (user_id, role_id, granted_at) SELECT $1, id, $2 FROM roles WHERE name = 'admin'
    ON CONFLICT (user_id, role_id) DO UPDATE SET granted_at = excluded.granted_at, expires_at = NULL
        WHERE user_roles.expires_at IS NOT NULL";

/// Gives an account the role `admin` for good; false if it had that already.
pub async fn make_administrator(conn: &mut Conn, id: UserId, now: Ts) -> Result<bool, DbError> {
    Ok(run!(conn, execute, MAKE_ADMINISTRATOR, id, now)? > 0)
}
