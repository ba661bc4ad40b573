//! Columns as they are kept: the text of a file once, numbers and instants as such.

use chrono::{DateTime, NaiveDateTime, Utc};

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

/// Many short texts in one, since a text of its own for each cell takes several times as much
/// memory.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Adds the text of the next row.
    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> &str {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[row]]
    }
}
