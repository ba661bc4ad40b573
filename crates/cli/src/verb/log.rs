//! `voltide log`: what a run's journal holds.

use crate::{
    args::{Args, Log},
    failure::Failure,
    journaled::{Journaled, hex, next_whole},
    output,
    progress::{self, Interrupt},
    run_folder::Held,
    verb::{log_verify::verify, resume::say_recovery},
};
use serde_json::json;
use std::{path::Path, process::ExitCode};
use voltide_journal::{
    describe::describe,
    error::LogError,
    event::Recorded,
    reader::{self, LogSummary},
    recovery,
};
use voltide_telemetry::Export;

/// Looks into a log.
pub(crate) fn log(verb: &Log, args: &Args) -> Result<ExitCode, Failure> {
    match verb {
        Log::Ls { run } => ls(&summary(run, args)?, args.json),
        Log::Cat { run, kind, tick } => cat(run, kind.as_deref(), *tick, args)?,
        Log::Stats { run } => stats(&summary(run, args)?, args.json),
        Log::Verify { run } => verify(run, args)?,
        Log::Export { run, out } => export(run, out, args)?,
        Log::Recover { run } => recover(run, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a log as far as it is whole.
fn summary(run: &Path, args: &Args) -> Result<LogSummary, Failure> {
    let mut reader = reader::open(run)?;
    while next_whole(&mut reader, args.quiet)?.is_some() {}
    Ok(reader.summary().clone())
}

fn ls(summary: &LogSummary, as_json: bool) {
    if as_json {
        output::say_json("log", &summary_json(summary));
        return;
    }
    let rows = [
        ("files", summary.segments.to_string()),
        ("size", output::bytes(summary.bytes)),
        ("ticks", output::thousands(summary.ticks.into())),
        ("events", output::thousands(summary.events())),
        ("outcome", summary.outcome.clone().unwrap_or_else(|| "unfinished".into())),
        ("chain", hex(&summary.chain_hash)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
    output::say(&output::table(&[], rows, &[]));
}

fn cat(run: &Path, kind: Option<&str>, tick: Option<u32>, args: &Args) -> Result<(), Failure> {
    let wanted = |recorded: &Recorded| {
        let name = recorded.event.kind();
        let of_kind = |kind| name.split_once('.').is_some_and(|(name, _)| name == kind);
        kind.is_none_or(of_kind) && tick.is_none_or(|tick| recorded.tick == tick)
    };
    let mut reader = reader::open(run)?;
    while let Some(recorded) = next_whole(&mut reader, args.quiet)? {
        if wanted(&recorded) {
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
            "seq": seq, "cause_seq": cause_seq, "tick": tick, "event": event.kind(), "payload": payload,
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
    let row = |(kind, of): (&&str, &reader::KindSummary)| {
        vec![
            (*kind).to_owned(),
            output::thousands(of.events),
            output::thousands(of.rows),
            output::bytes(of.bytes),
        ]
    };
    let rows = summary.kinds.iter().map(row).collect();
    output::say(&output::table(&["event", "count", "rows", "size"], rows, &[1, 2, 3]));
}

/// Writes all events to a table.
fn export(run: &Path, out: &Path, args: &Args) -> Result<(), Failure> {
    let _interrupt = Interrupt::catch();
    let journaled = Journaled::open(run, args.quiet)?;
    let _held = Held::other(out, "log export")?;
    let mut export = Export::create(out, journaled.scenario.clock)?;
    for recorded in journaled.events(args.quiet) {
        progress::check()?;
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
    let end =
        recovery.end.last_tick.map_or("before its first tick".into(), |tick| format!("after tick {tick}"));
    if args.json {
        let value = json!({
            "torn": recovery.torn.as_ref().map(|torn| &torn.what),
            "quarantined": recovery.quarantined,
            "last_tick": recovery.end.last_tick,
            "newly_acknowledged": recovery.newly_acknowledged,
            "outcome": recovery.end.outcome,
        });
        output::say_json("recovery", &value);
        return Ok(());
    }
    say_recovery(&recovery, false);
    let state = if recovery.torn.is_some() { "whole again" } else { "whole" };
    let again = match recovery.newly_acknowledged {
        0 => String::new(),
        ticks => {
            format!("; {} acknowledged that were not before", output::counted(ticks.into(), "tick", "ticks"))
        }
    };
    output::say(&format!("the log is {state} and ends {end}{again}"));
    Ok(())
}

pub(crate) fn summary_json(summary: &LogSummary) -> serde_json::Value {
    let kinds: serde_json::Map<_, _> = summary
        .kinds
        .iter()
        .map(|(kind, of)| {
            ((*kind).to_owned(), json!({ "events": of.events, "rows": of.rows, "bytes": of.bytes }))
        })
        .collect();
    json!({
        "segments": summary.segments,
        "bytes": summary.bytes,
        "ticks": summary.ticks,
        "events": summary.events(),
        "outcome": summary.outcome,
        "chain_hash": hex(&summary.chain_hash),
        "kinds": kinds,
    })
}
