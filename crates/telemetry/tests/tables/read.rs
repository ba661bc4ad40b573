//! Writes the tables of a hand-made history and reads them back.

use crate::history::{play, scenario};
use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int32Type, Int64Type},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    sync::Arc,
};
use tempfile::{TempDir, tempdir};
use voltide_model::scenario::{EvTicks, Scenario};
use voltide_telemetry::{Options, RunStatus, Summary, Telemetry};

pub(crate) const CARS: u32 = 24;

pub(crate) fn write(
    folder: &Path,
    scenario: &Arc<Scenario>,
    options: Options,
    until: u32,
) -> Summary {
    let mut telemetry = Telemetry::create(folder, scenario, options).unwrap();
    play(scenario, &mut telemetry, until).unwrap();
    let whole = until == scenario.clock.slots;
    telemetry.finish(if whole { RunStatus::Finished } else { RunStatus::Interrupted }).unwrap()
}

pub(crate) fn written(level: EvTicks) -> (TempDir, Arc<Scenario>, Summary) {
    written_of(scenario(CARS, 2, level))
}

pub(crate) fn written_of(scenario: Arc<Scenario>) -> (TempDir, Arc<Scenario>, Summary) {
    let folder = tempdir().unwrap();
    let summary = write(folder.path(), &scenario, Options::default(), scenario.clock.slots);
    (folder, scenario, summary)
}

/// All rows of the files of one table.
pub(crate) struct Rows(Vec<RecordBatch>);

impl Rows {
    pub(crate) fn read(folder: &Path, table: &str) -> Self {
        let names = files(folder);
        let of_table = |name: &&String| name.split(['-', '.']).next() == Some(table);
        let batches = names.keys().filter(of_table).flat_map(|name| {
            let file = File::open(folder.join(name)).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
            reader.map(Result::unwrap)
        });
        Self(batches.collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }

    fn column<T>(&self, name: &str, cell: impl Fn(&dyn Array, usize) -> T) -> Vec<Option<T>> {
        let cells = |batch: &RecordBatch| {
            let column = batch.column_by_name(name).unwrap().clone();
            let cell = &cell;
            (0..batch.num_rows())
                .map(move |row| column.is_valid(row).then(|| cell(&column, row)))
                .collect::<Vec<_>>()
        };
        self.0.iter().flat_map(cells).collect()
    }

    pub(crate) fn ints(&self, name: &str) -> Vec<Option<i32>> {
        self.column(name, |column, row| column.as_primitive::<Int32Type>().value(row))
    }

    pub(crate) fn longs(&self, name: &str) -> Vec<i64> {
        self.column(name, |column, row| column.as_primitive::<Int64Type>().value(row))
            .into_iter()
            .flatten()
            .collect()
    }

    pub(crate) fn reals(&self, name: &str) -> Vec<f64> {
        self.column(name, |column, row| column.as_primitive::<Float64Type>().value(row))
            .into_iter()
            .flatten()
            .collect()
    }

    pub(crate) fn singles(&self, name: &str) -> Vec<Option<f32>> {
        self.column(name, |column, row| column.as_primitive::<Float32Type>().value(row))
    }

    pub(crate) fn flags(&self, name: &str) -> Vec<Option<bool>> {
        self.column(name, |column, row| column.as_boolean().value(row))
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<Option<String>> {
        self.column(name, |column, row| column.as_string::<i32>().value(row).to_owned())
    }

    pub(crate) fn words(&self, name: &str) -> Vec<Option<String>> {
        self.column(name, |column, row| {
            let words = column.as_dictionary::<Int32Type>();
            words.values().as_string::<i32>().value(words.key(row).unwrap()).to_owned()
        })
    }
}

pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}
