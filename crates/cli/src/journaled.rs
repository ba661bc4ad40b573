//! A run as its journal has it: the scenario rebuilt, and its history played back to a sink.

use crate::{
    failure::{Code, Failure},
    output, progress,
};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use voltide_engine::Replay;
use voltide_journal::{
    error::LogError,
    event::{Event, Recorded, StaysLoaded},
    reader::{self, LogReader},
    sink::Sink,
};
use voltide_model::{fleet::RecordedSession, scenario::Scenario, series::Series};
use voltide_telemetry::RunStatus;
use voltide_world::{FleetSessions, Inputs};

/// A journal that is open, read as far as its first tick.
pub(crate) struct Journaled {
    /// The scenario that was run.
    pub scenario: Arc<Scenario>,
    opening: Vec<Recorded>,
    first: Option<Recorded>,
    reader: LogReader,
}

impl Journaled {
    /// Opens the log of a run and rebuilds its scenario; no other file is read.
    pub(crate) fn open(run: &Path, quiet: bool) -> Result<Self, Failure> {
        let mut reader = reader::open(run)?;
        let mut opening = Vec::new();
        let mut first = None;
        while let Some(recorded) = next_whole(&mut reader, quiet)? {
            if matches!(recorded.event, Event::TickStarted(_) | Event::RunEnded(_)) {
                first = Some(recorded);
                break;
            }
            opening.push(recorded);
        }
        let scenario = Arc::new(rebuild(&opening)?);
        Ok(Self { scenario, opening, first, reader })
    }

    /// Plays the whole history back; also gives the status that the run ended with.
    pub(crate) fn replay<S: Sink>(
        mut self,
        sink: S,
        verify: bool,
        quiet: bool,
    ) -> Result<(S, RunStatus), Failure> {
        let bar = progress::bar(self.scenario.clock.slots, quiet);
        let mut replay = Replay::new(self.scenario, sink, 1, verify);
        let mut status = RunStatus::Interrupted;
        let mut before = self.opening.into_iter().chain(self.first);
        while let Some(recorded) =
            before.next().map_or_else(|| next_whole(&mut self.reader, quiet), |it| Ok(Some(it)))?
        {
            match recorded.event {
                Event::RunEnded(ref ended) => status = status_of(&ended.outcome),
                Event::TickSealed(_) => bar.set_position(u64::from(recorded.tick) + 1),
                _ => {}
            }
            replay.event(recorded)?;
        }
        bar.finish_and_clear();
        Ok((replay.end()?.sink, status))
    }
}

/// What the journal says of a run that came to its end.
const FINISHED: &str = "finished";

/// What the journal says at a run's end; nothing where the run may go on later.
pub(crate) fn outcome(status: &RunStatus) -> Option<String> {
    match status {
        RunStatus::Finished => Some(FINISHED.to_owned()),
        RunStatus::Failed(error) => Some(error.clone()),
        RunStatus::Interrupted => None,
    }
}

/// How a run ended of which the journal says `outcome`.
fn status_of(outcome: &str) -> RunStatus {
    if outcome == FINISHED { RunStatus::Finished } else { RunStatus::Failed(outcome.to_owned()) }
}

/// The next event of a log. Where a crash tore the log, it ends after its last whole tick, which is
/// mentioned.
pub(crate) fn next_whole(reader: &mut LogReader, quiet: bool) -> Result<Option<Recorded>, LogError> {
    match reader.next().transpose() {
        Err(LogError::Torn(damage)) => {
            let end =
                damage.after_tick.map_or("before its first tick".into(), |tick| format!("after tick {tick}"));
            output::mention(quiet, &format!("the run was cut off: its log ends {end}"));
            Ok(None)
        }
        next => next,
    }
}

fn rebuild(opening: &[Recorded]) -> Result<Scenario, Failure> {
    let mut inputs = Inputs::default();
    let mut text = None;
    for recorded in opening {
        match &recorded.event {
            Event::RunStarted(started) => text = Some(started.world_text.as_str()),
            Event::SeriesLoaded(loaded) => inputs.series.push(Series {
                name: loaded.name.clone(),
                unit: loaded.unit.clone(),
                values: loaded.values.as_slice().into(),
            }),
            Event::StaysLoaded(loaded) => inputs.sessions.push(fleet_sessions(loaded)),
            _ => {}
        }
    }
    let text =
        text.ok_or_else(|| Failure::new(Code::Run, "the log does not say how the run started", None))?;
    Ok(voltide_world::rebuild(text, inputs)?)
}

fn fleet_sessions(loaded: &StaysLoaded) -> FleetSessions {
    let names: BTreeMap<&str, u32> = loaded.station.iter().map(|name| (name.as_str(), 0)).collect();
    let index: BTreeMap<&str, u32> = names.keys().copied().zip(0..).collect();
    let session = |row: usize| RecordedSession {
        arrives: loaded.arrives[row],
        leaves: loaded.leaves[row],
        announced: loaded.announced[row],
        requested_kwh: loaded.requested_kwh[row],
        delivered_kwh: loaded.delivered_kwh[row],
        station: index[loaded.station[row].as_str()],
    };
    FleetSessions {
        fleet: loaded.fleet.clone(),
        stations: index.keys().map(|&name| name.to_owned()).collect(),
        sessions: (0..loaded.arrives.len()).map(session).collect(),
    }
}
