//! Errors as RFC 9457 problem details.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of every answer of 400 and above, `application/problem+json`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Problem {
    /// Address of the error's documentation.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Stable name of the error, for programs.
    #[schema(example = "invalid_credentials")]
    pub code: String,
    /// One sentence for people, in Korean or English by `Accept-Language`.
    pub detail: String,
    /// The request's id, as in the server's log.
    pub request_id: String,
    /// What is wrong with each field, all at once; absent where no field is to blame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct FieldError {
    /// Name of the member.
    pub field: String,
    /// Stable name of the fault.
    #[schema(example = "too_short")]
    pub code: String,
    /// One sentence for people.
    pub detail: String,
}
