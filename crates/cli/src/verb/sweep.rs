//! `voltide sweep`: runs of one world over values, seeds and policies, that go on where they were
//! cut off.

use crate::{
    args::{Args, Deny, World as WorldArgs},
    batch::{Batch, Job, Kept, Worlds, affordable, side_by_side},
    failure::{Code, Failure},
    interrupt::Interrupt,
    live::{Prepared, all_cores},
    output, progress, run_folder,
    sweep::{
        groups::{Groups, Point},
        plan::{Axis, Plan, Shard},
        summary::{self, Summary},
    },
    verb::{compare, plugins::known_plugins},
    warnings,
};
use clap::Args as ClapArgs;
use indicatif::ProgressBar;
use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_engine::identity_hash;
use voltide_host::Plugins;
use voltide_journal::{error::LogError, lock};
use voltide_model::scenario::Scenario;
use voltide_world::Override;

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// A sweep file (RON): `(world: "street.ron", grid: {"path": [...]}, seeds: "1..50", policies:
    /// [...])`, or a world file with the flags that say the same
    #[arg(value_name = "SWEEP.ron | WORLD.ron")]
    pub file: PathBuf,

    /// A path into the world, and the values to put there, as in --grid
    /// fleets.cars.count=50,100,200; several make every combination
    #[arg(long, value_name = "PATH=A,B,C", value_parser = Axis::parse)]
    pub grid: Vec<Axis>,

    /// Seeds, as in --seeds 1..50 (both included), instead of the world's
    #[arg(long, value_name = "A..B", value_parser = compare::seeds)]
    pub seeds: Option<RangeInclusive<u64>>,

    /// Policies, by name or path; the others are measured against the first [default: the world's]
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub policies: Vec<String>,

    /// Put another value into the world of every run; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    /// Folder that runs are written to
    #[arg(long, value_name = "DIR", default_value = "outputs")]
    pub out: PathBuf,

    /// Runs at the same time; results do not depend on it [default: as cores and memory allow]
    #[arg(short, long, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Make one part of several, as in --shard 0/3; the last one to end sums up all
    #[arg(long, value_name = "I/N", value_parser = Shard::parse)]
    pub shard: Option<Shard>,

    /// Make finished runs again, and put runs in the place of those of the same id that they would
    /// not repeat
    #[arg(long)]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

/// Makes a sweep, or goes on with it.
pub(crate) fn sweep(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    // Runs side by side take the cores, not the policy of each.
    let plugins = known_plugins(args).with_threads(1);
    let mut plan = plan(flags)?;
    if plan.policies.is_empty() {
        plan.policies = vec![own_policy(&plan, &plugins)?];
    }
    for axis in 0..plan.grid.len() {
        check_path(&plan, axis)?;
    }
    let checked = checked(&plan, flags, &plugins, args)?;
    if plan.leaves_out_detail() {
        let what = "tables of single cars are left out: --set telemetry.ev_ticks=Full keeps them";
        output::mention(args.quiet, what);
    }
    let folder = run_folder::of_world(&flags.out, &checked.scenario.name)
        .join(format!("sweep-{}", &checked.hash[..8]));
    let groups = Groups::new(&plan, &folder, checked.scenario.seed)?;
    let shard = flags.shard.unwrap_or(Shard::WHOLE);
    let points = points(&plan, shard);
    if run_all(&points, &groups, &plan, (flags, &checked.scenario, &plugins), args)? {
        let done = Summary::of(&plan, groups.own()).counts().0;
        output::complain(&format!(
            "interrupted after {done} of {} points; the same command goes on from there",
            points.len()
        ));
        return Ok(Code::Interrupted.into());
    }
    conclude(&plan, &groups, (&folder, shard), args)
}

/// The sweep that is asked for.
fn plan(flags: &Flags) -> Result<Plan, Failure> {
    let Flags { file, grid, seeds, policies, sets, .. } = flags;
    let Some(read) = voltide_world::sweep(file)? else {
        let asked = Plan {
            world: file.clone(),
            sets: sets.clone(),
            grid: grid.clone(),
            seeds: seeds.clone(),
            policies: policies.clone(),
        };
        return asked.checked();
    };
    if !grid.is_empty() || seeds.is_some() || !policies.is_empty() {
        let what = format!("{} is a sweep, and says its grid, seeds and policies", file.display());
        let help = "change it, or name its world with --grid, --seeds and --policies";
        return Err(Failure::new(Code::Usage, what, Some(help)));
    }
    let seeds = read.seeds.as_deref().map(compare::seeds).transpose().map_err(|what| {
        Failure::new(Code::Input, format!("`seeds` of {}: {what}", file.display()), None)
    })?;
    let axis = |(path, values)| Axis { path, values };
    let asked = Plan {
        world: read.world,
        sets: sets.clone(),
        grid: read.grid.into_iter().map(axis).collect(),
        seeds,
        policies: read.policies,
    };
    asked.checked()
}

/// The policy that the world names.
fn own_policy(plan: &Plan, plugins: &Plugins) -> Result<String, Failure> {
    let any = |sets: Vec<String>| {
        let file = plan.world.clone();
        Prepared::load(&WorldArgs { file, policy: None, seed: None, sets }, plugins)
    };
    let prepared = any(plan.sets(0)).or_else(|_| any(plan.sets.clone()))?;
    Ok(prepared.world.scenario.policy.name)
}

/// Refuses a path of the grid of which no value can be put into the world.
fn check_path(plan: &Plan, axis: usize) -> Result<(), Failure> {
    let Axis { path, values } = &plan.grid[axis];
    // The others as in the first point, which may be what makes room for this one.
    let others = plan.sets(0).into_iter().filter(|it| !it.starts_with(&format!("{path}=")));
    let others: Vec<String> = others.collect();
    let mut first = None;
    for value in values {
        let read = |beside: &[String]| {
            let beside = beside.iter().map(|set| Override::set(set));
            let of_grid = Override { text: format!("{path}={value}"), flag: Some("--grid") };
            // No cars are drawn to find out.
            voltide_world::seed(&plan.world, &beside.chain([of_grid]).collect::<Vec<_>>())
        };
        let Err(problems) = read(&plan.sets) else { return Ok(()) };
        if read(&others).is_ok() {
            return Ok(());
        }
        first.get_or_insert(problems);
    }
    first.map_or(Ok(()), |problems| Err(problems.into()))
}

/// What is known of a sweep before anything is run.
struct Checked {
    /// The scenario of one of its points.
    scenario: Scenario,
    /// What tells it from other sweeps: its worlds and policies, grid and seeds.
    hash: String,
}

/// Looks whether every policy can plan in one of the worlds at least.
fn checked(plan: &Plan, flags: &Flags, plugins: &Plugins, args: &Args) -> Result<Checked, Failure> {
    let mut warnings = Vec::new();
    let mut names: Vec<String> = plan.grid.iter().map(|axis| format!("{axis:?}")).collect();
    names.push(format!("{:?}", plan.seeds));
    let mut found = None;
    for policy in &plan.policies {
        let prepared = |sets: Vec<String>| {
            let args = WorldArgs {
                file: plan.world.clone(),
                policy: Some(policy.clone()),
                seed: plan.seed(0),
                sets,
            };
            Prepared::load(&args, plugins)
        };
        let of_point = prepared(plan.sets(0)).or_else(|failure| {
            // The values of the first point may be wrong, and those of others right.
            prepared(plan.sets.clone()).map_err(|_| failure)
        })?;
        of_point.mention_shadowing(plugins, args.quiet);
        names.push(of_point.id());
        warnings::add(&mut warnings, of_point.warnings);
        found = Some(of_point.world.scenario);
    }
    warnings::tell(warnings, &flags.deny, args)?;
    let scenario = found.expect("a sweep has a policy");
    Ok(Checked { scenario, hash: identity_hash("sweep", &names) })
}

/// A point to be run: its group, the place of its policy, and the run.
type Asked = (usize, usize, Job);

/// The points of a part.
fn points(plan: &Plan, shard: Shard) -> Vec<Asked> {
    let groups = (0..plan.groups()).filter(|&group| shard.has(group));
    let of_group = |group| plan.jobs(group).enumerate().map(move |(at, job)| (group, at, job));
    groups.flat_map(of_group).collect()
}

/// Runs all points; says whether the user stopped it.
fn run_all(
    points: &[Asked],
    groups: &Groups<'_>,
    plan: &Plan,
    (flags, scenario, plugins): (&Flags, &Scenario, &Plugins),
    args: &Args,
) -> Result<bool, Failure> {
    let jobs: Vec<Job> = points.iter().map(|(_, _, job)| job.clone()).collect();
    let most = flags.jobs.map_or_else(|| affordable(scenario), usize::from);
    let at_once = most.min(jobs.len()).max(1);
    let seed_of_file = compare::seed_of_file(&plan.world, &plan.sets, plan.seeds.as_ref())?;
    let batch = Batch {
        world: &plan.world,
        plugins,
        interrupt: Interrupt::catch(),
        quiet: args.quiet,
        // What a run is at is not shown, but how many there are.
        bar: ProgressBar::hidden(),
        threads: (all_cores() / at_once).max(1),
        kept: Some(Kept { out: &flags.out, verb: "sweep", replace: flags.replace }),
        worlds: Worlds::of(&jobs, seed_of_file),
    };
    let bar = progress::bar(jobs.len() as u64, args.quiet);
    side_by_side(points.len(), at_once, |place| {
        let (group, policy, job) = &points[place];
        if batch.interrupt.raised() {
            return Ok(());
        }
        bar.set_message(said(job));
        let Some(point) = point(&batch, job) else { return Ok(()) };
        bar.inc(1);
        groups.take(*group, *policy, point)
    })?;
    bar.finish_and_clear();
    Ok(batch.interrupt.raised())
}

/// A point in a few words.
fn said(job: &Job) -> String {
    let seed = job.seed.map_or_else(String::new, |seed| format!(" seed {seed}"));
    format!("{}{seed}", job.policy)
}

/// Runs a point that has not been; `None` where the user wants to stop.
fn point(batch: &Batch<'_>, job: &Job) -> Option<Point> {
    let ready = match batch.ready(job) {
        Ok(ready) => ready,
        Err(failure) => return Some(Point::Failed(None, failure.in_words())),
    };
    let id = ready.id.clone();
    let is_again = batch.kept.is_some_and(|kept| kept.replace);
    if let Some(folder) = batch.finished(&ready).filter(|_| !is_again) {
        return Some(Point::There(id, folder));
    }
    match batch.make(ready) {
        Ok(made) => Some(Point::Made(id, Box::new(made?))),
        Err(failure) => Some(Point::Failed(Some(id), failure.in_words())),
    }
}

/// Sums up: all points where they are there, and those of a part otherwise.
fn conclude(
    plan: &Plan,
    groups: &Groups<'_>,
    (folder, shard): (&Path, Shard),
    args: &Args,
) -> Result<ExitCode, Failure> {
    let own = Summary::of(plan, groups.own());
    let (_, failed) = own.counts();
    for what in own.failures() {
        output::complain(&format!("! {what}"));
    }
    if let Some(all) = groups.all() {
        let all = Summary::of(plan, all.into_iter().enumerate());
        write(&all, folder)?;
        all.print(args.json);
        say_written(&all, folder, args);
    } else {
        let (points, _) = own.counts();
        let Shard { number, count } = shard;
        let part = format!("part {number} of {count}: {points} points");
        let rest = "the part that ends last sums up all of them";
        output::mention(args.quiet, &format!("{part}; {rest}"));
    }
    Ok(if failed > 0 { Code::Run.into() } else { ExitCode::SUCCESS })
}

/// Writes the table of points; another part that has all of them, too, writes the same.
fn write(all: &Summary<'_>, folder: &Path) -> Result<(), Failure> {
    let _held = match lock::lock(folder, "sweep") {
        Ok(held) => held,
        Err(LogError::Busy { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    Ok(all.write(folder)?)
}

fn say_written(all: &Summary<'_>, folder: &Path, args: &Args) {
    let (points, failed) = all.counts();
    let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let path = folder.join(summary::FILE);
    let points = output::counted(points as u64, "point", "points");
    output::mention(args.quiet, &format!("{}  {points}{failed}", path.display()));
}
