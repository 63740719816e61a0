//! Brings the database back from a backup.

use std::path::PathBuf;

use service_kit::clock::Clock;

use super::{BackupError, Identity, Manifest, archive::Archive, place, postgres, sqlite};
use crate::{
    audit::{self, Event, Link},
    config::Config,
    db::Engine,
};

/// What may be lost by a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nothing: a database that holds accounts is left alone.
    Nothing,
    /// The accounts that are there.
    Accounts,
}

/// What becomes of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// All end: what was revoked since the backup is not known any more, so nothing that was handed out is believed.
    End,
    /// They are as they were at the backup: those that have ended since live again.
    Keep,
}

/// What to restore, and how.
pub struct Restoring<'a> {
    /// What servers on the database run by.
    pub config: &'a Config,
    /// The backup's address; of a folder or a prefix, the newest in it.
    pub from: &'a str,
    /// What opens it.
    pub identity: Option<Identity>,
    /// What may be lost.
    pub over: Over,
    /// A place of the audit log that was noted, and that the backup's must hold.
    pub expect: Option<Link>,
    /// What becomes of sessions.
    pub sessions: Sessions,
    /// What time it is.
    pub clock: &'a Clock,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The backup's address.
    pub from: String,
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// Where the database is that was there before, if it was kept.
    pub old: Option<PathBuf>,
}

/// Brings the database back: as a whole, or not at all.
///
/// # Errors
/// When the backup is damaged, or not for this database, or accounts would be lost, or a server runs; then everything is
/// as it was.
pub async fn restore(restoring: &mut Restoring<'_>) -> Result<Restored, BackupError> {
    let config = restoring.config;
    let (from, file) = place::open(restoring.from, &config.backup.s3, config.extra_roots.as_deref()).await?;
    let archive = Archive::open(file, restoring.identity.take())?;
    let manifest = archive.manifest().clone();
    manifest.check_name(&from)?;
    let engine = if config.db.primary_url.is_some() { Engine::Postgres } else { Engine::Sqlite };
    manifest.check(engine)?;
    let old = match engine {
        Engine::Sqlite => sqlite::restore(archive, restoring).await?,
        Engine::Postgres => {
            postgres::restore(archive, restoring).await?;
            None
        }
    };
    Ok(Restored { from, manifest, old })
}

/// What is noted in the log that came with the backup, in the transaction that puts it in place: whatever was noted since
/// is gone.
pub(super) fn entry(manifest: &Manifest, sessions: Sessions) -> audit::Entry<'static> {
    let entry = audit::Entry::by_system(Event::DatabaseRestored, None).detail("by", "operator");
    let entry = entry.detail("backup_made_at", manifest.made_at.as_str());
    entry.detail("sessions_ended", sessions == Sessions::End)
}
