//! Columns of a run's tables, read whole.

use crate::error::ReportError;
use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use arrow_schema::DataType;
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Some columns of a table. What an earlier version did not write reads as none.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<RecordBatch>);

impl Columns {
    /// Reads the columns `names` of `folder/table.parquet`, or of all `folder/table-*.parquet` in
    /// the order of their names.
    pub(crate) fn read(folder: &Path, table: &str, names: &[&str]) -> Result<Self, ReportError> {
        let mut batches = Vec::new();
        for path in files(folder, table)? {
            batches.extend(of_file(&path, names)?);
        }
        Ok(Self(batches))
    }

    /// Numbers, one a row; NaN for none.
    pub(crate) fn numbers(&self, name: &str) -> Vec<f64> {
        self.gather(name, f64::NAN, numbers)
    }

    /// Whole numbers, one a row; `None` for none.
    pub(crate) fn integers(&self, name: &str) -> Vec<Option<i64>> {
        self.gather(name, None, integers)
    }

    /// Words, one a row; `None` for none.
    pub(crate) fn words(&self, name: &str) -> Vec<Option<&str>> {
        self.gather(name, None, words)
    }

    fn gather<'a, T: Clone>(
        &'a self,
        name: &str,
        none: T,
        of: fn(&'a dyn Array) -> Vec<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for batch in &self.0 {
            match batch.column_by_name(name) {
                Some(column) => all.extend(of(column.as_ref())),
                None => all.resize(all.len() + batch.num_rows(), none.clone()),
            }
        }
        all
    }
}

/// The files of a table.
fn files(folder: &Path, table: &str) -> Result<Vec<PathBuf>, ReportError> {
    let whole = folder.join(format!("{table}.parquet"));
    if whole.is_file() {
        return Ok(vec![whole]);
    }
    let begins = format!("{table}-");
    let list = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let list = list.map_err(|source| ReportError::File { path: folder.to_owned(), source })?;
    let mut files: Vec<PathBuf> = list.iter().map(fs::DirEntry::path).collect();
    files.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&begins) && name.ends_with(".parquet")
    });
    files.sort();
    Ok(files)
}

fn of_file(path: &Path, names: &[&str]) -> Result<Vec<RecordBatch>, ReportError> {
    let file = File::open(path);
    let file = file.map_err(|source| ReportError::File { path: path.to_owned(), source })?;
    let table = |source| ReportError::Table { path: path.to_owned(), source };
    // Whatever wrote the table, a word is read as text.
    let as_parquet = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, as_parquet);
    let reader = reader.map_err(table)?;
    let mask = ProjectionMask::columns(reader.parquet_schema(), names.iter().copied());
    let batches = reader.with_projection(mask).with_batch_size(65_536).build().map_err(table)?;
    let batches: Result<Vec<_>, _> = batches.collect();
    batches.map_err(|source| ReportError::Rows { path: path.to_owned(), source })
}

fn numbers(column: &dyn Array) -> Vec<f64> {
    let real: Vec<Option<f64>> = match column.data_type() {
        DataType::Float64 => column.as_primitive::<Float64Type>().iter().collect(),
        DataType::Float32 => {
            column.as_primitive::<Float32Type>().iter().map(|it| it.map(f64::from)).collect()
        }
        _ => integers(column).into_iter().map(|it| it.map(|whole| whole as f64)).collect(),
    };
    real.into_iter().map(|it| it.unwrap_or(f64::NAN)).collect()
}

fn integers(column: &dyn Array) -> Vec<Option<i64>> {
    match column.data_type() {
        DataType::Int32 => {
            column.as_primitive::<Int32Type>().iter().map(|it| it.map(i64::from)).collect()
        }
        DataType::Int64 => column.as_primitive::<Int64Type>().iter().collect(),
        DataType::Timestamp(..) => {
            column.as_primitive::<TimestampMicrosecondType>().iter().collect()
        }
        DataType::Boolean => column.as_boolean().iter().map(|it| it.map(i64::from)).collect(),
        _ => vec![None; column.len()],
    }
}

fn words(column: &dyn Array) -> Vec<Option<&str>> {
    match column.as_string_opt::<i32>() {
        Some(words) => words.iter().collect(),
        None => vec![None; column.len()],
    }
}
