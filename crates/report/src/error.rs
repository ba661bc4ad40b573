//! Why there is no report.

use arrow_schema::ArrowError;
use parquet::errors::ParquetError;
use std::{io, path::PathBuf};

/// Why runs cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder has no table `runs`.
    #[error("{} is no folder of a run: it has no runs.parquet", .0.display())]
    NoRun(PathBuf),
    /// A table cannot be read.
    #[error("{} cannot be read", .path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ParquetError,
    },
    /// A table's rows cannot be read.
    #[error("rows of {} cannot be read", .path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ArrowError,
    },
    /// A file cannot be opened or written.
    #[error("{}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A table says something that no version of voltide writes.
    #[error("{} of {} is {what}, which no voltide writes", .column, .path.display())]
    Content {
        /// The folder.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// What it says.
        what: String,
    },
}
