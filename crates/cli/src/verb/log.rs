//! `voltide log`: what a run's journal holds.

use crate::{
    args::{Args, Log},
    failure::{Code, Failure},
    journaled::next_whole,
    output,
};
use serde_json::json;
use std::{collections::BTreeSet, path::Path, process::ExitCode};
use voltide_journal::{
    describe::describe,
    event::{Event, Recorded},
    reader::{self, LogSummary},
};

/// Looks into a log.
pub(crate) fn log(verb: &Log, args: &Args) -> Result<ExitCode, Failure> {
    match verb {
        Log::Ls { run } => ls(&summary(run, args)?, args.json),
        Log::Cat { run, kind, tick } => cat(run, kind.as_deref(), *tick, args)?,
        Log::Stats { run } => stats(&summary(run, args)?, args.json),
        Log::Verify { run } => verify(run, args.json)?,
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

/// Reads and checks every byte, and that every session that began has at most one end.
fn verify(run: &Path, as_json: bool) -> Result<(), Failure> {
    let mut reader = reader::open(run)?;
    let mut open = BTreeSet::new();
    for recorded in &mut reader {
        let recorded = recorded.map_err(|error| Failure::new(Code::Check, error, None))?;
        match &recorded.event {
            Event::SessionStarted(started) => open.extend(started.stay.iter().copied()),
            Event::SessionEnded(ended) => {
                if let Some(stay) = ended.stay.iter().find(|stay| !open.remove(*stay)) {
                    let what = format!("tick {}: session {stay} ends without having begun", recorded.tick);
                    return Err(Failure::new(Code::Check, what, None));
                }
            }
            _ => {}
        }
    }
    let summary = reader.summary();
    if as_json {
        output::say_json("log", &summary_json(summary));
    } else {
        let (ticks, events) = (output::thousands(summary.ticks.into()), output::thousands(summary.events()));
        let chain = hex(&summary.chain_hash);
        output::say(&format!(
            "ok: {ticks} ticks, {events} events, {} sessions open, chain {chain}",
            open.len()
        ));
    }
    Ok(())
}

fn summary_json(summary: &LogSummary) -> serde_json::Value {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
