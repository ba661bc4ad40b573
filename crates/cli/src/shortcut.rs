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
    event::Recorded,
    log::EventLog,
    sink::Sink,
    snapshot::{self, Snapshot},
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
        let Some(mut replay) = begin(&snapshot, &sealed, scenario, &sink, threads) else { continue };
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

/// Takes snapshots of a live run.
pub(crate) struct Camera {
    run: PathBuf,
    /// Ticks between two; 0 for none.
    every: u32,
    failed: bool,
}

impl Camera {
    /// Snapshots every so many ticks, or once a simulated day.
    pub(crate) fn new(run: &Path, every: Option<u32>, scenario: &Scenario) -> Self {
        let every = every.unwrap_or_else(|| scenario.clock.slots_per_24_hours());
        Self { run: run.to_owned(), every, failed: false }
    }

    /// No snapshots at all.
    pub(crate) fn none() -> Self {
        Self { run: PathBuf::new(), every: 0, failed: false }
    }

    /// Takes a snapshot if it is time. One that cannot be written is mentioned: it is only a cache.
    pub(crate) fn look<S: Sink, L: EventLog>(&mut self, simulation: &mut LiveRun<S, L>) {
        let due = self.every > 0 && simulation.tick().is_multiple_of(self.every) && !simulation.is_done();
        if !due || self.failed {
            return;
        }
        let Some(snapshot) = simulation.snapshot() else { return };
        if let Err(error) = snapshot::write(&self.run, &snapshot) {
            self.failed = true;
            output::complain(&format!("no snapshots are taken: {error}"));
        }
    }
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
