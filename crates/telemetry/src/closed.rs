//! Days of `ev_ticks` that were written to their end before a run was cut off.
//!
//! Beside a closed day's file, which is hidden until all tables are whole, lies a note with its size
//! and hash. A run that is resumed keeps the files whose notes are true.

use crate::{
    error::TelemetryError,
    file::{Hidden, Place, WrittenFile},
    manifest,
    table::EV_TICKS,
};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// A day's file that is whole and still hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDay {
    /// The local date, as in the file's name.
    pub date: String,
    /// Number of rows.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content, in hex.
    pub sha256: String,
}

impl ClosedDay {
    fn file(&self) -> String {
        file_of(&self.date)
    }

    /// Writes the note of a file that was just closed.
    pub(crate) fn note(yard: &Path, date: &str, file: &WrittenFile) -> Result<(), TelemetryError> {
        let day =
            Self { date: date.to_owned(), rows: file.rows, bytes: file.bytes, sha256: file.sha256.clone() };
        let path = yard.join(note_of(&file_of(date)));
        let text = serde_json::to_vec(&day).expect("texts and numbers are JSON");
        fs::write(&path, text).map_err(TelemetryError::file("write", path))
    }

    /// The file, to be published with the others.
    pub(crate) fn adopt(&self, place: &Place) -> WrittenFile {
        let hidden = Hidden::adopt(place, &self.file());
        WrittenFile::adopted(&EV_TICKS, hidden, self.rows, self.bytes, self.sha256.clone())
    }
}

/// The days that lie closed in a run's folder, checked by their hashes.
///
/// # Errors
/// A file is there and cannot be read.
pub fn closed_days(folder: &Path) -> Result<Vec<ClosedDay>, TelemetryError> {
    let mut days = Vec::new();
    for day in
        notes(folder).filter_map(|note| serde_json::from_slice::<ClosedDay>(&fs::read(note).ok()?).ok())
    {
        let found = manifest::sha256_of(&Hidden::path_of(folder, &day.file()))?;
        if found.as_deref() == Some(day.sha256.as_str()) {
            days.push(day);
        }
    }
    Ok(days)
}

/// Removes the note of a file, if there is one: it has its name, or is gone.
pub(crate) fn forget(folder: &Path, file: &str) -> Result<(), TelemetryError> {
    manifest::remove(folder, &note_of(file))
}

fn notes(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "closed"))
}

fn file_of(date: &str) -> String {
    format!("ev_ticks-{date}.parquet")
}

fn note_of(file: &str) -> String {
    format!(".{file}.closed")
}
