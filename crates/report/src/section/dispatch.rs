//! What units give and take, kind by kind.

use super::slug;
use crate::{
    chart::{Chart, Form, courses::Course, stack::Stack},
    ink::Colour,
    run::Run,
    scale::range,
    words::{energy_unit, number, power_unit},
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    runs.iter().filter_map(chart).collect()
}

fn chart(run: &Run) -> Option<Chart> {
    let kinds = by_kind(run);
    if kinds.is_empty() {
        return None;
    }
    let load = load_kw(run);
    let (_, most) = range(load.iter().copied().chain(kinds.iter().flat_map(|(_, kw)| kw.clone())));
    let (factor, unit) = power_unit(most);
    let scaled = |values: &[f64]| values.iter().map(|kw| kw * factor).collect::<Vec<f64>>();
    let says = says(run, &kinds);
    let layers = kinds.iter().enumerate().map(|(at, (kind, kw))| {
        Course::new(&kind.replace('_', " "), Colour::Series(at), scaled(kw))
    });
    let stack = Stack {
        times: run.times.clone(),
        layers: layers.collect(),
        line: Some(Course::new("load", Colour::Text, scaled(&load))),
    };
    Some(Chart {
        id: format!("dispatch-{}", slug(&run.label)),
        title: format!(
            "Dispatch under {}: what is given above zero, what is taken below",
            run.label
        ),
        says,
        unit: unit.to_owned(),
        query: "SELECT run_id, ts, unit_kind, sum(output_kw) FROM unit_ticks \
                WHERE stage = 'settled' GROUP BY ALL ORDER BY ALL"
            .to_owned(),
        form: Form::Stack(stack),
    })
}

/// Load with cars, less what they give: what units serve.
fn load_kw(run: &Run) -> Vec<f64> {
    let number = |name| run.system.numbers(name);
    let (base, charged) = (number("base_load_kw"), number("ev_charge_kw"));
    let cars = charged.iter().zip(number("ev_discharge_kw")).map(|(drawn, given)| drawn - given);
    base.iter().zip(cars).map(|(base, cars)| base + cars).collect()
}

/// Settled output of each kind of unit, kW, one a slot, in the order of the table.
fn by_kind(run: &Run) -> Vec<(String, Vec<f64>)> {
    let ticks = run.units.integers("tick");
    let stages = run.units.words("stage");
    let outputs = run.units.numbers("output_kw");
    let mut kinds: Vec<(String, Vec<f64>)> = Vec::new();
    for (row, kind) in run.units.words("unit_kind").into_iter().enumerate() {
        let (Some("settled"), Some(kind), Some(tick)) = (stages[row], kind, ticks[row]) else {
            continue;
        };
        let at = kinds.iter().position(|(name, _)| name == kind).unwrap_or_else(|| {
            kinds.push((kind.to_owned(), vec![0.0; run.times.starts.len()]));
            kinds.len() - 1
        });
        if let Some(slot) = kinds[at].1.get_mut(tick as usize) {
            *slot += outputs[row];
        }
    }
    // What does nothing all the time has no layer.
    kinds.retain(|(_, kw)| kw.iter().any(|kw| *kw != 0.0));
    kinds
}

fn says(run: &Run, kinds: &[(String, Vec<f64>)]) -> String {
    let hours = run.slot_hours();
    let given = kinds.iter().map(|(kind, kw)| {
        (kind.replace('_', " "), hours * kw.iter().map(|kw| kw.max(0.0)).sum::<f64>())
    });
    let mut given: Vec<(String, f64)> = given.filter(|(_, kwh)| *kwh > 0.0).collect();
    given.sort_by(|one, other| other.1.total_cmp(&one.1));
    let all: f64 = given.iter().map(|(_, kwh)| kwh).sum();
    let (factor, unit) = energy_unit(all);
    let shares = given.iter().map(|(kind, kwh)| format!("{kind} {} %", number(100.0 * kwh / all)));
    let shares = shares.collect::<Vec<_>>().join(", ");
    let curtailed = run.energy_kwh("curtailed_kw");
    let lost = match curtailed {
        0.0 => String::new(),
        kwh => format!(" {} {unit} of wind and sun are curtailed.", number(kwh * factor)),
    };
    format!("Of {} {unit} given: {shares}.{lost}", number(all * factor))
}
