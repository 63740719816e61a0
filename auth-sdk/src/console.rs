//! What the console alone asks, with its own secret.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Answer of `GET /internal/v1/console`: what to show to somebody without a session.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConsoleState {
    /// Whether nobody administers the installation yet.
    pub setup_required: bool,
    /// `development`, `test` or `production`.
    pub environment: String,
    /// Whether mails can be sent.
    pub mail_configured: bool,
}

/// Body of `POST /internal/v1/console/setup`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct SetUp {
    /// The token that was printed at start.
    pub token: String,
    /// Of the first administrator.
    pub email: String,
    /// Of the first administrator.
    pub password: String,
    /// Of the first administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `ko` or `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Answer of `POST /internal/v1/console/login`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ConsoleLogin {
    /// Opaque; sent as `Authorization: Bearer`, it stands for the person as long as the console shows its own secret too.
    pub credential: String,
    /// The session that has begun.
    pub session_id: Uuid,
}
