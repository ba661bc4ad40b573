//! Solving: binaries for stores only where the linear program used both directions at once.
//!
//! A store that charges and discharges in one slot burns energy. That pays only where energy has a
//! negative price, which no inspection of the data rules out (spilled power is dear), but which is
//! rare. So the program is solved without such binaries; slots that misuse that get one each, and
//! all of them if that is not enough. An optimum that keeps the rules of the full program is the
//! optimum of the full program.

use super::{Dispatch, DispatchProblem, GridError, build::DispatchProgram, kinds::kind_of};
use crate::linear::{Budget, Program, Solved};
use voltide_model::{flexibility::LastStep, rules::Rules};

impl DispatchProblem<'_> {
    /// Finds the cheapest schedule, cold, through Clp or CBC.
    ///
    /// # Errors
    /// Where the problem makes no sense, or the search ran out of nodes without a schedule.
    pub fn solve(&self) -> Result<Dispatch, GridError> {
        self.validate()?;
        let mut exclusive = Vec::new();
        for solves in 1.. {
            let model = DispatchProgram::new(self, &exclusive);
            let solved = self.solved(&model.program);
            if !solved.outcome.has_solution() {
                return Err(GridError::Unsolved(solved.outcome));
            }
            let misused = model.misused(self, &solved, &exclusive);
            if misused.is_empty() {
                return Ok(model.read(self, &solved, solves));
            }
            // Forbidden in some slots it may move to others: then it is forbidden in all.
            exclusive.extend(if solves == 1 { misused } else { self.others(&exclusive) });
        }
        unreachable!("with a binary in every slot no direction is misused")
    }

    /// An optimum of a program without integers has many vertices of one cost: who is asked decides
    /// which, so that a run goes on by whom it began with. A day that wraps is the paper's, whose
    /// figures were compared row by row with vertices that CBC finds.
    fn solved(&self, program: &Program) -> Solved {
        let budget =
            Budget { nodes: Some(self.search.nodes), gap: self.search.gap, cpu_seconds: None };
        match (self.rules, self.readings.last_step) {
            (Rules::V2, LastStep::NextDay) if program.integers() == 0 => program.solve_linear(),
            (Rules::V1 | Rules::V2, LastStep::NextDay | LastStep::Wrap) => program.solve(budget),
        }
    }

    /// All pairs of store and slot that are not yet in `exclusive`.
    fn others(&self, exclusive: &[(usize, usize)]) -> Vec<(usize, usize)> {
        let pairs = self.both_ways();
        pairs.into_iter().filter(|pair| !exclusive.contains(pair)).collect()
    }

    /// All pairs of a unit that could use both directions at once, and a slot.
    pub fn both_ways(&self) -> Vec<(usize, usize)> {
        let units = self.plant.units.iter().enumerate();
        let two_way = units.filter(|(_, unit)| kind_of(unit).is_two_way()).map(|(at, _)| at);
        two_way.flat_map(|unit| (0..self.slots()).map(move |slot| (unit, slot))).collect()
    }
}

impl DispatchProgram<'_> {
    /// Pairs of unit and slot, not yet exclusive, that use both directions at once.
    fn misused(
        &self,
        problem: &DispatchProblem<'_>,
        solved: &Solved,
        exclusive: &[(usize, usize)],
    ) -> Vec<(usize, usize)> {
        let others = problem.others(exclusive).into_iter();
        others.filter(|&(unit, slot)| self.units[unit].is_misused(solved, slot)).collect()
    }
}
