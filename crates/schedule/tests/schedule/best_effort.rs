//! What happens when wishes cannot be met, and when a problem makes no sense.

use crate::instances::{Instance, Prices, Random, random, solve};
use voltide_schedule::{
    BoundsMissed, Method, MissedReason, Options, Outcome, PerSlot, ProblemError, Solver,
    StorageProblem, check,
};

const WAYS: [Method; 4] = [Method::Exact, Method::V1g, Method::Lp, Method::Milp];

fn flat() -> Instance {
    Instance::car(&[0.3; 8], 30.0, 30.0)
}

#[test]
fn a_target_too_far_gives_the_most_energy_and_says_what_is_missing() {
    let car = Instance { target: 50.0, ..flat() };
    for way in WAYS {
        let (answer, power) = car.solve(way);
        assert!(power.iter().all(|&power| (power - 7.0).abs() < 1e-6));
        let missed = answer.unmet.target.unwrap();
        assert_eq!(missed.reason, MissedReason::TooShort);
        assert!((missed.missing_kwh - (20.0 - 8.0 * 7.0 * 0.25 * 0.95)).abs() < 1e-9);
    }
}

#[test]
fn a_target_above_what_the_battery_may_hold_fills_it() {
    let car = Instance { energy: 55.0, target: 70.0, ..flat() };
    for way in WAYS {
        let (answer, power) = car.solve(way);
        let missed = answer.unmet.target.unwrap();
        assert_eq!(missed.reason, MissedReason::AboveMaximum);
        assert!((missed.missing_kwh - 10.0).abs() < 1e-9);
        assert!((car.problem().energies(&power)[7] - 60.0).abs() < 1e-6);
    }
}

#[test]
fn bounds_on_the_way_can_be_what_holds_a_target_up() {
    let mut car = Instance { target: 40.0, ..flat() };
    car.most[6] = 31.0;
    for way in WAYS {
        let missed = car.solve(way).0.unmet.target.unwrap();
        assert_eq!(missed.reason, MissedReason::HeldByBounds);
        assert!((missed.missing_kwh - (40.0 - 31.0 - 7.0 * 0.25 * 0.95)).abs() < 1e-9);
    }
}

#[test]
fn a_start_below_the_bounds_charges_at_once_whatever_the_price() {
    let prices = [9.0, 9.0, 9.0, 0.1, 0.1, 0.1, 0.1, 0.1];
    let car = Instance { energy: 9.0, target: 12.0, ..Instance::car(&prices, 9.0, 12.0) };
    for way in WAYS {
        let (answer, power) = car.solve(way);
        assert!((power[0] - 7.0).abs() < 1e-6, "{way:?}");
        let expected = BoundsMissed { slots: 1, worst_kwh: 9.0 + 7.0 * 0.25 * 0.95 - 12.0 };
        assert_eq!(answer.unmet.bounds, Some(expected), "{way:?}");
        assert_eq!(answer.unmet.target, None);
    }
}

#[test]
fn a_start_above_the_bounds_discharges_at_once_where_it_may() {
    let mut car = Instance { energy: 62.0, ..Instance::car(&[0.1, 9.0, 9.0], 62.0, 12.0) };
    let (answer, power) = car.solve(Method::Exact);
    assert!((power[0] + 7.0).abs() < 1e-9);
    assert_eq!(answer.unmet.bounds.unwrap().slots, 1);
    car = car.without_discharge();
    let (answer, power) = car.solve(Method::Exact);
    assert!(power.iter().all(|&power| power.abs() < 1e-12));
    assert_eq!(answer.unmet.bounds, Some(BoundsMissed { slots: 3, worst_kwh: 2.0 }));
}

#[test]
fn strictness_refuses_what_best_effort_would_bend() {
    let car = Instance { target: 50.0, ..flat() };
    for way in WAYS {
        let mut power = vec![1.0; 8];
        let options = Options { strict: true, ..Options::default() };
        let answer = Solver::default().solve(&car.problem(), way, options, &mut power).unwrap();
        assert_eq!(answer.outcome, Outcome::Infeasible);
        assert!(answer.unmet.target.is_some() && power.iter().all(|&power| power.abs() < 1e-12));
    }
}

#[test]
fn a_stay_without_slots_has_an_empty_schedule() {
    let car = Instance::car(&[], 30.0, 40.0);
    for way in WAYS {
        let (answer, _) = car.solve(way);
        assert_eq!(answer.unmet.target.unwrap().reason, MissedReason::TooShort);
        assert!(answer.outcome.has_solution());
    }
}

#[test]
fn a_charger_of_nothing_charges_nothing() {
    let mut car = Instance { target: 50.0, ..flat() }.without_discharge();
    car.charge_kw.fill(0.0);
    for way in WAYS {
        let (answer, power) = car.solve(way);
        assert!(power.iter().all(|&power| power.abs() < 1e-12));
        assert!((answer.unmet.target.unwrap().missing_kwh - 20.0).abs() < 1e-9);
    }
}

/// The energy bounds add up to the maximum only up to rounding; the sweep must not find that infeasible.
#[test]
fn rounding_at_the_upper_bound_is_not_infeasible() {
    let mut random_numbers = Random(77);
    for round in 0..2000 {
        let mut car = random(&mut random_numbers, Prices::of(round), 24);
        let top =
            car.energy + car.charge_kw.iter().sum::<f64>() * car.slot_hours * car.charge_efficiency;
        car.most.fill(top.max(car.energy));
        car.least.fill(car.energy.min(top) - 1.0);
        car.target = car.most[23];
        let (answer, power) = car.solve(Method::Exact);
        assert!(answer.unmet.is_empty(), "{:?}", answer.unmet);
        check::schedule(&car.problem(), &power, 1e-9).unwrap();
        // A battery that starts full, to the last bit, and must stay so.
        car.energy = 60.0 * 0.98;
        car.most.fill(60.0 * 0.98);
        car.least.fill(60.0 * 0.98);
        car.target = 60.0 * 0.98;
        assert!(car.solve(Method::Exact).0.unmet.is_empty());
    }
}

#[test]
fn what_makes_no_sense_is_an_error_that_names_the_column() {
    let car = flat();
    let error = |problem: StorageProblem<'_>| {
        let mut power = vec![0.0; problem.slots()];
        Solver::default()
            .solve(&problem, Method::Exact, Options::default(), &mut power)
            .unwrap_err()
            .to_string()
    };
    let bad = [0.3, f64::NAN, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3];
    let negative = [7.0, 7.0, -1.0, 7.0, 7.0, 7.0, 7.0, 7.0];
    let good = car.problem();
    let texts = [
        error(StorageProblem { buy: &bad, ..good }),
        error(StorageProblem { sell: &bad[..3], ..good }),
        error(StorageProblem { charge_efficiency: 0.0, ..good }),
        error(StorageProblem { discharge_efficiency: 1.1, ..good }),
        error(StorageProblem { discharge_kw_max: PerSlot::Each(&negative), ..good }),
        error(StorageProblem { energy_kwh_min: PerSlot::Same(61.0), ..good }),
        error(StorageProblem { target_kwh: f64::INFINITY, ..good }),
        error(StorageProblem { slot_hours: 0.0, ..good }),
    ];
    let expected = [
        "buy price is NaN in slot 1; it must be a finite number",
        "sell price has 3 values, not 8",
        "charge efficiency is 0 in slot 0; it must be above 0 and at most 1",
        "discharge efficiency is 1.1 in slot 0; it must be above 0 and at most 1",
        "discharge power is -1 in slot 2; it must be finite and not negative",
        "at the end of slot 0 at least 61 kWh and at most 60 kWh are asked for",
        "target energy is inf in slot 0; it must be a finite number",
        "slot length is 0 in slot 0; it must be above 0 h",
    ];
    assert_eq!(texts, expected);
    assert_eq!(good.validate(), Ok::<(), ProblemError>(()));
}

#[test]
fn a_search_that_runs_out_of_nodes_gives_its_gap() {
    let prices: Vec<f64> = (0..48).map(|slot| -0.3 - 0.002 * f64::from(slot % 7)).collect();
    let car = Instance::car(&prices, 59.0, 59.0);
    let mut power = vec![0.0; 48];
    let options = Options { nodes: 1, ..Options::default() };
    let answer =
        Solver::default().solve(&car.problem(), Method::Exact, options, &mut power).unwrap();
    let Outcome::Feasible { gap } = answer.outcome else { panic!("{:?}", answer.outcome) };
    check::schedule(&car.problem(), &power, 1e-9).unwrap();
    let (best, _) = solve(&car.problem(), Method::Exact);
    assert!(answer.objective - best.objective <= gap * answer.objective.abs().max(1.0) + 1e-9);
}
