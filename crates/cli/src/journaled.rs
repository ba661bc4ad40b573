//! A run as its journal has it: the scenario rebuilt, and its history played back to a sink.
//!
//! The history of a fork begins with its parent's, up to the tick where it branches off.

use crate::{
    failure::{Code, Failure},
    interrupt,
    live::policy_identity,
    output, progress, replacement,
    run_folder::id_in,
};
use indicatif::ProgressBar;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use voltide_engine::{Replay, configuration_hash, fork_hash, identity_hash, inherit};
use voltide_journal::{
    error::{Damage, LogError},
    event::{Build, Event, Recorded, RunForked, RunStarted, SeriesLoaded, StaysLoaded, fact::Step},
    reader::{self, LogReader},
    sink::Sink,
};
use voltide_model::{fleet::RecordedSession, scenario::Scenario, series::Series};
use voltide_telemetry::RunStatus;
use voltide_world::{FleetSessions, Inputs, World};

/// A journal that is open, read as far as its first tick.
pub(crate) struct Journaled {
    /// The scenario that the history begins in: the run's own, or that of its oldest parent.
    pub scenario: Arc<Scenario>,
    /// The run's own world, with the policies' configs.
    pub world: World,
    /// How the run started.
    pub started: RunStarted,
    /// All that its world was made of.
    pub inputs: Inputs,
    /// What tells it from others: its world, its policy, and where it branches off from what.
    pub identity: String,
    /// The oldest parent's first, the run's own last.
    parts: Vec<Part>,
}

/// What one journal tells of a history.
struct Part {
    scenario: Arc<Scenario>,
    folder: PathBuf,
    opening: Vec<Recorded>,
    first: Option<Recorded>,
    reader: LogReader,
    /// The first tick that was not passed over.
    skipped_to: u32,
    /// Where the history leaves this journal.
    branch: Option<Branch>,
}

/// Where a history leaves a journal.
struct Branch {
    at_tick: u32,
    /// The chain hash that the journal must have there.
    chain_hash: Option<String>,
}

impl Journaled {
    /// Opens the log of a run and rebuilds its scenario; besides the logs of its parents no other
    /// file is read.
    pub(crate) fn open(run: &Path, quiet: bool) -> Result<Self, Failure> {
        Self::open_for(run, run, quiet)
    }

    /// The same of a run that lies in `place` until it gets its folder, from which its parent is
    /// found.
    pub(crate) fn open_for(run: &Path, place: &Path, quiet: bool) -> Result<Self, Failure> {
        let mut reader = open_log(place, quiet)?;
        let (opening, first) = opening(&mut reader, quiet)?;
        let started = started(&opening)?.clone();
        let forked = forked(&opening);
        let parent = forked.map(|forked| open_parent(run, forked, quiet)).transpose()?;
        let (mut parts, before, identity) = parent
            .map_or_else(Default::default, |parent| (parent.parts, parent.inputs, parent.identity));
        let inputs = inputs(&opening, before);
        let mut world = voltide_world::rebuild(&started.world_text, inputs.clone())?;
        let own = identity_of(&world, &started);
        let identity = forked.map_or(own.clone(), |it| fork_hash(&own, &identity, it.at_tick));
        world.scenario.policy.name.clone_from(&started.policy);
        world.scenario.policy.config.clone_from(&started.policy_config);
        if let (Some(forked), Some(parent)) = (forked, parts.last()) {
            inherit(&parent.scenario, &mut world.scenario, forked.at_tick)
                .map_err(|_| other_history(&parent.folder))?;
        }
        let own = Arc::new(world.scenario.clone());
        let scenario = Arc::clone(parts.first().map_or(&own, |oldest| &oldest.scenario));
        let folder = run.to_owned();
        parts.push(Part {
            scenario: own,
            folder,
            opening,
            first,
            reader,
            skipped_to: 0,
            branch: None,
        });
        Ok(Self { scenario, world, started, inputs, identity, parts })
    }

    /// Whether the history begins with a parent's.
    pub(crate) fn is_fork(&self) -> bool {
        self.parts.len() > 1
    }

    /// Where the run branched off from its parent; `None` where it has none.
    pub(crate) fn forked(&self) -> Option<&RunForked> {
        forked(&self.parts.last()?.opening)
    }

    /// The run's own scenario: a fork is what it is at its end, and begins as its oldest parent.
    pub(crate) fn own_scenario(&self) -> &Arc<Scenario> {
        self.parts.last().map_or(&self.scenario, |own| &own.scenario)
    }

    /// The scenario that holds in a tick.
    pub(crate) fn scenario_at(&self, tick: u32) -> &Arc<Scenario> {
        let left = |part: &&Part| part.end().is_some_and(|end| end <= tick);
        &self.parts[self.parts.iter().take_while(left).count()].scenario
    }

    /// Leaves of the history the ticks before `at_tick`.
    pub(crate) fn until(mut self, at_tick: u32) -> Self {
        let own_begins =
            |parts: &[Part]| parts.len().checked_sub(2).and_then(|place| parts[place].end());
        // What branches off before a fork's first tick has nothing of that fork's own history.
        while own_begins(&self.parts).is_some_and(|begins| at_tick < begins) {
            self.parts.pop();
        }
        if let Some(last) = self.parts.last_mut() {
            last.branch = Some(Branch { at_tick, chain_hash: None });
        }
        self
    }

    /// Plays the whole history back; also gives the status that the run ended with. Where that is
    /// verified, damage behind the end of a run that is over is an error, too.
    pub(crate) fn replay<S: Sink>(
        self,
        sink: S,
        verify: bool,
        quiet: bool,
    ) -> Result<(S, RunStatus), Failure> {
        let mut replay = Replay::new(Arc::clone(&self.scenario), sink, 1, verify);
        let played = self.play(&mut replay, quiet)?;
        if verify {
            played.refuse_torn_end()?;
        }
        Ok((replay.end()?.sink, played.status))
    }

    /// Passes over the history up to a tick; gives the scenario that holds there, and the tick's
    /// seal.
    ///
    /// `None` where the run's own log has no such tick.
    pub(crate) fn skip_through(
        &mut self,
        tick: u32,
    ) -> Result<Option<(Arc<Scenario>, Recorded)>, Failure> {
        // The state after the tick is known, so that no parent's log is needed to get there.
        self.parts.drain(..self.parts.len() - 1);
        let Some(own) = self.parts.last_mut() else { return Ok(None) };
        own.opening.clear();
        own.first = None;
        own.skipped_to = tick + 1;
        match own.reader.skip_through(tick) {
            Err(LogError::Torn(_)) => Ok(None),
            other => Ok(other?.map(|sealed| (Arc::clone(&own.scenario), sealed))),
        }
    }

    /// Plays the history to a replay.
    pub(crate) fn play<S: Sink>(
        self,
        replay: &mut Replay<S>,
        quiet: bool,
    ) -> Result<Played, Failure> {
        self.play_parts(replay, String::new(), quiet)
    }

    /// Plays what is left of it after [`skip_through`](Self::skip_through) a tick with this chain
    /// hash.
    pub(crate) fn play_after<S: Sink>(
        self,
        replay: &mut Replay<S>,
        chain_hash: &[u8],
        quiet: bool,
    ) -> Result<Played, Failure> {
        self.play_parts(replay, hex::encode(chain_hash), quiet)
    }

    fn play_parts<S: Sink>(
        self,
        replay: &mut Replay<S>,
        chain_hash: String,
        quiet: bool,
    ) -> Result<Played, Failure> {
        let bar = progress::bar(self.scenario.clock.slots, quiet);
        let mut played = Played { status: RunStatus::Interrupted, chain_hash, torn: None };
        for (number, part) in self.parts.into_iter().enumerate() {
            if number > 0 {
                replay.enter(Arc::clone(&part.scenario));
            }
            part.play(replay, &mut played, &bar, quiet)?;
        }
        bar.finish_and_clear();
        Ok(played)
    }

    /// Every event of the history.
    pub(crate) fn events(self, quiet: bool) -> impl Iterator<Item = Result<Recorded, Failure>> {
        self.parts.into_iter().flat_map(move |part| {
            let end = part.end();
            let mut reader = part.reader;
            let later = std::iter::from_fn(move || next_whole(&mut reader, quiet).transpose());
            // These were read when the log was opened, and the reader is behind them.
            let all = part.opening.into_iter().chain(part.first).map(Ok).chain(later);
            let within = move |it: &Result<Recorded, LogError>| {
                !it.as_ref().is_ok_and(|it| is_after(it, end))
            };
            all.take_while(within).map(|it| it.map_err(Failure::from))
        })
    }
}

/// What came of playing a history.
pub(crate) struct Played {
    /// How the run ended.
    pub status: RunStatus,
    /// The chain hash after the last tick that was played, in hex; before the first, where it
    /// begins.
    pub chain_hash: String,
    /// Where the log is damaged behind what was played.
    torn: Option<Damage>,
}

impl Played {
    /// Takes in an event that was played; gives the tick that comes next, where it settles that.
    fn note(&mut self, recorded: &Recorded) -> Option<u32> {
        let event = &recorded.event;
        if let Some(chain_hash) = event.chain_hash() {
            self.chain_hash = chain_hash;
        }
        if let Some(outcome) = event.outcome() {
            self.status = status_of(outcome);
        }
        let sealed = (event.step() == Step::Seal).then_some(recorded.tick + 1);
        sealed.or_else(|| event.forks().map(|forked| forked.at_tick))
    }

    /// An error if the log is damaged behind the end of a run that is over: no crash tore it there.
    fn refuse_torn_end(&self) -> Result<(), Failure> {
        match &self.torn {
            Some(damage) if self.status != RunStatus::Interrupted => {
                Err(Failure::from(LogError::Torn(damage.clone())).with(Code::Check))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Part {
    fn end(&self) -> Option<u32> {
        self.branch.as_ref().map(|branch| branch.at_tick)
    }

    fn play<S: Sink>(
        self,
        replay: &mut Replay<S>,
        played: &mut Played,
        bar: &ProgressBar,
        quiet: bool,
    ) -> Result<(), Failure> {
        let end = self.end();
        let mut reader = self.reader;
        let mut before = self.opening.into_iter().chain(self.first);
        let mut next_tick = self.skipped_to;
        while let Some(recorded) = before
            .next()
            .map_or_else(|| next_noting(&mut reader, &mut played.torn, quiet), |it| Ok(Some(it)))?
        {
            interrupt::check()?;
            if is_after(&recorded, end) {
                break;
            }
            next_tick = played.note(&recorded).unwrap_or(next_tick);
            bar.set_position(next_tick.into());
            replay.event(recorded)?;
        }
        let Some(Branch { at_tick, chain_hash }) = self.branch else { return Ok(()) };
        if next_tick < at_tick {
            return Err(too_short(&self.folder, next_tick, at_tick));
        }
        let same = chain_hash.is_none_or(|hash| hash == played.chain_hash);
        if same { Ok(()) } else { Err(other_history(&self.folder)) }
    }
}

/// Opens a log; one whose run is being put in its place is waited for.
pub(crate) fn open_placed(run: &Path) -> Result<LogReader, LogError> {
    reader::open(run).or_else(|_| {
        replacement::wait_for_log(run);
        reader::open(run)
    })
}

/// Opens a log; mentions, once for each, that it is not known what made its run.
pub(crate) fn open_log(run: &Path, quiet: bool) -> Result<LogReader, LogError> {
    static MENTIONED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let log = open_placed(run)?;
    let mut mentioned = MENTIONED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(lost) = log.lost_build().filter(|_| !quiet && mentioned.insert(run.to_owned())) {
        output::complain(&build_lost(lost));
    }
    Ok(log)
}

/// That it is not known what made a run, and why.
pub(crate) fn build_lost(lost: &Damage) -> String {
    format!("it is not known what made the run: `{}`: {}", lost.file.display(), lost.what)
}

/// What tells a run from others that are no forks. What stands in for its policy is not journaled.
fn identity_of(world: &World, started: &RunStarted) -> String {
    let config = configuration_hash(&world.scenario, &world.identity());
    let Build { policy_version, plugin_hash, .. } = &started.build;
    identity_hash(&config, &[policy_identity(&started.policy, policy_version, plugin_hash)])
}

/// Whether an event comes after the ticks before `end`.
fn is_after(recorded: &Recorded, end: Option<u32>) -> bool {
    // How a parent ended, whenever that was, is no part of its fork's history.
    end.is_some_and(|end| {
        !recorded.event.opens() && (recorded.tick >= end || recorded.event.step() == Step::Ending)
    })
}

fn open_parent(run: &Path, forked: &RunForked, quiet: bool) -> Result<Journaled, Failure> {
    let folder = run.join(&forked.parent);
    if !folder.join("log").is_dir() && !replacement::is_under_way(&folder) {
        let what = format!(
            "this run is a fork of {}, which is not at {}",
            forked.parent_run,
            folder.display()
        );
        return Err(Failure::new(
            Code::Input,
            what,
            Some("put the parent's folder back where it was"),
        ));
    }
    let mut parent = Journaled::open(&folder, quiet)?.until(forked.at_tick);
    if let Some(branch) = parent.parts.last_mut().and_then(|last| last.branch.as_mut()) {
        branch.chain_hash = Some(forked.parent_chain_hash.clone());
    }
    Ok(parent)
}

fn too_short(folder: &Path, ticks: u32, at_tick: u32) -> Failure {
    let what = format!("{} has {ticks} ticks, not {at_tick}", id_in(folder));
    Failure::new(Code::Input, what, Some("choose an earlier tick, or resume that run first"))
}

fn other_history(folder: &Path) -> Failure {
    let what = format!("the history of {} is not the one that was forked", folder.display());
    Failure::new(Code::Run, what, Some("put the parent's folder back as it was"))
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
pub(crate) fn status_of(outcome: &str) -> RunStatus {
    if outcome == FINISHED { RunStatus::Finished } else { RunStatus::Failed(outcome.to_owned()) }
}

/// The next event of a log. Where a crash tore the log, it ends after its last whole tick, which is
/// mentioned.
pub(crate) fn next_whole(
    reader: &mut LogReader,
    quiet: bool,
) -> Result<Option<Recorded>, LogError> {
    next_noting(reader, &mut None, quiet)
}

/// The same, which notes where the log is torn.
fn next_noting(
    reader: &mut LogReader,
    torn: &mut Option<Damage>,
    quiet: bool,
) -> Result<Option<Recorded>, LogError> {
    match reader.next().transpose() {
        Err(LogError::Torn(damage)) => {
            let end = damage
                .after_tick
                .map_or("before its first tick".into(), |tick| format!("after tick {tick}"));
            output::mention(quiet, &format!("the run was cut off: its log ends {end}"));
            *torn = Some(damage);
            Ok(None)
        }
        next => next,
    }
}

/// The events that a log opens with, and the one after them: a reader does not go back, so that
/// what was read too far is kept.
fn opening(
    reader: &mut LogReader,
    quiet: bool,
) -> Result<(Vec<Recorded>, Option<Recorded>), LogError> {
    let mut opening = Vec::new();
    while let Some(recorded) = next_whole(reader, quiet)? {
        if !recorded.event.opens() {
            return Ok((opening, Some(recorded)));
        }
        opening.push(recorded);
    }
    Ok((opening, None))
}

fn started(opening: &[Recorded]) -> Result<&RunStarted, Failure> {
    if let Some(started) = opening.first().and_then(|recorded| recorded.event.starts()) {
        return Ok(started);
    }
    let help =
        "what was salvaged from beyond damage can be listed, shown and exported: `voltide log`";
    Err(Failure::new(Code::Run, "the log does not say how the run started", Some(help)))
}

/// Where an opening says that a run branches off.
pub(crate) fn forked(opening: &[Recorded]) -> Option<&RunForked> {
    opening.iter().find_map(|recorded| recorded.event.forks())
}

/// What an opening loaded, in place of what a parent had under the same name.
fn inputs(opening: &[Recorded], mut inputs: Inputs) -> Inputs {
    for event in opening.iter().map(|recorded| &recorded.event) {
        if let Some(started) = event.starts() {
            inputs.rules = started.rules;
        }
        if let Event::SeriesLoaded(loaded) = event {
            inputs.series.retain(|known| known.name != loaded.name);
            inputs.series.push(series(loaded));
        }
        if let Event::StaysLoaded(loaded) = event {
            inputs.sessions.retain(|known| known.fleet != loaded.fleet);
            inputs.sessions.push(fleet_sessions(loaded));
        }
    }
    inputs
}

fn series(loaded: &SeriesLoaded) -> Series {
    Series {
        name: loaded.name.clone(),
        unit: loaded.unit.clone(),
        values: loaded.values.as_slice().into(),
    }
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
