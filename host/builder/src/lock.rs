//! One process at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Held while it lives; the system releases it when the process ends, however it ends.
pub(crate) struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of `folder`, which is made if it is not there. `waiting` is called when another process has it.
    pub(crate) fn take(folder: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(Self { _file: file })
    }
}
