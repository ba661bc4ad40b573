//! A unit in the program, whatever its kind; one file a kind says which columns it has.

use super::{
    DispatchProblem, Unmet, exchange, interruptible, must_take, renewable, store, thermal,
};
use crate::linear::{Program, Solved};
use good_lp::{Expression, Variable, variable};
use voltide_model::{
    device::{Device, Unit},
    dispatch::UnitSlot,
    flexibility::UpDown,
};

/// Upward or downward.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Way {
    Up,
    Down,
}

impl Way {
    pub(super) fn of(self, both: UpDown) -> f64 {
        if self == Self::Up { both.up } else { both.down }
    }
}

/// The columns of one unit. What most kinds do not have is nothing where a kind does not say.
pub(super) trait UnitColumns {
    /// Whose columns they are.
    fn device(&self) -> &dyn Device;

    /// What it gives to the balance of a slot, less what it takes, kW.
    fn given(&self, slot: usize) -> Expression;

    /// What it did in a slot of a solution, within its limits; `before` is what it did in the slot
    /// before, where that is not the first.
    fn read(&self, solved: &Solved, slot: usize, before: Option<&UnitSlot>) -> UnitSlot;

    /// What it may give where rounding left the balance open, least and most, kW; `None` for a unit
    /// that is not moved for that.
    fn room(&self, _did: &UnitSlot) -> Option<(f64, f64)> {
        None
    }

    /// `F_S` in a slot, one way, kW: below both arguments of its min.
    fn supply(&self, _program: &mut Program, _slot: usize, _way: Way) -> Expression {
        Expression::default()
    }

    /// Whether what it supplies counts.
    fn takes_part(&self) -> bool {
        true
    }

    /// Whether it uses both directions at once in a slot of a solution.
    fn is_misused(&self, _solved: &Solved, _slot: usize) -> bool {
        false
    }

    /// Holds it to one direction at a time in a slot.
    fn exclude(&self, _program: &mut Program, _slot: usize) {}

    /// What an hour costs where the program has chords for a curve.
    fn on_chords_per_hour(&self, _did: &UnitSlot) -> f64 {
        0.0
    }

    /// How far it lies outside the band around the day-ahead plan, kW.
    fn deviation_kw(&self, _did: &UnitSlot, _slot: usize) -> f64 {
        0.0
    }

    /// What it holds less after the last slot than would be free of charge, kWh; `None` for a unit
    /// that holds no energy.
    fn missing_at_end_kwh(&self, _last: Option<&UnitSlot>) -> Option<f64> {
        None
    }
}

/// Adds the columns of all units of a problem, which must be valid, in the plant's order.
pub(super) fn add_all<'p>(
    program: &mut Program,
    unmet: &mut Vec<Unmet>,
    problem: &'p DispatchProblem<'_>,
) -> Vec<Box<dyn UnitColumns + 'p>> {
    let seen = &problem.outlook;
    let mut available = seen.available_kw.iter();
    let mut output = seen.must_take_kw.iter();
    let mut prices = seen.import_price.iter().zip(&seen.export_price);
    let mut thermal = problem.state.thermal.iter().zip(&problem.courses);
    let mut stores = problem.state.energy_kwh.iter().zip(&problem.ends);
    let mut add = |unit: &'p Unit| -> Option<Box<dyn UnitColumns + 'p>> {
        Some(match unit {
            Unit::Renewable(unit) => {
                Box::new(renewable::Columns::new(program, problem, unit, available.next()?))
            }
            Unit::MustTake(unit) => {
                Box::new(must_take::Columns::new(program, problem, unit, output.next()?))
            }
            Unit::Thermal(unit) => {
                let (state, course) = thermal.next()?;
                Box::new(thermal::Columns::new(program, unmet, problem, unit, state, course))
            }
            Unit::Store(unit) => {
                let (&start, &end) = stores.next()?;
                Box::new(store::Columns::new(program, unmet, problem, unit, start, end))
            }
            Unit::Interruptible(unit) => {
                Box::new(interruptible::Columns::new(program, problem, unit))
            }
            Unit::Exchange(unit) => {
                Box::new(exchange::Columns::new(program, problem, unit, prices.next()?))
            }
        })
    };
    problem.plant.units.iter().filter_map(&mut add).collect()
}

/// A non-negative power with a limit and a price.
pub(super) fn power(program: &mut Program, hours: f64, limit_kw: f64, price: f64) -> Variable {
    let power = program.add(variable().min(0.0).max(limit_kw));
    program.pay(price * hours * power);
    power
}

/// The same in every slot.
pub(super) fn powers(
    program: &mut Program,
    problem: &DispatchProblem<'_>,
    limit_kw: f64,
    price: f64,
) -> Vec<Variable> {
    (0..problem.slots()).map(|_| power(program, problem.slot_hours, limit_kw, price)).collect()
}

/// A power in a solution; what rounding leaves below zero is none.
pub(super) fn value(solved: &Solved, variable: Variable) -> f64 {
    solved.values[&variable].max(0.0)
}
