//! States of charge of the cars that are plugged in, fleet by fleet, and what they want.

use super::{colour_of, slug};
use crate::{
    chart::{
        Chart, Form,
        courses::{Area, Course, Courses},
    },
    ink::Colour,
    run::Run,
    words::number,
};

/// More fleets than this are not shown of a run: those of which most cars are plugged in at once.
const MOST_FLEETS: usize = 4;

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let of_run = |(at, run): (usize, &Run)| {
        let fleets = fleets(run);
        let are_more = fleets.len() > 1;
        let shown: Vec<Chart> =
            fleets.iter().map(|fleet| chart(run, at, fleet, are_more)).collect();
        shown
    };
    runs.iter().enumerate().flat_map(of_run).collect()
}

/// A fleet in the rows of `fleet_ticks`.
struct Fleet<'a> {
    name: &'a str,
    rows: Vec<usize>,
}

/// The fleets that are shown of a run.
fn fleets(run: &Run) -> Vec<Fleet<'_>> {
    let plugged = run.fleets.integers("plugged");
    let kinds = run.fleets.words("kind");
    let mut fleets: Vec<Fleet<'_>> = Vec::new();
    for (row, name) in run.fleets.words("name").into_iter().enumerate() {
        let (Some("fleet"), Some(name)) = (kinds[row], name) else { continue };
        match fleets.iter_mut().find(|fleet| fleet.name == name) {
            Some(fleet) => fleet.rows.push(row),
            None => fleets.push(Fleet { name, rows: vec![row] }),
        }
    }
    let most = |fleet: &Fleet<'_>| fleet.rows.iter().filter_map(|&row| plugged[row]).max();
    fleets.retain(|fleet| most(fleet) > Some(0));
    fleets.sort_by_key(|fleet| std::cmp::Reverse(most(fleet)));
    fleets.truncate(MOST_FLEETS);
    fleets
}

fn chart(run: &Run, at: usize, fleet: &Fleet<'_>, are_more: bool) -> Chart {
    let percent = |name: &str| -> Vec<f64> {
        let column = run.fleets.numbers(name);
        fleet.rows.iter().map(|&row| 100.0 * column[row]).collect()
    };
    let colour = colour_of(at);
    let area = |name: &str, opacity, low, high| Area {
        name: name.to_owned(),
        colour,
        opacity,
        low: percent(low),
        high: percent(high),
    };
    let (median, target) = (percent("soc_50"), percent("soc_target"));
    let says = says(&median, &target);
    let courses = Courses {
        times: run.times.clone(),
        lines: vec![
            Course::new("wanted", Colour::Text, target).dashed(),
            Course::new("median", colour, median),
        ],
        areas: vec![
            area("5 to 95 %", 0.18, "soc_05", "soc_95"),
            area("25 to 75 %", 0.3, "soc_25", "soc_75"),
        ],
    };
    let of_fleet = if are_more { format!("-{}", slug(fleet.name)) } else { String::new() };
    Chart {
        id: format!("soc-{}{of_fleet}", slug(&run.label)),
        title: format!("State of charge of {} under {}", fleet.name, run.label),
        says,
        unit: "%".to_owned(),
        query: format!(
            "SELECT run_id, ts, 100 * soc_target, 100 * soc_50, 100 * soc_05, 100 * soc_95, \
             100 * soc_25, 100 * soc_75 FROM fleet_ticks WHERE kind = 'fleet' AND name = '{}' \
             ORDER BY run_id, tick",
            fleet.name
        ),
        form: Form::Courses(courses),
    }
}

/// When the cars in the middle are as full as is wanted on average.
fn says(median: &[f64], target: &[f64]) -> String {
    let both: Vec<(f64, f64)> = median
        .iter()
        .zip(target)
        .filter(|(soc, target)| soc.is_finite() && target.is_finite())
        .map(|(&soc, &target)| (soc, target))
        .collect();
    let slots = both.len() as f64;
    let there = both.iter().filter(|(soc, target)| soc >= target).count() as f64;
    let least = both.iter().map(|(soc, _)| *soc).fold(f64::INFINITY, f64::min);
    let most = both.iter().map(|(soc, _)| *soc).fold(f64::NEG_INFINITY, f64::max);
    format!(
        "Half of the cars plugged in hold more than {} to {} %; in {} % of the time that is as much as \
         their drivers want at departure on average. The dark band has half of them, both have nine of ten.",
        number(least),
        number(most),
        number(100.0 * there / slots)
    )
}
