//! What the host promises the engine, with plugins that keep the contract and ones that break it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod answers;
mod faults;
mod foreign;
mod loading;
mod paper;
mod policies;
mod storage;

use voltide_host::{HostError, Plugins};
use voltide_policy::{
    Schedules,
    abi::PolicyTable,
    planner::{Correction, Planner, PolicyFault},
    testing::ObservationBuilder,
};

/// Plugins without any folder.
fn bare() -> Plugins {
    Plugins::in_folders(Vec::new())
}

/// The policy of a table, created without config.
fn embedded(table: &'static PolicyTable) -> Box<dyn Planner> {
    try_embedded(table, "").unwrap()
}

fn try_embedded(table: &'static PolicyTable, config: &str) -> Result<Box<dyn Planner>, HostError> {
    let plugins = bare().with_embedded(table);
    let name = plugins.list().into_iter().map(|found| found.name).next().unwrap();
    plugins.load(&name, config, 0)
}

/// A policy's answer, row by row, and what had to be corrected.
fn ask(
    policy: &mut dyn Planner,
    shown: &ObservationBuilder,
) -> Result<(Vec<Vec<f64>>, Vec<Correction>), PolicyFault> {
    let (seen, horizon) = (shown.build(), shown.horizon);
    let mut power_kw = vec![f64::NAN; seen.len() * horizon];
    let corrections = policy.plan(&seen, &mut Schedules { power_kw: &mut power_kw, horizon })?;
    Ok((power_kw.chunks(horizon).map(<[f64]>::to_vec).collect(), corrections))
}

/// An error as the user sees it.
fn printed(error: HostError) -> String {
    let mut text = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme).render_report(&mut text, &error).unwrap();
    text
}
