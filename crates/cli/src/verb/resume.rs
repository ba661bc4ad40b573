//! `voltide resume`: goes on with a run where its log ends.

use crate::{
    args::{Args, SnapshotTimes, Threads},
    beside_log::{Ending, kept_days},
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::{Journaled, build_lost, status_of},
    live::{Prepared, all_cores},
    machine::{Cost, Mark},
    output,
    playback::{self, Nothing},
    run_folder::{Held, id_in},
    snapshots::Snapshots,
    summary,
    verb::{
        plugins::known_plugins,
        run::{conclude, run_to_end, write_profile},
    },
};
use clap::Args as ClapArgs;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_journal::{
    mcap_log::McapLog,
    recovery::{self, LogEnd, Recovery},
};
use voltide_telemetry::{ClosedDay, Options, Summary, Telemetry, damaged_files, described};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder of the run
    pub run: PathBuf,

    #[command(flatten)]
    pub threads: Threads,

    /// Go on even where the policy's plugin is another file than the one that the run began with
    #[arg(long)]
    pub any_plugin: bool,

    #[command(flatten)]
    pub snapshots: SnapshotTimes,
}

/// Goes on with a run.
pub(crate) fn resume(resume: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let begun = Mark::now();
    let interrupt = Interrupt::catch();
    let _held = Held::run(&resume.run, "resume")?;
    let recovery = recovery::recover(&resume.run)?;
    say_recovery(&recovery, args.quiet);
    match &recovery.end.outcome {
        Some(outcome) => stay(&resume.run, &recovery.end, outcome, args),
        None => resume_after(resume, &recovery.end, interrupt, begun, args),
    }
}

/// Says what was cut off.
pub(crate) fn say_recovery(recovery: &Recovery, quiet: bool) {
    let end = recovery
        .end
        .last_tick
        .map_or("before its first tick".into(), |tick| format!("after tick {tick}"));
    if let Some(torn) = &recovery.torn {
        output::mention(quiet, &format!("the log was cut off: {}; it ends {end}", torn.what));
    }
    if let Some(lost) = &recovery.lost_build {
        output::mention(quiet, &build_lost(lost));
    }
    for copy in &recovery.quarantined {
        output::mention(quiet, &format!("what was there is kept in {}", copy.display()));
    }
}

fn resume_after(
    resume: &Flags,
    end: &LogEnd,
    interrupt: Interrupt,
    begun: Mark,
    args: &Args,
) -> Result<ExitCode, Failure> {
    let threads = resume.threads.or_else(all_cores);
    let journaled = Journaled::open(&resume.run, args.quiet)?;
    let plugins = known_plugins(args).with_threads(threads);
    let world = journaled.world.clone();
    let prepared = Prepared::of_journal(world, &journaled.started, &plugins, resume.any_plugin)?;
    prepared.mention_shadowing(&plugins, args.quiet);
    let start = prepared.watched(args.quiet).start(threads);
    let durability = start.scenario.durability;
    let mut snapshots = Snapshots::new(&resume.run, resume.snapshots.every, &start.scenario);
    let leaving = |failure: Failure| failure.leaving_in(&resume.run);
    let played_back =
        playback::play(&resume.run, (u32::MAX, None), || Nothing, threads, args.quiet)?;
    if let Some(tick) = played_back.from {
        output::mention(args.quiet, &format!("the state after tick {tick} is from a snapshot"));
    }
    // Only now does the log get another segment: a history that cannot be played back gets none.
    let log =
        McapLog::resume(&resume.run, durability, end).map_err(Failure::from).map_err(leaving)?;
    let simulation = played_back.replay.resume(start, log)?;
    let run = run_to_end(simulation, interrupt, &mut snapshots, args.quiet).map_err(leaving)?;
    // A wish to stop ended the run, and is not to end the replay that builds its tables.
    interrupt.heed();
    let kept = kept_days(&resume.run).map_err(leaving)?;
    let summary = build_tables((&resume.run, &resume.run), kept, args.quiet).map_err(leaving)?;
    let cost = Cost::of(begun, run.first_tick, run.last_tick, &run.ended.profile);
    write_profile(&resume.run, &cost)?;
    summary::print(&id_in(&resume.run), &resume.run, &summary, Some(&cost), args);
    conclude(&run.status, &[], &summary, &resume.run)
}

/// Builds the tables of a run that lies in `place` until it gets its folder, by one replay of its
/// log; days of `ev_ticks` that are whole already are kept.
pub(crate) fn build_tables(
    (run, place): (&Path, &Path),
    kept_days: Vec<ClosedDay>,
    quiet: bool,
) -> Result<Summary, Failure> {
    let journaled = Journaled::open_for(run, place, true)?;
    let options = Options { kept_days, ..Options::default() };
    let telemetry = Telemetry::create(place, &journaled.scenario, options)?;
    let (telemetry, status) = journaled.replay(telemetry, false, quiet)?;
    Ok(telemetry.finish(status)?)
}

/// A run that is over stays as it is; tables that its end left half-written are built again.
fn stay(run: &Path, end: &LogEnd, outcome: &str, args: &Args) -> Result<ExitCode, Failure> {
    // A manifest that cannot be read is as good as none.
    let whole =
        damaged_files(run).is_ok_and(|damaged| damaged.is_some_and(|files| files.is_empty()));
    let ending = Ending::of(run, end.last_tick, &status_of(outcome))?;
    let tables = described(run).ok().flatten();
    if whole && tables.is_some_and(|tables| ending.difference(&tables).is_none()) {
        output::mention(args.quiet, &format!("the run is over: {outcome}"));
        return Ok(ExitCode::SUCCESS);
    }
    let summary = build_tables((run, run), kept_days(run)?, args.quiet)?;
    output::mention(
        args.quiet,
        "the run is over; its tables were not whole, or not its own, and are built again",
    );
    summary::print(&id_in(run), run, &summary, None, args);
    match summary.status.as_str() {
        "failed" => Err(Failure::new(Code::Run, outcome, None)),
        _ => Ok(ExitCode::SUCCESS),
    }
}
