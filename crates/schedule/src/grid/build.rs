//! A dispatch problem as a program, and its variables.

use super::{
    DispatchProblem, Unmet,
    kinds::add_all,
    unit::{UnitColumns, powers},
};
use crate::linear::Program;
use good_lp::{Expression, Variable, constraint};
use std::ops::Range;

/// A dispatch problem as a program, with its variables by unit and slot.
#[derive(Default)]
pub struct DispatchProgram<'p> {
    /// The program.
    pub program: Program,
    /// In the plant's order.
    pub(super) units: Vec<Box<dyn UnitColumns + 'p>>,
    pub(super) unserved: Vec<Variable>,
    pub(super) spilled: Vec<Variable>,
    /// The rows of the slots' balances.
    pub(super) balances: Range<usize>,
    /// What had to be relaxed before solving.
    pub(super) unmet: Vec<Unmet>,
    /// Whether it is read as was planned before, without a solver.
    pub(super) is_in_force: bool,
}

impl<'p> DispatchProgram<'p> {
    /// Writes down `problem`, which must be valid; units are held to one direction at a time in the
    /// `exclusive` (unit, slot) pairs.
    pub fn new(problem: &'p DispatchProblem<'_>, exclusive: &[(usize, usize)]) -> Self {
        let mut this = Self::default();
        this.units = add_all(&mut this.program, &mut this.unmet, problem);
        this.balance(problem);
        if problem.margins {
            this.require_margins(problem);
        }
        for &(unit, slot) in exclusive {
            this.units[unit].exclude(&mut this.program, slot);
        }
        this
    }

    fn balance(&mut self, problem: &DispatchProblem<'_>) {
        let price = problem.prices.unserved;
        // Neither has a limit, so that there is a schedule whatever the load.
        self.unserved = powers(&mut self.program, problem, f64::INFINITY, price);
        self.spilled = powers(&mut self.program, problem, f64::INFINITY, price);
        let first = self.program.rows();
        self.balances = first..first + problem.slots();
        for (slot, &load) in problem.exogenous.load_kw.iter().enumerate() {
            let given = self.given(slot);
            self.program.require(constraint!(given == load));
        }
    }

    /// All that is given to the balance of one slot, less what is taken.
    pub(super) fn given(&self, slot: usize) -> Expression {
        let open = Expression::from(self.unserved[slot]) - self.spilled[slot];
        self.units.iter().map(|unit| unit.given(slot)).fold(open, |sum, given| sum + given)
    }
}
