//! Must-take output: no columns, only a part of the balance and a cost that is sunk.

use crate::{
    grid::{
        DispatchProblem, GridError, UnitTask, Unmet,
        error::{Holds, series},
        unit::{Kind, UnitColumns},
    },
    linear::{Program, Solved},
};
use good_lp::Expression;
use voltide_model::{
    device::{Device, MustTake},
    unit::UnitSlot,
};

/// Output by slot, as given.
struct Columns<'p> {
    unit: &'p MustTake,
    output_kw: &'p [f64],
}

impl Kind for MustTake {
    fn check(&self, task: &UnitTask, slots: usize) -> Result<(), GridError> {
        series(&self.name, &task.series, slots, &[("output", Holds::Amount)])
    }

    /// Pays for all of it.
    fn columns<'p>(
        &'p self,
        program: &mut Program,
        _unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        let output_kw = &task.series[0];
        program.pay(self.cost * problem.slot_hours * output_kw.iter().sum::<f64>());
        Box::new(Columns { unit: self, output_kw })
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
