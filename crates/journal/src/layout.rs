//! How a log lies in its run's folder, and where it ends.

use crate::seal::SealedPast;

/// The folder of a log inside its run's folder.
pub(crate) const FOLDER: &str = "log";
/// The segment that a fresh run writes its history to.
pub(crate) const FIRST_SEGMENT: u32 = 1;

/// Where a log ends that is whole; a run goes on from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// The last sealed tick; `None` before the first.
    pub last_tick: Option<u32>,
    /// What `RunEnded` says; `None` for a run that can go on.
    pub outcome: Option<String>,
    /// The segment that a run would go on in.
    pub(crate) segment: u32,
    pub(crate) past: SealedPast,
}
