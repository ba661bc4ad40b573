//! What a table's columns are: types, units and signs, and how they are stored.

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
    schema::types::ColumnPath,
};
use std::sync::Arc;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An instant in UTC, to the microsecond.
    Time,
    /// A 32-bit integer: ids, ticks, counts.
    Int,
    /// A 64-bit integer.
    Long,
    /// A double: energy, money, power of the system.
    Real,
    /// A single: telemetry of one car or charger.
    Single,
    /// True or false.
    Flag,
    /// One of few words, dictionary-coded.
    Word,
    /// Text, JSON among it.
    Text,
}

impl Kind {
    /// The type in Arrow. Integers are signed: differences of unsigned ones overflow in SQL.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Single => DataType::Float32,
            Self::Flag => DataType::Boolean,
            Self::Word => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Text => DataType::Utf8,
        }
    }

    /// The type in SQL, as DuckDB reads it.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Time => "TIMESTAMPTZ",
            Self::Int => "INTEGER",
            Self::Long => "BIGINT",
            Self::Real => "DOUBLE",
            Self::Single => "FLOAT",
            Self::Flag => "BOOLEAN",
            Self::Word | Self::Text => "VARCHAR",
        }
    }

    /// The type as readers of the dictionary know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "timestamp",
            Self::Int => "int32",
            Self::Long => "int64",
            Self::Real => "double",
            Self::Single => "float",
            Self::Flag => "boolean",
            Self::Word | Self::Text => "string",
        }
    }

    /// The type in the table schema of a data package.
    pub fn frictionless(self) -> &'static str {
        match self {
            Self::Time => "datetime",
            Self::Int | Self::Long => "integer",
            Self::Real | Self::Single => "number",
            Self::Flag => "boolean",
            Self::Word | Self::Text => "string",
        }
    }

    /// The cheapest encoding for values that differ from row to row; `None` leaves it to the
    /// dictionary.
    fn encoding(self) -> Option<Encoding> {
        match self {
            Self::Time | Self::Int | Self::Long => Some(Encoding::DELTA_BINARY_PACKED),
            Self::Real | Self::Single => Some(Encoding::BYTE_STREAM_SPLIT),
            Self::Flag | Self::Text => Some(Encoding::PLAIN),
            Self::Word => None,
        }
    }
}

/// A column of a table: one entry of the data dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name; a quantity's unit stands last in it.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Unit of the values, `""` where there is none.
    pub unit: &'static str,
    /// What a positive value means, `""` where it goes without saying.
    pub sign: &'static str,
    /// Whether values may be missing.
    pub nullable: bool,
    /// Whether few values repeat for long, so that a dictionary is the cheapest encoding.
    pub repeats: bool,
    /// What it is.
    pub description: &'static str,
}

impl Column {
    /// A column without missing values.
    pub const fn new(
        name: &'static str,
        kind: Kind,
        unit: &'static str,
        description: &'static str,
    ) -> Self {
        Self { name, kind, unit, sign: "", nullable: false, repeats: false, description }
    }

    /// The column, saying what a positive value means.
    #[must_use]
    pub const fn sign(self, sign: &'static str) -> Self {
        Self { sign, ..self }
    }

    /// The column with values that may be missing, if so.
    #[must_use]
    pub const fn optional(self, nullable: bool) -> Self {
        Self { nullable, ..self }
    }

    /// The column with values that repeat for long.
    #[must_use]
    pub const fn repeating(self) -> Self {
        Self { repeats: true, ..self }
    }

    fn field(&self) -> Field {
        let notes = [("unit", self.unit), ("sign", self.sign), ("description", self.description)];
        let notes = notes.into_iter().filter(|(_, text)| !text.is_empty());
        Field::new(self.name, self.kind.arrow(), self.nullable)
            .with_metadata(notes.map(|(key, text)| (key.to_owned(), text.to_owned())).collect())
    }
}

/// A table: what its rows are, and its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Name of the table and of its files.
    pub name: &'static str,
    /// What one row is.
    pub description: &'static str,
    /// Columns that tell its rows apart.
    pub key: &'static [&'static str],
    /// All columns, in order.
    pub columns: &'static [Column],
}

impl Table {
    /// The Arrow schema, with unit, sign and description in the fields' metadata.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(Column::field).collect::<Vec<_>>()))
    }

    /// Where the table's files lie in a run folder, as a glob: one file, or one a day, month or
    /// year.
    pub fn glob(&self) -> String {
        if self.name == "ev_ticks" {
            "ev_ticks-*.parquet".into()
        } else {
            format!("{}.parquet", self.name)
        }
    }

    /// How the table is stored. Nothing in it depends on machine or build, so that a table written
    /// again is equal to the byte.
    pub(crate) fn properties(&self) -> WriterProperties {
        let base = WriterProperties::builder()
            // The library would name its own version here.
            .set_created_by("voltide".into())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).expect("1 is a zstd level")))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_data_page_row_count_limit(PAGE_ROWS)
            // Row groups end where whoever writes the file ends them: at the border of a tick.
            .set_max_row_group_row_count(None);
        self.columns.iter().fold(base, stored).build()
    }
}

/// Most rows in a page: long ones keep the cost of repeating values per page, not per row.
const PAGE_ROWS: usize = 1 << 17;

/// Adds how one column is encoded.
fn stored(builder: WriterPropertiesBuilder, column: &Column) -> WriterPropertiesBuilder {
    // A dictionary pays where values repeat; it is also what is left where a type has no encoding.
    let path = ColumnPath::from(column.name);
    match column.kind.encoding() {
        Some(encoding) if !column.repeats => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, encoding),
        _ => builder.set_column_dictionary_enabled(path, true),
    }
}
