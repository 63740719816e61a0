//! Calls that show how the system fares, and the one by which gateways report.

use auth_sdk::{Instance, Page, Problem, SystemStatus};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{
    API, GATEWAY, LATE_AFTER,
    gateways::Report,
    status,
    store::{self, InstanceRow},
};
use crate::{
    app::App,
    caller::Caller,
    client::Client,
    db::Ts,
    error::{Error, Result},
    fields::{Fault, Fields},
    revocation::feed::require_gateway,
    roles::Permission,
};

/// Bytes of a report: a thousand routes.
pub const REPORT_LIMIT: usize = 256 * 1024;

/// Show how this instance fares
///
/// Of the instance that answers: what it leans on, how busy it is, and how fresh what it knows. What is away says so in its
/// own part.
#[utoipa::path(
    get, path = "/api/v1/system/status", tag = "system", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = SystemStatus), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_status(State(app): State<App>, caller: Caller) -> Result<Json<SystemStatus>> {
    caller.require(Permission::SystemRead)?;
    Ok(Json(status::gather(&app).await))
}

/// List instances and gateways
///
/// Everybody who was heard of within a day, by role and address, each as it last said of itself. All are on one page.
#[utoipa::path(
    get, path = "/api/v1/system/instances", tag = "system", security(("bearer" = []), ("api_key" = [])),
    responses((status = 200, body = Page<Instance>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem))
)]
pub async fn list_instances(State(app): State<App>, caller: Caller) -> Result<Json<Page<Instance>>> {
    caller.require(Permission::SystemRead)?;
    let (rows, now) = (store::list(&mut app.db.read().await?).await?, app.now());
    let items: Vec<Instance> = rows.into_iter().map(|row| to_wire(row, now)).collect();
    let total = u64::try_from(items.len()).ok();
    Ok(Json(Page { items, next_cursor: None, total }))
}

/// Takes a gateway's report.
pub async fn report_gateway(
    State(app): State<App>,
    headers: HeaderMap,
    client: Client,
    fields: Fields,
) -> Result<StatusCode> {
    require_gateway(&app, &headers)?;
    let row = fields.read(|f| Report::read(f, client.ip))?.into_row(app.now());
    let mut conn = app.db.write().await?;
    if store::upsert(&mut conn, &row).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    match store::find_role(&mut conn, row.id).await? {
        Some(_) => Err(Fault::new("taken", "This id is an instance's.", "이미 사용 중인 id입니다.").of("id")),
        None => Err(Error::TooMany),
    }
}

/// A report of another release may not be understood: then only the rest of the row is told.
fn to_wire(row: InstanceRow, now: Ts) -> Instance {
    Instance {
        id: row.id,
        address: row.address,
        version: row.version,
        started_at: row.started_at.into(),
        seen_at: row.seen_at.into(),
        left_at: row.left_at.map(Into::into),
        late: row.left_at.is_none() && now.since(row.seen_at) > LATE_AFTER,
        api: (row.role == API).then(|| serde_json::from_str(&row.state).ok()).flatten(),
        gateway: (row.role == GATEWAY).then(|| serde_json::from_str(&row.state).ok()).flatten(),
        role: row.role,
    }
}
