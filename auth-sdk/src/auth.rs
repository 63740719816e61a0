//! Logging in, tokens and sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::PasswordExpired;

/// Body of `POST /api/v1/auth/login`: `email` or `username`, not both.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"email": "test@example.com", "password": "TestPass123!"}))]
pub struct LoginRequest {
    /// The account's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The account's password.
    pub password: String,
    /// What to call this device in the list of sessions, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
}

/// Body of `POST /api/v1/auth/refresh`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct RefreshRequest {
    /// The newest refresh token of the session.
    pub refresh_token: String,
}

/// Body of `POST /api/v1/auth/reauthenticate`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct ReauthenticateRequest {
    /// The account's password.
    pub password: String,
}

/// A session's tokens (RFC 6749 section 5.1).
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct TokenSet {
    /// JWT (RFC 9068), for `Authorization: Bearer`.
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Life of the access token in seconds.
    #[schema(example = 1800)]
    pub expires_in: u64,
    /// Opaque; good for one refresh.
    pub refresh_token: String,
    /// Life of the refresh token in seconds.
    #[schema(example = 604_800)]
    pub refresh_expires_in: u64,
    /// The session that the tokens belong to.
    pub session_id: Uuid,
}

/// Answer of `POST /api/v1/auth/login`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LoginAnswer {
    /// A session has begun.
    LoggedIn(TokenSet),
    /// The password was right and is too old: it must be replaced first.
    PasswordExpired(PasswordExpired),
}

/// One login, on one device.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Session {
    /// UUIDv7; the `sid` of its access tokens.
    pub id: Uuid,
    /// When the person logged in.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When tokens were last issued.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// When it ends unless it is used again.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The client's address at login.
    pub ip_address: Option<String>,
    /// Where that is; absent unless the service knows places (`GEOIP_DB`), and this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The client's own words.
    pub user_agent: Option<String>,
    /// The browser in those words.
    pub browser: Option<String>,
    /// The operating system in those words.
    pub os: Option<String>,
    /// As given at login.
    pub device_name: Option<String>,
    /// How the person proved themselves (RFC 8176).
    #[schema(example = json!(["pwd"]))]
    pub auth_methods: Vec<String>,
    /// Whether this very request belongs to it.
    pub current: bool,
}

/// Where an address is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Place {
    /// ISO 3166-1, two letters.
    #[schema(example = "KR")]
    pub country: String,
    /// In English; absent where only the country is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Seoul")]
    pub city: Option<String>,
}

/// A page of sessions.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SessionList {
    /// Newest first.
    pub items: Vec<Session>,
    /// Always absent: a person has at most 100 live sessions, and all are here.
    pub next_cursor: Option<String>,
    /// How many there are.
    pub total: Option<u64>,
}

/// Query of `DELETE /api/v1/auth/sessions`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogoutScope {
    /// Whether to spare the session that asks.
    #[serde(default)]
    #[param(required = false)]
    pub except_current: bool,
}
