//! CSV files: the separator that the header has, and rows with their places for messages.

use super::{
    Row, Table, Wanted,
    cells::{Column, Texts},
    decimal_mark,
};
use crate::{dialect::Report, source::Unreadable};
use ron_places::Problem;
use std::sync::Arc;

/// Separators of cells that are recognised.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A text with `\n` at the end of every line, as lines are counted by.
pub(super) fn with_plain_lines(text: Arc<str>) -> Arc<str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text }
}

/// The separator of the cells: the one that the header has most of, outside quotes.
fn separator(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let mut is_quoted = false;
    let mut counts = [0_usize; SEPARATORS.len()];
    for byte in header.bytes() {
        is_quoted ^= byte == b'"';
        let which = SEPARATORS.iter().position(|&separator| separator == byte && !is_quoted);
        if let Some(which) = which {
            counts[which] += 1;
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let first = counts.iter().position(|&count| count == most).unwrap_or(0);
    SEPARATORS[first]
}

impl Table {
    /// Reads the wanted columns of a text with plain lines; false after a problem was reported.
    pub(super) fn read_csv(
        &mut self,
        text: &Arc<str>,
        wanted: &[Wanted<'_>],
        report: &mut Report,
    ) -> Result<bool, Unreadable> {
        let separator = separator(text);
        self.separator = separator;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
        let header =
            reader.headers().map_err(|error| Unreadable::because(error.to_string()))?.clone();
        let names: Vec<&str> = header.iter().map(str::trim).collect();
        let Some(indices) = self.find(&names, wanted, report) else { return Ok(false) };
        let mut cells: Vec<Texts> = wanted.iter().map(|_| Texts::default()).collect();
        self.marks = vec![None; wanted.len()];
        let mut rows = Rows::of(text);
        let mut record = csv::StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    report.push(broken_record(&self.name, text, &error, separator));
                    return Ok(false);
                }
            }
            rows.push(record.position().map_or(0, |at| at.byte() as usize));
            let row = rows.found.len() - 1;
            for ((cells, mark), index) in cells.iter_mut().zip(&mut self.marks).zip(&indices) {
                let cell = index.and_then(|index| record.get(index));
                // The reader refuses rows of another length than the header's, so that no column
                // falls behind.
                if let Some(cell) = cell {
                    cells.push(cell);
                    *mark = mark.or_else(|| decimal_mark(cell.trim()).map(|mark| (mark, row)));
                }
            }
        }
        self.rows = rows.found.len();
        self.text = Some((Arc::clone(text), rows.found));
        let columns = cells.into_iter().zip(indices);
        self.columns = columns.map(|(cells, index)| index.map(|_| Column::Text(cells))).collect();
        Ok(true)
    }
}

/// Rows with their lines, found in the order of the text.
struct Rows<'a> {
    text: &'a str,
    /// The byte up to which lines were counted, and the line that it is in.
    counted: (usize, u32),
    found: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, counted: (0, 1), found: Vec::new() }
    }

    /// Adds the row that begins at a byte, or after the empty lines there.
    fn push(&mut self, byte: usize) {
        let start = first_of_row(self.text, byte);
        let (before, line) = self.counted;
        // Counted on from the row before: counting from the start for every row takes the square of
        // it.
        let breaks = self.text[before..start].bytes().filter(|&byte| byte == b'\n').count() as u32;
        self.counted = (start, line + breaks);
        let end = start + length(self.text, start);
        // A file has at most 512 MiB, which 32 bits hold.
        self.found.push(Row { line: line + breaks, start: start as u32, end: end as u32 });
    }
}

/// The first byte of a row that begins at `byte`, or after the empty lines there.
fn first_of_row(text: &str, byte: usize) -> usize {
    let rest = &text[byte.min(text.len())..];
    text.len() - rest.trim_start_matches('\n').len()
}

/// Bytes to the end of the line.
fn length(text: &str, start: usize) -> usize {
    text[start..].find('\n').unwrap_or(text.len() - start)
}

/// The problem of a record that csv cannot read.
fn broken_record(name: &str, text: &Arc<str>, error: &csv::Error, separator: u8) -> Problem {
    let start = first_of_row(text, error.position().map_or(0, |at| at.byte() as usize));
    let line = 1 + text[..start].matches('\n').count();
    let row = start..start + length(text, start);
    let (reason, is_longer) = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (format!("{len} cells where the header has {expected_len}"), len > expected_len)
        }
        _ => (error.to_string(), false),
    };
    let problem = Problem::new(format!("row {line} of `{name}`: {reason}"));
    let problem = problem.at(name, text, row, "this row");
    if is_longer && separator == b',' {
        return problem.help(
            "a number with a decimal comma is two cells: write 7.4, or put `;` between cells",
        );
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_tells_the_separator() {
        assert_eq!(separator("ts,load\n1;2;3,4"), b',');
        assert_eq!(separator("\nts;load;\"a,b,c,d\"\n"), b';');
        assert_eq!(separator("ts\tload"), b'\t');
        assert_eq!(separator("load"), b',');
        assert_eq!(separator(""), b',');
    }

    #[test]
    fn rows_know_their_lines_over_empty_lines_and_quoted_breaks() {
        let text = "a,b\n\n\n1,2\n\"x\ny\",3\n4,5\n";
        let mut rows = Rows::of(text);
        for byte in [4, 10, 18] {
            rows.push(byte);
        }
        let found = rows.found.iter().map(|row| (row.line, &text[row.bytes()]));
        assert_eq!(found.collect::<Vec<_>>(), [(4, "1,2"), (5, "\"x"), (7, "4,5")]);
    }
}
