//! The table of a comparison over cases and policies, with what others have published.

use crate::{
    error::TelemetryError,
    file::Place,
    rows::RowTable,
    table::comparison::{Columns, Row},
};
use std::path::Path;

/// A row of [`COMPARISON`](crate::table::COMPARISON).
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
    let mut table = RowTable::<Columns>::create(&Place::folder(folder))?;
    for figure in figures {
        table.push(Row {
            case: figure.case,
            figure: figure.figure,
            policy: &figure.policy,
            amount: figure.amount,
            published: figure.published,
            ratio: figure.ratio(),
            note: figure.note.as_deref(),
        })?;
    }
    table.close()?.publish()
}
