//! The table `solves`: a row per problem that scheduled a plant.

use crate::{rows::rows, value::Word};
use voltide_journal::event::SolveFinished;

rows! {
    /// One row per problem that scheduled a plant.
    pub solves by tick, stage {
        /// the slot, counted from the start of the run
        tick: u32;
        /// day_ahead, day_path or intra_day
        stage: Word;
        /// name of the solver
        solver: Word;
        /// how the solve ended: optimal or feasible; looser_gap, without_integers or plan_in_force
        /// where no schedule was found as asked
        status: Word;
        /// value of the solution found
        objective: Option<f64> = "currency";
        /// proven bound on it; null where the search ended before there was one
        bound: Option<f64> = "currency";
        /// relative distance between the two
        gap: Option<f64>;
        /// number of variables
        variables: u32;
        /// how many of them are integer
        integers: u32;
        /// number of constraints
        constraints: u32;
    }
}

impl<'a> Row<'a> {
    /// The row of a problem that was solved in a slot.
    pub(crate) fn of(tick: u32, solve: &'a SolveFinished) -> Self {
        Self {
            tick,
            stage: &solve.stage,
            solver: &solve.solver,
            status: &solve.status,
            objective: Some(solve.objective),
            bound: solve.bound,
            gap: solve.bound.map(|bound| relative_gap(solve.objective, bound)),
            variables: solve.variables,
            integers: solve.integers,
            constraints: solve.constraints,
        }
    }
}

/// Distance between an objective and its bound, as a share of the objective; of 1 where that is
/// less.
fn relative_gap(objective: f64, bound: f64) -> f64 {
    (objective - bound).abs() / objective.abs().max(1.0)
}
