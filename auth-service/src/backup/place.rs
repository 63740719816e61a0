//! Where backups lie: a folder, a file, or a store that speaks S3.

use std::{
    fs::{self, File},
    io::{BufWriter, Seek, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{BackupError, BackupName, S3Config, bucket::Bucket, leftovers};
use crate::db::Ts;

/// Endings of files that may be named in place of a folder.
const FILE_ENDINGS: [&str; 2] = ["backup", "age"];
/// How the address of a store begins.
const S3: &str = "s3://";

/// What writes a backup, once there is something to write it to.
pub type Writing = Box<dyn FnOnce(&mut dyn Write) -> Result<(), BackupError> + Send>;

/// Where backups go to, or come from.
pub enum Place {
    /// Into a folder, by their own names.
    Folder(PathBuf),
    /// Into one file.
    File(PathBuf),
    /// Into a store, behind a prefix.
    Bucket {
        /// The bucket.
        bucket: Box<Bucket>,
        /// What keys begin with: empty, or ending with a slash.
        prefix: String,
    },
}

impl Place {
    /// Where new backups go.
    ///
    /// # Errors
    /// When there is no such folder, or the store's address or credentials are missing.
    pub fn to(text: &str, s3: &S3Config, extra_roots: Option<&[u8]>) -> Result<Self, BackupError> {
        if let Some(address) = text.strip_prefix(S3) {
            let (name, prefix) = address.split_once('/').unwrap_or((address, ""));
            let prefix = prefix.trim_matches('/');
            let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            return Ok(Self::Bucket { bucket: Box::new(Bucket::open(name, s3, extra_roots)?), prefix });
        }
        let path = PathBuf::from(text);
        if path.is_dir() {
            return Ok(Self::Folder(path));
        }
        let is_file = path.extension().is_some_and(|ending| FILE_ENDINGS.iter().any(|known| ending == *known));
        if is_file {
            return Ok(Self::File(path));
        }
        Err(BackupError::refused(format!(
            "{text}: there is no such folder; make it (mkdir -m 700), or name a file that ends with .backup or .age"
        )))
    }

    /// Stores a backup under its name, whole or not at all, and says where it is.
    ///
    /// # Errors
    /// When it cannot be written; then nothing has the name.
    pub async fn store(&self, name: &BackupName, write: Writing) -> Result<String, BackupError> {
        match self {
            Self::Folder(folder) => store_file(folder.join(name.to_string()), write).await,
            Self::File(path) => store_file(path.clone(), write).await,
            Self::Bucket { bucket, prefix } => {
                let key = format!("{prefix}{name}");
                bucket.put(&key, write).await?;
                Ok(format!("{S3}{}/{key}", bucket.name()))
            }
        }
    }

    /// The backups that lie there; of a single file, none.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn list(&self) -> Result<Vec<BackupName>, BackupError> {
        match self {
            Self::Folder(folder) => {
                let cannot = |cause| BackupError::file(folder, &cause);
                let mut names = Vec::new();
                for entry in fs::read_dir(folder).map_err(cannot)? {
                    names.extend(entry.map_err(cannot)?.file_name().to_str().and_then(|name| name.parse().ok()));
                }
                Ok(names)
            }
            Self::File(_) => Ok(Vec::new()),
            Self::Bucket { bucket, prefix } => {
                let keys = bucket.list(prefix).await?;
                Ok(keys.iter().filter_map(|key| key.strip_prefix(prefix.as_str())?.parse().ok()).collect())
            }
        }
    }

    /// Removes what was left of backups that were broken off. A store does that by itself.
    pub fn tidy(&self, now: Ts) {
        if let Self::Folder(folder) = self {
            leftovers::remove_halves(folder, now);
        }
    }

    /// Removes a backup.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn remove(&self, name: &BackupName) -> Result<(), BackupError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name.to_string());
                fs::remove_file(&path).map_err(|cause| BackupError::file(&path, &cause))
            }
            Self::File(_) => Ok(()),
            Self::Bucket { bucket, prefix } => bucket.delete(&format!("{prefix}{name}")).await,
        }
    }
}

/// Opens a backup by its address; of a folder or a prefix, the newest.
///
/// # Errors
/// When there is none.
pub async fn open(from: &str, s3: &S3Config, extra_roots: Option<&[u8]>) -> Result<(String, File), BackupError> {
    let Some(address) = from.strip_prefix(S3) else {
        let mut path = PathBuf::from(from);
        if path.is_dir() {
            path.push(newest(&Place::Folder(path.clone()), from).await?.to_string());
        }
        let file = File::open(&path).map_err(|cause| BackupError::file(&path, &cause))?;
        return Ok((path.display().to_string(), file));
    };
    let last = address.rsplit('/').next().unwrap_or_default();
    let is_one = FILE_ENDINGS.iter().any(|ending| Path::new(last).extension().is_some_and(|found| found == *ending));
    let (name, key) = address.split_once('/').unwrap_or((address, ""));
    let (bucket, key) = if is_one {
        (Box::new(Bucket::open(name, s3, extra_roots)?), key.to_owned())
    } else {
        let place = Place::to(from, s3, extra_roots)?;
        let newest = newest(&place, from).await?;
        let Place::Bucket { bucket, prefix } = place else { return Err(BackupError::refused(from)) };
        (bucket, format!("{prefix}{newest}"))
    };
    // Without a name, and sealed as it came.
    let mut file = tempfile::tempfile().map_err(|cause| BackupError::File(format!("no temporary file: {cause}")))?;
    bucket.get(&key, &mut file).await?;
    file.rewind().map_err(|cause| BackupError::File(cause.to_string()))?;
    Ok((format!("{S3}{name}/{key}"), file))
}

async fn newest(place: &Place, shown: &str) -> Result<BackupName, BackupError> {
    let newest = place.list().await?.into_iter().max_by_key(BackupName::made_at);
    newest.ok_or_else(|| BackupError::refused(format!("{shown}: there is no backup")))
}

async fn store_file(path: PathBuf, write: Writing) -> Result<String, BackupError> {
    let work = tokio::task::spawn_blocking(move || {
        write_file(&path, write)?;
        Ok(path.display().to_string())
    });
    work.await.unwrap_or_else(|cause| Err(BackupError::File(cause.to_string())))
}

/// A file appears under its name when it is whole and on the disk, its owner's alone, and takes nobody's place.
fn write_file(path: &Path, write: Writing) -> Result<(), BackupError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |cause| BackupError::file(path, &cause);
    let mut file = NamedTempFile::with_prefix_in(leftovers::HALF, folder).map_err(cannot)?;
    let mut out = BufWriter::new(&mut file);
    write(&mut out)?;
    out.flush().map_err(cannot)?;
    drop(out);
    file.as_file().sync_all().map_err(cannot)?;
    file.persist_noclobber(path).map_err(|cause| cannot(cause.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)
}
