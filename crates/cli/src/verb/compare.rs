//! `voltide compare`: the same world under several policies, or runs that are there, side by side.

use crate::{
    args::{Args, Deny, World as WorldArgs},
    batch::{Batch, Job, Kept, Worlds, affordable, replayed, side_by_side},
    cases::{Case, Cases},
    comparison::{Compared, Comparison, Row, SMART_AT_INCENTIVE},
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::Journaled,
    likeness::Made,
    live::{Prepared, all_cores},
    output, progress,
    run_folder::{Held, id_in},
    verb::{CommandLine, plugins::known_plugins},
    warnings,
};
use clap::{Args as ClapArgs, CommandFactory, error::ErrorKind};
use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};
use voltide_host::Plugins;
use voltide_telemetry::write_comparison;
use voltide_world::{Override, World};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// A world file (RON) with --policies, or the folders of runs
    #[arg(value_name = "WORLD.ron | RUN", required = true)]
    pub subjects: Vec<PathBuf>,

    /// Policies to run the world with, by name or path; the others are measured against the first
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    pub policies: Vec<String>,

    /// Seeds to run the world with, as in --seeds 1..200 (both included), instead of the world's
    #[arg(long, value_name = "A..B", value_parser = seeds, requires = "policies")]
    pub seeds: Option<RangeInclusive<u64>>,

    /// Cases of a world with a plant: 1 without flexibility margins, 2 with them; adds tables of
    /// system cost and missing flexibility
    #[arg(long, value_name = "CASE", value_delimiter = ',', requires = "policies",
          value_parser = clap::value_parser!(u32).range(1..=2))]
    pub cases: Vec<u32>,

    /// Put another value into the world; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE", requires = "policies")]
    pub sets: Vec<String>,

    /// Folder that runs are written to [default: nothing is kept]
    #[arg(long, value_name = "DIR", requires = "policies")]
    pub out: Option<PathBuf>,

    /// Runs at the same time; results do not depend on it [default: as cores and memory allow]
    #[arg(short, long, value_parser = clap::value_parser!(u16).range(1..), requires = "policies")]
    pub jobs: Option<u16>,

    /// Put the new run in the place of one of the same id that it would not repeat, or that is
    /// unfinished
    #[arg(long, requires = "out")]
    pub replace: bool,

    #[command(flatten)]
    pub deny: Deny,
}

/// Most seeds of one comparison: each is a run of its own.
const SEEDS_MAX: u64 = 100_000;

/// A range of seeds as the flag spells it: `1..200`, or a single one.
pub(crate) fn seeds(text: &str) -> Result<RangeInclusive<u64>, &'static str> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    // Written as in Rust, `1..=200` is the same range.
    match (first.parse(), last.trim_start_matches('=').parse()) {
        (Ok(first), Ok(last)) if first <= last && last - first < SEEDS_MAX => Ok(first..=last),
        (Ok(first), Ok(last)) if first <= last => Err("one comparison has at most 100000 seeds"),
        _ => Err("write the first and the last seed, as in 1..200"),
    }
}

/// Compares policies in a world, or runs.
pub(crate) fn compare(compare: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let (comparison, cases, _held) = match compare.subjects.as_slice() {
        [world] if !compare.policies.is_empty() => match of_policies(world, compare, args)? {
            Some(compared) => compared,
            None => return Ok(Code::Interrupted.into()),
        },
        runs @ [_, _, ..] if compare.policies.is_empty() => {
            (of_runs(runs, args.quiet)?, None, None)
        }
        _ => unclear(compare),
    };
    comparison.print(args.json);
    if let Some(cases) = cases {
        cases.print(args.json);
        if let Some(out) = &compare.out {
            write_comparison(out, &cases.figures())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Ends the program as for any other wrong use.
fn unclear(compare: &Flags) -> ! {
    let what = if compare.policies.is_empty() {
        "one run cannot be compared; for a world say which policies, as in --policies \
         uncontrolled,smart"
    } else {
        "--policies goes with one world file"
    };
    CommandLine::command().error(ErrorKind::WrongNumberOfValues, what).exit()
}

/// A run to be made, and the case that it is of: 1 without flexibility margins, 2 with them, `None`
/// as the world has it.
type Asked = (Option<u32>, Job);

/// The right to write the table of a comparison over cases: two comparisons may write runs to one
/// folder, but not both their table.
fn hold_table(compare: &Flags) -> Result<Option<Held>, Failure> {
    let out = compare.out.as_ref().filter(|_| !compare.cases.is_empty());
    out.map(|out| Held::other(out, "compare")).transpose()
}

/// A comparison, by cases where there are some, and the right to write its table.
type Outcome = (Comparison, Option<Cases>, Option<Held>);

/// Runs that were made of a world.
struct Batched {
    /// The runs, case by case and seed by seed, those of a seed in the order of the policies.
    done: Vec<Compared>,
    /// How many policies there are.
    policies: usize,
    world: World,
    held: Option<Held>,
}

/// Folders of the runs of a world with every policy, seed and case, which are made where they are
/// not there; `None` where the user stopped it.
pub(crate) fn folders(
    world: &Path,
    compare: &Flags,
    args: &Args,
) -> Result<Option<Vec<PathBuf>>, Failure> {
    let batched = batched(world, compare, args)?;
    let folders = |batched: Batched| batched.done.into_iter().filter_map(|run| run.folder);
    Ok(batched.map(|batched| folders(batched).collect()))
}

/// A comparison of a world's runs with every policy, seed and case; `None` where the user stopped
/// it.
fn of_policies(world: &Path, compare: &Flags, args: &Args) -> Result<Option<Outcome>, Failure> {
    let Some(batched) = batched(world, compare, args)? else { return Ok(None) };
    let Batched { done, policies, world, held } = batched;
    let cases = cases(&done, compare, &world);
    let first = compare.cases.first().copied();
    let of_first = done.into_iter().filter(|run| run.case == first);
    Ok(Some((Comparison { rows: in_rows(of_first, policies) }, cases, held)))
}

/// Runs a world with every policy, seed and case; `None` where the user stopped it.
fn batched(world: &Path, compare: &Flags, args: &Args) -> Result<Option<Batched>, Failure> {
    let policies = with_smart_at_incentive(&compare.policies);
    // Runs side by side take the cores, not the policy of each.
    let plugins = known_plugins(args).with_threads(1);
    let checked = checked(world, &policies, compare, &plugins, args)?;
    let held = hold_table(compare)?;
    let scenario = &checked.scenario;
    let asked = asked(&policies, compare);
    let jobs: Vec<Job> = asked.iter().map(|(_, job)| job.clone()).collect();
    let at_once = compare.jobs.map_or_else(|| affordable(scenario), usize::from).min(jobs.len());
    let seed_of_file = seed_of_file(world, &compare.sets, compare.seeds.as_ref())?;
    let kept = |out| Kept { out, verb: "compare", replace: compare.replace };
    let batch = Batch {
        world,
        plugins: &plugins,
        interrupt: Interrupt::catch(),
        quiet: args.quiet,
        bar: progress::bar(u64::from(scenario.clock.slots) * jobs.len() as u64, args.quiet),
        threads: (all_cores() / at_once).max(1),
        kept: compare.out.as_deref().map(kept),
        worlds: Worlds::of(&jobs, seed_of_file),
    };
    let done = run_all(&batch, &asked, at_once)?;
    batch.bar.finish_and_clear();
    let finished = done.iter().flatten().count();
    if finished < jobs.len() {
        output::complain(&format!("interrupted after {finished} of {} runs", jobs.len()));
        return Ok(None);
    }
    let done = done.into_iter().flatten().collect();
    Ok(Some(Batched { done, policies: policies.len(), world: checked, held }))
}

/// Makes all runs, `at_once` at a time; `None` for those that were interrupted.
fn run_all(
    batch: &Batch<'_>,
    asked: &[Asked],
    at_once: usize,
) -> Result<Vec<Option<Compared>>, Failure> {
    let done = Mutex::new(vec![None::<Compared>; asked.len()]);
    side_by_side(asked.len(), at_once, |place| {
        let (case, job) = &asked[place];
        // A world is not even read where the user wants to stop.
        if batch.interrupt.raised() {
            return Ok(());
        }
        let made = batch.make(batch.ready(job)?)?;
        done.lock().unwrap_or_else(PoisonError::into_inner)[place] =
            made.map(|made| Compared::of(made, *case));
        Ok(())
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The seed that a world has without an override of `--seeds`; that of the only run where there is
/// one.
pub(crate) fn seed_of_file(
    world: &Path,
    sets: &[String],
    seeds: Option<&RangeInclusive<u64>>,
) -> Result<u64, Failure> {
    match seeds {
        Some(seeds) if seeds.start() < seeds.end() => {
            let sets: Vec<_> = sets.iter().map(|set| Override::set(set)).collect();
            Ok(voltide_world::seed(world, &sets)?)
        }
        Some(seeds) => Ok(*seeds.start()),
        // No job has a seed of its own.
        None => Ok(0),
    }
}

/// All runs to be made. Smart charging at the incentive price differs from smart charging only in
/// what drivers pay, so that one case of it is enough.
fn asked(policies: &[String], compare: &Flags) -> Vec<Asked> {
    let cases: Vec<Option<u32>> = match compare.cases.as_slice() {
        [] => vec![None],
        cases => cases.iter().copied().map(Some).collect(),
    };
    let mut asked = Vec::new();
    for (place, &case) in cases.iter().enumerate() {
        let margins = case.map(|case| format!("grid.margins={}", case == 2));
        let sets: Vec<String> = compare.sets.iter().cloned().chain(margins).collect();
        for seed in seeds_or_own(compare.seeds.as_ref()) {
            let wanted =
                policies.iter().filter(|policy| place == 0 || *policy != SMART_AT_INCENTIVE);
            let job = |policy: &String| Job { policy: policy.clone(), seed, sets: sets.clone() };
            asked.extend(wanted.map(|policy| (case, job(policy))));
        }
    }
    asked
}

/// Each seed of a range; that of the world where there is none.
pub(crate) fn seeds_or_own(seeds: Option<&RangeInclusive<u64>>) -> Vec<Option<u64>> {
    seeds.map_or_else(|| vec![None], |seeds| seeds.clone().map(Some).collect())
}

/// The runs of a case with a seed.
fn of_case(done: &[Compared], number: u32, seed: u64) -> Case {
    let of_it = done.iter().filter(|run| run.case == Some(number) && run.seed == seed);
    let runs = of_it.map(|run| (run.figures.summary.policy.clone(), run.clone()));
    Case { number, runs: runs.collect() }
}

/// The runs by cases, of the first seed.
fn cases(done: &[Compared], compare: &Flags, world: &World) -> Option<Cases> {
    let grid = world.scenario.grid.as_ref()?;
    let seed = done.first()?.seed;
    (!compare.cases.is_empty()).then(|| Cases {
        all: compare.cases.iter().map(|&case| of_case(done, case, seed)).collect(),
        published: world.published.clone(),
        seed,
        margin_price: grid.rules.prices.margin,
        unserved_price: grid.rules.prices.unserved,
        currency: world.scenario.currency.clone(),
    })
}

/// Looks, before anything runs, whether every policy can plan in the world; gives the world.
fn checked(
    world: &Path,
    policies: &[String],
    compare: &Flags,
    plugins: &Plugins,
    args: &Args,
) -> Result<World, Failure> {
    let seed = compare.seeds.as_ref().map(|seeds| *seeds.start());
    let mut ids = BTreeSet::new();
    let mut checked = None;
    let mut warnings = Vec::new();
    for policy in policies {
        let world_args = WorldArgs {
            file: world.to_owned(),
            policy: Some(policy.clone()),
            seed,
            sets: compare.sets.clone(),
        };
        let prepared = Prepared::load(&world_args, plugins)?;
        prepared.mention_shadowing(plugins, args.quiet);
        if !ids.insert(prepared.id()) && compare.out.is_some() {
            return Err(named_twice(policy));
        }
        warnings::add(&mut warnings, prepared.warnings);
        checked = Some(prepared.world);
    }
    let checked = checked.unwrap_or_else(|| unclear(compare));
    if !compare.cases.is_empty() && checked.scenario.grid.is_none() {
        return Err(without_plant(world));
    }
    warnings::tell(warnings, &compare.deny, args)?;
    Ok(checked)
}

fn named_twice(policy: &str) -> Failure {
    let what = format!("policy `{policy}` is named twice, and a folder holds one run of it");
    Failure::new(Code::Input, what, Some("name each policy once, or leave out --out"))
}

fn without_plant(world: &Path) -> Failure {
    let world = world.display();
    let what = format!("`{world}` has no plant whose flexibility margins could be on or off");
    Failure::new(Code::Input, what, Some("leave out --cases, or give the world a `grid`"))
}

/// The policies to run: with `smart` and `v2g` there is one between them that tells what the
/// tariff does from what discharging does.
fn with_smart_at_incentive(policies: &[String]) -> Vec<String> {
    let mut policies = policies.to_vec();
    let place = |name: &str| policies.iter().position(|policy| policy == name);
    if let (Some(smart), Some(_), None) = (place("smart"), place("v2g"), place(SMART_AT_INCENTIVE))
    {
        policies.insert(smart + 1, SMART_AT_INCENTIVE.to_owned());
    }
    policies
}

/// Finished runs, seed by seed, as rows of `policies` policies.
fn in_rows(runs: impl Iterator<Item = Compared>, policies: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (place, run) in runs.enumerate() {
        // Runs come seed by seed, those of a seed in the order of the policies.
        match rows.get_mut(place % policies) {
            Some(row) => row.runs.push(run),
            None => rows.push(Row { label: run.figures.summary.policy.clone(), runs: vec![run] }),
        }
    }
    rows
}

/// Reads runs from their logs.
fn of_runs(runs: &[PathBuf], quiet: bool) -> Result<Comparison, Failure> {
    let _interrupt = Interrupt::catch();
    let mut read = Vec::new();
    for run in runs {
        read.push(of_run(run, quiet)?);
    }
    let currencies = read.iter().map(|(row, _)| &row.runs[0].figures.summary.currency);
    let first = &read[0].0.runs[0].figures.summary.currency;
    if let Some(other) = currencies.into_iter().find(|other| *other != first) {
        let what = format!("the first run is in {first}, another in {other}");
        return Err(Failure::new(Code::Input, what, None));
    }
    for place in (0..read.len()).rev() {
        let unlike = read[place].1.unlike(&read[0].1);
        read[place].0.runs[0].unlike = unlike;
    }
    let mut rows: Vec<Row> = read.into_iter().map(|(row, _)| row).collect();
    name_apart(&mut rows);
    Ok(Comparison { rows })
}

/// Where two runs have the same policy, all are called by their ids.
fn name_apart(rows: &mut [Row]) {
    let policies: BTreeSet<String> = rows.iter().map(|row| row.label.clone()).collect();
    if policies.len() == rows.len() {
        return;
    }
    for row in rows {
        row.label = row.runs[0].folder.as_deref().map(id_in).unwrap_or_default();
    }
}

fn of_run(run: &Path, quiet: bool) -> Result<(Row, Made), Failure> {
    let journaled = Journaled::open(run, quiet)?;
    let scenario = Arc::clone(journaled.own_scenario());
    let forked = journaled.forked().cloned();
    let (figures, status) = replayed(journaled, quiet)?;
    let made = Made { slots: figures.summary.slots, scenario, forked, status };
    let label = figures.summary.policy.clone();
    let seed = made.scenario.seed;
    let folder = Some(run.to_owned());
    let compared = Compared { seed, folder, figures, case: None, unlike: Vec::new() };
    Ok((Row { label, runs: vec![compared] }, made))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smart_at_the_incentive_price_stands_between_smart_and_v2g() {
        let asked = |names: &str| names.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            with_smart_at_incentive(&asked("uncontrolled smart v2g")),
            asked("uncontrolled smart smart-incentive v2g")
        );
        for same in ["uncontrolled v2g", "smart", "v2g smart-incentive smart"] {
            assert_eq!(with_smart_at_incentive(&asked(same)), asked(same));
        }
    }
}
