//! Interruptible load: what is shed.

use crate::{
    grid::{
        DispatchProblem, GridError, UnitTask, Unmet,
        unit::{Kind, Room, UnitColumns, Way, powers, value},
    },
    linear::{Program, Solved},
};
use good_lp::{Expression, Variable};
use voltide_model::{
    device::{Device, InterruptibleLoad},
    flexibility::{CutUp, Readings},
    unit::{UnitSlot, tidied},
};

/// Load shed by slot.
struct Columns<'p> {
    unit: &'p InterruptibleLoad,
    readings: Readings,
    shed: Vec<Variable>,
}

impl Kind for InterruptibleLoad {
    fn check(&self, _task: &UnitTask, _slots: usize) -> Result<(), GridError> {
        Ok(Device::check(self)?)
    }

    /// (40).
    fn columns<'p>(
        &'p self,
        program: &mut Program,
        _unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        _task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        let shed = powers(program, problem, self.power_max.0, self.price);
        Box::new(Columns { unit: self, readings: problem.readings, shed })
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        self.shed[slot].into()
    }

    fn read(&self, solved: &Solved, slot: usize, _before: Option<&UnitSlot>) -> UnitSlot {
        let shed = value(solved, self.shed[slot]).min(self.unit.power_max.0);
        UnitSlot { given_kw: tidied(shed), ..UnitSlot::idle(self.unit.kind()) }
    }

    fn room(&self, _did: &UnitSlot) -> Option<Room> {
        Some(Room { turn: 2, least_kw: 0.0, most_kw: self.unit.power_max.0 })
    }

    /// (27).
    fn supply(&self, _program: &mut Program, slot: usize, way: Way) -> Expression {
        match (way, self.readings.cut_up) {
            (Way::Down, CutUp::Literal | CutUp::Physical) => Expression::default(),
            (Way::Up, CutUp::Literal) => Expression::from(self.unit.power_max.0),
            (Way::Up, CutUp::Physical) => self.unit.power_max.0 - self.shed[slot],
        }
    }
}
