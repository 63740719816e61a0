//! Accounts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::FieldError;

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct User {
    /// UUIDv7.
    pub id: Uuid,
    /// Canonical: lower case, NFC. `null` for a person of whom none is known.
    pub email: Option<String>,
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
    /// When the account was deleted; absent unless it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
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

/// Query of `GET /api/v1/users`, besides `limit` and `cursor`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserFilter {
    /// Three characters or more: any part of an address or name. One or two: the beginning of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// `active`, `disabled` or `pending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Whether their address is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Name of a role that they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Made after this (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_after: Option<String>,
    /// Last logged in before this (RFC 3339), or never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login_before: Option<String>,
    /// Whether to list deleted accounts instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<bool>,
    /// `created_at`, `-created_at` (newest first, the default), `email`, `-email`, `last_login_at` or `-last_login_at`;
    /// whoever has no address or never logged in comes last either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// Body of `POST /api/v1/users`: there is no password in it, for the person chooses one through the invitation.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"email": "minsu@example.com", "display_name": "김민수", "locale": "ko", "roles": ["user"]}))]
pub struct CreateUser {
    /// At most 254 characters.
    pub email: String,
    /// 3 to 50 of `[A-Za-z0-9._-]`, beginning with a letter or digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// At most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `ko` or `en`; by `Accept-Language` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Roles to hold; `user` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<RoleGrant>>,
}

/// Body of `POST /api/v1/users/bulk`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct CreateUsers {
    /// 1 to 1000 accounts to make.
    pub items: Vec<CreateUser>,
}

/// Answer of `POST /api/v1/users/bulk`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BulkResults {
    /// One for each item, in their order.
    pub results: Vec<BulkResult>,
}

/// What became of one item.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BulkResult {
    /// Its place among the items, from 0.
    pub index: usize,
    /// The status that the item alone would have been answered with.
    pub status: u16,
    /// The account, where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// What was wrong, where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<BulkError>,
}

/// What was wrong with one item.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct BulkError {
    /// Stable name of the error, for programs.
    #[schema(example = "email_taken")]
    pub code: String,
    /// One sentence for people.
    pub detail: String,
    /// What is wrong with each field; absent where no field is to blame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A role to be given: its name, or its name with the time until which it is held.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum RoleGrant {
    /// For good.
    Name(String),
    /// Until then.
    Expiring {
        /// The role.
        name: String,
        /// When it ends (RFC 3339).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<String>,
    },
}

/// Body of `PUT /api/v1/users/{id}/roles`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"roles": ["user", {"name": "manager", "expires_at": "2030-01-01T00:00:00Z"}]}))]
pub struct SetRoles {
    /// All roles that the person is to hold.
    pub roles: Vec<RoleGrant>,
}
