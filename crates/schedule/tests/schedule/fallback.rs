//! Schedules that come about where no solver found one as asked: still within every law.

use crate::grid_systems::{System, assert_lawful};
use voltide_model::two_stage::SlackPrices;
use voltide_schedule::grid::{DispatchProblem, Fallback};

/// A problem whose slack has a price that a search cannot reckon with, or no solver at all.
fn beyond_reckoning(system: &System, unserved: f64) -> DispatchProblem<'_> {
    let prices = SlackPrices { unserved, ..SlackPrices::default() };
    DispatchProblem { prices, ..system.problem(true) }
}

#[test]
fn without_integers_a_schedule_keeps_every_law_and_its_bound_is_one() {
    let mut worse = 0;
    for seed in 0..60 {
        let system = System::random(seed, true);
        let problem = system.problem(seed % 2 == 0);
        let best = problem.solve().unwrap();
        let found = problem.by(Fallback::WithoutIntegers).unwrap();
        assert_lawful(&system, &found);
        let rounding = 1e-6 * best.objective.abs().max(1.0);
        assert!(found.objective >= best.bound - rounding, "seed {seed}");
        assert!(found.bound <= best.objective + rounding, "seed {seed}");
        worse += u32::from(found.objective > best.objective + rounding);
    }
    assert!((5..55).contains(&worse), "{worse} of 60 are worse");
}

#[test]
fn what_was_planned_before_keeps_every_law() {
    for seed in 0..300 {
        let system = System::random(seed, seed % 3 > 0);
        let found = system.problem(seed % 2 == 0).by(Fallback::PlanInForce).unwrap();
        assert_lawful(&system, &found);
    }
}

#[test]
fn a_problem_that_is_not_searched_is_solved_without_integers_or_goes_on_as_planned() {
    for (unserved, fallback, by) in
        [(1e21, Fallback::WithoutIntegers, "clp"), (f64::MAX, Fallback::PlanInForce, "none")]
    {
        let system = System::random(3, true);
        let problem = beyond_reckoning(&system, unserved);
        assert!(problem.solve().is_err());
        let found = problem.schedule().unwrap();
        assert_eq!((found.fallback, found.by.name()), (Some(fallback), by));
        assert_lawful(&system, &found);
    }
}

#[test]
fn a_looser_gap_is_kept() {
    for seed in 0..40 {
        let system = System::random(seed, true);
        let problem = system.problem(true);
        let best = problem.solve().unwrap();
        let found = problem.by(Fallback::LooserGap).unwrap();
        assert_lawful(&system, &found);
        let most = 0.021 * best.objective.abs().max(1.0);
        assert!(found.objective - best.objective <= most, "seed {seed}");
    }
}
