//! `voltide check` and `--dry-run`: everything that is wrong with a world, and what a run would be.

use crate::{
    args::{Args, Check},
    estimate::Estimate,
    failure::{Code, Failure},
    machine::free_bytes,
    output,
};
use serde_json::json;
use std::{path::Path, process::ExitCode};
use voltide_model::scenario::Scenario;
use voltide_world::{Problems, SessionsRead};

/// Checks worlds; all problems of all of them are shown.
pub(crate) fn check(check: &Check, args: &Args) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for world in &check.worlds {
        let result = voltide_world::check(world, &check.sets);
        if args.json {
            output::say_json("check", &check_json(world, &result));
        } else if let Ok(read) = &result {
            let first = format!("{}: ok", world.display());
            let lines = std::iter::once(first).chain(read.iter().map(|read| format!("  {read}")));
            output::say(&lines.collect::<Vec<_>>().join("\n"));
        }
        if let Err(problems) = result {
            code = Code::Input.into();
            if !args.json {
                let _ = Failure::from(problems).report();
            }
        }
    }
    code
}

fn check_json(world: &Path, result: &Result<Vec<SessionsRead>, Problems>) -> serde_json::Value {
    let problem = |problem: &voltide_world::Problem| {
        let place = problem
            .place()
            .map(|(file, line, column)| json!({ "file": file, "line": line, "column": column }));
        json!({ "message": problem.message, "help": problem.help, "place": place })
    };
    let problems: Vec<_> =
        result.as_ref().err().map_or(&[][..], |problems| &problems.list).iter().map(problem).collect();
    let sessions = result.as_ref().map_or(&[][..], Vec::as_slice);
    json!({ "world": world, "ok": result.is_ok(), "problems": problems, "sessions": sessions })
}

/// Prints what a run would be.
pub(crate) fn dry_run(scenario: &Scenario, estimate: Estimate, out: &Path, args: &Args) -> ExitCode {
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
        ("slots", format!("{} of {} min", output::thousands(clock.slots.into()), clock.slot_seconds / 60)),
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
