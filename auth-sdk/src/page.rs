//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page of a list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Sent back as `cursor`, it gives the next page; `null` on the last.
    pub next_cursor: Option<String>,
    /// How many rows there are on all pages; `null` where counting them would take long.
    pub total: Option<u64>,
}
