//! The program is killed at every kind of file operation it makes, before and after it is done:
//! writes, flushes, syncs, renames and removals of log, head, snapshots, tables and notes.

use super::salvage::{change, street};
use crate::{
    program::{assert_same_files, root, run, succeed, voltide},
    resume::{chain, outputs, run_in, times},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Builds the library that kills.
fn library(folder: &Path) -> PathBuf {
    let library = folder.join("crash_points.so");
    let source = root().join("tests/it/faults/crash_points.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source);
    assert!(compiler.status().unwrap().success(), "the library is built");
    library
}

/// Always the same operations: when a log is synced by default goes by the time of the machine.
const WORLD: [&str; 8] = [
    "run",
    "worlds/one-car.ron",
    "--snapshots",
    "40",
    "--threads",
    "1",
    "--set",
    "run.durability=Every(16)",
];

fn with(library: &Path, variables: &[(&str, &str)], arguments: &[&str], path: &Path) -> Output {
    let mut command = voltide();
    command.env("LD_PRELOAD", library).envs(variables.iter().copied());
    command.args(arguments).arg(path).output().unwrap()
}

/// What an operation is: its name and the file it touches, without numbers that only count.
fn kind(line: &str) -> String {
    let (name, path) = line.split_once(' ').unwrap();
    let file = path.rsplit('/').next().unwrap();
    format!("{name} {}", file.trim_matches(|c: char| c.is_ascii_digit()))
}

/// Numbers of operations: the first and the last of every kind, or all where that is asked for.
fn points(log: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(log).unwrap();
    let all: Vec<(usize, String)> = text.lines().map(kind).enumerate().collect();
    if times("VOLTIDE_CRASH_POINTS", 0) > 0 {
        return all;
    }
    let mut chosen: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (number, kind) in &all {
        chosen.entry(kind).or_insert([*number; 2])[1] = *number;
    }
    let mut chosen: Vec<usize> = chosen.into_values().flatten().collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(|number| all[number].clone()).collect()
}

#[test]
fn a_run_killed_at_any_file_operation_goes_on_to_the_same_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path());
    let whole = run("worlds/one-car.ron", &folder.path().join("whole"), &WORLD[2..]);
    let (reference, hash) = (outputs(&whole), chain(&whole));
    let log = folder.path().join("operations");
    let arguments = [&WORLD[..], &["--out"]].concat();
    with(
        &library,
        &[("CRASH_LOG", log.to_str().unwrap())],
        &arguments,
        &folder.path().join("counted"),
    );
    let points = points(&log);
    let (mut killed, mut again, mut never) = (0, 0, 0);
    for (number, kind) in &points {
        for when in ["before", "after"] {
            let out = tempfile::tempdir().unwrap();
            let number = number.to_string();
            let variables = [("CRASH_AT", number.as_str()), ("CRASH_WHEN", when)];
            let output = with(&library, &variables, &arguments, out.path());
            killed += u32::from(output.status.code().is_none());
            let Some(run) = run_in(out.path()) else {
                never += 1;
                continue;
            };
            // The recovery is killed too, at an operation that wanders through it.
            let at = (killed % 60).to_string();
            let variables = [("CRASH_AT", at.as_str()), ("CRASH_WHEN", when)];
            again +=
                u32::from(with(&library, &variables, &["resume"], &run).status.code().is_none());
            succeed(voltide().arg("resume").arg(&run));
            assert_same_files(&reference, &outputs(&run));
            assert_eq!(chain(&run), hash, "{when} {kind}");
        }
    }
    eprintln!(
        "{} points before and after: {killed} killed, {again} of them killed again while resuming, {never} \
         before the run existed",
        points.len()
    );
    assert!(killed as usize >= points.len() && again > 0);
    let names: Vec<&str> = points.iter().map(|(_, kind)| kind.as_str()).collect();
    for needed in
        ["fdatasync .mcap", "rename HEAD", "write HEAD.new", "rename .snap", "rename manifest.json"]
    {
        assert!(names.contains(&needed), "{needed} is not among {names:?}");
    }
}

/// A copy of a run whose log is torn within a tick, about half way.
fn torn(run: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to.join("log")).unwrap();
    for name in ["000000.mcap", "000001.mcap"] {
        fs::copy(run.join("log").join(name), to.join("log").join(name)).unwrap();
    }
    change(&to.join("log/000001.mcap"), |bytes| bytes.truncate(bytes.len() * 6 / 10));
}

#[test]
fn a_recovery_killed_at_any_file_operation_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let library = library(folder.path());
    let whole = street(&folder.path().join("whole"));
    let (reference, hash) = (outputs(&whole), chain(&whole));
    let cut = folder.path().join("cut").join(whole.file_name().unwrap());
    let log = folder.path().join("operations");
    torn(&whole, &cut);
    with(&library, &[("CRASH_LOG", log.to_str().unwrap())], &["log", "recover"], &cut);
    let count = fs::read_to_string(&log).unwrap().lines().count();
    let names: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(kind).collect();
    for needed in ["ftruncate64 .mcap", "fdatasync .mcap", "rename HEAD"] {
        assert!(names.iter().any(|name| name == needed), "{needed} is not among {names:?}");
    }
    assert!(
        names.iter().any(|name| name.starts_with("write") && name.contains("-from-")),
        "{names:?}"
    );
    let step = if times("VOLTIDE_CRASH_POINTS", 0) > 0 { 1 } else { 2 };
    for (number, when) in
        (0..count).flat_map(|number| [(number, "before"), (number, "after")]).step_by(step)
    {
        torn(&whole, &cut);
        let number = number.to_string();
        let variables = [("CRASH_AT", number.as_str()), ("CRASH_WHEN", when)];
        let killed = with(&library, &variables, &["log", "recover"], &cut);
        assert!(killed.status.code().is_none(), "{when} {number}");
        succeed(voltide().args(["-q", "log", "recover"]).arg(&cut));
        let kept = fs::read_dir(cut.join("log/quarantine")).unwrap().flatten();
        let kept: Vec<_> = kept.filter(|it| it.file_name() != "HEAD").collect();
        assert_eq!(kept.len(), 1, "{when} {number}: what is cut is kept once");
        succeed(voltide().args(["-q", "resume"]).arg(&cut));
        assert_eq!(chain(&cut), hash, "{when} {number}");
        assert_same_files(&reference, &outputs(&cut));
    }
}
