//! SQL of roles, of permissions, and of who holds them.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    db::{Bind, Conn, DbError, Statement, Ts, run},
    ids::UserId,
};

/// The role that may do everything.
pub const ADMIN: &str = "admin";

/// A row of `roles`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RoleRow {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub is_system: bool,
    pub created_at: Ts,
}

/// A row of `permissions`.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PermissionRow {
    pub id: Uuid,
    pub name: String,
    pub description: String,
}

const LOCK: &str = "UPDATE role_catalogue SET version = version WHERE id = 1";

/// Keeps every other change of rights waiting until this transaction ends: what is checked stays true.
pub async fn lock(conn: &mut Conn) -> Result<(), DbError> {
    run!(conn, execute, LOCK).map(drop)
}

const RAISE_VERSION: &str = "UPDATE role_catalogue SET version = version + 1 WHERE id = 1 RETURNING version";

/// The catalogue's next version: tokens that list a changed role at an older one are refused.
pub async fn raise_version(conn: &mut Conn) -> Result<i64, DbError> {
    let (version,): (i64,) = run!(conn, fetch_one, RAISE_VERSION)?;
    Ok(version)
}

const LIST: &str = "
    SELECT id, name, description, is_system, created_at FROM roles WHERE name > $1 ORDER BY name LIMIT $2";

/// Roles by name, from the one after `after`.
pub async fn list(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<RoleRow>, DbError> {
    run!(conn, fetch_all, LIST, after, limit)
}

const COUNT: &str = "SELECT COUNT(*) FROM roles";

/// How many roles there are.
pub async fn count(conn: &mut Conn) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT)?;
    Ok(count)
}

const FIND: &str = "SELECT id, name, description, is_system, created_at FROM roles WHERE id = $1";

/// The role with this id.
pub async fn find(conn: &mut Conn, id: Uuid) -> Result<Option<RoleRow>, DbError> {
    run!(conn, fetch_optional, FIND, id)
}

const FIND_BY_NAME: &str = "SELECT id, name, description, is_system, created_at FROM roles WHERE name = $1";

/// The role with this name.
pub async fn find_by_name(conn: &mut Conn, name: &str) -> Result<Option<RoleRow>, DbError> {
    run!(conn, fetch_optional, FIND_BY_NAME, name)
}

const LIST_PERMISSIONS_OF: &str = "
    SELECT permissions.name FROM role_permissions JOIN permissions ON permissions.id = role_permissions.permission_id
    WHERE role_permissions.role_id = $1 ORDER BY permissions.name";

/// What a role permits.
pub async fn list_permissions_of(conn: &mut Conn, role: Uuid) -> Result<Vec<String>, DbError> {
    names(run!(conn, fetch_all, LIST_PERMISSIONS_OF, role))
}

/// What each of these roles permits, by name; a role that permits nothing is missing.
pub async fn list_permissions_by_role(
    conn: &mut Conn,
    roles: &[RoleRow],
) -> Result<HashMap<Uuid, Vec<String>>, DbError> {
    let mut statement = Statement::new(
        "SELECT role_permissions.role_id, permissions.name
         FROM role_permissions JOIN permissions ON permissions.id = role_permissions.permission_id
         WHERE role_permissions.role_id IN ",
    );
    statement.bind_all(roles.iter().map(|role| Bind::Id(role.id))).push(" ORDER BY permissions.name");
    let mut permissions: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (role, name) in statement.fetch_all::<(Uuid, String)>(conn).await? {
        permissions.entry(role).or_default().push(name);
    }
    Ok(permissions)
}

const INSERT: &str = "
    INSERT INTO roles (id, name, description, is_system, created_at) VALUES ($1, $2, $3, FALSE, $4)";

/// Adds a role; [`DbError::Duplicate`] when the name is taken.
pub async fn insert(conn: &mut Conn, role: &RoleRow) -> Result<(), DbError> {
    run!(conn, execute, INSERT, role.id, role.name.as_str(), role.description.as_str(), role.created_at).map(drop)
}

const UPDATE: &str = "UPDATE roles SET name = $2, description = $3 WHERE id = $1";

/// Renames and describes a role; [`DbError::Duplicate`] when the name is taken.
pub async fn update(conn: &mut Conn, id: Uuid, name: &str, description: &str) -> Result<(), DbError> {
    run!(conn, execute, UPDATE, id, name, description).map(drop)
}

const TAKE_FROM_SOME: &str = "
    DELETE FROM user_roles WHERE role_id = $1 AND user_id IN (
        SELECT user_id FROM user_roles WHERE role_id = $1 LIMIT 10000)";

/// Takes a role from some of those who hold it; says how many: from a million at once would take longer than a statement
/// may.
pub async fn take_from_some(conn: &mut Conn, id: Uuid) -> Result<u64, DbError> {
    run!(conn, execute, TAKE_FROM_SOME, id)
}

const DELETE: &str = "DELETE FROM roles WHERE id = $1 AND NOT is_system";

/// Deletes a role, and takes it from whoever holds it.
pub async fn delete(conn: &mut Conn, id: Uuid) -> Result<u64, DbError> {
    run!(conn, execute, DELETE, id)
}

const COUNT_HOLDERS: &str = "
    SELECT COUNT(*) FROM (
        SELECT 1 AS held FROM user_roles JOIN users ON users.id = user_roles.user_id
        WHERE role_id = $1 AND users.deleted_at IS NULL LIMIT 1) AS holders";

/// Whether anybody holds a role.
pub async fn is_held(conn: &mut Conn, id: Uuid) -> Result<bool, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_HOLDERS, id)?;
    Ok(count > 0)
}

const CLEAR_PERMISSIONS: &str = "DELETE FROM role_permissions WHERE role_id = $1";
const PERMIT: &str = "
    INSERT INTO role_permissions (role_id, permission_id) SELECT $1, id FROM permissions WHERE name = $2";

/// Sets all that a role permits; false when there is no permission of one of the names.
pub async fn set_permissions(conn: &mut Conn, role: Uuid, permissions: &[String]) -> Result<bool, DbError> {
    run!(conn, execute, CLEAR_PERMISSIONS, role)?;
    for name in permissions {
        if run!(conn, execute, PERMIT, role, name.as_str())? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

const LIST_PERMISSIONS: &str = "
    SELECT id, name, description FROM permissions WHERE name > $1 ORDER BY name LIMIT $2";

/// Permissions by name, from the one after `after`.
pub async fn list_permissions(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<PermissionRow>, DbError> {
    run!(conn, fetch_all, LIST_PERMISSIONS, after, limit)
}

const COUNT_PERMISSIONS: &str = "SELECT COUNT(*) FROM permissions";

/// How many permissions there are.
pub async fn count_permissions(conn: &mut Conn) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_PERMISSIONS)?;
    Ok(count)
}

const INSERT_PERMISSION: &str = "INSERT INTO permissions (id, name, description) VALUES ($1, $2, $3)";

/// Adds a permission; [`DbError::Duplicate`] when there is one.
pub async fn insert_permission(conn: &mut Conn, permission: &PermissionRow) -> Result<(), DbError> {
    let (name, description) = (permission.name.as_str(), permission.description.as_str());
    run!(conn, execute, INSERT_PERMISSION, permission.id, name, description).map(drop)
}

const MEASURE_PERMISSIONS: &str = "SELECT COALESCE(SUM(length(name)), 0) FROM permissions";

/// How long all names of permissions are together, in bytes.
pub async fn measure_permissions(conn: &mut Conn) -> Result<i64, DbError> {
    let (bytes,): (i64,) = run!(conn, fetch_one, MEASURE_PERMISSIONS)?;
    Ok(bytes)
}

const FIND_PERMISSION: &str = "SELECT id, name, description FROM permissions WHERE id = $1";

/// The permission with this id.
pub async fn find_permission(conn: &mut Conn, id: Uuid) -> Result<Option<PermissionRow>, DbError> {
    run!(conn, fetch_optional, FIND_PERMISSION, id)
}

const LIST_ROLES_WITH: &str = "
    SELECT roles.name FROM role_permissions JOIN roles ON roles.id = role_permissions.role_id
    WHERE role_permissions.permission_id = $1 ORDER BY roles.name";

/// The names of the roles that permit this.
pub async fn list_roles_with(conn: &mut Conn, permission: Uuid) -> Result<Vec<String>, DbError> {
    names(run!(conn, fetch_all, LIST_ROLES_WITH, permission))
}

const DELETE_PERMISSION: &str = "DELETE FROM permissions WHERE id = $1";

/// Deletes a permission, and takes it from every role.
pub async fn delete_permission(conn: &mut Conn, id: Uuid) -> Result<u64, DbError> {
    run!(conn, execute, DELETE_PERMISSION, id)
}

const LIST_HELD: &str = "
    SELECT DISTINCT permissions.name FROM user_roles
    JOIN users ON users.id = user_roles.user_id AND users.deleted_at IS NULL AND users.status = 'active'
    JOIN role_permissions ON role_permissions.role_id = user_roles.role_id
    JOIN permissions ON permissions.id = role_permissions.permission_id
    WHERE user_roles.user_id = $1 AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $2)";

/// What an active person may do now.
pub async fn list_held(conn: &mut Conn, user: UserId, now: Ts) -> Result<Vec<String>, DbError> {
    names(run!(conn, fetch_all, LIST_HELD, user, now))
}

const LIST_GRANTED: &str = "
    SELECT DISTINCT permissions.name FROM user_roles
    JOIN role_permissions ON role_permissions.role_id = user_roles.role_id
    JOIN permissions ON permissions.id = role_permissions.permission_id
    WHERE user_roles.user_id = $1 AND (user_roles.expires_at IS NULL OR user_roles.expires_at > $2)";

/// What a person's roles permit, whether the account may be used or not.
pub async fn list_granted(conn: &mut Conn, user: UserId, now: Ts) -> Result<Vec<String>, DbError> {
    names(run!(conn, fetch_all, LIST_GRANTED, user, now))
}

const CLEAR_ROLES: &str = "DELETE FROM user_roles WHERE user_id = $1";

/// Takes every role from a person.
pub async fn clear_roles(conn: &mut Conn, user: UserId) -> Result<(), DbError> {
    run!(conn, execute, CLEAR_ROLES, user).map(drop)
}

const GRANT: &str = "
    INSERT INTO user_roles (user_id, role_id, granted_at, expires_at) VALUES ($1, $2, $3, $4)";

/// Gives a person a role that they do not hold.
pub async fn grant(conn: &mut Conn, user: UserId, role: Uuid, expires_at: Option<Ts>, now: Ts) -> Result<(), DbError> {
    run!(conn, execute, GRANT, user, role, now, expires_at).map(drop)
}

const COUNT_ADMINISTRATORS: &str = "
    SELECT COUNT(*) FROM user_roles
    JOIN roles ON roles.id = user_roles.role_id AND roles.name = $1
    JOIN users ON users.id = user_roles.user_id AND users.deleted_at IS NULL AND users.status = 'active'
    WHERE user_roles.expires_at IS NULL";

/// How many active people may do everything, for good.
pub async fn count_administrators(conn: &mut Conn) -> Result<i64, DbError> {
    let (count,): (i64,) = run!(conn, fetch_one, COUNT_ADMINISTRATORS, ADMIN)?;
    Ok(count)
}

const COUNT_OTHERS: &str = "
    SELECT COUNT(*) FROM user_roles
    JOIN roles ON roles.id = user_roles.role_id AND roles.name = $1
    JOIN users ON users.id = user_roles.user_id AND users.deleted_at IS NULL AND users.status = 'active'
    WHERE user_roles.expires_at IS NULL AND users.id <> $2";

/// Whether nobody but this active administrator may do everything, for good; ask under [`lock`].
pub async fn is_last_administrator(conn: &mut Conn, id: UserId) -> Result<bool, DbError> {
    let (others,): (i64,) = run!(conn, fetch_one, COUNT_OTHERS, ADMIN, id)?;
    Ok(others == 0 && count_administrators(conn).await? > 0)
}

fn names(rows: Result<Vec<(String,)>, DbError>) -> Result<Vec<String>, DbError> {
    Ok(rows?.into_iter().map(|(name,)| name).collect())
}
