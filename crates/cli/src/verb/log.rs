//! `voltide log`: what a run's journal holds.

use crate::{
    args::Args,
    failure::{Code, Failure},
    figure::told_rows,
    interrupt::{self, Interrupt},
    journaled::{Journaled, next_whole, open_log},
    log_summary::{OF_KIND, OF_LOG, summary_json},
    output,
    run_folder::Held,
    verb::{log_salvage::salvage, log_verify::verify, resume::say_recovery},
};
use chrono::DateTime;
use chrono_tz::Tz;
use clap::{Subcommand, builder::PossibleValuesParser};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};
use voltide_journal::{
    describe::describe,
    error::LogError,
    event::Recorded,
    event_names,
    reader::{LogReader, LogSummary},
    recovery::{self, Recovery},
};
use voltide_model::clock::{Boundary, Clock};
use voltide_telemetry::Export;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Files, ticks and size of the log
    Ls {
        /// Folder of the run.
        run: PathBuf,
    },
    /// Every event, one a line
    Cat {
        /// Folder of the run.
        run: PathBuf,
        /// Only events of this kind
        #[arg(long, value_parser = PossibleValuesParser::new(event_names()))]
        kind: Option<String>,
        /// Only events of this tick
        #[arg(long)]
        tick: Option<u32>,
    },
    /// Events, rows and bytes by kind
    Stats {
        /// Folder of the run.
        run: PathBuf,
    },
    /// Check all that can be checked: checksums, chain, head, sessions, conservation of energy, and
    /// the files that the manifest names
    Verify {
        /// Folder of the run.
        run: PathBuf,
    },
    /// Write all events to a Parquet table, a row per car or site
    Export {
        /// Folder of the run.
        run: PathBuf,
        /// Folder to write events.parquet to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Make a log whole that a crash tore, and say what was done
    ///
    /// Acknowledged ticks are never given up. What is cut off is kept in log/quarantine. Where
    /// acknowledged ticks are damaged, --salvage finds what is whole on either side of the damage.
    Recover {
        /// Folder of the run.
        run: PathBuf,
        /// Leave the run as it is, and write all that is whole of its log to this new folder, with
        /// a salvage.json that says what is missing
        #[arg(long, value_name = "DIR")]
        salvage: Option<PathBuf>,
    },
}

/// Looks into a log.
pub(crate) fn log(verb: &Verb, args: &Args) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Ls { run } => ls(&summary(run, args)?, args.json),
        Verb::Cat { run, kind, tick } => cat(run, kind.as_deref(), *tick, args)?,
        Verb::Stats { run } => stats(&summary(run, args)?, args.json),
        Verb::Verify { run } => verify(run, args)?,
        Verb::Export { run, out } => export(run, out, args)?,
        Verb::Recover { run, salvage: None } => recover(run, args)?,
        Verb::Recover { run, salvage: Some(into) } => salvage(run, into, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a log as far as it is whole.
fn summary(run: &Path, args: &Args) -> Result<LogSummary, Failure> {
    let mut reader = open_log(run, args.quiet)?;
    while next_whole(&mut reader, args.quiet)?.is_some() {}
    Ok(reader.summary().clone())
}

fn ls(summary: &LogSummary, as_json: bool) {
    if as_json {
        output::say_json("log", &summary_json(summary));
        return;
    }
    output::say(&output::table(&[], told_rows(&OF_LOG, summary, ""), &[]));
}

fn cat(run: &Path, kind: Option<&str>, tick: Option<u32>, args: &Args) -> Result<(), Failure> {
    let mut reader = open_log(run, args.quiet)?;
    // Nothing is left to do but to print: without a reader this may stop.
    while output::is_heard()
        && let Some(recorded) = next_whole(&mut reader, args.quiet)?
    {
        let is_wanted = kind.is_none_or(|kind| recorded.event.name() == kind)
            && tick.is_none_or(|tick| recorded.tick == tick);
        if is_wanted {
            show(&recorded, args.json);
        }
    }
    Ok(())
}

fn show(recorded: &Recorded, as_json: bool) {
    let Recorded { seq, cause_seq, tick, event } = recorded;
    let payload = describe(event);
    if as_json {
        let value = json!({
            "seq": seq,
            "cause_seq": cause_seq,
            "tick": tick,
            "event": event.kind(),
            "payload": payload,
        });
        return output::say_json("event", &value);
    }
    let cause = cause_seq.map_or_else(String::new, |cause| format!("<{cause}"));
    output::say(&format!("{seq:>7} {cause:<8} {tick:>6}  {:<22} {payload}", event.kind()));
}

fn stats(summary: &LogSummary, as_json: bool) {
    if as_json {
        output::say_json("log", &summary_json(summary));
        return;
    }
    let rows = summary.kinds.iter().map(|(kind, of)| {
        let figures = OF_KIND.iter().map(|figure| (figure.of)(of).text);
        std::iter::once((*kind).to_owned()).chain(figures).collect()
    });
    let [events, rows_of, size] = OF_KIND.map(|figure| figure.label);
    let header = ["event", events, rows_of, size];
    output::say(&output::table(&header, rows.collect(), &[1, 2, 3]));
}

/// Writes all events to a table.
fn export(run: &Path, out: &Path, args: &Args) -> Result<(), Failure> {
    let _interrupt = Interrupt::catch();
    let (events, clock) = events(run, args.quiet)?;
    let _held = Held::other(out, "log export")?;
    let mut export = Export::create(out, clock)?;
    for recorded in events {
        interrupt::check()?;
        export.event(&recorded?)?;
    }
    let (rows, bytes) = export.finish()?;
    if args.json {
        output::say_json("export", &json!({ "rows": rows, "bytes": bytes, "folder": out }));
    } else {
        let file = out.join("events.parquet");
        output::say(&format!(
            "{}: {} rows, {}",
            file.display(),
            output::thousands(rows),
            output::bytes(bytes)
        ));
    }
    Ok(())
}

/// A history, event by event.
type Events = Box<dyn Iterator<Item = Result<Recorded, Failure>>>;

/// The events of a run, and when its slots are; also of what was salvaged beyond damage.
fn events(run: &Path, quiet: bool) -> Result<(Events, Clock), Failure> {
    let mut log = open_log(run, quiet)?;
    let first = next_whole(&mut log, quiet)?;
    // What was salvaged from beyond damage begins without an opening to rebuild a world from.
    if first.as_ref().is_some_and(|first| !first.event.opens()) {
        let clock = clock_of(&log)
            .ok_or_else(|| Failure::new(Code::Run, "its slots are in no year", None))?;
        let later = std::iter::from_fn(move || {
            next_whole(&mut log, quiet).map_err(Failure::from).transpose()
        });
        return Ok((Box::new(first.into_iter().map(Ok).chain(later)), clock));
    }
    let journaled = Journaled::open(run, quiet)?;
    let clock = journaled.scenario.clock;
    Ok((Box::new(journaled.events(quiet)), clock))
}

/// When slots are, by what a log says that does not say how its run started.
fn clock_of(log: &LogReader) -> Option<Clock> {
    let (start_us, slot_seconds) = log.slots();
    let start = DateTime::from_timestamp_micros(start_us)?;
    // What lies beyond damage has no opening that would tell zone and end.
    Some(Clock { start, zone: Tz::UTC, slot_seconds, slots: u32::MAX, boundary: Boundary::Open })
}

fn recovery_json(recovery: &Recovery) -> Value {
    json!({
        "torn": recovery.torn.as_ref().map(|torn| &torn.what),
        "build_known": recovery.lost_build.is_none(),
        "quarantined": recovery.quarantined,
        "last_tick": recovery.end.last_tick,
        "newly_acknowledged": recovery.newly_acknowledged,
        "outcome": recovery.end.outcome,
    })
}

/// Makes a log whole.
fn recover(run: &Path, args: &Args) -> Result<(), Failure> {
    let _held = Held::run(run, "log recover")?;
    let recovery = match recovery::recover(run) {
        Err(LogError::Head { path, what }) => {
            let path = path.display();
            output::mention(
                args.quiet,
                &format!("{path} is damaged ({what}): what it acknowledged is not known"),
            );
            recovery::recover_without_head(run)?
        }
        other => other?,
    };
    let end = recovery
        .end
        .last_tick
        .map_or("before its first tick".into(), |tick| format!("after tick {tick}"));
    if args.json {
        output::say_json("recovery", &recovery_json(&recovery));
        return Ok(());
    }
    say_recovery(&recovery, false);
    let was_damaged = recovery.torn.is_some() || recovery.lost_build.is_some();
    let state = if was_damaged { "whole again" } else { "whole" };
    let again = match recovery.newly_acknowledged {
        0 => String::new(),
        ticks => {
            format!(
                "; {} acknowledged that were not before",
                output::counted(ticks.into(), "tick", "ticks")
            )
        }
    };
    output::tell(&format!("the log is {state} and ends {end}{again}"));
    Ok(())
}
