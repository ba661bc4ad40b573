//! What recorded sessions asked for: shown and counted as they asked, whenever the car really left.

use crate::{
    program::{fail, root, run, run_json, voltide},
    tables::{column, words},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A world of recorded sessions with as many kW as the charger gives; the battery is `BATTERY`.
const WORLD: &str = r#"(
    name: "flat",
    clock: (start: "2024-05-06T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 2),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {"drivers": (
        battery: (BATTERY),
        charger: (charge_max: "11 kW"),
        stays: Sessions(path: "sessions.csv", time_zone: "Europe/Berlin"),
    )},
)"#;

const KNOWN: &str = r#"capacity: "60 kWh""#;

/// A world with these sessions, each of `station,arrival,departure,announced,requested`.
fn world(folder: &Path, battery: &str, sessions: &[&str]) -> PathBuf {
    let head = "station_id,arrival,departure,estimated_departure,requested_kwh";
    let lines =
        std::iter::once(head.to_owned()).chain(sessions.iter().map(|&line| with_date(line)));
    fs::write(folder.join("sessions.csv"), lines.map(|line| line + "\n").collect::<String>())
        .unwrap();
    let file = folder.join("flat.ron");
    fs::write(&file, WORLD.replace("BATTERY", battery)).unwrap();
    file
}

/// Times of day become those of the first day.
fn with_date(line: &str) -> String {
    let day = |cell: &str| {
        if cell.contains(':') { format!("2024-05-06T{cell}") } else { cell.to_owned() }
    };
    line.split(',').map(day).collect::<Vec<_>>().join(",")
}

/// Energy charged in all, and why targets were missed, in order of departure.
fn came_to(file: &Path, folder: &Path, policy: &str) -> (f64, Vec<String>) {
    let run = run(file.to_str().unwrap(), &folder.join("out"), &["--policy", policy]);
    let charged: f64 = column(&run, "sessions", "charged_kwh").iter().sum();
    (charged, words(&run, "sessions", "missed_reason"))
}

/// 22 kWh over the ten hours that were announced are 2.2 kW; a request cut to what the real hour allows
/// would be 11 kWh over ten hours.
#[test]
fn a_policy_is_not_told_of_a_departure_before_it_is_there() {
    let room = tempfile::tempdir().unwrap();
    let file = world(room.path(), KNOWN, &["A,08:00,09:00,18:00,22"]);
    let (charged, reasons) = came_to(&file, room.path(), "smart");
    assert!((charged - 2.2).abs() < 1e-9, "{charged}");
    assert_eq!(reasons, ["left_early"]);
}

/// What every policy plans in the first hour is the same whenever the car will really leave.
#[test]
fn plans_do_not_depend_on_the_real_departure() {
    for policy in [
        "smart",
        "coordinated",
        "uncontrolled",
        "alap",
        "edf",
        "llf",
        "round-robin",
        "threshold",
        "v2g",
    ] {
        let first_hour = |leaves: &str| {
            let room = tempfile::tempdir().unwrap();
            let line = format!("A,08:00,{leaves},18:00,60");
            let file = world(room.path(), KNOWN, &[&line]);
            let run = run(file.to_str().unwrap(), &room.path().join("out"), &["--policy", policy]);
            let ticks = column(&run, "system_ticks", "ev_charge_kw");
            ticks[..4 * 9].to_vec()
        };
        assert_eq!(first_hour("09:00"), first_hour("18:00"), "{policy}");
        assert_eq!(first_hour("09:00"), first_hour("09:15"), "{policy}");
    }
}

#[test]
fn who_is_to_blame_for_a_missed_target_is_told() {
    let room = tempfile::tempdir().unwrap();
    let sessions = [
        // Leaves when it could still have had all by the announced departure.
        "A,08:00,12:00,18:00,22",
        // Stays on, and is served for as long.
        "B,08:00,20:00,12:00,50",
        // Announced less than it takes, and left on time.
        "C,08:00,09:00,09:00,22",
        // Announced less than it takes, and left even before.
        "D,08:00,08:30,09:00,22",
        // No whole slot, but the announced departure would have done.
        "E,08:05,08:10,12:00,11",
    ];
    let file = world(room.path(), KNOWN, &sessions);
    let (_, mut reasons) = came_to(&file, room.path(), "smart");
    reasons.sort();
    assert_eq!(reasons, ["", "left_early", "left_early", "too_short", "too_short"]);
}

#[test]
fn a_request_is_capped_by_a_battery_only_where_its_size_is_told() {
    let room = tempfile::tempdir().unwrap();
    for (battery, charged, capped) in [(KNOWN, 60.0, 40.0), ("", 100.0, 0.0)] {
        let file = world(room.path(), battery, &["A,08:00,20:00,20:00,100"]);
        let out = room.path().join(capped.to_string());
        let told = run_json(file.to_str().unwrap(), &out, &["--policy", "smart"]);
        assert!((told["charged_kwh"].as_f64().unwrap() - charged).abs() < 1e-9, "{told}");
        assert!(
            (told["population"]["capped_kwh"].as_f64().unwrap() - capped).abs() < 1e-9,
            "{told}"
        );
        let run = root().join(told["folder"].as_str().unwrap());
        assert_eq!(column(&run, "sessions", "requested_kwh"), [100.0]);
    }
    let (code, message) = fail(
        voltide()
            .args(["check", "worlds/one-car.ron"])
            .arg("--set")
            .arg("fleets.commuters.battery=(soc_max: 0.9)"),
    );
    assert!(code == 3 && message.contains("lacks `capacity`"), "{message}");
}
