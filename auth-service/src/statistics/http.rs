//! The call that shows the numbers.

use auth_sdk::{Problem, Statistics, StatisticsParams};
use axum::{Json, extract::State};

use super::{answer, window::Frame};
use crate::{app::App, caller::Caller, error::Result, lists::Params, roles::Permission};

/// Show what happened, in numbers
///
/// Logins, refusals by reason and registrations by the hour or by the day, how many people and sessions there are, and the
/// same stretch of time one window earlier. Days begin at midnight by `offset`, in UTC unless it is given. Answers are a few
/// seconds old, and totals some minutes where there are very many.
#[utoipa::path(
    get, path = "/api/v1/statistics", tag = "system", security(("bearer" = []), ("api_key" = [])), params(StatisticsParams),
    responses((status = 200, body = Statistics), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem))
)]
pub async fn show_statistics(State(app): State<App>, caller: Caller, params: Params) -> Result<Json<Statistics>> {
    caller.require(Permission::UsersRead)?;
    let frame = params.read(Frame::read)?;
    Ok(Json(answer::find(&app, frame).await?))
}
