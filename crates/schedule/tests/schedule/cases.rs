//! The reference instances 03 to 07, with the tolerances they state.

use crate::instances::{agree, solve};
use serde::Deserialize;
use voltide_schedule::{
    Method, MissedReason, Outcome, PerSlot, StorageProblem, StorageProgram, TieRule, check, linear::Budget,
};

#[derive(Deserialize)]
struct Case {
    inputs: Inputs,
    expected: Expected,
}

#[derive(Deserialize)]
struct Inputs {
    t_a: f64,
    t_d: f64,
    s0: f64,
    se: f64,
    ev: Ev,
    #[serde(default)]
    tou96: Vec<f64>,
    #[serde(default)]
    lambda_j: Vec<f64>,
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
    soc_min: f64,
    soc_max: f64,
    soc_min_v2g: f64,
    c_b: f64,
}

#[derive(Deserialize)]
struct Expected {
    objective: f64,
    tol_rel: f64,
    #[serde(default)]
    p_c: Vec<f64>,
    #[serde(default)]
    p_c_spread: Vec<f64>,
    soc_end: Option<f64>,
    lp_relaxation_objective: Option<f64>,
}

/// A case with its prices and limits on the slots that lie wholly inside the stay.
struct Stay {
    case: Case,
    prices: Vec<f64>,
    discharge_kw: Vec<f64>,
}

fn read(name: &str) -> Stay {
    let path = format!("{}/../../tests/cases/paper/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let case: Case = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let inputs = &case.inputs;
    let slots = (4.0 * inputs.t_a).ceil() as usize..(4.0 * inputs.t_d).floor() as usize;
    let (prices, discharge_kw) = if inputs.lambda_j.is_empty() {
        (slots.clone().map(|slot| inputs.tou96[slot % 96]).collect(), vec![0.0; slots.len()])
    } else {
        (inputs.lambda_j.clone(), inputs.allow_discharge.iter().map(|w| w * inputs.ev.pd_max).collect())
    };
    assert_eq!(prices.len(), slots.len());
    Stay { case, prices, discharge_kw }
}

impl Stay {
    fn problem(&self) -> StorageProblem<'_> {
        let Inputs { s0, se, ev, .. } = &self.case.inputs;
        let v2g = self.discharge_kw.iter().any(|&power| power > 0.0);
        let soc_min = if v2g { ev.soc_min_v2g } else { ev.soc_min };
        StorageProblem {
            slot_hours: 0.25,
            buy: &self.prices,
            sell: &self.prices,
            degradation: ev.c_b,
            charge_kw_max: PerSlot::Same(ev.pc_max),
            discharge_kw_max: PerSlot::Each(&self.discharge_kw),
            energy_kwh_min: PerSlot::Same(soc_min.min(*s0) * ev.capacity),
            energy_kwh_max: PerSlot::Same(ev.soc_max.max(*s0) * ev.capacity),
            energy_kwh: s0 * ev.capacity,
            target_kwh: se * ev.capacity,
            charge_efficiency: ev.eta_c,
            discharge_efficiency: ev.eta_d,
            terminal_value: 0.0,
            tie: TieRule::Spread,
        }
    }

    fn agrees(&self, objective: f64) {
        let expected = &self.case.expected;
        assert!(agree(objective, expected.objective, expected.tol_rel), "{objective} {}", expected.objective);
    }
}

fn assert_profile(power: &[f64], expected: &[f64]) {
    assert_eq!(power.len(), expected.len());
    for (slot, (power, expected)) in power.iter().zip(expected).enumerate() {
        assert!((power - expected).abs() <= 1e-9, "slot {slot}: {power} kW, not {expected} kW");
    }
}

#[test]
fn paper_03_as_early_as_possible_is_uncontrolled_charging() {
    let stay = read("03_uncontrolled_one_ev");
    // Without prices, the earliest schedule is the one that charges at once.
    let flat = vec![1.0; stay.prices.len()];
    let problem = StorageProblem { buy: &flat, sell: &flat, tie: TieRule::Earliest, ..stay.problem() };
    for method in [Method::Exact, Method::V1g] {
        let (_, power) = solve(&problem, method);
        assert_profile(&power, &stay.case.expected.p_c);
        stay.agrees(stay.problem().objective(&power));
    }
}

#[test]
fn paper_04_smart_charging_costs_and_spreads_as_the_reference_does() {
    let stay = read("04_smart_one_ev");
    for method in [Method::Exact, Method::V1g] {
        let (answer, power) = solve(&stay.problem(), method);
        assert_eq!(answer.outcome, Outcome::Optimal);
        stay.agrees(answer.objective);
        assert_profile(&power, &stay.case.expected.p_c_spread);
    }
    for method in [Method::Lp, Method::Milp] {
        stay.agrees(solve(&stay.problem(), method).0.objective);
    }
}

#[test]
fn paper_05_a_stay_too_short_charges_all_the_time() {
    let stay = read("05_smart_too_short");
    for method in [Method::Exact, Method::V1g, Method::Lp, Method::Milp] {
        let (answer, power) = solve(&stay.problem(), method);
        assert_profile(&power, &stay.case.expected.p_c);
        stay.agrees(answer.objective);
        let missed = answer.unmet.target.unwrap();
        assert_eq!(missed.reason, MissedReason::TooShort);
        let end = stay.case.expected.soc_end.unwrap() * stay.case.inputs.ev.capacity;
        assert!((missed.missing_kwh - (stay.problem().target_kwh - end)).abs() <= 1e-9);
    }
}

#[test]
fn paper_06_positive_prices_are_solved_without_binaries() {
    let stay = read("06_v2g_one_ev");
    let problem = stay.problem();
    assert_eq!(problem.binaries(), 0);
    assert_eq!(StorageProgram::new(&problem, true).program.integers(), 0);
    for method in [Method::Exact, Method::Lp, Method::Milp] {
        let (answer, power) = solve(&problem, method);
        assert_eq!(answer.outcome, Outcome::Optimal);
        stay.agrees(answer.objective);
        check::schedule(&problem, &power, 1e-6).unwrap();
    }
}

#[test]
fn paper_07_negative_prices_are_wrong_without_binaries() {
    let stay = read("07_v2g_negative_price_milp");
    let problem = stay.problem();
    assert_eq!(StorageProgram::new(&problem, true).program.integers(), 12);
    for method in [Method::Exact, Method::Milp] {
        let (answer, _) = solve(&problem, method);
        assert_eq!(answer.outcome, Outcome::Optimal);
        stay.agrees(answer.objective);
    }
    // The hull is tighter than the reference's relaxation, which drops the rows too; neither can be followed.
    let relaxed = StorageProgram::new(&problem, false).program.solve(Budget::default());
    let expected = &stay.case.expected;
    assert!(relaxed.objective > expected.lp_relaxation_objective.unwrap());
    assert!(relaxed.objective < expected.objective - 0.01);
    let (answer, _) = solve(&problem, Method::Lp);
    assert!(matches!(answer.outcome, Outcome::Feasible { gap } if gap > 0.01), "{:?}", answer.outcome);
}
