//! `voltide check` and `--dry-run`: everything that is wrong with a world, and what a run would be.

use crate::{
    args::{Args, Deny, World},
    estimate::Estimate,
    failure::{Code, Failure, object},
    figure::{Line, Told, told_json, told_rows},
    live::Prepared,
    machine::free_bytes,
    output,
    verb::plugins::known_plugins,
    warnings,
};
use clap::Args as ClapArgs;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_host::Plugins;
use voltide_model::{clock::Clock, scenario::Scenario};
use voltide_world::{Problem, SessionsRead};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// World files (RON)
    #[arg(value_name = "WORLD.ron", required = true)]
    pub worlds: Vec<PathBuf>,

    /// Policy to plan with, by name or path, instead of the worlds'
    #[arg(long, value_name = "POLICY")]
    pub policy: Option<String>,

    /// Seed of every draw, instead of the worlds'
    #[arg(long)]
    pub seed: Option<u64>,

    /// Put another value into the worlds; may be given several times
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,

    #[command(flatten)]
    pub deny: Deny,
}

/// Checks worlds: says all that a run of each would refuse. The exit code is that of the first
/// refusal.
pub(crate) fn check(check: &Flags, args: &Args) -> ExitCode {
    let plugins = known_plugins(args);
    let mut code = None;
    for file in &check.worlds {
        let found = examined(file, check, &plugins);
        code = code.or(found.refusal.as_ref().map(Failure::code));
        if args.json {
            output::say_json("check", &found.json(file));
        } else {
            found.say(file, check, args);
        }
    }
    code.map_or(ExitCode::SUCCESS, ExitCode::from)
}

/// What was found of a world.
struct Found {
    sessions: Vec<SessionsRead>,
    warnings: Vec<Problem>,
    refusal: Option<Failure>,
}

/// Does all that a run does before its folder is made.
fn examined(file: &Path, check: &Flags, plugins: &Plugins) -> Found {
    let world = World {
        file: file.to_owned(),
        policy: check.policy.clone(),
        seed: check.seed,
        sets: check.sets.clone(),
    };
    match Prepared::load(&world, plugins) {
        Ok(Prepared { world, warnings, .. }) => {
            let sessions = world.sessions_read;
            if check.deny.warnings() && !warnings.is_empty() {
                return Found {
                    sessions,
                    warnings: Vec::new(),
                    refusal: Some(Failure::denied(warnings)),
                };
            }
            Found { sessions, warnings, refusal: None }
        }
        Err(failure) => {
            Found { sessions: Vec::new(), warnings: Vec::new(), refusal: Some(failure) }
        }
    }
}

impl Found {
    fn say(self, file: &Path, check: &Flags, args: &Args) {
        let Self { sessions, warnings, refusal } = self;
        if let Some(failure) = refusal {
            let _ = failure.report(false);
            return;
        }
        let first = format!("{}: ok", file.display());
        let lines = std::iter::once(first).chain(sessions.iter().map(|read| format!("  {read}")));
        output::say(&lines.collect::<Vec<_>>().join("\n"));
        // Denied warnings are a refusal already.
        let _ = warnings::tell(warnings, &check.deny, args);
    }

    fn json(&self, file: &Path) -> Value {
        let (code, refused) =
            self.refusal.as_ref().map_or((Code::Input, &[][..]), |it| (it.code(), it.problems()));
        let found = refused.iter().chain(&self.warnings);
        let (warnings, problems): (Vec<_>, Vec<_>) = found.partition(|found| found.is_warning());
        let all_with_place = |problems: Vec<&Problem>| -> Vec<Value> {
            problems.into_iter().map(|problem| with_place(problem, code)).collect()
        };
        json!({
            "world": file,
            "ok": self.refusal.is_none(),
            "problems": all_with_place(problems),
            "warnings": all_with_place(warnings),
            "sessions": self.sessions,
        })
    }
}

/// A problem as programs read it, with its place as `check` of 0.1.0 gives it, too.
fn with_place(problem: &Problem, code: Code) -> Value {
    let mut object = object(problem, code);
    object["place"] = match problem.place() {
        Some((file, line, column)) => json!({ "file": file, "line": line, "column": column }),
        None => Value::Null,
    };
    object
}

/// Prints what a run would be.
pub(crate) fn dry_run(
    scenario: &Scenario,
    estimate: Estimate,
    out: &Path,
    args: &Args,
) -> ExitCode {
    let prospect = Prospect { scenario: scenario.clone(), estimate, free: free_bytes(out) };
    if args.json {
        output::say_json("dry_run", &Value::Object(told_json(&OF_DRY_RUN, &prospect)));
        return ExitCode::SUCCESS;
    }
    let rows = told_rows(&OF_DRY_RUN, &prospect, &scenario.currency);
    output::say(&output::table(&[], rows, &[]));
    ExitCode::SUCCESS
}

/// What a run would be.
pub(crate) struct Prospect {
    scenario: Scenario,
    estimate: Estimate,
    /// Room on the disk, bytes; `None` where that is not known.
    free: Option<u64>,
}

/// The figures of a line `dry_run`, in order.
pub(crate) const OF_DRY_RUN: [Line<Prospect>; 9] = [
    Line::<Prospect>::new("world", "", |it| Told::words(&it.scenario.name)).shown("world", 0),
    Line::<Prospect>::new("policy", "", |it| Told::words(&it.scenario.policy.name))
        .shown("policy", 0),
    Line::<Prospect>::new("", "", |it| Told::words(beginning(&it.scenario.clock)))
        .shown("from", 0)
        .means("when the run begins, by local time"),
    Line::<Prospect>::new("slots", "", |it| {
        Told::new(it.scenario.clock.slots, slots(&it.scenario.clock))
    })
    .shown("slots", 0)
    .means("number of slots to simulate"),
    Line::<Prospect>::new("ev_count", "", |it| Told::count(it.scenario.population.len() as u64))
        .shown("cars", 0)
        .means("number of cars"),
    Line::<Prospect>::new("stays", "", |it| Told::count(it.scenario.population.stays.len() as u64))
        .shown("stays", 0)
        .means("stays of cars that hold a whole slot"),
    Line::<Prospect>::new("ev_ticks_rows", "", |it| Told::count(it.estimate.ev_rows))
        .shown("rows of ev_ticks", 0)
        .means("rows of the largest table"),
    Line::<Prospect>::new("bytes", "", |it| {
        Told::new(it.estimate.bytes, output::bytes(it.estimate.bytes))
    })
    .shown("output, about", 0)
    .means("what the run will leave on disk, in bytes: an estimate"),
    Line::<Prospect>::new("free_bytes", "", |it| {
        Told::new(it.free, it.free.map_or_else(|| "unknown".into(), output::bytes))
    })
    .shown("free on disk", 0)
    .means("room on the disk, in bytes; null where that is not known"),
];

/// When a run begins, on the wall clock of its world, and whose clock that is.
fn beginning(clock: &Clock) -> String {
    clock.local(0).format("%Y-%m-%d %H:%M").to_string() + " " + clock.zone.name()
}

/// How many slots there are, and how long they are.
fn slots(clock: &Clock) -> String {
    format!("{} of {} min", output::thousands(clock.slots.into()), clock.slot_seconds / 60)
}
