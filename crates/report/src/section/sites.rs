//! Power of each site under its limit.

use super::{colour_of, slug};
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

/// More sites than this are not shown: those with the most power stand for all.
const MOST_SITES: usize = 8;

pub(super) fn charts(runs: &[Run]) -> Vec<Chart> {
    let all: Vec<Sites> = runs.iter().take(super::MOST_LINES).map(Sites::of).collect();
    let first = &all[0];
    let mut order: Vec<(usize, f64)> = first.0.iter().map(Site::most_kw).enumerate().collect();
    order.sort_by(|one, other| other.1.total_cmp(&one.1));
    let shown = order.iter().take(MOST_SITES);
    shown.map(|&(site, _)| chart(runs, &all, &first.0[site])).collect()
}

/// A site over time.
struct Site {
    name: String,
    power_kw: Vec<f64>,
    limit_kw: Vec<f64>,
    export_kw: Vec<f64>,
}

impl Site {
    fn most_kw(&self) -> f64 {
        self.power_kw.iter().copied().fold(0.0, f64::max)
    }

    fn power(&self) -> Vec<f64> {
        self.power_kw.clone()
    }
}

/// All sites of a run.
struct Sites(Vec<Site>);

impl Sites {
    fn of(run: &Run) -> Self {
        let count = run.times.starts.len();
        let ticks = run.sites.integers("tick");
        let power = run.sites.numbers("power_kw");
        let limit = run.sites.numbers("limit_kw");
        let export = run.sites.numbers("export_limit_kw");
        let mut sites: Vec<Site> = Vec::new();
        for (row, name) in run.sites.words("site").into_iter().enumerate() {
            let (Some(name), Some(tick)) = (name, ticks[row]) else { continue };
            let at = sites.iter().position(|site| site.name == name).unwrap_or_else(|| {
                let none = vec![f64::NAN; count];
                sites.push(Site {
                    name: name.to_owned(),
                    power_kw: none.clone(),
                    limit_kw: none.clone(),
                    export_kw: none,
                });
                sites.len() - 1
            });
            let tick = tick as usize;
            if tick < count {
                sites[at].power_kw[tick] = power[row];
                sites[at].limit_kw[tick] = limit[row];
                sites[at].export_kw[tick] = -export[row];
            }
        }
        Self(sites)
    }
}

fn chart(runs: &[Run], all: &[Sites], site: &Site) -> Chart {
    let here = |sites: &Sites| sites.0.iter().find(|it| it.name == site.name).map(Site::power);
    let powers = all.iter().map(here).enumerate();
    let powers: Vec<(usize, Vec<f64>)> =
        powers.filter_map(|(at, power_kw)| Some((at, power_kw?))).collect();
    let of = all[0].0.len();
    let drawn = powers.iter().flat_map(|(_, kw)| kw).chain(&site.limit_kw);
    let (_, most) = range(drawn.copied());
    let (factor, unit) = power_unit(most);
    let scaled = |values: &[f64]| values.iter().map(|kw| kw * factor).collect::<Vec<f64>>();
    let mut lines: Vec<Course> = powers
        .iter()
        .map(|(at, kw)| Course::new(&runs[*at].label, colour_of(*at), scaled(kw)))
        .collect();
    lines.push(Course::new("limit", Colour::Missing, scaled(&site.limit_kw)).dashed());
    // A limit on feeding in says nothing where no power comes near it.
    if powers.iter().flat_map(|(_, kw)| kw).any(|kw| *kw < 0.0) {
        lines.push(Course::new("feed-in limit", Colour::Missing, scaled(&site.export_kw)).dashed());
    }
    let says = says(runs, &powers, &site.limit_kw, (factor, unit));
    let others = if of > MOST_SITES { format!(" (one of {of} sites)") } else { String::new() };
    Chart {
        id: format!("site-{}", slug(&site.name)),
        title: format!("Power of site {}{others}", site.name),
        says,
        unit: unit.to_owned(),
        query: format!(
            "SELECT run_id, ts, power_kw, limit_kw FROM site_ticks WHERE site = '{}' \
             ORDER BY run_id, tick",
            site.name.replace('\'', "''")
        ),
        form: Form::Courses(Courses::new(runs[0].times.clone(), lines)),
    }
}

fn says(
    runs: &[Run],
    powers: &[(usize, Vec<f64>)],
    limit_kw: &[f64],
    (factor, unit): (f64, &str),
) -> String {
    let told = powers.iter().map(|(at, kw)| {
        let most = kw.iter().copied().fold(0.0, f64::max);
        let at_limit = kw.iter().zip(limit_kw).filter(|(kw, limit)| **kw >= **limit - 1e-6);
        let hours = runs[*at].slot_hours() * at_limit.count() as f64;
        format!(
            "{} {unit} under {} ({} h at the limit)",
            number(most * factor),
            runs[*at].label,
            number(hours)
        )
    });
    format!("It draws at most {}.", told.collect::<Vec<_>>().join(", "))
}
