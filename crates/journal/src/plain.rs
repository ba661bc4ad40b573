//! Files of a run's folder, which are regular files and never symbolic links.
//!
//! A folder of a run may come from anywhere: a link in it could lead a reader to files that are not
//! the run's, and a writer to files that it must not touch. So a link is not followed: reading one
//! is an error, writing puts a file in its place. So it is with pipes, sockets and devices, on
//! which a reader might wait for ever, and with a folder in a file's place.

use std::{
    fs::{self, File, FileType},
    io::{self, ErrorKind, Read},
    os::unix::fs::FileTypeExt,
    path::Path,
};

/// Opens a file to read it.
///
/// # Errors
/// It is not there, is no regular file, or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    refuse_other(path)?;
    File::open(path)
}

/// The content of a file.
///
/// # Errors
/// As [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// The text in a file.
///
/// # Errors
/// As [`open`]; or it is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// Makes an empty file, in place of a file or link that has its name.
///
/// # Errors
/// A folder has its name, or it cannot be created.
pub fn create(path: &Path) -> io::Result<File> {
    remove(path)?;
    // This follows no link either that is put there in between.
    File::options().write(true).create_new(true).open(path)
}

/// Removes a file or link; one that is not there is none.
///
/// # Errors
/// It is a folder, or cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Whether there is a folder.
///
/// # Errors
/// A link has its name.
pub fn is_folder(path: &Path) -> io::Result<bool> {
    refuse_link(path)?;
    Ok(path.is_dir())
}

/// Makes a folder and its parents where it is not there yet.
///
/// # Errors
/// A link or a file has its name, or it cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    refuse_link(path)?;
    fs::create_dir_all(path)
}

/// Whether something is at `path` that is no regular file.
pub fn is_other(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| !found.is_file())
}

/// An error if something is at `path` that is no regular file.
///
/// # Errors
/// That, with what it is.
pub fn refuse_other(path: &Path) -> io::Result<()> {
    refuse_link(path)?;
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            let kind = kind(found.file_type());
            let what =
                format!("it is a {kind}, no regular file; put the run's own file in its place");
            Err(io::Error::new(ErrorKind::InvalidInput, what))
        }
        // What is not there is told by who opens it.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What is no regular file and no link, in words.
fn kind(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "folder"
    } else if kind.is_fifo() {
        "named pipe"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    }
}

/// Whether a link is at `path`.
fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// An error if a link is at `path`.
fn refuse_link(path: &Path) -> io::Result<()> {
    if is_link(path) {
        let what = "it is a symbolic link, and none is followed inside a run's folder; \
                    put what it leads to in its place";
        return Err(io::Error::new(ErrorKind::InvalidInput, what));
    }
    Ok(())
}
