//! What a backup says of itself, before its contents.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BackupError, BackupName};
use crate::db::{Engine, Ts, migrate::SCRIPTS};

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Manifest {
    /// `sqlite` or `postgres`.
    pub engine: String,
    /// The number of the newest script that its schema has.
    pub schema_version: i32,
    /// When it was made (RFC 3339).
    pub made_at: String,
    /// The version of the program that made it.
    pub program_version: String,
    /// The major version of the `pg_dump` that wrote the contents.
    pub pg_dump_major: Option<u32>,
    /// The schema in PostgreSQL's own sense that the tables lie in.
    pub pg_schema: Option<String>,
    /// How many rows the main tables have.
    pub rows: BTreeMap<String, i64>,
    /// The end of the audit log's chain, as `audit verify --expect` takes it.
    pub audit_head: String,
}

impl Manifest {
    /// Whether this release on this engine can take it up.
    ///
    /// # Errors
    /// [`BackupError::Refused`] with what can.
    pub fn check(&self, engine: Engine) -> Result<(), BackupError> {
        if self.engine != engine.as_str() {
            return Err(BackupError::refused(format!(
                "this is a backup of {}, and the database here is {}: backups do not move accounts between engines",
                self.engine,
                engine.as_str()
            )));
        }
        let newest = SCRIPTS.last().map_or(0, |script| script.version);
        if self.schema_version > newest {
            return Err(BackupError::refused(format!(
                "the backup has schema {:03}, made by auth-system {}, and this release knows {newest:03}: restore it with that version or a newer one",
                self.schema_version, self.program_version
            )));
        }
        Ok(())
    }

    /// Whether it is the backup that its name says: an old one under a newer name would bring back what was revoked since.
    ///
    /// # Errors
    /// [`BackupError::Refused`] when it is another. Of a name that is not ours nothing is known.
    pub fn check_name(&self, from: &str) -> Result<(), BackupError> {
        let name = from.rsplit('/').next().and_then(|name| name.parse::<BackupName>().ok());
        let made_at = self.made_at.parse::<Timestamp>().ok().map(Ts::from);
        let is_it =
            |name: &BackupName| name.engine().as_str() == self.engine && made_at.is_some_and(|time| name.is_of(time));
        if name.as_ref().is_none_or(is_it) {
            return Ok(());
        }
        Err(BackupError::refused(format!(
            "{from} is a backup of {} of {}, under another's name: give it a name of your own to restore it",
            self.engine, self.made_at
        )))
    }

    /// Whether the contents are as many as it says.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] with the first table that differs.
    pub fn check_rows(&self, found: &BTreeMap<String, i64>) -> Result<(), BackupError> {
        for (table, rows) in &self.rows {
            let there = found.get(table).copied().unwrap_or(0);
            if there != *rows {
                return Err(BackupError::Damaged(format!("{table} has {there} rows, and had {rows} when it was made")));
            }
        }
        Ok(())
    }
}
