//! Makes, changes and deletes roles and permissions.

use uuid::Uuid;

use super::{
    Permission, Rights, RoleName,
    store::{self, ADMIN, PermissionRow, RoleRow},
};
use crate::{
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    db::{Conn, DbError},
    error::{Error, Result},
    fields::Fault,
    revocation::Pending,
};

/// All names of permissions together, in bytes: the token of an administrator lists every one, and must stay a header that
/// servers take.
const MAX_BYTES: i64 = 5 * 1_024;

/// A role with what it permits.
pub type RoleWithPermissions = (RoleRow, Vec<String>);

/// What is to become of a role.
pub struct RoleChange {
    pub name: Option<RoleName>,
    pub description: Option<String>,
}

/// Makes a role.
///
/// # Errors
/// [`Error::BeyondOwnRights`], [`Error::NameTaken`], [`Error::Invalid`] for a permission that does not exist.
pub async fn create(
    app: &App,
    caller: &Caller,
    role: (RoleName, String),
    permissions: Vec<String>,
    client: &Client,
) -> Result<RoleWithPermissions> {
    if !permissions.is_empty() {
        caller.require_recent_proof(app).await?;
    }
    let now = app.now();
    let (name, description) = (role.0.into_string(), role.1);
    let row = RoleRow { id: app.entropy.uuid(now), name, description, is_system: false, created_at: now };
    let mut tx = app.db.begin().await?;
    Rights::lock(app, &mut tx, caller).await?.cover(&permissions)?;
    store::insert(&mut tx, &row).await.map_err(name_taken)?;
    permit(&mut tx, row.id, &permissions).await?;
    Entry::by(Event::RoleCreated, caller, Some(Target::Role(row.id)), client)
        .detail("name", row.name.as_str())
        .detail("permissions", permissions.clone())
        .record(&mut tx, now)
        .await?;
    tx.commit().await?;
    Ok((row, permissions))
}

/// Renames or describes a role.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::SystemRole`], [`Error::NameTaken`].
pub async fn update(
    app: &App,
    caller: &Caller,
    id: Uuid,
    change: RoleChange,
    client: &Client,
) -> Result<RoleWithPermissions> {
    let now = app.now();
    let mut tx = app.db.begin().await?;
    let (mut row, permissions) = lock(app, &mut tx, caller, id).await?;
    let old_name = row.name.clone();
    row.name = change.name.map_or(row.name, RoleName::into_string);
    row.description = change.description.unwrap_or(row.description);
    let is_renamed = row.name != old_name;
    if is_renamed && row.is_system {
        return Err(Error::SystemRole);
    }
    store::update(&mut tx, id, &row.name, &row.description).await.map_err(name_taken)?;
    let pending = if is_renamed { refuse_tokens(app, &mut tx, &[old_name]).await? } else { Pending::default() };
    Entry::by(Event::RoleUpdated, caller, Some(Target::Role(id)), client)
        .detail("name", row.name.as_str())
        .record(&mut tx, now)
        .await?;
    app.commit(tx, pending).await?;
    Ok((row, permissions))
}

/// Sets all that a role permits; whoever holds it is refused within a second, and refreshes to the new rights.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::SystemRole`] for the administrators' own,
/// [`Error::Invalid`] for a permission that does not exist.
pub async fn set_permissions(
    app: &App,
    caller: &Caller,
    id: Uuid,
    permissions: Vec<String>,
    client: &Client,
) -> Result<RoleWithPermissions> {
    let mut tx = app.db.begin().await?;
    let (row, _) = lock(app, &mut tx, caller, id).await?;
    Rights::lock(app, &mut tx, caller).await?.cover(&permissions)?;
    if row.name == ADMIN {
        return Err(Error::SystemRole);
    }
    permit(&mut tx, id, &permissions).await?;
    let pending = refuse_tokens(app, &mut tx, std::slice::from_ref(&row.name)).await?;
    Entry::by(Event::RoleUpdated, caller, Some(Target::Role(id)), client)
        .detail("permissions", permissions.clone())
        .record(&mut tx, app.now())
        .await?;
    app.commit(tx, pending).await?;
    Ok((row, permissions))
}

/// Deletes a role; one that people hold only with `force`, and it is taken from them.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::SystemRole`], [`Error::RoleInUse`].
pub async fn delete(app: &App, caller: &Caller, id: Uuid, force: Force, client: &Client) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let (row, _) = lock(app, &mut tx, caller, id).await?;
    if row.is_system {
        return Err(Error::SystemRole);
    }
    if matches!(force, Force::No) && store::is_held(&mut tx, id).await? {
        return Err(Error::RoleInUse);
    }
    while store::take_from_some(&mut tx, id).await? > 0 {}
    store::delete(&mut tx, id).await?;
    let pending = refuse_tokens(app, &mut tx, std::slice::from_ref(&row.name)).await?;
    let entry = Entry::by(Event::RoleDeleted, caller, Some(Target::Role(id)), client);
    entry.detail("name", row.name.as_str()).record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await
}

/// Whether to delete what is in use.
#[derive(Clone, Copy, Debug)]
pub enum Force {
    Yes,
    No,
}

/// Makes a permission, which administrators hold at once.
///
/// # Errors
/// [`Error::NameTaken`], [`Error::TooMany`].
pub async fn create_permission(
    app: &App,
    caller: &Caller,
    permission: PermissionRow,
    client: &Client,
) -> Result<PermissionRow> {
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx).await?;
    if store::measure_permissions(&mut tx).await? + permission.name.len() as i64 > MAX_BYTES {
        return Err(Error::TooMany);
    }
    store::insert_permission(&mut tx, &permission).await.map_err(name_taken)?;
    let admin = store::find_by_name(&mut tx, ADMIN).await?.ok_or(Error::NotFound)?;
    let mut permissions = store::list_permissions_of(&mut tx, admin.id).await?;
    permissions.push(permission.name.clone());
    permit(&mut tx, admin.id, &permissions).await?;
    let pending = refuse_tokens(app, &mut tx, &[admin.name]).await?;
    let entry = Entry::by(Event::PermissionCreated, caller, Some(Target::Permission(permission.id)), client);
    entry.detail("name", permission.name.as_str()).record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await?;
    Ok(permission)
}

/// Deletes a permission that the service itself does not ask for, and takes it from every role.
///
/// # Errors
/// [`Error::NotFound`], [`Error::BeyondOwnRights`], [`Error::SystemRole`].
pub async fn delete_permission(app: &App, caller: &Caller, id: Uuid, client: &Client) -> Result<()> {
    let mut tx = app.db.begin().await?;
    let rights = Rights::lock(app, &mut tx, caller).await?;
    let permission = store::find_permission(&mut tx, id).await?.ok_or(Error::NotFound)?;
    rights.cover(std::slice::from_ref(&permission.name))?;
    if Permission::is_system(&permission.name) {
        return Err(Error::SystemRole);
    }
    let roles = store::list_roles_with(&mut tx, id).await?;
    store::delete_permission(&mut tx, id).await?;
    let pending = refuse_tokens(app, &mut tx, &roles).await?;
    let entry = Entry::by(Event::PermissionDeleted, caller, Some(Target::Permission(id)), client);
    entry.detail("name", permission.name.as_str()).record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await
}

/// A role that the caller may touch: one that permits nothing they lack.
async fn lock(app: &App, tx: &mut Conn, caller: &Caller, id: Uuid) -> Result<RoleWithPermissions> {
    let rights = Rights::lock(app, tx, caller).await?;
    let row = store::find(tx, id).await?.ok_or(Error::NotFound)?;
    let permissions = store::list_permissions_of(tx, id).await?;
    rights.cover(&permissions)?;
    Ok((row, permissions))
}

async fn permit(tx: &mut Conn, role: Uuid, permissions: &[String]) -> Result<()> {
    if store::set_permissions(tx, role, permissions).await? {
        return Ok(());
    }
    let unknown = Fault::new("unknown_permission", "There is no such permission.", "없는 권한입니다.");
    Err(unknown.of("permissions"))
}

/// Refuses the tokens that list these roles as they were.
async fn refuse_tokens(app: &App, tx: &mut Conn, roles: &[String]) -> Result<Pending> {
    let version = store::raise_version(tx).await?;
    let mut pending = Pending::default();
    for name in roles {
        pending = pending.and(app.recorder(app.now()).role(tx, name, version).await?);
    }
    Ok(pending)
}

fn name_taken(error: DbError) -> Error {
    match error {
        DbError::Duplicate => Error::NameTaken,
        DbError::Unavailable(_) | DbError::Statement(_) => error.into(),
    }
}
