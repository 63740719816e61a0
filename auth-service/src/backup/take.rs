//! Takes a backup, and removes those that need not stay.

use std::{io::Read, path::PathBuf};

use service_kit::clock::Clock;

use super::{BackupError, BackupName, Keep, Manifest, Place, Recipient, Sealing, archive, postgres, sqlite, store};
use crate::{
    audit::{self, Event},
    config::Config,
    db::{Conn, Db, Engine, Ts},
};

/// What is to be backed up, and how.
pub struct Taking<'a> {
    /// What servers on the database run by.
    pub config: &'a Config,
    /// Where it goes.
    pub place: &'a Place,
    /// For whom it is sealed; nobody's is for everybody.
    pub recipient: Option<Recipient>,
    /// What time it is.
    pub clock: &'a Clock,
}

/// A backup that was taken.
#[derive(Debug)]
pub struct Taken {
    /// Where it is.
    pub at: String,
    /// Its name.
    pub name: BackupName,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// The contents of a backup, with what has to live until they are read.
pub struct Contents {
    /// What to copy; fails at its end if what writes it has failed.
    pub input: Box<dyn Read + Send>,
    /// What it is.
    pub manifest: Manifest,
    /// The transaction whose state is copied.
    pub snapshot: Option<Conn>,
}

/// Takes a backup, beside whatever runs.
///
/// # Errors
/// When there is nothing to back up, or the backup cannot be stored whole; then nothing has its name.
pub async fn take(taking: &Taking<'_>) -> Result<Taken, BackupError> {
    let (config, now) = (taking.config, Ts::from(taking.clock.now()));
    let file: PathBuf = config.db.data_dir.join("auth.db");
    if config.db.primary_url.is_none() && !file.is_file() {
        return Err(BackupError::refused(format!("{}: there is no database to back up", file.display())));
    }
    taking.place.tidy(now);
    let db = Db::open(&config.db, config.extra_roots.as_deref())?;
    record(&db, now).await?;
    let contents = match db.engine() {
        Engine::Sqlite => sqlite::copy(&db, &config.db, now).await?,
        Engine::Postgres => postgres::dump(&db, config, now).await?,
    };
    let sealing = if taking.recipient.is_some() { Sealing::Sealed } else { Sealing::Plain };
    let name = BackupName::new(now, db.engine(), sealing);
    let Contents { mut input, manifest, snapshot } = contents;
    let (recipient, described) = (taking.recipient.clone(), manifest.clone());
    let writing = Box::new(move |out: &mut dyn std::io::Write| {
        let written = archive::write(out, recipient.as_ref(), &described, &mut input);
        written.map(drop).map_err(|cause| BackupError::File(format!("the backup cannot be written: {cause}")))
    });
    let at = taking.place.store(&name, writing).await?;
    drop(snapshot);
    Ok(Taken { at, name, manifest })
}

/// Removes the backups of an engine that need not stay, and says which.
///
/// # Errors
/// When they cannot be listed or removed.
pub async fn prune(place: &Place, keep: Keep, engine: Engine, now: Ts) -> Result<Vec<BackupName>, BackupError> {
    if keep.is_everything() {
        return Ok(Vec::new());
    }
    let superfluous = keep.superfluous(&place.list().await?, engine, now);
    for name in &superfluous {
        place.remove(name).await?;
    }
    Ok(superfluous)
}

/// What a backup says of the state that `conn` sees.
pub(super) async fn describe(conn: &mut Conn, now: Ts) -> Result<Manifest, BackupError> {
    let schema_version = store::find_version(conn).await?;
    Ok(Manifest {
        engine: conn.engine().as_str().to_owned(),
        schema_version: schema_version.ok_or_else(|| BackupError::refused("the database has no schema to back up"))?,
        made_at: now.to_string(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        pg_dump_major: None,
        pg_schema: None,
        rows: store::count(conn).await?,
        audit_head: audit::head(conn).await?.to_string(),
    })
}

/// Before anything is copied: who takes a copy must not be able to hide it by breaking off. A database whose schema is
/// behind has no log to write to, and is refused.
async fn record(db: &Db, now: Ts) -> Result<(), BackupError> {
    let mut tx = db.begin().await?;
    if !store::has_schema(&mut tx).await? {
        return Err(BackupError::refused("the database has no schema of auth-system: there is nothing to back up"));
    }
    audit::Entry::by_system(Event::BackupMade, None).detail("by", "operator").record(&mut tx, now).await?;
    Ok(tx.commit().await?)
}
