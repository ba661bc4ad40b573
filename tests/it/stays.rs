//! Stays of every length and place: what was read has a row, or is counted and said.

use crate::{
    program::{assert_same_files, fail, files, root, run_json, succeed, voltide},
    tables::{column, counts, words},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Slots, stored energy missing in kWh, and why; none without a row.
type Row = Option<(i32, f64, &'static str)>;

/// Sessions of a day from midnight on in quarter hours, each of 6 kWh; and the row that it has: slots, stored
/// energy missing in kWh (the efficiency is 0.5) and why.
const SESSIONS: [(&str, &str, &str, &str, Row); 11] = [
    ("a", "2024-06-02T20:00", "2024-06-02T23:00", "", None),
    ("a", "2024-06-02T23:10", "2024-06-03T00:10", "", None),
    ("g", "2024-06-02T23:50", "2024-06-03T04:00", "", Some((16, 0.0, "met"))),
    ("b", "2024-06-03T10:05", "2024-06-03T10:10", "", Some((0, 3.0, "too_short"))),
    ("b", "2024-06-03T10:10", "2024-06-03T10:20", "2024-06-03T18:00", Some((0, 3.0, "left_early"))),
    ("b", "2024-06-03T10:20", "2024-06-03T10:59", "", Some((1, 2.0, "too_short"))),
    ("c", "2024-06-03T12:01", "2024-06-03T12:15", "", Some((0, 3.0, "too_short"))),
    ("c", "2024-06-03T20:00", "2024-06-04T09:00", "", Some((16, 0.0, "open"))),
    ("d", "2024-06-03T23:50", "2024-06-04T09:00", "", None),
    ("e", "2024-06-03T23:50", "2024-06-04T00:05", "", None),
    ("f", "2024-06-05T08:00", "2024-06-05T09:00", "", None),
];

const WORLD: &str = r#"(
    name: "stays",
    clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "15 min", days: 1),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {"cars": (
        battery: (capacity: "60 kWh", charge_efficiency: 0.5, discharge_efficiency: 0.5),
        charger: (charge_max: "8 kW", discharge_max: "8 kW"),
        stays: Sessions(path: "sessions.csv", time_zone: "UTC"),
    )},
)"#;

fn world(folder: &Path, sessions: impl Iterator<Item = String>) -> PathBuf {
    let head = "station_id,arrival,departure,estimated_departure,requested_kwh";
    let text: String =
        std::iter::once(head.to_owned()).chain(sessions).map(|line| line + "\n").collect();
    fs::write(folder.join("sessions.csv"), text).unwrap();
    let file = folder.join("stays.ron");
    fs::write(&file, WORLD).unwrap();
    file
}

fn lines() -> impl Iterator<Item = String> {
    SESSIONS.iter().map(|(station, from, to, told, _)| {
        let told = if told.is_empty() { to } else { told };
        format!("{station},{from},{to},{told},6")
    })
}

/// Slots, missing energy and reason of all rows, sorted.
fn rows(run: &Path) -> Vec<(i32, String)> {
    let (slots, missing) =
        (counts(run, "sessions", "slots"), column(run, "sessions", "missing_kwh"));
    let reasons = words(run, "sessions", "missed_reason");
    let told = missing.into_iter().zip(reasons).map(|(kwh, reason)| format!("{kwh:.6} {reason}"));
    let mut rows: Vec<_> = slots.into_iter().zip(told).collect();
    rows.sort();
    rows
}

#[test]
fn every_session_that_was_read_has_a_row_or_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = world(folder.path(), lines());
    let checked = succeed(voltide().arg("check").arg(&file));
    let said = "fleet `cars`: 11 sessions read, 9 reach into the run, 1 are over before it and 1 begin after it";
    assert!(checked.contains(said), "{checked}");

    let summary = run_json(file.to_str().unwrap(), folder.path(), &[]);
    let run = root().join(summary["folder"].as_str().unwrap());
    let mut expected: Vec<_> = SESSIONS.iter().filter_map(|session| session.4).collect();
    expected.sort_by(|one, other| one.0.cmp(&other.0).then(one.2.cmp(other.2)));
    let expected = expected.into_iter().map(|(slots, kwh, reason)| match reason {
        "open" => (slots, "NaN ".to_owned()),
        "met" => (slots, format!("{kwh:.6} ")),
        reason => (slots, format!("{kwh:.6} {reason}")),
    });
    let mut expected: Vec<_> = expected.collect();
    expected.sort();
    assert_eq!(rows(&run), expected);

    let notes = &summary["population"];
    let of = |name: &str| notes[name].as_u64().unwrap();
    assert_eq!((of("sessions_in_reach"), of("sessions_without_slot")), (9, 3));
    assert_eq!((of("sessions_before_start"), of("sessions_beyond_end")), (1, 2));
    let sums = ["sessions_ended", "sessions_open", "sessions_without_slot", "missed_targets"];
    assert_eq!(sums.map(|name| summary[name].as_u64().unwrap()), [2, 1, 3, 4]);
    assert!((summary["missing_kwh"].as_f64().unwrap() - 11.0).abs() < 1e-9);

    let ids = counts(&run, "sessions", "session_id");
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    assert_eq!(column(&run, "sessions", "charged_kwh").len(), ids.len());
    assert_rebuilt(&run);
}

/// Replay and verification agree with the tables, and write the same.
fn assert_rebuilt(run: &Path) {
    let before = files(run);
    succeed(voltide().args(["replay", "--verify"]).arg(run));
    succeed(voltide().args(["log", "verify"]).arg(run));
    succeed(voltide().arg("replay").arg(run));
    assert_same_files(&before, &files(run));
}

#[test]
fn a_session_that_ends_as_it_begins_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file =
        world(folder.path(), ["a,2024-06-03T10:00,2024-06-03T10:00,,6".to_owned()].into_iter());
    let (code, message) = fail(voltide().arg("check").arg(&file));
    assert_eq!(code, 3);
    assert!(message.contains("the departure is not after the arrival"), "{message}");
}

/// Cars that look in at work for five to twenty-five minutes, between nights at home.
const LOOKING_IN: &str = r#"(
    name: "looking-in",
    clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 3),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {"cars": (
        count: 40,
        battery: (capacity: "60 kWh", charge_efficiency: 0.95, discharge_efficiency: 0.95),
        charger: (charge_max: "7 kW"),
        stays: Commute(
            home: (arrive: Normal(mean: "17:30", sd: "1 h"), leave: Normal(mean: "07:00", sd: "30 min")),
            work: (arrive: "12:02", leave: Uniform(min: "11:58", max: "12:27")),
        ),
        trip_energy: "4 kWh",
        soc_on_arrival: 0.5,
    )},
)"#;

#[test]
fn what_cars_drive_is_told_once_whichever_stays_hold_a_slot() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("looking-in.ron");
    fs::write(&file, LOOKING_IN).unwrap();
    let summary = run_json(file.to_str().unwrap(), folder.path(), &["--policy", "uncontrolled"]);
    let run = root().join(summary["folder"].as_str().unwrap());
    let short = summary["sessions_without_slot"].as_u64().unwrap();
    let turned = summary["population"]["stays_without_time"].as_u64().unwrap();
    assert!(short > 20 && turned > 2, "{short} and {turned}");
    let slots = counts(&run, "sessions", "slots");
    assert_eq!(slots.iter().filter(|&&slots| slots == 0).count() as u64, short);
    assert_driven_is_what_is_missing(&run);
    assert_rebuilt(&run);
    let (_, fork) = forked(&run, folder.path());
    assert_driven_is_what_is_missing(&fork);
    assert_rebuilt(&fork);
}

/// From the end of a session to the beginning of its car's next one nothing but the trip takes energy.
fn assert_driven_is_what_is_missing(run: &Path) {
    let of = |name: &str| column(run, "sessions", name);
    let (arrival, departure, driven) = (of("soc_arrival"), of("soc_departure"), of("driven_kwh"));
    let (evs, at) =
        (counts(run, "sessions", "ev_id"), crate::tables::times(run, "sessions", "plugged_at"));
    let mut order: Vec<usize> = (0..evs.len()).collect();
    order.sort_by_key(|&row| (evs[row], at[row]));
    let mut checked = 0;
    for two in order.windows(2).filter(|two| evs[two[0]] == evs[two[1]]) {
        let lost_kwh = 60.0 * (departure[two[0]] - arrival[two[1]]);
        assert!((lost_kwh - driven[two[1]]).abs() < 1e-9, "{lost_kwh} {}", driven[two[1]]);
        checked += 1;
    }
    assert!(checked > 100, "{checked}");
}

/// A fork in which half of the cars are gone and more come back on the second day.
fn forked(run: &Path, out: &Path) -> (Value, PathBuf) {
    let mut command = voltide();
    command.args([
        "--json",
        "fork",
        "--at",
        "2024-06-04T12:15",
        "--set",
        "fleets.cars.count=60",
        "--out",
    ]);
    let summary: Value = serde_json::from_str(&succeed(command.arg(out).arg(run))).unwrap();
    let folder = root().join(summary["folder"].as_str().unwrap());
    (summary, folder)
}
