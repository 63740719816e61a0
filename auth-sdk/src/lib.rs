//! Wire types of the Auth API: one definition for the server, its OpenAPI document and typed clients.
//!
//! JSON members are snake_case, times RFC 3339 in UTC, ids UUIDv7. What each call means, its status codes and its
//! errors stand in the OpenAPI document that the server publishes at `/openapi.json`.

mod auth;
mod health;
mod problem;
mod users;

pub use auth::{LoginRequest, LogoutScope, ReauthenticateRequest, RefreshRequest, Session, SessionList, TokenSet};
pub use health::{Check, Checks, Health, HealthStatus};
pub use problem::{FieldError, Problem};
pub use users::{ChangePassword, RegisterRequest, UpdateMe, User, UserStatus};
