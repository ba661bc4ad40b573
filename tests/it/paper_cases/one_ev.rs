//! Kinds `ev_uncontrolled`, `ev_smart` and `ev_v2g`: one car, (11) to (14).
//!
//! Every way to solve is tried, and every schedule is held against its problem.

use super::{Case, Disagreement, agree, all_agree, model::curves, number, numbers};
use serde_json::Value;
use std::ops::Range;
use voltide_model::eligibility::{V2gStay, v2g_eligible};
use voltide_policy::observation::charge_at_once;
use voltide_schedule::{
    Method, MissedReason, Options, Outcome, PerSlot, Solver, StorageAnswer, StorageProblem,
    StorageProgram, TieRule, check, linear::Budget,
};

/// Slots of a day: prices are looked up modulo it.
const DAY: usize = 96;
const SLOT_HOURS: f64 = 0.25;

/// A stay with its prices and where it may discharge, on the slots wholly inside it.
struct Stay {
    first_slot: usize,
    prices: Vec<f64>,
    charge_kw_max: f64,
    discharge_kw: Vec<f64>,
    energy_kwh: f64,
    target_kwh: f64,
    bounds_kwh: (f64, f64),
    v2g_kwh_min: f64,
    capacity_kwh: f64,
    efficiencies: (f64, f64),
    degradation: f64,
}

impl Stay {
    /// The stay that `stay` tells of, which may only charge.
    fn new(stay: &Value, ev: &Value, prices: impl Fn(Range<usize>) -> Vec<f64>) -> Self {
        let slots = (4.0 * number(&stay["t_a"])).ceil() as usize
            ..(4.0 * number(&stay["t_d"])).floor() as usize;
        let of_ev = |name: &str| number(&ev[name]);
        let capacity_kwh = of_ev("E");
        Self {
            first_slot: slots.start,
            charge_kw_max: of_ev("pc_max"),
            discharge_kw: vec![0.0; slots.len()],
            prices: prices(slots),
            energy_kwh: number(&stay["s0"]) * capacity_kwh,
            target_kwh: number(&stay["se"]) * capacity_kwh,
            bounds_kwh: (of_ev("soc_min") * capacity_kwh, of_ev("soc_max") * capacity_kwh),
            v2g_kwh_min: of_ev("soc_min_v2g") * capacity_kwh,
            capacity_kwh,
            efficiencies: (of_ev("eta_c"), of_ev("eta_d")),
            degradation: of_ev("c_b"),
        }
    }

    /// Lets it discharge where `allowed` is 1.
    fn discharging(mut self, allowed: &[f64], discharge_kw_max: f64) -> Self {
        self.discharge_kw = allowed.iter().map(|allowed| allowed * discharge_kw_max).collect();
        self.bounds_kwh.0 = self.v2g_kwh_min;
        self
    }

    fn problem(&self) -> StorageProblem<'_> {
        StorageProblem {
            slot_hours: SLOT_HOURS,
            buy: &self.prices,
            sell: &self.prices,
            degradation: self.degradation,
            charge_kw_max: PerSlot::Same(self.charge_kw_max),
            discharge_kw_max: PerSlot::Each(&self.discharge_kw),
            energy_kwh_min: PerSlot::Same(self.bounds_kwh.0.min(self.energy_kwh)),
            energy_kwh_max: PerSlot::Same(self.bounds_kwh.1.max(self.energy_kwh)),
            energy_kwh: self.energy_kwh,
            target_kwh: self.target_kwh,
            charge_efficiency: self.efficiencies.0,
            discharge_efficiency: self.efficiencies.1,
            terminal_value: 0.0,
            tie: TieRule::Spread,
            load_kw: &[],
        }
    }

    fn solve(&self, method: Method) -> Result<(StorageAnswer, Vec<f64>), Disagreement> {
        let (problem, mut power_kw) = (self.problem(), vec![0.0; self.prices.len()]);
        let answer =
            Solver::default().solve(&problem, method, Options::default(), &mut power_kw).unwrap();
        check::schedule(&problem, &power_kw, check::SOLVER_TOLERANCE)
            .map_err(|breach| breach.to_string())?;
        match answer.outcome {
            Outcome::Optimal => Ok((answer, power_kw)),
            other => Err(format!("{method:?} ends with {other:?}")),
        }
    }

    /// Whether (13) allows V2G at `discharge_kw_max`.
    fn is_eligible(&self, discharge_kw_max: f64) -> bool {
        let stay = V2gStay {
            arrival_energy_kwh: self.energy_kwh,
            departure_energy_kwh: self.target_kwh,
            v2g_energy_kwh_min: self.v2g_kwh_min,
            charge_kw_max: self.charge_kw_max,
            discharge_kw_max,
            charge_efficiency: self.efficiencies.0,
            discharge_efficiency: self.efficiencies.1,
            hours: self.prices.len() as f64 * SLOT_HOURS,
        };
        v2g_eligible(&stay).is_ok()
    }
}

fn of_day(prices: &Value) -> impl Fn(Range<usize>) -> Vec<f64> {
    let prices = numbers(prices);
    move |slots| slots.map(|slot| prices[slot % DAY]).collect()
}

pub(crate) fn uncontrolled(case: &Case) -> Result<(), Disagreement> {
    let (inputs, expected, tolerance) = (case.inputs(), case.expected(), case.tolerance());
    let stay = Stay::new(inputs, &inputs["ev"], of_day(&inputs["tou96"]));
    let mut power_kw = vec![0.0; stay.prices.len()];
    let missing_kwh = (stay.target_kwh - stay.energy_kwh).max(0.0) / stay.efficiencies.0;
    charge_at_once(&mut power_kw, stay.charge_kw_max, SLOT_HOURS, missing_kwh);
    agree("first slot", stay.first_slot as f64, number(&expected["first_slot"]), 0.0)?;
    agree("slots", power_kw.len() as f64, number(&expected["n_slots"]), 0.0)?;
    all_agree("p_c", &power_kw, &numbers(&expected["p_c"]), tolerance)?;
    let energy_kwh = power_kw.iter().sum::<f64>() * SLOT_HOURS;
    agree("energy", energy_kwh, number(&expected["energy_kwh"]), tolerance)?;
    // Without prices, the earliest schedule is the one that charges at once.
    let flat = vec![1.0; stay.prices.len()];
    let priceless =
        StorageProblem { buy: &flat, sell: &flat, tie: TieRule::Earliest, ..stay.problem() };
    for method in [Method::Exact, Method::V1g] {
        Solver::default().solve(&priceless, method, Options::default(), &mut power_kw).unwrap();
        all_agree("p_c without prices", &power_kw, &numbers(&expected["p_c"]), 1e-9)?;
    }
    agree(
        "objective",
        stay.problem().objective(&power_kw),
        number(&expected["objective"]),
        tolerance,
    )
}

pub(crate) fn smart(case: &Case) -> Result<(), Disagreement> {
    let (inputs, expected, tolerance) = (case.inputs(), case.expected(), case.tolerance());
    let stay = Stay::new(inputs, &inputs["ev"], of_day(&inputs["tou96"]));
    for method in [Method::Exact, Method::V1g, Method::Lp, Method::Milp] {
        let (answer, power_kw) = stay.solve(method)?;
        agree("objective", answer.objective, number(&expected["objective"]), tolerance.max(1e-9))?;
        let closed = matches!(method, Method::Exact | Method::V1g);
        for profile in
            ["p_c", "p_c_spread"].into_iter().filter(|name| closed && expected.get(name).is_some())
        {
            all_agree(profile, &power_kw, &numbers(&expected[profile]), 1e-9)?;
        }
        let energies = stay.problem().energies(&power_kw);
        if let (Some(soc), Some(end)) = (expected["soc_end"].as_f64(), energies.last()) {
            agree("state of charge at departure", end / stay.capacity_kwh, soc, 1e-9)?;
        }
        if let Some(reachable) = expected["eq11_holds"].as_bool() {
            agree(
                "target met",
                f64::from(answer.unmet.target.is_none()),
                f64::from(reachable),
                0.0,
            )?;
        }
        if let (Some(missed), Some(end)) = (answer.unmet.target, energies.last()) {
            agree("missing energy", missed.missing_kwh, stay.target_kwh - end, 1e-9)?;
            if missed.reason != MissedReason::TooShort {
                return Err(format!("the target is missed for {:?}", missed.reason));
            }
        }
    }
    Ok(())
}

pub(crate) fn v2g(case: &Case) -> Result<(), Disagreement> {
    let (inputs, expected) = (case.inputs(), case.expected());
    if inputs.get("sessions").is_some() {
        return v2g_sessions(case);
    }
    let lambda = &inputs["lambda_j"];
    let discharge_kw_max = number(&inputs["ev"]["pd_max"]);
    let stay = Stay::new(inputs, &inputs["ev"], |_| numbers(lambda))
        .discharging(&numbers(&inputs["allow_discharge"]), discharge_kw_max);
    if let Some(eligible) = expected["eq13_holds"].as_bool() {
        let found = stay.is_eligible(discharge_kw_max);
        agree("(13) holds", f64::from(found), f64::from(eligible), 0.0)?;
    }
    binaries(&stay)?;
    if let Some(relaxed) = expected["lp_relaxation_objective"].as_f64() {
        relaxation(&stay, relaxed, number(&expected["objective"]))?;
    }
    all_ways(&stay, number(&expected["objective"]), case.tolerance())
}

/// Binaries are made where a price is negative and both directions are open, and nowhere else.
fn binaries(stay: &Stay) -> Result<(), Disagreement> {
    let problem = stay.problem();
    let integers = StorageProgram::new(&problem, true).program.integers();
    agree("binaries", integers as f64, problem.binaries() as f64, 0.0)?;
    let negative = stay.prices.iter().any(|&price| price < 0.0);
    agree("binaries are needed", f64::from(integers > 0), f64::from(negative), 0.0)
}

/// Without binaries negative prices are wrong. The hull of the slots is tighter than the
/// reference's relaxation, which drops the rows too; neither can be followed.
fn relaxation(stay: &Stay, reference: f64, objective: f64) -> Result<(), Disagreement> {
    let problem = stay.problem();
    let relaxed = StorageProgram::new(&problem, false).program.solve(Budget::default()).objective;
    let mut power_kw = vec![0.0; stay.prices.len()];
    let linear =
        Solver::default().solve(&problem, Method::Lp, Options::default(), &mut power_kw).unwrap();
    let gap = if let Outcome::Feasible { gap } = linear.outcome { gap } else { 0.0 };
    let lies_between = reference < relaxed && relaxed < objective - 0.01 && gap > 0.01;
    lies_between.then_some(()).ok_or_else(|| {
        format!("{relaxed} does not lie between {reference} and {objective}, gap {gap}")
    })
}

/// Exact and mixed-integer always, linear where no binary is needed.
fn all_ways(stay: &Stay, objective: f64, tolerance: f64) -> Result<(), Disagreement> {
    let linear = (stay.problem().binaries() == 0).then_some(Method::Lp);
    for method in [Method::Exact, Method::Milp].into_iter().chain(linear) {
        let found = stay.solve(method)?.0.objective;
        agree(&format!("objective by {method:?}"), found, objective, tolerance)?;
    }
    Ok(())
}

/// Sessions whose driver is asked, one draw for each hour of the day.
fn v2g_sessions(case: &Case) -> Result<(), Disagreement> {
    let (inputs, expected, tolerance) = (case.inputs(), case.expected(), case.tolerance());
    let (tou, lambda, z) =
        (numbers(&inputs["tou96"]), numbers(&inputs["lambda_j96"]), numbers(&inputs["z_by_hour"]));
    let (willingness, gamma) = (curves(&inputs["logistic"]), number(&inputs["gamma"]));
    let discharge_kw_max = number(&inputs["ev"]["pd_max"]);
    let mut sum = 0.0;
    for (session, answer) in
        inputs["sessions"].as_array().unwrap().iter().zip(expected["sessions"].as_array().unwrap())
    {
        let stay = Stay::new(session, &inputs["ev"], of_day(&inputs["lambda_j96"]));
        let slots = (stay.first_slot..).map(|slot| slot % DAY).take(stay.prices.len());
        let p: Vec<f64> =
            slots.map(|slot| willingness.sample(lambda[slot] / tou[slot], z[slot / 4])).collect();
        all_agree("p", &p, &numbers(&answer["p"]), 1e-9)?;
        let allow: Vec<f64> = p.iter().map(|&p| f64::from(p > gamma)).collect();
        all_agree("allow", &allow, &numbers(&answer["allow"]), 0.0)?;
        let eligible = stay.is_eligible(discharge_kw_max);
        agree(
            "(13) holds",
            f64::from(eligible),
            f64::from(answer["eq13_holds"].as_bool().unwrap()),
            0.0,
        )?;
        let stay = stay.discharging(&allow, if eligible { discharge_kw_max } else { 0.0 });
        let objective = number(&answer["objective"]);
        all_ways(&stay, objective, tolerance)?;
        sum += stay.solve(Method::Exact)?.0.objective;
    }
    agree("objective", sum, number(&expected["objective"]), tolerance)
}
