//! The few file operations that a log is written with, so that a test can make them fail.

use crate::plain;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Where a log is written.
pub trait Disk: Send {
    /// An open file; clones are handles to the same one.
    type File: Write + Clone + Send;

    /// Makes a folder and its parents.
    fn create_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Makes an empty file, in place of one that is there.
    fn create(&mut self, path: &Path) -> io::Result<Self::File>;
    /// Opens a file that is there, to make it durable, to cut it, or to write after its end.
    fn open(&mut self, path: &Path) -> io::Result<Self::File>;
    /// Cuts a file that was opened to this length.
    fn cut(&mut self, file: &Self::File, length: u64) -> io::Result<()>;
    /// Makes the file's content durable.
    fn sync(&mut self, file: &Self::File) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Gives a file or folder another name, in place of what had that name.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a folder and all in it; one that is not there is none.
    fn remove_folder(&mut self, path: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsDisk;

impl Disk for OsDisk {
    type File = Arc<File>;

    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        plain::create_folder(path)
    }

    fn create(&mut self, path: &Path) -> io::Result<Self::File> {
        plain::create(path).map(Arc::new)
    }

    fn open(&mut self, path: &Path) -> io::Result<Self::File> {
        // Only to refuse a link, which opening it for writing would follow.
        plain::open(path)?;
        File::options().append(true).open(path).map(Arc::new)
    }

    fn cut(&mut self, file: &Self::File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&mut self, file: &Self::File) -> io::Result<()> {
        // Its length is made durable as well, and no reader needs the rest of what is known of it.
        file.sync_data()
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// What goes wrong on a [`FaultyDisk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The operation does nothing and says so, like a full disk.
    Fail,
    /// A write stores half of its bytes and fails; another operation fails.
    Tear,
    /// A write stores half of its bytes and says so, which is no failure; another operation works.
    Shorten,
    /// The operation does nothing and says that it worked.
    Drop,
}

/// A disk on which one operation goes wrong, counted from 0.
#[derive(Debug, Clone)]
pub struct FaultyDisk {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug)]
struct Plan {
    fault: Fault,
    at: u64,
    done: u64,
}

impl FaultyDisk {
    /// The operation number `at` goes wrong.
    pub fn new(fault: Fault, at: u64) -> Self {
        Self { plan: Arc::new(Mutex::new(Plan { fault, at, done: 0 })) }
    }

    /// Operations so far.
    pub fn operations(&self) -> u64 {
        self.plan().done
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault of the next operation, if it is the one.
    fn next(&self) -> Option<Fault> {
        let mut plan = self.plan();
        plan.done += 1;
        (plan.done - 1 == plan.at).then_some(plan.fault)
    }

    fn run(&self, operation: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.next() {
            None | Some(Fault::Shorten) => operation(),
            Some(Fault::Drop) => Ok(()),
            Some(Fault::Fail | Fault::Tear) => Err(full()),
        }
    }
}

impl Disk for FaultyDisk {
    type File = FaultyFile;

    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.run(|| OsDisk.create_folder(path))
    }

    fn create(&mut self, path: &Path) -> io::Result<FaultyFile> {
        // A file that is dropped could not be handed out: it is made all the same.
        match self.next() {
            Some(Fault::Fail | Fault::Tear) => Err(full()),
            _ => Ok(FaultyFile { file: OsDisk.create(path)?, disk: self.clone() }),
        }
    }

    fn open(&mut self, path: &Path) -> io::Result<FaultyFile> {
        match self.next() {
            Some(Fault::Fail | Fault::Tear) => Err(full()),
            _ => Ok(FaultyFile { file: OsDisk.open(path)?, disk: self.clone() }),
        }
    }

    fn cut(&mut self, file: &FaultyFile, length: u64) -> io::Result<()> {
        self.run(|| OsDisk.cut(&file.file, length))
    }

    fn sync(&mut self, file: &FaultyFile) -> io::Result<()> {
        self.run(|| OsDisk.sync(&file.file))
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        self.run(|| OsDisk.sync_folder(path))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.run(|| OsDisk.rename(from, to))
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.run(|| OsDisk.remove_folder(path))
    }
}

/// A file on a [`FaultyDisk`].
#[derive(Debug, Clone)]
pub struct FaultyFile {
    file: Arc<File>,
    disk: FaultyDisk,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let half = &bytes[..bytes.len().div_ceil(2)];
        match self.disk.next() {
            None => self.file.write(bytes),
            Some(Fault::Fail) => Err(full()),
            Some(Fault::Tear) => self.file.write_all(half).and(Err(full())),
            Some(Fault::Shorten) => self.file.write(half),
            Some(Fault::Drop) => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "no space left on the device")
}
