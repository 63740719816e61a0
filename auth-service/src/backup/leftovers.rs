//! What runs that were killed have left behind: readable databases, and halves of backups.
//!
//! Removed is only what has the name that such a run gives, holds nothing but what it writes, has not changed for a day,
//! and is used by nobody.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

use crate::db::{FolderLock, Ts};

/// How the folder of a database begins that is copied.
pub const COPY: &str = ".backup-";
/// How the folder of a database begins that is restored.
pub const STAGE: &str = ".restore-";
/// How the file of a backup begins that is being written.
pub const HALF: &str = ".auth-system-backup-";
/// Random letters and digits at the end of their names.
const RANDOM: usize = 6;
/// All that lies in such a folder.
const FILES: [&str; 4] = ["auth.db", "auth.db-wal", "auth.db-shm", "auth.db-journal"];
/// Whose clock is wrong by hours does not lose what is at work.
const OLD: Duration = Duration::from_secs(86_400);

/// Removes old folders from that of a database. What cannot be removed is tried again by the next run.
pub fn remove_folders(data_dir: &Path, now: Ts) {
    let ours = |path: &Path| [COPY, STAGE].iter().any(|prefix| is_named(path, prefix));
    for folder in entries(data_dir).into_iter().filter(|path| ours(path)) {
        drop(remove_folder(&folder, now));
    }
}

/// Removes old halves of backups from a folder of backups.
pub fn remove_halves(folder: &Path, now: Ts) {
    for file in entries(folder).into_iter().filter(|path| is_named(path, HALF)) {
        let is_old = file.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && is_old(&metadata, now));
        if is_old {
            drop(fs::remove_file(&file));
        }
    }
}

fn remove_folder(folder: &Path, now: Ts) -> io::Result<()> {
    let metadata = folder.symlink_metadata()?;
    if !metadata.is_dir() || metadata.permissions().mode() & 0o777 != 0o700 || !is_old(&metadata, now) {
        return Ok(());
    }
    // Whoever works in it has a hold on it, and lost it only by ending.
    let Ok(Some(_alone)) = FolderLock::exclusive(folder) else { return Ok(()) };
    let files = entries(folder);
    for file in &files {
        let metadata = file.symlink_metadata()?;
        let is_known = file.file_name().is_some_and(|name| FILES.iter().any(|known| name == *known));
        if !metadata.is_file() || !is_known || !is_old(&metadata, now) {
            return Ok(());
        }
    }
    files.iter().try_for_each(fs::remove_file)?;
    fs::remove_dir(folder)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn is_named(path: &Path, prefix: &str) -> bool {
    let random = path.file_name().and_then(|name| name.to_str()?.strip_prefix(prefix));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn is_old(metadata: &Metadata, now: Ts) -> bool {
    let changed = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()).map(Ts::from);
    changed.is_some_and(|changed| changed < now.minus(OLD))
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{DirBuilder, File},
        os::unix::fs::DirBuilderExt,
        time::SystemTime,
    };

    use super::*;

    const NOW: Ts = Ts::from_micros(1_795_000_000_000_000);

    fn age(path: &Path, hours: u64) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_000_000_000_000);
        File::open(path).unwrap().set_modified(now - Duration::from_secs(hours * 3600)).unwrap();
    }

    /// A folder with these files, all of this age.
    fn leave(data: &Path, name: &str, files: &[&str], hours: u64) -> PathBuf {
        let folder = data.join(name);
        DirBuilder::new().mode(0o700).create(&folder).unwrap();
        for file in files {
            fs::write(folder.join(file), "x").unwrap();
            age(&folder.join(file), hours);
        }
        age(&folder, hours);
        folder
    }

    #[test]
    fn what_a_killed_run_left_goes_after_a_day() {
        let data = tempfile::tempdir().unwrap();
        leave(data.path(), ".backup-a1B2c3", &["auth.db", "auth.db-wal", "auth.db-shm"], 25);
        leave(data.path(), ".restore-Zz9Yy8", &["auth.db"], 25);
        leave(data.path(), ".restore-empty0", &[], 25);
        remove_folders(data.path(), NOW);
        assert!(entries(data.path()).is_empty(), "{:?}", entries(data.path()));
    }

    #[test]
    fn nothing_else_goes() {
        let data = tempfile::tempdir().unwrap();
        leave(data.path(), ".backup-young1", &["auth.db"], 23);
        let busy = leave(data.path(), ".backup-inuse1", &["auth.db"], 25);
        leave(data.path(), ".backup-notes", &["auth.db"], 25);
        leave(data.path(), "backup-a1B2c3", &["auth.db"], 25);
        leave(data.path(), ".backup-other1", &["auth.db", "mine.txt"], 25);
        let written = leave(data.path(), ".backup-write1", &["auth.db"], 25);
        age(&written.join("auth.db"), 1);
        let open = leave(data.path(), ".backup-open01", &["auth.db"], 25);
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = leave(elsewhere.path(), "target", &["auth.db"], 25);
        std::os::unix::fs::symlink(&target, data.path().join(".backup-link01")).unwrap();
        fs::write(data.path().join(".restore-file01"), "x").unwrap();
        age(&data.path().join(".restore-file01"), 25);
        let _held = FolderLock::shared(&busy).unwrap();
        let before = entries(data.path()).len();
        remove_folders(data.path(), NOW);
        assert_eq!((entries(data.path()).len(), before), (9, 9), "{:?}", entries(data.path()));
        assert!(target.join("auth.db").exists() && open.join("auth.db").exists() && busy.join("auth.db").exists());
    }

    #[test]
    fn halves_of_backups_go_after_a_day_and_backups_stay() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            (".auth-system-backup-a1B2c3", 25),
            (".auth-system-backup-a1B2c4", 23),
            (".auth-system-backup-notes.txt", 25),
            ("auth-system-20200101T000000000Z-sqlite.backup.age", 25),
        ];
        for (name, hours) in names {
            fs::write(folder.path().join(name), "x").unwrap();
            age(&folder.path().join(name), hours);
        }
        remove_halves(folder.path(), NOW);
        let left = names.map(|(name, _)| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true, true]);
    }
}
