//! How the system fares, for its operators: this instance in numbers, and every instance and gateway there is.

pub(crate) mod http;
mod lately;
mod status;

pub use lately::Lately;

use uuid::Uuid;

use crate::db::Ts;

/// Which instance this is.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    /// Chosen at its start.
    pub id: Uuid,
    /// When that was.
    pub started_at: Ts,
}
