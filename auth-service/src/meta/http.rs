//! Health, the index, and the documentation.

use auth_sdk::{Check, Checks, Health, HealthStatus, Problem};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};

use crate::{app::App, error::Error};

/// Liveness
///
/// Always 200 while the process answers; `degraded` while the database or Redis is away. Answers for any `Host`.
#[utoipa::path(get, path = "/api/v1/health", tag = "meta", responses((status = 200, body = Health)))]
pub async fn show_health(State(app): State<App>) -> Json<Health> {
    let database = check(app.readiness.is_database_up());
    let redis = app.redis.as_ref().map(|redis| check(redis.is_available()));
    let is_healthy = database == Check::Up && redis != Some(Check::Down);
    Json(Health {
        status: if is_healthy { HealthStatus::Healthy } else { HealthStatus::Degraded },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        environment: app.config.environment.as_str().to_owned(),
        checks: (!is_healthy).then_some(Checks { database, redis }),
    })
}

/// Readiness
///
/// 503 while starting, migrating or draining, or while the database is away.
#[utoipa::path(get, path = "/api/v1/health/ready", tag = "meta", responses((status = 200), (status = 503, body = Problem)))]
pub async fn show_ready(State(app): State<App>) -> Result<StatusCode, Error> {
    if app.readiness.is_ready() { Ok(StatusCode::OK) } else { Err(Error::NotReady) }
}

/// Where people who come without a path want to go.
pub async fn redirect_to_docs() -> Redirect {
    Redirect::to("/docs")
}

/// The OpenAPI document, made once.
pub fn openapi_response(json: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=300")], json).into_response()
}

const fn check(is_up: bool) -> Check {
    if is_up { Check::Up } else { Check::Down }
}
