//! One Parquet file: written hidden, hashed on its way to the disk, renamed when whole.

use crate::{closed, column::Table, error::TelemetryError};
use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use voltide_journal::plain;

/// A row group ends at the first tick border at or after this many rows.
const GROUP_ROWS: usize = 1 << 18;

/// Where files are written.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The folder that they get their names in.
    pub(crate) folder: PathBuf,
    /// Where they lie until then; `None` where they are not kept at all, only counted and hashed.
    yard: Option<PathBuf>,
}

impl Place {
    /// A folder, hidden in it while they are written.
    pub(crate) fn folder(folder: &Path) -> Self {
        Self::through(folder, folder)
    }

    /// A folder, in another one on the same disk while they are written.
    pub(crate) fn through(yard: &Path, folder: &Path) -> Self {
        Self { folder: folder.into(), yard: Some(yard.into()) }
    }

    /// Where notes of closed days go, for a run that goes on from them: only beside files that are
    /// hidden in their own folder.
    pub(crate) fn notes(&self) -> Option<&Path> {
        self.yard.as_deref().filter(|yard| *yard == self.folder)
    }

    /// Nowhere.
    pub(crate) fn nowhere() -> Self {
        Self { folder: PathBuf::new(), yard: None }
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

    fn path(&self) -> Option<PathBuf> {
        self.place.yard.as_deref().map(|yard| Self::path_of(yard, &self.name))
    }

    /// Gives the file its name.
    pub(crate) fn publish(mut self) -> Result<(), TelemetryError> {
        let (Some(hidden), Some(yard)) = (self.path(), &self.place.yard) else { return Ok(()) };
        let path = self.place.folder.join(&self.name);
        fs::rename(hidden, &path).map_err(TelemetryError::file("rename", path))?;
        self.published = true;
        closed::forget(yard, &self.name)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let (false, Some(hidden), Some(yard)) = (self.published, self.path(), &self.place.yard) {
            // Nothing can be done about a failure here, and the name says that it is no table.
            let _ = fs::remove_file(hidden);
            let _ = closed::forget(yard, &self.name);
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
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

/// A Parquet file that is being written.
pub(crate) struct TableFile {
    table: &'static Table,
    hidden: Hidden,
    writer: ArrowWriter<Hashed>,
    rows: u64,
    group_rows: usize,
}

impl TableFile {
    /// Begins the file `name` of `table` in a place.
    pub(crate) fn create(
        place: &Place,
        table: &'static Table,
        name: String,
    ) -> Result<Self, TelemetryError> {
        let (hidden, file) = Hidden::create(place, &name)?;
        let writer =
            ArrowWriter::try_new(Hashed::new(file), table.schema(), Some(table.properties()))
                .map_err(TelemetryError::table(table.name))?;
        Ok(Self { table, hidden, writer, rows: 0, group_rows: 0 })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), TelemetryError> {
        self.rows += batch.num_rows() as u64;
        self.group_rows += batch.num_rows();
        self.writer.write(batch).map_err(TelemetryError::table(self.table.name))
    }

    /// Whether the row group is full once `pending` more rows are written.
    pub(crate) fn group_is_full(&self, pending: usize) -> bool {
        self.group_rows + pending >= GROUP_ROWS
    }

    /// Ends the row group.
    pub(crate) fn end_group(&mut self) -> Result<(), TelemetryError> {
        self.group_rows = 0;
        self.writer.flush().map_err(TelemetryError::table(self.table.name))
    }

    /// Writes the footer. The file stays hidden until it is published.
    pub(crate) fn close(self) -> Result<WrittenFile, TelemetryError> {
        let hashed = self.writer.into_inner().map_err(TelemetryError::table(self.table.name))?;
        let (bytes, sha256) = hashed.digest();
        Ok(WrittenFile { table: self.table, hidden: self.hidden, rows: self.rows, bytes, sha256 })
    }
}

/// A Parquet file that is whole and still hidden.
#[derive(Debug)]
pub(crate) struct WrittenFile {
    /// The table that it is part of.
    pub(crate) table: &'static Table,
    hidden: Hidden,
    /// Number of rows.
    pub(crate) rows: u64,
    /// Size.
    pub(crate) bytes: u64,
    /// SHA-256 of the content, in hex.
    pub(crate) sha256: String,
}

impl WrittenFile {
    /// A file that was closed before.
    pub(crate) fn adopted(
        table: &'static Table,
        hidden: Hidden,
        rows: u64,
        bytes: u64,
        sha256: String,
    ) -> Self {
        Self { table, hidden, rows, bytes, sha256 }
    }

    /// The name that it will have.
    pub(crate) fn name(&self) -> &str {
        &self.hidden.name
    }

    /// Gives the file its name.
    pub(crate) fn publish(self) -> Result<(), TelemetryError> {
        self.hidden.publish()
    }
}
