//! One run of an import: from the file, through batches, into the database.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use service_kit::clock::Clock;
use tokio::sync::mpsc::{self, Receiver};

use super::{
    Format, Mode, SignerKey,
    batch::{Batch, Message, Reading, STATEMENT},
    progress::Progress,
    report::Report,
    row::Rules,
    source::{self, Ending},
    store::{self, Missing},
};
use crate::{
    audit::{self, Event},
    db::{Db, DbError, Engine, Ts, dialect},
    ids::TokenHash,
};

/// Batches that wait: one is being stored, one is ready, one is being filled.
const WAITING: usize = 2;

/// Time between two transactions on SQLite, whose writers wait for each other by looking now and then, every 100 ms at
/// the latest: without it a server that runs meanwhile would hardly ever come to write.
const GAP: Duration = Duration::from_millis(50);

/// What to import, and how.
pub struct Options {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub format: Format,
    /// What to do with it.
    pub mode: Mode,
    /// Where to tell of refused records.
    pub report: Option<PathBuf>,
    /// What Firebase's hashes need.
    pub firebase: Option<SignerKey>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Bytes read.
    pub bytes: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Records read.
    pub records: u64,
    /// Accounts made, or that would be.
    pub added: u64,
    /// Records refused.
    pub refused: u64,
    /// Accounts made without a password.
    pub without_password: u64,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// What it did, together with the runs that it went on from.
    pub seen: Seen,
    /// Records that earlier runs had done.
    pub resumed_after: u64,
    /// Refusals of this run, by code.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Why the file could not be read to its end.
    pub damage: Option<String>,
    /// Whether the last line has no line end, as in a file that was cut short.
    pub is_unfinished: bool,
}

/// Why an import stopped; what it had committed stays, and `--resume` goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{path}: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// An import of the same file has not ended.
    #[error(
        "an import of this very file stopped after {0} records, or is still running: `--resume` goes on where it stopped"
    )]
    Begun(i64),
    /// Another import of the same file is running.
    #[error("another import of this very file is running, so this one has stopped; what it stored is kept")]
    Overtaken,
    /// The reading thread is gone.
    #[error("the file could not be read to its end")]
    Lost,
}

/// Imports a file, and tells `watch` after each batch how far it is.
///
/// # Errors
/// [`ImportError`]; a damaged file is no error but [`Outcome::damage`], for what came before is stored.
pub async fn run(db: &Db, clock: &Clock, options: Options, watch: impl FnMut(&Seen)) -> Result<Outcome, ImportError> {
    let Options { path, format, mode, report, firebase } = options;
    let (file, size) = source::identify(&path, format).map_err(|cause| cannot(&path, cause))?;
    let now = Ts::from(clock.now());
    let progress = begin(db, mode, &file, format, now).await?;
    let mut import = Import {
        db,
        clock,
        file,
        format,
        mode,
        seen: Seen { size, ..Seen::default() },
        progress,
        report: open_report(report.as_deref(), &path, mode, &progress)?,
        read_before: HashSet::new(),
        reasons: BTreeMap::new(),
    };
    import.look();
    if progress.finished_at.is_some() {
        return Ok(import.end(Ending::default(), progress.records));
    }
    store::widen_cache(&mut db.write().await?).await?;
    let roles = store::list_roles(&mut db.read().await?).await?;
    let skip = progress.records.unsigned_abs();
    let reading = Reading { path, format, key: firebase, rules: Rules { roles, now }, skip };
    let (sender, batches) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || reading.run(&sender));
    import.store_all(batches, watch).await
}

/// Where to begin: at the beginning, or where an earlier run of the same file has stopped.
async fn begin(db: &Db, mode: Mode, file: &TokenHash, format: Format, now: Ts) -> Result<Progress, ImportError> {
    if mode == Mode::DryRun {
        return Ok(Progress::default());
    }
    let mut tx = db.begin().await?;
    match (mode, store::find_progress(&mut tx, file).await?) {
        (Mode::Resume, Some(progress)) => return Ok(progress),
        (_, Some(Progress { records, finished_at: None, .. })) if records > 0 => {
            return Err(ImportError::Begun(records));
        }
        (_, Some(_) | None) => {}
    }
    store::begin(&mut tx, file, format.as_str(), now).await?;
    tx.commit().await?;
    Ok(Progress::default())
}

fn open_report(report: Option<&Path>, file: &Path, mode: Mode, progress: &Progress) -> Result<Report, ImportError> {
    let Some(path) = report else { return Ok(Report::none()) };
    let opened = match mode {
        Mode::Resume if is_same_file(path, file) => Err(io::Error::other("this is the file that is imported")),
        Mode::Resume => Report::resume(path, progress.report_bytes.unsigned_abs()),
        Mode::Add | Mode::DryRun => Report::create(path),
    };
    opened.map_err(|cause| cannot(path, cause))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| std::fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

fn cannot(path: &Path, cause: io::Error) -> ImportError {
    ImportError::File { path: path.to_owned(), cause }
}

/// An import under way.
struct Import<'a> {
    db: &'a Db,
    clock: &'a Clock,
    file: TokenHash,
    format: Format,
    mode: Mode,
    seen: Seen,
    progress: Progress,
    report: Report,
    /// In a dry run, hashes of the addresses and usernames that came earlier in the file: 64 bits each.
    read_before: HashSet<u64>,
    reasons: BTreeMap<&'static str, u64>,
}

impl Import<'_> {
    async fn store_all(
        mut self,
        mut batches: Receiver<Message>,
        mut watch: impl FnMut(&Seen),
    ) -> Result<Outcome, ImportError> {
        let resumed_after = self.progress.records;
        loop {
            match batches.recv().await.ok_or(ImportError::Lost)? {
                Message::Batch(batch) => {
                    let bytes = batch.bytes;
                    match self.mode {
                        Mode::Add | Mode::Resume => self.store(batch).await?,
                        Mode::DryRun => self.compare(batch).await?,
                    }
                    self.seen.bytes = bytes;
                    self.look();
                    watch(&self.seen);
                }
                Message::End(ending) => {
                    self.record_end(ending.is_ok()).await?;
                    return Ok(match ending {
                        Ok(ending) => self.end(ending, resumed_after),
                        Err(damage) => {
                            let damage = Some(damage.to_string());
                            Outcome { damage, ..self.end(Ending::default(), resumed_after) }
                        }
                    });
                }
            }
        }
    }

    /// Stores a batch, and that it is stored, in one transaction.
    async fn store(&mut self, mut batch: Batch) -> Result<(), ImportError> {
        let now = self.clock.now().into();
        let mut tx = self.db.begin().await?;
        let mut missing = Vec::new();
        for (people, rows) in batch.json.iter().zip(batch.rows.chunks(STATEMENT)) {
            if store::insert(&mut tx, people, now).await? < rows.len() as u64 {
                missing.extend(store::find_missing(&mut tx, people).await?);
            }
        }
        let next = self.count(&mut batch, &missing)?;
        if !store::advance(&mut tx, &self.file, self.progress.records, &next, now).await? {
            return Err(ImportError::Overtaken);
        }
        tx.commit().await?;
        self.progress = next;
        match self.db.engine() {
            Engine::Sqlite => tokio::time::sleep(GAP).await,
            Engine::Postgres => {}
        }
        Ok(())
    }

    /// Counts a batch as [`Import::store`] would, and changes nothing.
    async fn compare(&mut self, mut batch: Batch) -> Result<(), ImportError> {
        let mut missing = Vec::new();
        for people in &batch.json {
            missing.extend(store::find_missing(&mut self.db.read().await?, people).await?);
        }
        for Missing { n, email_taken, username_taken } in &mut missing {
            let Some(row) = usize::try_from(*n).ok().and_then(|n| batch.rows.get(n)) else { continue };
            *email_taken = *email_taken || self.read_before.contains(&fingerprint("email", &row.email));
            let username = row.username.as_ref().map(|name| fingerprint("username", &name.to_ascii_lowercase()));
            *username_taken = *username_taken || username.is_some_and(|name| self.read_before.contains(&name));
            if !*email_taken && !*username_taken {
                self.read_before.extend([fingerprint("email", &row.email)].into_iter().chain(username));
            }
        }
        missing.retain(|person| person.email_taken || person.username_taken);
        self.progress = self.count(&mut batch, &missing)?;
        Ok(())
    }

    /// Writes down who of a batch is refused, and counts the others.
    fn count(&mut self, batch: &mut Batch, missing: &[Missing]) -> Result<Progress, ImportError> {
        batch.refuse(missing);
        batch.add_reasons(&mut self.reasons);
        let report_bytes = self.report.write(&batch.refused).map_err(|cause| cannot(Path::new("the report"), cause))?;
        let is_missing: HashSet<i64> = missing.iter().map(|person| person.n).collect();
        let added = batch.rows.iter().filter(|row| !is_missing.contains(&(row.n as i64)));
        self.seen.without_password += added.filter(|row| !row.has_password()).count() as u64;
        Ok(Progress {
            records: i64::try_from(batch.records).unwrap_or(i64::MAX),
            added: self.progress.added + (batch.rows.len() - missing.len()) as i64,
            refused: self.progress.refused + batch.refused.len() as i64,
            report_bytes: i64::try_from(report_bytes).unwrap_or(i64::MAX),
            finished_at: None,
        })
    }

    /// Notes in the audit log what the run has done, and that the import is done if its file was read to the end.
    async fn record_end(&self, is_whole: bool) -> Result<(), ImportError> {
        if self.mode == Mode::DryRun {
            return Ok(());
        }
        let now = self.clock.now().into();
        let mut tx = self.db.begin().await?;
        if is_whole {
            store::finish(&mut tx, &self.file, now).await?;
        }
        let entry = audit::Entry::by_system(Event::UsersImported, None).detail("format", self.format.as_str());
        let entry = entry.detail("records", self.seen.records).detail("added", self.seen.added);
        let entry = entry.detail("refused", self.seen.refused).detail("complete", is_whole);
        entry.record(&mut tx, now).await?;
        tx.commit().await?;
        let mut conn = self.db.write().await?;
        conn.run_script(dialect::TAKE_STOCK.on(self.db.engine())).await?;
        Ok(())
    }

    /// Brings what is seen up to what is done.
    fn look(&mut self) {
        self.seen.records = self.progress.records.unsigned_abs();
        self.seen.added = self.progress.added.unsigned_abs();
        self.seen.refused = self.progress.refused.unsigned_abs();
    }

    fn end(self, Ending { is_unfinished }: Ending, resumed_after: i64) -> Outcome {
        let resumed_after = resumed_after.unsigned_abs();
        Outcome { seen: self.seen, resumed_after, reasons: self.reasons, damage: None, is_unfinished }
    }
}

fn fingerprint(kind: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, text).hash(&mut hasher);
    hasher.finish()
}
