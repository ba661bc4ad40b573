//! Days of `ev_ticks`, or months or years of a long run, that were written to their end before a
//! run was cut off.
//!
//! Beside a closed day's file, which is hidden until all tables are whole, lies a note with its
//! size and hash, and with the ticks in it and the chain hash after them. A run that is resumed
//! keeps the files whose notes are true: of its own history, of whole days, and as this version
//! writes them.

use crate::{
    error::TelemetryError,
    file::{Hidden, Place, note_of, sha256_of},
    table::EV_TICKS,
    table_file::{VERSION, WrittenFile},
};
use serde::{Deserialize, Serialize};
use std::{ffi::OsStr, fs, io::Write, path::Path};
use voltide_journal::plain;

/// A day's file that is whole and still hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedDay {
    /// The local date, month or year, as in the file's name.
    pub date: String,
    /// Number of rows.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content, in hex.
    pub sha256: String,
    /// The first tick in it.
    pub first_tick: u32,
    /// The last tick in it.
    pub last_tick: u32,
    /// The chain hash that the log has after that, in hex.
    pub chain_hash: String,
    /// Version of voltide that wrote it.
    pub voltide: String,
}

/// The history that a day's file holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// The first tick.
    pub(crate) first_tick: u32,
    /// The last tick.
    pub(crate) last_tick: u32,
    /// The chain hash after it.
    pub(crate) chain_hash: [u8; 32],
}

impl ClosedDay {
    /// Name of the file once it is a table's.
    pub fn file(&self) -> String {
        file_of(&self.date)
    }

    /// Writes the note of a file that was just closed.
    pub(crate) fn note(
        hidden_in: &Path,
        date: &str,
        file: &WrittenFile,
        of: Stretch,
    ) -> Result<(), TelemetryError> {
        let day = Self {
            date: date.to_owned(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            first_tick: of.first_tick,
            last_tick: of.last_tick,
            chain_hash: hex::encode(of.chain_hash),
            voltide: VERSION.to_owned(),
        };
        let path = hidden_in.join(note_of(&file_of(date)));
        let text = serde_json::to_vec(&day).expect("texts and numbers are JSON");
        let written = plain::create(&path).and_then(|mut note| note.write_all(&text));
        written.map_err(TelemetryError::file("write", path))
    }

    /// Whether the file is there and is what its note says.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn is_whole(&self, folder: &Path) -> Result<bool, TelemetryError> {
        let found = sha256_of(&Hidden::path_of(folder, &self.file()))?;
        Ok(found.as_deref() == Some(self.sha256.as_str()))
    }

    /// The file, to be published with the others.
    pub(crate) fn adopt(&self, place: &Place) -> WrittenFile {
        let hidden = Hidden::adopt(place, &self.file());
        WrittenFile::adopted(&EV_TICKS, hidden, self.rows, self.bytes, self.sha256.clone())
    }
}

/// The days that lie closed in a run's folder, by their notes: what they say of files and history
/// is still to be checked. Notes of other versions, and what is none, are left out.
pub fn closed_days(folder: &Path) -> Vec<ClosedDay> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut days: Vec<ClosedDay> =
        entries.filter_map(|entry| noted(folder, &entry.file_name())).collect();
    // Ascending, so that a single reading of the log gets to all of them.
    days.sort_by_key(|day| day.last_tick);
    days
}

/// The day whose note has this name.
fn noted(folder: &Path, name: &OsStr) -> Option<ClosedDay> {
    let name = name.to_str().filter(|name| name.ends_with(".closed"))?;
    let day: ClosedDay = serde_json::from_slice(&plain::read(&folder.join(name)).ok()?).ok()?;
    // The date becomes part of a path: only what can be one may.
    let is_its = name == note_of(&day.file())
        && day.date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (is_its && day.voltide == VERSION).then_some(day)
}

fn file_of(date: &str) -> String {
    format!("ev_ticks-{date}.parquet")
}
