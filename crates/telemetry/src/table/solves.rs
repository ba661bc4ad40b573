//! The table `solves`: a row per problem that scheduled a plant, or cars behind common limits.

use crate::{rows::rows, value::Word};
use voltide_journal::event::{GroupSolved, SolveFinished};

rows! {
    /// One row per problem that scheduled a plant, or cars behind common limits.
    pub solves by tick, stage, site {
        /// the slot, counted from the start of the run
        tick: u32;
        /// day_ahead, day_path or intra_day; group where cars behind common limits were planned
        /// together
        stage: Word;
        /// the site at the top of the tree of such cars; null elsewhere
        site: Option<Word>;
        /// name of the solver; null of a group
        solver: Option<Word>;
        /// how the solve ended: optimal or feasible; looser_gap, without_integers or plan_in_force
        /// where no schedule was found as asked
        status: Word;
        /// value of the solution found
        objective: Option<f64> = "currency";
        /// proven bound on it; null where the search ended before there was one
        bound: Option<f64> = "currency";
        /// relative distance between the two
        gap: Option<f64>;
        /// number of variables; null of a group, and so the next two
        variables: Option<u32>;
        /// how many of them are integer
        integers: Option<u32>;
        /// number of constraints
        constraints: Option<u32>;
        /// stays that were planned together; null but of a group, and so the next three
        stays: Option<u32>;
        /// stored energy below their targets
        missing_kwh: Option<f64> = "kWh";
        /// proven lower bound of it
        missing_bound_kwh: Option<f64> = "kWh";
        /// energy beyond limits that cannot be kept
        violation_kwh: Option<f64> = "kWh";
    }
}

impl<'a> Row<'a> {
    /// The row of a problem that was solved in a slot.
    pub(crate) fn of(tick: u32, solve: &'a SolveFinished) -> Self {
        Self {
            tick,
            stage: &solve.stage,
            site: None,
            solver: Some(&solve.solver),
            status: &solve.status,
            objective: Some(solve.objective),
            bound: solve.bound,
            gap: solve.bound.map(|bound| relative_gap(solve.objective, bound)),
            variables: Some(solve.variables),
            integers: Some(solve.integers),
            constraints: Some(solve.constraints),
            stays: None,
            missing_kwh: None,
            missing_bound_kwh: None,
            violation_kwh: None,
        }
    }

    /// The row of a group that was solved in a slot.
    pub(crate) fn of_group(tick: u32, solved: &'a GroupSolved) -> Self {
        let gap = solved.cost_bound.map(|bound| relative_gap(solved.cost, bound));
        // Rounding of both sides is no gap.
        let is_proven = gap.is_some_and(|gap| gap <= PROVEN);
        Self {
            tick,
            stage: "group",
            site: (!solved.site.is_empty()).then_some(&solved.site),
            solver: None,
            status: if is_proven { "optimal" } else { "feasible" },
            objective: Some(solved.cost),
            bound: solved.cost_bound,
            gap,
            variables: None,
            integers: None,
            constraints: None,
            stays: Some(solved.stays),
            missing_kwh: Some(solved.missing_kwh),
            missing_bound_kwh: Some(solved.missing_bound_kwh),
            violation_kwh: Some(solved.violation_kwh),
        }
    }
}

/// Gap of a group up to which its schedules are said to be optimal.
const PROVEN: f64 = 1e-7;

/// Distance between an objective and its bound, as a share of the objective; of 1 where that is
/// less.
fn relative_gap(objective: f64, bound: f64) -> f64 {
    (objective - bound).abs() / objective.abs().max(1.0)
}
