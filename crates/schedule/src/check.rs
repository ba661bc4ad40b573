//! Holds a schedule against its problem.

use crate::{problem::StorageProblem, reach::Reach};

/// What a solver's schedule may be off by, kWh and kW.
pub const SOLVER_TOLERANCE: f64 = 1e-6;

/// How a schedule breaks its problem.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Breach {
    /// The schedule has another number of slots.
    #[error("the schedule has {found} slots, not {expected}")]
    Length {
        /// Slots of the schedule.
        found: usize,
        /// Slots of the problem.
        expected: usize,
    },
    /// The power is outside its limits, or not a number.
    #[error("{power_kw} kW in slot {slot} is outside {least_kw} to {most_kw} kW")]
    Power {
        /// The slot.
        slot: usize,
        /// The power, kW.
        power_kw: f64,
        /// Least allowed, kW.
        least_kw: f64,
        /// Most allowed, kW.
        most_kw: f64,
    },
    /// The stored energy is outside its bounds, as far as they can be kept, or below the target.
    #[error("{energy_kwh} kWh at the end of slot {slot} is outside {least_kwh} to {most_kwh} kWh")]
    Energy {
        /// The slot.
        slot: usize,
        /// Energy at its end, kWh.
        energy_kwh: f64,
        /// Least allowed, kWh.
        least_kwh: f64,
        /// Most allowed, kWh.
        most_kwh: f64,
    },
}

/// Checks the power limits, and the energy bounds and target as far as any schedule can keep them.
pub fn schedule(
    problem: &StorageProblem<'_>,
    power_kw: &[f64],
    tolerance: f64,
) -> Result<(), Breach> {
    let mut reach = Reach::default();
    reach.explore(problem);
    within(problem, &reach, power_kw, tolerance)
}

pub(crate) fn within(
    problem: &StorageProblem<'_>,
    reach: &Reach,
    power_kw: &[f64],
    tolerance: f64,
) -> Result<(), Breach> {
    if power_kw.len() != problem.slots() {
        return Err(Breach::Length { found: power_kw.len(), expected: problem.slots() });
    }
    let mut energy_kwh = problem.energy_kwh;
    for (slot, &power_kw) in power_kw.iter().enumerate() {
        let (least_kw, most_kw) =
            (-problem.discharge_kw_max.at(slot), problem.charge_kw_max.at(slot));
        // Written so that NaN is outside.
        if !(power_kw >= least_kw - tolerance && power_kw <= most_kw + tolerance) {
            return Err(Breach::Power { slot, power_kw, least_kw, most_kw });
        }
        energy_kwh += problem.energy_for(power_kw);
        let (least_kwh, most_kwh) = (reach.floor[slot], reach.ceiling[slot]);
        if energy_kwh < least_kwh - tolerance || energy_kwh > most_kwh + tolerance {
            return Err(Breach::Energy { slot, energy_kwh, least_kwh, most_kwh });
        }
    }
    Ok(())
}
