//! A fleet that acts as one: each objective does what it says, and says what it lacks.

use crate::{
    program::{fail, run_json, succeed, voltide},
    tables::column,
};
use serde_json::Value;
use std::{fmt::Write, fs, path::Path};

/// Twenty cars that come home to a busy evening and leave after a quiet night, for two days.
const WORLD: &str = r#"(
    name: "fleet",
    seed: 3,
    clock: (start: "2024-06-03T12:00", time_zone: "UTC", step: "15 min", days: 2),
    currency: "EUR",
    tariff: "0.30 EUR/kWh",
    system: (base_load: (path: "load.csv", column: "base_kw", unit: "kW")),
    series: {"plan": (path: "load.csv", column: "plan_kw", unit: "kW")},
    fleets: {"cars": (
        count: 20,
        battery: (capacity: "60 kWh", charge_efficiency: 0.9, discharge_efficiency: 0.9),
        charger: (charge_max: "11 kW", discharge_max: "11 kW"),
        stays: Overnight(arrive: "16:30", leave: "07:00"),
        trip_energy: "20 kWh", soc_on_arrival: 0.6, departure_soc: 0.8,
    )},
    policy: "coordinated",
)"#;

/// First slots of the first night's hours.
const EVENING: usize = 20;
const ELEVEN: usize = 44;
const THREE: usize = 60;
const SEVEN: usize = 76;

/// What the cars of a night draw, kWh: from 36 to 48 kWh each.
const NIGHT_KWH: f64 = 20.0 * 12.0 / 0.9;

/// Writes the world and its load: 60 kW by day, 100 kW in the evening, 40 kW at night; and a plan
/// that takes what the first night needs between 23 and 3 o'clock.
fn write_world(folder: &Path) -> String {
    let mut load = "ts,base_kw,plan_kw\n".to_owned();
    for slot in 0..2 * 96 {
        let hour = (12 + slot / 4) % 24;
        let (day, hour_of_day) = (3 + (48 + slot) / 96, format!("{hour:02}:{:02}", slot % 4 * 15));
        let base = if (17..22).contains(&hour) {
            100
        } else if (6..17).contains(&hour) {
            60
        } else {
            40
        };
        let plan = if (ELEVEN..THREE).contains(&slot) { NIGHT_KWH / 4.0 } else { 0.0 };
        writeln!(load, "2024-06-{day:02}T{hour_of_day}:00Z,{base},{plan}").unwrap();
    }
    fs::write(folder.join("load.csv"), load).unwrap();
    let file = folder.join("fleet.ron");
    fs::write(&file, WORLD).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The summary of the world under a config of the policy, and under further settings.
fn under(folder: &Path, config: &str, sets: &[&str]) -> Value {
    let world = write_world(folder);
    let config = format!("policies.coordinated={config}");
    let sets = sets.iter().flat_map(|set| ["--set", *set]);
    let arguments: Vec<&str> = ["--set", &config].into_iter().chain(sets).collect();
    let summary = run_json(&world, &folder.join("out"), &arguments);
    assert_eq!(summary["missing_kwh"], 0.0, "{config}");
    assert_eq!(summary["policy_faults"].as_array().map_or(0, Vec::len), 0, "{summary}");
    summary
}

fn of_run(summary: &Value, name: &str) -> Vec<f64> {
    column(Path::new(summary["folder"].as_str().unwrap()), "system_ticks", name)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn valleys_are_filled_to_one_level() {
    let folder = tempfile::tempdir().unwrap();
    let summary = under(folder.path(), "(objective: Valley)", &[]);
    let net_load = of_run(&summary, "net_load_kw");
    assert!(most(&net_load) <= 100.0 + 1e-6, "{}", most(&net_load));
    let night = &net_load[ELEVEN..THREE];
    let least = night.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(most(night) - least < 0.5, "{night:?}");
    // With discharge the evening gives to the night.
    let summary = under(folder.path(), "(objective: Valley, discharge: true)", &[]);
    assert!(most(&of_run(&summary, "net_load_kw")[EVENING..SEVEN]) < 95.0);
}

#[test]
fn a_series_is_followed_where_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let summary = under(folder.path(), "(objective: Follow(\"plan\"))", &[]);
    let drawn = of_run(&summary, "ev_charge_kw");
    let plan = NIGHT_KWH / 4.0;
    for (slot, kw) in drawn.iter().enumerate().take(SEVEN) {
        let wanted = if (ELEVEN..THREE).contains(&slot) { plan } else { 0.0 };
        assert!((kw - wanted).abs() < 0.01, "{kw} kW in slot {slot}");
    }
}

#[test]
fn a_peak_that_costs_is_not_raised_and_one_that_was_is_sunk() {
    let folder = tempfile::tempdir().unwrap();
    // Cheap in the evening alone: without a price on the peak all cars charge there.
    let cheap = "tariff=TimeOfUse(default: \"0.30 EUR/kWh\", bands: [\
        (from: \"17:00\", to: \"20:00\", value: \"0.10 EUR/kWh\")])";
    let peak = |config: &str| most(&of_run(&under(folder.path(), config, &[cheap]), "net_load_kw"));
    assert!(peak("()") > 180.0);
    // A millionth of what the peak costs is no cost: 4,000 EUR for what is sunk.
    assert!(peak("(objective: Peak(price: \"100 EUR/kW\"))") <= 100.0 + 1e-4);
}

#[test]
fn a_plants_cheap_hours_are_used() {
    let folder = tempfile::tempdir().unwrap();
    let grid = "grid=(margins: false, thermal: {\
        \"cheap\": (power_max: \"90 kW\", ramp: \"400 kW/h\", cost: (b: \"20 EUR/MWh\")), \
        \"dear\": (power_max: \"300 kW\", ramp: \"900 kW/h\", cost: (b: \"200 EUR/MWh\"))})";
    let cost = |config: &str, sets: &[&str]| {
        let all: Vec<&str> = [grid].into_iter().chain(sets.iter().copied()).collect();
        under(folder.path(), config, &all)["system_cost"]["total"].as_f64().unwrap()
    };
    let (system, at_once) =
        (cost("(objective: System)", &[]), cost("()", &["policy=\"uncontrolled\""]));
    assert!(system < 0.9 * at_once, "{system} {at_once}");
}

#[test]
fn what_an_objective_lacks_is_said_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let world = write_world(folder.path());
    let refused = |config: &str| {
        let config = format!("policies.coordinated={config}");
        let (code, message) = fail(voltide().args(["check", &world, "--set", &config]));
        assert_ne!(code, 0);
        message
    };
    let message = refused("(objective: Follow(\"plam\"))");
    assert!(
        message.contains("the world has no series `plam`; in its `series`: `plan`"),
        "{message}"
    );
    assert!(message.contains("[from --set #1:1:"), "{message}");
    assert!(refused("(objective: System)").contains("the world has no `grid`"));
    assert!(refused("(objective: Peak)").contains("Peak"));
    assert!(refused("(objective: Peak(price: \"3 CNY/kW\"))").contains("the world's money is EUR"));
}

#[test]
fn a_run_of_a_fleet_is_rebuilt_and_asked_again_alike() {
    let folder = tempfile::tempdir().unwrap();
    for config in ["(objective: Valley, discharge: true)", "(objective: Peak(price: \"9 EUR/kW\"))"]
    {
        let summary = under(folder.path(), config, &["clock.days=1"]);
        let run = summary["folder"].as_str().unwrap();
        succeed(voltide().args(["replay", "--verify", run]));
        let again = succeed(voltide().args(["--json", "replay", "--redecide", run]));
        let again: Value = serde_json::from_str(&again).unwrap();
        assert_eq!(again["differing"], 0, "{again}");
    }
}
