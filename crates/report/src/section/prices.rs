//! What drivers pay for a kWh, over time.

use super::colour_of;
use crate::{
    chart::{
        Chart, Form,
        courses::{Course, Courses},
    },
    ink::Colour,
    run::Run,
    scale::range,
    words::number,
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let run = &runs[0];
    let tariff = run.system.numbers("tou_price_per_kwh");
    let mut lines = vec![Course::new("tariff", Colour::Text, tariff)];
    // A price that follows net load may differ from run to run.
    for (at, run) in runs.iter().enumerate() {
        let prices = run.system.numbers("incentive_price_per_kwh");
        let is_new = lines.iter().all(|line| !same(&line.values, &prices));
        if is_new && prices.iter().any(|price| price.is_finite()) {
            let name = format!("incentive ({})", run.label);
            lines.push(Course::new(&name, colour_of(at), prices));
        }
    }
    let courses = Courses::new(run.times.clone(), lines);
    if !courses.has_data() {
        return vec![];
    }
    let unit = format!("{}/kWh", run.made.currency);
    let says = courses.lines.iter().map(|line| {
        let finite = || line.values.iter().copied().filter(|price| price.is_finite());
        let least = finite().fold(f64::INFINITY, f64::min);
        let (_, most) = range(finite());
        format!("The {} price goes from {} to {} {unit}.", line.name, number(least), number(most))
    });
    vec![Chart {
        id: "prices".to_owned(),
        title: "Prices of a kWh on the first tariff".to_owned(),
        says: says.collect::<Vec<_>>().join(" "),
        unit: unit.clone(),
        query: "SELECT run_id, ts, tou_price_per_kwh, incentive_price_per_kwh FROM system_ticks \
                ORDER BY run_id, tick"
            .to_owned(),
        form: Form::Courses(courses),
    }]
}

fn same(one: &[f64], other: &[f64]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.total_cmp(b).is_eq())
}
