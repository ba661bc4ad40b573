//! What the two stages expected of load, beside what came.

use super::slug;
use crate::{
    chart::{
        Chart, Form,
        courses::{Course, Courses},
    },
    ink::Colour,
    run::Run,
    scale::range,
    words::{number, power_unit},
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    runs.iter().filter_map(chart).collect()
}

fn chart(run: &Run) -> Option<Chart> {
    let came = run.load_kw();
    let ahead = expected_kw(run, "day_ahead");
    let within = expected_kw(run, "intra_day");
    if !ahead.iter().chain(&within).any(|kw| kw.is_finite()) {
        return None;
    }
    let (_, most) = range(came.iter().chain(&ahead).chain(&within).copied());
    let (factor, unit) = power_unit(most);
    let scaled = |values: &[f64]| values.iter().map(|kw| kw * factor).collect::<Vec<f64>>();
    let says = format!(
        "What came is off by {} {unit} on average from what was expected day-ahead, and by {} {unit} from \
         what was expected intra-day.",
        number(off(&came, &ahead) * factor),
        number(off(&came, &within) * factor)
    );
    let lines = vec![
        Course::new("day-ahead", Colour::Series(1), scaled(&ahead)).dashed(),
        Course::new("intra-day", Colour::Series(0), scaled(&within)),
        Course::new("as it came", Colour::Text, scaled(&came)),
    ];
    Some(Chart {
        id: format!("stages-{}", slug(&run.label)),
        title: format!("Load with cars as each stage expected it, under {}", run.label),
        says,
        unit: unit.to_owned(),
        query: "SELECT run_id, ts, stage, load_kw FROM windows WHERE committed ORDER BY ALL"
            .to_owned(),
        form: Form::Courses(Courses::new(run.times.clone(), lines)),
    })
}

/// What a stage expected of load in each slot of the steps that were scheduled by it, kW.
fn expected_kw(run: &Run, stage: &str) -> Vec<f64> {
    let mut expected = vec![f64::NAN; run.times.starts.len()];
    let slots = run.windows.integers("slot");
    let committed = run.windows.integers("committed");
    let (hours, load) = (run.windows.numbers("step_h"), run.windows.numbers("load_kw"));
    for (row, of) in run.windows.words("stage").into_iter().enumerate() {
        let (Some(of), Some(slot), Some(1)) = (of, slots[row], committed[row]) else { continue };
        if of != stage {
            continue;
        }
        let count = (hours[row] / run.slot_hours()).round() as usize;
        for kw in expected.iter_mut().skip(slot as usize).take(count) {
            *kw = load[row];
        }
    }
    expected
}

/// Mean distance of two courses where both are known.
fn off(one: &[f64], other: &[f64]) -> f64 {
    let apart: Vec<f64> = one
        .iter()
        .zip(other)
        .map(|(one, other)| (one - other).abs())
        .filter(|apart| apart.is_finite())
        .collect();
    apart.iter().sum::<f64>() / apart.len().max(1) as f64
}
