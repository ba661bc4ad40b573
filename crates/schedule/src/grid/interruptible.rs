//! Interruptible load: what is shed.

use super::{
    DispatchProblem,
    unit::{UnitColumns, Way, powers, value},
};
use crate::linear::{Program, Solved};
use good_lp::{Expression, Variable};
use voltide_model::{
    device::{Device, InterruptibleLoad},
    dispatch::{UnitSlot, tidied},
    flexibility::{CutUp, Readings},
};

/// Load shed by slot.
pub(super) struct Columns<'p> {
    unit: &'p InterruptibleLoad,
    readings: Readings,
    shed: Vec<Variable>,
}

impl<'p> Columns<'p> {
    /// (40).
    pub(super) fn new(
        program: &mut Program,
        problem: &DispatchProblem<'_>,
        unit: &'p InterruptibleLoad,
    ) -> Self {
        let shed = powers(program, problem, unit.power_max.0, unit.price);
        Self { unit, readings: problem.readings, shed }
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

    fn room(&self, _did: &UnitSlot) -> Option<(f64, f64)> {
        Some((0.0, self.unit.power_max.0))
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
