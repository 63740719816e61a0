//! Backups of the database, and bringing it back from one.
//!
//! A backup is one consistent state of every table, taken beside running servers, sealed for a public key, and stored
//! whole or not at all. What is not in it are secrets that lie outside the database: the configured signing key,
//! `SECRETS_KEY`, and in development what `DATA_DIR` holds besides `auth.db`.

mod archive;
mod bucket;
mod config;
mod ending;
mod error;
mod leftovers;
mod manifest;
mod name;
mod place;
mod postgres;
mod programs;
mod proof;
mod restore;
mod script;
mod sqlite;
mod store;
mod take;

pub use archive::Identity;
pub use config::{BackupConfig, Recipient, S3Config};
pub use error::BackupError;
pub use manifest::Manifest;
pub use name::{BackupName, Keep, Sealing};
pub use place::Place;
pub use restore::{Over, Restored, Restoring, Sessions, restore};
pub use take::{Taken, Taking, prune, take};
