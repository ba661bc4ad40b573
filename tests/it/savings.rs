//! What a policy saves, like for like: the figures of the example worlds, and laws for any world.

use crate::{
    engine_laws::STAYS,
    program::{run, succeed, voltide},
};
use proptest::{prelude::*, test_runner::Config};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path};

/// What `--json compare` says of each policy, by its name, in order.
fn compare(arguments: &[&str]) -> BTreeMap<String, Value> {
    let printed = succeed(voltide().args(["--json", "--quiet", "compare"]).args(arguments));
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let runs = lines.filter(|line| line["kind"] == "compared_run");
    runs.map(|line| (line["policy"].as_str().unwrap().to_owned(), line)).collect()
}

fn number(line: &Value, name: &str) -> f64 {
    line[name].as_f64().unwrap_or_else(|| panic!("{name} of {line} is no number"))
}

#[track_caller]
fn assert_saves(runs: &BTreeMap<String, Value>, policy: &str, percent: f64) {
    let found = number(&runs[policy], "saving_percent");
    // As far as two decimals tell.
    assert!((found - percent).abs() < 0.005, "{policy} saves {found} %, not {percent} %");
}

/// Ten units has one price: whoever waits for the night after the run has saved nothing.
#[test]
fn what_is_put_off_at_one_flat_price_is_not_saved() {
    let runs = compare(&["worlds/ten-units/day.ron", "--policies", "uncontrolled,smart,threshold"]);
    for policy in ["smart", "threshold"] {
        assert_saves(&runs, policy, 0.0);
        assert!(number(&runs[policy], "put_off_kwh") > 3000.0, "{policy}");
        assert!(
            number(&runs[policy], "net_cost") < 0.5 * number(&runs["uncontrolled"], "net_cost")
        );
    }
}

/// Of 400 stays that end, v2g sells 3.14 kWh that cars 3 and 45 came home with beyond their targets, and
/// uncontrolled charging keeps: 56.02 % without a price for them.
#[test]
fn v2g_in_the_street_saves_what_its_stays_that_end_do() {
    let runs = compare(&["worlds/v2g-street.ron", "--policies", "uncontrolled,smart,v2g"]);
    assert_saves(&runs, "smart", 25.84);
    assert_saves(&runs, "v2g", 55.80);
    let (v2g, baseline) = (&runs["v2g"], &runs["uncontrolled"]);
    assert_eq!((&v2g["compared_stays"], &baseline["saving_percent"]), (&400.0.into(), &0.0.into()));
    assert!((number(v2g, "emptier_kwh") - 3.1409).abs() < 1e-4);
    let cost = |line: &Value| number(line, "compared_cost");
    let raw = 100.0 * (1.0 - cost(v2g) / cost(baseline));
    assert!((raw - 56.02).abs() < 0.005, "{raw}");
    let price = v2g["stored_price_per_kwh"]["commuters"].as_f64().unwrap();
    assert!((number(v2g, "emptier_value") - 3.1409 * price).abs() < 1e-3);
    // Of a kWh charged, 95 % are stored in the street.
    let mean = number(baseline, "net_cost") / (0.95 * number(baseline, "charged_kwh"));
    assert!((price - mean).abs() < 1e-12, "{price} is not {mean}");
}

/// Four days of the German week with a twentieth of its cars.
#[test]
fn the_german_week_saves_no_energy_that_is_still_to_be_bought() {
    let small = ["--set", "fleets.commuters.count=500", "--set", "clock.days=4"];
    let policies = ["worlds/germany/week.ron", "--policies", "uncontrolled,smart,v2g"];
    let runs = compare(&[&policies[..], &small].concat());
    for policy in ["smart", "v2g"] {
        let raw =
            1.0 - number(&runs[policy], "net_cost") / number(&runs["uncontrolled"], "net_cost");
        let saving = number(&runs[policy], "saving_percent");
        assert!(saving > 0.0 && 100.0 * raw > saving + 5.0, "{policy}: {saving} % of {raw}");
        assert!(number(&runs[policy], "emptier_kwh").abs() < 1e-6, "all targets are met");
        assert!(number(&runs[policy], "put_off_kwh") > 0.0);
    }
}

/// A small world of two fleets on two tariffs.
#[derive(Debug, Clone)]
struct Shape {
    seed: u32,
    stays: &'static str,
    boundary: &'static str,
    efficiency: f64,
    trip_kwh: f64,
    charge_kw: f64,
    limit_kw: f64,
    wear: f64,
    days: u32,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let stays = prop::sample::select(STAYS.to_vec());
    let boundaries = prop::sample::select(vec!["", "planning: AtDayStart,", FOLDED]);
    let powers = (0.7..1.0_f64, 0.0..40.0_f64, 1.0..11.0_f64, 3.0..80.0_f64, 0.0..0.1_f64);
    (any::<u32>(), stays, boundaries, powers, 1..3_u32).prop_map(
        |(seed, stays, boundary, (efficiency, trip_kwh, charge_kw, limit_kw, wear), days)| Shape {
            seed,
            stays,
            boundary,
            efficiency,
            trip_kwh,
            charge_kw,
            limit_kw,
            wear,
            days,
        },
    )
}

const FOLDED: &str = "planning: AtDayStart, boundary: Fold,";

impl Shape {
    /// The world with these tariffs of the two fleets.
    fn text(&self, first: &str, second: &str) -> String {
        let Self { seed, stays, boundary, efficiency, trip_kwh, charge_kw, limit_kw, wear, days } =
            self;
        let folded = *boundary == FOLDED;
        let days = if folded { 1 } else { *days };
        // Folded days have no limits, and cars come home as they are drawn.
        let (sites, site) = if folded {
            (String::new(), "")
        } else {
            (format!(r#"sites: {{"all": (import_limit: "{limit_kw} kW")}},"#), r#", site: "all""#)
        };
        let fleet = |count: u32, tariff: &str, soc: f64| {
            format!(
                r#"(count: {count}, {tariff}
                    battery: (capacity: "50 kWh", soc_min: 0.1, charge_efficiency: {efficiency},
                        discharge_efficiency: {efficiency}, degradation: "{wear} EUR/kWh"),
                    charger: (charge_max: "{charge_kw} kW", discharge_max: "{charge_kw} kW"{site}), stays: {stays},
                    trip_energy: "{trip_kwh} kWh", soc_on_arrival: Uniform(min: {soc}, max: 0.9),
                    departure_soc: Uniform(min: 0.4, max: 0.8))"#
            )
        };
        format!(
            r#"(name: "shape", seed: {seed}, currency: "EUR", {boundary} {sites}
            system: (base_load: (path: "load.csv", column: "kw", unit: "kW")),
            tariff: {first}, tariffs: {{"two": (buy: {second})}},
            clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "30 min", days: {days}),
            fleets: {{"a": {}, "b": {}}})"#,
            fleet(4, "", 0.1),
            fleet(3, r#"tariff: "two","#, 0.5),
        )
    }

    /// What is said of each policy in the world with these tariffs.
    fn compare(
        &self,
        folder: &Path,
        tariffs: [&str; 2],
        arguments: &[&str],
    ) -> BTreeMap<String, Value> {
        let path = folder.join("shape.ron");
        fs::write(&path, self.text(tariffs[0], tariffs[1])).unwrap();
        fs::write(folder.join("load.csv"), load()).unwrap();
        compare(&[&[path.to_str().unwrap()], arguments].concat())
    }
}

/// Two days of load that no hour has twice.
fn load() -> String {
    let row = |slot: u32| {
        // Midnight of the 3rd is 22:00 of the 2nd in UTC, 44 half hours into it.
        let (day, half_hours) = (2 + (slot + 44) / 48, (slot + 44) % 48);
        let time = format!("{:02}:{:02}:00Z", half_hours / 2, half_hours % 2 * 30);
        format!("2024-06-{day:02}T{time},{}\n", 100 + slot * 37 % 61)
    };
    std::iter::once("ts,kw\n".to_owned()).chain((0..96).map(row)).collect()
}

const DAY_AND_NIGHT: &str = r#"TimeOfUse(default: "0.40 EUR/kWh", bands: [(from: "23:00", to: "06:00", price: "0.10 EUR/kWh")])"#;

proptest! {
    #![proptest_config(Config { cases: 12, ..Config::default() })]

    #[test]
    fn at_flat_prices_nobody_saves_by_moving_energy_about(shape in shapes()) {
        let folder = tempfile::tempdir().unwrap();
        let flat = [r#"Fixed("0.10 EUR/kWh")"#, r#"Fixed("0.60 EUR/kWh")"#];
        let planned_once = "uncontrolled,smart,smart-incentive,alap,v2g";
        let all = "uncontrolled,smart,smart-incentive,alap,edf,llf,round-robin,threshold,v2g";
        // A folded day is planned once, and these policies plan again.
        let policies = if shape.boundary == FOLDED { planned_once } else { all };
        let runs = shape.compare(folder.path(), flat, &["--policies", policies]);
        prop_assert_eq!(runs.len(), policies.split(',').count());
        for (policy, run) in &runs {
            let may_discharge = ["threshold", "v2g"].contains(&policy.as_str());
            prop_assert!(may_discharge || run["discharged_kwh"] == 0.0, "{}", run);
            if run["discharged_kwh"] == 0.0 {
                prop_assert!(run["saving_percent"].as_f64().is_none_or(|it| it == 0.0), "{}", run);
            }
            prop_assert!(run["saving"].as_f64().is_none_or(|it| it <= 0.0), "{}", run);
        }
    }

    #[test]
    fn tie_rules_of_equal_cost_save_the_same(shape in shapes()) {
        let folder = tempfile::tempdir().unwrap();
        let savings = ["Spread", "Earliest", "ValleyFill"].map(|tie| {
            let tie = format!("policies={{\"smart\":(tie: {tie})}}");
            // A limit cuts what falls together, and rules differ in that.
            let shape = Shape { limit_kw: 1000.0, ..shape.clone() };
            let arguments = ["--policies", "uncontrolled,smart", "--set", &tie];
            let runs = shape.compare(folder.path(), [DAY_AND_NIGHT, r#"Fixed("0.60 EUR/kWh")"#], &arguments);
            runs["smart"]["saving"].as_f64()
        });
        let [first, others @ ..] = savings;
        for other in others {
            let differ = other.unwrap_or_default() - first.unwrap_or_default();
            prop_assert!(differ.abs() < 1e-6, "{savings:?}");
        }
    }
}

/// A fork that goes on otherwise, of a run that nothing is saved against.
#[test]
fn a_fork_is_held_against_its_parent_stay_by_stay() {
    let folder = tempfile::tempdir().unwrap();
    let flat = ["--set", r#"tariff=Fixed("0.80 CNY/kWh")"#];
    let parent = run("worlds/v2g-street.ron", folder.path(), &flat);
    let fork = |change: &[&str]| {
        let mut command = voltide();
        command.args(["--json", "fork"]).arg(&parent).args(["--at", "2024-06-04T02:00", "--out"]);
        let printed = succeed(command.arg(folder.path()).args(change));
        let line: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
        line["folder"].as_str().unwrap().to_owned()
    };
    let parent = parent.to_str().unwrap();
    for (change, stays) in [
        (&["--policy", "smart"][..], 400),
        (&["--set", "fleets.commuters.count=60"], 340),
        (&["--set", "fleets.commuters.count=130"], 400),
    ] {
        let printed = succeed(voltide().args(["--json", "compare", parent, &fork(change)]));
        let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let runs: Vec<Value> = lines.filter(|line| line["kind"] == "compared_run").collect();
        assert!(number(&runs[1], "compared_stays") <= f64::from(stays), "{change:?}: {}", runs[1]);
        assert!(number(&runs[1], "compared_stays") >= 300.0, "{change:?}: {}", runs[1]);
        assert_eq!(runs[1]["saving_percent"], 0.0, "{change:?}");
    }
}

/// Runs of other draws have no stays in common, whatever their calendar.
#[test]
fn other_draws_are_no_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["1", "2"].map(|seed| {
        let run = run("worlds/one-car.ron", folder.path(), &["--seed", seed]);
        run.to_str().unwrap().to_owned()
    });
    let printed = succeed(voltide().args(["--json", "--quiet", "compare", &runs[0], &runs[1]]));
    let last: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!(last["saving_percent"]["mean"], Value::Null);
}
