//! How many units are on, and how often each of them starts: numbers that are whole where every
//! commitment is.
//!
//! Units of one size stand in for each other, and so do neighbouring slots of one unit. To branch
//! at how many of them are on, or at how often one starts, decides what to branch at one of them
//! leaves to the others.

use super::build::DispatchProgram;
use good_lp::{Expression, Variable, constraint, variable};
use voltide_model::device::Unit;

/// Units are of one size where the next larger one is at most so many times as large.
const ONE_SIZE: f64 = 1.3;

/// Units of one size: how large they are, and the columns that say which slots they are on in, and
/// start in.
type Switched = (f64, Vec<Variable>, Vec<Variable>);

/// Whether anything of a slot is not decided with the slot before.
fn decides_anew(units: &[Switched], slot: usize) -> bool {
    units.iter().any(|(_, on, _)| slot == 0 || on[slot] != on[slot - 1])
}

impl DispatchProgram<'_> {
    /// Adds columns that count starts and units that are on, where the schedule decides.
    pub(super) fn add_switch_counts(&mut self, plant: &[Unit]) -> Vec<Variable> {
        let mut switched: Vec<Switched> = Vec::new();
        for (unit, columns) in plant.iter().zip(&self.units) {
            if let (Unit::Thermal(unit), Some((on, starts))) = (unit, columns.switches()) {
                switched.push((unit.power_max.0, on.to_vec(), starts.to_vec()));
            }
        }
        switched.sort_by(|one, next| one.0.total_cmp(&next.0));
        let mut sums: Vec<Expression> =
            switched.iter().map(|(_, _, starts)| starts.iter().sum()).collect();
        let sizes = switched.chunk_by(|one, next| next.0 <= ONE_SIZE * one.0);
        for units in sizes.chain([&switched[..]]).filter(|units| units.len() > 1) {
            for slot in (0..units[0].1.len()).filter(|&slot| decides_anew(units, slot)) {
                sums.push(units.iter().map(|(_, on, _)| on[slot]).sum());
            }
        }
        sums.into_iter().map(|sum| self.count(sum)).collect()
    }

    /// A commitment as a start for a search: the columns of units that the schedule switches.
    pub(super) fn commitment(&self, is_on: impl Fn(usize, usize) -> bool) -> Vec<(Variable, f64)> {
        let switched = self.units.iter().enumerate();
        let columns = switched.filter_map(|(unit, columns)| Some((unit, columns.switches()?.0)));
        let of_slots = |(unit, on): (usize, &[Variable])| -> Vec<(Variable, f64)> {
            let slots = on.iter().enumerate();
            slots.map(|(slot, &on)| (on, f64::from(u8::from(is_on(unit, slot))))).collect()
        };
        columns.flat_map(of_slots).collect()
    }

    /// A column that is what a sum is.
    fn count(&mut self, sum: Expression) -> Variable {
        let count = self.program.add(variable().min(0.0));
        self.program.require(constraint!(sum == count));
        count
    }
}
