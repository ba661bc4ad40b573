//! Tables that are filled row by row: all but those of single cars and chargers.

use crate::{
    column::{Kind, Table},
    error::TelemetryError,
    file::{Place, TableFile, WrittenFile},
};
use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        ArrayBuilder, BooleanBuilder, Float32Builder, Float64Builder, Int32Builder, Int64Builder,
        StringBuilder, StringDictionaryBuilder, TimestampMicrosecondBuilder,
    },
    types::Int32Type,
};
use std::sync::Arc;

/// Rows are handed to the file in batches of this many.
const BATCH_ROWS: usize = 8192;

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Time(i64),
    Int(i64),
    Real(f64),
    Flag(bool),
    Text(&'a str),
}

impl From<u32> for Cell<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for Cell<'_> {
    fn from(value: u64) -> Self {
        Self::Int(value.cast_signed())
    }
}

impl From<f64> for Cell<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The values of one column, growing.
enum Values {
    Time(TimestampMicrosecondBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Single(Float32Builder),
    Flag(BooleanBuilder),
    Word(StringDictionaryBuilder<Int32Type>),
    Text(StringBuilder),
}

impl Values {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Int => Self::Int(Int32Builder::new()),
            Kind::Long => Self::Long(Int64Builder::new()),
            Kind::Real => Self::Real(Float64Builder::new()),
            Kind::Single => Self::Single(Float32Builder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Word => Self::Word(StringDictionaryBuilder::new()),
            Kind::Text => Self::Text(StringBuilder::new()),
        }
    }

    /// Adds a value.
    ///
    /// # Panics
    /// If the dictionary says that the column holds something else.
    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Time(values), Cell::Time(value)) => values.append_value(value),
            (Self::Int(values), Cell::Int(value)) => values.append_value(value as i32),
            (Self::Long(values), Cell::Int(value)) => values.append_value(value),
            (Self::Real(values), Cell::Real(value)) => values.append_value(value),
            (Self::Single(values), Cell::Real(value)) => values.append_value(value as f32),
            (Self::Flag(values), Cell::Flag(value)) => values.append_value(value),
            (Self::Word(values), Cell::Text(value)) => values.append_value(value),
            (Self::Text(values), Cell::Text(value)) => values.append_value(value),
            (values, Cell::Null) => values.push_null(),
            (_, cell) => panic!("{cell:?} does not fit its column"),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Time(values) => values.append_null(),
            Self::Int(values) => values.append_null(),
            Self::Long(values) => values.append_null(),
            Self::Real(values) => values.append_null(),
            Self::Single(values) => values.append_null(),
            Self::Flag(values) => values.append_null(),
            Self::Word(values) => values.append_null(),
            Self::Text(values) => values.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Time(values) => Arc::new(values.finish()),
            Self::Int(values) => Arc::new(values.finish()),
            Self::Long(values) => Arc::new(values.finish()),
            Self::Real(values) => Arc::new(values.finish()),
            Self::Single(values) => Arc::new(values.finish()),
            Self::Flag(values) => Arc::new(values.finish()),
            Self::Word(values) => ArrayBuilder::finish(values),
            Self::Text(values) => Arc::new(values.finish()),
        }
    }
}

/// A table with its file and the rows that are not written yet.
pub(crate) struct RowTable {
    file: TableFile,
    columns: Vec<Values>,
    pending: usize,
    rows: u64,
}

impl RowTable {
    /// Begins the table's file in a place.
    pub(crate) fn create(place: &Place, table: &'static Table) -> Result<Self, TelemetryError> {
        let file = TableFile::create(place, table, table.glob())?;
        let columns = table.columns.iter().map(|column| Values::new(column.kind)).collect();
        Ok(Self { file, columns, pending: 0, rows: 0 })
    }

    /// Number of rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds a row: one cell a column, in the dictionary's order.
    pub(crate) fn push(&mut self, row: &[Cell<'_>]) -> Result<(), TelemetryError> {
        assert_eq!(row.len(), self.columns.len(), "a row of {}", self.file.table().name);
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.push(*cell);
        }
        self.pending += 1;
        self.rows += 1;
        if self.pending == BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), TelemetryError> {
        let columns = self.columns.iter_mut().map(Values::finish).collect();
        let table = self.file.table();
        let batch =
            RecordBatch::try_new(table.schema(), columns).expect("cells were checked as they came");
        self.pending = 0;
        self.file.write(&batch)?;
        if self.file.group_is_full(0) { self.file.end_group() } else { Ok(()) }
    }

    /// Writes the last rows and the footer.
    pub(crate) fn close(mut self) -> Result<WrittenFile, TelemetryError> {
        if self.pending > 0 {
            self.write()?;
        }
        self.file.close()
    }
}
