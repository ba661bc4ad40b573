//! Kind `fleet`: a fleet from its draws, by the whole program.

use super::{Case, Disagreement, agree, all_agree, number, numbers};
use crate::{program::succeed, program::voltide, tables::column};
use serde_json::Value;
use std::{fmt::Write, fs, path::Path};

/// The policies in the case's words.
const MODES: [&str; 3] = ["uncontrolled", "smart", "v2g"];

pub(crate) fn fleet(case: &Case) -> Result<(), Disagreement> {
    let (expected, tolerance) = (case.expected(), case.tolerance());
    let folder = tempfile::tempdir().unwrap();
    let feedback = match case.inputs()["feedback_batch"].as_u64().unwrap() {
        0 => "None".to_owned(),
        cars => format!("Batch({cars})"),
    };
    let world = write_world(case, folder.path(), &feedback);
    for (mode, run) in MODES.into_iter().zip(runs(&world, folder.path())) {
        let cost = number(&run["net_cost"]);
        agree(&format!("cost {mode}"), cost, number(&expected["cost"][mode]), tolerance)?;
        for (name, found) in
            [("energy_charged", "charged_kwh"), ("energy_discharged", "discharged_kwh")]
        {
            if mode != "v2g" {
                agree(
                    &format!("{name} {mode}"),
                    number(&run[found]),
                    number(&expected[name][mode]),
                    tolerance,
                )?;
            }
        }
        if mode == "v2g" {
            agree("objective", cost, number(&expected["objective"]), tolerance)?;
        }
        let profile = match mode {
            "uncontrolled" => "aggregate_uncontrolled_kw",
            "smart" => "aggregate_smart_spread_kw",
            _ => continue,
        };
        let charged =
            column(Path::new(run["folder"].as_str().unwrap()), "system_ticks", "ev_charge_kw");
        all_agree(profile, &charged, &numbers(&expected[profile]), 1e-6)?;
    }
    Ok(())
}

/// Kind `two_stage_day`, its first step: prices and plans. The other steps are the grid's.
pub(crate) fn user_costs(case: &Case) -> Result<(), Disagreement> {
    let expected = case.expected();
    let folder = tempfile::tempdir().unwrap();
    let feedback = case.inputs()["price_feedback"].as_str().unwrap();
    let world = write_world(case, folder.path(), feedback);
    for (mode, run) in MODES.into_iter().zip(runs(&world, folder.path())) {
        let tolerance = number(&expected["tolerance"]["user_cost_rel"][mode]);
        let cost = number(&run["net_cost"]);
        agree(&format!("cost {mode}"), cost, number(&expected["user_cost"][mode]), tolerance)?;
        let given = &case.inputs()["ev_kw"][mode]["charge"];
        if mode != "v2g" {
            let charged =
                column(Path::new(run["folder"].as_str().unwrap()), "system_ticks", "ev_charge_kw");
            all_agree("charge", &charged, &numbers(given), 1e-6)?;
        }
    }
    Ok(())
}

/// The summaries of the three modes.
pub(crate) fn runs(world: &Path, folder: &Path) -> Vec<Value> {
    let mut command = voltide();
    command
        .args(["--json", "compare"])
        .arg(world)
        .args(["--policies", &MODES.join(","), "--out"])
        .arg(folder);
    let printed = succeed(&mut command);
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_run =
        |line: &Value| line["kind"] == "compared_run" && line["policy"] != "smart-incentive";
    lines.filter(is_run).collect()
}

/// A world of the case's fleet on the case's day, beside copies of its data.
pub(crate) fn write_world(case: &Case, folder: &Path, feedback: &str) -> std::path::PathBuf {
    fs::copy(case.file("fleet_csv"), folder.join("fleet.csv")).unwrap();
    fs::write(folder.join("day.csv"), dated(&fs::read_to_string(case.file("day_csv")).unwrap()))
        .unwrap();
    let params: Value =
        serde_json::from_str(&fs::read_to_string(case.file("params")).unwrap()).unwrap();
    let ev = &params["ev"];
    let of_ev = |name: &str| number(&ev[name]);
    let curve = |name: &str| {
        let part = |letter: &str| number(&ev["W"][format!("{letter}_{name}")]);
        format!("(a: {:?}, b: {:?}, c: {:?})", part("a"), part("b"), part("c"))
    };
    let series = |column: &str| format!(r#"(path: "day.csv", column: "{column}", unit: "kW")"#);
    let mut world = String::new();
    write!(
        world,
        r#"(
    name: "case", seed: 1, currency: "CNY", planning: AtDayStart, boundary: Fold,
    clock: (start: "2024-06-03T00:00", time_zone: "Asia/Shanghai", step: "15 min", days: 1),
    tariff: Series(path: "day.csv", column: "tou_rmb_per_kwh", unit: "CNY/kWh"),
    system: (base_load: {}, wind: {}, pv: {}),
    incentive: (rho: {:?}, floor: "0 CNY/kWh", price_feedback: {feedback}, expected_price: Proportional({:?})),
    fleets: {{"cars": (
        battery: (
            capacity: "{:?} kWh", soc_min: {:?}, soc_max: {:?}, soc_min_v2g: {:?},
            charge_efficiency: {:?}, discharge_efficiency: {:?}, degradation: "{:?} CNY/kWh",
        ),
        charger: (charge_max: "{:?} kW", discharge_max: "{:?} kW"),
        stays: Listed(path: "fleet.csv"),
        willingness: (optimistic: {}, pessimistic: {}, participation: Threshold({:?})),
    )}},
)"#,
        series("base_kw"),
        series("wind_forecast_kw"),
        series("pv_forecast_kw"),
        of_ev("rho"),
        of_ev("lambda_e_kappa"),
        of_ev("E"),
        of_ev("soc_min"),
        of_ev("soc_max"),
        of_ev("soc_min_v2g"),
        of_ev("eta_c"),
        of_ev("eta_d"),
        of_ev("c_b"),
        of_ev("pc_max"),
        of_ev("pd_max"),
        curve("op"),
        curve("pess"),
        of_ev("gamma"),
    )
    .unwrap();
    let path = folder.join("case.ron");
    fs::write(&path, world).unwrap();
    path
}

/// The case's day with a timestamp before each row.
fn dated(csv: &str) -> String {
    let mut lines = csv.lines();
    let mut dated = format!("ts,{}\n", lines.next().unwrap());
    for (slot, line) in lines.enumerate() {
        writeln!(dated, "2024-06-03T{:02}:{:02}:00+08:00,{line}", slot / 4, 15 * (slot % 4))
            .unwrap();
    }
    dated
}
