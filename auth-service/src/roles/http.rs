//! Calls about roles.

use auth_sdk::{CreateRole, Page, Problem, Role, SetPermissions, UpdateRole};
use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::{
    Permission, PermissionName, RoleName,
    change::{self, Force, RoleChange, RoleWithPermissions},
    name::parse_description,
    store,
};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    error::{Error, Result, as_header},
    fields::Fields,
    idempotency::{Answer, Once},
    lists::{self, Cursor, Params, Sort, SortKey, parse_flag},
};

const SORT: Sort = Sort::ByText("name");

/// List roles
#[utoipa::path(
    get, path = "/api/v1/roles", tag = "roles", security(("bearer" = []), ("api_key" = [])), params(auth_sdk::PageParams),
    responses((status = 200, body = Page<Role>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_roles(State(app): State<App>, caller: Caller, params: Params) -> Result<Json<Page<Role>>> {
    caller.require(Permission::RolesRead)?;
    let page = params.read(|p| lists::page(p, SORT))?;
    let mut conn = app.db.read_replica().await?;
    let rows = store::list(&mut conn, page.after_text(), page.limit + 1).await?;
    let by_name = |row: &store::RoleRow| Cursor { key: SortKey::Text(row.name.clone()), id: row.id };
    let (rows, next_cursor) = lists::cut(rows, &page, SORT, by_name);
    let mut permissions = store::list_permissions_by_role(&mut conn, &rows).await?;
    let with_permissions = |row: store::RoleRow| {
        let permitted = permissions.remove(&row.id).unwrap_or_default();
        as_role((row, permitted))
    };
    let items = rows.into_iter().map(with_permissions).collect();
    let total = u64::try_from(store::count(&mut conn).await?).ok();
    Ok(Json(Page { items, next_cursor, total }))
}

/// Show a role
#[utoipa::path(
    get, path = "/api/v1/roles/{id}", tag = "roles", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The role")),
    responses((status = 200, body = Role), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_role(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Role>> {
    caller.require(Permission::RolesRead)?;
    let mut conn = app.db.read().await?;
    let row = store::find(&mut conn, parse_id(&id)?).await?.ok_or(Error::NotFound)?;
    let permissions = store::list_permissions_of(&mut conn, row.id).await?;
    Ok(Json(as_role((row, permissions))))
}

/// Make a role
///
/// It can permit no more than its maker holds.
#[utoipa::path(
    post, path = "/api/v1/roles", tag = "roles", security(("bearer" = []), ("api_key" = [])), request_body = CreateRole,
    responses((status = 201, body = Role, headers(("Location" = String, description = "The role"))), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 409, body = Problem, description = "name_taken"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn create_role(State(app): State<App>, caller: Caller, client: Client, once: Once) -> Result<Response> {
    caller.require(Permission::RolesWrite)?;
    once.run((&app, &caller), "POST /api/v1/roles", Answer::Keep, async |fields| {
        let (role, permissions) = fields.read(|f| {
            let name = f.required("name", RoleName::parse);
            let description = f.optional("description", parse_description);
            let permissions = f.optional_texts("permissions", PermissionName::parse);
            Some(((name?, description?.unwrap_or_default()), names(permissions?)))
        })?;
        let role = as_role(change::create(&app, &caller, role, permissions, &client).await?);
        let location = as_header(&format!("/api/v1/roles/{}", role.id));
        Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(role)).into_response())
    })
    .await
}

/// Rename or describe a role
#[utoipa::path(
    patch, path = "/api/v1/roles/{id}", tag = "roles", security(("bearer" = []), ("api_key" = [])), request_body = UpdateRole, params(("id" = Uuid, Path, description = "The role")),
    responses((status = 200, body = Role), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem, description = "name_taken or system_role"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn update_role(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<Role>> {
    caller.require(Permission::RolesWrite)?;
    let change = fields.read(|f| {
        let name = f.optional("name", RoleName::parse);
        let description = f.optional("description", parse_description);
        Some(RoleChange { name: name?, description: description? })
    })?;
    Ok(Json(as_role(change::update(&app, &caller, parse_id(&id)?, change, &client).await?)))
}

/// Set what a role permits
///
/// Tokens of whoever holds it are refused within a second, and refresh to the new rights.
#[utoipa::path(
    put, path = "/api/v1/roles/{id}/permissions", tag = "roles", security(("bearer" = []), ("api_key" = [])), request_body = SetPermissions, params(("id" = Uuid, Path, description = "The role")),
    responses((status = 200, body = Role), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 404, body = Problem), (status = 409, body = Problem, description = "system_role"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn set_role_permissions(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<Role>> {
    caller.require(Permission::RolesWrite)?;
    caller.require_recent_proof(&app).await?;
    let permissions = names(fields.read(|f| f.texts("permissions", PermissionName::parse))?);
    Ok(Json(as_role(change::set_permissions(&app, &caller, parse_id(&id)?, permissions, &client).await?)))
}

/// Delete a role
///
/// One that people hold only with `?force=true`; it is taken from them.
#[utoipa::path(
    delete, path = "/api/v1/roles/{id}", tag = "roles", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The role"), ("force" = Option<bool>, Query, description = "Whether to take it from those who hold it")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 404, body = Problem), (status = 409, body = Problem, description = "role_in_use or system_role"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn delete_role(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode> {
    caller.require(Permission::RolesWrite)?;
    caller.require_recent_proof(&app).await?;
    let force = match params.read(|p| p.optional("force", parse_flag))? {
        Some(true) => Force::Yes,
        Some(false) | None => Force::No,
    };
    change::delete(&app, &caller, parse_id(&id)?, force, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| Error::NotFound)
}

fn names(permissions: Vec<PermissionName>) -> Vec<String> {
    permissions.into_iter().map(PermissionName::into_string).collect()
}

fn as_role((row, permissions): RoleWithPermissions) -> Role {
    let store::RoleRow { id, name, description, is_system, created_at } = row;
    Role { id, name, description, is_system, permissions, created_at: created_at.into() }
}
