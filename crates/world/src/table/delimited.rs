//! CSV files: the separator that the header has, and rows with their places for messages.

use super::{
    Table, Wanted,
    cells::{Column, Standing, Texts},
    decimal_mark,
};
use crate::{dialect::Report, source::Unreadable};
use ron_places::Problem;
use std::{ops::Range, sync::Arc};

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
        let mut cells: Vec<Standing> = wanted.iter().map(|_| Standing::of(text)).collect();
        self.marks = vec![None; wanted.len()];
        let mut rows = Vec::new();
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
            let start = first_of_row(text, record.position().map_or(0, |at| at.byte() as usize));
            let row = rows.len();
            // A file has at most 512 MiB, which 32 bits hold.
            rows.push(start as u32);
            for ((cells, mark), index) in cells.iter_mut().zip(&mut self.marks).zip(&indices) {
                // The reader refuses rows of another length than the header's, so that no column
                // falls behind.
                let cell =
                    index.and_then(|index| Some((record.get(index)?, start_of(index, &record))));
                if let Some((cell, offset)) = cell {
                    cells.push(cell, start + offset);
                    *mark = mark.or_else(|| decimal_mark(cell.trim()).map(|mark| (mark, row)));
                }
            }
        }
        self.rows = rows.len();
        self.text = Some((Arc::clone(text), rows));
        let columns = cells.into_iter().zip(indices);
        let column = |cells| Column::Text(Texts::Standing(cells));
        self.columns = columns.map(|(cells, index)| index.map(|_| column(cells))).collect();
        Ok(true)
    }
}

/// Bytes of a record before a cell, where none is in quotes: those of the cells before it, and a
/// separator after each.
fn start_of(cell: usize, record: &csv::StringRecord) -> usize {
    record.range(cell).map_or(0, |bytes| bytes.start) + cell
}

/// The first byte of a row that begins at `byte`, or after the empty lines there.
fn first_of_row(text: &str, byte: usize) -> usize {
    let rest = &text[byte.min(text.len())..];
    text.len() - rest.trim_start_matches('\n').len()
}

/// The number of the line that a byte is in, from 1. It is counted when a message needs it.
pub(super) fn line(text: &str, byte: u32) -> usize {
    1 + text[..byte as usize].matches('\n').count()
}

/// The bytes from a row's first to the end of its line.
pub(super) fn whole_line(text: &str, start: u32) -> Range<usize> {
    let start = start as usize;
    start..start + text[start..].find('\n').unwrap_or(text.len() - start)
}

/// The problem of a record that csv cannot read.
fn broken_record(name: &str, text: &Arc<str>, error: &csv::Error, separator: u8) -> Problem {
    let start = first_of_row(text, error.position().map_or(0, |at| at.byte() as usize)) as u32;
    let line = line(text, start);
    let (reason, is_longer) = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (format!("{len} cells where the header has {expected_len}"), len > expected_len)
        }
        _ => (error.to_string(), false),
    };
    let problem = Problem::new(format!("row {line} of `{name}`: {reason}"));
    let problem = problem.at(name, text, whole_line(text, start), "this row");
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
        let found = [4, 10, 18].map(|byte| {
            let start = first_of_row(text, byte) as u32;
            (line(text, start), &text[whole_line(text, start)])
        });
        assert_eq!(found, [(4, "1,2"), (5, "\"x"), (7, "4,5")]);
    }

    #[test]
    fn cells_are_read_the_same_with_and_without_quotes() {
        let text: Arc<str> = "a;b;c\n1;\"2\";3\n\"say \"\"4\"\"\";;\"5;6\"\nü;é;\n".into();
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.as_bytes());
        let mut columns = [0, 1, 2].map(|_| Standing::of(&text));
        let mut expected = Vec::new();
        for record in reader.records().map(Result::unwrap) {
            let start = first_of_row(&text, record.position().unwrap().byte() as usize);
            for (index, cells) in columns.iter_mut().enumerate() {
                cells.push(&record[index], start + start_of(index, &record));
                expected.push(record[index].to_owned());
            }
        }
        let columns = columns.map(Texts::Standing);
        let found = (0..3).flat_map(|row| columns.iter().map(move |cells| cells.get(row)));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
