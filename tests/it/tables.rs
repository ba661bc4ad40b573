//! Columns of a run's tables.

use arrow_array::{
    ArrayRef,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{fs::File, path::Path};

/// The numbers of a column of `<run>/<table>.parquet`; NaN where there is none.
pub(crate) fn column(run: &Path, table: &str, name: &str) -> Vec<f64> {
    let numbers = |column: ArrayRef| {
        let column = column.as_primitive::<Float64Type>();
        column.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>()
    };
    columns(run, table, name).into_iter().flat_map(numbers).collect()
}

/// The same of a column of single precision.
pub(crate) fn single(run: &Path, table: &str, name: &str) -> Vec<f32> {
    let numbers = |column: ArrayRef| {
        let column = column.as_primitive::<Float32Type>();
        column.iter().map(|value| value.unwrap_or(f32::NAN)).collect::<Vec<_>>()
    };
    columns(run, table, name).into_iter().flat_map(numbers).collect()
}

/// The whole numbers of a column of `<run>/<table>.parquet`; -1 where there is none.
pub(crate) fn counts(run: &Path, table: &str, name: &str) -> Vec<i32> {
    let numbers = |column: ArrayRef| {
        let column = column.as_primitive::<Int32Type>();
        column.iter().map(|value| value.unwrap_or(-1)).collect::<Vec<_>>()
    };
    columns(run, table, name).into_iter().flat_map(numbers).collect()
}

/// The instants of a column, in microseconds since 1970; 0 where there is none.
pub(crate) fn times(run: &Path, table: &str, name: &str) -> Vec<i64> {
    let instants = |column: ArrayRef| {
        let column = column.as_primitive::<TimestampMicrosecondType>();
        column.iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    columns(run, table, name).into_iter().flat_map(instants).collect()
}

/// The long whole numbers of a column, which has one in each row.
pub(crate) fn longs(run: &Path, table: &str, name: &str) -> Vec<i64> {
    let numbers = |column: ArrayRef| column.as_primitive::<Int64Type>().values().to_vec();
    columns(run, table, name).into_iter().flat_map(numbers).collect()
}

/// The flags of a column, which has one in each row.
pub(crate) fn flags(run: &Path, table: &str, name: &str) -> Vec<bool> {
    let flags = |column: ArrayRef| column.as_boolean().values().iter().collect::<Vec<_>>();
    columns(run, table, name).into_iter().flat_map(flags).collect()
}

/// The texts of a column, which has one in each row.
pub(crate) fn texts(run: &Path, table: &str, name: &str) -> Vec<String> {
    let texts = |column: ArrayRef| {
        let column = column.as_string::<i32>();
        column.iter().map(|text| text.unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    columns(run, table, name).into_iter().flat_map(texts).collect()
}

/// The words of a column of `<run>/<table>.parquet`; empty where there is none.
pub(crate) fn words(run: &Path, table: &str, name: &str) -> Vec<String> {
    let texts = |column: ArrayRef| {
        let dictionary = column.as_dictionary::<Int32Type>().clone();
        let words = dictionary.values().as_string::<i32>().clone();
        let word = |key: Option<i32>| {
            key.map_or_else(String::new, |key| words.value(key as usize).to_owned())
        };
        dictionary.keys().iter().map(word).collect::<Vec<_>>()
    };
    columns(run, table, name).into_iter().flat_map(texts).collect()
}

fn columns(run: &Path, table: &str, name: &str) -> Vec<ArrayRef> {
    let path = crate::program::root().join(run).join(format!("{table}.parquet"));
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    batches.map(|batch| batch.unwrap().column_by_name(name).unwrap().clone()).collect()
}
