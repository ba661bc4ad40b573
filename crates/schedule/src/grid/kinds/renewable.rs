//! Renewables: what is delivered, up to what is available.

use crate::{
    grid::{
        DispatchProblem, GridError, UnitTask, Unmet,
        error::{Holds, series},
        unit::{Kind, Room, UnitColumns, Way, power, value},
    },
    linear::{Program, Solved},
};
use good_lp::{Expression, Variable};
use voltide_model::{
    device::{Device, Renewable},
    flexibility::{Readings, VreDown},
    unit::UnitSlot,
};

/// Delivered power by slot.
struct Columns<'p> {
    unit: &'p Renewable,
    available_kw: &'p [f64],
    readings: Readings,
    delivered: Vec<Variable>,
}

impl Kind for Renewable {
    fn check(&self, task: &UnitTask, slots: usize) -> Result<(), GridError> {
        self.check_prices()?;
        series(&self.name, &task.series, slots, &[("available power", Holds::Amount)])
    }

    /// (39) and (41): what is delivered costs the one and saves the other.
    fn columns<'p>(
        &'p self,
        program: &mut Program,
        _unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        let hours = problem.slot_hours;
        let price = self.cost - self.waste_price;
        let available_kw = &task.series[0];
        let delivered =
            available_kw.iter().map(|&most| power(program, hours, most, price)).collect();
        // A constant, without which the objective would not be what is billed.
        program.pay(self.waste_price * hours * available_kw.iter().sum::<f64>());
        Box::new(Columns { unit: self, available_kw, readings: problem.readings, delivered })
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

    fn room(&self, did: &UnitSlot) -> Option<Room> {
        Some(Room { turn: 1, least_kw: 0.0, most_kw: did.available_kw })
    }

    fn in_force(&self) -> Vec<(Variable, f64)> {
        self.delivered.iter().copied().zip(self.available_kw.iter().copied()).collect()
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
