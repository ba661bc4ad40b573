//! Laws of any power system's schedule, and CBC against another solver.

use crate::{
    grid_systems::{NODES, System, assert_lawful, store},
    instances::{Random, agree},
};
use good_lp::{Solution as _, SolverModel as _, solvers::microlp::microlp};
use proptest::prelude::*;
use voltide_model::{flexibility::LastStep, two_stage::SearchLimits, unit::UnitState};
use voltide_schedule::{
    Outcome,
    grid::{Dispatch, DispatchProblem, DispatchProgram, EnergyEnd, UnitTask},
    linear::{Budget, SolverName},
};

fn solve(problem: &DispatchProblem<'_>) -> Dispatch {
    problem.solve().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn schedules_keep_balance_limits_ramps_and_energy(seed: u64, margins: bool, commitment: bool) {
        let system = System::random(seed, commitment);
        let found = solve(&system.problem(margins));
        prop_assert!(found.outcome.has_solution());
        assert_lawful(&system, &found);
    }

    /// The parts are computed from the schedule, by the model's equations; the bound is the solver's.
    #[test]
    fn the_parts_add_up_to_what_the_solver_minimised(seed: u64, margins: bool, commitment: bool) {
        let system = System::random(seed, commitment);
        let found = solve(&system.problem(margins));
        let at_bound = found.outcome != Outcome::Optimal || agree(found.objective, found.bound, 1e-6);
        prop_assert!(at_bound, "{:?} {}", found.parts, found.bound);
        prop_assert!(agree(found.parts.sum(), found.objective, 1e-12));
    }

    #[test]
    fn clp_and_cbc_come_to_one_cost(seed: u64, margins: bool) {
        let system = System::random(seed, false);
        let problem = system.problem(margins);
        let model = DispatchProgram::new(&problem, &[]);
        let program = &model.program;
        prop_assume!(program.integers() == 0);
        let (cold, cbc) = (program.solve_linear(), program.solve(Budget::default()));
        prop_assert!(cbc.by == SolverName::Cbc);
        prop_assert!(agree(cold.objective, cbc.objective, 1e-6), "{cold:?} {cbc:?}");
        // Where it begins makes no difference to the cost.
        let started = model.solve_linear();
        prop_assert!(agree(started.objective, cold.objective, 1e-9), "{started:?} {cold:?}");
    }

    /// A search that ran out of nodes may be above its optimum, and is not below its bound.
    #[test]
    fn margins_never_make_a_schedule_cheaper(seed: u64, commitment: bool) {
        let system = System::random(seed, commitment);
        let (without, with) = (solve(&system.problem(false)), solve(&system.problem(true)));
        prop_assert!(with.objective >= without.bound - 1e-6 * without.objective.abs().max(1.0));
    }

    #[test]
    fn margins_hold_where_there_is_flexibility_in_plenty(seed: u64) {
        let mut system = System::random(seed, false);
        // A battery that could follow anything.
        let peak = 1e4;
        let mut battery = store(&mut Random(seed), "reserve");
        (battery.charge_max.0, battery.discharge_max.0) = (peak, peak);
        (battery.energy_min.0, battery.energy_max.0) = (0.0, 100.0 * peak);
        system.plant.units.push(battery.into());
        system.units.push(UnitTask {
            state: UnitState { energy_kwh: 50.0 * peak, ..UnitState::default() },
            end: EnergyEnd::AtLeast(50.0 * peak),
            ..UnitTask::default()
        });
        let found = solve(&system.problem(true));
        for slot in &found.margins {
            let margin = slot.margin();
            prop_assert!(margin.up >= -1e-6 && margin.down >= -1e-6, "{margin:?}");
        }
        prop_assert!(found.parts.margin <= 1e-3);
    }

    #[test]
    fn binaries_on_demand_cost_what_binaries_everywhere_cost(seed: u64, margins: bool) {
        let system = System::random(seed, false);
        let problem = system.problem(margins);
        let all = DispatchProgram::new(&problem, &problem.both_ways());
        let budget = Budget { nodes: Some(NODES), ..Budget::default() };
        let all = all.program.solve(budget);
        let found = solve(&problem);
        // Where either search ran out of nodes, neither needs to be the optimum.
        prop_assume!(found.outcome == Outcome::Optimal && all.outcome == Outcome::Optimal);
        let costs = (found.objective, all.objective);
        prop_assert!(agree(costs.0, costs.1, 1e-6), "{costs:?} {:?} {:?}", found.size, all.outcome);
    }

    /// What the search upon Clp says of units that are switched is what CBC finds.
    #[test]
    fn a_commitment_costs_what_cbc_says(seed: u64, margins: bool) {
        let mut system = System::random(seed, true);
        system.readings.last_step = LastStep::NextDay;
        let search = SearchLimits { nodes: NODES, gap: 0.0 };
        let problem = DispatchProblem { search, ..system.problem(margins) };
        let all = DispatchProgram::new(&problem, &problem.both_ways());
        let all = all.program.solve(Budget { nodes: Some(NODES), ..Budget::default() });
        let found = solve(&problem);
        assert_lawful(&system, &found);
        prop_assume!(all.outcome == Outcome::Optimal);
        let rounding = 1e-6 * all.objective.abs().max(1.0);
        prop_assert!(found.bound <= all.objective + rounding, "{} {}", found.bound, all.objective);
        prop_assert!(found.objective >= all.objective - rounding, "{}", all.objective);
        let proven = found.outcome == Outcome::Optimal;
        prop_assert!(!proven || agree(found.objective, all.objective, 1e-6), "{}", all.objective);
    }

    #[test]
    fn two_solvers_agree(seed: u64, margins: bool) {
        let system = System::random(seed, false);
        let problem = system.problem(margins);
        let model = DispatchProgram::new(&problem, &[]);
        let ours = model.program.solve(Budget::default());
        let theirs = model.program.model(microlp).solve().unwrap();
        let objective = theirs.eval(model.program.objective());
        prop_assert!(agree(ours.objective, objective, 1e-6), "{} {}", ours.objective, objective);
    }
}

/// Clp says of few programs that they have no solution where they have one.
#[test]
fn clp_seldom_needs_cbc() {
    let by_clp = |seed: &u64| {
        let system = System::random(*seed, false);
        let margins = seed.is_multiple_of(2);
        let problem = system.problem(margins);
        let model = DispatchProgram::new(&problem, &[]);
        [model.solve_linear(), model.program.solve_linear()]
            .iter()
            .all(|by| by.by == SolverName::Clp)
    };
    assert!((0..1000).filter(by_clp).count() >= 990);
}
