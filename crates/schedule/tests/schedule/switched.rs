//! Units that are switched on and off for a day.

use crate::grid_systems::{System, assert_lawful};
use std::num::NonZeroU32;
use voltide_model::{
    cost::QuadraticCost,
    device::{Commitment, ThermalUnit},
    flexibility::{LastStep, Readings},
    plant::Plant,
    quantity::{Hours, Kilowatts, KilowattsPerHour},
    two_stage::SearchLimits,
    unit::UnitState,
};
use voltide_schedule::{
    Outcome,
    grid::{DispatchProblem, DispatchProgram, Exogenous, UnitTask},
    linear::Budget,
};

/// Least and most output, MW; cost a megawatt-hour and an hour; a start; hours that it stays on or
/// off.
const UNITS: [(f64, f64, f64, f64, f64, f64); 5] = [
    (150.0, 455.0, 16.19, 1000.0, 4500.0, 8.0),
    (20.0, 130.0, 16.60, 700.0, 550.0, 5.0),
    (25.0, 162.0, 19.70, 450.0, 900.0, 6.0),
    (20.0, 80.0, 22.26, 370.0, 170.0, 3.0),
    (10.0, 55.0, 25.92, 660.0, 30.0, 1.0),
];

/// MW by hour: a morning, a noon, and an evening that is higher.
const LOAD: [f64; 24] = [
    310.0, 330.0, 380.0, 420.0, 450.0, 500.0, 520.0, 560.0, 610.0, 660.0, 690.0, 710.0, 660.0,
    610.0, 560.0, 490.0, 470.0, 520.0, 580.0, 690.0, 610.0, 510.0, 410.0, 350.0,
];

/// The first of the units runs already.
fn five_units() -> System {
    let unit = |at: usize, &(least, most, b, c, start_cost, hours)| ThermalUnit {
        name: format!("unit-{at}"),
        power_min: Kilowatts(1e3 * least),
        power_max: Kilowatts(1e3 * most),
        ramp: KilowattsPerHour(1e3 * most),
        cost: QuadraticCost { a: 1e-9, b: 1e-3 * b, c },
        initial_power: None,
        deviation_max: None,
        commitment: Some(Commitment {
            start_cost,
            up_min: Hours(hours),
            down_min: Hours(hours),
            initially_on: at == 0,
            initial_hours: Hours(hours),
        }),
    };
    let units = UNITS.iter().enumerate().map(|(at, numbers)| unit(at, numbers));
    let plant = Plant::default().with(units);
    let on = |at| UnitState { on: at == 0, hours: 8.0, ..UnitState::default() };
    System {
        slot_hours: 1.0,
        exogenous: Exogenous {
            load_kw: LOAD.iter().map(|load| 1e3 * load).collect(),
            net_load_next_kw: 1e3 * LOAD[23],
            ..Exogenous::default()
        },
        units: (0..UNITS.len())
            .map(|at| UnitTask { state: on(at), ..UnitTask::default() })
            .collect(),
        readings: Readings { last_step: LastStep::NextDay, ..System::random(0, false).readings },
        plant,
    }
}

/// What another solver finds lies nowhere below the bound, and its bound nowhere above what was
/// found.
#[test]
fn a_day_of_five_units_is_within_a_thousandth_of_the_best_and_its_bound_is_true() {
    let system = five_units();
    let search = SearchLimits { nodes: 20_000, gap: 1e-3 };
    let segments = NonZeroU32::new(2).unwrap();
    let problem = DispatchProblem { search, segments, ..system.problem(false) };
    let found = problem.solve().unwrap();
    assert_lawful(&system, &found);
    assert!(found.objective - found.bound <= 1e-3 * found.objective, "{:?}", found.outcome);
    let starts = found.slots.iter().flat_map(|slot| &slot.units).filter(|unit| unit.started);
    assert!(starts.count() >= 2, "the load of a day is no load of one unit");
    let budget = Budget { nodes: Some(2_000), gap: 1e-3, cpu_seconds: None };
    let other = DispatchProgram::new(&problem, &[]).program.solve(budget);
    assert!(other.outcome.has_solution());
    assert!(found.bound <= other.objective * (1.0 + 1e-9), "{} {}", found.bound, other.objective);
    assert!(other.bound <= found.objective * (1.0 + 1e-9), "{} {}", other.bound, found.objective);
}

#[test]
fn a_search_for_a_commitment_that_ends_early_says_its_gap() {
    let system = five_units();
    let search = SearchLimits { nodes: 1, gap: 0.0 };
    let problem = DispatchProblem { search, ..system.problem(false) };
    let found = problem.solve().unwrap();
    assert_lawful(&system, &found);
    assert!(matches!(found.outcome, Outcome::Feasible { gap } if gap > 0.0), "{:?}", found.outcome);
}
