//! `voltide replay --redecide`: a policy is asked again what it was asked in a run.

use crate::{
    args::{Args, Replay},
    failure::{Code, Failure},
    journaled::Journaled,
    live::{Prepared, all_cores},
    output::{self, counted, decimal, thousands},
    verb::plugins::known_plugins,
};
use serde_json::{Value, json};
use std::{process::ExitCode, sync::Arc};
use voltide_engine::{Planned, Redecided, Redecision};
use voltide_journal::event::Event;

/// Asks again, and says what is different.
pub(crate) fn redecide(replay: &Replay, args: &Args) -> Result<ExitCode, Failure> {
    let journaled = Journaled::open(&replay.run, args.quiet)?;
    if journaled.is_fork() {
        let help = Some("ask again in the parent, or fork it with another policy");
        return Err(Failure::new(Code::Input, "a fork's parent had decisions of its own", help));
    }
    let plugins = known_plugins(args);
    let (mut world, started) = (journaled.world.clone(), journaled.started.clone());
    let start = match &replay.policy {
        Some(policy) => {
            world.scenario.policy.name.clone_from(policy);
            Prepared::changed(world, &started, Vec::new(), (&plugins, false))?
        }
        None => Prepared::of_journal(world, &started, &plugins, true)?,
    }
    .start(all_cores());
    let (policy, currency) = (start.scenario.policy.name.clone(), start.scenario.currency.clone());
    let mut again = Redecision::new(Arc::clone(&journaled.scenario), start)?;
    for recorded in journaled.events(args.quiet) {
        let recorded = recorded?;
        if !matches!(recorded.event, Event::RunForked(_)) {
            again.event(recorded)?;
        }
    }
    say(&again.found(), &policy, &currency, args.json);
    Ok(ExitCode::SUCCESS)
}

fn say(found: &Redecided, policy: &str, currency: &str, as_json: bool) {
    if as_json {
        let planned = |it: &Planned| json!({ "charge_kwh": it.charge_kwh, "discharge_kwh": it.discharge_kwh, "cost": it.cost });
        let value = json!({
            "policy": policy,
            "calls": found.calls,
            "plans": found.plans,
            "differing": found.differing,
            "first_tick": found.first.map(|(tick, _)| tick),
            "first_ev": found.first.map(|(_, ev)| ev),
            "recorded": planned(&found.recorded),
            "again": planned(&found.again),
        });
        return output::say_json("redecided", &Value::clone(&value));
    }
    let asked = format!("{policy} was asked {} again", counted(found.calls, "time", "times"));
    match found.first {
        None => {
            output::tell(&format!(
                "{asked}: all {} schedules are the recorded ones",
                thousands(found.plans)
            ));
        }
        Some((tick, ev)) => output::tell(&format!(
            "{asked}: {} of {} schedules are others, the first at tick {tick} for car {ev}",
            thousands(found.differing),
            thousands(found.plans)
        )),
    }
    let row = |name: String, of: fn(&Planned) -> f64| {
        let (recorded, again) = (of(&found.recorded), of(&found.again));
        vec![name, decimal(recorded, 3), decimal(again, 3), decimal(again - recorded, 3)]
    };
    let rows = vec![
        row("to charge kWh".to_owned(), |it| it.charge_kwh),
        row("to discharge kWh".to_owned(), |it| it.discharge_kwh),
        row(format!("to pay {currency}"), |it| it.cost),
    ];
    output::say(&output::table(&["planned", "recorded", "again", "difference"], rows, &[1, 2, 3]));
}
