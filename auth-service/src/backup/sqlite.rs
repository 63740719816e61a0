//! SQLite: a copy made by the engine itself while others write, and a new file in the place of the old one.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{
    BackupError, Manifest, Over, Restoring, Sessions, archive::Archive, ending, leftovers, proof::prove,
    restore::entry, store, take,
};
use crate::db::{
    Conn, Db, DbConfig, DbError, FolderLock, Ts,
    migrate::{self, SCRIPTS},
};

const FILE: &str = "auth.db";
const COPY: &str = "VACUUM INTO $1";
const CHECK: &str = "PRAGMA integrity_check";
/// Everything in the file itself, so that the file is all there is.
const FOLD: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// The same of a file that nobody else has open; fails where somebody does.
const LEAVE_WAL: &str = "PRAGMA journal_mode = DELETE";

/// A copy of the database on disk, beside it and removed with its last reader.
struct Copy {
    file: File,
    _folder: Beside,
}

/// A folder in that of the database: on the same disk, and as private. Those that a killed run has left are told by the
/// hold that it had.
struct Beside {
    _hold: FolderLock,
    folder: TempDir,
}

impl Read for Copy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Beside {
    /// Makes one, and removes those of before.
    fn make(data_dir: &Path, prefix: &str, now: Ts) -> Result<Self, BackupError> {
        leftovers::remove_folders(data_dir, now);
        let own = fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(prefix).permissions(own).tempdir_in(data_dir);
        let folder = folder.map_err(|cause| BackupError::file(data_dir, &cause))?;
        Ok(Self { _hold: FolderLock::shared(folder.path())?, folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Copies the database as it is at one moment, while others write.
pub async fn copy(db: &Db, config: &DbConfig, now: Ts) -> Result<take::Contents, BackupError> {
    let folder = Beside::make(&config.data_dir, leftovers::COPY, now)?;
    let path = folder.path().join(FILE);
    if let Conn::Sqlite(lease) = &mut db.write().await? {
        // It may take longer than any statement of a server.
        let copied = sqlx::query(COPY).bind(path.to_string_lossy().into_owned()).execute(lease.get()).await;
        copied.map_err(DbError::from)?;
    }
    let copied = Db::open(&DbConfig { data_dir: folder.path().to_owned(), ..config.clone() }, None)?;
    let mut conn = copied.write().await?;
    let manifest = take::describe(&mut conn, now).await?;
    conn.run_script(FOLD).await?;
    let file = File::open(&path).map_err(|cause| BackupError::file(&path, &cause))?;
    Ok(take::Contents { input: Box::new(Copy { file, _folder: folder }), manifest, snapshot: Some(conn) })
}

/// Puts the database of a backup in the place of this one, and says where the old one went.
pub async fn restore(archive: Archive, restoring: &Restoring<'_>) -> Result<Option<PathBuf>, BackupError> {
    let config = &restoring.config.db;
    let target = config.data_dir.join(FILE);
    let cannot = |cause| BackupError::file(&config.data_dir, &cause);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir).map_err(cannot)?;
    let _alone = FolderLock::exclusive(&config.data_dir)?.ok_or_else(|| {
        BackupError::refused(format!("{} is in use: stop auth-system first", config.data_dir.display()))
    })?;
    // From here on nobody issues tokens: what ends those of before outlives the last.
    let now = Ts::from(restoring.clock.now());
    let holds_accounts = close_old(&target).await?;
    if holds_accounts && restoring.over == Over::Nothing {
        return Err(BackupError::refused(format!(
            "{} holds accounts: to put the backup in its place, say --replace",
            target.display()
        )));
    }
    let folder = Beside::make(&config.data_dir, leftovers::STAGE, now)?;
    let manifest = archive.manifest().clone();
    let staged = folder.path().join(FILE);
    unpack(archive, staged.clone()).await?;
    let db = Db::open(&DbConfig { data_dir: folder.path().to_owned(), ..config.clone() }, None)?;
    prepare(&db, &manifest, restoring, now).await?;
    drop(db);
    File::open(&staged).and_then(|file| file.sync_all()).map_err(cannot)?;
    own_alike(&staged, &config.data_dir).map_err(cannot)?;
    let old = if holds_accounts { Some(keep_old(&target, now).map_err(cannot)?) } else { None };
    fs::rename(&staged, &target).map_err(cannot)?;
    File::open(&config.data_dir).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    Ok(old)
}

/// Proves what was unpacked, and makes it ready to be served.
async fn prepare(db: &Db, manifest: &Manifest, restoring: &Restoring<'_>, now: Ts) -> Result<(), BackupError> {
    let mut conn = db.write().await?;
    if let Conn::Sqlite(lease) = &mut conn {
        let (found,): (String,) = sqlx::query_as(CHECK).fetch_one(lease.get()).await.map_err(damaged)?;
        if found != "ok" {
            return Err(BackupError::Damaged(found.lines().next().unwrap_or_default().to_owned()));
        }
    }
    drop(conn);
    migrate::check(db, SCRIPTS).await?;
    if let Some(expected) = &restoring.expect {
        prove(db, expected).await?;
    }
    let mut tx = db.begin().await?;
    manifest.check_rows(&store::count(&mut tx).await?)?;
    if restoring.sessions == Sessions::End {
        let life = restoring.config.sessions.access_token_life;
        let ending = ending::script(tx.engine(), life, now);
        store::run_numbers(&mut tx, ending).await?;
    }
    entry(manifest, restoring.sessions).record(&mut tx, now).await?;
    // Every account was changed, and a slow disk takes its time.
    tx.commit_unhurried().await?;
    db.write().await?.run_script(FOLD).await?;
    Ok(())
}

/// Whether the old database holds accounts; leaves it as a single file that nobody has open.
async fn close_old(path: &Path) -> Result<bool, BackupError> {
    if !path.exists() {
        return Ok(false);
    }
    let options = SqliteConnectOptions::new().filename(path).disable_statement_logging();
    let unreadable = |cause: sqlx::Error| {
        BackupError::refused(format!("{} cannot be read ({cause}): move it away, then restore", path.display()))
    };
    let mut old = options.connect().await.map_err(unreadable)?;
    let (tables,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'users'")
            .fetch_one(&mut old)
            .await
            .map_err(unreadable)?;
    let mut accounts = 0;
    if tables > 0 {
        (accounts,) = sqlx::query_as("SELECT COUNT(*) FROM users").fetch_one(&mut old).await.map_err(unreadable)?;
    }
    let (mode,): (String,) = sqlx::query_as(LEAVE_WAL).fetch_one(&mut old).await.map_err(|_| in_use(path))?;
    old.close().await.map_err(unreadable)?;
    if mode == "delete" { Ok(accounts > 0) } else { Err(in_use(path)) }
}

/// The old database under another name, and still under its own: at no moment is there none.
fn keep_old(target: &Path, now: Ts) -> io::Result<PathBuf> {
    let time = jiff::Timestamp::from(now).strftime("%Y%m%dT%H%M%S%3fZ");
    let old = target.with_file_name(format!("{FILE}.replaced-{time}"));
    fs::hard_link(target, &old)?;
    Ok(old)
}

async fn unpack(archive: Archive, path: PathBuf) -> Result<(), BackupError> {
    let work = tokio::task::spawn_blocking(move || {
        let mut file = File::create_new(&path).map_err(|cause| BackupError::file(&path, &cause))?;
        archive.copy_contents(&mut file)?;
        file.flush().and_then(|()| file.rewind()).map_err(|cause| BackupError::file(&path, &cause))
    });
    work.await.unwrap_or_else(|cause| Err(BackupError::File(cause.to_string())))
}

/// Gives the database to whom its folder belongs, and to nobody else: root may restore, but does not serve.
fn own_alike(staged: &Path, data_dir: &Path) -> io::Result<()> {
    let folder = fs::metadata(data_dir)?;
    if fs::metadata(staged)?.uid() != folder.uid() {
        chown(staged, Some(folder.uid()), Some(folder.gid()))?;
    }
    fs::set_permissions(staged, fs::Permissions::from_mode(0o600))
}

fn in_use(path: &Path) -> BackupError {
    BackupError::refused(format!("{} is in use: stop whatever has it open", path.display()))
}

fn damaged(cause: sqlx::Error) -> BackupError {
    BackupError::Damaged(cause.to_string())
}
