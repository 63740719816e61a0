//! Whether an instance can serve: its schema is current, its database answers, and it is not leaving.

use std::sync::atomic::{AtomicBool, Ordering};

use service_kit::shutdown::Shutdown;

use crate::db::DbError;

/// The state of an instance; it begins as not ready.
#[derive(Debug)]
pub struct Readiness {
    schema_current: AtomicBool,
    schema_complained: AtomicBool,
    database_up: AtomicBool,
    shutdown: Shutdown,
}

impl Readiness {
    /// The state of an instance that leaves when `shutdown` is requested.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            schema_current: AtomicBool::new(false),
            schema_complained: AtomicBool::new(false),
            // Believed until it is asked, before anything is served: so a database that is away at the start is logged.
            database_up: AtomicBool::new(true),
            shutdown,
        }
    }

    /// Whether requests should be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.schema_current.load(Ordering::Relaxed) && self.is_database_up() && !self.shutdown.is_requested()
    }

    /// Whether the database answered when it was last asked, at most a few seconds ago.
    #[must_use]
    pub fn is_database_up(&self) -> bool {
        self.database_up.load(Ordering::Relaxed)
    }

    /// Whether the schema was found current.
    #[must_use]
    pub fn is_schema_current(&self) -> bool {
        self.schema_current.load(Ordering::Relaxed)
    }

    /// Notes that the schema is current.
    pub fn schema_is_current(&self) {
        self.schema_current.store(true, Ordering::Relaxed);
    }

    /// Notes that it is not, and says so once.
    pub fn schema_is_wrong(&self, complaint: &dyn std::fmt::Display) {
        if !self.schema_complained.swap(true, Ordering::Relaxed) {
            tracing::error!("not ready: {complaint}");
        }
    }

    /// Notes how the database answered, and logs when that changes.
    pub fn database_answered<T>(&self, outcome: &Result<T, DbError>) {
        let is_up = outcome.is_ok();
        if self.database_up.swap(is_up, Ordering::Relaxed) != is_up {
            match outcome {
                Ok(_) => tracing::info!("the database answers"),
                Err(cause) => tracing::error!("the database does not answer: {cause}"),
            }
        }
    }

    /// Returns once the instance is leaving: what would go on for ever ends then, and begins again elsewhere.
    pub async fn leaving(&self) {
        self.shutdown.requested().await;
    }
}
