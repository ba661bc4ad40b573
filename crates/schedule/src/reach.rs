//! Which stored energies can be reached at all, and bounds relaxed just so far that they can be.
//!
//! Going forward, the energies that can be reached at the end of a slot form an interval
//! `[max(E_min, L − ld), min(E_max, U + lc)]`. Where that would be empty, the violated bound moves
//! to the nearest energy that can be reached: a battery outside its bounds heads for them with
//! full power, and a target too far gives the most energy there can be at the end.

use crate::{
    answer::{ENERGY_TOLERANCE, Unmet},
    problem::StorageProblem,
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
        let slots = problem.slots();
        self.unmet = Unmet::default();
        for column in [&mut self.up, &mut self.down, &mut self.floor, &mut self.ceiling] {
            column.resize(slots, 0.0);
        }
        let (per_kw_up, per_kw_down) = (problem.charge_kwh_per_kw(), problem.discharge_kwh_per_kw());
        let (mut least, mut most) = (problem.energy_kwh, problem.energy_kwh);
        let limits = self.up.iter_mut().zip(&mut self.down);
        let bounds = self.floor.iter_mut().zip(&mut self.ceiling);
        for (slot, ((up, down), (floor_now, ceiling_now))) in limits.zip(bounds).enumerate() {
            *up = problem.charge_kw_max.at(slot) * per_kw_up;
            *down = problem.discharge_kw_max.at(slot) * per_kw_down;
            least -= *down;
            most += *up;
            let (floor, ceiling) = (problem.energy_kwh_min.at(slot), problem.energy_kwh_max.at(slot));
            if floor > most + ENERGY_TOLERANCE {
                self.unmet.note_bound(slot, most - floor);
            } else if ceiling < least - ENERGY_TOLERANCE {
                self.unmet.note_bound(slot, least - ceiling);
            }
            let wished = if slot + 1 == slots { floor.max(problem.target_kwh.min(ceiling)) } else { floor };
            (*floor_now, *ceiling_now) = (wished.min(most), ceiling.max(least));
            least = least.max(*floor_now);
            most = most.min(*ceiling_now).max(least);
        }
        if problem.target_kwh > most + ENERGY_TOLERANCE {
            self.unmet.note_target(problem, problem.target_kwh - most);
        }
    }
}
