//! Calls about the API keys of somebody else's account.

use auth_sdk::{ApiKey, Page, Problem};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};

use super::{lock, looks, parse_id};
use crate::{
    api_keys,
    app::App,
    audit::{Entry, Event, Target},
    caller::Caller,
    client::Client,
    error::{Error, Result},
    roles::Permission,
    users,
};

/// List the API keys of an account
#[utoipa::path(
    get, path = "/api/v1/users/{id}/api-keys", tag = "users", security(("bearer" = []), ("api_key" = [])), params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = Page<ApiKey>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_user_api_keys(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path(id): Path<String>,
) -> Result<Json<Page<ApiKey>>> {
    caller.require(Permission::ApiKeysRead)?;
    let id = parse_id(&id)?;
    let mut conn = app.db.read().await?;
    users::store::find(&mut conn, id).await?.ok_or(Error::NotFound)?;
    let rows = api_keys::list_live(&mut conn, id, app.now()).await?;
    drop(conn);
    looks::note(&app, &caller, id, &client).await?;
    let items: Vec<_> = rows.into_iter().map(api_keys::http::as_api_key).collect();
    let total = u64::try_from(items.len()).ok();
    Ok(Json(Page { items, next_cursor: None, total }))
}

/// Revoke an API key of an account
///
/// It is refused everywhere within a second.
#[utoipa::path(
    delete, path = "/api/v1/users/{id}/api-keys/{key_id}", tag = "users", security(("bearer" = []), ("api_key" = [])),
    params(("id" = Uuid, Path, description = "The account"), ("key_id" = Uuid, Path, description = "The key")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn revoke_user_api_key(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    Path((id, key)): Path<(String, String)>,
) -> Result<StatusCode> {
    caller.require(Permission::ApiKeysWrite)?;
    let (id, key) = (parse_id(&id)?, key.parse().map_err(|_| Error::NotFound)?);
    let mut tx = app.db.begin().await?;
    lock(&app, &mut tx, &caller, id).await?;
    let pending = api_keys::end(&app, &mut tx, id, key).await?;
    let entry = Entry::by(Event::ApiKeyRevoked, &caller, Some(Target::ApiKey(key)), &client);
    entry.detail("owner_id", id.0.to_string()).record(&mut tx, app.now()).await?;
    app.commit(tx, pending).await?;
    Ok(StatusCode::NO_CONTENT)
}
