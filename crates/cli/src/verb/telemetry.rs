//! `voltide telemetry`: per-car tables of a past run at another level of detail.

use crate::{
    args::Args,
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::Journaled,
    output,
    run_folder::Held,
};
use clap::Args as ClapArgs;
use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_model::scenario::EvTicks;
use voltide_telemetry::{Options, Telemetry};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder of the run
    pub run: PathBuf,

    /// Level of detail: off, changes, full, or a share of the cars such as 0.01
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub ev_ticks: EvTicks,

    /// First tick
    #[arg(long)]
    pub from: Option<u32>,

    /// Tick after the last
    #[arg(long)]
    pub to: Option<u32>,

    /// Only this car
    #[arg(long)]
    pub ev: Option<u32>,

    /// Folder to write to [default: the run's own]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// A level of detail as the flag spells it, in any case.
fn level(text: &str) -> Result<EvTicks, &'static str> {
    match text.to_lowercase().as_str() {
        "off" => Ok(EvTicks::Off),
        "changes" => Ok(EvTicks::Changes),
        "full" => Ok(EvTicks::Full),
        share => match share.parse() {
            Ok(share) if (0.0..=1.0).contains(&share) => Ok(EvTicks::Sample(share)),
            _ => Err("write off, changes, full, or a share of the cars such as 0.01"),
        },
    }
}

/// Rebuilds `ev_ticks` and `charger_ticks` from the log.
pub(crate) fn telemetry(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let _interrupt = Interrupt::catch();
    let (folder, held) = hold(flags)?;
    let scratch = held.scratch()?;
    let journaled = Journaled::open(&flags.run, args.quiet)?;
    let ticks = ticks(flags, journaled.scenario.clock.slots)?;
    let options = Options {
        ev_ticks: Some(flags.ev_ticks),
        ticks: Some(ticks),
        ev: flags.ev,
        // A fork may have more cars than the scenario that its history begins in.
        ev_count: Some(journaled.world.scenario.population.len() as u32),
        hidden_in: Some(scratch.path().to_owned()),
        ..Options::default()
    };
    let telemetry = Telemetry::create_detail(folder, &journaled.scenario, options)?;
    let (telemetry, status) = journaled.replay(telemetry, false, args.quiet)?;
    let summary = telemetry.finish(status)?;
    for table in &summary.tables {
        let rows = output::thousands(table.rows);
        let bytes = output::bytes(table.bytes);
        output::tell(&format!("{}: {rows} rows in {} files, {bytes}", table.table, table.files));
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder to write to, and the right to: the run's own, or one that is no run's.
fn hold(flags: &Flags) -> Result<(&Path, Held), Failure> {
    let own = flags.out.as_ref().is_none_or(|out| {
        // There are many ways to one folder, and the run's own is locked as a run.
        out.canonicalize().is_ok_and(|out| flags.run.canonicalize().is_ok_and(|run| run == out))
    });
    match flags.out.as_ref().filter(|_| !own) {
        Some(out) => Ok((out, Held::other(out, "telemetry")?)),
        None => Ok((&flags.run, Held::run(&flags.run, "telemetry")?)),
    }
}

/// The ticks that the flags leave of the run's.
fn ticks(flags: &Flags, slots: u32) -> Result<Range<u32>, Failure> {
    let ticks = flags.from.unwrap_or(0)..flags.to.unwrap_or(slots).min(slots);
    if !ticks.is_empty() {
        return Ok(ticks);
    }
    let what = format!("--from {} --to {} leaves no tick", ticks.start, flags.to.unwrap_or(slots));
    let help = format!("the run has the ticks 0 to {}; --to is the tick after the last", slots - 1);
    Err(Failure::new(Code::Input, what, Some(&help)))
}
