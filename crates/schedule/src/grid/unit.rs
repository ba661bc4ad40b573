//! A unit in the program, whatever its kind; one file a kind in `kinds` says what it asks and which
//! columns it has.

use super::{DispatchProblem, GridError, UnitTask, Unmet, UnmetWish, plan::UnitPlan};
use crate::linear::{Program, Solved};
use good_lp::{Expression, Variable, variable};
use std::ops::Range;
use voltide_model::{
    device::Device,
    flexibility::{Readings, UpDown},
    two_stage::TwoStage,
    unit::UnitSlot,
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

/// What a unit may give where rounding left the balance open, kW.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// When its kind is asked: those with lower numbers first.
    pub(super) turn: u8,
    /// Least.
    pub(super) least_kw: f64,
    /// Most.
    pub(super) most_kw: f64,
}

// Not the plant's order, in which renewables come before thermal units: runs from before plants
// were lists are resumed with the same numbers.
/// Turns that kinds take in closing the balance.
pub(super) const TURNS: Range<u8> = 0..3;
/// The same where no solver closed it: thermal units keep to their ramps, and connections import.
pub(super) const TURNS_IN_FORCE: Range<u8> = 1..4;

/// What is asked of a kind of unit before it has columns. What most kinds do not have is nothing
/// where a kind does not say.
pub(super) trait Kind {
    /// Checks the unit and what is asked of it over so many slots. What came from elsewhere, such
    /// as what a store holds by now, need not be within the unit's limits.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    fn check(&self, task: &UnitTask, slots: usize) -> Result<(), GridError>;

    /// Adds its columns to a program; the problem must be valid.
    fn columns<'p>(
        &'p self,
        program: &mut Program,
        unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p>;

    /// Whether it could use both directions at once.
    fn is_two_way(&self) -> bool {
        false
    }

    /// Whether it may supply less than no flexibility.
    fn may_supply_less_than_nothing(&self, _task: &UnitTask, _readings: Readings) -> bool {
        false
    }

    /// Adds what the day-ahead stage asks of it; local days end after the steps `day_ends`, and one
    /// with the last step.
    fn ask_day_ahead(&self, _task: &mut UnitTask, _rules: &TwoStage, _day_ends: &[usize]) {}

    /// Adds what an intra-day window asks of it.
    fn ask_intra_day(&self, _task: &mut UnitTask, _plan: UnitPlan<'_>) {}
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

    /// What it may give where rounding left the balance open; `None` for a unit that is not moved
    /// for that.
    fn room(&self, _did: &UnitSlot) -> Option<Room> {
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

    /// Whether it is on, and whether it starts, by slot, where the schedule decides.
    fn switches(&self) -> Option<(&[Variable], &[Variable])> {
        None
    }

    /// Its two directions in a slot, where it has two of which one must be nothing.
    fn directions(&self, _slot: usize) -> Option<(Variable, Variable)> {
        None
    }

    /// Holds it to one direction at a time in a slot.
    fn exclude(&self, _program: &mut Program, _slot: usize) {}

    /// Has it only charge in a slot.
    fn charge_only(&self, _program: &mut Program, _slot: usize) {}

    /// Whole values for its integers by a solution that had them broken; there must be a schedule
    /// with these.
    fn rounded(&self, _relaxed: &Solved) -> Vec<(Variable, f64)> {
        Vec::new()
    }

    /// Values of its columns where it goes on as was planned, or as it stands; those left out are 0.
    fn in_force(&self) -> Vec<(Variable, f64)> {
        Vec::new()
    }

    /// What running costs an hour where the program has chords for a curve; `None` where it pays
    /// what is billed.
    fn on_chords_per_hour(&self, _did: &UnitSlot) -> Option<f64> {
        None
    }

    /// How far it lies outside the band around the day-ahead plan, kW.
    fn deviation_kw(&self, _did: &UnitSlot, _slot: usize) -> f64 {
        0.0
    }

    /// How far it is in the last slot from where the path leads on, as energy that may not be served
    /// for that, kWh.
    fn astray_kwh(&self, _last: &UnitSlot) -> f64 {
        0.0
    }

    /// What it holds less than would be free of charge, after all slots that ask for something
    /// together, kWh; `held_kwh` is what it holds after a slot.
    fn missing_kwh(&self, _held_kwh: &dyn Fn(usize) -> f64) -> f64 {
        0.0
    }
}

/// Notes by how much a unit misses a wish, kW or kWh. A chain of solves misses all by rounding.
pub(super) fn note_missed(unmet: &mut Vec<Unmet>, unit: &str, wish: UnmetWish, by: f64) {
    if by > 1e-6 {
        unmet.push(Unmet { unit: unit.to_owned(), wish, by });
    }
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
