//! Health of an instance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET /api/v1/health`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Health {
    /// Whether everything the instance leans on is there.
    pub status: HealthStatus,
    /// The server's version.
    #[schema(example = "1.0.0")]
    pub version: String,
    /// `development`, `test` or `production`.
    #[schema(example = "production")]
    pub environment: String,
    /// What is away; absent while all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checks>,
}

/// State of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// Alive, but the database or Redis is away.
    Degraded,
}

/// What the instance leans on.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
pub struct Checks {
    /// The database.
    pub database: Check,
    /// Redis; absent when none is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Check>,
}

/// Whether one thing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// It answers.
    Up,
    /// It does not answer.
    Down,
}
