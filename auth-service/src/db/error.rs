//! What a caller can do about a failed statement.

use std::borrow::Cow;

use super::dialect;

/// A failed statement or connection.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database is away, hangs, is full or is overloaded: nothing happened, try again later.
    #[error("could not connect to server: {0}")]
    Unavailable(Cow<'static, str>),
    /// A unique value is taken.
    #[error("a unique value is taken")]
    Duplicate,
    /// The statement itself failed: a defect of ours or a foreign schema.
    #[error("statement failed: {0}")]
    Statement(sqlx::Error),
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        if error.as_database_error().is_some_and(|fault| fault.is_unique_violation()) {
            Self::Duplicate
        } else if is_outage(&error) {
            Self::Unavailable(Cow::Owned(error.to_string()))
        } else {
            Self::Statement(error)
        }
    }
}

/// Whether the fault lies with the server or the way to it, not with the statement.
fn is_outage(error: &sqlx::Error) -> bool {
    if let Some(fault) = error.as_database_error() {
        return dialect::is_outage(fault);
    }
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed)
}
