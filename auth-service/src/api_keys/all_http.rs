//! The call that lists everybody's API keys.

use auth_sdk::{ApiKeyFilter, KeyOwner, OwnedApiKey, Page, PageParams, Problem};
use axum::{Json, extract::State};

use super::{
    http::as_api_key,
    store::{self, OwnedRow},
};
use crate::{
    app::App,
    audit::{Entry, Event},
    caller::Caller,
    client::Client,
    error::Result,
    lists::{self, Cursor, Params, Sort},
    roles::Permission,
};

/// The only order of this list.
const NEWEST_FIRST: Sort = Sort::ByTime("-created_at");

/// List everybody's API keys
///
/// Those that live, newest first, each with its owner.
#[utoipa::path(
    get, path = "/api/v1/api-keys/all", tag = "api-keys", security(("bearer" = []), ("api_key" = [])), params(PageParams, ApiKeyFilter),
    responses((status = 200, body = Page<OwnedApiKey>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_all_api_keys(
    State(app): State<App>,
    caller: Caller,
    client: Client,
    params: Params,
) -> Result<Json<Page<OwnedApiKey>>> {
    caller.require(Permission::ApiKeysRead)?;
    let (page, search) = params.read(|p| {
        let page = lists::page(p, NEWEST_FIRST);
        let search = p.optional("search", |text| Ok(text.trim().to_owned()));
        Some((page?, search?.filter(|text| !text.is_empty())))
    })?;
    let (below, limit, now) = (Cursor::below(page.after.as_ref()), page.limit + 1, app.now());
    let mut conn = app.db.read_replica().await?;
    let rows = match &search {
        None => store::list_all(&mut conn, below, limit, now).await?,
        Some(prefix) => store::list_named(&mut conn, prefix, below, limit, now).await?,
    };
    drop(conn);
    let (rows, next_cursor) = lists::cut(rows, &page, NEWEST_FIRST, |row| Cursor::at(row.key.created_at, row.key.id));
    let mut tx = app.db.begin().await?;
    Entry::by(Event::ApiKeysListed, &caller, None, &client).count(rows.len()).record(&mut tx, now).await?;
    tx.commit().await?;
    let is_whole = page.after.is_none() && next_cursor.is_none();
    let total = u64::try_from(rows.len()).ok().filter(|_| is_whole);
    Ok(Json(Page { items: rows.into_iter().map(as_owned).collect(), next_cursor, total }))
}

fn as_owned(row: OwnedRow) -> OwnedApiKey {
    let OwnedRow { key, email, display_name } = row;
    let owner = KeyOwner { id: key.user_id.0, email, display_name };
    OwnedApiKey { api_key: as_api_key(key), owner }
}
