//! Flexibility that is wanted and at hand, upwards and downwards.

use super::slug;
use crate::{
    chart::{
        Chart, Form,
        courses::{Area, Course, Courses},
    },
    ink::Colour,
    run::Run,
    scale::range,
    words::{energy_unit, number, power_unit},
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let both = runs.iter().flat_map(|run| ["up", "down"].map(|way| chart(run, way)));
    both.flatten().collect()
}

fn chart(run: &Run, way: &str) -> Option<Chart> {
    let wanted = run.system.numbers(&format!("flex_demand_{way}_kw"));
    let at_hand = run.system.numbers(&format!("flex_supply_{way}_kw"));
    if !wanted.iter().any(|kw| kw.is_finite()) {
        return None;
    }
    let (_, most) = range(wanted.iter().chain(&at_hand).copied());
    let (factor, unit) = power_unit(most);
    let scaled = |values: &[f64]| values.iter().map(|kw| kw * factor).collect::<Vec<f64>>();
    let margin = run.system.numbers(&format!("margin_{way}_kw"));
    let (wanted, at_hand) = (scaled(&wanted), scaled(&at_hand));
    let high = wanted.iter().zip(&at_hand).map(|(wanted, at_hand)| wanted.max(*at_hand));
    let short = Area {
        name: "shortfall".to_owned(),
        colour: Colour::Missing,
        opacity: 0.5,
        high: high.collect(),
        low: at_hand.clone(),
    };
    let courses = Courses {
        times: run.times.clone(),
        lines: vec![
            Course::new("wanted", Colour::Series(1), wanted),
            Course::new("at hand", Colour::Series(0), at_hand),
        ],
        areas: vec![short],
    };
    Some(Chart {
        id: format!("flexibility-{way}-{}", slug(&run.label)),
        title: format!("Flexibility {way}wards under {}", run.label),
        says: says(run, &margin),
        unit: unit.to_owned(),
        query: format!(
            "SELECT run_id, ts, flex_demand_{way}_kw, flex_supply_{way}_kw FROM system_ticks \
             ORDER BY run_id, tick"
        ),
        form: Form::Courses(courses),
    })
}

fn says(run: &Run, margin: &[f64]) -> String {
    let short: Vec<f64> = margin.iter().copied().filter(|kw| *kw < 0.0).collect();
    if short.is_empty() {
        return "More is at hand than is wanted in every slot.".to_owned();
    }
    let kwh = -run.slot_hours() * short.iter().sum::<f64>();
    let (factor, unit) = energy_unit(kwh);
    let hours = run.slot_hours() * short.len() as f64;
    format!(
        "In {} h less is at hand than is wanted, by {} {unit}.",
        number(hours),
        number(kwh * factor)
    )
}
