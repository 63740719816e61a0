//! Accounts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct User {
    /// UUIDv7.
    pub id: Uuid,
    /// Canonical: lower case, NFC.
    pub email: String,
    /// Whether the address was proven.
    pub email_verified: bool,
    /// Unique without regard to case.
    pub username: Option<String>,
    /// As the person wants to be called.
    pub display_name: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    /// Address of a picture.
    pub avatar_url: Option<String>,
    /// `ko` or `en`.
    pub locale: String,
    /// Whether the account may be used.
    pub status: UserStatus,
    /// Whether a second factor is set up.
    pub mfa_enabled: bool,
    /// Names of the roles held now.
    pub roles: Vec<String>,
    /// What the roles permit, as `resource:action`.
    pub permissions: Vec<String>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When the account was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When a session last began.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<Timestamp>,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// In use.
    Active,
    /// Closed by an administrator.
    Disabled,
    /// Waiting for its address to be proven.
    Pending,
}

/// Body of `POST /api/v1/auth/register`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"email": "test@example.com", "password": "TestPass123!", "username": "testuser"}))]
pub struct RegisterRequest {
    /// At most 254 characters.
    pub email: String,
    /// 8 to 128 characters, and not easy to guess.
    pub password: String,
    /// 3 to 50 of `[A-Za-z0-9._-]`, beginning with a letter or digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `ko` or `en`; by `Accept-Language` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Body of `PATCH /api/v1/users/me`: an absent member stays as it is, `null` clears it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct UpdateMe {
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// 3 to 50 of `[A-Za-z0-9._-]`, beginning with a letter or digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// E.164, such as `+821012345678`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// http or https, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// `ko` or `en`; cannot be cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// Body of `PUT /api/v1/users/me/password`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct ChangePassword {
    /// The password as it is; left out by an account that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_password: Option<String>,
    /// 8 to 128 characters, and not easy to guess.
    pub new_password: String,
}
