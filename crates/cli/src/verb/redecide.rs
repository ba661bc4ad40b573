//! `voltide replay --redecide`: a policy is asked again what it was asked in a run.

use crate::{
    args::Args,
    failure::{Code, Failure},
    journaled::Journaled,
    live::{Prepared, all_cores},
    output::{self, counted, decimal, thousands},
    verb::plugins::known_plugins,
};
use serde_json::{Value, json};
use std::{path::Path, process::ExitCode, sync::Arc};
use voltide_engine::{Planned, Redecided, Redecision};

/// Asks the run's own policy again, or another one; says what is different.
pub(crate) fn redecide(
    run: &Path,
    policy: Option<&String>,
    args: &Args,
) -> Result<ExitCode, Failure> {
    let journaled = Journaled::open(run, args.quiet)?;
    if journaled.is_fork() {
        let help = Some("ask again in the parent, or fork it with another policy");
        return Err(Failure::new(Code::Input, "a fork's parent had decisions of its own", help));
    }
    let plugins = known_plugins(args);
    let mut world = journaled.world.clone();
    let started = journaled.started.clone();
    let start = match policy {
        Some(policy) => {
            world.scenario.policy.name.clone_from(policy);
            Prepared::changed(world, &started, Vec::new(), (&plugins, false))?
        }
        None => Prepared::of_journal(world, &started, &plugins, true)?,
    }
    .start(all_cores());
    let policy = start.scenario.policy.name.clone();
    let currency = start.scenario.currency.clone();
    let mut again = Redecision::new(Arc::clone(&journaled.scenario), start)?;
    for recorded in journaled.events(args.quiet) {
        let recorded = recorded?;
        if recorded.event.forks().is_none() {
            again.event(recorded)?;
        }
    }
    say(&again.found(), &policy, &currency, args.json);
    Ok(ExitCode::SUCCESS)
}

fn say(found: &Redecided, policy: &str, currency: &str, as_json: bool) {
    if as_json {
        return output::say_json("redecided", &to_json(found, policy));
    }
    let asked = format!("{policy} was asked {} again", counted(found.calls, "time", "times"));
    let plans = thousands(found.plans);
    let answers = match found.first {
        None => format!("all {plans} schedules are the recorded ones"),
        Some((tick, ev)) => format!(
            "{} of {plans} schedules are others, the first at tick {tick} for car {ev}",
            thousands(found.differing)
        ),
    };
    output::tell(&format!("{asked}: {answers}"));
    let Redecided { recorded, again, .. } = found;
    let rows = vec![
        row("to charge kWh", recorded.charge_kwh, again.charge_kwh),
        row("to discharge kWh", recorded.discharge_kwh, again.discharge_kwh),
        row(&format!("to pay {currency}"), recorded.cost, again.cost),
    ];
    output::say(&output::table(&["planned", "recorded", "again", "difference"], rows, &[1, 2, 3]));
}

fn row(name: &str, recorded: f64, again: f64) -> Vec<String> {
    let amounts = [recorded, again, again - recorded].map(|amount| decimal(amount, 3));
    std::iter::once(name.to_owned()).chain(amounts).collect()
}

fn to_json(found: &Redecided, policy: &str) -> Value {
    json!({
        "policy": policy,
        "calls": found.calls,
        "plans": found.plans,
        "differing": found.differing,
        "first_tick": found.first.map(|(tick, _)| tick),
        "first_ev": found.first.map(|(_, ev)| ev),
        "recorded": planned_json(&found.recorded),
        "again": planned_json(&found.again),
    })
}

fn planned_json(planned: &Planned) -> Value {
    let Planned { charge_kwh, discharge_kwh, cost } = planned;
    json!({ "charge_kwh": charge_kwh, "discharge_kwh": discharge_kwh, "cost": cost })
}
