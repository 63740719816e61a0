//! Calls that close, open, delete and restore accounts, and say what they may do.

use auth_sdk::{HeldGrant, Page, Problem, SetRoles, User};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{close, looks, parse_id, remove, roles, store};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    error::{Error, Result},
    fields::Fields,
    roles::{Permission, read_grants},
    users,
};

/// Delete an account
///
/// Softly: its address is free at once, and it can be restored until it is erased.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204), (status = 409, body = Problem, description = "last_administrator"), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn delete_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    caller.require(Permission::UsersDelete)?;
    caller.require_recent_proof(&app).await?;
    remove::delete(&app, &caller, parse_id(&id)?, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a deleted account
#[utoipa::path(
    post, path = "/api/v1/users/{id}/restore", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 409, body = Problem, description = "email_taken or username_taken"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn restore_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<User>> {
    caller.require(Permission::UsersDelete)?;
    Ok(Json(remove::restore(&app, &caller, parse_id(&id)?, &client).await?))
}

/// Close an account
///
/// Its sessions end; its tokens and API keys are refused everywhere within a second.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/disable", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 409, body = Problem, description = "last_administrator"), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn disable_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<User>> {
    caller.require(Permission::UsersWrite)?;
    Ok(Json(close::disable(&app, &caller, parse_id(&id)?, &client).await?))
}

/// Open an account
///
/// Whether it was closed or waited for its address to be proven.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/enable", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn enable_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<User>> {
    caller.require(Permission::UsersWrite)?;
    Ok(Json(close::enable(&app, &caller, parse_id(&id)?, &client).await?))
}

/// Clear the count of failed guesses
///
/// The person can try their password again at once.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/unlock", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn unlock_user(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<User>> {
    caller.require(Permission::UsersWrite)?;
    Ok(Json(close::unlock(&app, &caller, parse_id(&id)?, &client).await?))
}

/// List the roles of an account
///
/// All that it holds now, each with the time until which it does, as `PUT` takes them.
#[utoipa::path(
    get, path = "/api/v1/users/{id}/roles", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = Page<HeldGrant>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_user_roles(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<Page<HeldGrant>>> {
    caller.require(Permission::UsersRead)?;
    let id = parse_id(&id)?;
    let mut conn = app.db.read().await?;
    users::store::find(&mut conn, id).await?.ok_or(Error::NotFound)?;
    let rows = store::list_grants(&mut conn, id, app.now()).await?;
    drop(conn);
    looks::note(&app, &caller, id, &client).await?;
    let items: Vec<HeldGrant> = rows.into_iter().map(as_grant).collect();
    let total = u64::try_from(items.len()).ok();
    Ok(Json(Page { items, next_cursor: None, total }))
}

/// Set the roles of an account
///
/// A role may end at a time. Tokens of the person are refused within a second; their sessions live, and the next refresh
/// carries the new rights.
#[utoipa::path(
    put, path = "/api/v1/users/{id}/roles", tag = "users", security(("bearer" = []), ("api_key" = [])), request_body = SetRoles, params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = User), (status = 409, body = Problem, description = "last_administrator"), (status = 422, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem, description = "forbidden, beyond_own_rights or reauthentication_required"), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn set_user_roles(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<User>> {
    caller.require(Permission::UsersWrite)?;
    caller.require_recent_proof(&app).await?;
    let grants = fields.read(|f| read_grants(f, app.now()))?;
    Ok(Json(roles::set(&app, &caller, parse_id(&id)?, grants, &client).await?))
}

fn as_grant(row: store::GrantRow) -> HeldGrant {
    let store::GrantRow { name, description, granted_at, expires_at } = row;
    HeldGrant { name, description, granted_at: granted_at.into(), expires_at: expires_at.map(Into::into) }
}
