//! What was, and what would have been: `state`, `fork` and `diff`.

mod counts;
mod diff;

use crate::{
    program::{assert_same_files, fail, files, run, succeed, text, voltide},
    resume::{chance, kill_after, outputs, run_in, start, under},
};
use arrow_array::{Array, Float32Array, Float64Array, Int32Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

const STREET: &str = "worlds/v2g-street.ron";

/// Forks a run; returns the fork's folder.
pub(crate) fn fork(parent: &Path, at: &str, arguments: &[&str]) -> PathBuf {
    let mut command = voltide();
    command.args(["--json", "fork", "--at", at]).arg(parent).args(arguments);
    let summary: Value = serde_json::from_str(&succeed(&mut command)).unwrap();
    summary["folder"].as_str().unwrap().into()
}

/// What happened from a tick on, without numbers that only count.
fn events_from(run: &Path, tick: u64) -> Vec<(u64, String, Value)> {
    let printed = succeed(voltide().args(["--json", "log", "cat"]).arg(run));
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let event = |line: Value| {
        let mut payload = line["payload"].clone();
        if let Some(payload) = payload.as_object_mut() {
            payload.remove("chain_hash");
        }
        (line["tick"].as_u64().unwrap(), line["event"].as_str().unwrap().to_owned(), payload)
    };
    let opens = |kind: &str| {
        ["RunStarted.v2", "SeriesLoaded.v1", "StaysLoaded.v2", "RunForked.v1"].contains(&kind)
    };
    lines.map(event).filter(|(at, kind, _)| *at >= tick && !opens(kind)).collect()
}

/// The tables that tell what happened, not what it is called.
pub(crate) fn tables(run: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = outputs(run);
    found.retain(|name, _| {
        name.ends_with(".parquet") && name != "runs.parquet" && name != "events.parquet"
    });
    found
}

fn json(command: &mut std::process::Command) -> Value {
    serde_json::from_str(&succeed(command.arg("--json"))).unwrap()
}

#[test]
fn a_fork_without_a_change_goes_its_parents_way() {
    let out = tempfile::tempdir().unwrap();
    for policy in ["v2g", "uncontrolled", "round-robin", "coordinated"] {
        let parent = run(STREET, &out.path().join(policy), &under(policy));
        for at in ["0", "1", "70", "2024-06-04T18:10", "191"] {
            let child = fork(&parent, at, &["--out", out.path().join("forks").to_str().unwrap()]);
            assert_same_files(&tables(&parent), &tables(&child));
            // 18:10 on the second day lies in the 73rd slot of it.
            let tick = if at.contains(':') { 168 } else { at.parse().unwrap() };
            assert_eq!(events_from(&child, 0), events_from(&parent, tick), "{policy} at {at}");
            assert_eq!(
                text(&succeed_diff(&parent, &child)).lines().next(),
                Some("the runs have the same events")
            );
        }
    }
}

fn succeed_diff(one: &Path, other: &Path) -> Vec<u8> {
    succeed(voltide().arg("diff").arg(one).arg(other)).into_bytes()
}

#[test]
fn a_fork_stores_only_what_is_its_own_and_is_rebuilt_with_its_parent() {
    let out = tempfile::tempdir().unwrap();
    let parent = run(STREET, out.path(), &["--policy", "smart"]);
    let child = fork(&parent, "2024-06-04T12:00", &["--policy", "v2g"]);
    assert_eq!(events_from(&child, 0)[0].0, 144, "its first tick");
    let loaded = |run: &Path| {
        let printed = succeed(voltide().args(["log", "cat"]).arg(run));
        printed.lines().filter(|line| line.contains("Loaded")).count()
    };
    assert!(loaded(&parent) > 0);
    assert_eq!(loaded(&child), 0, "series and stays are those of its parent");
    let before = files(&child);
    for entry in fs::read_dir(&child).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::remove_file(entry.path()).unwrap();
    }
    succeed(voltide().arg("replay").arg(&child));
    assert_same_files(&before, &files(&child));
    let verified = voltide().args(["replay", "--verify"]).arg(&child).output().unwrap();
    assert!(text(&verified.stderr).contains("equal to the byte"), "{}", text(&verified.stderr));

    let elsewhere = out.path().join("elsewhere");
    fs::rename(&parent, &elsewhere).unwrap();
    let (code, message) = fail(voltide().arg("replay").arg(&child));
    assert_eq!(code, 3);
    assert!(message.contains("this run is a fork of v2g-street-smart-s19-"), "{message}");
}

#[test]
fn cars_keep_their_draws_and_the_past_in_a_fork() {
    let out = tempfile::tempdir().unwrap();
    let parent = run(STREET, out.path(), &["--policy", "uncontrolled"]);
    let child = fork(&parent, "100", &["--policy", "v2g"]);
    let arrivals = |run: &Path| {
        column::<Int32Array, _>(&run.join("sessions.parquet"), "session_id", Int32Array::value)
            .into_iter()
            .collect::<std::collections::BTreeSet<i32>>()
    };
    assert_eq!(arrivals(&parent), arrivals(&child));
    let power = |run: &Path| {
        column::<Float64Array, _>(
            &run.join("system_ticks.parquet"),
            "ev_charge_kw",
            Float64Array::value,
        )
    };
    let (parents, childs) = (power(&parent), power(&child));
    assert_eq!(parents[..100], childs[..100]);
    assert_ne!(parents[100..], childs[100..]);
    let diff = json(voltide().arg("diff").arg(&parent).arg(&child));
    assert_eq!(diff["first"]["tick"], 100);
    assert!(diff["other"]["discharged_kwh"].as_f64().unwrap() > 0.0);
    assert!(diff["other"]["net_cost"].as_f64() < diff["one"]["net_cost"].as_f64());
}

#[test]
fn a_fork_of_a_fork_that_was_killed_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let parent = run(STREET, out.path(), &["--policy", "smart"]);
    let child = fork(&parent, "60", &["--policy", "v2g"]);
    let whole = fork(&child, "120", &["--set", "tariff.default=0.10 CNY/kWh"]);
    for number in 0..6 {
        let forks = tempfile::tempdir().unwrap();
        let arguments = [
            "fork",
            "--at",
            "120",
            "--set",
            "tariff.default=0.10 CNY/kWh",
            child.to_str().unwrap(),
            "--out",
        ];
        kill_after(
            start(&arguments, forks.path()),
            Duration::from_millis(150 + chance(number, 400)),
        );
        let Some(cut) = run_in(forks.path()) else { continue };
        succeed(voltide().arg("resume").arg(&cut));
        assert_same_files(&tables(&whole), &tables(&cut));
    }
}

#[test]
fn limits_and_prices_hold_from_the_fork_on() {
    let out = tempfile::tempdir().unwrap();
    let world = out.path().join("site.ron");
    let text = fs::read_to_string(crate::program::root().join("worlds/one-car.ron")).unwrap();
    let text = text
        .replace("fleets: {", "sites: {\"home\": (import_limit: \"9 kW\")},\n    fleets: {")
        .replace("connection: \"11 kW\"", "site: \"home\"");
    fs::write(&world, text).unwrap();
    let parent = run(world.to_str().unwrap(), out.path(), &[]);
    let child = fork(&parent, "24", &["--set", "sites.home.import_limit=2 kW"]);
    let limit = |run: &Path| {
        column::<Float64Array, _>(&run.join("site_ticks.parquet"), "limit_kw", Float64Array::value)
    };
    let expected = [vec![9.0; 24], vec![2.0; 72]].concat();
    assert_eq!(limit(&child), expected);
    assert_eq!(limit(&parent), vec![9.0; 96]);
    succeed(voltide().args(["replay", "--verify"]).arg(&child));
    let dearer = fork(&parent, "30", &["--set", "tariff.default=0.99 EUR/kWh"]);
    let price = |run: &Path| {
        column::<Float64Array, _>(
            &run.join("system_ticks.parquet"),
            "tou_price_per_kwh",
            arrow_array::PrimitiveArray::value,
        )
    };
    assert_eq!(price(&dearer)[..30], price(&parent)[..30]);
    assert!(price(&dearer)[30..].contains(&0.99));
}

#[test]
fn what_a_fork_cannot_change_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let parent = run("worlds/one-car.ron", out.path(), &[]);
    for (set, what) in [
        ("seed=8", "a fork cannot change this of its parent: seed"),
        ("clock.days=2", "--set #1: a fork cannot change the clock"),
        ("clock.time_zone=Europe/London", "--set #1: a fork cannot change the clock"),
        ("\"clock\".days=2", "--set #1: a fork cannot change the clock"),
        (
            "fleets.commuters.battery.capacity=70 kWh",
            "a fork cannot change this of its parent: battery",
        ),
        ("telemetry.ev_ticks=Off", "a fork cannot change this of its parent: telemetry"),
    ] {
        let (code, message) =
            fail(voltide().args(["fork", "--at", "5", "--set", set]).arg(&parent));
        assert_eq!(code, 3, "{message}");
        assert!(message.contains(what), "{set}: {message}");
    }
    for at in ["96", "-1", "noon", "2030-01-01T00:00"] {
        let (code, message) = fail(voltide().arg("fork").arg(format!("--at={at}")).arg(&parent));
        assert_eq!(code, 3, "{message}");
    }
}

#[test]
fn the_state_is_what_the_tables_say() {
    let out = tempfile::tempdir().unwrap();
    let run = run(STREET, out.path(), &["--policy", "v2g"]);
    let soc = |tick: usize, ev: i32| {
        let day =
            if tick < 96 { "ev_ticks-2024-06-03.parquet" } else { "ev_ticks-2024-06-04.parquet" };
        let ids = column::<Int32Array, _>(&run.join(day), "ev_id", Int32Array::value);
        let soc = column::<Float32Array, _>(&run.join(day), "soc", Float32Array::value);
        let of_ev: Vec<f32> =
            ids.iter().zip(soc).filter(|(id, _)| **id == ev).map(|(_, soc)| soc).collect();
        of_ev[tick % 96]
    };
    for (tick, ev) in [(0, 3), (75, 0), (150, 99), (191, 42)] {
        let at = tick.to_string();
        let state = json(voltide().args(["state", "--at", &at, "--ev", &ev.to_string()]).arg(&run));
        let difference = state["soc"].as_f64().unwrap() - f64::from(soc(tick, ev));
        assert!(difference.abs() < 1e-6, "{state}");
    }
    let of_all = json(voltide().args(["state", "--at", "2024-06-03T18:45"]).arg(&run));
    assert_eq!(of_all["tick"], 75);
    let plugged =
        column::<Int32Array, _>(&run.join("system_ticks.parquet"), "plugged", Int32Array::value);
    assert_eq!(of_all["plugged"], plugged[75]);
    let (code, message) = fail(voltide().args(["state", "--at", "5", "--ev", "100"]).arg(&run));
    assert_eq!((code, message.contains("the cars 0 to 99")), (3, true), "{message}");
}

/// A column of a table, row by row.
fn column<A: Array + 'static, T>(
    file: &Path,
    name: &str,
    value: impl Fn(&A, usize) -> T,
) -> Vec<T> {
    let file = fs::File::open(file).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let values = |batch: RecordBatch| {
        let column = batch.column_by_name(name).unwrap().clone();
        let column = column.as_any().downcast_ref::<A>().unwrap();
        (0..column.len()).map(|row| value(column, row)).collect::<Vec<T>>()
    };
    batches.flat_map(|batch| values(batch.unwrap())).collect()
}

#[test]
fn snapshots_change_nothing_but_time() {
    let out = tempfile::tempdir().unwrap();
    let with = run(STREET, &out.path().join("with"), &["--policy", "v2g", "--snapshots", "10"]);
    let without =
        run(STREET, &out.path().join("without"), &["--policy", "v2g", "--snapshots", "0"]);
    assert_eq!(fs::read_dir(with.join("snapshots")).unwrap().count(), 19);
    assert!(!without.join("snapshots").exists());
    assert_same_files(&outputs(&with), &outputs(&without));
    for at in ["9", "10", "11", "95", "190"] {
        let state = |run: &Path| succeed(voltide().args(["state", "--at", at]).arg(run));
        assert_eq!(state(&with), state(&without), "at {at}");
        let forked = |run: &Path, name: &str| {
            tables(&fork(
                run,
                at,
                &["--policy", "smart", "--out", out.path().join(name).to_str().unwrap()],
            ))
        };
        assert_same_files(&forked(&with, "forks-with"), &forked(&without, "forks-without"));
    }
}

#[test]
fn a_damaged_snapshot_is_passed_over() {
    let out = tempfile::tempdir().unwrap();
    let run = run(STREET, out.path(), &["--policy", "v2g", "--snapshots", "50"]);
    let state = || succeed(voltide().args(["state", "--at", "160", "--ev", "7"]).arg(&run));
    let whole = state();
    let snapshots: Vec<PathBuf> =
        fs::read_dir(run.join("snapshots")).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(snapshots.len(), 3);
    let kept: Vec<Vec<u8>> = snapshots.iter().map(|path| fs::read(path).unwrap()).collect();
    for number in 0..30 {
        for (path, content) in snapshots.iter().zip(&kept) {
            let mut content = content.clone();
            let at = chance(number, content.len() as u64) as usize;
            match number % 3 {
                0 => content[at] ^= 1,
                1 => content.truncate(at),
                _ => {
                    let end = (at + 4096).min(content.len());
                    content[at..end].fill(0);
                }
            }
            fs::write(path, content).unwrap();
        }
        assert_eq!(state(), whole, "damage {number}");
    }
    // A snapshot of another history, whole in itself, does not fit either.
    let other = run_elsewhere(out.path());
    for path in &snapshots {
        fs::copy(other.join("snapshots").join(path.file_name().unwrap()), path).unwrap();
    }
    assert_eq!(state(), whole);
}

fn run_elsewhere(out: &Path) -> PathBuf {
    run(STREET, &out.join("elsewhere"), &["--policy", "smart", "--snapshots", "50"])
}

#[test]
fn a_policy_asked_again_answers_the_same() {
    let out = tempfile::tempdir().unwrap();
    for policy in crate::resume::POLICIES {
        let run = run(STREET, &out.path().join(policy), &under(policy));
        let found = json(voltide().args(["replay", "--redecide"]).arg(&run));
        assert_eq!(found["differing"], 0, "{policy}: {found}");
        assert!(found["plans"].as_u64().unwrap() >= 500, "{found}");
    }
    let run = out.path().join("uncontrolled/v2g-street");
    let run = fs::read_dir(run).unwrap().next().unwrap().unwrap().path();
    let found = json(voltide().args(["replay", "--redecide", "--policy", "smart"]).arg(&run));
    assert!(found["differing"].as_u64().unwrap() > 100, "{found}");
    assert!(found["again"]["cost"].as_f64() < found["recorded"]["cost"].as_f64(), "{found}");
}

#[test]
fn an_export_has_a_row_per_entity() {
    let out = tempfile::tempdir().unwrap();
    let run = run(STREET, out.path(), &["--policy", "v2g"]);
    let table = out.path().join("export");
    let printed = json(voltide().args(["log", "export", "--out"]).arg(&table).arg(&run));
    let kinds = json(voltide().args(["log", "ls"]).arg(&run));
    let rows: u64 =
        kinds["kinds"].as_object().unwrap().values().map(|it| it["rows"].as_u64().unwrap()).sum();
    assert_eq!(printed["rows"].as_u64().unwrap(), rows);
    let ticks = column::<Int32Array, _>(&table.join("events.parquet"), "tick", Int32Array::value);
    assert_eq!(ticks.len() as u64, rows);
    let (code, _) = fail(voltide().args(["log", "export", "--out"]).arg(&run).arg(&run));
    assert_eq!(code, 3);
}
