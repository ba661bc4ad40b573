//! V2G for a day, car by car: the exact algorithm beside CBC, as a linear and as a mixed-integer program.
//!
//! `cargo bench -p voltide-benches --bench solvers`
//!
//! 96 slots, positive prices (so that all three have one optimum, which is checked), one thread, one run.
#![expect(clippy::print_stdout, reason = "a measurement prints its table")]

use voltide_benches::{
    machine::cost_of,
    table::{Table, short, thousands},
};
use voltide_schedule::{Method, Options, PerSlot, Solver, StorageProblem, TieRule};

const SLOTS: usize = 96;

fn main() {
    let mut table =
        Table::new(["CPU ms for cars", "exact", "LP by CBC", "MILP by CBC", "LP / exact", "MILP / exact"]);
    for cars in [1, 100, 1000] {
        let solved = [Method::Exact, Method::Lp, Method::Milp].map(|method| solve(cars, method));
        let [exact, lp, milp] = solved.map(|(seconds, _)| seconds);
        let [optimum, others @ ..] = solved.map(|(_, objective)| objective);
        let agree = others.iter().all(|other| (other - optimum).abs() <= 1e-6 * optimum.abs().max(1.0));
        assert!(agree, "{optimum} is not {others:?}");
        let times = |seconds: f64| format!("{:.0}", seconds / exact);
        let cells = [short(1e3 * exact), short(1e3 * lp), short(1e3 * milp), times(lp), times(milp)];
        table.row(&thousands(cars), cells);
    }
    println!("{table}");
}

/// CPU seconds for all cars, and the sum of their objectives. What is short is done a hundred times.
fn solve(cars: u64, method: Method) -> (f64, f64) {
    let rounds = if method == Method::Exact { 100 } else { 1 };
    let (objective, cost) = cost_of(|| {
        let mut objective = 0.0;
        for _ in 0..rounds {
            objective = (0..cars).map(|car| one_car(car, method)).sum();
        }
        objective
    });
    (cost.cpu_s / f64::from(rounds), objective)
}

fn one_car(car: u64, method: Method) -> f64 {
    let noise = |at: u64| (at.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0;
    let prices: Vec<f64> = (0..SLOTS as u64).map(|slot| 0.05 + 0.5 * noise(slot + 17)).collect();
    let problem = StorageProblem {
        slot_hours: 0.25,
        buy: &prices,
        sell: &prices,
        degradation: 0.05,
        charge_kw_max: PerSlot::Same(7.0),
        discharge_kw_max: PerSlot::Same(7.0),
        energy_kwh_min: PerSlot::Same(12.0),
        energy_kwh_max: PerSlot::Same(60.0),
        energy_kwh: 15.0 + 25.0 * noise(car),
        target_kwh: 40.0 + 18.0 * noise(car + 5000),
        charge_efficiency: 0.95,
        discharge_efficiency: 0.95,
        terminal_value: 0.0,
        tie: TieRule::Spread,
    };
    let mut power = [0.0; SLOTS];
    let answer = Solver::default().solve(&problem, method, Options::default(), &mut power);
    answer.expect("the problem is valid").objective
}
