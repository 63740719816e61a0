//! How the outbox fares, in numbers.

use super::store;
use crate::db::{Conn, DbError, Ts};

/// What is in the outbox.
#[derive(Clone, Copy, Debug)]
pub struct Survey {
    /// Mails that wait.
    pub waiting: u64,
    /// Of them, those that were tried before.
    pub retrying: u64,
    /// Since when the oldest one waits.
    pub oldest: Option<Ts>,
    /// Mails that were given up lately.
    pub failed: u64,
}

/// Counts what waits, and what was given up since an instant.
///
/// # Errors
/// When the database fails.
pub async fn survey(conn: &mut Conn, since: Ts) -> Result<Survey, DbError> {
    let row = store::survey_waiting(conn).await?;
    let failed = store::count_failed(conn, since).await?;
    let [waiting, retrying, failed] = [row.waiting, row.retrying, failed].map(|n| u64::try_from(n).unwrap_or(0));
    Ok(Survey { waiting, retrying, oldest: row.oldest, failed })
}
