//! Says what those that entries tell of are called, to who may see it: the log itself knows only ids.

use std::collections::BTreeMap;

use auth_sdk::{AuditEntry, AuditRef};
use uuid::Uuid;

use crate::{
    caller::Caller,
    db::{Bind, Conn, DbError, Statement},
    roles::Permission,
};

const USERS: &str = "
    SELECT id, COALESCE(display_name, username, email) AS name FROM users WHERE deleted_at IS NULL AND id IN ";
/// To those who may restore them.
const ALL_USERS: &str = "SELECT id, COALESCE(display_name, username, email) AS name FROM users WHERE id IN ";
const ROLES: &str = "SELECT id, name FROM roles WHERE id IN ";
const PERMISSIONS: &str = "SELECT id, name FROM permissions WHERE id IN ";

#[derive(sqlx::FromRow)]
struct NameRow {
    id: Uuid,
    name: Option<String>,
}

/// Puts the names in.
///
/// # Errors
/// When the database fails.
pub async fn add(conn: &mut Conn, entries: &mut [AuditEntry], caller: &Caller) -> Result<(), DbError> {
    let may = |permission| caller.require(permission).is_ok();
    let users = if may(Permission::UsersDelete) { ALL_USERS } else { USERS };
    for (kind, permission, sql) in [
        ("user", Permission::UsersRead, users),
        ("role", Permission::RolesRead, ROLES),
        ("permission", Permission::RolesRead, PERMISSIONS),
    ] {
        if may(permission) {
            add_of(conn, entries, kind, sql).await?;
        }
    }
    Ok(())
}

async fn add_of(conn: &mut Conn, entries: &mut [AuditEntry], kind: &str, sql: &'static str) -> Result<(), DbError> {
    let mut told: Vec<&mut AuditRef> = entries
        .iter_mut()
        .flat_map(|entry| entry.actor.iter_mut().chain(&mut entry.target))
        .filter(|told| told.kind == kind)
        .collect();
    let mut ids: Vec<Uuid> = told.iter().map(|told| told.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::new(sql);
    statement.bind_all(ids.into_iter().map(Bind::Id));
    let rows: Vec<NameRow> = statement.fetch_all(conn).await?;
    let names: BTreeMap<Uuid, String> = rows.into_iter().filter_map(|row| Some((row.id, row.name?))).collect();
    for told in &mut told {
        told.name = names.get(&told.id).cloned();
    }
    Ok(())
}
