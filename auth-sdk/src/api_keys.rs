//! API keys: credentials of programs that act for a person.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ApiKey {
    /// UUIDv7; it stands in the key itself.
    pub id: Uuid,
    /// What the key is for.
    pub name: String,
    /// What it may do, as far as its owner may at each use.
    #[schema(example = json!(["users:read"]))]
    pub scopes: Vec<String>,
    /// How often it may be used, as `<n>/<window>`; the owner's limit when absent.
    #[schema(example = "100/1m")]
    pub rate_limit: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
}

/// A key of anybody's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct OwnedApiKey {
    /// The key without its secret.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// Whose it is.
    pub owner: KeyOwner,
}

/// The person that a key acts for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct KeyOwner {
    /// The account.
    pub id: Uuid,
    /// The account's address, if one is known.
    pub email: Option<String>,
    /// As the person wants to be called.
    pub display_name: Option<String>,
}

/// Query of `GET /api/v1/api-keys/all`, besides `limit` and `cursor`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApiKeyFilter {
    /// What the key's name begins with; capital and small letters of the Latin alphabet are alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// A key that was just made.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NewApiKey {
    /// The key without its secret.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// `ask_<id>_<secret>`: shown this once, kept by nobody but you.
    pub key: String,
}

/// Body of `POST /api/v1/api-keys`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"name": "nightly report", "scopes": ["users:read"]}))]
pub struct CreateApiKey {
    /// At most 100 characters.
    pub name: String,
    /// Permissions that you hold.
    pub scopes: Vec<String>,
    /// When it is to end; in 90 days when absent, and within 2 years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// How often it may be used, as `<n>/<window>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<String>,
}

/// Body of `POST /api/v1/api-keys/{id}/rotate`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct RotateApiKey {
    /// How long the old key stays good, such as `1h`; a day when absent, 30 days at most, `0s` for not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
}

/// Body of `POST /internal/v1/api-keys/resolve`: for gateways, which never send the secret itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResolveApiKey {
    /// The id in the key.
    pub id: Uuid,
    /// SHA-256 of the secret in the key, in hexadecimal.
    pub secret_sha256: String,
}

/// Whom a key acts for, and what it may do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResolvedApiKey {
    /// Its owner.
    pub user_id: Uuid,
    /// The key's own scopes.
    pub scopes: Vec<String>,
    /// The owner's roles.
    pub roles: Vec<String>,
    /// The scopes that the owner holds now.
    pub permissions: Vec<String>,
    /// When the key ends.
    pub expires_at: Timestamp,
    /// How often it may be used.
    pub rate_limit: Option<String>,
}
