//! What fleets and sites could do otherwise: edges that are followed and left, changes that a
//! search finds, and levels that hold as often as they say.

mod changes;

use crate::{
    engine::{scenario, shown, shown_by},
    tables::{column, counts, words},
};
use std::{path::Path, sync::Arc};
use voltide_host::Plugins;
use voltide_model::scenario::Scenario;
use voltide_policy::Observation;
use voltide_telemetry::{Options, RunStatus, Telemetry};

/// Ten cars for two nights, of which some have no time for a full turn and some come too late for
/// their target; all are gone when the run ends.
const NIGHTS: &str = r#"(
    name: "nights", seed: 3, currency: "EUR", tariff: Fixed("0.30 EUR/kWh"),
    clock: (start: "2024-06-03T12:00", time_zone: "Europe/Berlin", step: "15 min", days: 2),
    fleets: {
        "cars": (
            count: 10,
            battery: (capacity: Normal(mean: "50 kWh", sd: "9 kWh", min: "20 kWh"), soc_min: 0.1,
                soc_max: 0.95, soc_min_v2g: 0.25, charge_efficiency: 0.9, discharge_efficiency: 0.8),
            charger: (charge_max: "7 kW", discharge_max: "5 kW"),
            stays: Overnight(
                arrive: Normal(mean: "20:00", sd: "2 h"), leave: Normal(mean: "06:00", sd: "2 h")),
            trip_energy: "6 kWh",
            soc_on_arrival: Normal(mean: 0.4, sd: 0.15, min: 0.15, max: 0.9),
            departure_soc: Normal(mean: 0.8, sd: 0.1, min: 0.5, max: 0.95),
        ),
    },
)"#;

/// How a test's planner goes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// As soon as can be.
    Soonest,
    /// As far down as it may, and back as late as it can.
    Latest,
    /// The same, and back a slot later.
    TooLate,
}

/// Powers of one stay from slot to slot, kW, from what the policy is shown of it.
fn powers(seen: &Observation<'_>, row: usize, slots: usize, way: Way) -> Vec<f64> {
    let stored = seen.charge_kw_max[row] * seen.charge_efficiency[row] * seen.slot_hours;
    let eligible = f64::from(seen.v2g_eligible[row]);
    let drawn =
        eligible * seen.discharge_kw_max[row] / seen.discharge_efficiency[row] * seen.slot_hours;
    let target = seen.departure_energy_kwh[row].min(seen.energy_kwh_max[row]);
    let late = f64::from(u8::from(way == Way::TooLate));
    let mut energy_kwh = seen.energy_kwh[row];
    let mut power = |slot: usize| {
        let left = (slots - 1 - slot) as f64 + late;
        let next = match way {
            Way::Soonest => (energy_kwh + stored).min(seen.energy_kwh_max[row]),
            Way::Latest | Way::TooLate => (target - left * stored)
                .max(energy_kwh - drawn)
                .max(seen.energy_kwh_min[row])
                .min(energy_kwh + stored),
        };
        let moved = next - energy_kwh;
        energy_kwh = next;
        let efficiency = if moved > 0.0 {
            1.0 / seen.charge_efficiency[row]
        } else {
            seen.discharge_efficiency[row]
        };
        moved * efficiency / seen.slot_hours
    };
    (0..slots).map(&mut power).collect()
}

/// The tables of a run that goes so.
fn nights(folder: &Path, way: Way) {
    let scenario = scenario(NIGHTS, folder);
    let telemetry = Telemetry::create(folder, &scenario, Options::default()).unwrap();
    let planner = move |seen: &Observation<'_>, schedules: &mut voltide_policy::Schedules<'_>| {
        for stay in seen.stays() {
            let window = stay.window();
            let powers = powers(seen, stay.row, window.len(), way);
            window.zip(powers).for_each(|(slot, kw)| schedules.row(stay).set(slot, kw));
        }
        Vec::new()
    };
    shown_by(&scenario, planner, telemetry).finish(RunStatus::Finished).unwrap();
}

/// Columns of the rows of a fleet or a site.
fn of_group<const COLUMNS: usize>(
    run: &Path,
    (kind, number): (&str, i32),
    names: [&str; COLUMNS],
) -> Vec<[f64; COLUMNS]> {
    let kinds = words(run, "fleet_ticks", "kind");
    let numbers = counts(run, "fleet_ticks", "number");
    let columns = names.map(|name| column(run, "fleet_ticks", name));
    let rows = (0..kinds.len()).filter(|&row| kinds[row] == kind && numbers[row] == number);
    rows.map(|row| std::array::from_fn(|place| columns[place][row])).collect()
}

const FLEET: (&str, i32) = ("fleet", 0);

const BAND: [&str; 4] = ["energy_kwh", "band_low_kwh", "band_low_agreed_kwh", "band_high_kwh"];

/// What missed its target, in kWh, of sessions that had time for it on arrival.
fn missing(run: &Path) -> Vec<f64> {
    let reasons = words(run, "sessions", "missed_reason");
    let missing = column(run, "sessions", "missing_kwh").into_iter().zip(reasons);
    missing.filter(|(_, reason)| reason != "too_short").map(|(kwh, _)| kwh).collect()
}

#[test]
fn who_follows_an_edge_of_the_band_meets_every_wish_and_who_leaves_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        let at = folder.path().join(name);
        std::fs::create_dir(&at).unwrap();
        at
    };
    let (soonest, latest, late) = (at("soonest"), at("latest"), at("late"));
    nights(&soonest, Way::Soonest);
    nights(&latest, Way::Latest);
    nights(&late, Way::TooLate);
    for (run, edge) in [(&soonest, 3), (&latest, 1), (&latest, 2)] {
        let rows = of_group(run, FLEET, BAND);
        let off = rows.iter().map(|row| (row[0] - row[edge]).abs()).fold(0.0, f64::max);
        assert!(off < 1e-6, "{} is {off} kWh off", BAND[edge]);
        assert!(missing(run).iter().all(|&kwh| kwh < 1e-6));
    }
    let band = |run: &Path| of_group(run, FLEET, [BAND[1], BAND[3]]);
    let widest = band(&latest).iter().map(|[low, high]| high - low).fold(0.0, f64::max);
    assert!(widest > 100.0, "{widest} kWh");
    // A slot too late the fleet falls below its edge in the end, and all that can miss it.
    let rows = of_group(&late, FLEET, BAND);
    assert!(rows.iter().any(|row| row[0] < row[1] - 1.0), "it stays within");
    let missed = missing(&late).iter().filter(|&&kwh| kwh > 1.0).count();
    assert!(missed >= 15, "{missed} of 20");
}

/// Sixteen cars of as many sizes in each of two fleets, whose drivers are asked, with an hour a
/// slot; the fleets' chargers have these powers, kW.
fn asked(seed: u32, participation: &str, powers: [f64; 2]) -> String {
    let fleet = |name: &str, power: f64| {
        format!(
            r#""{name}": (
            count: 16,
            battery: (capacity: Normal(mean: "50 kWh", sd: "9 kWh", min: "20 kWh"), soc_min: 0.1,
                soc_min_v2g: 0.2, degradation: "0.02 EUR/kWh"),
            charger: (charge_max: "{power} kW", discharge_max: "{power} kW", site: "park"),
            stays: Overnight(arrive: "14:30", leave: "07:30"),
            trip_energy: "6 kWh",
            soc_on_arrival: Normal(mean: 0.6, sd: 0.1, min: 0.3, max: 0.9),
            departure_soc: 0.8,
            willingness: (optimistic: (a: 1, b: 8, c: 0.9), pessimistic: (a: 3, b: 6, c: 0.3),
                participation: {participation}),
        )"#
        )
    };
    format!(
        r#"(
    name: "asked", seed: {seed}, currency: "EUR",
    clock: (start: "2024-06-03T12:00", time_zone: "Europe/Berlin", step: "60 min", days: 1),
    tariff: TimeOfUse(default: "0.30 EUR/kWh",
        bands: [(from: "17:00", to: "21:00", price: "0.50 EUR/kWh")]),
    system: (base_load: TimeOfUse(default: "200 kW",
        bands: [(from: "17:00", to: "21:00", value: "400 kW")])),
    incentive: (rho: 0.6, floor: "0 EUR/kWh", expected_price: Proportional(1.0)),
    sites: {{"park": (import_limit: "2 MW", export_limit: "2 MW")}},
    fleets: {{{}, {}}},
    telemetry: (ev_ticks: Off),
)"#,
        fleet("slow", powers[0]),
        fleet("quick", powers[1])
    )
}

/// What could be taken off in the slot from 18:00 on, kW, if those did it who agree, on average, and
/// what holds with 90 and 99 %.
fn offered(scenario: &Arc<Scenario>, policy: &str) -> [f64; 4] {
    let folder = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::create(folder.path(), scenario, Options::default()).unwrap();
    let planner = Plugins::in_folders(vec![]).load(policy, "", 0).unwrap();
    shown(scenario, (planner, None), telemetry).finish(RunStatus::Finished).unwrap();
    let names = ["cut_1h_agreed_kw", "cut_1h_expected_kw", "cut_1h_p90_kw", "cut_1h_p99_kw"];
    of_group(folder.path(), ("site", 0), names)[6]
}

/// Of as many seeds as `VOLTIDE_SEEDS` says, or some: other cars, other draws. Under `smart`
/// what batteries hold decides; `v2g` fills those that will give, so that there power does.
#[test]
fn a_level_holds_as_often_as_it_says() {
    let seeds: u32 = std::env::var("VOLTIDE_SEEDS").map_or(100, |seeds| seeds.parse().unwrap());
    for (policy, participation, powers) in [
        ("smart", "Threshold(0.5)", [22.0, 50.0]),
        ("smart", "Bernoulli", [22.0, 50.0]),
        ("v2g", "Threshold(0.5)", [5.3, 8.3]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let world = |seed| scenario(&asked(seed, participation, powers), folder.path());
        let runs: Vec<[f64; 4]> = (0..seeds).map(|seed| offered(&world(seed), policy)).collect();
        let n = runs.len() as f64;
        for (place, share) in [(2, 0.9), (3, 0.99)] {
            let held = runs.iter().filter(|run| run[0] >= run[place] - 1e-6).count() as f64 / n;
            let error = 3.0 * (share * (1.0 - share) / n).sqrt();
            assert!((held - share).abs() <= error, "{policy} {participation}: {held} of {share}");
        }
        let mean = |at: fn(&[f64; 4]) -> f64| runs.iter().map(at).sum::<f64>() / n;
        let (agreed, expected) = (mean(|run| run[0]), mean(|run| run[1]));
        let spread = mean(|run| (run[0] - run[1]).powi(2)).sqrt();
        let error = 3.0 * spread / n.sqrt();
        assert!((agreed - expected).abs() <= error, "{policy}: {agreed}, {expected} expected");
        assert!(spread > 5.0, "draws decide: {spread} kW");
    }
}
