//! Calls about permissions.

use auth_sdk::{CreatePermission, Page, Problem};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    Permission, PermissionName, change,
    name::parse_description,
    store::{self, PermissionRow},
};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    error::{Error, Result},
    idempotency::{Answer, Once},
    lists::{self, Cursor, Params, Sort, SortKey},
};

const SORT: Sort = Sort::ByText("name");

/// List permissions
#[utoipa::path(
    get, path = "/api/v1/permissions", tag = "roles", security(("bearer" = []), ("api_key" = [])), params(auth_sdk::PageParams),
    responses((status = 200, body = Page<auth_sdk::Permission>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_permissions(
    State(app): State<App>,
    caller: Caller,
    params: Params,
) -> Result<Json<Page<auth_sdk::Permission>>> {
    caller.require(Permission::RolesRead)?;
    let page = params.read(|p| lists::page(p, SORT))?;
    let mut conn = app.db.read_replica().await?;
    let rows = store::list_permissions(&mut conn, page.after_text(), page.limit + 1).await?;
    let by_name = |row: &PermissionRow| Cursor { key: SortKey::Text(row.name.clone()), id: row.id };
    let (rows, next_cursor) = lists::cut(rows, &page, SORT, by_name);
    let total = u64::try_from(store::count_permissions(&mut conn).await?).ok();
    Ok(Json(Page { items: rows.into_iter().map(as_permission).collect(), next_cursor, total }))
}

/// Make a permission
///
/// For a team's own services to ask for; administrators hold it at once.
#[utoipa::path(
    post, path = "/api/v1/permissions", tag = "roles", security(("bearer" = []), ("api_key" = [])), request_body = CreatePermission,
    responses((status = 201, body = auth_sdk::Permission), (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem, description = "name_taken or too_many"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn create_permission(State(app): State<App>, caller: Caller, client: Client, once: Once) -> Result<Response> {
    caller.require(Permission::RolesWrite)?;
    once.run((&app, &caller), "POST /api/v1/permissions", Answer::Keep, async |fields| {
        let (name, description) = fields.read(|f| {
            let name = f.required("name", PermissionName::parse);
            let description = f.optional("description", parse_description);
            Some((name?.into_string(), description?.unwrap_or_default()))
        })?;
        let row = PermissionRow { id: app.entropy.uuid(app.now()), name, description };
        let made = change::create_permission(&app, &caller, row, &client).await?;
        Ok((StatusCode::CREATED, Json(as_permission(made))).into_response())
    })
    .await
}

/// Delete a permission
///
/// It is taken from every role. Those that the service itself asks for cannot be deleted.
#[utoipa::path(
    delete, path = "/api/v1/permissions/{id}", tag = "roles", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The permission")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden or reauthentication_required"), (status = 404, body = Problem), (status = 409, body = Problem, description = "system_role"), (status = 503, body = Problem))
)]
pub async fn delete_permission(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    caller.require(Permission::RolesWrite)?;
    caller.require_recent_proof(&app).await?;
    let id = id.parse().map_err(|_| Error::NotFound)?;
    change::delete_permission(&app, &caller, id, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn as_permission(row: PermissionRow) -> auth_sdk::Permission {
    let PermissionRow { id, name, description } = row;
    auth_sdk::Permission { id, is_system: Permission::is_system(&name), name, description }
}
