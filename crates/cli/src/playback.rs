//! Playing a history back from the last snapshot before a moment, where there is one that fits.

use crate::{
    failure::Failure,
    journaled::{Journaled, Played},
};
use std::{path::Path, sync::Arc};
use voltide_engine::Replay;
use voltide_journal::{
    event::Recorded,
    sink::Sink,
    snapshot::{self, Snapshot},
};
use voltide_model::{columns::TickColumns, scenario::Scenario};

/// A history that was played back, from the start or from a snapshot.
pub(crate) struct PlayedBack<S> {
    /// Where it stands.
    pub replay: Replay<S>,
    /// What came of it.
    pub played: Played,
    /// The snapshot's tick; `None` if there was none.
    pub from: Option<u32>,
}

/// Plays a run back up to the ticks before `until`, with the latest snapshot of a tick before
/// `before`.
pub(crate) fn play<S: Sink>(
    run: &Path,
    (before, until): (u32, Option<u32>),
    sink: impl Fn() -> S,
    threads: usize,
    quiet: bool,
) -> Result<PlayedBack<S>, Failure> {
    let open = || {
        let journaled = Journaled::open(run, quiet)?;
        Ok::<_, Failure>(match until {
            Some(until) => journaled.until(until),
            None => journaled,
        })
    };
    for tick in snapshot::ticks(run).into_iter().filter(|tick| *tick < before) {
        let Some(snapshot) = snapshot::read(run, tick) else { continue };
        // Anew for each snapshot: what was passed over of a log cannot be read again.
        let mut journaled = open()?;
        let Some((scenario, sealed)) = journaled.skip_through(tick)? else { continue };
        // A snapshot is only a cache: one that has not the hashes of the log is passed over.
        let Some(mut replay) = begin(&snapshot, &sealed, scenario, &sink, threads) else {
            continue;
        };
        let chain_hash = snapshot.chain_hash;
        let played = journaled.play_after(&mut replay, &chain_hash, quiet)?;
        return Ok(PlayedBack { replay, played, from: Some(tick) });
    }
    let journaled = open()?;
    let scenario = Arc::clone(&journaled.scenario);
    let mut replay = Replay::new(scenario, sink(), threads, false);
    let played = journaled.play(&mut replay, quiet)?;
    Ok(PlayedBack { replay, played, from: None })
}

/// A replay after the snapshot; nothing where that is not the state of the log.
fn begin<S: Sink>(
    snapshot: &Snapshot,
    sealed: &Recorded,
    scenario: Arc<Scenario>,
    sink: impl Fn() -> S,
    threads: usize,
) -> Option<Replay<S>> {
    Replay::after(snapshot, sealed, scenario, sink(), threads).ok()
}

/// A sink that keeps nothing.
pub(crate) struct Nothing;

impl Sink for Nothing {
    type Error = std::convert::Infallible;

    fn event(&mut self, _: &Arc<Scenario>, _: &Recorded) -> Result<(), Self::Error> {
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Self::Error> {
        Ok(())
    }
}
