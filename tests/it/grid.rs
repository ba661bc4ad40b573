//! Worlds with a plant, by the whole program: the case study's tables, balances, replay.

use crate::{
    program::{assert_same_files, files, run, run_json, succeed, voltide},
    tables::column,
};
use serde_json::Value;
use std::path::Path;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A figure of the case study for the three policies.
fn row(figures: &[Value], case: u32, figure: &str) -> [f64; 3] {
    ["uncontrolled", "smart", "v2g"].map(|policy| {
        let found = figures.iter().find(|line| {
            line["case"] == case && line["figure"] == figure && line["policy"] == policy
        });
        number(&found.unwrap_or_else(|| panic!("{figure} of {policy} in case {case}"))["amount"])
    })
}

#[track_caller]
fn assert_falls([uncontrolled, smart, v2g]: [f64; 3]) {
    assert!(uncontrolled > smart && smart > v2g, "{uncontrolled} > {smart} > {v2g}");
}

/// What holds in the case study whatever optimum a solver picks.
#[test]
fn the_case_study_comes_out_as_the_paper_says_where_it_can() {
    let out = tempfile::tempdir().unwrap();
    let mut command = voltide();
    command.args([
        "--json",
        "compare",
        "worlds/paper/paper.ron",
        "--policies",
        "uncontrolled,smart,v2g",
    ]);
    let printed = succeed(command.args(["--cases", "1,2", "--out"]).arg(out.path()));
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_kind =
        |kind: &str| lines.iter().filter(|line| line["kind"] == kind).cloned().collect::<Vec<_>>();
    let figures = of_kind("compared_figure");
    assert_falls(row(&figures, 2, "user_cost"));
    assert_falls(row(&figures, 2, "penalty"));
    assert_falls(row(&figures, 2, "total"));
    assert_falls(row(&figures, 1, "shortfall_down_kw_slots"));
    assert!(row(&figures, 1, "shortfall_down_kw_slots")[2] > 0.0);
    let [uncontrolled, smart, v2g] = row(&figures, 2, "thermal");
    assert!(uncontrolled < smart && smart < v2g);
    for name in ["shortfall_up_kw_slots", "unserved_kwh"] {
        assert!(row(&figures, 1, name).iter().all(|amount| amount.abs() < 1e-6), "{name}");
    }
    for name in ["shortfall_kwh", "unserved_kwh"] {
        assert!(row(&figures, 2, name).iter().all(|amount| *amount < 1e-6), "{name}");
    }
    assert!(row(&figures, 2, "margin_slack_cost").iter().all(|amount| amount.abs() < 1e-6));
    let runs: Vec<Value> = of_kind("compared_run")
        .into_iter()
        .filter(|line| line["policy"] != "smart-incentive")
        .collect();
    for name in ["net_load_peak_kw", "net_load_sd_kw"] {
        assert_falls([0, 1, 2].map(|at| number(&runs[at][name])));
    }
    let published =
        figures.iter().find(|line| line["figure"] == "thermal" && line["case"] == 2).unwrap();
    // The first of the row in `worlds/paper/data/published.csv`.
    assert_eq!(published["published"], 11308.0);
    assert!(out.path().join("comparison.parquet").is_file());
}

/// What stores hold follows from what goes in and out, slot by slot.
fn assert_stores_balance(run: &Path, kind: &str, efficiency: f64, initial_kwh: f64) {
    let [charge, discharge, energy] =
        ["charge_kw", "discharge_kw", "energy_kwh"].map(|name| column(run, "unit_ticks", name));
    let kinds = crate::tables::words(run, "unit_ticks", "unit_kind");
    let stages = crate::tables::words(run, "unit_ticks", "stage");
    let mut held = initial_kwh;
    let of_kind = (0..kinds.len()).filter(|&at| kinds[at] == kind && stages[at] == "settled");
    for at in of_kind {
        held += 0.25 * (efficiency * charge[at] - discharge[at] / efficiency);
        assert!((held - energy[at]).abs() < 1e-6, "{held} kWh, not {} kWh", energy[at]);
        assert!(charge[at].min(discharge[at]) < 1e-6, "both at once");
        held = energy[at];
    }
}

#[test]
fn balances_close_and_a_replay_rebuilds_the_plant() {
    let out = tempfile::tempdir().unwrap();
    for sets in
        [&[][..], &["--set", "grid.stages.step=1 h"], &["--set", "grid.readings.ev_in_supply=true"]]
    {
        let arguments = [&["--policy", "v2g"][..], sets].concat();
        let run = run("worlds/paper/paper.ron", out.path(), &arguments);
        assert!(column(&run, "system_ticks", "residual_kw").iter().all(|kw| kw.abs() <= 1e-6));
        // Efficiencies, and what the stores hold at first, as the world says.
        assert_stores_balance(&run, "ess", 0.95, 880.0);
        assert_stores_balance(&run, "pumped_hydro", 0.87, 750.0);
        succeed(voltide().args(["replay", "--verify"]).arg(&run));
    }
}

/// Per solve, the parts of the objective add up to it.
#[test]
fn the_parts_of_every_objective_add_up() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/paper/paper.ron", out.path(), &["--policy", "smart"]);
    let printed = succeed(voltide().args(["--json", "log", "cat"]).arg(&run));
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let solves: Vec<Value> =
        lines.filter(|line| line.to_string().contains("SolveFinished")).collect();
    assert_eq!(solves.len(), 97, "one day ahead and 96 windows");
    for solve in solves {
        let payload = solve.pointer("/payload").unwrap_or(&solve).clone();
        let parts = payload["components"].as_array().unwrap();
        let sum: f64 = parts.iter().map(|part| number(&part[1])).sum();
        let objective = number(&payload["objective"]);
        assert!(
            (sum - objective).abs() <= 1e-9 * objective.abs().max(1.0),
            "{sum} is not {objective}"
        );
    }
}

/// Two days of Germany, whose cars are planned when they plug in.
#[test]
fn a_real_system_serves_everyone_under_every_policy() {
    let out = tempfile::tempdir().unwrap();
    let small = ["--set", "clock.days=2", "--set", "telemetry.ev_ticks=Off", "--policy"];
    for policy in ["uncontrolled", "smart", "v2g"] {
        let summary =
            run_json("worlds/germany/week.ron", out.path(), &[&small[..], &[policy]].concat());
        assert!(number(&summary["unserved_kwh"]) < 1e-6, "{policy}");
        assert!(number(&summary["residual_kw_max"]) < 1e-6, "{policy}");
        assert!(number(&summary["system_cost"]["thermal"]) > 0.0, "{policy}");
    }
    let threads = |threads: &str| {
        let folder = out.path().join(threads);
        let arguments =
            [&small[..], &["v2g", "--threads", threads, "--set", "fleets.commuters.count=500"]];
        files(&run("worlds/germany/week.ron", &folder, &arguments.concat()))
    };
    assert_same_files(&threads("1"), &threads("2"));
}

/// What is not enough is priced and reported, never a crash.
#[test]
fn a_plant_that_is_too_small_leaves_load_unserved_at_a_price() {
    let out = tempfile::tempdir().unwrap();
    let sets = [
        "--set",
        "grid.thermal.thermal.power_max=950 kW",
        "--set",
        "grid.interruptible.load.power_max=0 kW",
    ];
    let summary = run_json("worlds/paper/paper.ron", out.path(), &sets);
    assert_eq!(summary["status"], "finished");
    assert!(number(&summary["unserved_kwh"]) > 0.0);
    assert_eq!(summary["unserved_price_per_kwh"], 50.0);
    let cost = number(&summary["system_cost"]["unserved"]);
    assert!((cost - 50.0 * number(&summary["unserved_kwh"])).abs() < 1e-3);
}

/// Which load of cars the day-ahead stage is shown changes its schedule, and nothing that cars do.
#[test]
fn the_day_ahead_stage_is_shown_the_load_that_the_world_says() {
    let out = tempfile::tempdir().unwrap();
    let objective = |shown: &str| {
        let set = format!("grid.day_ahead_ev={shown}");
        let summary =
            run_json("worlds/paper/paper.ron", out.path(), &["--policy", "v2g", "--set", &set]);
        let run = Path::new(summary["folder"].as_str().unwrap()).to_owned();
        (column(&run, "solves", "objective")[0], number(&summary["net_cost"]))
    };
    let shown = ["Plan", "Smart", "Uncontrolled", "None"].map(objective);
    assert!(shown.iter().all(|(_, cost)| (cost - shown[0].1).abs() < 1e-9));
    let [plan, smart, uncontrolled, none] = shown.map(|(objective, _)| objective);
    assert!(uncontrolled > smart && smart > none && (plan - smart).abs() > 1.0, "{shown:?}");
}

/// (15) to (20) by the tables: what units must follow from a slot to the next is the change of load
/// and cars less wind, sun and what nobody steers.
#[test]
fn flexibility_is_wanted_for_net_load_less_what_nobody_steers() {
    let out = tempfile::tempdir().unwrap();
    let sets = ["--set", "clock.days=1", "--set", "fleets.commuters.count=60", "--policy", "v2g"];
    let run = run("worlds/germany/week.ron", out.path(), &sets);
    let of_system = |name: &str| column(&run, "system_ticks", name);
    let mut net_load = of_system("net_load_kw");
    let kinds = crate::tables::words(&run, "unit_ticks", "unit_kind");
    let stages = crate::tables::words(&run, "unit_ticks", "stage");
    let ticks = crate::tables::counts(&run, "unit_ticks", "tick");
    let output = column(&run, "unit_ticks", "output_kw");
    let mut steered_by_nobody = 0.0;
    for row in (0..kinds.len()).filter(|&row| kinds[row] == "must_take" && stages[row] == "settled")
    {
        net_load[ticks[row] as usize] -= output[row];
        steered_by_nobody += output[row];
    }
    assert!(steered_by_nobody > 1e5, "the world has such units");
    let wanted = of_system("flex_demand_up_kw").into_iter().zip(of_system("flex_demand_down_kw"));
    let last = net_load.len() - 1;
    for (tick, (up, down)) in wanted.enumerate().take(last) {
        let change = net_load[tick + 1] - net_load[tick];
        let found = up - down;
        assert!(
            (found - change).abs() < 1e-5,
            "{tick}: {found} kW, net load changes by {change} kW"
        );
    }
}

/// (30): a car can charge less, and where its driver agrees it can discharge besides. Batteries of
/// this day are never so empty that they would end it within a slot.
#[test]
fn cars_offer_to_discharge_only_where_their_drivers_agree() {
    let out = tempfile::tempdir().unwrap();
    let sets = ["--policy", "smart", "--set", "grid.readings.ev_in_supply=true"];
    let run = run("worlds/paper/paper.ron", out.path(), &sets);
    let mut of_cars = column(&run, "system_ticks", "flex_supply_up_kw");
    let stages = crate::tables::words(&run, "unit_ticks", "stage");
    let ticks = crate::tables::counts(&run, "unit_ticks", "tick");
    let of_units = column(&run, "unit_ticks", "flex_up_kw");
    for row in (0..stages.len()).filter(|&row| stages[row] == "settled") {
        of_cars[ticks[row] as usize] -= of_units[row];
    }
    let charging = column(&run, "system_ticks", "ev_charge_kw");
    let agreed = crate::tables::counts(&run, "system_ticks", "agreed");
    for (tick, &found) in of_cars.iter().enumerate() {
        let offered = charging[tick] + 7.0 * f64::from(agreed[tick]);
        assert!((found - offered).abs() < 1e-6, "{tick}: {found} kW instead of {offered} kW");
    }
    assert!(agreed.contains(&0) && agreed.iter().any(|&drivers| drivers > 5));
}

/// A plant that may not start again in time: a load of 300 MW, of which gas gives half.
const BLACKOUT: &str = r#"(
    name: "blackout", seed: 1, currency: "EUR", tariff: Fixed("0.30 EUR/kWh"),
    clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "1 h", days: 1),
    system: (base_load: (path: "load.csv", column: "mw", unit: "MW")),
    grid: (
        thermal: {"gas": (power_max: "150 MW", ramp: "400 MW/h", cost: (b: "60 EUR/MWh"))},
        slack: (unserved: "9 EUR/kWh"), margins: false,
    ),
    fleets: {"car": (count: 1, battery: (capacity: "60 kWh"), charger: (charge_max: "7 kW"),
        stays: Overnight(arrive: "17:00", leave: "07:00"), trip_energy: "0 kWh", soc_on_arrival: 0.8,
        departure_soc: 0.8)},
)"#;

/// Energy not served is a part of system cost, at a price that is named, whoever prints it.
#[test]
fn a_blackout_is_no_way_to_save() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("blackout.ron");
    std::fs::write(&world, BLACKOUT).unwrap();
    let hour =
        |hour: u32| format!("2024-06-03T{hour:02}:00:00Z,{}\n", if hour < 2 { 300 } else { 100 });
    let load = std::iter::once("ts,mw\n".to_owned()).chain((0..24).map(hour)).collect::<String>();
    std::fs::write(folder.path().join("load.csv"), load).unwrap();
    let world = world.to_str().unwrap();
    let summary = run_json(world, folder.path(), &[]);
    let cost = |name: &str| number(&summary["system_cost"][name]);
    assert!((number(&summary["unserved_kwh"]) - 300_000.0).abs() < 1e-3);
    assert_eq!(summary["unserved_price_per_kwh"], 9.0);
    assert!((cost("unserved") - 2_700_000.0).abs() < 1e-2);
    assert!((cost("thermal") - 60.0 * (2.0 * 150.0 + 22.0 * 100.0)).abs() < 1e-2);
    assert!((cost("total") - cost("thermal") - cost("unserved")).abs() < 1e-6);
    let billed: f64 =
        column(Path::new(summary["folder"].as_str().unwrap()), "costs", "amount").iter().sum();
    assert!((billed - cost("total")).abs() < 1e-6, "{billed}");
    let printed = succeed(voltide().args(["run", world, "--out"]).arg(folder.path()));
    assert!(printed.contains("not served or taken 2,700,000 (at 9.00 EUR/kWh)"), "{printed}");
    let mut command = voltide();
    command.args(["--json", "compare", world, "--policies", "uncontrolled", "--cases", "1"]);
    let printed = succeed(&mut command);
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let figure = |name: &str| {
        number(
            &lines.iter().find(|line| line["figure"] == name).unwrap_or_else(|| panic!("{name}"))["amount"],
        )
    };
    assert!((figure("total") - cost("total")).abs() < 1e-6);
    assert!((figure("unserved") - cost("unserved")).abs() < 1e-6);
}

/// The ten units may be switched for less than their schedules by more than two policies differ.
#[test]
fn a_difference_within_the_solver_s_gap_is_marked() {
    let out = tempfile::tempdir().unwrap();
    let world = "worlds/ten-units/day.ron";
    let run = run_json(world, out.path(), &[]);
    assert!(number(&run["solver_gap"]) > 1000.0, "{}", run["solver_gap"]);
    let mut command = voltide();
    command.args(["--json", "compare", world, "--policies", "uncontrolled,smart", "--cases", "1"]);
    let printed = succeed(&mut command);
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let marks: Vec<Value> = lines.filter(|line| line["kind"] == "within_solver_gap").collect();
    let [mark] = marks.as_slice() else { panic!("{marks:?}") };
    assert_eq!((&mark["policy"], &mark["against"]), (&"smart".into(), &"uncontrolled".into()));
    assert!(number(&mark["difference"]).abs() < number(&mark["solver_gap"]));
    assert!(number(&mark["solver_gap"]) > number(&run["solver_gap"]));
}
