//! One Parquet file of a table.

use crate::{
    column::Table,
    error::TelemetryError,
    file::{Hashed, Hidden, Place},
    layout::Layout,
    named::NamedColumn,
};
use arrow_array::RecordBatch;
use parquet::{arrow::ArrowWriter, errors::ParquetError};
use std::{io::Write, sync::Arc};

/// The version whose tables these are.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A row group ends at the first tick border at or after this many rows.
const GROUP_ROWS: usize = 1 << 18;

/// A Parquet file that is being written.
pub(crate) struct TableFile {
    table: &'static Table,
    layout: Arc<Layout>,
    hidden: Hidden,
    content: Content,
    rows: u64,
    group_rows: usize,
    more: Vec<NamedColumn>,
}

/// What a file holds so far.
enum Content {
    /// Nothing yet, and maybe nothing at all: most worlds leave some tables without rows.
    Nothing(Hashed),
    /// Rows.
    Rows(Box<ArrowWriter<Hashed>>),
}

impl Content {
    /// What writes rows.
    fn rows(&mut self, layout: &Layout) -> Result<&mut ArrowWriter<Hashed>, ParquetError> {
        if let Self::Nothing(out) = self {
            let out = std::mem::replace(out, Hashed::new(None));
            *self = Self::Rows(Box::new(layout.begin(out)?));
        }
        match self {
            Self::Rows(writer) => Ok(writer),
            Self::Nothing(_) => unreachable!("rows were begun"),
        }
    }
}

impl TableFile {
    /// Begins the file `name` of `table` in a place.
    pub(crate) fn create(
        place: &Place,
        table: &'static Table,
        name: String,
    ) -> Result<Self, TelemetryError> {
        let layout = Layout::of(table)?;
        let (hidden, file) = Hidden::create(place, &name)?;
        let content = Content::Nothing(Hashed::new(file));
        Ok(Self { table, layout, hidden, content, rows: 0, group_rows: 0, more: Vec::new() })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), TelemetryError> {
        self.rows += batch.num_rows() as u64;
        self.group_rows += batch.num_rows();
        let written = self.content.rows(&self.layout).and_then(|rows| rows.write(batch));
        written.map_err(TelemetryError::table(self.table.name))
    }

    /// Adds the only rows of the file, with more columns than its table has.
    pub(crate) fn write_wider(
        &mut self,
        batch: &RecordBatch,
        more: Vec<NamedColumn>,
    ) -> Result<(), TelemetryError> {
        self.layout = Layout::wider(self.table, &more)?;
        let arrays = more.iter().map(|column| column.values.array());
        let arrays = batch.columns().iter().cloned().chain(arrays).collect();
        self.more = more;
        let wider = RecordBatch::try_new(Arc::clone(&self.layout.schema), arrays);
        self.write(&wider.map_err(|it| TelemetryError::table(self.table.name)(it.into()))?)
    }

    /// Whether the row group is full once `pending` more rows are written.
    pub(crate) fn group_is_full(&self, pending: usize) -> bool {
        self.group_rows + pending >= GROUP_ROWS
    }

    /// Ends the row group.
    pub(crate) fn end_group(&mut self) -> Result<(), TelemetryError> {
        self.group_rows = 0;
        let ended = self.content.rows(&self.layout).and_then(ArrowWriter::flush);
        ended.map_err(TelemetryError::table(self.table.name))
    }

    /// Writes the footer. The file stays hidden until it is published.
    pub(crate) fn close(self) -> Result<WrittenFile, TelemetryError> {
        let closed = match self.content {
            Content::Rows(writer) => writer.into_inner(),
            Content::Nothing(mut out) => {
                out.write_all(&self.layout.without_rows).map(|()| out).map_err(ParquetError::from)
            }
        };
        // Only now: the writer has put the footer through the hash as well.
        let (bytes, sha256) = closed.map_err(TelemetryError::table(self.table.name))?.digest();
        let Self { table, hidden, rows, more, .. } = self;
        Ok(WrittenFile { table, hidden, rows, bytes, sha256, more })
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
    /// Columns beyond those of its table.
    pub(crate) more: Vec<NamedColumn>,
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
        Self { table, hidden, rows, bytes, sha256, more: Vec::new() }
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
