//! How far an import has come: kept in the database and moved with each batch, so that the two never differ.

use crate::db::Ts;

/// The state of one import.
#[derive(Clone, Copy, Debug, Default, sqlx::FromRow)]
pub struct Progress {
    /// Records of the file that are done.
    pub records: i64,
    /// Accounts that were made.
    pub added: i64,
    /// Records that were refused.
    pub refused: i64,
    /// Bytes of the report about the records that are done.
    pub report_bytes: i64,
    /// When the end of the file was reached.
    pub finished_at: Option<Ts>,
}
