//! A schedule in any case: what is tried in turn where none was found as asked.
//!
//! A search may run out of its work before it has a schedule, and a solver may give none that
//! holds. A run goes on all the same: with a looser gap; then without integers, as the linear
//! program has it, with units on wherever that has a part of them on; and then as was planned
//! before, without a solver.

use super::{Dispatch, DispatchProblem, GridError, build::DispatchProgram};
use crate::{
    answer::Outcome,
    linear::{Solved, SolverName},
};
use voltide_model::two_stage::SearchLimits;

/// Relative gap that is good enough once none was found with the one that was asked for.
const LOOSER_GAP: f64 = 0.02;

/// How a schedule came about where none was found as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fallback {
    /// By a search that may stop at a gap of 2 %.
    LooserGap,
    /// By linear programs: units are on where the first has a part of them on, and as long as their
    /// minimum times ask; and stores that would use both directions at once charge.
    WithoutIntegers,
    /// By no solver: units go on as was planned, or as they stand, as far as their ramps allow;
    /// stores rest.
    PlanInForce,
}

impl Fallback {
    /// All of them, as they are tried.
    pub const ALL: [Self; 3] = [Self::LooserGap, Self::WithoutIntegers, Self::PlanInForce];

    /// The name in journals and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::LooserGap => "looser_gap",
            Self::WithoutIntegers => "without_integers",
            Self::PlanInForce => "plan_in_force",
        }
    }
}

impl DispatchProblem<'_> {
    /// Finds a schedule whatever solvers say: the cheapest one, or what comes next in [`Fallback`].
    ///
    /// # Errors
    /// Where the problem makes no sense.
    pub fn schedule(&self) -> Result<Dispatch, GridError> {
        match self.solve() {
            Err(GridError::Unsolved(_)) => {}
            answer => return answer,
        }
        for fallback in Fallback::ALL {
            if let Some(found) = self.by(fallback) {
                return Ok(Dispatch { fallback: Some(fallback), ..found });
            }
        }
        unreachable!("a plan in force needs no solver")
    }

    /// What a fallback comes to, where it comes to a schedule; the problem must be valid.
    pub fn by(&self, fallback: Fallback) -> Option<Dispatch> {
        match fallback {
            Fallback::LooserGap => {
                let search = SearchLimits { gap: self.search.gap.max(LOOSER_GAP), ..self.search };
                DispatchProblem { search, ..self.clone() }.solve().ok()
            }
            Fallback::WithoutIntegers => self.without_integers(),
            Fallback::PlanInForce => Some(self.in_force()),
        }
    }

    /// Two linear programs: what the first has a part of on is on in the second.
    fn without_integers(&self) -> Option<Dispatch> {
        let relaxed = DispatchProgram::new(self, &[]);
        let bound = relaxed.program.solve_relaxed();
        if !bound.outcome.has_solution() {
            return None;
        }
        let mut one_way: Vec<(usize, usize)> = Vec::new();
        let is_whole = relaxed.program.integers() == 0;
        if is_whole && relaxed.misused(self.both_ways(), &bound).is_empty() {
            return Some(relaxed.read(self, &bound, 1));
        }
        // A store is held to one direction in one more slot at least each time.
        for solves in 2.. {
            let mut model = DispatchProgram::new(self, &[]);
            model.round(&bound);
            model.charge_only(&one_way);
            let solved = model.program.solve_relaxed();
            if !solved.outcome.has_solution() {
                return None;
            }
            let misused = model.misused(self.both_ways(), &solved);
            if misused.is_empty() {
                return Some(model.read(self, &Solved { bound: bound.bound, ..solved }, solves));
            }
            one_way.extend(misused);
        }
        unreachable!("a store that only charges does not discharge")
    }

    /// Without a solver.
    fn in_force(&self) -> Dispatch {
        let mut model = DispatchProgram::new(self, &[]);
        model.is_in_force = true;
        let held: Vec<_> = model.units.iter().flat_map(|unit| unit.in_force()).collect();
        let solved = Solved {
            by: SolverName::None,
            outcome: Outcome::NoSolution,
            objective: f64::NAN,
            bound: f64::NEG_INFINITY,
            values: model.program.at_rest(held),
        };
        model.read(self, &solved, 0)
    }
}

impl DispatchProgram<'_> {
    /// Fixes what is whole at what a solution without integers comes to.
    fn round(&mut self, relaxed: &Solved) {
        let whole: Vec<_> = self.units.iter().flat_map(|unit| unit.rounded(relaxed)).collect();
        for (variable, value) in whole {
            self.program.fix(variable, value);
        }
    }

    fn charge_only(&mut self, one_way: &[(usize, usize)]) {
        for &(unit, slot) in one_way {
            self.units[unit].charge_only(&mut self.program, slot);
        }
    }
}
