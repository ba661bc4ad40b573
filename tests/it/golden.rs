//! Logs of released versions, replayed by this one.
//!
//! `tests/golden/<version>/<run>` holds a log as that version wrote it, and what it came to. A log is
//! never written anew: what is missing for this version is made with `VOLTIDE_BLESS=1`.

use crate::program::{alone, root, run_json_with, succeed, voltide};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a summary must say again.
const KEPT: [&str; 7] =
    ["world", "policy", "charged_kwh", "discharged_kwh", "net_cost", "sessions_ended", "state_hash"];

/// The runs that this version leaves behind: name, world, arguments.
const RUNS: [(&str, &str, &[&str]); 4] = [
    ("typical-day", "worlds/paper/paper.ron", &["--policy", "v2g"]),
    ("street", "worlds/v2g-street.ron", &["--policy", "v2g", "--set", "fleets.commuters.count=12"]),
    ("units", "worlds/ten-units/day.ron", &[]),
    ("car", "worlds/one-car.ron", &[]),
];

fn golden() -> PathBuf {
    root().join("tests/golden")
}

fn copy_log(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("log")).unwrap();
    for entry in fs::read_dir(from.join("log")).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), to.join("log").join(entry.file_name())).unwrap();
    }
}

fn kept(summary: &Value) -> Value {
    KEPT.iter()
        .map(|name| ((*name).to_owned(), summary[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn replay(run: &Path) -> Value {
    let printed = succeed(voltide().args(["--json", "replay", "--verify"]).arg(run));
    kept(&serde_json::from_str(&printed).unwrap())
}

/// Runs a world with the program by itself, so that the log names no file of the machine.
fn run_alone(world: &str, out: &Path, arguments: &[&str]) -> PathBuf {
    let folder = tempfile::tempdir().unwrap();
    let summary = run_json_with(&mut alone(folder.path()), world, out, arguments);
    PathBuf::from(summary["folder"].as_str().unwrap())
}

/// Adds what this version has not left behind yet.
fn bless() {
    for (name, world, arguments) in RUNS {
        let folder = golden().join(env!("CARGO_PKG_VERSION")).join(name);
        if folder.exists() {
            continue;
        }
        let out = tempfile::tempdir().unwrap();
        let run = run_alone(world, out.path(), arguments);
        copy_log(&run, &folder);
        let text = serde_json::to_string_pretty(&replay(&run)).unwrap();
        fs::write(folder.join("summary.json"), text + "\n").unwrap();
    }
}

#[test]
fn logs_of_released_versions_are_replayed_to_the_same_state() {
    if std::env::var_os("VOLTIDE_BLESS").is_some() {
        bless();
    }
    let mut count = 0;
    for version in fs::read_dir(golden()).unwrap().flatten() {
        for of_run in fs::read_dir(version.path()).unwrap().flatten() {
            let folder = tempfile::tempdir().unwrap();
            copy_log(&of_run.path(), folder.path());
            let text = fs::read_to_string(of_run.path().join("summary.json")).unwrap();
            let expected: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(replay(folder.path()), expected, "{}", of_run.path().display());
            succeed(voltide().args(["log", "verify"]).arg(folder.path()));
            count += 1;
        }
    }
    assert!(count >= RUNS.len(), "{count} logs");
}
