//! What was salvaged of a damaged log, and what was not.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Name of the file that says what is missing.
pub const FILE: &str = "salvage.json";
/// Name of the folder for what is behind damage.
pub const BEYOND: &str = "beyond";

/// What was salvaged, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Salvage {
    /// Version of this description.
    pub format: u32,
    /// The damaged run.
    pub source: PathBuf,
    /// Whether it is still known what made the run.
    pub build_known: bool,
    /// The last tick that `HEAD` acknowledged; `None` before the first, or where `head_known` is
    /// false.
    pub acknowledged_tick: Option<u32>,
    /// Whether `HEAD` could be read; if not, what is missing at the end is not known.
    pub head_known: bool,
    /// The run that this one is a fork of; `None` where it is none, or its opening is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The run up to the damage; `None` where its opening is lost.
    pub log: Option<Piece>,
    /// What is behind the damage, in order.
    pub beyond: Vec<Piece>,
    /// What is missing between them.
    pub missing: Vec<Missing>,
    /// What was damaged and is right again.
    pub mended: Vec<Mended>,
    /// Where the log is damaged, or holds what is not of this history.
    pub damaged: Vec<DamagedBytes>,
}

/// The run that a salvaged one is a fork of, without which it is not replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its id.
    pub run: String,
    /// The path at which the new run looks for it: as far from the new folder as it was from the
    /// damaged run's.
    pub path: PathBuf,
    /// Whether a run was there when the new folder was written.
    pub is_there: bool,
}

/// A stretch of history without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Piece {
    /// Where it is, from the new run's folder.
    pub folder: String,
    /// Its first sealed tick; `None` where it has none.
    pub first_tick: Option<u32>,
    /// Its last sealed tick.
    pub last_tick: Option<u32>,
    /// Sealed ticks.
    pub ticks: u32,
    /// Number of its first event.
    pub first_seq: u64,
    /// Number of the first event after it.
    pub next_seq: u64,
    /// The chain hash after it, in hex.
    pub chain_hash: String,
    /// Whether the chain proves its first group; if not, only a checksum vouches for it.
    pub proved: bool,
    /// What `RunEnded` says, where it is in it.
    pub outcome: Option<String>,
}

/// History that is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The last whole tick before it; `None` where what comes before the first tick is missing,
    /// too.
    pub after_tick: Option<u32>,
    /// The first whole tick after it; `None` where there is none.
    pub before_tick: Option<u32>,
    /// Number of the first event that is missing.
    pub first_seq: u64,
    /// Number of the first event that is there again, or that would come next.
    pub next_seq: u64,
}

/// A group of records that was damaged and is right again, as its seal proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// The segment.
    pub file: String,
    /// The tick.
    pub tick: u32,
    /// The byte in which a bit was flipped; `None` where only what is around the records was
    /// damaged.
    pub byte: Option<u64>,
}

/// Bytes of a segment that are not what they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedBytes {
    /// The segment.
    pub file: String,
    /// The first of them.
    pub from_byte: u64,
    /// The one after the last.
    pub to_byte: u64,
    /// What is wrong.
    pub what: String,
}
