//! Columns of a CSV or Parquet file, with their rows' places for messages.

use crate::{
    document::{Place, Report},
    problem::{Problem, suggest},
    read::Spanned,
    sessions::SessionsRead,
};
use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{
        Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
        TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt16Type, UInt32Type,
        UInt64Type,
    },
};
use arrow_schema::{DataType, TimeUnit};
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The files of a world, with the text of those that were read.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    texts: BTreeMap<PathBuf, Arc<str>>,
    /// What became of the rows of the files of sessions.
    pub(crate) sessions_read: Vec<SessionsRead>,
}

/// A column that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Where the world file names it, or what it names it for.
    pub(crate) place: Place,
    /// Whether the file may be without it.
    pub(crate) optional: bool,
}

/// The wanted columns of a file, all of the same length.
#[derive(Debug)]
pub(crate) struct Table {
    name: String,
    /// Text and row places of a CSV file.
    text: Option<(Arc<str>, Vec<Row>)>,
    /// Where the world names the file.
    place: Place,
    columns: Vec<Option<Column>>,
    rows: usize,
}

#[derive(Debug)]
struct Row {
    line: u64,
    bytes: Range<usize>,
}

#[derive(Debug)]
enum Column {
    Text(Vec<String>),
    Numbers(Vec<f64>),
    Instants(Vec<Option<DateTime<Utc>>>),
    WallClock(Vec<Option<NaiveDateTime>>),
}

impl Files {
    /// The files that a world in `folder` names.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), texts: BTreeMap::new(), sessions_read: Vec::new() }
    }

    /// Reads the wanted columns of the file that the world names at `path`.
    pub(crate) fn table(
        &mut self,
        path: &Spanned<String>,
        wanted: &[Wanted<'_>],
        report: &mut Report,
    ) -> Option<Table> {
        let full = self.folder.join(path.as_str());
        let extension = full.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        let mut table = Table {
            name: full.display().to_string(),
            text: None,
            place: path.place,
            columns: Vec::new(),
            rows: 0,
        };
        let read = match extension.to_ascii_lowercase().as_str() {
            "csv" => self
                .text(&full)
                .map_err(Unreadable::from)
                .and_then(|text| table.read_csv(&text, wanted, report)),
            "parquet" => File::open(&full)
                .map_err(Unreadable::from)
                .and_then(|file| table.read_parquet(file, wanted, report)),
            _ => Err(Unreadable::Other("it is neither a .csv nor a .parquet file".to_owned())),
        };
        match read {
            Ok(found) => found.then_some(table),
            Err(Unreadable::Other(reason)) => {
                report.add(path.place, format!("cannot read `{}`: {reason}", full.display()), "named here");
                None
            }
            Err(Unreadable::Missing) => {
                let message = format!("there is no file `{}`", full.display());
                report.add_help(
                    path.place,
                    message,
                    "no such file",
                    "paths start at the world file's folder",
                );
                None
            }
        }
    }

    /// The text of a file that the world names at `path`.
    pub(crate) fn whole_text(&mut self, path: &Spanned<String>, report: &mut Report) -> Option<Arc<str>> {
        let full = self.folder.join(path.as_str());
        let text = self.text(&full);
        if let Err(error) = &text {
            report.add(path.place, format!("cannot read `{}`: {error}", full.display()), "named here");
        }
        text.ok()
    }

    fn text(&mut self, path: &Path) -> io::Result<Arc<str>> {
        if let Some(text) = self.texts.get(path) {
            return Ok(Arc::clone(text));
        }
        let text: Arc<str> = std::fs::read_to_string(path)?.into();
        self.texts.insert(path.to_owned(), Arc::clone(&text));
        Ok(text)
    }
}

/// Why a file cannot be read at all.
enum Unreadable {
    Missing,
    Other(String),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::InvalidData => Self::Other("it is not UTF-8 text".to_owned()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl Table {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// A number; `None` where the cell is empty.
    pub(crate) fn number(&self, column: usize, row: usize) -> Result<Option<f64>, String> {
        let number = match &self.columns[column] {
            None => return Ok(None),
            Some(Column::Text(cells)) if cells[row].trim().is_empty() => return Ok(None),
            Some(Column::Text(cells)) => {
                cells[row].trim().parse().map_err(|_| format!("`{}` is not a number", cells[row]))?
            }
            Some(Column::Numbers(cells)) if cells[row].is_nan() => return Ok(None),
            Some(Column::Numbers(cells)) => cells[row],
            Some(_) => return Err("a timestamp is not a number".to_owned()),
        };
        if number.is_finite() { Ok(Some(number)) } else { Err(format!("{number} is not a finite number")) }
    }

    /// The text of a cell; empty where there is none.
    pub(crate) fn text(&self, column: usize, row: usize) -> String {
        match &self.columns[column] {
            Some(Column::Text(cells)) => cells[row].trim().to_owned(),
            Some(Column::Numbers(cells)) => cells[row].to_string(),
            _ => String::new(),
        }
    }

    /// An instant, `None` where the cell is empty.
    ///
    /// Of a wall-clock time that comes twice when the clocks go back, the one after `previous`.
    pub(crate) fn instant(
        &self,
        column: usize,
        row: usize,
        zone: Option<Tz>,
        previous: Option<DateTime<Utc>>,
    ) -> Result<Option<DateTime<Utc>>, String> {
        match &self.columns[column] {
            None => Ok(None),
            Some(Column::Text(cells)) if cells[row].trim().is_empty() => Ok(None),
            Some(Column::Text(cells)) => parse_instant(cells[row].trim(), zone, previous).map(Some),
            Some(Column::Instants(cells)) => Ok(cells[row]),
            Some(Column::WallClock(cells)) => {
                cells[row].map(|wall| on_wall_clock(wall, zone, previous)).transpose()
            }
            Some(Column::Numbers(_)) => Err("a number is not a timestamp".to_owned()),
        }
    }

    /// What messages call a row: its line in a CSV file, its number from 1 in a Parquet file.
    pub(crate) fn row_name(&self, row: usize) -> String {
        match &self.text {
            Some((_, rows)) => format!("row {}", rows[row].line),
            None => format!("row {}", row + 1),
        }
    }

    /// A problem that points at a row; for a Parquet file, at where the world names it.
    pub(crate) fn problem(&self, row: usize, message: &str, label: &str, report: &Report) -> Problem {
        let problem = Problem::new(format!("{} of `{}`: {message}", self.row_name(row), self.name));
        match &self.text {
            Some((text, rows)) => problem.at(&self.name, text, rows[row].bytes.clone(), label),
            None => report.document.point(problem, self.place, label),
        }
    }

    /// A problem of the file as a whole, at where the world names it.
    pub(crate) fn file_problem(&self, message: &str, report: &Report) -> Problem {
        report.document.point(Problem::new(format!("`{}`: {message}", self.name)), self.place, "named here")
    }

    fn read_csv(
        &mut self,
        text: &Arc<str>,
        wanted: &[Wanted<'_>],
        report: &mut Report,
    ) -> Result<bool, Unreadable> {
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| Unreadable::Other(error.to_string()))?.clone();
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
        let Some(indices) = self.find(&names, wanted, report) else { return Ok(false) };
        let mut cells: Vec<Vec<String>> = vec![Vec::new(); wanted.len()];
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    report.push(broken_record(&self.name, text, &error));
                    return Ok(false);
                }
            };
            let (line, start) = record.position().map_or((0, 0), |at| (at.line(), at.byte() as usize));
            let length = text[start..].find(['\r', '\n']).unwrap_or(text.len() - start);
            rows.push(Row { line, bytes: start..start + length });
            for (cells, index) in cells.iter_mut().zip(&indices) {
                cells.extend(index.and_then(|index| record.get(index)).map(str::to_owned));
            }
        }
        self.rows = rows.len();
        self.text = Some((Arc::clone(text), rows));
        let columns = cells.into_iter().zip(indices);
        self.columns = columns.map(|(cells, index)| index.map(|_| Column::Text(cells))).collect();
        Ok(true)
    }

    /// The index of every wanted column among `names`.
    fn find(&self, names: &[&str], wanted: &[Wanted<'_>], report: &mut Report) -> Option<Vec<Option<usize>>> {
        let mut indices = Vec::new();
        let mut complete = true;
        for Wanted { name, place, optional } in wanted {
            let index = names.iter().position(|known| known == name);
            if index.is_none() && !optional {
                let message = format!("`{}` has no column `{name}`", self.name);
                report.add_help(
                    *place,
                    message,
                    "no such column",
                    suggest(name, "column", names.iter().copied()),
                );
                complete = false;
            }
            indices.push(index);
        }
        complete.then_some(indices)
    }

    fn read_parquet(
        &mut self,
        file: File,
        wanted: &[Wanted<'_>],
        report: &mut Report,
    ) -> Result<bool, Unreadable> {
        let other = |error: &dyn std::fmt::Display| Unreadable::Other(error.to_string());
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| other(&error))?;
        let schema = Arc::clone(builder.schema());
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let Some(indices) = self.find(&names, wanted, report) else { return Ok(false) };
        let mask = ProjectionMask::roots(builder.parquet_schema(), indices.iter().flatten().copied());
        let reader = builder.with_projection(mask).build().map_err(|error| other(&error))?;
        self.columns = indices.iter().map(|_| None).collect();
        for batch in reader {
            let batch = batch.map_err(|error| other(&error))?;
            self.rows += batch.num_rows();
            for (column, (index, wanted)) in self.columns.iter_mut().zip(indices.iter().zip(wanted)) {
                if index.is_some() && !append(column, &batch, wanted.name) {
                    let message =
                        format!("column `{}` of `{}` is of a type that is not read", wanted.name, self.name);
                    let help = "numbers, strings and timestamps are read";
                    report.add_help(wanted.place, message, "this column", help);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// The problem of a record that csv cannot read.
fn broken_record(name: &str, text: &Arc<str>, error: &csv::Error) -> Problem {
    let position = error.position();
    let start = position.map_or(0, |at| at.byte() as usize);
    let line = position.map_or(1, csv::Position::line);
    let length = text[start..].find(['\r', '\n']).unwrap_or(text.len() - start);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the header has {expected_len}")
        }
        _ => error.to_string(),
    };
    let problem = Problem::new(format!("row {line} of `{name}`: {reason}"));
    problem.at(name, text, start..start + length, "this row")
}

/// Appends a column of a batch; false where its type is not one of those read.
fn append(column: &mut Option<Column>, batch: &RecordBatch, name: &str) -> bool {
    let Some(array) = batch.column_by_name(name) else { return false };
    macro_rules! append {
        ($($data:ident => $ty:ty, $to_f64:expr;)*) => {
            match array.data_type() {
                $(DataType::$data => {
                    let values = array.as_primitive::<$ty>().iter();
                    extend_numbers(column, values.map(|value| value.map_or(f64::NAN, $to_f64)))
                })*
                DataType::Utf8 => extend_text(column, array.as_string::<i32>().iter()),
                DataType::LargeUtf8 => extend_text(column, array.as_string::<i64>().iter()),
                DataType::Utf8View => extend_text(column, array.as_string_view().iter()),
                DataType::Timestamp(unit, zone) => extend_times(column, array, *unit, zone.is_some()),
                _ => false,
            }
        };
    }
    append! {
        Float64 => Float64Type, |value| value;
        Float32 => Float32Type, f64::from;
        Int64 => Int64Type, |value| value as f64;
        Int32 => Int32Type, f64::from;
        Int16 => Int16Type, f64::from;
        UInt64 => UInt64Type, |value| value as f64;
        UInt32 => UInt32Type, f64::from;
        UInt16 => UInt16Type, f64::from;
    }
}

fn extend_numbers(column: &mut Option<Column>, values: impl Iterator<Item = f64>) -> bool {
    let Column::Numbers(cells) = column.get_or_insert_with(|| Column::Numbers(Vec::new())) else {
        return false;
    };
    cells.extend(values);
    true
}

fn extend_text<'a>(column: &mut Option<Column>, values: impl Iterator<Item = Option<&'a str>>) -> bool {
    let Column::Text(cells) = column.get_or_insert_with(|| Column::Text(Vec::new())) else { return false };
    cells.extend(values.map(|value| value.unwrap_or("").to_owned()));
    true
}

fn extend_times(column: &mut Option<Column>, array: &dyn Array, unit: TimeUnit, zoned: bool) -> bool {
    let micros: Vec<Option<i64>> = match unit {
        TimeUnit::Second => {
            let seconds = array.as_primitive::<TimestampSecondType>().iter();
            seconds.map(|value| value.and_then(|value| value.checked_mul(1_000_000))).collect()
        }
        TimeUnit::Millisecond => {
            let millis = array.as_primitive::<TimestampMillisecondType>().iter();
            millis.map(|value| value.and_then(|value| value.checked_mul(1000))).collect()
        }
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().iter().collect(),
        TimeUnit::Nanosecond => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().iter();
            nanos.map(|value| value.map(|value| value.div_euclid(1000))).collect()
        }
    };
    let instants = micros.into_iter().map(|value| value.and_then(DateTime::from_timestamp_micros));
    let empty = || if zoned { Column::Instants(Vec::new()) } else { Column::WallClock(Vec::new()) };
    match column.get_or_insert_with(empty) {
        Column::Instants(cells) => cells.extend(instants),
        Column::WallClock(cells) => {
            cells.extend(instants.map(|instant| instant.map(|instant| instant.naive_utc())));
        }
        _ => return false,
    }
    true
}

/// Reads RFC 3339, or a wall-clock time in `zone`.
pub(crate) fn parse_instant(
    text: &str,
    zone: Option<Tz>,
    previous: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.with_timezone(&Utc));
    }
    let wall = parse_wall_clock(text)
        .ok_or_else(|| format!("`{text}` is not a timestamp such as 2018-10-08T00:00:00Z"))?;
    on_wall_clock(wall, zone, previous)
}

/// Reads `2018-10-08T00:00`, with or without seconds, with `T` or a space.
pub(crate) fn parse_wall_clock(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// The instant of a wall-clock time in `zone`; of two, the one after `previous`.
pub(crate) fn on_wall_clock(
    wall: NaiveDateTime,
    zone: Option<Tz>,
    previous: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, String> {
    let zone = zone.ok_or_else(|| format!("`{wall}` has no offset; give the file's `time_zone`"))?;
    let found = zone.from_local_datetime(&wall);
    let first = found.earliest().map(|instant| instant.with_timezone(&Utc));
    let second = found.latest().map(|instant| instant.with_timezone(&Utc));
    let passed = first.zip(previous).is_some_and(|(first, previous)| first <= previous);
    let instant = if passed { second } else { first };
    instant.ok_or_else(|| format!("the clocks in {zone} skip `{wall}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    #[test]
    fn a_time_that_comes_twice_is_the_one_after_the_row_before() {
        let parse = |text, previous| parse_instant(text, Some(Berlin), previous).map(|at| at.to_rfc3339());
        assert_eq!(parse("2024-10-27T02:30", None).unwrap(), "2024-10-27T00:30:00+00:00");
        let previous = "2024-10-27T00:45:00Z".parse().ok();
        assert_eq!(parse("2024-10-27T02:30", previous).unwrap(), "2024-10-27T01:30:00+00:00");
        assert!(parse("2024-03-31T02:30", None).unwrap_err().contains("skip"));
        assert!(parse_instant("2024-10-27T02:30", None, None).unwrap_err().contains("time_zone"));
        assert!(parse("yesterday", None).unwrap_err().contains("not a timestamp"));
    }

    #[test]
    fn an_offset_in_the_text_goes_before_the_zone() {
        let at = parse_instant("2024-01-01T01:00:00+02:00", Some(Berlin), None).unwrap();
        assert_eq!(at.to_rfc3339(), "2023-12-31T23:00:00+00:00");
    }
}
