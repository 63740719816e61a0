//! Calls about one's own API keys, and the call by which gateways ask for one.

use std::time::Duration;

use auth_sdk::{ApiKey, CreateApiKey, NewApiKey, Page, Problem, ResolvedApiKey, RotateApiKey};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use service_kit::config::Period;
use uuid::Uuid;

use super::{
    DEFAULT_LIFE, DEFAULT_OVERLAP, KeyName, MAX_LIFE, MAX_OVERLAP,
    issue::{self, Made, Wish},
    resolve, store,
    store::KeyRow,
    to_wire,
};
use crate::{
    app::App,
    caller::SessionCaller,
    client::Client,
    db::Ts,
    error::{Error, Result, as_header},
    fields::{Fault, Fields, parse_time},
    idempotency::{Answer, Once},
    ids::TokenHash,
    revocation::feed,
    roles::PermissionName,
};

/// List one's own API keys
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "api-keys", security(("bearer" = [])),
    responses((status = 200, body = Page<ApiKey>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_api_keys(State(app): State<App>, caller: SessionCaller) -> Result<Json<Page<ApiKey>>> {
    let rows = store::list_live(&mut app.db.read().await?, caller.user_id(), app.now()).await?;
    let items: Vec<_> = rows.into_iter().map(as_api_key).collect();
    let total = u64::try_from(items.len()).ok();
    Ok(Json(Page { items, next_cursor: None, total }))
}

/// Make an API key
///
/// Demands a fresh session. The answer shows the key this once. Send it as `Authorization: Bearer ask_…` or as `X-API-Key`.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "api-keys", security(("bearer" = [])), request_body = CreateApiKey,
    responses((status = 201, body = NewApiKey, headers(("Location" = String, description = "The key"))), (status = 401, body = Problem), (status = 403, body = Problem, description = "beyond_own_rights or reauthentication_required"), (status = 409, body = Problem, description = "too_many"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn create_api_key(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    once: Once,
) -> Result<Response> {
    once.run((&app, &caller.any()), "POST /api/v1/api-keys", Answer::ShowOnce, async |fields| {
        let wish = read_wish(fields, app.now())?;
        Ok(show_once(issue::create(&app, &caller, wish, &client).await?))
    })
    .await
}

/// Replace an API key
///
/// Demands a fresh session. Makes a new key with the same name, scopes and life; the old one stays good for `overlap`.
#[utoipa::path(
    post, path = "/api/v1/api-keys/{id}/rotate", tag = "api-keys", security(("bearer" = [])), request_body = RotateApiKey,
    params(("id" = Uuid, Path, description = "The key to replace")),
    responses((status = 201, body = NewApiKey, headers(("Location" = String, description = "The new key"))), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem, description = "too_many"), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn rotate_api_key(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    Path(id): Path<String>,
    once: Once,
) -> Result<Response> {
    let route = format!("POST /api/v1/api-keys/{id}/rotate");
    let id = id.parse().map_err(|_| Error::NotFound)?;
    once.run((&app, &caller.any()), &route, Answer::ShowOnce, async |fields| {
        let overlap = fields.read(|f| f.optional("overlap", overlap))?.unwrap_or(DEFAULT_OVERLAP);
        Ok(show_once(issue::rotate(&app, &caller, id, overlap, &client).await?))
    })
    .await
}

/// Revoke an API key
///
/// It is refused everywhere within a second.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{id}", tag = "api-keys", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The key")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub async fn revoke_api_key(
    State(app): State<App>,
    caller: SessionCaller,
    client: Client,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    issue::revoke(&app, &caller, id, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells a gateway what a key that it does not know may do. Anything but a live key is 404.
pub async fn resolve_api_key(
    State(app): State<App>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Json<ResolvedApiKey>> {
    feed::require_gateway(&app, &headers)?;
    let (id, hash) = fields.read(|f| {
        let id = f.required("id", |text| Uuid::try_parse(text).map_err(|_| not_ours()));
        let hash = f.required("secret_sha256", |text| {
            let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.map(TokenHash::from_bytes).ok_or_else(not_ours)
        });
        Some((id?, hash?))
    })?;
    let grant = resolve::resolve_hash(&app, id, &hash).await?.ok_or(Error::NotFound)?;
    Ok(Json(ResolvedApiKey {
        user_id: grant.user_id.0,
        scopes: grant.scopes,
        roles: grant.roles,
        permissions: grant.permissions,
        expires_at: grant.expires_at.into(),
        rate_limit: grant.rate_limit.map(|quota| quota.to_string()),
    }))
}

fn read_wish(fields: Fields, now: Ts) -> Result<Wish> {
    fields.read(|f| {
        let name = f.required("name", KeyName::parse);
        let scopes = f.texts("scopes", PermissionName::parse);
        let expires_at = f.optional("expires_at", |text| expiry(text, now));
        let rate_limit = f.optional("rate_limit", |text| {
            text.parse().map_err(|_| Fault::new("invalid_rate_limit", "Write such as 100/1m.", "100/1m처럼 쓰세요."))
        });
        Some(Wish {
            name: name?,
            scopes: scopes?.into_iter().map(PermissionName::into_string).collect(),
            expires_at: expires_at?.unwrap_or(now.plus(DEFAULT_LIFE)),
            rate_limit: rate_limit?,
        })
    })
}

fn not_ours() -> Fault {
    Fault::new("malformed", "This is not in the form of ours.", "형식이 올바르지 않습니다.")
}

fn expiry(text: &str, now: Ts) -> Result<Ts, Fault> {
    let at = parse_time(text)?;
    if at > now && at <= now.plus(MAX_LIFE) {
        return Ok(at);
    }
    Err(Fault::new("out_of_range", "In the future, and within 2 years.", "지금부터 2년 이내의 시각이어야 합니다."))
}

fn overlap(text: &str) -> Result<Duration, Fault> {
    let overlap = text.parse::<Period>().map(Period::get).ok().filter(|overlap| *overlap <= MAX_OVERLAP);
    overlap.ok_or_else(|| Fault::new("out_of_range", "0s to 30d, such as 1h.", "1h처럼 0s에서 30d 사이로 쓰세요."))
}

fn show_once(Made { row, secret }: Made) -> Response {
    let location = as_header(&format!("/api/v1/api-keys/{}", row.id));
    let key = to_wire(row.id, &secret);
    let body = NewApiKey { api_key: as_api_key(row), key };
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response()
}

/// A key as the wire shows it.
pub fn as_api_key(row: KeyRow) -> ApiKey {
    ApiKey {
        id: row.id,
        name: row.name,
        scopes: resolve::scopes_from_text(&row.scopes),
        rate_limit: row.rate_limit,
        created_at: row.created_at.into(),
        expires_at: row.expires_at.into(),
        last_used_at: row.last_used_at.map(Into::into),
    }
}
