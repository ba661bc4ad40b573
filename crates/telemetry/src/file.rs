//! Files in a run's folder: hidden while they are written, hashed on their way to the disk, renamed
//! when whole.

use crate::error::TelemetryError;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use voltide_journal::plain;

/// Where files are written.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder that they get their names in.
    pub(crate) folder: PathBuf,
    /// Where they lie until then; `None` where they are not kept at all, only counted and hashed.
    hidden_in: Option<PathBuf>,
}

impl Place {
    /// A folder, hidden in it while they are written.
    pub(crate) fn folder(folder: &Path) -> Self {
        Self::through(folder, folder)
    }

    /// A folder, in another one on the same disk while they are written.
    pub(crate) fn through(hidden_in: &Path, folder: &Path) -> Self {
        Self { folder: folder.into(), hidden_in: Some(hidden_in.into()) }
    }

    /// Where notes of closed days go, for a run that goes on from them: only beside files that are
    /// hidden in their own folder.
    pub(crate) fn notes(&self) -> Option<&Path> {
        self.hidden_in.as_deref().filter(|hidden_in| *hidden_in == self.folder)
    }

    /// Nowhere.
    pub(crate) fn nowhere() -> Self {
        Self { folder: PathBuf::new(), hidden_in: None }
    }
}

/// A file that is removed again unless it is published.
#[derive(Debug)]
pub(crate) struct Hidden {
    place: Place,
    name: String,
    published: bool,
}

impl Hidden {
    /// Creates the hidden file that will be `name` in a place; nothing is created nowhere.
    pub(crate) fn create(
        place: &Place,
        name: &str,
    ) -> Result<(Self, Option<File>), TelemetryError> {
        let hidden = Self::adopt(place, name);
        let create =
            |path: PathBuf| plain::create(&path).map_err(TelemetryError::file("create", path));
        let file = hidden.path().map(create).transpose()?;
        Ok((hidden, file))
    }

    /// The hidden file that is there already.
    pub(crate) fn adopt(place: &Place, name: &str) -> Self {
        Self { place: place.clone(), name: name.into(), published: false }
    }

    /// Where the file `name` lies while it is hidden.
    pub(crate) fn path_of(folder: &Path, name: &str) -> PathBuf {
        folder.join(format!(".{name}.partial"))
    }

    /// The name that it will have.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn path(&self) -> Option<PathBuf> {
        self.place.hidden_in.as_deref().map(|hidden_in| Self::path_of(hidden_in, &self.name))
    }

    /// Gives the file its name.
    pub(crate) fn publish(mut self) -> Result<(), TelemetryError> {
        let (Some(hidden), Some(hidden_in)) = (self.path(), &self.place.hidden_in) else {
            return Ok(());
        };
        let path = self.place.folder.join(&self.name);
        fs::rename(hidden, &path).map_err(TelemetryError::file("rename", path))?;
        self.published = true;
        // A kill in between leaves the note of a file that is hidden no longer: it is passed over.
        forget_note(hidden_in, &self.name)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let (false, Some(hidden), Some(hidden_in)) =
            (self.published, self.path(), &self.place.hidden_in)
        {
            // Nothing can be done about a failure here, and the name says that it is no table.
            let _ = fs::remove_file(hidden);
            let _ = forget_note(hidden_in, &self.name);
        }
    }
}

/// Passes bytes on to a file, if there is one, counting and hashing them.
#[derive(Debug)]
pub(crate) struct Hashed {
    file: Option<File>,
    sha256: Sha256,
    bytes: u64,
}

impl Hashed {
    pub(crate) fn new(file: Option<File>) -> Self {
        Self { file, sha256: Sha256::new(), bytes: 0 }
    }

    /// Number of bytes, and their SHA-256 in hex.
    pub(crate) fn digest(self) -> (u64, String) {
        (self.bytes, hex::encode(self.sha256.finalize()))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.as_mut().map_or(Ok(bytes.len()), |file| file.write(bytes))?;
        // What the disk did not take comes again with the next call.
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

/// Writes a text file that is still hidden.
pub(crate) fn write_hidden(
    place: &Place,
    name: &str,
    text: &str,
) -> Result<Hidden, TelemetryError> {
    let (hidden, file) = Hidden::create(place, name)?;
    let path = || place.folder.join(name);
    let written = file.map_or(Ok(()), |mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| TelemetryError::file("write", path())(error))?;
    Ok(hidden)
}

/// Removes what an earlier writer of tables left half-written in `folder`.
pub(crate) fn remove_hidden(folder: &Path) -> Result<(), TelemetryError> {
    let entries = fs::read_dir(folder).map_err(TelemetryError::file("read", folder))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| is_hidden(name)).try_for_each(|name| remove(folder, &name))
}

/// Whether a file of this name is one that is not whole yet, or the note of one.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && [".partial", ".closed"].iter().any(|end| name.ends_with(end))
}

/// Name of the note that lies beside a hidden file once it is closed; see [`crate::ClosedDay`].
pub(crate) fn note_of(file: &str) -> String {
    format!(".{file}.closed")
}

/// Removes the note of a file, if there is one: it has its name, or is gone.
fn forget_note(folder: &Path, file: &str) -> Result<(), TelemetryError> {
    remove(folder, &note_of(file))
}

/// Removes a file that need not be there.
pub(crate) fn remove(folder: &Path, name: &str) -> Result<(), TelemetryError> {
    let path = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(TelemetryError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// SHA-256 of a file in hex; `None` where there is none, or only what is no regular file.
pub(crate) fn sha256_of(path: &Path) -> Result<Option<String>, TelemetryError> {
    let mut file = match plain::open(path) {
        // What `open` refuses as no file of a run is none here.
        Err(_) if plain::is_other(path) => return Ok(None),
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TelemetryError::file("open", path)(error)),
    };
    let mut sha256 = Sha256::new();
    io::copy(&mut file, &mut sha256).map_err(TelemetryError::file("read", path))?;
    Ok(Some(hex::encode(sha256.finalize())))
}
