//! Forks in which a fleet has fewer cars, or more.

use super::{events_from, fork, json};
use crate::{
    program::{assert_same_files, fail, run, succeed, text, voltide},
    resume::{chance, kill_after, outputs, run_in, start},
};
use arrow_array::{Array, RecordBatch, cast::AsArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// When forks branch off: at ten in the evening of the first of three days, when most cars are at home.
const AT: u32 = 88;

/// That moment, as tables have it.
const BRANCH: &str = "2024-06-03T20:00:00+00:00";

/// Twelve commuters, and then five cars that are at home at night: the ids 0 to 11 and 12 to 16.
const WORLD: &str = r#"(
    name: "two-fleets",
    seed: 11,
    clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 3),
    currency: "EUR",
    tariff: TimeOfUse(default: "0.30 EUR/kWh", bands: [(from: "23:00", to: "07:00", price: "0.18 EUR/kWh")]),
    sites: {"street": (import_limit: "1 MW")},
    fleets: {
        "commuters": (
            count: 12,
            battery: (capacity: "60 kWh", charge_efficiency: 0.95, discharge_efficiency: 0.95),
            charger: (charge_max: "7 kW", discharge_max: "7 kW", site: "street"),
            stays: Commute(
                home: (arrive: Normal(mean: "17:30", sd: "30 min"), leave: Normal(mean: "07:00", sd: "30 min")),
                work: (arrive: Normal(mean: "08:00", sd: "30 min"), leave: Normal(mean: "16:30", sd: "30 min")),
            ),
            trip_energy: Normal(mean: "7 kWh", sd: "1 kWh", min: "0 kWh"),
            soc_on_arrival: Normal(mean: 0.5, sd: 0.1, min: 0.2, max: 1.0),
            departure_soc: Normal(mean: 0.8, sd: 0.1, min: 0.2, max: 1.0),
        ),
        "night": (
            count: 5,
            battery: (capacity: "40 kWh", charge_efficiency: 0.9, discharge_efficiency: 0.9),
            charger: (charge_max: "4 kW", site: "street"),
            stays: Overnight(arrive: Normal(mean: "19:00", sd: "1 h"), leave: Normal(mean: "08:00", sd: "1 h")),
            trip_energy: "5 kWh",
            soc_on_arrival: Normal(mean: 0.4, sd: 0.1, min: 0.2, max: 1.0),
        ),
    },
    policy: "uncontrolled",
    telemetry: (ev_ticks: Full),
)"#;

/// Runs the world of two fleets.
pub(super) fn two_fleets(out: &Path, arguments: &[&str]) -> PathBuf {
    fs::create_dir_all(out).unwrap();
    let world = out.join("two-fleets.ron");
    fs::write(&world, WORLD).unwrap();
    run(world.to_str().unwrap(), out, arguments)
}

/// Rows of a table by car, each with its values as text.
pub(super) fn rows(run: &Path, table: &str) -> BTreeMap<i64, Vec<BTreeMap<String, String>>> {
    let mut rows: BTreeMap<i64, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    for row in all_rows(run, table) {
        rows.entry(row["ev_id"].parse().unwrap()).or_default().push(row);
    }
    rows
}

/// Rows of a table, each with its values as text.
pub(super) fn all_rows(run: &Path, table: &str) -> Vec<BTreeMap<String, String>> {
    let mut rows = Vec::new();
    let files = fs::read_dir(run).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(table))
        .collect();
    files.sort();
    for file in files {
        let file = fs::File::open(file).unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch: RecordBatch = batch.unwrap();
            rows.extend((0..batch.num_rows()).map(|row| texts(&batch, row)));
        }
    }
    rows
}

/// A row's values by column.
fn texts(batch: &RecordBatch, row: usize) -> BTreeMap<String, String> {
    let schema = batch.schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.zip(batch.columns().iter().map(|column| value(column.as_ref(), row))).collect()
}

/// A value as text; none where it is null.
fn value(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return String::new();
    }
    if let Some(words) = column.as_any_dictionary_opt() {
        return value(words.values().as_ref(), words.normalized_keys()[row]);
    }
    let printed = format!("{:?}", column.slice(row, 1));
    let inner = printed.split_once('[').unwrap().1;
    inner.trim_matches(|c: char| c.is_whitespace() || "[],\"".contains(c)).to_owned()
}

/// Asserts that cars did the same in two runs, to the last digit.
fn assert_untouched(one: &Path, other: &Path, evs: impl Iterator<Item = i64> + Clone) {
    for table in ["sessions", "ev_ticks-"] {
        let (one, other) = (rows(one, table), rows(other, table));
        for ev in evs.clone() {
            assert!(!one[&ev].is_empty());
            assert!(one[&ev] == other[&ev], "car {ev} in {table}");
        }
    }
}

/// The slot of a row of `ev_ticks`.
fn tick(row: &BTreeMap<String, String>) -> u32 {
    row["tick"].parse().unwrap()
}

/// Asserts that a run's log is whole, says what its tables say, and is enough to make them again.
fn assert_whole(run: &Path) {
    let before = outputs(run);
    let verified = voltide().args(["replay", "--verify"]).arg(run).output().unwrap();
    assert!(text(&verified.stderr).contains("equal to the byte"), "{}", text(&verified.stderr));
    succeed(voltide().args(["log", "verify"]).arg(run));
    for entry in fs::read_dir(run).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::remove_file(entry.path()).unwrap();
    }
    succeed(voltide().arg("replay").arg(run));
    assert_same_files(&before, &outputs(run));
}

/// What ended when the fork branched off: sessions in all, and those of cars that were removed.
fn ended_at(run: &Path, tick: u64) -> (u64, u64) {
    let events = events_from(run, tick);
    let mut ended = events.iter().filter(|(at, kind, _)| *at == tick && kind == "SessionEnded.v1");
    ended.next().map_or((0, 0), |(_, _, payload)| {
        let removed = payload["reason"]["removed"].as_u64();
        (payload["rows"].as_u64().unwrap(), removed.unwrap_or_default())
    })
}

#[test]
fn cars_that_are_taken_out_leave_the_others_as_they_were() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &[]);
    let child = fork(&parent, &AT.to_string(), &["--set", "fleets.commuters.count=7"]);
    assert_untouched(&parent, &child, (0..7).chain(12..17));
    let (before, after) = (rows(&parent, "ev_ticks-"), rows(&child, "ev_ticks-"));
    let mut plugged = 0;
    for ev in 7..12 {
        let at = AT as usize;
        assert!(before[&ev][..at] == after[&ev][..at], "car {ev} has its parent's past");
        plugged += u64::from(after[&ev][at - 1]["state"] != "away");
        assert!(after[&ev][at..].iter().all(|row| row["state"] == "away"), "car {ev} is gone");
    }
    assert!(plugged > 0);
    assert_eq!(ended_at(&child, AT.into()), (plugged, plugged));
    assert_eq!(ended_at(&parent, AT.into()).1, 0);
    let sessions = rows(&child, "sessions");
    let gone: Vec<_> = (7..12).flat_map(|ev| &sessions[&ev]).collect();
    assert!(gone.iter().all(|row| row["unplugged_at"].as_str() <= BRANCH));
    assert!(gone.iter().all(|row| row["missed_reason"].is_empty()), "all were charged");
    assert_whole(&child);
    let diff = json(voltide().arg("diff").arg(&parent).arg(&child));
    assert_eq!(diff["first"]["tick"], AT);
    let state = |at: &str| succeed(voltide().args(["state", "--ev", "11", "--at", at]).arg(&child));
    assert!(state("87").contains("charger id"), "{}", state("87"));
    assert!(state("88").contains("the car was removed"), "{}", state("88"));
}

/// In the early evening some cars are away, some are plugged in and charge, and some have
/// what they want. A car that is gone by then cannot go again.
#[test]
fn cars_that_are_taken_out_below_their_target_miss_it_for_that_reason() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &[]);
    let child = fork(&parent, "70", &["--set", "fleets.commuters.count=4"]);
    let grandchild = fork(&child, "74", &["--set", "fleets.commuters.count=0"]);
    let last = fork(&grandchild, "76", &["--set", "fleets.night.count=0"]);
    let mut reasons = BTreeMap::<_, u32>::new();
    for (run, evs, at) in [(&child, 4..12, 70), (&grandchild, 0..4, 74), (&last, 12..17, 76)] {
        let (of_parent, of_run) = (rows(&parent, "sessions"), rows(run, "sessions"));
        for ev in evs {
            let (before, after) = (&of_parent[&ev], of_run[&ev].last().unwrap());
            let whole = &before[of_run[&ev].len() - 1];
            if ended(after) < ended(whole) {
                assert_eq!(ended(after), slot_start(at), "car {ev}");
                let reason = if missing_kwh(after) > 0.0 { "removed" } else { "" };
                assert_eq!(after["missed_reason"], reason, "car {ev}");
                *reasons.entry(reason).or_default() += 1;
            } else {
                assert_eq!(after, whole, "car {ev} left before");
                *reasons.entry("before").or_default() += 1;
            }
        }
        let summary: serde_json::Value = json(voltide().arg("replay").arg(run));
        let missed =
            of_run.values().flatten().filter(|row| !row["missed_reason"].is_empty()).count();
        assert_eq!(summary["missed_targets"], missed);
        assert_whole(run);
    }
    assert_eq!(reasons.into_keys().collect::<Vec<_>>(), ["", "before", "removed"]);
}

/// The end of a session, as tables have it; that of an open one comes after all others.
fn ended(row: &BTreeMap<String, String>) -> &str {
    let at = &row["unplugged_at"];
    at.get(.."2024-06-03T20:00:00".len()).unwrap_or(at)
}

fn missing_kwh(row: &BTreeMap<String, String>) -> f64 {
    let [target, departure] =
        ["soc_target", "soc_departure"].map(|it| row[it].parse::<f64>().unwrap());
    let missing = target - departure;
    if missing > 1e-6 { missing } else { 0.0 }
}

/// The start of a slot, as tables have it.
fn slot_start(slot: u32) -> String {
    let at = chrono::DateTime::from_timestamp(1_717_365_600 + i64::from(slot) * 900, 0).unwrap();
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[test]
fn cars_that_are_added_have_the_draws_of_a_larger_fleet() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &[]);
    let larger = two_fleets(out.path(), &["--set", "fleets.commuters.count=20"]);
    let child = fork(&parent, &AT.to_string(), &["--set", "fleets.commuters.count=20"]);
    assert_untouched(&parent, &child, 0..17);
    let (ticks, sessions) = (rows(&child, "ev_ticks-"), rows(&child, "sessions"));
    let drawn = rows(&larger, "sessions");
    assert_eq!(ticks.len(), 25);
    for ev in 17..25 {
        let like = ev - 5;
        assert_eq!((tick(&ticks[&ev][0]), ticks[&ev][0]["state"].as_str()), (AT, "away"));
        let begins = |rows: &[BTreeMap<String, String>]| {
            let times = rows.iter().map(|row| row["plugged_at"].clone());
            times.filter(|at| at.as_str() >= BRANCH).collect::<Vec<_>>()
        };
        assert_eq!(begins(&sessions[&ev]), begins(&drawn[&like]), "car {ev}");
        assert_eq!(sessions[&ev].len(), begins(&sessions[&ev]).len(), "car {ev} begins away");
        assert_eq!(sessions[&ev][0]["soc_arrival"], drawn[&like][0]["soc_arrival"], "car {ev}");
        assert_eq!(sessions[&ev][0]["soc_target"], drawn[&like][0]["soc_target"], "car {ev}");
    }
    assert_whole(&child);
    let runs = json(voltide().args(["state", "--at", "287"]).arg(&child));
    assert_eq!(runs["cars"], 25);
    let state = |at: &str| ["state", "--ev", "24", "--at", at].map(str::to_owned);
    assert!(
        succeed(voltide().args(state("88")).arg(&child)).contains("number 19 of fleet `commuters`")
    );
    let (code, message) = fail(voltide().args(state("87")).arg(&child));
    assert_eq!((code, message.contains("the cars 0 to 16")), (3, true), "{message}");
}

#[test]
fn fleets_change_in_the_middle_and_at_the_end() {
    let out = tempfile::tempdir().unwrap();
    let sets = ["--set", "fleets.commuters.count=7", "--set", "fleets.night.count=9"];
    let parent = two_fleets(out.path(), &[]);
    let child = fork(&parent, &AT.to_string(), &sets);
    assert_untouched(&parent, &child, (0..7).chain(12..17));
    assert_eq!(rows(&child, "ev_ticks-").len(), 21);
    assert_whole(&child);
    let limit = ["--set", "sites.street.import_limit=20 kW"];
    for (policy, planning) in [
        ("edf", "AtPlugIn"),
        ("round-robin", "AtPlugIn"),
        ("v2g", "AtDayStart"),
        ("smart", "AtDayStart"),
    ] {
        let planning = format!("planning={planning}");
        let arguments = [&["--policy", policy, "--set", &planning], &limit[..]].concat();
        let parent = two_fleets(&out.path().join(policy), &arguments);
        let child = fork(&parent, "90", &sets);
        assert_whole(&child);
        let (ended, removed) = ended_at(&child, 90);
        assert!(
            removed > 0 && ended >= removed,
            "{policy}: {ended} sessions end, {removed} by removal"
        );
        let replanned = fork(&parent, "90", &[&sets[..], &["--policy", "alap"]].concat());
        assert_whole(&replanned);
    }
}

#[test]
fn a_fork_may_be_without_cars() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &[]);
    let none = ["--set", "fleets.commuters.count=0", "--set", "fleets.night.count=0"];
    let empty = fork(&parent, &AT.to_string(), &none);
    assert_whole(&empty);
    let plugged =
        |at: &str| json(voltide().args(["state", "--at", at]).arg(&empty))["plugged"].clone();
    assert_ne!(plugged("87"), 0);
    assert!(["88", "150", "287"].iter().all(|at| plugged(at) == 0));
    // What was taken out comes back as other rows with the same draws.
    let back = fork(&empty, "150", &["--set", "fleets.night.count=5"]);
    assert_whole(&back);
    let (of_parent, of_back) = (rows(&parent, "sessions"), rows(&back, "sessions"));
    for ev in 12..17 {
        let times =
            |row: &BTreeMap<String, String>| [row["plugged_at"].clone(), row["soc_target"].clone()];
        let again: Vec<_> = of_back[&(ev + 5)].iter().map(times).collect();
        assert!(
            !again.is_empty()
                && of_parent[&ev].iter().map(times).collect::<Vec<_>>().ends_with(&again)
        );
    }
    // A fork of it before it lost its cars loses them later.
    let later = fork(&empty, "40", &[]);
    let (ended, removed) = ended_at(&later, 40);
    assert_eq!(ended - removed, ended_at(&parent, 40).0, "who leaves then anyway departs");
    assert_whole(&later);
}

#[test]
fn counts_change_at_the_first_tick_and_at_the_last() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &[]);
    let night = ["--set", "fleets.night.count=8"];
    let (drawn, forked) = (two_fleets(out.path(), &night), fork(&parent, "0", &night));
    assert_untouched(&drawn, &forked, 0..20);
    for at in ["0", "287"] {
        for set in ["fleets.commuters.count=3", "fleets.commuters.count=30"] {
            assert_whole(&fork(&parent, at, &["--set", set]));
        }
    }
}

#[test]
fn a_fork_of_a_fork_with_other_counts_that_was_killed_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &["--policy", "smart", "--snapshots", "10"]);
    let child = fork(&parent, "60", &["--set", "fleets.commuters.count=30", "--snapshots", "10"]);
    let set = ["--set", "fleets.commuters.count=9"];
    let whole = fork(&child, "120", &[&set[..], &["--snapshots", "10"]].concat());
    assert!(whole.join("snapshots").is_dir());
    assert_untouched(&child, &whole, (0..9).chain(12..17));
    assert_whole(&whole);
    for at in ["59", "60", "65", "119", "120", "133", "287"] {
        let state = |run: &Path| succeed(voltide().args(["state", "--at", at]).arg(run));
        let with = state(&whole);
        let aside = out.path().join("aside");
        fs::rename(whole.join("snapshots"), &aside).unwrap();
        assert_eq!(with, state(&whole), "at {at}");
        fs::rename(&aside, whole.join("snapshots")).unwrap();
    }
    for number in 0..6 {
        let forks = tempfile::tempdir().unwrap();
        let (run, every) = (child.to_str().unwrap(), ["--snapshots", "10", "--out"]);
        let arguments = [&["fork", "--at", "120"], &set[..], &[run], &every].concat();
        kill_after(
            start(&arguments, forks.path()),
            Duration::from_millis(20 + chance(number, 150)),
        );
        let Some(cut) = run_in(forks.path()) else { continue };
        succeed(voltide().arg("resume").arg(&cut));
        let (mut whole, mut cut) = (outputs(&whole), outputs(&cut));
        // These tell the way to the parent.
        for files in [&mut whole, &mut cut] {
            files.retain(|name, _| {
                !["manifest.json", "events.parquet", "runs.parquet"].contains(&name.as_str())
            });
        }
        assert_same_files(&whole, &cut);
    }
}

#[test]
fn detail_of_cars_follows_a_fork() {
    let out = tempfile::tempdir().unwrap();
    let parent = two_fleets(out.path(), &["--set", "telemetry.ev_ticks=Changes"]);
    let child = fork(&parent, &AT.to_string(), &["--set", "fleets.night.count=7"]);
    assert_whole(&child);
    let changes = rows(&child, "ev_ticks-");
    assert_eq!(tick(&changes[&18][0]), AT, "a car has a row when it comes");
    for (arguments, cars) in [
        (&["--ev-ticks", "Full"][..], 19),
        (&["--ev-ticks", "Full", "--ev", "18"], 1),
        (&["--ev-ticks", "0.5"], 10),
    ] {
        let detail = out.path().join(format!("detail-{cars}"));
        succeed(voltide().arg("telemetry").args(arguments).arg(&child).arg("--out").arg(&detail));
        let found = rows(&detail, "ev_ticks-");
        assert!(found.len().abs_diff(cars) < 5 && (cars > 1 || found.len() == 1), "{arguments:?}");
        assert!(found.iter().all(|(ev, rows)| rows.len() == if *ev < 17 { 288 } else { 200 }));
    }
    let (code, message) =
        fail(voltide().args(["telemetry", "--ev-ticks", "Full", "--ev", "19"]).arg(&child));
    assert_eq!((code, message.contains("the cars 0 to 18")), (3, true), "{message}");
}

#[test]
fn the_level_of_detail_goes_by_the_count_that_a_run_began_with() {
    let out = tempfile::tempdir().unwrap();
    let world = out.path().join("many.ron");
    let many = WORLD.replace("days: 3", "days: 1").replace("telemetry: (ev_ticks: Full),", "");
    fs::write(&world, many.replace("count: 5", "count: 10000")).unwrap();
    let parent = run(world.to_str().unwrap(), out.path(), &[]);
    let few = fork(&parent, &AT.to_string(), &["--set", "fleets.night.count=5"]);
    let fewer = fork(&few, "90", &["--set", "fleets.night.count=4"]);
    for run in [&parent, &few, &fewer] {
        let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
        assert!(manifest.contains("\"ev_ticks\": \"Changes\""));
    }
    assert_whole(&fewer);
}

#[test]
fn counts_that_are_not_free_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = |run: &Path, set: &str, what: &str| {
        let (code, message) = fail(voltide().args(["fork", "--at", "5", "--set", set]).arg(run));
        assert_eq!(code, 3, "{message}");
        assert!(message.contains(what), "{message}");
    };
    let parent = two_fleets(out.path(), &[]);
    for set in ["count=-1", "count=many"] {
        refused(&parent, &format!("fleets.night.{set}"), "fleets.night.count");
    }
    let sets =
        ["fleets.night.count=9", "fleets.night.battery.capacity=50 kWh"].map(|set| ["--set", set]);
    let (_, message) = fail(voltide().args(["fork", "--at", "5"]).args(sets.concat()).arg(&parent));
    assert!(message.contains("cannot change this of its parent: battery"), "{message}");
    // Who is plugged in at the fork stands behind the site that the charger had.
    refused(&parent, "fleets.night.charger=(charge_max: \"4 kW\")", "the site of a charger");
    let world = out.path().join("typical.ron");
    let typical = WORLD
        .replace("days: 3", "days: 1")
        .replace(", site: \"street\"", "")
        .replace("sites:", "planning: AtDayStart, boundary: Fold, sites:");
    fs::write(&world, typical).unwrap();
    let typical = run(world.to_str().unwrap(), out.path(), &[]);
    refused(
        &typical,
        "fleets.night.count=4",
        "cannot change this of its parent: fleets under `boundary: Fold`",
    );
    let recorded = run("worlds/acn/caltech.ron", out.path(), &["--set", "clock.days=1"]);
    refused(&recorded, "fleets.drivers.count=4", "fleets.drivers");
}
