//! Many runs of one world, some at the same time: what `compare` and `sweep` have in common.

use crate::{
    args::World as WorldArgs,
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::{Journaled, outcome},
    live::{self, Prepared, all_cores},
    measured::{Observer, RunFigures},
    repeat::Opening,
    replacement,
    run_folder::{self, Claim, Held, RunFolder},
    snapshots::Snapshots,
};
use indicatif::ProgressBar;
use std::{
    collections::BTreeMap,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::ScopedJoinHandle,
};
use voltide_engine::{Simulation, Start};
use voltide_host::Plugins;
use voltide_journal::log::{EventLog, NoLog};
use voltide_model::scenario::Scenario;
use voltide_telemetry::{Options, RunStatus, Telemetry};
use voltide_world::{World, free_memory};

/// A run to be made.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Who plans, by name or path.
    pub policy: String,
    /// Seed of its draws; `None` leaves that of the world.
    pub seed: Option<u64>,
    /// What else is put into the world.
    pub sets: Vec<String>,
}

/// A run that was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Seed of its draws.
    pub seed: u64,
    /// Its folder; `None` where it was not kept.
    pub folder: Option<PathBuf>,
    /// What it came to.
    pub figures: RunFigures,
}

/// Where runs are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// The folder that they are written to.
    pub out: &'a Path,
    /// The verb that writes them.
    pub verb: &'static str,
    /// Whether another run of the same id may be given up for one of them.
    pub replace: bool,
}

/// A run that could begin: its world is read, and its policies are loaded.
pub(crate) struct Ready {
    /// The id of the run.
    pub id: String,
    start: Start,
}

/// What the runs of a batch share.
pub(crate) struct Batch<'a> {
    /// The world file.
    pub world: &'a Path,
    /// Where policies come from.
    pub plugins: &'a Plugins,
    /// The user's wish to stop.
    pub interrupt: Interrupt,
    /// Whether nothing is said in passing.
    pub quiet: bool,
    /// A bar of all their ticks.
    pub bar: ProgressBar,
    /// Threads that each run may use.
    pub threads: usize,
    /// Where they are kept, if they are.
    pub kept: Option<Kept<'a>>,
    /// Worlds that were read.
    pub worlds: Worlds,
}

/// Policy, overrides, and the length of the seed: worlds that have these in common differ in the
/// seed.
type WorldKey = (String, Vec<String>, usize);

/// A world that was read, for the jobs that are still to have it with another seed.
#[derive(Default)]
struct Known {
    jobs: usize,
    world: Option<Arc<World>>,
}

/// Worlds that were read, each as long as there are jobs that differ from it in the seed alone.
pub(crate) struct Worlds {
    /// The seed that the world has without an override: its text and its overrides are other ones.
    seed_of_file: u64,
    known: Mutex<BTreeMap<WorldKey, Known>>,
}

impl Worlds {
    /// None so far; `jobs` are all that will ask for one.
    pub(crate) fn of(jobs: &[Job], seed_of_file: u64) -> Self {
        let mut known: BTreeMap<WorldKey, Known> = BTreeMap::new();
        for key in jobs.iter().filter_map(|job| key(job, seed_of_file)) {
            known.entry(key).or_default().jobs += 1;
        }
        Self { seed_of_file, known: Mutex::new(known) }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<WorldKey, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The world of a job with another seed, where one was read; the job will not ask again.
    fn take(&self, key: &WorldKey) -> Option<Arc<World>> {
        let mut all = self.all();
        let known = all.get_mut(key)?;
        known.jobs -= 1;
        if known.jobs == 0 { all.remove(key)?.world } else { known.world.clone() }
    }

    /// Keeps a world for the jobs that are left.
    fn keep(&self, key: &WorldKey, world: &Arc<World>) {
        if let Some(known) = self.all().get_mut(key) {
            known.world = Some(Arc::clone(world));
        }
    }

    /// The world of a job: read, or one that was, with another seed.
    fn of_job(&self, job: &Job, args: &WorldArgs) -> Result<World, Failure> {
        let read = || voltide_world::load_with(&args.file, &args.overrides());
        let (Some(key), Some(seed)) = (key(job, self.seed_of_file), job.seed) else {
            return Ok(read()?);
        };
        if let Some(world) = self.take(&key).and_then(|world| world.with_seed(seed)) {
            return Ok(world);
        }
        let world = Arc::new(read()?);
        self.keep(&key, &world);
        Ok(Arc::unwrap_or_clone(world))
    }
}

/// What a job's world has in common with those of other seeds; `None` where its seed is the file's.
fn key(job: &Job, seed_of_file: u64) -> Option<WorldKey> {
    let seed = job.seed.filter(|seed| *seed != seed_of_file)?;
    Some((job.policy.clone(), job.sets.clone(), seed.to_string().len()))
}

impl Batch<'_> {
    /// Reads a run's world and loads its policies.
    pub(crate) fn ready(&self, job: &Job) -> Result<Ready, Failure> {
        let args = WorldArgs {
            file: self.world.to_owned(),
            policy: Some(job.policy.clone()),
            seed: job.seed,
            sets: job.sets.clone(),
        };
        let world = self.worlds.of_job(job, &args)?;
        let prepared = Prepared::with_world(world, &args, self.plugins)?;
        let id = prepared.id();
        Ok(Ready { id, start: prepared.watched(self.quiet).start(self.threads) })
    }

    /// The folder of a run that is there and finished, and that this one would repeat.
    pub(crate) fn finished(&self, ready: &Ready) -> Option<PathBuf> {
        let kept = self.kept?;
        let folder = run_folder::path(kept.out, &ready.start.scenario.name, &ready.id);
        let opening = Opening { started: ready.start.run_started(), forked: None };
        if !run_folder::is_finished(&folder) || opening.difference(&folder).is_some() {
            return None;
        }
        if replacement::is_held(&folder) {
            // A process that was killed may have left it so: whoever holds it next tidies up. One
            // that is at work does so itself.
            drop(Held::run(&folder, kept.verb));
        }
        Some(folder)
    }

    /// Makes a run; `None` where the user wants to stop.
    pub(crate) fn make(&self, ready: Ready) -> Result<Option<Made>, Failure> {
        if self.interrupt.raised() {
            return Ok(None);
        }
        let seed = ready.start.scenario.seed;
        let (figures, folder) = match self.kept {
            Some(kept) => self.make_kept(ready, kept)?,
            None => self.make_for_figures(ready.start)?,
        };
        Ok(figures.map(|figures| Made { seed, folder, figures }))
    }

    /// A run as `voltide run` makes it.
    fn make_kept(
        &self,
        Ready { id, start }: Ready,
        Kept { out, verb, replace }: Kept<'_>,
    ) -> Result<(Option<RunFigures>, Option<PathBuf>), Failure> {
        let world = start.scenario.name.clone();
        let opening = Opening { started: start.run_started(), forked: None };
        let claim = Claim { verb, replace, whole_or_none: true };
        let mut folder =
            RunFolder::claim((out, &world, &id), claim, |there| opening.difference(there))?;
        let scenario = Arc::clone(&start.scenario);
        let mut snapshots = Snapshots::new(&folder.place, None, &scenario);
        let options = Options { bills: true, ..Options::default() };
        let telemetry = Telemetry::create(&folder.place, &start.scenario, options)?;
        let simulation = live::begin(start, &folder.place, Observer::new(telemetry))?;
        let (figures, status) = self.step(simulation, &mut snapshots)?;
        if status != RunStatus::Interrupted {
            folder.over()?;
        }
        Ok((wanted(figures, status)?, Some(folder.path.clone())))
    }

    /// A run of which only the figures are kept.
    fn make_for_figures(
        &self,
        start: Start,
    ) -> Result<(Option<RunFigures>, Option<PathBuf>), Failure> {
        let scenario = Arc::clone(&start.scenario);
        let observer = Observer::new(Telemetry::create_summary(&scenario)?);
        let simulation = Simulation::new(start, NoLog::default(), observer)?;
        let (figures, status) = self.step(simulation, &mut Snapshots::none())?;
        Ok((wanted(figures, status)?, None))
    }

    /// Steps a run to its end, or as far as the user wants.
    fn step<L: EventLog>(
        &self,
        mut simulation: live::LiveRun<Observer, L>,
        snapshots: &mut Snapshots,
    ) -> Result<(RunFigures, RunStatus), Failure> {
        let status = live::step_through(&mut simulation, self.interrupt, &self.bar, snapshots)?;
        let ended = simulation.end(outcome(&status))?;
        Ok((ended.sink.finish(status.clone())?, status))
    }
}

/// The figures of a run; `None` where the user stopped it.
fn wanted(figures: RunFigures, status: RunStatus) -> Result<Option<RunFigures>, Failure> {
    match status {
        RunStatus::Finished => Ok(Some(figures)),
        RunStatus::Interrupted => Ok(None),
        RunStatus::Failed(error) => Err(Failure::new(Code::Run, error, None)),
    }
}

/// The figures of a run that is there, from its log, and how it ended.
pub(crate) fn replayed(
    journaled: Journaled,
    quiet: bool,
) -> Result<(RunFigures, RunStatus), Failure> {
    let observer = Observer::new(Telemetry::create_summary(&journaled.scenario)?);
    let (observer, status) = journaled.replay(observer, false, quiet)?;
    Ok((observer.finish(status.clone())?, status))
}

/// Does the work of all places from 0 to `count`, `at_once` at a time, in their order. After a
/// failure nothing new begins; what is at work goes on to its end, lest it stays unfinished.
///
/// # Errors
/// The first failure.
pub(crate) fn side_by_side(
    count: usize,
    at_once: usize,
    work: impl Fn(usize) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let worker = || {
        loop {
            // The counter only hands out places. What the work comes to goes through locks.
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return Ok(());
            }
            work(place).inspect_err(|_| next.store(count, Ordering::Relaxed))?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(worker)).collect();
        // A worker that panicked has said so; the panic goes on here.
        let mut results = workers.into_iter().map(ScopedJoinHandle::join);
        results.try_for_each(|result| result.unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Memory that a run takes whatever its world, bytes.
const RUN_BYTES: u64 = 40 << 20;
/// Memory that a car takes with its stays, bytes: as measured on a week of 100,000 cars, rounded
/// up.
const CAR_BYTES: u64 = 2000;
/// What it takes besides for each slot of the horizon where drivers are asked, bytes: as measured
/// on two days of 20,000 cars.
const ASKED_SLOT_BYTES: u64 = 40;

/// Runs that cores and half of the free memory allow at the same time.
pub(crate) fn affordable(scenario: &Scenario) -> usize {
    let asked =
        scenario.incentive.map_or(0, |_| ASKED_SLOT_BYTES * u64::from(scenario.horizon_end()));
    let each = RUN_BYTES + scenario.population.len() as u64 * (CAR_BYTES + asked);
    let fit = free_memory().map_or(usize::MAX, |free| (free / 2 / each) as usize);
    fit.clamp(1, all_cores())
}
