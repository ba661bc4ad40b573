//! `voltide replay`: the tables of a run, built from its log alone.

use super::redecide::redecide;
use crate::{
    args::{Args, Replay},
    failure::{Code, Failure},
    journaled::Journaled,
    output,
    run_folder::id_in,
    summary,
};
use std::{collections::BTreeMap, fs, path::Path, process::ExitCode, sync::Arc};
use voltide_telemetry::{Options, Telemetry};

/// Rebuilds a run's tables; with `--verify` also says whether everything is as it was.
pub(crate) fn replay(replay: &Replay, args: &Args) -> Result<ExitCode, Failure> {
    if replay.redecide {
        return redecide(replay, args);
    }
    let journaled = Journaled::open(&replay.run, args.quiet)?;
    let before = file_hashes(&replay.run);
    let telemetry = Telemetry::create(&replay.run, Arc::clone(&journaled.scenario), Options::default())?;
    let (telemetry, status) = journaled.replay(telemetry, replay.verify, args.quiet)?;
    let summary = telemetry.finish(status)?;
    summary::print(&id_in(&replay.run), &replay.run, &summary, None, args.json);
    if !replay.verify {
        return Ok(ExitCode::SUCCESS);
    }
    let after = file_hashes(&replay.run);
    let changed: Vec<&str> = before
        .iter()
        .filter(|(file, hash)| after.get(*file) != Some(hash))
        .map(|(file, _)| file.as_str())
        .collect();
    if !changed.is_empty() {
        let what = format!("files differ from what their manifest said: {}", changed.join(", "));
        return Err(Failure::new(Code::Check, what, None));
    }
    output::mention(args.quiet, &verified(summary.slots, before.len()));
    Ok(ExitCode::SUCCESS)
}

fn verified(ticks: u32, files: usize) -> String {
    let state = format!("verified: the state after each of {ticks} ticks is that of the log");
    match files {
        0 => format!("{state}; there was no manifest to compare files with"),
        _ => format!("{state}, and all {files} files are equal to the byte"),
    }
}

/// SHA-256 by file, as the run's manifest has it; empty without one.
fn file_hashes(run: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(run.join("manifest.json")).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let resources = manifest["resources"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    resources.iter().filter_map(|file| Some((text(&file["path"])?, text(&file["hash"])?))).collect()
}
