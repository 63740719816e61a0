//! Calls that show how the system fares.

use auth_sdk::{Problem, SystemStatus};
use axum::{Json, extract::State};

use super::status;
use crate::{app::App, caller::Caller, error::Result, roles::Permission};

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
