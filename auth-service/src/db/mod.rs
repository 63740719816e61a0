//! The database: one SQL text on PostgreSQL and on SQLite, dispatched by an enum and one macro.
//!
//! Stores take `&mut Conn`; the handler or rule that calls them begins and commits. Nothing waits on a database
//! without a limit: a pool that is exhausted and a statement that hangs both end as [`DbError::Unavailable`].

mod config;
mod conn;
pub mod dialect;
mod error;
mod folder_lock;
mod many;
pub mod migrate;
mod pool;
mod restore_lock;
mod statement;
mod time;

pub use config::DbConfig;
pub use conn::Conn;
pub(crate) use conn::{limit, run};
pub use error::DbError;
pub use folder_lock::FolderLock;
pub use many::{Column, Table};
pub use pool::{Db, Engine};
pub use restore_lock::{RESTORE_LOCK, refuse_while_restored};
pub use statement::{Bind, Statement};
pub use time::Ts;
