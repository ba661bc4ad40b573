//! `voltide run`: a world file in, a journal and tables out.

use crate::{
    args::{Args, FailOn, Run, World as WorldArgs},
    failure::{Code, Failure},
    journaled::outcome,
    machine::{Cost, Mark},
    output,
    progress::{self, Interrupt},
    run_folder::{RunFolder, run_id},
    summary,
    verb::{check::dry_run, plugins::known_plugins},
};
use std::{fs, path::Path, process::ExitCode, sync::Arc};
use voltide_engine::{EngineError, Simulation, Start};
use voltide_host::Plugins;
use voltide_journal::{event::Build, mcap_log::McapLog};
use voltide_model::clock::Clock;
use voltide_policy::planner::{Planner, PolicyInfo};
use voltide_telemetry::{Options, RunStatus, Summary, Telemetry};
use voltide_world::World;

type LiveRun = Simulation<McapLog, Telemetry>;

/// Runs a world.
pub(crate) fn run(run: &Run, args: &Args) -> Result<ExitCode, Failure> {
    let begun = Mark::now();
    let mut world = voltide_world::load(&run.world.file, &run.world.overrides())?;
    let plugins = known_plugins(args);
    let planner = policy(&run.world, &world, &plugins)?;
    let fallback = fallback(&world, planner.as_ref(), &plugins)?;
    if run.dry {
        return Ok(dry_run(&world.scenario, &run.out, args));
    }
    let id = id_of(&world, planner.info());
    name_policy(&mut world, planner.info());
    let mut folder = RunFolder::claim(&run.out, &world.scenario.name, &id)?;
    let start = Start {
        scenario: Arc::new(world.scenario),
        world_text: world.text,
        overrides: run.world.overrides(),
        build: build(planner.info()),
        planner,
        fallback,
        threads: run.threads.map_or_else(all_cores, usize::from),
    };
    let simulation = begin(start, &folder.path)?;
    folder.begun()?;

    let finished = finish(simulation, begun, args.quiet);
    let (status, summary, cost) = finished.map_err(|failure| failure.leaving(&folder.path))?;
    write_profile(&folder.path, &cost)?;
    summary::print(&id, &folder.path, &summary, Some(&cost), args.json);
    conclude(&status, &run.fail_on, &summary, &folder.path)
}

/// Runs what has begun to its end; also says what that cost.
fn finish(mut simulation: LiveRun, begun: Mark, quiet: bool) -> Result<(RunStatus, Summary, Cost), Failure> {
    let first_tick = Mark::now();
    let status = step_through(&mut simulation, quiet)?;
    let last_tick = Mark::now();
    let ended = simulation.end(outcome(&status))?;
    let summary = ended.sink.finish(status.clone())?;
    Ok((status, summary, Cost::of(begun, first_tick, last_tick, &ended.profile)))
}

impl WorldArgs {
    /// The overrides that the flags stand for.
    pub(crate) fn overrides(&self) -> Vec<String> {
        let policy = self.policy.as_ref().map(|policy| format!("policy={policy:?}"));
        let seed = self.seed.map(|seed| format!("seed={seed}"));
        self.sets.iter().cloned().chain(policy).chain(seed).collect()
    }
}

/// The policy that plans. A path is relative to the file that names it, or to the current folder
/// where the command line names it.
fn policy(args: &WorldArgs, world: &World, plugins: &Plugins) -> Result<Box<dyn Planner>, Failure> {
    let name = &world.scenario.policy.name;
    let is_path = Path::new(name).components().count() > 1;
    let folder = world.path.parent().filter(|_| is_path && args.policy.is_none());
    let choice =
        folder.map_or_else(|| name.clone(), |folder| folder.join(name).to_string_lossy().into_owned());
    load(&choice, world, plugins)
}

/// Creates a policy with the config that the world has for it, under the policy's own name.
fn load(choice: &str, world: &World, plugins: &Plugins) -> Result<Box<dyn Planner>, Failure> {
    let planner = plugins.load_with(choice, |name| world.config_of(name).unwrap_or_default());
    planner.map_err(|error| Failure::plugin(error, world))
}

/// What stands in for the policy; a policy does not stand in for itself.
fn fallback(
    world: &World,
    policy: &dyn Planner,
    plugins: &Plugins,
) -> Result<Option<Box<dyn Planner>>, Failure> {
    let Some(name) = world.scenario.policy.fallback.as_ref().filter(|name| **name != policy.info().name)
    else {
        return Ok(None);
    };
    load(name, world, plugins).map(Some)
}

fn id_of(world: &World, policy: &PolicyInfo) -> String {
    let scenario = &world.scenario;
    let config_hash = voltide_engine::configuration_hash(scenario, &world.text);
    run_id(&scenario.name, &policy.name, scenario.seed, &config_hash)
}

/// Puts the policy under its own name, with the config that it got, however it was asked for.
fn name_policy(world: &mut World, policy: &PolicyInfo) {
    let (config, offset) = world.config_of(&policy.name).unwrap_or_default();
    let config = config.to_owned();
    let choice = &mut world.scenario.policy;
    (choice.name, choice.config, choice.config_offset) = (policy.name.clone(), config, offset);
}

fn begin(start: Start, path: &Path) -> Result<LiveRun, Failure> {
    let log = McapLog::create(path, start.scenario.durability)?;
    let telemetry = Telemetry::create(path, Arc::clone(&start.scenario), Options::default())?;
    Ok(Simulation::new(start, log, telemetry)?)
}

fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn build(policy: &PolicyInfo) -> Build {
    Build {
        engine_version: env!("CARGO_PKG_VERSION").into(),
        git: env!("VOLTIDE_GIT").into(),
        policy_version: policy.version.clone(),
        plugin_hash: policy.hash.clone(),
        plugin_file: policy.file.clone(),
        time_zone_data: chrono_tz::IANA_TZDB_VERSION.into(),
    }
}

/// Steps until the last slot, until the user wants to stop, or until the policy fails for good.
fn step_through(simulation: &mut LiveRun, quiet: bool) -> Result<RunStatus, Failure> {
    let interrupt = Interrupt::catch()?;
    let clock: Clock = simulation.clock();
    let bar = progress::bar(clock.slots, quiet);
    while !simulation.is_done() {
        if interrupt.raised() {
            return Ok(RunStatus::Interrupted);
        }
        bar.set_message(clock.local(simulation.tick()).format("%a %d %b %H:%M").to_string());
        match simulation.step() {
            Ok(()) => bar.inc(1),
            Err(error @ EngineError::Policy { .. }) => return Ok(RunStatus::Failed(error.to_string())),
            Err(error) => return Err(error.into()),
        }
    }
    bar.finish_and_clear();
    Ok(RunStatus::Finished)
}

fn write_profile(path: &Path, cost: &Cost) -> Result<(), Failure> {
    let file = path.join("profile.json");
    let text = serde_json::to_string_pretty(cost).map_err(|error| Failure::new(Code::Run, error, None))?;
    let cannot = |error| Failure::new(Code::Run, format!("cannot write {}: {error}", file.display()), None);
    fs::write(&file, text + "\n").map_err(cannot)
}

/// The exit code, and a last word where it is not 0.
fn conclude(
    status: &RunStatus,
    fail_on: &[FailOn],
    summary: &Summary,
    path: &Path,
) -> Result<ExitCode, Failure> {
    match status {
        RunStatus::Failed(error) => {
            let help =
                "`fallback` in the world names the policy that stands in; the tables hold what came before";
            return Err(Failure::new(Code::Run, error, Some(help)));
        }
        RunStatus::Interrupted => {
            let (ticks, path) = (summary.slots, path.display());
            output::complain(&format!(
                "interrupted after {ticks} ticks: all of them are in the log and in the tables of {path}\n\
                 to start again, delete that folder or give another one with --out"
            ));
            return Ok(Code::Interrupted.into());
        }
        RunStatus::Finished => {}
    }
    let happened = |what: &FailOn| match what {
        FailOn::MissedTarget => summary.missed_targets > 0,
        FailOn::ShortTrip => summary.short_trips > 0,
        FailOn::SiteLimit => summary.site_limit_hits > 0,
        FailOn::PolicyFault => summary.policy_faults > 0,
    };
    Ok(if fail_on.iter().any(happened) { Code::Check.into() } else { ExitCode::SUCCESS })
}
