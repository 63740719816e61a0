//! Links in mails: asking for them, and using them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of the calls that send a link to an address.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(example = json!({"email": "test@example.com"}))]
pub struct AddressRequest {
    /// At most 254 characters.
    pub email: String,
}

/// Body of the calls that a link leads to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct LinkRequest {
    /// What stands after `?token=` in the link.
    pub token: String,
}

/// Body of `POST /api/v1/auth/password/reset`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct ResetPasswordRequest {
    /// What stands after `?token=` in the link.
    pub token: String,
    /// 8 to 128 characters, and not easy to guess.
    pub new_password: String,
}
