//! Columns of a CSV or Parquet file, with their rows' places for messages.

mod cells;
mod columnar;
mod delimited;
mod pages;
mod unpacked;

use crate::{
    dialect::Report,
    nesting,
    source::{self, DATA_MAX, TEXT_MAX, Unreadable},
};
use cells::Column;
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use ron_places::{Place, Problem, Spanned, suggest};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The files of a world, with the text of those that were read.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    texts: BTreeMap<PathBuf, Arc<str>>,
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
    /// Text of a CSV file, and the first byte of each of its rows.
    text: Option<(Arc<str>, Vec<u32>)>,
    /// Where the world names the file.
    place: Place,
    /// What stands between the cells of a CSV file.
    separator: u8,
    /// The first decimal mark of each column of a CSV file, with its row.
    marks: Vec<Option<(char, usize)>>,
    columns: Vec<Option<Column>>,
    rows: usize,
}

impl Files {
    /// The files that a world in `folder` names.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), texts: BTreeMap::new() }
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
            separator: b',',
            marks: Vec::new(),
            columns: Vec::new(),
            rows: 0,
        };
        let read = match extension.to_ascii_lowercase().as_str() {
            "csv" => self.lines(&full).and_then(|text| table.read_csv(&text, wanted, report)),
            "parquet" => source::open(&full, DATA_MAX)
                .and_then(|file| table.read_parquet(file, wanted, report)),
            _ => Err(Unreadable::because("it is neither a .csv nor a .parquet file")),
        };
        match read {
            Ok(found) => found.then_some(table),
            Err(unreadable) => refuse(path.place, &full, unreadable, report),
        }
    }

    /// The text of a calendar that the world names at `path`.
    pub(crate) fn whole_text(
        &mut self,
        path: &Spanned<String>,
        report: &mut Report,
    ) -> Option<Arc<str>> {
        let full = self.folder.join(path.as_str());
        let text = source::text(&full, TEXT_MAX);
        let nested =
            |text: Arc<str>| nesting::check(&text).map(|()| text).map_err(Unreadable::because);
        match text.and_then(nested) {
            Ok(text) => Some(text),
            Err(unreadable) => refuse(path.place, &full, unreadable, report),
        }
    }

    /// The text of a CSV file, with `\n` at the end of every line.
    fn lines(&mut self, path: &Path) -> Result<Arc<str>, Unreadable> {
        if let Some(text) = self.texts.get(path) {
            return Ok(Arc::clone(text));
        }
        let text = delimited::with_plain_lines(source::text(path, DATA_MAX)?);
        // Several series often stand in one file.
        self.texts.insert(path.to_owned(), Arc::clone(&text));
        Ok(text)
    }
}

/// Reports that a file cannot be read.
fn refuse<T>(place: Place, path: &Path, unreadable: Unreadable, report: &mut Report) -> Option<T> {
    let path = path.display();
    match unreadable {
        Unreadable::Missing => {
            let help = "paths start at the world file's folder";
            report.add_help(place, format!("there is no file `{path}`"), "no such file", help);
        }
        Unreadable::Other(reason, help) => {
            let problem =
                report.add(place, format!("cannot read `{path}`: {reason}"), "named here");
            problem.help = help.map(str::to_owned);
        }
    }
    None
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
            Some(Column::Text(cells)) if cells.get(row).trim().is_empty() => return Ok(None),
            Some(Column::Text(cells)) => self.parsed(cells.get(row).trim(), column)?,
            Some(Column::Numbers(cells)) if cells[row].is_nan() => return Ok(None),
            Some(Column::Numbers(cells)) => cells[row],
            Some(Column::Whole(cells)) => return Ok(cells[row].map(|number| number as f64)),
            Some(Column::Instants(_) | Column::WallClock(_)) => {
                return Err("a timestamp is not a number".to_owned());
            }
        };
        if number.is_finite() {
            Ok(Some(number))
        } else {
            Err(format!("{number} is not a finite number"))
        }
    }

    /// The number that a text is, with a decimal comma where commas do not part the cells. One of
    /// the two marks in a column would part thousands, and nothing tells which.
    fn parsed(&self, text: &str, column: usize) -> Result<f64, String> {
        let mark = decimal_mark(text);
        let is_comma = mark == Some(',');
        let is_decimal = is_comma && self.separator != b',';
        let found = if is_decimal { text.replacen(',', ".", 1).parse() } else { text.parse() };
        let number = found.map_err(|_| {
            let hint = match mark {
                Some(',') => "; decimals follow a point, as in 7.4",
                Some(_) | None if sets_thousands_apart(text) => {
                    "; thousands are not set apart, as in 1000.5"
                }
                Some(_) | None => "",
            };
            format!("`{text}` is not a number{hint}")
        })?;
        match (mark, self.marks.get(column).copied().flatten()) {
            (Some(mark), Some((first, row))) if mark != first => {
                let row = self.row_name(row);
                Err(format!(
                    "`{text}` has `{mark}` where {row} has `{first}`; write all decimals alike"
                ))
            }
            _ => Ok(number),
        }
    }

    /// The text of a cell; empty where there is none.
    pub(crate) fn text(&self, column: usize, row: usize) -> String {
        match &self.columns[column] {
            Some(Column::Text(cells)) => cells.get(row).trim().to_owned(),
            Some(Column::Numbers(cells)) => cells[row].to_string(),
            Some(Column::Whole(cells)) => {
                cells[row].map_or_else(String::new, |number| number.to_string())
            }
            Some(Column::Instants(_) | Column::WallClock(_)) | None => String::new(),
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
            Some(Column::Text(cells)) if cells.get(row).trim().is_empty() => Ok(None),
            Some(Column::Text(cells)) => {
                parse_instant(cells.get(row).trim(), zone, previous).map(Some)
            }
            Some(Column::Instants(cells)) => Ok(cells[row]),
            Some(Column::WallClock(cells)) => {
                let at = cells[row].map(|wall| on_wall_clock(wall, zone, previous)).transpose();
                // Spark means UTC by int96, and its file does not say so.
                let hint =
                    if zone.is_none() { ": `\"UTC\"` if Spark wrote it as int96" } else { "" };
                at.map_err(|why| why + hint)
            }
            Some(Column::Numbers(_) | Column::Whole(_)) => {
                Err("a number is not a timestamp".to_owned())
            }
        }
    }

    /// What messages call a row: its line in a CSV file, its number from 1 in a Parquet file.
    pub(crate) fn row_name(&self, row: usize) -> String {
        match &self.text {
            Some((text, rows)) => format!("row {}", delimited::line(text, rows[row])),
            None => format!("row {}", row + 1),
        }
    }

    /// A problem that points at a row; for a Parquet file, at where the world names it.
    pub(crate) fn problem(
        &self,
        row: usize,
        message: &str,
        label: &str,
        report: &Report,
    ) -> Problem {
        let problem = Problem::new(format!("{} of `{}`: {message}", self.row_name(row), self.name));
        match &self.text {
            Some((text, rows)) => {
                problem.at(&self.name, text, delimited::whole_line(text, rows[row]), label)
            }
            None => report.document.point(problem, self.place, label),
        }
    }

    /// A problem of the file as a whole, at where the world names it.
    pub(crate) fn file_problem(&self, message: &str, report: &Report) -> Problem {
        report.document.point(
            Problem::new(format!("`{}`: {message}", self.name)),
            self.place,
            "named here",
        )
    }

    /// The index of every wanted column among `names`.
    fn find(
        &self,
        names: &[&str],
        wanted: &[Wanted<'_>],
        report: &mut Report,
    ) -> Option<Vec<Option<usize>>> {
        let mut indices = Vec::new();
        let mut complete = true;
        for Wanted { name, place, optional } in wanted {
            let mut found = (0..names.len()).filter(|&at| names[at] == *name);
            let index = found.next();
            if found.next().is_some() {
                let message = format!("`{}` has more than one column `{name}`", self.name);
                report.add_help(
                    *place,
                    message,
                    "which of them?",
                    "rename one of the two in the file",
                );
                complete = false;
            }
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
}

/// Whether a text is a number but for the commas in it.
fn sets_thousands_apart(text: &str) -> bool {
    text.contains(',') && text.replace(',', "").parse::<f64>().is_ok()
}

/// The decimal mark of a text, if it is a number with one.
fn decimal_mark(text: &str) -> Option<char> {
    let mut marks = text.chars().filter(|mark| [',', '.'].contains(mark));
    let mark = marks.next().filter(|_| marks.next().is_none())?;
    text.chars().all(|c| c.is_ascii_digit() || ",.+-eE".contains(c)).then_some(mark)
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
    let formats =
        ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// The instant of a wall-clock time in `zone`; of two, the one after `previous`.
pub(crate) fn on_wall_clock(
    wall: NaiveDateTime,
    zone: Option<Tz>,
    previous: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, String> {
    let zone =
        zone.ok_or_else(|| format!("`{wall}` has no offset; give the file's `time_zone`"))?;
    let found = zone.from_local_datetime(&wall);
    let first = found.earliest().map(|instant| instant.with_timezone(&Utc));
    let second = found.latest().map(|instant| instant.with_timezone(&Utc));
    // Rows are in order: where the first of two instants is not after the row before, the second is
    // meant.
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
        let parse =
            |text, previous| parse_instant(text, Some(Berlin), previous).map(|at| at.to_rfc3339());
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
