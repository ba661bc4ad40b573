//! Who may write to a log: one program at a time.
//!
//! The system gives a lock back when its holder ends, however it ends.

use crate::{error::LogError, reader::log_folder};
use std::{
    fs::{File, TryLockError},
    path::Path,
};

/// The right to write to a log, until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "holds the lock while it is open")] File);

/// Takes the lock of the log in `run_folder`.
///
/// # Errors
/// There is no log, or another program writes to it.
pub fn lock(run_folder: &Path) -> Result<Lock, LogError> {
    // The folder itself: no file in it is sure to stay.
    let path = log_folder(run_folder)?;
    let file = File::open(&path).map_err(LogError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(LogError::Busy(run_folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(LogError::io("lock", &path)(error)),
    }
}
