//! Planning at the day's start, and typical days that follow upon themselves.

use crate::{
    program::{assert_same_files, fail, files, run, run_json, succeed, voltide},
    tables::column,
};
use serde_json::Value;
use std::{fs, path::Path};

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Three cars at home overnight that drive by day what they charge at night, so that every day is the
/// same; `world` are the fields that differ.
fn periodic(folder: &Path, name: &str, world: &str) -> String {
    let path = folder.join(format!("{name}.ron"));
    let text = format!(
        r#"(
    name: "{name}", currency: "EUR", {world}
    tariff: TimeOfUse(default: "0.30 EUR/kWh", bands: [(from: "23:00", to: "07:00", price: "0.18 EUR/kWh")]),
    fleets: {{"cars": (
        count: 3,
        battery: (capacity: "60 kWh", charge_efficiency: 0.95, discharge_efficiency: 0.95),
        charger: (charge_max: "7 kW"),
        stays: Overnight(arrive: "17:30", leave: "06:45"),
        trip_energy: "12 kWh", soc_on_arrival: 0.6, departure_soc: 0.8,
    )}},
)"#
    );
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Energy of each slot of the day `day`, kW.
fn day_of(run: &Path, day: usize) -> Vec<f64> {
    column(run, "system_ticks", "ev_charge_kw")[96 * day..96 * (day + 1)].to_vec()
}

#[test]
fn a_typical_day_is_any_day_of_a_fleet_whose_days_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let clock = |days| {
        format!(
            r#"clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: {days}),"#
        )
    };
    let fold = format!("{} planning: AtDayStart, boundary: Fold,", clock(1));
    let folded = periodic(folder.path(), "folded", &fold);
    let many = periodic(folder.path(), "many", &clock(4));
    let ahead = periodic(folder.path(), "ahead", &format!("{} planning: AtDayStart,", clock(4)));
    for policy in ["uncontrolled", "smart"] {
        let arguments = ["--policy", policy];
        let typical = day_of(&run(&folded, folder.path(), &arguments), 0);
        for world in [&many, &ahead] {
            let found = day_of(&run(world, folder.path(), &arguments), 2);
            assert!(
                typical.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-9),
                "{policy}\n{typical:?}\n{found:?}"
            );
        }
        // Three cars charge what a trip of 12 kWh took, and what is lost on the way.
        let energy = typical.iter().sum::<f64>() * 0.25;
        assert!((energy - 3.0 * 12.0 / 0.95).abs() < 1e-9, "{energy} kWh");
    }
}

/// What a car does depends on when it is there, not on how time is cut.
#[test]
fn shorter_slots_move_the_same_energy() {
    let folder = tempfile::tempdir().unwrap();
    let clock = |step| {
        format!(
            r#"clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "{step} min", days: 3),"#
        )
    };
    for policy in ["uncontrolled", "smart"] {
        let charged = [15, 5].map(|step| {
            let world = periodic(folder.path(), &format!("step-{step}"), &clock(step));
            number(&run_json(&world, folder.path(), &["--policy", policy])["charged_kwh"])
        });
        assert!((charged[0] - charged[1]).abs() < 1e-9, "{policy}: {charged:?}");
    }
}

/// The night's session has one row, with what it charged on both sides of midnight.
#[test]
fn a_session_across_a_folded_midnight_has_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let summary = run_json("worlds/paper/ev.ron", folder.path(), &["--policy", "smart"]);
    let run = Path::new(summary["folder"].as_str().unwrap());
    let charged: f64 = column(run, "sessions", "charged_kwh").iter().sum();
    assert_eq!(
        column(run, "sessions", "soc_departure").iter().filter(|soc| soc.is_nan()).count(),
        0
    );
    assert!((charged - number(&summary["charged_kwh"])).abs() < 1e-6);
    let cost: f64 = column(run, "sessions", "net_cost").iter().sum();
    assert!((cost - number(&summary["net_cost"])).abs() < 1e-6);
    assert_eq!((&summary["sessions_ended"], &summary["sessions_open"]), (&200.into(), &0.into()));
    assert_eq!(summary["short_trips"], 0);
}

#[test]
fn what_was_planned_ahead_is_rebuilt_and_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    for world in ["worlds/paper/ev.ron", "worlds/v2g-street.ron"] {
        let sets = ["--policy", "v2g", "--set", "planning=AtDayStart", "--threads"];
        let one = run(world, &folder.path().join("1"), &[&sets[..], &["1"]].concat());
        let two = run(world, &folder.path().join("2"), &[&sets[..], &["2"]].concat());
        assert_same_files(&files(&one), &files(&two));
        succeed(voltide().args(["replay", "--verify"]).arg(&one));
    }
}

#[test]
fn cars_planned_at_the_days_start_reach_their_targets() {
    let folder = tempfile::tempdir().unwrap();
    for policy in ["uncontrolled", "smart", "v2g", "alap", "threshold"] {
        let arguments =
            ["--policy", policy, "--set", "planning=AtDayStart", "--set", "clock.days=2"];
        let summary = run_json("worlds/v2g-street.ron", folder.path(), &arguments);
        assert_eq!(summary["missed_targets"], 0, "{policy}");
        assert!(number(&summary["charged_kwh"]) > 0.0);
    }
}

/// 200 fleets of 100 cars: the reference's means are 1215 ± 101 and 577.5 ± 42.1, and smart charging
/// saves 52.4 ± 0.7 %; ours may differ by four standard errors of a mean of 200.
#[test]
fn two_hundred_fleets_cost_what_the_references_do() {
    let mut command = voltide();
    command.args(["--json", "compare", "worlds/paper/drawn.ron"]);
    command.args(["--policies", "uncontrolled,smart", "--seeds", "1..200"]);
    let printed = succeed(&mut command);
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows: Vec<Value> = lines.filter(|line| line["kind"] == "comparison").collect();
    let assert_near = |value: &Value, mean: f64, sd: f64| {
        let found = number(&value["mean"]);
        let error = sd / 200_f64.sqrt();
        assert!((found - mean).abs() <= 4.0 * error, "{found} is not {mean} ± {}", 4.0 * error);
    };
    assert_near(&rows[0]["net_cost"], 1215.0, 101.0);
    assert_near(&rows[1]["net_cost"], 577.5, 42.1);
    assert_near(&rows[1]["saving_percent"], 52.4, 0.7);
}

#[test]
fn a_policy_that_plans_again_does_not_go_with_a_typical_day() {
    let folder = tempfile::tempdir().unwrap();
    let run = |policy: &str, world: &str| {
        fail(voltide().args(["run", world, "--policy", policy, "--out"]).arg(folder.path()))
    };
    let (code, message) = run("edf", "worlds/paper/ev.ron");
    assert_eq!(code, 3);
    assert!(message.contains("policy `edf` plans all cars of a site at once"), "{message}");
    let without = ["--set", "incentive.price_feedback=None"];
    let mut command = voltide();
    command
        .args(["run", "worlds/paper/ev.ron", "--policy", "edf", "--out"])
        .arg(folder.path())
        .args(without);
    let (code, message) = fail(&mut command);
    assert_eq!(code, 3);
    assert!(message.contains("planned once") && message.contains("boundary: Open"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn another_policy_does_not_take_over_the_evening_of_a_typical_day() {
    let folder = tempfile::tempdir().unwrap();
    let fold = r#"clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 1),
        planning: AtDayStart, boundary: Fold,"#;
    let parent = run(&periodic(folder.path(), "forked", fold), folder.path(), &[]);
    let fork = |at: &str| {
        let mut command = voltide();
        command.args(["fork", "--policy", "smart", "--at", at]).arg(&parent);
        command
    };
    // Cars are there from half past five on.
    for at in ["71", "95"] {
        let (code, message) = fail(&mut fork(at));
        assert_eq!(code, 3, "{message}");
        assert!(message.contains("(3 are plugged in)"), "{message}");
    }
    // What is planned of a morning leaves the evening as it was planned.
    for at in ["8", "40", "70"] {
        succeed(&mut fork(at));
    }
}
