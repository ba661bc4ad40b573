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
    let kinds = run.output_by_kind();
    if kinds.is_empty() {
        return None;
    }
    let load = run.load_kw();
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
