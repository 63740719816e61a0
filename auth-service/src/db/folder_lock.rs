//! Who uses the folder of an SQLite file: everybody who has the database open, or one who puts another in its place.
//!
//! SQLite's own locks belong to the file, which a restore replaces: whoever opened the old one would go on writing to it.

use std::{fs::File, path::Path};

use rustix::fs::{FlockOperation, flock};

use super::DbError;

/// A hold on a folder, until it is dropped or its process ends, however that ends.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the lock is the file's, and ends with it")] File);

impl FolderLock {
    /// One of any number of users of the database.
    ///
    /// # Errors
    /// When a restore replaces it now.
    pub fn shared(folder: &Path) -> Result<Self, DbError> {
        Self::take(folder, FlockOperation::NonBlockingLockShared)?
            .ok_or_else(|| unavailable(folder, "a restore is running"))
    }

    /// The only user; nothing when there are others.
    ///
    /// # Errors
    /// When the folder cannot be locked at all.
    pub fn exclusive(folder: &Path) -> Result<Option<Self>, DbError> {
        Self::take(folder, FlockOperation::NonBlockingLockExclusive)
    }

    fn take(folder: &Path, how: FlockOperation) -> Result<Option<Self>, DbError> {
        let file = File::open(folder).map_err(|cause| unavailable(folder, &cause.to_string()))?;
        match flock(&file, how) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(cause) => Err(unavailable(folder, &cause.to_string())),
        }
    }
}

fn unavailable(folder: &Path, what: &str) -> DbError {
    DbError::Unavailable(format!("DATA_DIR {}: {what}", folder.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_may_use_a_folder_or_one_may_replace_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let users = [FolderLock::shared(folder.path()).unwrap(), FolderLock::shared(folder.path()).unwrap()];
        assert!(FolderLock::exclusive(folder.path()).unwrap().is_none());
        drop(users);
        let alone = FolderLock::exclusive(folder.path()).unwrap();
        assert!(alone.is_some());
        let refused = FolderLock::shared(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("a restore is running"), "{refused}");
        drop(alone);
        FolderLock::shared(folder.path()).unwrap();
    }
}
