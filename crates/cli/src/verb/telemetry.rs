//! `voltide telemetry`: per-car tables of a past run at another level of detail.

use crate::{
    args::{Args, Telemetry as Verb},
    failure::{Code, Failure},
    journaled::Journaled,
    output,
};
use std::{process::ExitCode, sync::Arc};
use voltide_model::scenario::EvTicks;
use voltide_telemetry::{Options, Telemetry};

/// Rebuilds `ev_ticks` and `charger_ticks` from the log.
pub(crate) fn telemetry(verb: &Verb, args: &Args) -> Result<ExitCode, Failure> {
    let level = level(&verb.ev_ticks)?;
    let journaled = Journaled::open(&verb.run)?;
    let slots = journaled.scenario.clock.slots;
    let ticks = verb.from.unwrap_or(0)..verb.to.unwrap_or(slots).min(slots);
    if ticks.is_empty() {
        let what = format!("there is no tick from {} to {}: the run has {slots}", ticks.start, ticks.end);
        return Err(Failure::new(Code::Input, what, None));
    }
    let options = Options { ev_ticks: Some(level), ticks: Some(ticks), ev: verb.ev };
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

/// A level as the flag spells it, in any case.
fn level(text: &str) -> Result<EvTicks, Failure> {
    match text.to_lowercase().as_str() {
        "off" => Ok(EvTicks::Off),
        "changes" => Ok(EvTicks::Changes),
        "full" => Ok(EvTicks::Full),
        share => match share.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(EvTicks::Sample(share)),
            _ => Err(Failure::new(
                Code::Input,
                format!("`{text}` is not a level of detail"),
                Some("write off, changes, full, or a share of the cars such as 0.01"),
            )),
        },
    }
}
