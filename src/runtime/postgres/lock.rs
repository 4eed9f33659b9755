//! Who owns the server of a data folder: the process that holds this lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Error;

/// The lock of a data folder. The operating system frees it when its holder goes, however it goes.
#[derive(Debug)]
pub(super) struct OwnerLock {
    file: File,
    path: PathBuf,
}

impl OwnerLock {
    /// Opens the lock without taking it.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(Error::io("open", path))?;
        Ok(Self {
            file,
            path: path.to_path_buf(),
        })
    }

    /// Takes the lock if it is free; says whether we hold it now.
    pub(super) fn take(&self) -> Result<bool, Error> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &self.path)(error)),
        }
    }
}
