//! What can go wrong with a log.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a log could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was to be done: "write", "sync", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The run folder already holds a log.
    #[error("`{}` already holds a log", .0.display())]
    Exists(PathBuf),
    /// The run folder holds no log, or one that never began.
    #[error("`{}` holds no log", .0.display())]
    Missing(PathBuf),
    /// Another program writes to the folder.
    #[error("another program is writing to `{}`: {holder}", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// Which process that is, and what it does.
        holder: String,
    },
    /// A write or a sync failed before, and what reached the disk is unknown.
    #[error("the log takes no more since a write to it failed")]
    Poisoned,
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// An event that the format cannot hold.
    #[error("cannot write {kind}: {what}")]
    Unwritable {
        /// Kind of the event.
        kind: &'static str,
        /// Why not.
        what: String,
    },
    /// `HEAD` does not say what was acknowledged.
    #[error("`{}` is damaged: {what}", path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// History that was acknowledged is damaged: nothing may go on from here.
    #[error("{0}")]
    Damaged(Damage),
    /// What follows the acknowledged history is damaged, as after a crash: it may be cut off.
    #[error("{0}; all acknowledged ticks are whole")]
    Torn(Damage),
    /// A record of a kind that this version does not know.
    #[error("`{}` holds `{name}`, which this version does not know; it knows {known}", file.display())]
    UnknownKind {
        /// The segment.
        file: PathBuf,
        /// The kind as the log names it.
        name: String,
        /// The kinds that can be read.
        known: String,
    },
}

/// Where a log is damaged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub file: PathBuf,
    /// The last tick before it, which is whole; `None` if there is none.
    pub after_tick: Option<u32>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` is damaged ", self.file.display())?;
        match self.after_tick {
            Some(tick) => write!(out, "after tick {tick}")?,
            None => write!(out, "before the end of the first tick")?,
        }
        write!(out, ": {}", self.what)
    }
}

impl LogError {
    /// Turns an I/O error into one that says what was done to which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// A body that cannot be made or understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("{0}")]
    Columns(#[from] arrow_schema::ArrowError),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("it is cut short")]
    Short,
    #[error("it is not one whole batch")]
    NotABatch,
    #[error("it is no event")]
    NotAnEvent,
}
