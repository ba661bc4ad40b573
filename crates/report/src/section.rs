//! What the page shows, in reading order. A section without data is left out.

mod carpet;
mod cars;
mod costs;
mod dispatch;
mod flexibility;
mod flow;
mod net_load;
mod occupancy;
mod prices;
mod sites;
mod soc;
mod solves;
mod stages;

use crate::{chart::Chart, error::ReportError, ink::Colour, run::Run};

/// Charts about one thing.
pub(crate) struct Section {
    /// Its place on the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its charts.
    pub charts: Vec<Chart>,
}

/// More runs than this do not go into one picture of lines.
pub(crate) const MOST_LINES: usize = 5;

/// All sections that have something to show.
///
/// # Errors
///
/// A table of cars that cannot be read.
pub(crate) fn all(runs: &[Run]) -> Result<Vec<Section>, ReportError> {
    let section = |id, title, charts| Section { id, title, charts };
    let sections = vec![
        section("net-load", "Net load", net_load::charts(runs)),
        section("prices", "Prices", prices::charts(runs)),
        section("cars", "Cars", cars::charts(runs)),
        section("carpet", "Car by car", carpet::charts(runs)?),
        section("dispatch", "Dispatch", dispatch::charts(runs)),
        section("stages", "Day-ahead and intra-day", stages::charts(runs)),
        section("flexibility", "Flexibility", flexibility::charts(runs)),
        section("soc", "State of charge", soc::charts(runs)),
        section("flow", "Energy", flow::charts(runs)),
        section("costs", "Costs", costs::charts(runs)),
        section("sites", "Sites", sites::charts(runs)),
        section("occupancy", "Occupancy", occupancy::charts(runs)),
        section("solves", "Solvers", solves::charts(runs)),
    ];
    Ok(sections.into_iter().filter(|section| !section.charts.is_empty()).collect())
}

/// The colour of a run: the first is what others are measured against.
pub(crate) fn colour_of(run: usize) -> Colour {
    if run == 0 { Colour::Baseline } else { Colour::Series(run - 1) }
}

/// The runs that stand in one picture: all, or where they are many each with the first.
pub(crate) fn together(runs: &[Run]) -> Vec<Vec<usize>> {
    if runs.len() <= MOST_LINES {
        return vec![(0..runs.len()).collect()];
    }
    (1..runs.len()).map(|run| vec![0, run]).collect()
}

/// A name for files: letters, digits and hyphens.
pub(crate) fn slug(words: &str) -> String {
    let plain = words.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '-' });
    plain.collect::<String>().to_lowercase()
}
