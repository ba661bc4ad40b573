//! Rows of the stages that schedule a plant: each slot once a stage, and power times `step_h` is energy.

use crate::{
    program::{root, run, succeed, voltide},
    tables::{column, counts, times, words},
};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// A river of 100 kW for three days from a quarter past midnight on, and cars that nobody expects.
const WORLD: &str = r#"(
    name: "river",
    clock: (start: "START", time_zone: "Europe/Berlin", step: "15 min", days: 3),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    system: (base_load: (path: "river.csv", column: "load_kw", unit: "kW")),
    grid: (
        must_take: {"river": (output: (path: "river.csv", column: "river_kw", unit: "kW"))},
        thermal: {"gas": (power_min: "0 kW", power_max: "900 kW", ramp: "9 MW/h", cost: (b: "40 EUR/MWh"))},
        stages: (day_ahead_step: "STEP", step: "1 h", window: "2 h"),
        day_ahead_ev: None,
    ),
    fleets: {"cars": (
        count: 5,
        battery: (capacity: "60 kWh", charge_efficiency: 0.95, discharge_efficiency: 0.95),
        charger: (charge_max: "7 kW"),
        stays: Overnight(arrive: Normal(mean: "18:00", sd: "1 h"), leave: "07:00"),
        trip_energy: "9 kWh",
        soc_on_arrival: 0.5,
    )},
)"#;

fn river(folder: &Path, start: &str, step: &str) -> PathBuf {
    let first: chrono::NaiveDateTime = format!("{start}:00").parse().unwrap();
    let mut text = "ts,load_kw,river_kw\n".to_owned();
    // The file is in UTC, which Berlin's clocks are up to two hours ahead of.
    for quarter in -8..5 * 96 {
        let at = first + chrono::Duration::minutes(15 * quarter);
        writeln!(text, "{}Z,500,100", at.format("%Y-%m-%dT%H:%M:%S")).unwrap();
    }
    fs::write(folder.join("river.csv"), text).unwrap();
    let file = folder.join("river.ron");
    fs::write(&file, WORLD.replace("START", start).replace("STEP", step)).unwrap();
    file
}

/// Of the days that begin in it, how many hours a run schedules ahead.
#[test]
fn steps_of_a_stage_add_up_to_its_days() {
    for (start, step, hours) in [
        ("2024-03-30T00:15", "2 h", [23.75, 23.0, 24.0, 24.0]),
        ("2024-10-26T00:15", "2 h", [23.75, 25.0, 24.0, 24.0]),
        ("2024-10-26T00:00", "1 h", [24.0, 25.0, 24.0, 0.0]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = river(folder.path(), start, step);
        let run = run(file.to_str().unwrap(), folder.path(), &[]);
        let (stages, units) =
            (words(&run, "unit_ticks", "stage"), words(&run, "unit_ticks", "unit"));
        let (ticks, ts) = (counts(&run, "unit_ticks", "tick"), times(&run, "unit_ticks", "ts"));
        let [output_kw, step_h] =
            ["output_kw", "step_h"].map(|name| column(&run, "unit_ticks", name));
        let mut seen = BTreeMap::new();
        let mut ahead_h = BTreeMap::<_, f64>::new();
        let mut kwh = BTreeMap::<_, f64>::new();
        for row in (0..stages.len()).filter(|&row| units[row] == "river") {
            let before = seen.insert((stages[row].clone(), ticks[row]), row);
            assert_eq!(before, None, "{} has tick {} twice", stages[row], ticks[row]);
            *kwh.entry(stages[row].clone()).or_default() += output_kw[row] * step_h[row];
            if stages[row] == "day_ahead" {
                let at = chrono::DateTime::from_timestamp_micros(ts[row]).unwrap();
                let date = at.with_timezone(&chrono_tz::Europe::Berlin).date_naive();
                *ahead_h.entry(date).or_default() += step_h[row];
            }
        }
        let whole: Vec<f64> = hours.into_iter().filter(|hours| *hours > 0.0).collect();
        assert_eq!(ahead_h.into_values().collect::<Vec<_>>(), whole, "{start} in steps of {step}");
        let slots = column(&run, "system_ticks", "step_h");
        let simulated_kwh = 100.0 * slots.iter().sum::<f64>();
        for stage in ["intra_day", "settled"] {
            assert!((kwh[stage] - simulated_kwh).abs() < 1e-6, "{stage}: {}", kwh[stage]);
        }
        assert!((kwh["day_ahead"] - 100.0 * hours.iter().sum::<f64>()).abs() < 1e-6);
        succeed(voltide().args(["replay", "--verify"]).arg(&run));
    }
}

/// A plant and one car that needs nothing, beside a load from `load.csv`.
const PLANT: &str = r#"(
    name: "plant",
    clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "STEP", days: DAYS),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    system: (base_load: (path: "load.csv", column: "load_mw", unit: "MW")),
    grid: (GRID),
    fleets: {"cars": (
        count: 1,
        battery: (capacity: "60 kWh"),
        charger: (charge_max: "7 kW"),
        stays: Overnight(arrive: "17:00", leave: "07:00"),
        trip_energy: "0 kWh",
        soc_on_arrival: 0.8,
        departure_soc: 0.8,
    )},
)"#;

/// Runs [`PLANT`] with this `grid`, in slots of `step`, over as many days as have loads, by the hour.
fn run_plant(folder: &Path, grid: &str, step: &str, loads_mw: &[u32]) -> PathBuf {
    let mut text = "ts,load_mw\n".to_owned();
    for (hour, load_mw) in loads_mw.iter().enumerate() {
        writeln!(text, "2024-06-{:02}T{:02}:00:00Z,{load_mw}", 3 + hour / 24, hour % 24).unwrap();
    }
    fs::write(folder.join("load.csv"), text).unwrap();
    let file = folder.join("plant.ron");
    let days = (loads_mw.len() / 24).to_string();
    let world = PLANT.replace("STEP", step).replace("DAYS", &days).replace("GRID", grid);
    fs::write(&file, world).unwrap();
    run(file.to_str().unwrap(), folder, &[])
}

/// Coal that takes six hours to come back, and gas that cannot replace it alone.
const NIGHT: &str = r#"
    thermal: {
        "coal": (power_min: "100 MW", power_max: "400 MW", ramp: "400 MW/h",
            cost: (b: "20 EUR/MWh", c: 4000),
            commitment: (up_min: "1 h", down_min: "6 h", initially_on: true, initial_time: "8 h")),
        "gas": (power_max: "150 MW", ramp: "400 MW/h", cost: (b: "60 EUR/MWh")),
    },
    exchanges: {"abroad": (import_max: "0 MW", export_max: "100 MW",
        import_price: Fixed("1 EUR/MWh"), export_price: Fixed("0 EUR/MWh"))},
    margins: false,
    stages: STAGES,
    day_ahead_ev: None,
"#;

/// Runs [`NIGHT`] with these stages: what it costs, EUR, and what is not served, kWh.
fn night(stages: &str) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let loads = [(20, 200), (4, 80), (6, 300), (18, 200)];
    let loads_mw: Vec<u32> =
        loads.into_iter().flat_map(|(hours, load)| vec![load; hours]).collect();
    let run = run_plant(folder.path(), &NIGHT.replace("STAGES", stages), "1 h", &loads_mw);
    let [hours, unserved_kw] =
        ["step_h", "unserved_kw"].map(|name| column(&run, "system_ticks", name));
    let unserved_kwh = hours.iter().zip(&unserved_kw).map(|(hours, kw)| hours * kw).sum();
    let amounts = words(&run, "costs", "stage").into_iter().zip(column(&run, "costs", "amount"));
    let of_plant = amounts.filter(|(stage, _)| stage == "settled").map(|(_, amount)| amount);
    (of_plant.sum(), unserved_kwh)
}

/// Coal is 20 EUR/MWh and 4,000 EUR an hour. It stays on at 100 MW through the evening, of which
/// 20 MW go abroad for nothing, since 300 MW are wanted at midnight.
#[test]
fn a_plant_stays_on_through_the_evening_for_the_load_of_the_next_morning() {
    let (cost, unserved_kwh) = night("()");
    let right = 20.0 * 8_000.0 + 4.0 * 6_000.0 + 6.0 * 10_000.0 + 18.0 * 8_000.0;
    assert!((cost - right).abs() < 1e-6, "{cost}");
    assert!(unserved_kwh.abs() < 1e-6, "{unserved_kwh}");
    // One that ends at midnight turns coal off at eight in the evening: gas gives 150 MW.
    let (_, unserved_kwh) = night(r#"(day_ahead_window: "24 h")"#);
    assert!(unserved_kwh > 100_000.0, "{unserved_kwh}");
}

/// Coal that comes down from 300 MW by 40 MW an hour, in quarter hours, and stops at 100 MW. At noon
/// load falls from 400 to 100 MW.
const NOON: &str = r#"
    thermal: {
        "coal": (power_min: "100 MW", power_max: "300 MW", ramp: "40 MW/h",
            cost: (b: "20 EUR/MWh", c: 5000), commitment: (initially_on: true),
            initial_power: "300 MW"),
        "gas": (power_max: "400 MW", ramp: "4000 MW/h", cost: (b: "60 EUR/MWh")),
    },
    margins: false,
    day_ahead_ev: None,
"#;

/// What coal gives, slot by slot, and what nobody takes, kWh.
fn coal(run: &Path) -> (Vec<f64>, f64) {
    let (stages, units) = (words(run, "unit_ticks", "stage"), words(run, "unit_ticks", "unit"));
    let output_kw = column(run, "unit_ticks", "output_kw");
    let settled = (0..stages.len()).filter(|&row| stages[row] == "settled" && units[row] == "coal");
    let spilled_kw = column(run, "system_ticks", "spilled_kw");
    (settled.map(|row| output_kw[row]).collect(), spilled_kw.iter().sum::<f64>() * 0.25)
}

/// Coal takes five hours to come down, an hour more than a window is long: it is there when load
/// falls, and all that it gives is taken.
#[test]
fn a_plant_comes_down_in_time_for_a_stop_behind_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let loads_mw = [[400; 12], [100; 12]].concat();
    let run = run_plant(folder.path(), NOON, "15 min", &loads_mw);
    let (coal, spilled_kwh) = coal(&run);
    assert!(spilled_kwh.abs() < 1e-6, "{spilled_kwh} kWh");
    let off = coal.iter().position(|&kw| kw == 0.0).unwrap_or(coal.len());
    assert!(coal[off - 1] <= 100_000.0 + 1e-6, "{coal:?}");
    assert!(coal[..off].is_sorted_by(|before, now| before - now <= 10_000.0 + 1e-6), "{coal:?}");
}

/// The day's path comes from events: a fork follows it from the middle of a window on, from midnight
/// and after it.
#[test]
fn a_fork_follows_the_path_of_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let loads_mw = [[400; 12], [100; 12], [300; 12], [300; 12]].concat();
    let parent = run_plant(folder.path(), NOON, "15 min", &loads_mw);
    // Two days are seen on the first one, one on the second: of two units.
    assert_eq!(column(&parent, "paths", "output_kw").len(), (192 + 96) * 2);
    succeed(voltide().args(["replay", "--verify"]).arg(&parent));
    for at in ["41", "96", "106"] {
        let out = folder.path().join(at);
        let fork = ["--json", "fork", "--at", at, "--out"];
        let printed = succeed(voltide().args(fork).arg(&out).arg(&parent));
        let summary: serde_json::Value = serde_json::from_str(&printed).unwrap();
        let fork = root().join(summary["folder"].as_str().unwrap());
        assert_eq!(coal(&fork), coal(&parent), "at {at}");
        succeed(voltide().args(["replay", "--verify"]).arg(&fork));
    }
}
