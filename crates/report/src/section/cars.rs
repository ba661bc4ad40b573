//! What cars draw and give, and how many are there.

use super::{colour_of, slug, together};
use crate::{
    chart::{
        Chart, Form,
        courses::{Course, Courses},
    },
    ink::Colour,
    key_figures::highest,
    run::Run,
    words::{count, energy_unit, number, power_unit},
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let groups = together(runs);
    let is_many = groups.len() > 1;
    let mut charts: Vec<Chart> =
        groups.into_iter().map(|group| power(runs, &group, is_many)).collect();
    charts.push(counts(runs));
    charts
}

fn drawn_kw(run: &Run) -> Vec<f64> {
    let charged = run.system.numbers("ev_charge_kw");
    let given = run.system.numbers("ev_discharge_kw");
    charged.iter().zip(given).map(|(charged, given)| charged - given).collect()
}

fn power(runs: &[Run], group: &[usize], is_many: bool) -> Chart {
    let drawn: Vec<Vec<f64>> = group.iter().map(|&run| drawn_kw(&runs[run])).collect();
    let most = drawn.iter().map(|drawn| highest(drawn)).fold(0.0, f64::max);
    let (factor, unit) = power_unit(most);
    let lines = group.iter().zip(drawn).map(|(&run, drawn)| {
        let values = drawn.into_iter().map(|kw| kw * factor).collect();
        Course::new(&runs[run].label, colour_of(run), values)
    });
    let lines: Vec<Course> = lines.collect();
    let last = &runs[*group.last().unwrap_or(&0)].label;
    let moved = group.iter().map(|&run| says(&runs[run])).collect::<Vec<_>>();
    Chart {
        id: if is_many { format!("cars-{}", slug(last)) } else { "cars".to_owned() },
        title: "Power of all cars: charged less discharged, at the grid".to_owned(),
        says: moved.join(" "),
        unit: unit.to_owned(),
        query: "SELECT run_id, ts, ev_charge_kw - ev_discharge_kw FROM system_ticks \
                ORDER BY run_id, tick"
            .to_owned(),
        form: Form::Courses(Courses::new(runs[group[0]].times.clone(), lines)),
    }
}

fn says(run: &Run) -> String {
    let charged = run.energy_kwh("ev_charge_kw");
    let given = run.energy_kwh("ev_discharge_kw");
    let (factor, unit) = energy_unit(charged);
    let missing = run.missing_kwh();
    let gave = match given {
        0.0 => String::new(),
        given => format!(" and give {} {unit} back", number(given * factor)),
    };
    format!(
        "Under {} cars charge {} {unit}{gave}; {} kWh are missing at departure.",
        run.label,
        number(charged * factor),
        number(missing)
    )
}

/// Cars plugged in are the same in all runs of the same cars; who agrees is not.
fn counts(runs: &[Run]) -> Chart {
    let plugged = runs[0].system.numbers("plugged");
    let most = highest(&plugged);
    let mut lines = vec![Course::new("plugged in", Colour::Text, plugged)];
    for (at, run) in runs.iter().enumerate() {
        let agreed = run.system.numbers("agreed");
        if agreed.iter().any(|cars| *cars > 0.0) {
            let name = format!("agree ({})", run.label);
            lines.push(Course::new(&name, colour_of(at), agreed));
        }
    }
    Chart {
        id: "plugged".to_owned(),
        title: "Cars plugged in, and those whose drivers agree to discharge".to_owned(),
        says: format!(
            "At most {} of {} cars are plugged in at once.",
            count(most),
            count(runs[0].made.cars as f64)
        ),
        unit: "cars".to_owned(),
        query: "SELECT run_id, ts, plugged, agreed FROM system_ticks ORDER BY run_id, tick"
            .to_owned(),
        form: Form::Courses(Courses::new(runs[0].times.clone(), lines)),
    }
}
