//! Columns as they are kept: the text of a file once, numbers and instants as such.

use chrono::{DateTime, NaiveDateTime, Utc};
use std::sync::Arc;

/// A column of a table.
#[derive(Debug)]
pub(crate) enum Column {
    /// Text, empty where there is none.
    Text(Texts),
    /// Numbers; NaN where there is none.
    Numbers(Vec<f64>),
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
    /// Points in time.
    Instants(Vec<Option<DateTime<Utc>>>),
    /// Times on the clock of a zone that the file does not name.
    WallClock(Vec<Option<NaiveDateTime>>),
}

/// The texts of a column.
#[derive(Debug)]
pub(crate) enum Texts {
    /// Of a file of text.
    Standing(Standing),
    /// Of any other file.
    Copied(Copied),
}

impl Texts {
    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> &str {
        match self {
            Self::Standing(texts) => texts.get(row),
            Self::Copied(texts) => texts.get(row),
        }
    }
}

/// Texts where they stand in a file: copies would take more memory than the file.
#[derive(Debug)]
pub(crate) struct Standing {
    file: Arc<str>,
    /// The first byte of each, and the one after its last.
    spans: Vec<(u32, u32)>,
    /// Those that stand otherwise in the file, in quotes; their bytes are counted on from its end.
    unquoted: String,
}

impl Standing {
    /// No text yet, of a file of at most 1 GiB.
    pub(crate) fn of(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), spans: Vec::new(), unquoted: String::new() }
    }

    /// Adds the text of the next row, which stands at byte `start` unless something is in quotes.
    pub(crate) fn push(&mut self, text: &str, start: usize) {
        let stands = self.file.get(start..start + text.len()) == Some(text);
        let start = if stands { start } else { self.file.len() + self.unquoted.len() };
        if !stands {
            self.unquoted.push_str(text);
        }
        // What is unquoted is shorter than the file, so that 32 bits hold the sum of both.
        self.spans.push((start as u32, (start + text.len()) as u32));
    }

    fn get(&self, row: usize) -> &str {
        let (start, end) = self.spans[row];
        let bytes = start as usize..end as usize;
        match bytes.start.checked_sub(self.file.len()) {
            None => &self.file[bytes],
            Some(start) => &self.unquoted[start..bytes.end - self.file.len()],
        }
    }
}

/// Many short texts in one, since a text of its own for each cell takes several times as much
/// memory.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    text: String,
    ends: Vec<usize>,
}

impl Copied {
    /// Adds the text of the next row.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    fn get(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }
}
