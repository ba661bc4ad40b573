//! The paper's reference cases 04 and 06 to 08, by the shipped policies through the storage service.

use crate::{ask, bare};
use serde::Deserialize;
use std::{fs, path::Path};
use voltide_host::Plugins;
use voltide_policy::testing::{Car, ObservationBuilder};

#[derive(Deserialize)]
struct Case {
    inputs: Inputs,
    expected: Expected,
}

#[derive(Deserialize)]
struct Inputs {
    ev: Ev,
    #[serde(flatten)]
    stay: Option<Stay>,
    #[serde(default)]
    sessions: Vec<Stay>,
    #[serde(default)]
    tou96: Vec<f64>,
    #[serde(default)]
    lambda_j: Vec<f64>,
    #[serde(default)]
    lambda_j96: Vec<f64>,
    #[serde(default)]
    allow_discharge: Vec<f64>,
}

#[derive(Deserialize)]
struct Ev {
    #[serde(rename = "E")]
    capacity: f64,
    pc_max: f64,
    pd_max: f64,
    eta_c: f64,
    eta_d: f64,
    soc_max: f64,
    soc_min_v2g: f64,
    c_b: f64,
}

#[derive(Deserialize, Clone, Copy)]
struct Stay {
    t_a: f64,
    t_d: f64,
    s0: f64,
    se: f64,
}

#[derive(Deserialize)]
struct Expected {
    objective: f64,
    tol_rel: f64,
    #[serde(default)]
    sessions: Vec<Session>,
    #[serde(default)]
    p_c_spread: Vec<f64>,
}

#[derive(Deserialize)]
struct Session {
    allow: Vec<f64>,
    eq13_holds: bool,
    objective: f64,
}

fn case(name: &str) -> Case {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/paper");
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

/// One stay at the given prices, which are looked up by slot of the day or count from its first slot.
fn shown(ev: &Ev, stay: Stay, prices: &[f64], allow: &[f64], eligible: bool) -> ObservationBuilder {
    let (arrival, departure) = ((4.0 * stay.t_a).ceil() as u32, (4.0 * stay.t_d).floor() as u32);
    let horizon = (departure - arrival) as usize;
    let car = Car {
        arrival_slot: arrival,
        departure_slot: departure,
        energy_kwh: stay.s0 * ev.capacity,
        capacity_kwh: ev.capacity,
        energy_kwh_min: ev.soc_min_v2g * ev.capacity,
        energy_kwh_max: ev.soc_max * ev.capacity,
        departure_energy_kwh: stay.se * ev.capacity,
        charge_kw_max: ev.pc_max,
        discharge_kw_max: ev.pd_max,
        charge_efficiency: ev.eta_c,
        discharge_efficiency: ev.eta_d,
        degradation_per_kwh: ev.c_b,
        v2g_eligible: u8::from(eligible),
        ..Car::default()
    };
    let mut shown = ObservationBuilder::new(horizon).at(arrival).car(car);
    let of_day = |slot: usize| prices[(arrival as usize + slot) % 96];
    shown.buy_price =
        if prices.len() == 96 { (0..horizon).map(of_day).collect() } else { prices.to_vec() };
    shown.sell_price.clone_from(&shown.buy_price);
    let mut bits = vec![0; horizon.div_ceil(8)];
    for (slot, allowed) in allow.iter().enumerate() {
        bits[slot / 8] |= u8::from(*allowed > 0.5) << (slot % 8);
    }
    shown.agreed = if allow.is_empty() { Vec::new() } else { bits };
    shown
}

/// The schedule of the only car, and what (14) makes of it.
fn solved(
    plugins: &Plugins,
    policy: &str,
    config: &str,
    shown: &ObservationBuilder,
) -> (Vec<f64>, f64) {
    let mut policy = plugins.load(policy, config, 0).unwrap();
    let (mut rows, corrections) = ask(&mut *policy, shown).unwrap();
    assert_eq!(corrections, []);
    let wear = shown.build().degradation_per_kwh[0];
    let cost = |(&power, &price): (&f64, &f64)| 0.25 * (price * power + wear * (-power).max(0.0));
    let objective = rows[0].iter().zip(&shown.buy_price).map(cost).sum();
    (rows.remove(0), objective)
}

fn assert_agrees(found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{found}, not {expected}"
    );
}

#[test]
fn smart_charging_is_that_of_case_04() {
    let case = case("04_smart_one_ev.json");
    let shown = shown(&case.inputs.ev, case.inputs.stay.unwrap(), &case.inputs.tou96, &[], true);
    for policy in ["smart", "smart-incentive"] {
        let (power_kw, objective) = solved(&bare(), policy, "", &shown);
        assert_agrees(objective, case.expected.objective, case.expected.tol_rel);
        let spread = power_kw.iter().zip(&case.expected.p_c_spread);
        assert!(spread.clone().all(|(found, expected)| (found - expected).abs() < 1e-9));
    }
    for tie in ["Earliest", "Spread"] {
        let (_, objective) = solved(&bare(), "smart", &format!("tie: {tie}"), &shown);
        assert_agrees(objective, case.expected.objective, case.expected.tol_rel);
    }
}

#[test]
fn v2g_is_that_of_case_06_however_it_is_solved() {
    let Case { inputs, expected } = case("06_v2g_one_ev.json");
    let shown =
        shown(&inputs.ev, inputs.stay.unwrap(), &inputs.lambda_j, &inputs.allow_discharge, true);
    for solver in ["Exact", "Lp", "Milp"] {
        let (_, objective) = solved(&bare(), "v2g", &format!("solver: {solver}"), &shown);
        assert_agrees(objective, expected.objective, expected.tol_rel);
    }
}

#[test]
fn v2g_from_a_library_is_that_of_case_06() {
    let Case { inputs, expected } = case("06_v2g_one_ev.json");
    let shown =
        shown(&inputs.ev, inputs.stay.unwrap(), &inputs.lambda_j, &inputs.allow_discharge, true);
    let plugins = Plugins::new(&[crate::loading::beside()]);
    assert!(plugins.load("v2g", "", 0).unwrap().info().file.ends_with("v2g.so"));
    let (power_kw, objective) = solved(&plugins, "v2g", "", &shown);
    assert_agrees(objective, expected.objective, expected.tol_rel);
    assert_eq!(power_kw, solved(&bare(), "v2g", "", &shown).0);
}

#[test]
fn negative_prices_of_case_07_need_the_binaries() {
    let Case { inputs, expected } = case("07_v2g_negative_price_milp.json");
    let shown =
        shown(&inputs.ev, inputs.stay.unwrap(), &inputs.lambda_j, &inputs.allow_discharge, true);
    for solver in ["Exact", "Milp"] {
        let (_, objective) = solved(&bare(), "v2g", &format!("solver: {solver}"), &shown);
        assert_agrees(objective, expected.objective, expected.tol_rel);
    }
    let (_, linear) = solved(&bare(), "v2g", "solver: Lp", &shown);
    assert!(
        linear > expected.objective - 1e-6,
        "no schedule is cheaper than the optimum: {linear}"
    );
}

#[test]
fn drivers_of_case_08_discharge_when_they_agree_and_are_eligible() {
    let Case { inputs, expected } = case("08_v2g_willingness_gate.json");
    for solver in ["Exact", "Lp", "Milp"] {
        let mut sum = 0.0;
        for (&stay, session) in inputs.sessions.iter().zip(&expected.sessions) {
            let shown =
                shown(&inputs.ev, stay, &inputs.lambda_j96, &session.allow, session.eq13_holds);
            let (power_kw, objective) =
                solved(&bare(), "v2g", &format!("solver: {solver}"), &shown);
            assert_agrees(objective, session.objective, expected.tol_rel);
            let discharging = |(power, allow): (&f64, &f64)| *power < 0.0 && *allow < 0.5;
            assert!(!power_kw.iter().zip(&session.allow).any(discharging));
            assert!(session.eq13_holds || power_kw.iter().all(|&power| power >= 0.0));
            sum += objective;
        }
        assert_agrees(sum, expected.objective, expected.tol_rel);
    }
}
