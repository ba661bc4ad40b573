//! The kinds of units that can be scheduled, one file each.

mod electrolyser;
mod exchange;
mod interruptible;
mod must_take;
mod renewable;
mod store;
mod thermal;

use super::{
    DispatchProblem, Unmet,
    unit::{Kind, UnitColumns},
};
use crate::linear::Program;
use voltide_model::device::Unit;

/// What there is to ask of a unit's kind.
pub(super) fn kind_of(unit: &Unit) -> &dyn Kind {
    match unit {
        Unit::Renewable(unit) => unit,
        Unit::MustTake(unit) => unit,
        Unit::Thermal(unit) => unit,
        Unit::Store(unit) => unit,
        Unit::Interruptible(unit) => unit,
        Unit::Exchange(unit) => unit,
        Unit::Electrolyser(unit) => unit,
    }
}

/// Adds the columns of all units of a problem, which must be valid, in the plant's order.
pub(super) fn add_all<'p>(
    program: &mut Program,
    unmet: &mut Vec<Unmet>,
    problem: &'p DispatchProblem<'_>,
) -> Vec<Box<dyn UnitColumns + 'p>> {
    let units = problem.plant.units.iter().zip(&problem.units);
    units.map(|(unit, task)| kind_of(unit).columns(program, unmet, problem, task)).collect()
}
