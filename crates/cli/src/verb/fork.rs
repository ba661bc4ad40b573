//! `voltide fork`: what would have been, had something been different from some moment on.

use crate::{
    args::{Args, Deny, SnapshotTimes, Threads},
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::Journaled,
    live::{LiveRun, Prepared, all_cores, of_policy},
    machine::{Cost, Mark},
    playback::{self, Nothing},
    repeat::{Branch, Opening},
    run_folder::{Claim, RunFolder, id_in},
    snapshots::Snapshots,
    summary,
    verb::{
        plugins::known_plugins,
        resume::build_tables,
        run::{conclude, given_up, run_to_end, write_profile},
    },
    warnings,
};
use clap::Args as ClapArgs;
use std::{
    fs,
    path::{Component, Path, PathBuf},
    process::ExitCode,
};
use voltide_engine::{Fork, fork_hash, inherit};
use voltide_host::Plugins;
use voltide_journal::{event::RunStarted, mcap_log::McapLog};
use voltide_model::{scenario::Scenario, wishes::SocWish};
use voltide_world::{Override, World};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder of the parent
    pub run: PathBuf,

    /// The first slot that is the fork's own: its number, or a time within it
    #[arg(long, value_name = "TICK|TIME")]
    pub at: String,

    /// Policy to plan with from then on, by name or path; every plugged car is planned anew
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Put another value into the world: series, prices, policy, limits, costs or the count of a
    /// fleet; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    /// Folder that runs are written to [default: where the parent is]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    #[command(flatten)]
    pub threads: Threads,

    #[command(flatten)]
    pub snapshots: SnapshotTimes,

    /// Put the new run in the place of one of the same id that it would not repeat, or that is
    /// unfinished
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

/// Runs a fork to its end.
pub(crate) fn fork(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let begun = Mark::now();
    let threads = flags.threads.or_else(all_cores);
    let overrides = changes(flags);
    let changes: Vec<String> = overrides.iter().map(|change| change.text.clone()).collect();
    let parent = Journaled::open(&flags.run, args.quiet)?;
    let at_tick = slot(&flags.at, &parent.scenario)?;
    let world = changed_world(&parent, &overrides, at_tick)?;
    let plugins = known_plugins(args).with_threads(threads);
    let by_world = flags.policy.is_none();
    let mut prepared = prepare(world, &parent.started, &changes, (&plugins, by_world))?;
    warnings::tell(std::mem::take(&mut prepared.warnings), &flags.deny, args)?;
    prepared.mention_shadowing(&plugins, args.quiet);
    let interrupt = Interrupt::catch();
    // Before a folder is made for the fork: a parent that cannot be played back leaves none.
    let played_back =
        playback::play(&flags.run, (at_tick, Some(at_tick)), || Nothing, threads, args.quiet)?;
    let mut lineage = Fork {
        parent: String::new(),
        parent_run: id_in(&flags.run),
        config_hash: fork_hash(&prepared.config_hash(), &parent.started.config_hash, at_tick),
        parent_chain_hash: played_back.played.chain_hash,
        changes,
    };
    let id = prepared.id_by(&fork_hash(&prepared.identity_hash(), &parent.identity, at_tick));
    let world = prepared.world.scenario.name.clone();
    let start = prepared.watched(args.quiet).start(threads);
    let opening = Opening {
        started: RunStarted { config_hash: lineage.config_hash.clone(), ..start.run_started() },
        forked: Some(Branch { at_tick, parent: &flags.run, fork: &lineage }),
    };
    let claim = Claim { verb: "fork", replace: flags.replace, whole_or_none: false };
    let out = flags.out.clone().unwrap_or_else(|| out_of(&flags.run));
    let mut folder =
        RunFolder::claim((&out, &world, &id), claim, |there| opening.difference(there))?;
    // Only now are both folders there, as the way from one to the other needs them.
    lineage.parent = relative(&folder.path, &flags.run)?;
    let mut snapshots = Snapshots::new(&folder.place, flags.snapshots.every, &start.scenario);
    let log = McapLog::create(&folder.place, start.scenario.durability)?;
    let simulation = played_back.replay.fork(start, lineage, log)?;
    finish(simulation, (&mut folder, &id), begun, interrupt, &mut snapshots, args)
}

/// Runs a fork to its end, and builds the tables of its whole history.
fn finish(
    simulation: LiveRun<Nothing>,
    (folder, id): (&mut RunFolder, &str),
    begun: Mark,
    interrupt: Interrupt,
    snapshots: &mut Snapshots,
    args: &Args,
) -> Result<ExitCode, Failure> {
    folder.begun()?;
    let leaving = |failure: Failure| folder.left_by(failure);
    let run = run_to_end(simulation, interrupt, snapshots, args.quiet).map_err(leaving)?;
    if let Some(code) = given_up(folder, &run.status) {
        return Ok(code);
    }
    // A wish to stop ended the run, and is not to end the replay that builds its tables.
    interrupt.heed();
    let summary =
        build_tables((&folder.path, &folder.place), Vec::new(), args.quiet).map_err(leaving)?;
    let cost = Cost::of(begun, run.first_tick, run.last_tick, &run.ended.profile);
    write_profile(&folder.place, &cost)?;
    folder.over()?;
    summary::print(id, &folder.path, &summary, Some(&cost), args);
    conclude(&run.status, &[], &summary, &folder.path)
}

/// The fork's world with its policies: the parent's own where nothing is changed.
pub(crate) fn prepare(
    world: World,
    started: &RunStarted,
    changes: &[String],
    (plugins, by_world): (&Plugins, bool),
) -> Result<Prepared, Failure> {
    if changes.is_empty() {
        return Prepared::of_journal(world, started, plugins, false);
    }
    Prepared::changed(world, started, changes.to_vec(), (plugins, by_world))
}

/// The slot that the user means.
pub(crate) fn slot(text: &str, scenario: &Scenario) -> Result<u32, Failure> {
    let help = "give the number of a slot, or a time such as 2018-10-08T18:15";
    voltide_world::slot(text, &scenario.clock)
        .map_err(|what| Failure::new(Code::Input, what, Some(help)))
}

fn changes(flags: &Flags) -> Vec<Override> {
    let by_policy = flags.policy.as_ref().map(|policy| of_policy(policy));
    flags.sets.iter().map(|set| Override::set(set)).chain(by_policy).collect()
}

/// The parent's world with the changes from a tick on; refuses those that would make another
/// comparison of it.
pub(crate) fn changed_world(
    parent: &Journaled,
    changes: &[Override],
    at_tick: u32,
) -> Result<World, Failure> {
    let mut world = if changes.is_empty() {
        parent.world.clone()
    } else {
        voltide_world::rebuild_with(&parent.world.text, changes, parent.inputs.clone())?
    };
    inherit(parent.scenario_at(at_tick), &mut world.scenario, at_tick).map_err(|what| {
        let message = format!("a fork cannot change this of its parent: {what}");
        let help = "it may change series, prices, policy, limits, costs and the counts of fleets \
            that are drawn; for anything else start a run";
        Failure::new(Code::Input, message, Some(help))
    })?;
    refuse_wishes_of_nobody(&parent.world.scenario, &world.scenario)?;
    Ok(world)
}

/// Refuses wishes that a fork adds for cars that it does not have. Those of the parent may be for
/// cars that the fork takes out: they held until then.
fn refuse_wishes_of_nobody(parent: &Scenario, child: &Scenario) -> Result<(), Failure> {
    for (before, fleet) in parent.fleets.iter().zip(&child.fleets) {
        let known: Vec<(&str, &SocWish)> = before.wishes.all().collect();
        let added = fleet.wishes.all().filter(|wish| !known.contains(wish));
        let of_car = added.filter_map(|(kind, wish)| wish.car.map(|car| (kind, car)));
        if let Some((kind, car)) = of_car.into_iter().find(|&(_, car)| car >= fleet.count) {
            let name = &fleet.name;
            let message = format!(
                "`fleets.{name}.{kind}` is for car {car}, which fleet `{name}` does not have"
            );
            let help = match fleet.count.checked_sub(1) {
                None => "the fork leaves it no cars".to_owned(),
                Some(0) => "its one car is number 0".to_owned(),
                Some(last) => {
                    format!(
                        "its {} cars are numbered from 0 to {last}; the nearest is {last}",
                        fleet.count
                    )
                }
            };
            return Err(Failure::new(Code::Input, message, Some(&help)));
        }
    }
    Ok(())
}

/// The folder that a run was written to with `--out`.
fn out_of(run: &Path) -> PathBuf {
    let run = fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    run.ancestors().nth(2).map_or_else(|| PathBuf::from("outputs"), Path::to_owned)
}

fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    fs::canonicalize(path).map_err(|error| {
        Failure::new(Code::Run, format!("cannot find {}: {error}", path.display()), None)
    })
}

/// The way from one folder to another, both of which exist.
fn relative(from: &Path, to: &Path) -> Result<String, Failure> {
    let from = absolute(from)?;
    let to = absolute(to)?;
    let shared = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(shared)).collect();
    way.into_os_string().into_string().map_err(|way| {
        Failure::new(Code::Input, format!("the path {} is not UTF-8", way.display()), None)
    })
}
