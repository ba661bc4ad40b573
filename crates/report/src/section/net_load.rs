//! Net load of every run.

use super::{colour_of, slug, together};
use crate::{
    chart::{
        Chart, Form,
        courses::{Course, Courses},
    },
    key_figures::highest,
    run::Run,
    words::{number, power_unit},
};

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let groups = together(runs);
    let is_many = groups.len() > 1;
    groups.into_iter().map(|group| chart(runs, &group, is_many)).collect()
}

fn chart(runs: &[Run], group: &[usize], is_many: bool) -> Chart {
    let loads: Vec<Vec<f64>> = group.iter().map(|&run| runs[run].net_load_kw()).collect();
    let most = loads.iter().map(|load| highest(load)).fold(0.0, f64::max);
    let (factor, unit) = power_unit(most);
    let lines = group.iter().zip(loads).map(|(&run, load)| {
        let values = load.into_iter().map(|kw| kw * factor).collect();
        Course::new(&runs[run].label, colour_of(run), values)
    });
    let courses = Courses::new(runs[group[0]].times.clone(), lines.collect());
    let last = &runs[*group.last().unwrap_or(&0)].label;
    Chart {
        id: if is_many { format!("net-load-{}", slug(last)) } else { "net-load".to_owned() },
        title: "Net load: load and cars less wind and sun".to_owned(),
        says: says(&courses, unit),
        unit: unit.to_owned(),
        query: "SELECT run_id, ts, net_load_kw FROM system_ticks ORDER BY run_id, tick".to_owned(),
        form: Form::Courses(courses),
    }
}

fn says(courses: &Courses, unit: &str) -> String {
    let peak = |line: &Course| {
        let slots = line.values.iter().enumerate().filter(|(_, value)| value.is_finite());
        let (slot, most) = slots.max_by(|one, other| one.1.total_cmp(other.1))?;
        let when = courses.times.starts.get(slot).map(|_| courses.times.told(slot))?;
        Some(format!("{} {unit} under {} ({when})", number(*most), line.name))
    };
    let peaks: Vec<String> = courses.lines.iter().filter_map(peak).collect();
    format!("Its highest value is {}.", peaks.join(", "))
}
