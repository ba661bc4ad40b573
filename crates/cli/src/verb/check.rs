//! `voltide check` and `--dry-run`: everything that is wrong with a world, and what a run would be.

use crate::{
    args::{Args, Deny, World},
    estimate::Estimate,
    failure::{Code, Failure, object},
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
use voltide_model::scenario::Scenario;
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

/// Checks worlds: says all that a run of each would refuse. The exit code is that of the first refusal.
pub(crate) fn check(check: &Flags, args: &Args) -> ExitCode {
    let plugins = known_plugins(args);
    let mut code = None;
    for file in &check.worlds {
        let found = look(file, check, &plugins);
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
fn look(file: &Path, check: &Flags, plugins: &Plugins) -> Found {
    let (policy, seed) = (check.policy.clone(), check.seed);
    let world = World { file: file.to_owned(), policy, seed, sets: check.sets.clone() };
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
        let found = || refused.iter().chain(&self.warnings);
        let problems = found().filter(|problem| !problem.is_warning());
        let warnings = found().filter(|problem| problem.is_warning());
        json!({
            "world": file,
            "ok": self.refusal.is_none(),
            "problems": problems.map(|problem| with_place(problem, code)).collect::<Vec<_>>(),
            "warnings": warnings.map(|problem| with_place(problem, code)).collect::<Vec<_>>(),
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
    let (clock, free) = (&scenario.clock, free_bytes(out));
    if args.json {
        let value = json!({
            "world": scenario.name,
            "policy": scenario.policy.name,
            "slots": clock.slots,
            "ev_count": scenario.population.len(),
            "stays": scenario.population.stays.len(),
            "ev_ticks_rows": estimate.ev_rows,
            "bytes": estimate.bytes,
            "free_bytes": free,
        });
        output::say_json("dry_run", &value);
        return ExitCode::SUCCESS;
    }
    let rows = [
        ("world", scenario.name.clone()),
        ("policy", scenario.policy.name.clone()),
        ("from", clock.local(0).format("%Y-%m-%d %H:%M").to_string() + " " + clock.zone.name()),
        (
            "slots",
            format!("{} of {} min", output::thousands(clock.slots.into()), clock.slot_seconds / 60),
        ),
        ("cars", output::thousands(scenario.population.len() as u64)),
        ("stays", output::thousands(scenario.population.stays.len() as u64)),
        ("rows of ev_ticks", output::thousands(estimate.ev_rows)),
        ("output, about", output::bytes(estimate.bytes)),
        ("free on disk", free.map_or_else(|| "unknown".into(), output::bytes)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
    output::say(&output::table(&[], rows, &[]));
    ExitCode::SUCCESS
}
