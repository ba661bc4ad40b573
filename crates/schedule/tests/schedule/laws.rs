//! Laws of any storage problem.

use crate::instances::{Instance, Prices, Random, agree, random, solve};
use proptest::prelude::*;
use voltide_schedule::{Method, PerSlot, StorageProblem, TieRule, check};

fn instance() -> impl Strategy<Value = Instance> {
    (any::<u64>(), 0..3_usize, 2..50_usize)
        .prop_map(|(seed, prices, slots)| random(&mut Random(seed), Prices::of(prices), slots))
}

/// Charging with full power from the start until the target, or what is needed at the bounds.
fn uncontrolled(car: &Instance) -> f64 {
    let flat = vec![1.0; car.buy.len()];
    let problem = StorageProblem {
        buy: &flat,
        sell: &flat,
        tie: TieRule::Earliest,
        discharge_kw_max: PerSlot::Same(0.0),
        terminal_value: 0.0,
        ..car.problem()
    };
    car.problem().objective(&solve(&problem, Method::Exact).1)
}

proptest! {
    #[test]
    fn v2g_costs_at_most_v1g_and_v1g_at_most_uncontrolled(car in instance()) {
        // With wishes met by all three; a relaxed wish is another problem.
        let v1g = car.clone().without_discharge();
        let (with, v2g_answer) = (car.solve(Method::Exact), v1g.solve(Method::Exact).0);
        prop_assume!(v2g_answer.unmet.is_empty());
        prop_assert!(with.0.objective <= v2g_answer.objective + 1e-9);
        prop_assert!(v2g_answer.objective <= uncontrolled(&car) + 1e-9);
    }

    #[test]
    fn the_closed_form_costs_what_the_exact_algorithm_costs(car in instance()) {
        let mut car = car.without_discharge();
        let (least, most) = (car.least.iter().copied().fold(0.0, f64::min), car.most[0].max(car.energy));
        car.least.fill(least);
        car.most.fill(most);
        for rule in [TieRule::Spread, TieRule::Earliest, TieRule::ValleyFill] {
            let (exact, exact_power) = car.with(rule, Method::Exact);
            let (closed, closed_power) = car.with(rule, Method::V1g);
            prop_assert!(agree(exact.objective, closed.objective, 1e-9));
            for (a, b) in exact_power.iter().zip(&closed_power) {
                prop_assert!((a - b).abs() < 1e-6, "{:?} {:?} {:?}", rule, exact_power, closed_power);
            }
        }
    }

    #[test]
    fn schedules_keep_every_bound(car in instance()) {
        let (_, power) = car.solve(Method::Exact);
        prop_assert_eq!(check::schedule(&car.problem(), &power, 1e-9), Ok(()));
    }

    #[test]
    fn more_room_never_costs_more(car in instance(), slot in 0..50_usize, more in 0.0..5.0_f64) {
        let (tight, _) = car.solve(Method::Exact);
        prop_assume!(tight.unmet.is_empty());
        let slot = slot % car.buy.len();
        let mut roomy = car.clone();
        roomy.most[slot] += more;
        roomy.least[slot] -= more;
        roomy.charge_kw[slot] += more;
        prop_assert!(roomy.solve(Method::Exact).0.objective <= tight.objective + 1e-9);
    }

    #[test]
    fn scaling_all_prices_scales_the_cost_and_not_the_schedule(car in instance(), by in 1..5_i32) {
        let by = f64::from(1 << by);
        let (answer, power) = car.solve(Method::Exact);
        let mut scaled = car.clone();
        scaled.buy.iter_mut().chain(&mut scaled.sell).for_each(|price| *price *= by);
        scaled.degradation *= by;
        scaled.terminal_value *= by;
        let (dearer, same_power) = scaled.solve(Method::Exact);
        prop_assert!(agree(dearer.objective, by * answer.objective, 1e-9));
        if car.problem().binaries() == 0 {
            prop_assert_eq!(power, same_power);
        }
    }

    #[test]
    fn a_solver_forgets_what_it_solved_before(first in instance(), second in instance()) {
        let mut solver = voltide_schedule::Solver::default();
        let options = voltide_schedule::Options::default();
        let mut power = vec![0.0; first.buy.len()];
        solver.solve(&first.problem(), Method::Exact, options, &mut power).unwrap();
        let mut power = vec![0.0; second.buy.len()];
        let warm = solver.solve(&second.problem(), Method::Exact, options, &mut power).unwrap();
        let (cold, cold_power) = second.solve(Method::Exact);
        prop_assert_eq!((warm, power), (cold, cold_power));
    }
}
