//! How the system fares, for its operators: this instance in numbers, and every instance and gateway there is.
//!
//! Instances write a row of their own every ten seconds, and gateways have one written by reporting to any instance. So
//! whoever answers knows of all, and who is not heard of is late.

pub mod beat;
mod gateways;
pub(crate) mod http;
mod lately;
mod status;
mod store;

pub use lately::Lately;

use std::time::Duration;

use uuid::Uuid;

use crate::db::{Conn, DbError, Ts};

/// Who is not heard of for longer is late: three reports.
const LATE_AFTER: Duration = Duration::from_secs(30);
/// How long somebody is listed who is not heard of.
const LISTED_FOR: Duration = Duration::from_secs(86_400);

const API: &str = "api";
const GATEWAY: &str = "gateway";

/// Which instance this is.
#[derive(Clone, Copy, Debug)]
pub struct Instance {
    /// Chosen at its start.
    pub id: Uuid,
    /// When that was.
    pub started_at: Ts,
}

/// Forgets who was not heard of for long.
///
/// # Errors
/// When the database fails.
pub async fn delete_old(conn: &mut Conn, now: Ts) -> Result<(), DbError> {
    store::delete_old(conn, now.minus(LISTED_FOR), now.minus(LATE_AFTER)).await
}
