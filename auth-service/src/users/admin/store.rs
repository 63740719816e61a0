//! SQL of what administrators do.

use crate::{
    db::{Bind, Conn, DbError, Statement, Ts, run},
    ids::UserId,
    users::store::UserRow,
};

const FIND_DELETED_EMAIL: &str = "
    SELECT email FROM users WHERE id = $1 AND deleted_at IS NOT NULL AND (deleted_at > $2 OR $2 IS NULL)";
const RESTORE: &str = "UPDATE users SET deleted_at = NULL, updated_at = $2 WHERE id = $1 AND deleted_at IS NOT NULL";
const COUNT_EMAIL: &str = "SELECT COUNT(*) FROM users WHERE email = $1 AND deleted_at IS NULL";

/// What became of a restoration.
pub enum Restored {
    Yes,
    NotFound,
    EmailTaken,
}

/// Brings an account back that was deleted after `since`, unless its address has another owner; [`DbError::Duplicate`]
/// when its name has.
pub async fn restore(conn: &mut Conn, id: UserId, since: Option<Ts>, now: Ts) -> Result<Restored, DbError> {
    let row: Option<(Option<String>,)> = run!(conn, fetch_optional, FIND_DELETED_EMAIL, id, since)?;
    let Some((email,)) = row else { return Ok(Restored::NotFound) };
    let (taken,): (i64,) = run!(conn, fetch_one, COUNT_EMAIL, email.as_deref())?;
    if taken > 0 {
        return Ok(Restored::EmailTaken);
    }
    run!(conn, execute, RESTORE, id, now)?;
    Ok(Restored::Yes)
}

const FIND_DELETED: &str = "
    SELECT id, email, email_verified_at, username, display_name, phone, avatar_url, locale, status, password_hash,
           password_changed_at, token_version, created_at, updated_at, last_login_at, deleted_at,
           (SELECT version FROM role_catalogue) AS catalogue_version
    FROM users WHERE id = $1 AND deleted_at IS NOT NULL";

/// The deleted account with this id.
pub async fn find_deleted(conn: &mut Conn, id: UserId) -> Result<Option<UserRow>, DbError> {
    run!(conn, fetch_optional, FIND_DELETED, id)
}

/// A role that somebody holds, and for how long.
#[derive(sqlx::FromRow)]
pub struct GrantRow {
    pub name: String,
    pub description: String,
    pub granted_at: Ts,
    pub expires_at: Option<Ts>,
}

const LIST_GRANTS: &str = "
    SELECT roles.name, roles.description, user_roles.granted_at, user_roles.expires_at
    FROM user_roles JOIN roles ON roles.id = user_roles.role_id
    WHERE user_roles.user_id = $1 AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $2)
    ORDER BY roles.name";

/// The roles that a person holds now, by name.
pub async fn list_grants(conn: &mut Conn, user: UserId, now: Ts) -> Result<Vec<GrantRow>, DbError> {
    run!(conn, fetch_all, LIST_GRANTS, user, now)
}

/// A role that somebody holds, with one of its permissions.
#[derive(sqlx::FromRow)]
pub struct HeldRow {
    pub user_id: UserId,
    pub role: String,
    pub permission: Option<String>,
}

/// The roles that these people hold now, once for each permission.
pub async fn list_held(conn: &mut Conn, users: &[UserId], now: Ts) -> Result<Vec<HeldRow>, DbError> {
    let mut statement = Statement::new(
        "SELECT user_roles.user_id, roles.name AS role, permissions.name AS permission
         FROM user_roles JOIN roles ON roles.id = user_roles.role_id
         LEFT JOIN role_permissions ON role_permissions.role_id = roles.id
         LEFT JOIN permissions ON permissions.id = role_permissions.permission_id
         WHERE (user_roles.expires_at IS NULL OR user_roles.expires_at > ",
    );
    statement
        .bind(Bind::Time(now))
        .push(") AND user_roles.user_id IN ")
        .bind_all(users.iter().map(|id| Bind::Id(id.0)));
    statement.fetch_all(conn).await
}
