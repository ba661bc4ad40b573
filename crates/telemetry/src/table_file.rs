//! One Parquet file of a table.

use crate::{
    column::Table,
    error::TelemetryError,
    file::{Hashed, Hidden, Place},
};
use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;

/// The version whose tables these are.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A row group ends at the first tick border at or after this many rows.
const GROUP_ROWS: usize = 1 << 18;

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
        // Only now: the writer has put the footer through the hash as well.
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
        self.hidden.name()
    }

    /// Gives the file its name.
    pub(crate) fn publish(self) -> Result<(), TelemetryError> {
        self.hidden.publish()
    }
}
