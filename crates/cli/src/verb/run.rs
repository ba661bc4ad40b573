//! `voltide run`: a world file in, a journal and tables out.

use crate::{
    args::{Args, Deny, SnapshotTimes, Threads, World},
    estimate::Estimate,
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::outcome,
    live::{self, LiveRun, Prepared, all_cores},
    machine::{Cost, Mark},
    output, progress,
    repeat::Opening,
    run_folder::{Claim, RunFolder},
    snapshots::Snapshots,
    summary,
    verb::{check::dry_run, plugins::known_plugins},
    warnings,
};
use clap::{Args as ClapArgs, ValueEnum};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_engine::Ended;
use voltide_journal::{plain, sink::Sink};
use voltide_telemetry::{Options, RunStatus, Summary, Telemetry};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    #[command(flatten)]
    pub world: World,

    /// Folder that runs are written to
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    pub out: PathBuf,

    #[command(flatten)]
    pub threads: Threads,

    /// Check the world and say what the run would be, without running it
    #[arg(long = "dry-run")]
    pub dry: bool,

    /// Exit with 6 if any of this happened
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,

    #[command(flatten)]
    pub snapshots: SnapshotTimes,

    /// Put the new run in the place of one of the same id that it would not repeat, or that is
    /// unfinished
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

/// What `--fail-on` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A car left below its target.
    MissedTarget,
    /// A trip wanted more energy than there was.
    ShortTrip,
    /// A site's limit cut what its cars asked for.
    SiteLimit,
    /// The policy panicked or returned an error, and was replaced for a call.
    PolicyFault,
    /// An answer broke the contract: NaN or infinity, more than the charger can, or power after
    /// departure.
    BrokenAnswer,
}

impl FailOn {
    /// Whether it happened in a run.
    fn happened_in(self, summary: &Summary) -> bool {
        match self {
            Self::MissedTarget => summary.missed_targets > 0,
            Self::ShortTrip => summary.short_trips > 0,
            Self::SiteLimit => summary.site_limit_hits > 0,
            Self::PolicyFault => summary.policy_faults > 0,
            Self::BrokenAnswer => summary.broken_answers() > 0,
        }
    }
}

/// Runs a world.
pub(crate) fn run(run: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let begun = Mark::now();
    let threads = run.threads.or_else(all_cores);
    let plugins = known_plugins(args).with_threads(threads);
    let mut prepared = Prepared::load(&run.world, &plugins)?;
    warnings::tell(std::mem::take(&mut prepared.warnings), &run.deny, args)?;
    if run.dry {
        let scenario = prepared.world.scenario.clone();
        let estimate = Estimate::of(prepared, (&run.world, run.snapshots.every), &plugins)?;
        return Ok(dry_run(&scenario, estimate, &run.out, args));
    }
    for read in
        prepared.world.sessions_read.iter().filter(|read| read.before_start + read.after_end > 0)
    {
        output::mention(args.quiet, &read.to_string());
    }
    prepared.mention_shadowing(&plugins, args.quiet);
    let id = prepared.id();
    let world = prepared.world.scenario.name.clone();
    let start = prepared.watched(args.quiet).start(threads);
    let opening = Opening { started: start.run_started(), forked: None };
    let claim = Claim { verb: "run", replace: run.replace, whole_or_none: false };
    // Until here there is nothing on the disk that Ctrl-C could leave half-done.
    let interrupt = Interrupt::catch();
    let mut folder =
        RunFolder::claim((&run.out, &world, &id), claim, |there| opening.difference(there))?;
    let mut snapshots = Snapshots::new(&folder.place, run.snapshots.every, &start.scenario);
    let telemetry = Telemetry::create(&folder.place, &start.scenario, Options::default())?;
    let simulation = live::begin(start, &folder.place, telemetry)?;
    // The run that was there is given up only for one that has begun.
    folder.begun()?;

    let finished = finish(simulation, begun, interrupt, &mut snapshots, args.quiet);
    let (status, summary, cost) = finished.map_err(|failure| folder.left_by(failure))?;
    if let Some(code) = given_up(&folder, &status) {
        return Ok(code);
    }
    write_profile(&folder.place, &cost)?;
    folder.over()?;
    summary::print(&id, &folder.path, &summary, Some(&cost), args);
    conclude(&status, &run.fail_on, &summary, &folder.path)
}

/// The exit code of a run that would have repeated one that is over, and was interrupted.
pub(crate) fn given_up(folder: &RunFolder, status: &RunStatus) -> Option<ExitCode> {
    if *status != RunStatus::Interrupted || !folder.is_beside() {
        return None;
    }
    output::complain(&format!("interrupted: the run in {} stays as it was", folder.path.display()));
    Some(Code::Interrupted.into())
}

/// Runs what has begun to its end and closes its tables; also says what that cost.
pub(crate) fn finish(
    simulation: LiveRun<Telemetry>,
    begun: Mark,
    interrupt: Interrupt,
    snapshots: &mut Snapshots,
    quiet: bool,
) -> Result<(RunStatus, Summary, Cost), Failure> {
    let run = run_to_end(simulation, interrupt, snapshots, quiet)?;
    let summary = run.ended.sink.finish(run.status.clone())?;
    let cost = Cost::of(begun, run.first_tick, run.last_tick, &run.ended.profile);
    Ok((run.status, summary, cost))
}

/// A run whose log is closed.
pub(crate) struct ClosedRun<S> {
    pub status: RunStatus,
    pub ended: Ended<S>,
    pub first_tick: Mark,
    pub last_tick: Mark,
}

/// Runs what has begun to its end.
pub(crate) fn run_to_end<S: Sink>(
    mut simulation: LiveRun<S>,
    interrupt: Interrupt,
    snapshots: &mut Snapshots,
    quiet: bool,
) -> Result<ClosedRun<S>, Failure> {
    let bar = progress::bar(simulation.clock().slots, quiet);
    bar.set_position(u64::from(simulation.tick()));
    let first_tick = Mark::now();
    let status = live::step_through(&mut simulation, interrupt, &bar, snapshots)?;
    bar.finish_and_clear();
    let last_tick = Mark::now();
    let ended = simulation.end(outcome(&status))?;
    Ok(ClosedRun { status, ended, first_tick, last_tick })
}

pub(crate) fn write_profile(path: &Path, cost: &Cost) -> Result<(), Failure> {
    let file = path.join("profile.json");
    let text =
        serde_json::to_string_pretty(cost).map_err(|error| Failure::new(Code::Run, error, None))?;
    let cannot =
        |error| Failure::new(Code::Run, format!("cannot write {}: {error}", file.display()), None);
    let written =
        plain::create(&file).and_then(|mut file| file.write_all((text + "\n").as_bytes()));
    written.map_err(cannot)
}

/// The exit code, and a last word where it is not 0.
pub(crate) fn conclude(
    status: &RunStatus,
    fail_on: &[FailOn],
    summary: &Summary,
    path: &Path,
) -> Result<ExitCode, Failure> {
    match status {
        RunStatus::Failed(error) => {
            let help = "`fallback` in the world names the policy that stands in; the tables hold \
                what came before";
            return Err(Failure::new(Code::Run, error, Some(help)));
        }
        RunStatus::Interrupted => {
            let ticks = summary.slots;
            let path = path.display();
            output::complain(&format!(
                "interrupted after {ticks} ticks: all of them are in the log and in the tables \
                 of {path}\n\
                 `voltide resume {path}` goes on from there"
            ));
            return Ok(Code::Interrupted.into());
        }
        RunStatus::Finished => {}
    }
    Ok(if fail_on.iter().any(|what| what.happened_in(summary)) {
        Code::Check.into()
    } else {
        ExitCode::SUCCESS
    })
}
