//! Why there is no backup, or nothing was restored.

use std::{fmt, io, path::Path};

use crate::db::{DbError, migrate::MigrateError};

/// A failed backup or restore, in one line and without any secret.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The schema is not of this release.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// What was asked for is not done; the message says what to do instead.
    #[error("{0}")]
    Refused(String),
    /// The backup is not what was once written.
    #[error("the backup cannot be used: {0}")]
    Damaged(String),
    /// A file failed.
    #[error("{0}")]
    File(String),
    /// A program of PostgreSQL failed.
    #[error("{0}")]
    Program(String),
    /// The store failed.
    #[error("{0}")]
    Store(String),
}

impl BackupError {
    /// A file or folder that failed.
    pub(super) fn file(path: &Path, cause: &io::Error) -> Self {
        Self::File(format!("{}: {cause}", path.display()))
    }

    /// A refusal.
    pub(super) fn refused(reason: impl fmt::Display) -> Self {
        Self::Refused(reason.to_string())
    }
}
