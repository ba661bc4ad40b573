//! Playing a history back from the last snapshot before a moment, where there is one that fits.

use crate::{
    failure::Failure,
    journaled::{Journaled, Played},
    live::LiveRun,
    output,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_engine::Replay;
use voltide_journal::{
    error::LogError,
    event::Recorded,
    log::EventLog,
    mcap_log,
    sink::Sink,
    snapshot::{self, Encoded, Snapshot},
};
use voltide_model::{columns::TickColumns, scenario::Scenario};

/// A history that was played back, from the start or from a snapshot.
pub(crate) struct Shortened<S> {
    /// Where it stands.
    pub replay: Replay<S>,
    /// What came of it.
    pub played: Played,
    /// The snapshot's tick; `None` if there was none.
    pub from: Option<u32>,
}

/// Plays a run back up to the ticks before `until`, with the latest snapshot of a tick before `before`.
pub(crate) fn play<S: Sink>(
    run: &Path,
    (before, until): (u32, Option<u32>),
    sink: impl Fn(&Arc<Scenario>) -> S,
    threads: usize,
    quiet: bool,
) -> Result<Shortened<S>, Failure> {
    let open = || {
        let journaled = Journaled::open(run, quiet)?;
        Ok::<_, Failure>(match until {
            Some(until) => journaled.until(until),
            None => journaled,
        })
    };
    for tick in snapshot::ticks(run).into_iter().filter(|tick| *tick < before) {
        let Some(snapshot) = snapshot::read(run, tick) else { continue };
        let mut journaled = open()?;
        let Some((scenario, sealed)) = journaled.skip_through(tick)? else { continue };
        let Some(mut replay) = begin(&snapshot, &sealed, scenario, &sink, threads) else {
            continue;
        };
        let chain_hash = snapshot.chain_hash;
        let played = journaled.play_after(&mut replay, &chain_hash, quiet)?;
        return Ok(Shortened { replay, played, from: Some(tick) });
    }
    let journaled = open()?;
    let scenario = Arc::clone(&journaled.scenario);
    let mut replay = Replay::new(Arc::clone(&scenario), sink(&scenario), threads, false);
    let played = journaled.play(&mut replay, quiet)?;
    Ok(Shortened { replay, played, from: None })
}

/// A replay after the snapshot; nothing where that is not the state of the log.
fn begin<S: Sink>(
    snapshot: &Snapshot,
    sealed: &Recorded,
    scenario: Arc<Scenario>,
    sink: impl Fn(&Arc<Scenario>) -> S,
    threads: usize,
) -> Option<Replay<S>> {
    let sink = sink(&scenario);
    Replay::after(snapshot, sealed, scenario, sink, threads).ok()
}

/// Snapshots that a run has at most, unless it is said how often they are taken: a day apart, or, in a run
/// of more days, an equal number of days.
const MOST: u32 = 64;
/// All snapshots together take at most one byte for so many of the log, unless it is said how often they
/// are taken.
pub(crate) const LOG_BYTES: u64 = 10;

/// Takes snapshots of a live run.
pub(crate) struct Camera {
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
        LOG_BYTES * (self.bytes + self.last) <= mcap_log::bytes(run)
    }
}

impl Camera {
    /// Snapshots every so many ticks, or [as many as a run has](every) and the log leaves room for.
    pub(crate) fn new(run: &Path, every: Option<u32>, scenario: &Scenario) -> Self {
        let spent = every.is_none().then(|| Spent { bytes: snapshot::bytes(run), last: 0 });
        let every = every.unwrap_or_else(|| self::every(scenario));
        Self { run: run.to_owned(), every, spent, failed: false }
    }

    /// No snapshots at all.
    pub(crate) fn none() -> Self {
        Self { run: PathBuf::new(), every: 0, spent: None, failed: false }
    }

    /// Takes a snapshot if it is time. One that cannot be written is mentioned: it is only a cache.
    pub(crate) fn look<S: Sink, L: EventLog>(&mut self, simulation: &mut LiveRun<S, L>) {
        let due =
            self.every > 0 && simulation.tick().is_multiple_of(self.every) && !simulation.is_done();
        if !due || self.failed || self.spent.is_some_and(|spent| !spent.has_room(&self.run)) {
            return;
        }
        let Some(snapshot) = simulation.snapshot() else { return };
        if let Err(error) = Encoded::of(&snapshot).and_then(|encoded| self.keep(&encoded)) {
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
pub(crate) fn every(scenario: &Scenario) -> u32 {
    let day = scenario.clock.slots_per_24_hours();
    day * scenario.clock.slots.div_ceil(day).div_ceil(MOST)
}

/// A sink that keeps nothing.
pub(crate) struct Nothing;

impl Sink for Nothing {
    type Error = std::convert::Infallible;

    fn event(&mut self, _recorded: &Recorded) -> Result<(), Self::Error> {
        Ok(())
    }

    fn tick(&mut self, _columns: &TickColumns<'_>) -> Result<(), Self::Error> {
        Ok(())
    }
}
