//! Which stored energies can be reached at all, and bounds relaxed just so far that they can be.
//!
//! Going forward, the energies that can be reached at the end of a slot form an interval
//! `[max(E_min, L − ld), min(E_max, U + lc)]`. Where that would be empty, the violated bound moves
//! to the nearest energy that can be reached: a battery outside its bounds heads for them with
//! full power, and a target too far gives the most energy there can be at the end.

use crate::{
    answer::{ENERGY_TOLERANCE, Unmet, note_bounds, target_missed},
    problem::{PerSlot, StorageProblem},
};

/// Energy bounds that some schedule keeps, and by how much they differ from those asked for.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// Most energy that can enter in each slot, kWh.
    pub(crate) up: Vec<f64>,
    /// Most energy that can leave in each slot, kWh.
    pub(crate) down: Vec<f64>,
    /// Least energy at the end of each slot, target included, kWh.
    pub(crate) floor: Vec<f64>,
    /// Most energy at the end of each slot, kWh.
    pub(crate) ceiling: Vec<f64>,
    /// What had to give.
    pub(crate) unmet: Unmet,
}

impl Reach {
    /// Fills in the bounds for `problem`.
    pub(crate) fn explore(&mut self, problem: &StorageProblem<'_>) {
        self.unmet = Unmet::default();
        self.lay_out(problem);
        let steady = problem.is_steady();
        let (mut least, mut most) = (problem.energy_kwh, problem.energy_kwh);
        let limits = self.up.iter().zip(&self.down);
        let bounds = self.floor.iter_mut().zip(&mut self.ceiling);
        for (slot, ((up, down), (floor, ceiling))) in limits.zip(bounds).enumerate() {
            least -= down;
            most += up;
            if *floor > most || *ceiling < least {
                note_bounds(&mut self.unmet, problem, slot, least, most);
                (*floor, *ceiling) = (floor.min(most), ceiling.max(least));
            }
            (least, most) = (least.max(*floor), most.min(*ceiling));
            if least <= *floor && most >= *ceiling && steady {
                // So it stays: the target is met at the latest when the battery is full.
                break;
            }
        }
        if problem.target_kwh > most + ENERGY_TOLERANCE {
            self.unmet.target = Some(target_missed(problem, problem.target_kwh - most));
        }
    }

    /// Fills in limits and bounds as they are asked for.
    fn lay_out(&mut self, problem: &StorageProblem<'_>) {
        let slots = problem.slots();
        let (per_kw_up, per_kw_down) =
            (problem.charge_kwh_per_kw(), problem.discharge_kwh_per_kw());
        for (column, asked, factor) in [
            (&mut self.up, problem.charge_kw_max, per_kw_up),
            (&mut self.down, problem.discharge_kw_max, per_kw_down),
            (&mut self.floor, problem.energy_kwh_min, 1.0),
            (&mut self.ceiling, problem.energy_kwh_max, 1.0),
        ] {
            column.clear();
            match asked {
                PerSlot::Same(value) => column.resize(slots, value * factor),
                PerSlot::Each(values) => column.extend(values.iter().map(|value| value * factor)),
            }
        }
        if let (Some(floor), Some(ceiling)) = (self.floor.last_mut(), self.ceiling.last()) {
            // A target above the ceiling asks for as much as may be there; `explore` notes the
            // rest.
            *floor = floor.max(problem.target_kwh.min(*ceiling));
        }
    }
}
