//! Calls about other people's accounts.

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::{Api, ClientError};
use crate::{
    ApiKey, CreateUser, HeldGrant, Identities, LoginRecord, Page, PageParams, SessionList, SetRoles, User, UserFilter,
};

/// What can be done to somebody without saying more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserAct {
    /// Closes the account.
    Disable,
    /// Opens it again.
    Enable,
    /// Forgets wrong guesses.
    Unlock,
    /// Sends a mail to reset the password.
    SendReset,
    /// Brings a deleted account back.
    Restore,
    /// Ends all sessions.
    EndSessions,
    /// Deletes the account.
    Delete,
}

impl Api {
    /// A page of accounts.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_users(&self, filter: &UserFilter, page: &PageParams) -> Result<Page<User>, ClientError> {
        self.query("/api/v1/users", (filter, page)).await
    }

    /// An account.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn show_user(&self, id: Uuid) -> Result<User, ClientError> {
        self.get(&format!("/api/v1/users/{id}")).await
    }

    /// Makes an account and sends its invitation.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_user(&self, user: &CreateUser) -> Result<User, ClientError> {
        self.post("/api/v1/users", user).await
    }

    /// Changes an account: a JSON object with the members of [`UpdateMe`](crate::UpdateMe) that are to be other, `null`
    /// where one is to be cleared.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn update_user(&self, id: Uuid, change: &Value) -> Result<User, ClientError> {
        self.call(Method::PATCH, &format!("/api/v1/users/{id}"), Some(change)).await
    }

    /// Does to an account what needs no more said.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn act_on_user(&self, id: Uuid, act: UserAct) -> Result<(), ClientError> {
        let (method, end) = match act {
            UserAct::Disable => (Method::POST, "/disable"),
            UserAct::Enable => (Method::POST, "/enable"),
            UserAct::Unlock => (Method::POST, "/unlock"),
            UserAct::SendReset => (Method::POST, "/password-reset"),
            UserAct::Restore => (Method::POST, "/restore"),
            UserAct::EndSessions => (Method::DELETE, "/sessions"),
            UserAct::Delete => (Method::DELETE, ""),
        };
        self.act(method, &format!("/api/v1/users/{id}{end}"), None::<&()>).await
    }

    /// Gives an account these roles and no others.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_user_roles(&self, id: Uuid, roles: &SetRoles) -> Result<User, ClientError> {
        self.call(Method::PUT, &format!("/api/v1/users/{id}/roles"), Some(roles)).await
    }

    /// An account's live sessions.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_user_sessions(&self, id: Uuid) -> Result<SessionList, ClientError> {
        self.get(&format!("/api/v1/users/{id}/sessions")).await
    }

    /// An account's attempts to log in.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_user_logins(&self, id: Uuid, page: &PageParams) -> Result<Page<LoginRecord>, ClientError> {
        self.query(&format!("/api/v1/users/{id}/login-history"), (&(), page)).await
    }

    /// Ends one session of an account.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn end_user_session(&self, id: Uuid, session: Uuid) -> Result<(), ClientError> {
        self.act(Method::DELETE, &format!("/api/v1/users/{id}/sessions/{session}"), None::<&()>).await
    }

    /// Who the person is at providers.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_user_identities(&self, id: Uuid) -> Result<Identities, ClientError> {
        self.get(&format!("/api/v1/users/{id}/identities")).await
    }

    /// Takes an identity away.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unlink_user_identity(&self, id: Uuid, provider: &str) -> Result<(), ClientError> {
        self.act(Method::DELETE, &format!("/api/v1/users/{id}/identities/{provider}"), None::<&()>).await
    }

    /// The roles that an account holds, with the time they end.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_user_roles(&self, id: Uuid) -> Result<Page<HeldGrant>, ClientError> {
        self.get(&format!("/api/v1/users/{id}/roles")).await
    }

    /// The API keys of an account.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_user_api_keys(&self, id: Uuid) -> Result<Page<ApiKey>, ClientError> {
        self.get(&format!("/api/v1/users/{id}/api-keys")).await
    }

    /// Everything that is held on a person, as JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn export_user(&self, id: Uuid) -> Result<Value, ClientError> {
        self.get(&format!("/api/v1/users/{id}/export")).await
    }
}
