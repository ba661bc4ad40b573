//! What all files of a table have in common: made once, since a program may write those of many
//! short runs.

use crate::{column::Table, error::TelemetryError, named::NamedColumn};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::{
    arrow::{
        ArrowSchemaConverter, ArrowWriter, add_encoded_arrow_schema_to_metadata,
        arrow_writer::ArrowWriterOptions,
    },
    errors::ParquetError,
    file::properties::WriterProperties,
    schema::types::SchemaDescriptor,
};
use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

/// How the files of a table are laid out.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The columns in Arrow.
    pub(crate) schema: SchemaRef,
    /// The same in Parquet.
    columns: SchemaDescriptor,
    /// With the Arrow schema among them.
    properties: WriterProperties,
    /// A file that has no rows.
    pub(crate) without_rows: Vec<u8>,
}

/// Layouts by table.
static LAYOUTS: Mutex<BTreeMap<&str, Arc<Layout>>> = Mutex::new(BTreeMap::new());

impl Layout {
    /// That of a table.
    pub(crate) fn of(table: &'static Table) -> Result<Arc<Self>, TelemetryError> {
        // Nothing is left half-done by a thread that panics here.
        let mut layouts = LAYOUTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = layouts.get(table.name) {
            return Ok(Arc::clone(layout));
        }
        let layout =
            Arc::new(Self::new(table, table.schema()).map_err(TelemetryError::table(table.name))?);
        layouts.insert(table.name, Arc::clone(&layout));
        Ok(layout)
    }

    /// That of one file of a table with more columns.
    pub(crate) fn wider(table: &Table, more: &[NamedColumn]) -> Result<Arc<Self>, TelemetryError> {
        let schema = table.schema();
        let fields: Vec<Field> =
            schema.fields().iter().map(|field| field.as_ref().clone()).collect();
        let fields: Vec<Field> =
            fields.into_iter().chain(more.iter().map(NamedColumn::field)).collect();
        let layout = Self::new(table, Arc::new(Schema::new(fields)));
        layout.map(Arc::new).map_err(TelemetryError::table(table.name))
    }

    fn new(table: &Table, schema: SchemaRef) -> Result<Self, ParquetError> {
        let columns = ArrowSchemaConverter::new().convert(&schema)?;
        let mut properties = table.properties();
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let mut layout = Self { schema, columns, properties, without_rows: Vec::new() };
        layout.without_rows = layout.begin(Vec::new())?.into_inner()?;
        Ok(layout)
    }

    /// Begins a file.
    pub(crate) fn begin<W: Write + Send>(&self, out: W) -> Result<ArrowWriter<W>, ParquetError> {
        let options = ArrowWriterOptions::new()
            .with_properties(self.properties.clone())
            .with_parquet_schema(self.columns.clone())
            .with_skip_arrow_metadata(true);
        ArrowWriter::try_new_with_options(out, Arc::clone(&self.schema), options)
    }
}
