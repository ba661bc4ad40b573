//! Logs of released versions, replayed by this one.
//!
//! `tests/golden/<version>/<run>` holds a log as that version wrote it, and what it came to. A log is
//! never written anew: what is missing for this version is made with `VOLTIDE_BLESS=1`. A fork stands
//! beside its parent, whose folder has the name that the fork's log knows it by.

use crate::program::{alone, fail, root, run_json_with, succeed, voltide};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What a summary must say again.
const KEPT: [&str; 7] = [
    "world",
    "policy",
    "charged_kwh",
    "discharged_kwh",
    "net_cost",
    "sessions_ended",
    "state_hash",
];

/// The runs that this version leaves behind: name, world, arguments.
const RUNS: [(&str, &str, &[&str]); 8] = [
    ("typical-day", "worlds/paper/paper.ron", &["--policy", "v2g"]),
    ("street", "worlds/v2g-street.ron", &["--policy", "v2g", "--set", "fleets.commuters.count=12"]),
    (
        "feed-in",
        "worlds/v2g-street.ron",
        &[
            "--policy=v2g",
            "--set=fleets.commuters.count=6",
            "--set=feed_in=Fixed(\"0.50 CNY/kWh\")",
        ],
    ),
    ("units", "worlds/ten-units/day.ron", &[]),
    ("car", "worlds/one-car.ron", &[]),
    ("recorded", "worlds/acn/caltech.ron", &["--policy", "smart", "--set", "clock.days=3"]),
    ("listed", "tests/golden/worlds/listed.ron", &["--policy", "smart"]),
    ("commitment", "tests/golden/worlds/commitment.ron", &[]),
];

/// The fork that this version leaves behind: its name, and its parent's world.
const FORK: (&str, &str) = ("fork", "worlds/v2g-street.ron");

fn golden() -> PathBuf {
    root().join("tests/golden")
}

/// The folders of logs by version.
fn versions() -> Vec<PathBuf> {
    let folders = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|folder| !folder.ends_with("worlds")).collect()
}

/// The runs in a folder.
fn runs(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn copy_log(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("log")).unwrap();
    for entry in
        fs::read_dir(from.join("log")).unwrap().flatten().filter(|entry| entry.path().is_file())
    {
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

/// Adds what this version has not left behind yet. The program runs by itself, so that no log names a
/// file of the machine.
fn bless() {
    let room = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    for (name, world, arguments) in RUNS {
        if !kept_folder(name).exists() {
            let summary = run_json_with(&mut alone(room.path()), world, out.path(), arguments);
            keep(Path::new(summary["folder"].as_str().unwrap()), name);
        }
    }
    let (name, world) = FORK;
    if !kept_folder(name).exists() {
        let few = ["--policy", "smart", "--set", "fleets.commuters.count=12"];
        let summary = run_json_with(&mut alone(room.path()), world, out.path(), &few);
        let parent = Path::new(summary["folder"].as_str().unwrap());
        keep(parent, &parent.file_name().unwrap().to_string_lossy());
        let mut fork = alone(room.path());
        fork.args(["--json", "fork"]).arg(parent).args([
            "--at",
            "2024-06-04T20:00",
            "--policy",
            "v2g",
        ]);
        let printed = succeed(fork.args(["--set", "fleets.commuters.count=8"]));
        let summary: Value = serde_json::from_str(&printed).unwrap();
        keep(Path::new(summary["folder"].as_str().unwrap()), name);
    }
}

fn kept_folder(name: &str) -> PathBuf {
    golden().join(env!("CARGO_PKG_VERSION")).join(name)
}

/// Leaves the log of a run behind, with what it came to.
fn keep(run: &Path, name: &str) {
    let folder = kept_folder(name);
    copy_log(run, &folder);
    let text = serde_json::to_string_pretty(&replay(run)).unwrap();
    fs::write(folder.join("summary.json"), text + "\n").unwrap();
}

#[test]
fn logs_of_released_versions_are_replayed_to_the_same_state() {
    if std::env::var_os("VOLTIDE_BLESS").is_some() {
        bless();
    }
    let mut count = 0;
    for version in versions() {
        let room = tempfile::tempdir().unwrap();
        for run in runs(&version) {
            copy_log(&run, &room.path().join(run.file_name().unwrap()));
        }
        for run in runs(&version) {
            let copy = room.path().join(run.file_name().unwrap());
            let text = fs::read_to_string(run.join("summary.json")).unwrap();
            let expected: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(replay(&copy), expected, "{}", run.display());
            succeed(voltide().args(["log", "verify"]).arg(&copy));
            count += 1;
        }
    }
    assert!(count >= RUNS.len() + 2, "{count} logs, with the fork and its parent");
}

/// What 0.1.0 ran is read as it was; what is changed of it is written today.
#[test]
fn what_a_fork_changes_of_a_run_without_ranges_has_those_of_today() {
    let run = golden().join("0.1.0/units");
    let out = tempfile::tempdir().unwrap();
    for (set, told) in [
        (
            "grid.thermal.unit-1.commitment.start_cost=1e300",
            "`start_cost` is 1e300, which cannot be reckoned with",
        ),
        (
            "grid.thermal.unit-1.cost.c=1e308",
            "`c` is 1e308 per hour, which cannot be reckoned with",
        ),
        ("grid.stages.segments=4294967295", "`segments` is 4294967295; the most is 100"),
        ("tariff=1e9 USD/kWh", "`tariff.buy` is 1e9 per kWh, which cannot be reckoned with"),
    ] {
        let mut fork = voltide();
        fork.args(["fork", "--at", "3", "--set", set, "--out"]).arg(out.path()).arg(&run);
        let (code, message) = fail(&mut fork);
        assert!(
            code == 3 && message.contains(told) && message.contains("from --set #1"),
            "{message}"
        );
    }
}

/// 0.1.0 recorded what a policy answered as it was: `smart` answered NaN where the efficiency is
/// next to nothing, and no verb but `run` ever read such a log again. One was killed on its way.
#[test]
fn a_log_of_an_earlier_version_that_holds_no_number_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let [cut, whole] = ["no-number/cut-off", "no-number"].map(|name| {
        let run = folder.path().join(name);
        copy_log(&golden().join("0.1.0").join(name), &run);
        run
    });
    succeed(voltide().arg("resume").arg(&cut));
    succeed(voltide().args(["replay", "--verify"]).arg(&cut));
    succeed(voltide().args(["state", "--at", "50"]).arg(&whole));
    let out = tempfile::tempdir().unwrap();
    let mut fork = voltide();
    fork.args(["--json", "fork", "--at", "20", "--out"]).arg(out.path()).arg(&whole);
    let printed = succeed(&mut fork);
    let fork: Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
    let fork = root().join(fork["folder"].as_str().unwrap());
    let refused =
        succeed(voltide().args(["--json", "log", "cat", "--kind", "AnswerNotFinite"]).arg(&fork));
    assert!(
        refused.contains("\"answer\":\"NaN\""),
        "what is answered anew is told by name: {refused}"
    );
    succeed(voltide().args(["replay", "--verify"]).arg(&fork));
}
