//! Where the database is.

use std::path::PathBuf;

use service_kit::config::{Env, Secret};

/// Which database an instance uses.
#[derive(Clone)]
pub struct DbConfig {
    /// PostgreSQL, or nothing for the embedded SQLite.
    pub primary_url: Option<Secret>,
    /// A replica for lists and reports that may lag.
    pub replica_url: Option<Secret>,
    /// The most connections of this instance to one server.
    pub pool_max_size: usize,
    /// The folder of the SQLite file.
    pub data_dir: PathBuf,
    /// Whether to bring the schema up to date at the start.
    pub auto_migrate: bool,
}
