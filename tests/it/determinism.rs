//! Same world, seed and policy: the same bytes, for any number of threads.

use crate::program::{assert_same_files, files, in_root, run, run_json, run_json_with, voltide};
use std::{collections::BTreeMap, fs, path::Path};

/// Enough cars for several blocks, behind sites with limits.
const WORLD: &str = r#"(
    name: "many",
    seed: 3,
    clock: (start: "2024-03-30T12:00", time_zone: "Europe/Berlin", step: "15 min", days: 2),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    sites: { "depot": (import_limit: "900 kW") },
    fleets: {
        "home": (
            count: 33000,
            battery: (capacity: Normal(mean: "60 kWh", sd: "10 kWh", min: "30 kWh", max: "90 kWh"), soc_min: 0.1, soc_max: 1.0, charge_efficiency: 0.95, discharge_efficiency: 0.95),
            charger: (charge_max: "7 kW"),
            stays: Overnight(arrive: Normal(mean: "17:30", sd: "1 h"), leave: Normal(mean: "07:00", sd: "1 h")),
            trip_energy: Normal(mean: "7.3 kWh", sd: "3 kWh", min: "0.5 kWh", max: "30 kWh"),
            soc_on_arrival: Uniform(min: 0.2, max: 0.9),
            departure_soc: 0.8,
        ),
        "depot": (
            count: 500,
            battery: (capacity: "60 kWh", soc_min: 0.1, soc_max: 1.0, charge_efficiency: 0.95, discharge_efficiency: 0.95),
            charger: (charge_max: "11 kW", site: "depot"),
            stays: Workplace(arrive: Normal(mean: "08:00", sd: "1 h"), leave: Normal(mean: "16:30", sd: "1 h")),
            trip_energy: "12 kWh",
            soc_on_arrival: Uniform(min: 0.2, max: 0.9),
            departure_soc: 0.9,
        ),
    },
    telemetry: (ev_ticks: Changes),
)"#;

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("many.ron");
    fs::write(&world, WORLD).unwrap();
    let with = |threads: &str| {
        let out = folder.path().join(threads);
        files(&run(world.to_str().unwrap(), &out, &["--threads", threads]))
    };
    let one = with("1");
    assert_same_files(&one, &with("2"));
    assert_same_files(&one, &with("8"));
}

#[test]
fn the_number_of_threads_changes_no_decision() {
    let out = tempfile::tempdir().unwrap();
    let with = |threads: &str| {
        let arguments = ["--policy", "v2g", "--threads", threads];
        files(&run("worlds/v2g-street.ron", &out.path().join(threads), &arguments))
    };
    assert_same_files(&with("1"), &with("8"));
}

/// All of a run but what names the build that made it.
fn of_program(
    program: &Path,
    world: &str,
    out: &Path,
    arguments: &[&str],
) -> BTreeMap<String, Vec<u8>> {
    let summary = run_json_with(&mut in_root(program), world, out, arguments);
    let mut found = files(Path::new(summary["folder"].as_str().unwrap()));
    for of_build in ["log/000000.mcap", "events.parquet", "runs.parquet", "manifest.json"] {
        assert!(found.remove(of_build).is_some(), "there is no {of_build}");
    }
    found
}

/// `VOLTIDE_OTHER_BUILD=target/debug/voltide` names it.
#[test]
#[ignore = "needs another build of the program, named by VOLTIDE_OTHER_BUILD"]
fn another_build_writes_the_same_bytes() {
    let this = voltide().get_program().to_owned();
    let other = std::env::var_os("VOLTIDE_OTHER_BUILD").expect("another build is named");
    let out = tempfile::tempdir().unwrap();
    for (world, arguments) in [
        ("worlds/one-car.ron", &[][..]),
        ("worlds/v2g-street.ron", &["--policy", "v2g"]),
        ("worlds/v2g-street.ron", &["--policy", "v2g", "--set", "policies.v2g=(solver: Milp)"]),
        ("worlds/v2g-street.ron", &["--policy", "llf", "--set", "incentive.price_feedback=None"]),
        ("worlds/paper/paper.ron", &["--policy", "v2g"]),
        ("worlds/reservation.ron", &[]),
    ] {
        let [these, others] = [(&this, "this"), (&other, "other")].map(|(program, name)| {
            of_program(Path::new(program), world, &out.path().join(name), arguments)
        });
        assert!(these.len() > 5, "{world} {arguments:?}");
        assert_same_files(&these, &others);
    }
}

/// At these prices and draws an optimum with binaries costs what the exact one does.
#[test]
fn the_exact_algorithm_and_cbc_come_to_the_same_cost() {
    let out = tempfile::tempdir().unwrap();
    let cost = |solver: &str| {
        let config = format!("policies.v2g=(solver: {solver})");
        let summary =
            run_json("worlds/v2g-street.ron", out.path(), &["--policy", "v2g", "--set", &config]);
        summary["net_cost"].as_f64().unwrap()
    };
    let (exact, milp) = (cost("Exact"), cost("Milp"));
    assert!((exact - milp).abs() <= 1e-6 * exact.abs(), "{exact} and {milp}");
}

#[test]
fn another_seed_draws_other_cars() {
    let out = tempfile::tempdir().unwrap();
    let log = |seed: &str| {
        let run = run("worlds/one-car.ron", out.path(), &["--seed", seed]);
        fs::read(run.join("sessions.parquet")).unwrap()
    };
    assert_ne!(log("1"), log("2"));
}
