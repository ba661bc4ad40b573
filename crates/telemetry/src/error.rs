//! What can go wrong while tables are written.

use parquet::errors::ParquetError;
use std::{error::Error, io, path::PathBuf};
use voltide_model::id::EvId;

/// Why tables could not be written. Nothing that looks like a whole table is left behind.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// A file could not be created, read, renamed or removed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried: "create", "rename", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A table's rows could not be written, as when the disk is full.
    #[error("cannot write the table {table}")]
    Table {
        /// The table.
        table: &'static str,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A detail was asked of a car that the run does not have.
    #[error("there is no car {ev}: the run has the cars 0 to {last}", last = i64::from(*count) - 1)]
    NoSuchEv {
        /// The car asked for.
        ev: EvId,
        /// Number of cars.
        count: u32,
    },
    /// The manifest beside the tables is none.
    #[error("{} is not a manifest of voltide", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A table was asked for after the writer had stopped.
    #[error("tables are no longer written after an earlier error")]
    Stopped,
    /// The run ended before it said what it was.
    #[error("the history does not begin with RunStarted")]
    NoRunStarted,
}

impl TelemetryError {
    /// Turns an I/O error about `path` into one that says what was tried.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }

    /// Turns a Parquet error into one that names the table.
    pub(crate) fn table(table: &'static str) -> impl FnOnce(ParquetError) -> Self {
        move |error| {
            let source =
                if let ParquetError::External(source) = error { source } else { error.into() };
            Self::Table { table, source }
        }
    }
}
