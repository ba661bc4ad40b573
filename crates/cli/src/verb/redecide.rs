//! `voltide replay --redecide`: a policy is asked again what it was asked in a run.

use crate::{
    args::Args,
    failure::{Code, Failure},
    figure::{Figure, Line, MONEY, Told, to_json, told_json},
    journaled::Journaled,
    live::{Prepared, all_cores},
    output::{self, counted, thousands},
    verb::plugins::known_plugins,
};
use serde_json::{Map, Value};
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
        // Another version or file is welcome: what it does otherwise is what is asked.
        None => Prepared::of_journal(world, &started, &plugins, true)?,
    }
    .start(all_cores());
    let policy = start.scenario.policy.name.clone();
    let currency = start.scenario.currency.clone();
    let mut again = Redecision::new(Arc::clone(&journaled.scenario), start)?;
    for recorded in journaled.events(args.quiet) {
        again.event(recorded?)?;
    }
    say(&again.found(), &policy, &currency, args.json);
    Ok(ExitCode::SUCCESS)
}

fn say(found: &Redecided, policy: &str, currency: &str, as_json: bool) {
    if as_json {
        let again = Again { policy: policy.to_owned(), found: *found };
        return output::say_json("redecided", &Value::Object(told_json(&OF_AGAIN, &again)));
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
    let rows = OF_PLANNED.iter().map(|amount| {
        let [recorded, again] = [recorded, again].map(|planned| (amount.of)(planned));
        let cells = [recorded, again, again - recorded].map(|kwh| amount.cell(Some(kwh)));
        std::iter::once(amount.heading(currency)).chain(cells).collect()
    });
    let header = ["planned", "recorded", "again", "difference"];
    output::say(&output::table(&header, rows.collect(), &[1, 2, 3]));
}

/// What a policy said when it was asked again.
pub(crate) struct Again {
    policy: String,
    found: Redecided,
}

/// The figures of a line `redecided`, in order.
pub(crate) const OF_AGAIN: [Line<Again>; 8] = [
    Line::<Again>::new("policy", "", |it| Told::words(&it.policy))
        .means("the policy that was asked"),
    Line::<Again>::new("calls", "", |it| Told::count(it.found.calls))
        .means("how often it was asked"),
    Line::<Again>::new("plans", "", |it| Told::count(it.found.plans))
        .means("schedules that it was asked for"),
    Line::<Again>::new("differing", "", |it| Told::count(it.found.differing))
        .means("those that are not the recorded ones"),
    Line::<Again>::new("first_tick", "", |it| Told::new(it.found.first.map(|(tick, _)| tick), ""))
        .means("tick of the first of them; null where there is none"),
    Line::<Again>::new("first_ev", "", |it| Told::new(it.found.first.map(|(_, ev)| ev.0), ""))
        .means("its car; null likewise"),
    Line::<Again>::new("recorded", "", |it| Told::new(planned_json(&it.found.recorded), ""))
        .means("what the recorded schedules come to"),
    Line::<Again>::new("again", "", |it| Told::new(planned_json(&it.found.again), ""))
        .means("what those of now come to"),
];

/// An amount that schedules come to.
type Amount = Figure<fn(&Planned) -> f64>;

/// What schedules come to, in order.
pub(crate) const OF_PLANNED: [Amount; 3] = [
    Amount::new("charge_kwh", "kWh", |it| it.charge_kwh)
        .shown("to charge", 3)
        .means("energy to be charged, grid side"),
    Amount::new("discharge_kwh", "kWh", |it| it.discharge_kwh)
        .shown("to discharge", 3)
        .means("energy to be discharged, grid side; not negative"),
    Amount::new("cost", MONEY, |it| it.cost)
        .shown("to pay", 3)
        .means("money to be paid less money to be earned, at the prices of the plans"),
];

fn planned_json(planned: &Planned) -> Map<String, Value> {
    to_json(&OF_PLANNED, OF_PLANNED.map(|amount| (amount.of)(planned)))
}
