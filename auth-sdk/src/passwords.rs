//! What passwords must be.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET /api/v1/auth/password-policy`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct PasswordPolicy {
    /// `nist`, `kisa-2019` or `legacy-8x3`.
    #[schema(example = "nist")]
    pub policy: String,
    /// Fewest characters, counted as Unicode code points.
    #[schema(example = 8)]
    pub min_length: usize,
    /// Most characters.
    #[schema(example = 128)]
    pub max_length: usize,
    /// How many of the kinds letters, digits and special characters there must be.
    #[schema(example = 1)]
    pub min_kinds: usize,
    /// Characters from which one kind is enough.
    pub any_kind_from_length: Option<usize>,
    /// Whether three of the same character, or three that follow each other, are refused.
    pub refuses_runs: bool,
    /// Whether the person's own username, name and address are refused inside a password.
    pub refuses_own_names: bool,
    /// Whether a password that is estimated to be easy to guess is refused.
    pub estimates_strength: bool,
    /// Whether the most used passwords are refused.
    pub checks_common: bool,
    /// Whether passwords known from breaches are refused.
    pub checks_breached: bool,
    /// Days after which a password must be replaced.
    pub expires_after_days: Option<u32>,
}

/// Answer of a login whose password was right and is too old: nobody is logged in.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct PasswordExpired {
    /// Always `password_expired`.
    #[schema(example = "password_expired")]
    pub status: String,
    /// For `POST /api/v1/auth/password/reset`, with the new password.
    pub reset_token: String,
    /// Life of the token in seconds.
    #[schema(example = 900)]
    pub expires_in: u64,
}
