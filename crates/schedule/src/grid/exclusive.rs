//! Solving: a direction is chosen for a store only where the linear program used both at once.
//!
//! A store that charges and discharges in one slot burns energy. That pays only where energy has a
//! negative price, which no inspection of the data rules out (spilled power is dear), but which is
//! rare. So the program is solved without such choices. Where it misuses their absence:
//!
//! 1. every misused slot is held to its larger direction: if that costs nothing, it is the optimum;
//! 2. misused slots become [hulls](super::hull) until the linear program misuses no more of them,
//!    and directions are searched for.
//!
//! Which units are switched is searched for in the same way, all of it at once.
//!
//! An optimum that keeps the rules of the full program is the optimum of the full program. Runs of
//! the first release, and days that wrap, give binaries to misused slots, then to all, and ask CBC.

use super::{Dispatch, DispatchProblem, GridError, build::DispatchProgram, kinds::kind_of};
use crate::{
    linear::{Budget, Forks, Solved},
    search::{Work, forgiven},
};
use good_lp::Variable;
use std::collections::BTreeSet;
use voltide_model::{flexibility::LastStep, rules::Rules};

/// How many nodes of the limit make one program that a search for a commitment solves: the limit
/// was made for a search that solves smaller ones.
const NODES_OF_A_COMMITMENT: u32 = 10;

/// The same of a search for directions: there are a hundred windows a day, and each of them may
/// need one.
const NODES_OF_A_DIRECTION: u32 = 40;

/// Times that hulls are added. A slot that is misused after that is left to the search.
const ROUNDS: u32 = 10;

/// Columns and their values where good answers are thought to be.
type Starts = Vec<Vec<(Variable, f64)>>;

impl DispatchProblem<'_> {
    /// The cheapest schedule of units that are switched, searched for from a commitment, which says
    /// whether a unit is on in a slot; nothing where none was found or none is switched. The
    /// problem must be valid.
    pub(super) fn switched_from(&self, is_on: impl Fn(usize, usize) -> bool) -> Option<Dispatch> {
        let model = DispatchProgram::new(self, &[]);
        let start = model.commitment(is_on);
        if start.is_empty() {
            return None;
        }
        self.switched(model, vec![start])
    }

    /// Finds the cheapest schedule, cold, through Clp or CBC.
    ///
    /// # Errors
    /// Where the problem makes no sense, or the search ran out of nodes without a schedule.
    pub fn solve(&self) -> Result<Dispatch, GridError> {
        self.validate()?;
        // An optimum of a program without integers has many vertices of one cost: who is asked
        // decides which, so that a run goes on by whom it began with. A day that wraps is the
        // paper's, whose figures were compared row by row with vertices that CBC finds.
        match (self.rules, self.readings.last_step) {
            (Rules::V2, LastStep::NextDay) => self.solve_on_clp(),
            (Rules::V1 | Rules::V2, LastStep::NextDay | LastStep::Wrap) => self.solve_by_cbc(),
        }
    }

    fn solve_by_cbc(&self) -> Result<Dispatch, GridError> {
        let mut exclusive = Vec::new();
        for solves in 1.. {
            let model = DispatchProgram::new(self, &exclusive);
            let solved = model.program.solve(self.budget());
            if !solved.outcome.has_solution() {
                return Err(GridError::Unsolved(solved.outcome));
            }
            let misused = model.misused(self.others(&exclusive), &solved);
            if misused.is_empty() {
                return Ok(model.read(self, &solved, solves));
            }
            // Forbidden in some slots it may move to others: then it is forbidden in all.
            exclusive.extend(if solves == 1 { misused } else { self.others(&exclusive) });
        }
        unreachable!("with a binary in every slot no direction is misused")
    }

    fn budget(&self) -> Budget {
        Budget { nodes: Some(self.search.nodes), gap: self.search.gap, cpu_seconds: None }
    }

    fn solve_on_clp(&self) -> Result<Dispatch, GridError> {
        let model = DispatchProgram::new(self, &[]);
        if model.program.integers() > 0 {
            return self.switched(model, Vec::new()).map_or_else(|| self.solve_by_cbc(), Ok);
        }
        let relaxed = model.solve_linear();
        if !relaxed.outcome.has_solution() {
            return Err(GridError::Unsolved(relaxed.outcome));
        }
        let misused = model.misused(self.both_ways(), &relaxed);
        if misused.is_empty() {
            return Ok(model.read(self, &relaxed, 1));
        }
        let slots = misused.iter().map(|&(_, slot)| slot).collect();
        self.one_way(model, slots, relaxed.bound).map_or_else(|| self.solve_by_cbc(), Ok)
    }

    /// The cheapest schedule of units that are switched, in which no store goes both ways; nothing
    /// where none was found.
    fn switched(&self, mut model: DispatchProgram<'_>, starts: Starts) -> Option<Dispatch> {
        let counts = model.add_switch_counts(&self.plant.units);
        let forks = Forks { pairs: model.all_pairs(self), counts, starts };
        let nodes = (self.search.nodes / NODES_OF_A_COMMITMENT).max(1);
        let solved = model.program.search(&forks, Work { nodes, gap: self.search.gap });
        solved.outcome.has_solution().then(|| model.read(self, &solved, 1))
    }

    /// The cheapest schedule in which no store goes both ways; nothing where none was found.
    /// `misused` are slots in which the `model` has one do so at a cost of `bound`.
    fn one_way(
        &self,
        model: DispatchProgram<'_>,
        misused: BTreeSet<usize>,
        bound: f64,
    ) -> Option<Dispatch> {
        let gap = self.search.gap;
        let nodes = (self.search.nodes / NODES_OF_A_DIRECTION).max(1);
        let forks = Forks { pairs: model.all_pairs(self), ..Forks::default() };
        let held = model.program.search(&forks, Work { nodes: 1, gap });
        if held.outcome.has_solution() && held.objective <= bound + forgiven(bound, gap) {
            return Some(model.read(self, &Solved { bound, ..held }, 2));
        }
        let (hulled, counts, solves) = self.with_hulls(misused);
        let starts = vec![model.decisions(self, &held)];
        let solved = hulled.program.search(&Forks { counts, starts, ..forks }, Work { nodes, gap });
        solved.outcome.has_solution().then(|| hulled.read(self, &solved, solves + 3))
    }

    /// The program with hulls in `misused` slots and in those that are misused then, the columns
    /// that count directions, and how many programs were solved for that.
    fn with_hulls(
        &self,
        mut misused: BTreeSet<usize>,
    ) -> (DispatchProgram<'_>, Vec<Variable>, u32) {
        for solves in 0.. {
            let mut model = DispatchProgram::new(self, &[]);
            let loads = misused.iter().map(|&slot| (slot, self.exogenous.load_kw[slot]));
            let counts = model.add_hulls(&loads.collect::<Vec<_>>());
            if solves >= ROUNDS {
                return (model, counts, solves);
            }
            let relaxed = model.solve_linear();
            let before = misused.len();
            if relaxed.outcome.has_solution() {
                misused
                    .extend(model.misused(self.both_ways(), &relaxed).into_iter().map(|of| of.1));
            }
            if misused.len() == before {
                return (model, counts, solves + 1);
            }
        }
        unreachable!("rounds end")
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
    /// All pairs of directions of which one must be nothing.
    fn all_pairs(&self, problem: &DispatchProblem<'_>) -> Vec<(Variable, Variable)> {
        (0..problem.slots()).flat_map(|slot| self.pairs(slot)).collect()
    }

    /// Which directions are nothing in a solution, where the other one is something.
    fn decisions(&self, problem: &DispatchProblem<'_>, solved: &Solved) -> Vec<(Variable, f64)> {
        let pairs = self.all_pairs(problem).into_iter();
        let smaller = |(one, other): (Variable, Variable)| {
            let (of_one, of_other) = (solved.values[&one], solved.values[&other]);
            // Neither is smaller where both are nothing, whatever the sign of that.
            if of_one < of_other {
                Some((one, 0.0))
            } else if of_other < of_one {
                Some((other, 0.0))
            } else {
                None
            }
        };
        pairs.filter_map(smaller).collect()
    }

    /// Those of `pairs` of unit and slot that use both directions at once.
    pub(super) fn misused(
        &self,
        pairs: Vec<(usize, usize)>,
        solved: &Solved,
    ) -> Vec<(usize, usize)> {
        let misused = |&(unit, slot): &(usize, usize)| self.units[unit].is_misused(solved, slot);
        pairs.into_iter().filter(misused).collect()
    }
}
