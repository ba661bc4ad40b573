//! The table of a comparison over cases and policies, with what others have published.

use crate::{
    error::TelemetryError,
    file::Place,
    rows::{Cell, RowTable},
    table::COMPARISON,
};
use std::path::Path;

/// A row of [`COMPARISON`].
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedFigure {
    /// 1 without flexibility margins, 2 with them.
    pub case: u32,
    /// What it is.
    pub figure: &'static str,
    /// The policy.
    pub policy: String,
    /// What it came to.
    pub amount: f64,
    /// What others have published.
    pub published: Option<f64>,
    /// What to know of that.
    pub note: Option<String>,
}

impl ComparedFigure {
    /// Amount over published.
    pub fn ratio(&self) -> Option<f64> {
        self.published
            .filter(|published| *published != 0.0)
            .map(|published| self.amount / published)
    }
}

/// Writes `comparison.parquet` in `folder`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_comparison(folder: &Path, figures: &[ComparedFigure]) -> Result<(), TelemetryError> {
    let mut table = RowTable::create(&Place::folder(folder), &COMPARISON)?;
    for figure in figures {
        table.push(&[
            figure.case.into(),
            figure.figure.into(),
            figure.policy.as_str().into(),
            figure.amount.into(),
            figure.published.into(),
            figure.ratio().into(),
            figure.note.as_deref().map_or(Cell::Null, Cell::from),
        ])?;
    }
    table.close()?.publish()
}
