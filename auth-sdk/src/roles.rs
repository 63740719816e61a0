//! Roles and permissions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Role {
    /// UUIDv7.
    pub id: Uuid,
    /// As access tokens list it.
    #[schema(example = "support")]
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it came with the service: then it can be neither renamed nor deleted.
    pub is_system: bool,
    /// What it permits, as `resource:action`.
    #[schema(example = json!(["users:read"]))]
    pub permissions: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A role that a person holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct HeldGrant {
    /// The role.
    #[schema(example = "manager")]
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub granted_at: Timestamp,
    /// Until when; for good when `null`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Body of `POST /api/v1/roles`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct CreateRole {
    /// 2 to 50 of `[a-z0-9_-]`, beginning with a letter.
    pub name: String,
    /// At most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it permits; nothing when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
}

/// Body of `PATCH /api/v1/roles/{id}`: an absent member stays as it is.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct UpdateRole {
    /// 2 to 50 of `[a-z0-9_-]`, beginning with a letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Body of `PUT /api/v1/roles/{id}/permissions`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct SetPermissions {
    /// All that the role is to permit.
    pub permissions: Vec<String>,
}

/// Something that somebody may be permitted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Permission {
    /// UUIDv7.
    pub id: Uuid,
    /// `resource:action`.
    #[schema(example = "orders:read")]
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether the service itself asks for it: then it cannot be deleted.
    pub is_system: bool,
}

/// Body of `POST /api/v1/permissions`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct CreatePermission {
    /// `resource:action`, each of `[a-z0-9_-]`.
    pub name: String,
    /// At most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
