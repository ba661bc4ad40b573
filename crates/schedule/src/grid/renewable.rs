//! Renewables: what is delivered, up to what is available.

use super::{
    DispatchProblem,
    unit::{UnitColumns, Way, power, value},
};
use crate::linear::{Program, Solved};
use good_lp::{Expression, Variable};
use voltide_model::{
    device::{Device, Renewable},
    dispatch::UnitSlot,
    flexibility::{Readings, VreDown},
};

/// Delivered power by slot.
pub(super) struct Columns<'p> {
    unit: &'p Renewable,
    available_kw: &'p [f64],
    readings: Readings,
    delivered: Vec<Variable>,
}

impl<'p> Columns<'p> {
    /// (39) and (41): what is delivered costs the one and saves the other.
    pub(super) fn new(
        program: &mut Program,
        problem: &DispatchProblem<'_>,
        unit: &'p Renewable,
        available_kw: &'p [f64],
    ) -> Self {
        let (hours, price) = (problem.slot_hours, unit.cost - unit.waste_price);
        let delivered =
            available_kw.iter().map(|&most| power(program, hours, most, price)).collect();
        program.pay(unit.waste_price * hours * available_kw.iter().sum::<f64>());
        Self { unit, available_kw, readings: problem.readings, delivered }
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        self.delivered[slot].into()
    }

    fn read(&self, solved: &Solved, slot: usize, _before: Option<&UnitSlot>) -> UnitSlot {
        let available_kw = self.available_kw[slot];
        let given_kw = value(solved, self.delivered[slot]).min(available_kw);
        UnitSlot { given_kw, available_kw, ..UnitSlot::idle(self.unit.kind()) }
    }

    fn room(&self, did: &UnitSlot) -> Option<(f64, f64)> {
        Some((0.0, did.available_kw))
    }

    /// (28), (29).
    fn supply(&self, _program: &mut Program, slot: usize, way: Way) -> Expression {
        let curtailed = self.available_kw[slot] - self.delivered[slot];
        match (self.readings.vre_down, way) {
            (VreDown::Literal, Way::Up) => Expression::default(),
            (VreDown::Literal, Way::Down) | (VreDown::Physical, Way::Up) => curtailed,
            (VreDown::Physical, Way::Down) => self.delivered[slot].into(),
        }
    }
}
