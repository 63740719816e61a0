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
    /// Its address.
    pub email: String,
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

const RAISE_VERSION: &str = "
    UPDATE users SET token_version = token_version + 1, updated_at = $2 WHERE id = $1 RETURNING token_version";

/// Raises the version below which an account's tokens are refused.
pub async fn raise_version(conn: &mut Conn, id: UserId, now: Ts) -> Result<i64, DbError> {
    let (version,): (i64,) = run!(conn, fetch_one, RAISE_VERSION, id, now)?;
    Ok(version)
}

const LOCK_ADMINISTRATORS: &str = "UPDATE roles SET name = name WHERE name = 'admin'";

/// Lets one transaction at a time decide whether an administrator may go.
pub async fn lock_administrators(conn: &mut Conn) -> Result<(), DbError> {
    run!(conn, execute, LOCK_ADMINISTRATORS).map(drop)
}

const COUNT_OTHERS: &str = "
    SELECT COUNT(*), COALESCE(SUM(CASE WHEN users.id = $1 THEN 1 ELSE 0 END), 0)
    FROM users
    JOIN user_roles ON user_roles.user_id = users.id
    JOIN roles ON roles.id = user_roles.role_id
    WHERE roles.name = 'admin' AND users.status = 'active' AND users.deleted_at IS NULL
      AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $2)";

/// Whether an account is the only one that can administer.
pub async fn is_last_administrator(conn: &mut Conn, id: UserId, now: Ts) -> Result<bool, DbError> {
    let (all, own): (i64, i64) = run!(conn, fetch_one, COUNT_OTHERS, id, now)?;
    Ok(own == 1 && all == 1)
}

const CLOSE: &str = "
    UPDATE users SET status = 'disabled', updated_at = $2, token_version = token_version + 1
    WHERE id = $1 AND deleted_at IS NULL AND status <> 'disabled' RETURNING token_version";

/// Closes an account; gives the version below which its tokens are refused, or nothing if it was closed already.
pub async fn close(conn: &mut Conn, id: UserId, now: Ts) -> Result<Option<i64>, DbError> {
    let row: Option<(i64,)> = run!(conn, fetch_optional, CLOSE, id, now)?;
    Ok(row.map(|(version,)| version))
}
