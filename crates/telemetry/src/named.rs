//! Columns that no dictionary has, since what they are called is known only when they are written:
//! what was put into a world, by its path.

use crate::{
    error::TelemetryError,
    file::{Hashed, Hidden, Place},
};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use std::{path::Path, sync::Arc};

/// A column by a name of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedColumn {
    /// Its name.
    pub name: String,
    /// Unit of its values, `""` where there is none.
    pub unit: String,
    /// What it is.
    pub description: String,
    /// Its values, one a row.
    pub values: NamedValues,
}

/// The values of a column, of which some may be missing.
#[derive(Debug, Clone, PartialEq)]
pub enum NamedValues {
    /// Numbers.
    Reals(Vec<Option<f64>>),
    /// Whole numbers.
    Longs(Vec<Option<i64>>),
    /// Text.
    Texts(Vec<Option<String>>),
}

impl NamedColumn {
    /// What was put into a world at `path`, one a row, as RON: numbers where all are, else text,
    /// without its quotes.
    pub fn of_path(path: &str, given: &[Option<&str>]) -> Self {
        let numbers = given.iter().map(|it| it.map(number).transpose());
        let texts = || given.iter().map(|it| it.map(|it| unquoted(it).to_owned())).collect();
        let values = match numbers.collect::<Result<Vec<_>, _>>() {
            Ok(numbers) => NamedValues::Reals(numbers),
            Err(NoNumber) => NamedValues::Texts(texts()),
        };
        let description = format!("what was put in the place of the world's `{path}`");
        Self { name: path.to_owned(), unit: String::new(), description, values }
    }

    /// The column in Arrow.
    pub(crate) fn field(&self) -> Field {
        let notes = [("unit", &self.unit), ("description", &self.description)];
        let notes = notes.into_iter().filter(|(_, text)| !text.is_empty());
        Field::new(&self.name, self.values.arrow(), true)
            .with_metadata(notes.map(|(key, text)| (key.to_owned(), text.clone())).collect())
    }
}

/// What is no number.
struct NoNumber;

fn number(text: &str) -> Result<f64, NoNumber> {
    text.trim().parse::<f64>().ok().filter(|it| it.is_finite()).ok_or(NoNumber)
}

/// A text without the quotes that RON may have around it.
fn unquoted(text: &str) -> &str {
    let inside = text.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.filter(|inside| !inside.contains(['"', '\\'])).unwrap_or(text.trim())
}

impl NamedValues {
    fn arrow(&self) -> DataType {
        match self {
            Self::Reals(_) => DataType::Float64,
            Self::Longs(_) => DataType::Int64,
            Self::Texts(_) => DataType::Utf8,
        }
    }

    /// The type in the table schema of a data package.
    pub(crate) fn frictionless(&self) -> &'static str {
        match self {
            Self::Reals(_) => "number",
            Self::Longs(_) => "integer",
            Self::Texts(_) => "string",
        }
    }

    /// The values in Arrow.
    pub(crate) fn array(&self) -> ArrayRef {
        match self {
            Self::Reals(values) => Arc::new(Float64Array::from(values.clone())),
            Self::Longs(values) => Arc::new(Int64Array::from(values.clone())),
            Self::Texts(values) => Arc::new(StringArray::from(values.clone())),
        }
    }
}

/// Writes a table of such columns, all of one length, as `name` in `folder`: whole or not at all,
/// and the same bytes for the same values.
///
/// # Errors
/// The file cannot be written.
pub fn write_named(
    folder: &Path,
    name: &str,
    columns: &[NamedColumn],
) -> Result<(), TelemetryError> {
    let fields: Vec<Field> = columns.iter().map(NamedColumn::field).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.iter().map(|column| column.values.array()).collect();
    let (hidden, file) = Hidden::create(&Place::folder(folder), name)?;
    let properties = WriterProperties::builder()
        .set_created_by("voltide".into())
        .set_compression(Compression::ZSTD(ZstdLevel::default()));
    let written = RecordBatch::try_new(Arc::clone(&schema), arrays)
        .map_err(parquet::errors::ParquetError::from)
        .and_then(|batch| {
            let out = Hashed::new(file);
            let mut writer = ArrowWriter::try_new(out, schema, Some(properties.build()))?;
            writer.write(&batch)?;
            writer.close()
        });
    written.map_err(TelemetryError::table("points"))?;
    hidden.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_into_a_world_is_numbers_where_all_is() {
        let of = |given: &[Option<&str>]| NamedColumn::of_path("a.b", given).values;
        assert_eq!(
            of(&[Some("1"), None, Some(" 2.5 ")]),
            NamedValues::Reals(vec![Some(1.0), None, Some(2.5)])
        );
        let texts = |texts: &[&str]| {
            NamedValues::Texts(texts.iter().map(|&text| Some(text.to_owned())).collect())
        };
        assert_eq!(of(&[Some("1"), Some("\"7 kW\"")]), texts(&["1", "7 kW"]));
        assert_eq!(of(&[Some("7 kW"), Some("inf")]), texts(&["7 kW", "inf"]));
        assert_eq!(of(&[Some("(a: \"b\")")]), texts(&["(a: \"b\")"]));
    }
}
