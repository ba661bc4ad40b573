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

impl DispatchProgram<'_> {
    /// Adds columns that count starts and units that are on, where the schedule decides.
    pub(super) fn add_switch_counts(&mut self, plant: &[Unit]) -> Vec<Variable> {
        let mut switched: Vec<(f64, Vec<Variable>, Vec<Variable>)> = Vec::new();
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
            for slot in 0..units[0].1.len() {
                sums.push(units.iter().map(|(_, on, _)| on[slot]).sum());
            }
        }
        sums.into_iter().map(|sum| self.count(sum)).collect()
    }

    /// A column that is what a sum is.
    fn count(&mut self, sum: Expression) -> Variable {
        let count = self.program.add(variable().min(0.0));
        self.program.require(constraint!(sum == count));
        count
    }
}
