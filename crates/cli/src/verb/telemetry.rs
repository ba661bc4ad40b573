//! `voltide telemetry`: per-car tables of a past run at another level of detail.

use crate::{
    args::{Args, Telemetry as Verb},
    failure::{Code, Failure},
    journaled::Journaled,
    output,
};
use std::{ops::Range, process::ExitCode, sync::Arc};
use voltide_telemetry::{Options, Telemetry};

/// Rebuilds `ev_ticks` and `charger_ticks` from the log.
pub(crate) fn telemetry(verb: &Verb, args: &Args) -> Result<ExitCode, Failure> {
    let journaled = Journaled::open(&verb.run, args.quiet)?;
    let ticks = ticks(verb, journaled.scenario.clock.slots)?;
    let options = Options {
        ev_ticks: Some(verb.ev_ticks),
        ticks: Some(ticks),
        ev: verb.ev,
        ev_count: Some(journaled.world.scenario.population.len() as u32),
        ..Options::default()
    };
    let folder = verb.out.as_ref().unwrap_or(&verb.run);
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::new(Code::Run, format!("cannot create {}: {error}", folder.display()), None)
    })?;
    let telemetry = Telemetry::create_detail(folder, Arc::clone(&journaled.scenario), options)?;
    let (telemetry, status) = journaled.replay(telemetry, false, args.quiet)?;
    let summary = telemetry.finish(status)?;
    for table in &summary.tables {
        let (rows, bytes) = (output::thousands(table.rows), output::bytes(table.bytes));
        output::say(&format!("{}: {rows} rows in {} files, {bytes}", table.table, table.files));
    }
    Ok(ExitCode::SUCCESS)
}

/// The ticks that the flags leave of the run's.
fn ticks(verb: &Verb, slots: u32) -> Result<Range<u32>, Failure> {
    let ticks = verb.from.unwrap_or(0)..verb.to.unwrap_or(slots).min(slots);
    if !ticks.is_empty() {
        return Ok(ticks);
    }
    let what = format!("--from {} --to {} leaves no tick", ticks.start, verb.to.unwrap_or(slots));
    let help = format!("the run has the ticks 0 to {}; --to is the tick after the last", slots - 1);
    Err(Failure::new(Code::Input, what, Some(&help)))
}
