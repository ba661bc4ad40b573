//! Numbers as large, small and odd as they come, in runs: each is refused or run through, within the
//! memory of a small machine, and nothing but the result is printed.
//!
//! `VOLTIDE_EXTREMES` says how many are tried. What can be refused before a run is tried number by
//! number in `crates/world/tests/extremes.rs`.

use crate::program::{root, text, voltide};
use std::{fs, path::Path, process::Command};

/// Two cars behind a limit, and units of every kind, for a day in slots of an hour.
const WORLD: &str = r#"(
    name: "extremes",
    clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "1 h", days: 1),
    currency: "EUR",
    tariff: TimeOfUse(default: "0.30 EUR/kWh", bands: [(from: "22:00", to: "06:00", value: "0.18 EUR/kWh")]),
    system: (base_load: "400 kW", wind: "50 kW"),
    incentive: (rho: 0.6, floor: "0 EUR/kWh", price_feedback: Batch(1), expected_price: Proportional(1.0)),
    sites: {"street": (import_limit: "10 kW", export_limit: "5 kW")},
    grid: (
        wind: {"wind": (cost: "0.01 EUR/kWh", waste_price: "0.1 EUR/kWh")},
        must_take: {"river": (output: "20 kW", cost: "0.02 EUR/kWh")},
        thermal: {
            "coal": (
                power_min: "100 kW",
                power_max: "300 kW",
                ramp: "100 kW/h",
                initial_power: "200 kW",
                cost: (a: 0.0001, b: "0.05 EUR/kWh", c: 5),
                commitment: (start_cost: 20, up_min: "3 h", down_min: "2 h", initial_time: "5 h"),
            ),
            "gas": (power_max: "300 kW", ramp: "300 kW/h", cost: (b: "0.1 EUR/kWh"), deviation_max: "50 kW"),
        },
        batteries: {
            "ess": (
                charge_max: "50 kW",
                discharge_max: "50 kW",
                energy_max: "100 kWh",
                charge_efficiency: 0.9,
                initial_energy: "50 kWh",
                throughput_cost: "0.01 EUR/kWh",
            ),
        },
        interruptible: {"shop": (power_max: "50 kW", price: "3 EUR/kWh")},
        electrolysers: {
            "h2": (
                power_min: "10 kW",
                power_max: "40 kW",
                efficiency: 0.65,
                tank: "60 kWh",
                initial_energy: "20 kWh",
                demand: "8 kW",
                backup_price: "0.3 EUR/kWh",
            ),
        },
        exchanges: {"out": (import_max: "50 kW", export_max: "50 kW", import_price: "0.4 EUR/kWh")},
        base_load_forecast: Ar1(phi: 0.8, sd: 0.1),
    ),
    fleets: {
        "cars": (
            count: 2,
            battery: (capacity: "60 kWh", charge_efficiency: 0.9, degradation: "0.1 EUR/kWh"),
            charger: (charge_max: "7 kW", discharge_max: "7 kW", site: "street"),
            stays: Overnight(
                arrive: Normal(mean: "17:30", sd: "30 min"),
                leave: Normal(mean: "07:00", sd: "30 min"),
            ),
            trip_energy: Normal(mean: "7 kWh", sd: "2 kWh", min: "0 kWh"),
            soc_on_arrival: 0.5,
            departure_soc: 0.8,
            willingness: (optimistic: (a: 1, b: 8, c: 0.65), pessimistic: (a: 3, b: 6, c: 0.145)),
        ),
    },
    policy: "v2g",
)"#;

/// Numbers of the world, each with its unit.
const NUMBERS: [(&str, &str); 47] = [
    ("seed", ""),
    ("clock.days", ""),
    ("system.base_load", "kW"),
    ("system.wind", "MW"),
    ("tariff.default", "EUR/kWh"),
    ("incentive.rho", ""),
    ("incentive.floor", "EUR/kWh"),
    ("sites.street.import_limit", "kW"),
    ("sites.street.export_limit", "kW"),
    ("grid.wind.wind.cost", "EUR/kWh"),
    ("grid.wind.wind.waste_price", "EUR/kWh"),
    ("grid.must_take.river.output", "kW"),
    ("grid.must_take.river.cost", "EUR/kWh"),
    ("grid.thermal.coal.power_min", "kW"),
    ("grid.thermal.coal.power_max", "kW"),
    ("grid.thermal.coal.ramp", "kW/h"),
    ("grid.thermal.coal.initial_power", "kW"),
    ("grid.thermal.coal.cost.a", ""),
    ("grid.thermal.coal.cost.b", "EUR/kWh"),
    ("grid.thermal.coal.cost.c", ""),
    ("grid.thermal.coal.commitment.start_cost", ""),
    ("grid.thermal.coal.commitment.up_min", "h"),
    ("grid.thermal.coal.commitment.initial_time", "h"),
    ("grid.thermal.gas.deviation_max", "kW"),
    ("grid.batteries.ess.charge_max", "kW"),
    ("grid.batteries.ess.energy_max", "kWh"),
    ("grid.batteries.ess.charge_efficiency", ""),
    ("grid.batteries.ess.throughput_cost", "EUR/kWh"),
    ("grid.electrolysers.h2.power_max", "kW"),
    ("grid.electrolysers.h2.efficiency", ""),
    ("grid.electrolysers.h2.tank", "kWh"),
    ("grid.electrolysers.h2.demand", "kW"),
    ("grid.electrolysers.h2.backup_price", "EUR/kWh"),
    ("grid.interruptible.shop.power_max", "kW"),
    ("grid.exchanges.out.import_max", "kW"),
    ("grid.exchanges.out.import_price", "EUR/kWh"),
    ("grid.base_load_forecast.sd", ""),
    ("grid.stages.segments", ""),
    ("grid.stages.nodes", ""),
    ("grid.slack.unserved", "EUR/kWh"),
    ("fleets.cars.battery.capacity", "kWh"),
    ("fleets.cars.battery.charge_efficiency", ""),
    ("fleets.cars.battery.degradation", "EUR/kWh"),
    ("fleets.cars.charger.charge_max", "kW"),
    ("fleets.cars.stays.leave.sd", "min"),
    ("fleets.cars.trip_energy.sd", "kWh"),
    ("fleets.cars.willingness.optimistic.b", ""),
];

// 1e-320 has a reciprocal beyond all numbers; the last two are the largest of 32 bits, and one more
// than the largest of 64 with a sign.
const EXTREMES: [&str; 13] = [
    "0",
    "-0.0",
    "-1",
    "1e-320",
    "1e-9",
    "1000",
    "1e6",
    "1e18",
    "1e308",
    "inf",
    "nan",
    "4294967295",
    "9223372036854775808",
];

/// Most memory that a run may take, KiB: a small machine's.
const MEMORY: u32 = 3 << 20;

/// A run in `room` with overrides, in a child that has no more memory than [`MEMORY`].
fn run(room: &Path, mode: &str, sets: &[String]) -> Command {
    let mut child = Command::new("sh");
    child
        .args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\"")])
        .arg(voltide().get_program());
    child.current_dir(room).env("NO_COLOR", "1").env_remove("VOLTIDE_PLUGIN_PATH");
    child.args([mode, "run", "world.ron", "--out", "out", "--replace", "--threads", "1"]);
    child.args(sets.iter().flat_map(|set| ["--set", set]));
    child
}

/// Whether a run is refused; it ends by itself in any case, and prints objects and nothing else.
fn is_refused(room: &Path, sets: &[String]) -> bool {
    let output = run(room, "--json", sets).output().unwrap();
    let said = text(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{sets:?}: {:?} {said}", output.status);
    assert!(!said.contains("panicked"), "{sets:?}: {said}");
    for line in text(&output.stdout).lines() {
        let object = serde_json::from_str::<serde_json::Value>(line);
        assert!(object.is_ok_and(|object| object.is_object()), "{sets:?} prints {line}");
    }
    !output.status.success()
}

fn room() -> tempfile::TempDir {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("world.ron"), WORLD).unwrap();
    room
}

#[test]
fn numbers_that_ended_a_run_in_a_panic_or_without_memory_are_refused() {
    let room = room();
    let load = root().join("worlds/ten-units/data/load_24h.csv");
    let series = format!("path: {load:?}, column: \"load_mw\", unit: \"MW\", scale: 2147483648");
    let refused = [
        vec!["grid=()".to_owned()],
        vec![format!("grid.must_take={{\"x\": (output: ({series}))}}")],
        vec!["grid.stages.segments=4294967295".to_owned()],
        vec!["fleets.cars.battery.capacity=1e308 kWh".to_owned()],
        vec!["fleets.cars.count=4294967295".to_owned()],
        vec![
            "grid.thermal.coal.commitment.up_min=1000 h".to_owned(),
            "grid.thermal.coal.commitment.start_cost=1e300".to_owned(),
        ],
    ];
    for sets in refused {
        assert!(is_refused(room.path(), &sets), "{sets:?} is run");
    }
    let run_through = [
        vec!["fleets.cars.battery.charge_efficiency=1e-320".to_owned()],
        vec!["grid.batteries.ess.charge_efficiency=1e-320".to_owned()],
        vec!["grid.stages.segments=100".to_owned()],
        vec!["fleets.cars.stays.leave.sd=1000 min".to_owned()],
        vec![
            "grid.thermal.coal.commitment.up_min=1000 h".to_owned(),
            "grid.thermal.coal.commitment.start_cost=1e10".to_owned(),
        ],
    ];
    for sets in run_through {
        assert!(!is_refused(room.path(), &sets), "{sets:?} is refused");
    }
}

#[test]
fn an_extreme_number_in_a_run_is_refused_or_run_through() {
    let most = std::env::var("VOLTIDE_EXTREMES").map_or(60, |number| number.parse().unwrap());
    let room = room();
    let all: Vec<(&str, &str, &str)> = NUMBERS
        .iter()
        .flat_map(|&(path, unit)| EXTREMES.map(|extreme| (path, unit, extreme)))
        // A long run is no extreme number but much to do.
        .filter(|&(path, _, extreme)| path != "clock.days" || !["1000", "1e6"].contains(&extreme))
        .collect();
    // A step that shares no factor with the number of extremes goes through all of them.
    let step = (all.len() / most).max(1);
    let step = if step.is_multiple_of(EXTREMES.len()) { step + 1 } else { step };
    let tried = all.into_iter().step_by(step);
    let mut refused = 0;
    for (path, unit, extreme) in tried {
        refused += u32::from(is_refused(
            room.path(),
            &[format!("{path}={extreme} {unit}").trim_end().to_owned()],
        ));
    }
    assert!(refused > 10, "only {refused} were refused");
}

#[test]
fn a_run_that_schedules_units_prints_its_result_and_nothing_else() {
    let room = room();
    let output = run(room.path(), "--quiet", &[]).output().unwrap();
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(printed.lines().count() == 1 && room.path().join(printed.trim()).is_dir(), "{printed}");
    let output = run(room.path(), "--json", &[]).output().unwrap();
    let printed = text(&output.stdout);
    let summary: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert!(summary["folder"].is_string() && printed.trim_end().lines().count() == 1, "{printed}");
}
