//! V2G for a day, car by car: the exact algorithm beside CBC, as a linear and as a mixed-integer program.
//!
//! `cargo bench -p voltide-benches --bench solvers`
//!
//! 96 slots, positive prices (so that all have one optimum, which is checked), one thread, one run.
#![expect(clippy::print_stdout, reason = "a measurement prints its table")]

use voltide_benches::{
    machine::cost_of,
    table::{Table, short, thousands},
};
use voltide_schedule::{
    Method, Options, PerSlot, Solver, StorageAnswer, StorageProblem, StorageRequest, TieRule,
    solve_batch,
};

const SLOTS: usize = 96;
/// What is short is done that many times.
const ROUNDS: usize = 100;

fn main() {
    let columns =
        ["exact", "exact, shared prices", "LP by CBC", "MILP by CBC", "LP / exact", "MILP / exact"];
    let mut table = Table::new(["CPU ms for cars"].into_iter().chain(columns));
    for cars in [1, 100, 1000] {
        let solved = [
            repeated(|| one_by_one(cars, Method::Exact)),
            together(cars),
            once(|| one_by_one(cars, Method::Lp)),
            once(|| one_by_one(cars, Method::Milp)),
        ];
        let [exact, shared, lp, milp] = solved.map(|(seconds, _)| seconds);
        let [optimum, others @ ..] = solved.map(|(_, objective)| objective);
        let agree =
            others.iter().all(|other| (other - optimum).abs() <= 1e-6 * optimum.abs().max(1.0));
        assert!(agree, "{optimum} is not {others:?}");
        let times = |seconds: f64| format!("{:.0}", seconds / exact);
        let ms = |seconds: f64| short(1e3 * seconds);
        table.row(
            &thousands(cars),
            [ms(exact), ms(shared), ms(lp), ms(milp), times(lp), times(milp)],
        );
    }
    println!("{table}");
}

/// CPU seconds of some work, and what it gives.
fn once(work: impl FnOnce() -> f64) -> (f64, f64) {
    let (objective, cost) = cost_of(work);
    (cost.cpu_s, objective)
}

fn repeated(mut work: impl FnMut() -> f64) -> (f64, f64) {
    let (seconds, sum) = once(|| (0..ROUNDS).map(|_| work()).sum());
    (seconds / ROUNDS as f64, sum / ROUNDS as f64)
}

/// The sum of the objectives of all cars, each a problem of its own.
fn one_by_one(cars: u64, method: Method) -> f64 {
    // One solver for all, so that its memory is taken once, as in a batch.
    let (prices, mut solver, mut power) = (prices(), Solver::default(), [0.0; SLOTS]);
    let mut one = |car| {
        let answer = solver.solve(&problem(car, &prices), method, Options::default(), &mut power);
        answer.expect("the problem is valid").objective
    };
    (0..cars).map(&mut one).sum()
}

/// The same as one batch whose cars share their prices, with its CPU seconds.
fn together(cars: u64) -> (f64, f64) {
    let (prices, rows) = (prices(), cars as usize);
    let each = |value: fn(&StorageProblem<'_>) -> f64| -> Vec<f64> {
        (0..cars).map(|car| value(&problem(car, &prices))).collect()
    };
    let request = StorageRequest {
        slot_hours: 0.25,
        horizon: SLOTS,
        buy_price: &prices,
        end_slot: &vec![SLOTS as u32; rows],
        energy_kwh: &each(|it| it.energy_kwh),
        energy_kwh_min: &each(|it| it.energy_kwh_min.at(0)),
        energy_kwh_max: &each(|it| it.energy_kwh_max.at(0)),
        target_kwh: &each(|it| it.target_kwh),
        charge_kw_max: &each(|it| it.charge_kw_max.at(0)),
        discharge_kw_max: &each(|it| it.discharge_kw_max.at(0)),
        charge_efficiency: &each(|it| it.charge_efficiency),
        discharge_efficiency: &each(|it| it.discharge_efficiency),
        degradation_per_kwh: &each(|it| it.degradation),
        terminal_value_per_kwh: &each(|it| it.terminal_value),
        ..StorageRequest::default()
    };
    let (mut power, mut answers) = (vec![0.0; rows * SLOTS], vec![StorageAnswer::default(); rows]);
    repeated(|| {
        solve_batch(&request, 1, &mut power, &mut answers).expect("the batch is valid");
        answers.iter().map(|answer| answer.objective).sum()
    })
}

fn prices() -> Vec<f64> {
    (0..SLOTS as u64).map(|slot| 0.05 + 0.5 * noise(slot + 17)).collect()
}

fn noise(at: u64) -> f64 {
    // Knuth's multiplier and a prime: scattered, and the same everywhere, which is all that is
    // asked.
    (at.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0
}

fn problem(car: u64, prices: &[f64]) -> StorageProblem<'_> {
    StorageProblem {
        slot_hours: 0.25,
        buy: prices,
        sell: prices,
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
        load_kw: &[],
    }
}
