//! Cars that arrive outside the bounds of their batteries: they may be moved back to where they were, and
//! plans, what is applied, and tables agree on that.

use crate::{
    program::{root, run_json, succeed, voltide},
    tables::{column, counts, single, words},
};
use serde_json::Value;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// One car from 17:00 to 11:30, whose charge is worth most between 20:00 and 22:00.
const WORLD: &str = r#"(
    name: "floor",
    clock: (start: "2024-06-03T12:00", time_zone: "UTC", step: "15 min", days: 1),
    currency: "EUR",
    tariff: TimeOfUse(default: "0.05 EUR/kWh", bands: [(from: "20:00", to: "22:00", price: "1.00 EUR/kWh")]),
    fleets: {"cars": (
        count: 1,
        battery: (capacity: "60 kWh", soc_min: 0.1, soc_max: 0.9, soc_min_v2g: 0.5,
            charge_efficiency: 0.95, discharge_efficiency: 0.95),
        charger: (charge_max: "7 kW", discharge_max: "7 kW"),
        stays: Overnight(arrive: "17:00", leave: "11:30"),
        trip_energy: "7 kWh", soc_on_arrival: 0.6, departure_soc: 0.2,
    )},
    telemetry: (ev_ticks: Full),
)"#;

struct Course {
    summary: Value,
    run: PathBuf,
    /// State of charge at the end of each slot that the car is there.
    soc: Vec<f32>,
    /// What `ev_ticks` says it must not fall below.
    soc_min: Vec<f32>,
}

/// The stay of a car that arrives with `soc`.
fn course(room: &TempDir, policy: &str, soc: f64, sets: &[&str]) -> Course {
    let file = room.path().join("floor.ron");
    fs::write(&file, WORLD).unwrap();
    let arrival = format!("fleets.cars.soc_on_arrival={soc}");
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let arrives = ["--replace", "--policy", policy, "--set", arrival.as_str()];
    let arguments: Vec<&str> = arrives.into_iter().chain(sets).collect();
    let summary = run_json(file.to_str().unwrap(), room.path(), &arguments);
    let run = root().join(summary["folder"].as_str().unwrap());
    let ticks = |name| {
        let days = ["ev_ticks-2024-06-03", "ev_ticks-2024-06-04"];
        // From 17:00 to 11:30, counted from noon.
        days.iter().flat_map(|day| single(&run, day, name)).collect::<Vec<f32>>()[20..94].to_vec()
    };
    let (soc, soc_min) = (ticks("soc"), ticks("soc_min"));
    Course { summary, run, soc, soc_min }
}

/// `min(S_0, m)`: the car of 20 % may be discharged to 20 % though V2G leaves 50 %, one of 5 % to 5 % though
/// the battery leaves 10 %.
#[test]
fn what_discharging_must_leave_is_no_more_than_a_car_arrived_with() {
    for (policy, arrival, least) in [
        ("v2g", 0.2, 0.2),
        ("threshold", 0.2, 0.2),
        ("v2g", 0.05, 0.05),
        ("threshold", 0.05, 0.05),
        ("v2g", 0.6, 0.5),
        ("threshold", 0.6, 0.5),
    ] {
        let room = TempDir::new().unwrap();
        let course = course(&room, policy, arrival, &[]);
        let said = format!("{policy} from {arrival}");
        assert!(
            course.soc_min.iter().all(|&soc| (soc - least).abs() < f32::EPSILON),
            "{said}: {:?}",
            course.soc_min
        );
        let reached = course.soc.iter().copied().fold(1.0, f32::min);
        assert!(reached > least - 1e-4, "{said}: it falls to {reached}");
        // One more slot at 7 kW would take 3 % of the battery.
        assert!(reached < least + 0.03, "{said}: it sells what it may, down to {reached}");
        assert_eq!(course.summary["clipped_by_battery"], 0, "{said}: plans know what is applied");
        assert_eq!(course.summary["missed_targets"], 0, "{said}");
        succeed(voltide().args(["replay", "--verify"]).arg(&course.run));
    }
}

/// `max(S_0, SOC_max)`: it pays to empty the car when energy is dear, and to take more than it needs when it
/// costs less than nothing.
#[test]
fn a_car_that_arrives_above_its_maximum_may_be_charged_as_far_again() {
    let cheap = r#"tariff=TimeOfUse(default: "-0.05 EUR/kWh", bands: [(from: "20:00", to: "22:00", price: "1.00 EUR/kWh")])"#;
    let room = TempDir::new().unwrap();
    let course = course(&room, "v2g", 0.95, &[cheap]);
    let last = *course.soc.last().unwrap();
    assert!((last - 0.95).abs() < 1e-4, "{last}");
    assert_eq!(course.summary["clipped_by_battery"], 0);
}

/// A policy that asks every quarter of an hour is shown the same bounds whenever it asks, with limits and
/// several cars, and in a run that goes on.
#[test]
fn bounds_hold_for_the_whole_stay() {
    let room = TempDir::new().unwrap();
    let sets = [
        r#"sites={"street": (import_limit: "12 kW")}"#,
        r#"fleets.cars.charger.site="street""#,
        "fleets.cars.count=4",
        "clock.days=3",
    ];
    let file = room.path().join("floor.ron");
    fs::write(&file, WORLD).unwrap();
    let sets = sets.iter().flat_map(|set| ["--set", set]);
    let draw =
        ["--set", "fleets.cars.soc_on_arrival=Uniform(min: 0.02, max: 0.4)", "--policy", "v2g"];
    let arguments: Vec<&str> = sets.chain(draw).collect();
    let whole = run_json(file.to_str().unwrap(), room.path(), &arguments);
    assert_eq!(whole["clipped_by_battery"], 0);
    assert_eq!(whole["clipped_by_site"], 0, "cars that the limit holds are planned together");
    let run = root().join(whole["folder"].as_str().unwrap());
    assert!(column(&run, "sessions", "discharged_kwh").iter().sum::<f64>() > 20.0);
    succeed(voltide().args(["replay", "--verify"]).arg(&run));
}

/// On a typical day a session may be the second part of a stay: what this began with counts on both sides of
/// midnight.
#[test]
fn on_a_day_that_follows_upon_itself_the_evening_counts() {
    let room = TempDir::new().unwrap();
    let sets = ["--policy", "v2g", "--set", "fleets.commuters.soc_on_arrival=0.25"];
    let summary = run_json("worlds/paper/drawn.ron", room.path(), &sets);
    assert_eq!(summary["clipped_by_battery"], 0);
    let run = root().join(summary["folder"].as_str().unwrap());
    let files =
        fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let ticks =
        files.filter(|name| name.starts_with("ev_ticks")).map(|name| name.replace(".parquet", ""));
    for table in ticks.collect::<Vec<_>>() {
        let least = single(&run, &table, "soc_min").into_iter().zip(words(&run, &table, "state"));
        let at_midnight =
            counts(&run, &table, "tick").into_iter().zip(least).filter(|(tick, _)| *tick == 0);
        let at_home: Vec<f32> = at_midnight
            .filter(|(_, (_, state))| state != "away")
            .map(|(_, (soc, _))| soc)
            .collect();
        assert!(
            !at_home.is_empty() && at_home.iter().all(|&soc| (soc - 0.25).abs() < f32::EPSILON),
            "{at_home:?}"
        );
    }
    succeed(voltide().args(["replay", "--verify"]).arg(&run));
}
