//! A live run: a world with the policies that plan in it, and its way to the last slot.

use crate::{
    args::World as WorldArgs,
    failure::{Code, Failure},
    interrupt::Interrupt,
    run_folder::{self, run_id},
    snapshots::Snapshots,
    verb::plugins::mention_shadowing,
    warnings,
    watched::Watched,
};
use indicatif::ProgressBar;
use std::{path::Path, sync::Arc};
use voltide_engine::{EngineError, Simulation, Start};
use voltide_host::{HostError, Plugins};
use voltide_journal::{
    event::{Build, RunStarted},
    log::EventLog,
    mcap_log::McapLog,
    sink::Sink,
};
use voltide_model::{clock::Clock, scenario::Scenario};
use voltide_policy::planner::{Planner, PolicyInfo};
use voltide_telemetry::RunStatus;
use voltide_world::{Override, Problem, World};

/// A run on its way, with its journal.
pub(crate) type LiveRun<S, L = McapLog> = Simulation<L, S>;

/// A world that was read, and the policies that will plan in it.
pub(crate) struct Prepared {
    /// The world; its scenario names the policy and the config that it got.
    pub world: World,
    /// What can be run but is hardly meant, of the world and of its policies.
    pub warnings: Vec<Problem>,
    overrides: Vec<String>,
    planner: Box<dyn Planner>,
    fallback: Option<Box<dyn Planner>>,
    forecaster: Option<Box<dyn Planner>>,
}

impl Prepared {
    /// Reads a world and loads its policies; says everything that keeps them from planning in it.
    pub(crate) fn load(args: &WorldArgs, plugins: &Plugins) -> Result<Self, Failure> {
        let world = voltide_world::load_with(&args.file, &args.overrides())?;
        Self::with_world(world, args, plugins)
    }

    /// A world that was read as `args` say, with the policies that plan in it.
    pub(crate) fn with_world(
        world: World,
        args: &WorldArgs,
        plugins: &Plugins,
    ) -> Result<Self, Failure> {
        let chosen = Chosen { policy: policy_of(args, &world), by_world: args.policy.is_none() };
        let overrides = world.overrides.clone();
        Self::of_world(world, &chosen, overrides, plugins)
    }

    /// A world with the policies that plan in it.
    fn of_world(
        mut world: World,
        chosen: &Chosen,
        overrides: Vec<String>,
        plugins: &Plugins,
    ) -> Result<Self, Failure> {
        // Everything is looked at before anything is refused: users mend all of it at once.
        let mut refused = Refused::default();
        let at_policy = |problem: Problem| {
            if chosen.by_world { world.point_at_policy(problem, "this policy") } else { problem }
        };
        let planner = refused.sort_out(load(&chosen.policy, &world, plugins, at_policy));
        let told = planner.as_ref().map(|planner| planner.info().name.clone());
        let name = told.unwrap_or_else(|| world.scenario.policy.name.clone());
        if let Some(planner) = &planner {
            let suited = voltide_engine::check_suited(&world.scenario, planner.info());
            refused.sort_out(suited.map_err(|error| Failure::from(error).placed(at_policy)));
            refused.sort_out(run_folder::check_names(&world, &name));
        }
        refused.sort_out(voltide_engine::check_capacity(&world.scenario).map_err(Failure::from));
        let fallback = refused.sort_out(fallback(&world, &name, plugins));
        let forecaster = refused.sort_out(forecaster(&world, &name, plugins));
        for failure in misspelt_configs(&world, &name, plugins) {
            refused.sort_out(Err::<(), _>(failure));
        }
        let mut warnings = std::mem::take(&mut world.warnings);
        if let Some(failure) = refused.0 {
            return Err(failure.beside(warnings, &world.path.display().to_string()));
        }
        let (Some(planner), Some(fallback), Some(forecaster)) = (planner, fallback, forecaster)
        else {
            unreachable!("what is missing was refused");
        };
        let used = names_of(&name, [&fallback, &forecaster]);
        warnings.extend(warnings::of_configs(&world, &used, chosen.by_world, plugins));
        warnings.extend(warnings::of_limits(&world, planner.info()));
        name_policy(&mut world, planner.info());
        Ok(Self { world, warnings, overrides, planner, fallback, forecaster })
    }

    /// A world that a journal holds, with the policies that planned in it.
    ///
    /// Another version or file of the policy is refused, unless `any_plugin`.
    pub(crate) fn of_journal(
        mut world: World,
        started: &RunStarted,
        plugins: &Plugins,
        any_plugin: bool,
    ) -> Result<Self, Failure> {
        let made_by = &started.build;
        // The file that planned comes first: its name may be another policy's by now.
        let there = Path::new(&made_by.plugin_file).is_file();
        let choice = if there { &made_by.plugin_file } else { &started.policy };
        let embedded = Plugins::in_folders(Vec::new());
        // A file that bears the name of a built-in policy is not to plan on in a run of that
        // policy.
        let was_embedded = made_by.is_known() && made_by.plugin_hash.is_empty() && !any_plugin;
        let plugins_of_policy = if was_embedded { &embedded } else { plugins };
        let planner = load(choice, &world, plugins_of_policy, |problem| problem)?;
        // Where it is lost what made the run, which was said already, the policy of this name must
        // do.
        if !any_plugin && made_by.is_known() {
            same_policy(planner.info(), made_by)?;
        }
        let fallback = fallback(&world, &planner.info().name, plugins)?;
        let forecaster = forecaster(&world, &planner.info().name, plugins)?;
        name_policy(&mut world, planner.info());
        let overrides = started.overrides.clone();
        Ok(Self { world, overrides, warnings: Vec::new(), planner, fallback, forecaster })
    }

    /// The world of a journal with changes, and the policies that plan in it from then on.
    pub(crate) fn changed(
        world: World,
        started: &RunStarted,
        changes: Vec<String>,
        (plugins, by_world): (&Plugins, bool),
    ) -> Result<Self, Failure> {
        let chosen = Chosen { policy: world.scenario.policy.name.clone(), by_world };
        let overrides = started.overrides.iter().cloned().chain(changes).collect();
        Self::of_world(world, &chosen, overrides, plugins)
    }

    /// The hash of world, series and seed.
    pub(crate) fn config_hash(&self) -> String {
        voltide_engine::configuration_hash(&self.world.scenario, &self.world.text)
    }

    /// The hash of all that decides what happens: world, series and seed, and what its policies
    /// are, with their configs as they are read.
    pub(crate) fn identity_hash(&self) -> String {
        let config =
            voltide_engine::configuration_hash(&self.world.scenario, &self.world.identity());
        let policies = [Some(&self.planner), self.fallback.as_ref(), self.forecaster.as_ref()];
        let policies = policies.map(|policy| {
            let Some(policy) = policy else { return String::new() };
            let PolicyInfo { name, version, hash, .. } = policy.info();
            policy_identity(name, version, hash)
        });
        voltide_engine::identity_hash(&config, &policies)
    }

    /// The id of the run.
    pub(crate) fn id(&self) -> String {
        self.id_by(&self.identity_hash())
    }

    /// The id of the run that is told from others by this hash.
    pub(crate) fn id_by(&self, hash: &str) -> String {
        let scenario = &self.world.scenario;
        run_id(&scenario.name, &self.planner.info().name, scenario.seed, hash)
    }

    /// Says which of its policies bear the name of one that is built in, and are not that one.
    pub(crate) fn mention_shadowing(&self, plugins: &Plugins, quiet: bool) {
        let others = self.fallback.iter().chain(&self.forecaster);
        for policy in std::iter::once(&self.planner).chain(others) {
            mention_shadowing(policy.info(), plugins, quiet);
        }
    }

    /// Says on stderr what its policies do wrong, when each first does it, unless the user wants
    /// quiet.
    pub(crate) fn watched(mut self, quiet: bool) -> Self {
        if quiet {
            return self;
        }
        let stand_in = self.fallback.as_ref().map(|policy| policy.info().name.clone());
        self.planner = Watched::boxed(self.planner, stand_in.clone());
        self.forecaster = self.forecaster.map(|policy| Watched::boxed(policy, stand_in));
        self.fallback = self.fallback.map(|policy| Watched::boxed(policy, None));
        self
    }

    /// What the engine starts from.
    pub(crate) fn start(self, threads: usize) -> Start {
        Start {
            scenario: Arc::new(self.world.scenario),
            world_text: self.world.text,
            overrides: self.overrides,
            build: build(self.planner.info()),
            planner: self.planner,
            fallback: self.fallback,
            forecaster: self.forecaster,
            threads,
        }
    }
}

/// Begins a run in a folder that exists.
pub(crate) fn begin<S: Sink>(start: Start, folder: &Path, sink: S) -> Result<LiveRun<S>, Failure> {
    let log = McapLog::create(folder, start.scenario.durability)?;
    Ok(Simulation::new(start, log, sink)?)
}

/// Which run a bar is at.
fn of_bar(scenario: &Scenario) -> String {
    format!("{} seed {}", scenario.policy.name, scenario.seed)
}

/// Steps until the last slot, until the user wants to stop, or until the policy fails for good.
pub(crate) fn step_through<S: Sink, L: EventLog>(
    simulation: &mut LiveRun<S, L>,
    interrupt: Interrupt,
    bar: &ProgressBar,
    snapshots: &mut Snapshots,
) -> Result<RunStatus, Failure> {
    let clock: Clock = simulation.clock();
    let run = of_bar(&simulation.scenario());
    while !simulation.is_done() {
        // Between two ticks, so that the log ends with a seal.
        if interrupt.raised() {
            return Ok(RunStatus::Interrupted);
        }
        // What nobody sees would take as long as to simulate a car.
        if !bar.is_hidden() {
            let time = clock.local(simulation.tick());
            bar.set_message(format!("{run}  {}", time.format("%a %d %b %H:%M")));
        }
        match simulation.step() {
            Ok(()) => {
                bar.inc(1);
                snapshots.take_if_due(simulation);
            }
            // Such a run is over, and keeps what it has; after any other error it can go on.
            Err(error @ EngineError::Policy { .. }) => {
                return Ok(RunStatus::Failed(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(RunStatus::Finished)
}

/// Number of cores that this program may use.
pub(crate) fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl WorldArgs {
    /// The overrides that the flags stand for.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let by_policy = self.policy.as_ref().map(|policy| of_policy(policy));
        let by_seed =
            self.seed.map(|seed| Override { text: format!("seed={seed}"), flag: Some("--seed") });
        self.sets.iter().map(|set| Override::set(set)).chain(by_policy).chain(by_seed).collect()
    }
}

/// The override that `--policy` stands for.
pub(crate) fn of_policy(policy: &str) -> Override {
    // Quoted and escaped as a text in RON: a path may hold any letter.
    Override { text: format!("policy={policy:?}"), flag: Some("--policy") }
}

/// The policies of a run by name: those beside the one that plans first.
fn names_of<'a>(name: &'a str, others: [&'a Option<Box<dyn Planner>>; 2]) -> Vec<&'a str> {
    let others = others.into_iter().flatten().map(|other| other.info().name.as_str());
    others.chain([name]).collect()
}

/// Which policy plans.
struct Chosen {
    /// Its name, or its path from the current folder.
    policy: String,
    /// Whether the world's text says so, and not the command line.
    by_world: bool,
}

/// What keeps a world from being run, so far.
#[derive(Default)]
struct Refused(Option<Failure>);

impl Refused {
    /// Keeps what is wrong, or gives what is not.
    fn sort_out<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failure) => {
                self.0 = Some(match self.0.take() {
                    Some(earlier) => earlier.and(failure),
                    None => failure,
                });
                None
            }
        }
    }
}

/// The policy that plans. A path is relative to the file that names it, or to the current folder
/// where the command line names it.
fn policy_of(args: &WorldArgs, world: &World) -> String {
    let name = &world.scenario.policy.name;
    let is_path = Path::new(name).components().count() > 1;
    let folder = world.path.parent().filter(|_| is_path && args.policy.is_none());
    folder.map_or_else(|| name.clone(), |folder| folder.join(name).to_string_lossy().into_owned())
}

/// Creates a policy with the config that the world has for it, under the policy's own name. A
/// refusal that is not about a part of the text is placed by `point`.
fn load(
    choice: &str,
    world: &World,
    plugins: &Plugins,
    point: impl FnOnce(Problem) -> Problem,
) -> Result<Box<dyn Planner>, Failure> {
    let told = told(&world.scenario);
    let config_of = |name: &str| world.config_of(name).unwrap_or_default();
    let planner = plugins.load_with(choice, Some(&told), config_of);
    planner.map_err(|error| refusal(&error, world, point))
}

/// What policies are told of a world.
fn told(scenario: &Scenario) -> voltide_policy::World {
    voltide_policy::World {
        currency: scenario.currency.clone(),
        series: scenario.own_series.iter().map(|series| series.name.clone()).collect(),
        has_plant: scenario.grid.is_some(),
    }
}

/// What the library of policies refuses, at the part of the text that it is about, or where `point`
/// says.
fn refusal(error: &HostError, world: &World, point: impl FnOnce(Problem) -> Problem) -> Failure {
    match error.span() {
        Some(span) => Failure::plugin(error, |problem| world.point(problem, span, "here")),
        None => Failure::plugin(error, point),
    }
}

/// Configs under names that are slips of the pen.
fn misspelt_configs(world: &World, policy: &str, plugins: &Plugins) -> Vec<Failure> {
    let others = world.configured().filter(|(name, _)| *name != policy);
    let refused =
        others.filter_map(|config| plugins.check_names(&world.text, std::iter::once(config)).err());
    refused.map(|error| refusal(&error, world, |problem| problem)).collect()
}

/// What stands in for the policy called `policy`; a policy does not stand in for itself.
fn fallback(
    world: &World,
    policy: &str,
    plugins: &Plugins,
) -> Result<Option<Box<dyn Planner>>, Failure> {
    let Some(name) = world.scenario.policy.fallback.as_ref().filter(|name| *name != policy) else {
        return Ok(None);
    };
    load(name, world, plugins, |problem| world.point_at_fallback(problem, "this fallback"))
        .map(Some)
}

/// What plans the load of cars that the day-ahead stage is shown, where that is not `policy`
/// itself.
fn forecaster(
    world: &World,
    policy: &str,
    plugins: &Plugins,
) -> Result<Option<Box<dyn Planner>>, Failure> {
    let shown =
        world.scenario.grid.as_ref().and_then(|grid| grid.rules.day_ahead_ev.policy(policy));
    shown
        .filter(|name| *name != policy)
        .map(|name| load(name, world, plugins, |problem| problem))
        .transpose()
}

/// Puts the policy under its own name, with the config that it got, however it was asked for.
fn name_policy(world: &mut World, policy: &PolicyInfo) {
    let (config, offset) = world.config_of(&policy.name).unwrap_or_default();
    let config = config.to_owned();
    let choice = &mut world.scenario.policy;
    (choice.name, choice.config, choice.config_offset) = (policy.name.clone(), config, offset);
}

/// Refuses another policy than the one that a run began with.
fn same_policy(policy: &PolicyInfo, made_by: &Build) -> Result<(), Failure> {
    // Of policies that are built in both hashes are empty, and the version decides.
    if policy.hash == made_by.plugin_hash && policy.version == made_by.policy_version {
        return Ok(());
    }
    let what = format!(
        "the run was planned by version {} of `{}`{}, which is not the one found here{}",
        made_by.policy_version,
        policy.name,
        file_of(&made_by.plugin_file),
        file_of(&policy.file)
    );
    let help = "put the plugin's file back, or go on with the one found: --any-plugin";
    Err(Failure::new(Code::Plugin, what, Some(help)))
}

/// Where a policy is, as a word in brackets.
fn file_of(file: &str) -> String {
    if file.is_empty() { " (built in)".to_owned() } else { format!(" ({file})") }
}

/// What a policy is: one that is built in by name and version, one in a file by the file's hash,
/// wherever the file lies and whatever it is called.
pub(crate) fn policy_identity(name: &str, version: &str, hash: &str) -> String {
    if hash.is_empty() { format!("built in {name} {version}") } else { format!("file {hash}") }
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
