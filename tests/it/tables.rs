//! Columns of a run's tables.

use arrow_array::{
    cast::AsArray,
    types::{Float64Type, Int32Type},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{fs::File, path::Path};

/// The numbers of a column of `<run>/<table>.parquet`; NaN where there is none.
pub(crate) fn column(run: &Path, table: &str, name: &str) -> Vec<f64> {
    let path = crate::program::root().join(run).join(format!("{table}.parquet"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let values = batches.flat_map(|batch| {
        let column = batch.unwrap().column_by_name(name).unwrap().as_primitive::<Float64Type>().clone();
        column.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>()
    });
    values.collect()
}

/// The whole numbers of a column of `<run>/<table>.parquet`; -1 where there is none.
pub(crate) fn counts(run: &Path, table: &str, name: &str) -> Vec<i32> {
    let path = crate::program::root().join(run).join(format!("{table}.parquet"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let values = batches.flat_map(|batch| {
        let column = batch.unwrap().column_by_name(name).unwrap().as_primitive::<Int32Type>().clone();
        column.iter().map(|value| value.unwrap_or(-1)).collect::<Vec<_>>()
    });
    values.collect()
}
