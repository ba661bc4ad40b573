//! `voltide telemetry`: per-car tables of a past run at another level of detail.

use crate::{
    args::{Args, Telemetry as Verb},
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::Journaled,
    output,
    run_folder::Held,
};
use std::{ops::Range, path::Path, process::ExitCode, sync::Arc};
use voltide_telemetry::{Options, Telemetry};

/// Rebuilds `ev_ticks` and `charger_ticks` from the log.
pub(crate) fn telemetry(verb: &Verb, args: &Args) -> Result<ExitCode, Failure> {
    let _interrupt = Interrupt::catch();
    let (folder, held) = hold(verb)?;
    let yard = held.yard()?;
    let journaled = Journaled::open(&verb.run, args.quiet)?;
    let ticks = ticks(verb, journaled.scenario.clock.slots)?;
    let options = Options {
        ev_ticks: Some(verb.ev_ticks),
        ticks: Some(ticks),
        ev: verb.ev,
        ev_count: Some(journaled.world.scenario.population.len() as u32),
        yard: Some(yard.path().to_owned()),
        ..Options::default()
    };
    let telemetry = Telemetry::create_detail(folder, Arc::clone(&journaled.scenario), options)?;
    let (telemetry, status) = journaled.replay(telemetry, false, args.quiet)?;
    let summary = telemetry.finish(status)?;
    for table in &summary.tables {
        let (rows, bytes) = (output::thousands(table.rows), output::bytes(table.bytes));
        output::tell(&format!("{}: {rows} rows in {} files, {bytes}", table.table, table.files));
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder to write to, and the right to: the run's own, or one that is no run's.
fn hold(verb: &Verb) -> Result<(&Path, Held), Failure> {
    let own = verb.out.as_ref().is_none_or(|out| {
        out.canonicalize().is_ok_and(|out| verb.run.canonicalize().is_ok_and(|run| run == out))
    });
    match verb.out.as_ref().filter(|_| !own) {
        Some(out) => Ok((out, Held::other(out, "telemetry")?)),
        None => Ok((&verb.run, Held::run(&verb.run, "telemetry")?)),
    }
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
