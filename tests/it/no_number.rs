//! Nothing that is no number gets into a history, whatever the world says.

use crate::program::{fail, root, run_json, succeed, voltide};
use std::{fs, path::Path};

/// Four cars for a day, with room for every shipped policy.
const SMALL: [&str; 3] =
    ["fleets.commuters.count=4", "clock.days=1", "incentive.price_feedback=None"];

const POLICIES: [&str; 10] = [
    "uncontrolled",
    "smart",
    "smart-incentive",
    "v2g",
    "coordinated",
    "threshold",
    "edf",
    "llf",
    "round-robin",
    "alap",
];

fn arguments<'a>(policy: &'a str, sets: &[&'a str]) -> Vec<&'a str> {
    let sets = SMALL.iter().chain(sets).flat_map(|set| ["--set", *set]);
    ["--policy", policy].into_iter().chain(sets).collect()
}

/// Asserts that a run's history is read and replayed, and names nothing that is no number.
fn assert_told_in_numbers(run: &Path, what: &str) {
    succeed(voltide().args(["replay", "--verify"]).arg(run));
    let told = succeed(voltide().args(["--json", "log", "cat"]).arg(run));
    for no_number in ["NaN", "\"inf\":1", "\"inf\",", "\"-inf\","] {
        assert!(!told.contains(no_number), "{what}: {no_number}");
    }
}

#[test]
fn every_policy_answers_in_numbers_where_next_to_nothing_passes() {
    let out = tempfile::tempdir().unwrap();
    for policy in POLICIES {
        for way in ["charge", "discharge"] {
            let set = format!("fleets.commuters.battery.{way}_efficiency=5e-324");
            let summary =
                run_json("worlds/v2g-street.ron", out.path(), &arguments(policy, &[&set]));
            let what = format!("{policy} {set}");
            assert_eq!(
                (&summary["answers_not_finite"], &summary["clipped_by_charger"]),
                (&0.into(), &0.into())
            );
            assert_told_in_numbers(&root().join(summary["folder"].as_str().unwrap()), &what);
        }
    }
}

#[test]
fn a_plant_whose_stores_pass_next_to_nothing_is_scheduled() {
    let out = tempfile::tempdir().unwrap();
    for way in ["charge", "discharge"] {
        let set = format!("grid.batteries.ess.{way}_efficiency=5e-324");
        let summary = run_json("worlds/paper/paper.ron", out.path(), &["--set", &set]);
        assert_told_in_numbers(&root().join(summary["folder"].as_str().unwrap()), &set);
    }
}

/// What cannot be reckoned with is refused, or stops the run before it is written down.
#[test]
fn a_value_that_leaves_the_numbers_stops_a_run_whose_log_stays_readable() {
    for (policy, set, because) in [
        ("v2g", "incentive.rho=1e308", "which cannot be reckoned with"),
        ("smart", r#"tariff=Fixed("1e308 CNY/kWh")"#, "which cannot be reckoned with"),
        ("smart", r#"tariff=Fixed("-1e308 CNY/kWh")"#, "which cannot be reckoned with"),
        (
            "uncontrolled",
            "fleets.commuters.battery.capacity=1e308 kWh",
            "which cannot be reckoned with",
        ),
    ] {
        let out = tempfile::tempdir().unwrap();
        let mut command = voltide();
        command.args(["run", "worlds/v2g-street.ron", "--out"]).arg(out.path());
        let (code, message) = fail(command.args(arguments(policy, &[set])));
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == 3 && message.contains(because), "{set}: {code} {message}");
        let runs = fs::read_dir(out.path())
            .unwrap()
            .flat_map(|world| fs::read_dir(world.unwrap().path()).unwrap());
        for run in runs.map(|run| run.unwrap().path()).filter(|run| run.join("log").is_dir()) {
            let told = succeed(voltide().args(["--json", "log", "cat"]).arg(&run));
            assert!(!told.contains("NaN") && told.contains("RunStarted"), "{set}");
        }
    }
}

/// Values that are as large and as small as numbers go, where they can be reckoned with.
#[test]
fn extreme_values_are_told_in_numbers() {
    let out = tempfile::tempdir().unwrap();
    for set in [
        "fleets.commuters.battery.degradation=1e300 CNY/kWh",
        "fleets.commuters.battery.capacity=5e-324 kWh",
        "fleets.commuters.charger.charge_max=1e308 kW",
        "fleets.commuters.charger.discharge_max=1e300 kW",
        r#"feed_in=Fixed("1e300 CNY/kWh")"#,
        r#"feed_in=Fixed("-1e300 CNY/kWh")"#,
        r#"tariff=Fixed("5e-324 CNY/kWh")"#,
        "incentive.rho=1e-300",
        "system.base_load.scale=1e300",
        "fleets.commuters.willingness.optimistic.b=1e308",
    ] {
        for policy in ["smart", "v2g", "threshold"] {
            let mut command = voltide();
            command.args(["--json", "run", "worlds/v2g-street.ron", "--out"]).arg(out.path());
            let output = command.args(arguments(policy, &[set])).output().unwrap();
            let code = output.status.code().unwrap();
            assert!([0, 3].contains(&code), "{set} {policy}: {code}");
            if code == 0 {
                let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                let run = root().join(summary["folder"].as_str().unwrap());
                assert_told_in_numbers(&run, &format!("{policy} {set}"));
            }
        }
    }
}
