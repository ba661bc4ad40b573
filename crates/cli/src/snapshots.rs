//! The snapshots of a live run: when they are taken, and how many there is room for.

use crate::output;
use std::path::{Path, PathBuf};
use voltide_engine::Simulation;
use voltide_journal::{
    error::LogError,
    log::EventLog,
    mcap_log,
    sink::Sink,
    snapshot::{self, Encoded},
};
use voltide_model::scenario::Scenario;

/// Snapshots that a run has at most, unless it is said how often they are taken: a day apart, or,
/// in a run of more days, an equal number of days.
const MOST: u32 = 64;
/// All snapshots together take at most one byte for so many of the log, unless it is said how often
/// they are taken.
pub(crate) const LOG_BYTES: u64 = 10;

/// Takes snapshots of a live run.
pub(crate) struct Snapshots {
    run: PathBuf,
    /// Ticks between two; 0 for none.
    every: u32,
    /// What they have taken; `None` where it is not asked for.
    spent: Option<Spent>,
    failed: bool,
}

/// What snapshots have taken of the disk.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    /// All together.
    bytes: u64,
    /// The last one, written or not.
    last: u64,
}

impl Spent {
    /// Whether there is room for another as large as the last.
    fn has_room(self, run: &Path) -> bool {
        // How large the next one is, only making it would tell.
        LOG_BYTES * (self.bytes + self.last) <= mcap_log::bytes(run)
    }
}

impl Snapshots {
    /// Snapshots every so many ticks, or [as many as a run has](ticks_between) and the log leaves
    /// room for.
    pub(crate) fn new(run: &Path, every: Option<u32>, scenario: &Scenario) -> Self {
        let spent = every.is_none().then(|| Spent { bytes: snapshot::bytes(run), last: 0 });
        let every = every.unwrap_or_else(|| ticks_between(scenario));
        Self { run: run.to_owned(), every, spent, failed: false }
    }

    /// No snapshots at all.
    pub(crate) fn none() -> Self {
        Self { run: PathBuf::new(), every: 0, spent: None, failed: false }
    }

    /// Takes a snapshot if it is time. One that cannot be written is mentioned: it is only a cache.
    pub(crate) fn take_if_due<S: Sink, L: EventLog>(&mut self, simulation: &mut Simulation<L, S>) {
        let due =
            self.every > 0 && simulation.tick().is_multiple_of(self.every) && !simulation.is_done();
        if !due || self.failed || self.spent.is_some_and(|spent| !spent.has_room(&self.run)) {
            return;
        }
        let Some(snapshot) = simulation.snapshot() else { return };
        if let Err(error) = Encoded::of(&snapshot).and_then(|encoded| self.keep(&encoded)) {
            // Said once: the disk that refused one would refuse the others.
            self.failed = true;
            output::complain(&format!("no snapshots are taken: {error}"));
        }
    }

    /// Writes a snapshot, if there is room for it.
    fn keep(&mut self, encoded: &Encoded) -> Result<(), LogError> {
        if let Some(spent) = &mut self.spent {
            spent.last = encoded.bytes();
            if !spent.has_room(&self.run) {
                return Ok(());
            }
            spent.bytes += encoded.bytes();
        }
        encoded.write(&self.run)
    }
}

/// Ticks between two snapshots, where that is not said: whole days.
pub(crate) fn ticks_between(scenario: &Scenario) -> u32 {
    let day = scenario.clock.slots_per_24_hours();
    day * scenario.clock.slots.div_ceil(day).div_ceil(MOST)
}
