//! Who may write to a folder: one program at a time.
//!
//! ```text
//! .lock    locked by the system for who writes; says which process that is, and what it does
//! ```
//!
//! The system gives the lock back when its holder ends, however it ends. Its file lies in the
//! folder, so that it holds by whatever path the folder is found, and is removed with it: whoever
//! gets a lock looks whether its file is still the one that is there. One that a killed holder left
//! is put away unread.

use crate::{error::LogError, plain};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

/// Name of the file that is locked.
pub const FILE: &str = ".lock";

/// The right to write to a folder, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    /// Holds the lock while it is open.
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path).unwrap_or(false) {
            // One that stays behind is nobody's, and the next holder puts it away.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Takes the lock of `folder`, for `doing`: what the next one is told who comes too late.
///
/// # Errors
/// [`LogError::Busy`] where another program, or another part of this one, holds it; or the folder
/// cannot be written to.
pub fn lock(folder: &Path, doing: &str) -> Result<Lock, LogError> {
    let path = folder.join(FILE);
    loop {
        let file = open(&path)?;
        match file.try_lock() {
            Err(TryLockError::Error(error)) => return Err(LogError::io("lock", &path)(error)),
            // Its holder has ended, or is about to, and has removed it already.
            Ok(()) | Err(TryLockError::WouldBlock) if !is_at(&file, &path)? => {}
            Err(TryLockError::WouldBlock) => return Err(busy(folder, &path)),
            Ok(()) if is_empty(&file, &path)? => return Ok(Lock::new(file, path, doing)),
            // Another one may have opened it already, but will not find it in its place.
            Ok(()) => fs::remove_file(&path).map_err(LogError::io("remove", &path))?,
        }
    }
}

impl Lock {
    fn new(mut file: File, path: PathBuf, doing: &str) -> Self {
        // On a full disk nobody is told who holds it; it holds all the same.
        let _ = file
            .write_all(format!("process {}, `voltide {doing}`\n", std::process::id()).as_bytes());
        Self { path, file }
    }
}

fn open(path: &Path) -> Result<File, LogError> {
    plain::refuse_other(path).map_err(LogError::io("lock", path))?;
    // Nothing is cut off: until the lock is had, what stands there is its holder's.
    let options = File::options().read(true).append(true).create(true).open(path);
    options.map_err(LogError::io("create", path))
}

/// Whether the open file is the one at `path`.
fn is_at(file: &File, path: &Path) -> Result<bool, LogError> {
    let open = file.metadata().map_err(LogError::io("read", path))?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(LogError::io("read", path)(error)),
    }
}

fn is_empty(file: &File, path: &Path) -> Result<bool, LogError> {
    file.metadata().map(|open| open.len() == 0).map_err(LogError::io("read", path))
}

/// The error that names the holder, once it has written who it is.
fn busy(folder: &Path, path: &Path) -> LogError {
    let mut holder = String::new();
    // Who holds it locks first and then writes who it is.
    for _ in 0..100 {
        holder = fs::read_to_string(path).unwrap_or_default();
        if holder.ends_with('\n') {
            break;
        }
        sleep(Duration::from_millis(1));
    }
    let known = holder.strip_suffix('\n').filter(|holder| !holder.is_empty());
    let holder = known.unwrap_or("a process that does not say which").to_owned();
    LogError::Busy { folder: folder.to_owned(), holder }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn the_second_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path(), "run").unwrap();
        let error = lock(folder.path(), "replay").unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("process {}, `voltide run`", std::process::id())),
            "{error}"
        );
        drop(first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(lock(folder.path(), "replay").is_ok());
    }

    #[test]
    fn what_a_killed_holder_left_is_put_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "process 1, `voltide run`\n").unwrap();
        let _held = lock(folder.path(), "resume").unwrap();
        let error = lock(folder.path(), "run").unwrap_err().to_string();
        assert!(error.ends_with("`voltide resume`"), "{error}");
    }

    #[test]
    fn a_lock_that_is_a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join(FILE)).unwrap();
        assert!(lock(folder.path(), "run").is_err());
        assert_eq!(fs::read(&other).unwrap(), b"");
    }

    #[test]
    fn never_two_hold_it() {
        let folder = tempfile::tempdir().unwrap();
        let (inside, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Ok(held) = lock(folder.path(), "run") else { continue };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        taken.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(held);
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) >= 8);
    }
}
