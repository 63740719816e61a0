//! The call that tells forms what a password must be.

use auth_sdk::PasswordPolicy;
use axum::{Json, extract::State};

use crate::app::App;

/// Show the password policy
///
/// What a new password must be, for forms to say so before they send one. The answer to a refused password names what
/// it lacks.
#[utoipa::path(get, path = "/api/v1/auth/password-policy", tag = "auth", responses((status = 200, body = PasswordPolicy)))]
pub async fn show_password_policy(State(app): State<App>) -> Json<PasswordPolicy> {
    Json(app.config.passwords.to_wire())
}
