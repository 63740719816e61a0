//! Calls of the console alone, and those about its person's own session.

use reqwest::{Method, header};

use super::{Api, ClientError, bounded};
use crate::{
    ConsoleLogin, ConsoleState, LoginRequest, PasswordExpired, ReauthenticateRequest, ResetPasswordRequest, SetUp, User,
};

/// What a login at the console leads to.
pub enum ConsoleEntry {
    /// A session, and the token that the device is to be known by, where it was not known before.
    LoggedIn(ConsoleLogin, Option<String>),
    /// Another password must be chosen first.
    PasswordExpired(PasswordExpired),
}

impl Api {
    /// What to show to somebody without a session.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn console_state(&self) -> Result<ConsoleState, ClientError> {
        self.get("/internal/v1/console").await
    }

    /// Makes the first administrator.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_up(&self, set_up: &SetUp) -> Result<(), ClientError> {
        self.act(Method::POST, "/internal/v1/console/setup", Some(set_up)).await
    }

    /// Begins a session at the console.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn log_in_to_console(&self, login: &LoginRequest) -> Result<ConsoleEntry, ClientError> {
        let response = self.answer(Method::POST, "/internal/v1/console/login", Some(login)).await?;
        let device = response.headers().get("x-device-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let bytes = bounded(response).await?;
        let unexpected = |cause: serde_json::Error| ClientError::Unexpected(cause.to_string());
        if let Ok(login) = serde_json::from_slice(&bytes) {
            return Ok(ConsoleEntry::LoggedIn(login, device));
        }
        serde_json::from_slice(&bytes).map(ConsoleEntry::PasswordExpired).map_err(unexpected)
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn log_out(&self) -> Result<(), ClientError> {
        self.act(Method::POST, "/api/v1/auth/logout", None::<&()>).await
    }

    /// Chooses a password, by a token from a mail or of a login whose password was too old.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn reset_password(&self, token: &str, new_password: &str) -> Result<(), ClientError> {
        let body = ResetPasswordRequest { token: token.to_owned(), new_password: new_password.to_owned() };
        self.act(Method::POST, "/api/v1/auth/password/reset", Some(&body)).await
    }

    /// Proves once more who is in front of the session.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn reauthenticate(&self, password: &str) -> Result<(), ClientError> {
        let body = ReauthenticateRequest { password: password.to_owned() };
        self.act(Method::POST, "/api/v1/auth/reauthenticate", Some(&body)).await
    }

    /// Who the caller is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn me(&self) -> Result<User, ClientError> {
        self.get("/api/v1/users/me").await
    }

    /// Whether a credential is shown at all.
    #[must_use]
    pub fn has_credential(&self) -> bool {
        self.headers.contains_key(header::AUTHORIZATION)
    }
}
