//! One column of a data file, for whoever needs a series without a world.

use crate::{
    dialect::{Report, WorldText},
    table::{Files, Table, Wanted},
};
use chrono::{DateTime, Utc};
use ron_places::{Document, Place, Problem, Problems, Spanned};
use std::path::Path;

/// Names that a column of instants may have, in the order in which they are looked for.
const TIMES: [&str; 5] = ["ts", "start", "datetime", "timestamp", "time"];

/// Equally spaced values; each holds until the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// Seconds that each value holds.
    pub seconds: i64,
    /// The values, in the column's own unit.
    pub values: Vec<f64>,
}

/// Reads a column of a CSV or Parquet file, with the instants beside it: those of column `ts`,
/// `start`, `datetime`, `timestamp` or `time`. They say their offset from UTC and are equally
/// spaced.
///
/// `source` is what problems call the place that names the file, such as `--sensor`.
///
/// # Errors
///
/// What is wrong with the file, with the row.
pub fn read_column(source: &str, path: &Path, column: &str) -> Result<Sampled, Problems> {
    let text = format!("{}:{column}", path.display());
    // There is no world to point into, so that problems point at what named the column.
    let place = Place { start: 0, end: text.len() };
    let mut report = Report::new(Document::new(source, &text), WorldText::default());
    let mut wanted: Vec<Wanted<'_>> = vec![Wanted { name: column, place, optional: false }];
    wanted.extend(TIMES.map(|name| Wanted { name, place, optional: true }));
    let file = Spanned { value: path.display().to_string(), place };
    let table = Files::new(Path::new("")).table(&file, &wanted, &mut report);
    let read = table.map(|table| sample(&table, &report));
    match read {
        Some(Ok(sampled)) => Ok(sampled),
        Some(Err(problem)) => Err(Problems::errors(source, vec![*problem])),
        None => Err(Problems::errors(source, report.problems)),
    }
}

fn sample(table: &Table, report: &Report) -> Result<Sampled, Box<Problem>> {
    let fail =
        |row: usize, message: &str| Box::new(table.problem(row, message, "this row", report));
    let (mut instants, mut values): (Vec<DateTime<Utc>>, Vec<f64>) = (Vec::new(), Vec::new());
    for row in 0..table.len() {
        let at =
            (1..=TIMES.len()).find_map(|column| table.instant(column, row, None, None).transpose());
        let at = at.unwrap_or_else(|| {
            Err(format!("there is no instant in a column {}", TIMES.join(", ")))
        });
        let value = table
            .number(0, row)
            .and_then(|value| value.ok_or_else(|| "there is no value".to_owned()));
        instants.push(at.map_err(|message| fail(row, &message))?);
        values.push(value.map_err(|message| fail(row, &message))?);
    }
    let [first, second, ..] = instants.as_slice() else {
        return Err(Box::new(table.file_problem("a series has at least two rows", report)));
    };
    let spacing = *second - *first;
    let uneven =
        instants.windows(2).position(|pair| pair[1] - pair[0] != spacing || pair[1] <= pair[0]);
    match uneven {
        Some(before) => {
            Err(fail(before + 1, "it does not follow in the distance of the rows before"))
        }
        None => Ok(Sampled { start: *first, seconds: spacing.num_seconds(), values }),
    }
}
