//! Must-take output: no columns, only a part of the balance and a cost that is sunk.

use super::{DispatchProblem, unit::UnitColumns};
use crate::linear::{Program, Solved};
use good_lp::Expression;
use voltide_model::{
    device::{Device, MustTake},
    dispatch::UnitSlot,
};

/// Output by slot, as given.
pub(super) struct Columns<'p> {
    unit: &'p MustTake,
    output_kw: &'p [f64],
}

impl<'p> Columns<'p> {
    /// Pays for all of it.
    pub(super) fn new(
        program: &mut Program,
        problem: &DispatchProblem<'_>,
        unit: &'p MustTake,
        output_kw: &'p [f64],
    ) -> Self {
        program.pay(unit.cost * problem.slot_hours * output_kw.iter().sum::<f64>());
        Self { unit, output_kw }
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        self.output_kw[slot].into()
    }

    fn read(&self, _solved: &Solved, slot: usize, _before: Option<&UnitSlot>) -> UnitSlot {
        UnitSlot { given_kw: self.output_kw[slot], ..UnitSlot::idle(self.unit.kind()) }
    }
}
