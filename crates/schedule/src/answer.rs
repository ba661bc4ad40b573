//! What a solver answers, in the words of the contract with policies, and how it notes which
//! wishes a schedule could not meet.

use crate::problem::StorageProblem;
pub use voltide_policy::storage::{
    BoundsMissed, MissedReason, Outcome, StorageAnswer, TargetMissed, Unmet,
};

/// Energy differences below this are rounding, kWh.
pub(crate) const ENERGY_TOLERANCE: f64 = 1e-9;

/// Notes by how much the energies that can be reached at the end of `slot`, `least` to `most` kWh,
/// miss the bounds of `problem`, if they do.
pub(crate) fn note_bounds(
    unmet: &mut Unmet,
    problem: &StorageProblem<'_>,
    slot: usize,
    least: f64,
    most: f64,
) {
    let (floor, ceiling) = (problem.energy_kwh_min.at(slot), problem.energy_kwh_max.at(slot));
    let distance = if floor > most { most - floor } else { (least - ceiling).max(0.0) };
    if distance.abs() <= ENERGY_TOLERANCE {
        return;
    }
    let seen = unmet.bounds.get_or_insert(BoundsMissed { slots: 0, worst_kwh: distance });
    seen.slots += 1;
    if distance.abs() > seen.worst_kwh.abs() {
        seen.worst_kwh = distance;
    }
}

/// The note that `problem` ends `missing_kwh` below its target.
pub(crate) fn target_missed(problem: &StorageProblem<'_>, missing_kwh: f64) -> TargetMissed {
    let slots = problem.slots();
    let most = slots.checked_sub(1).map_or(f64::INFINITY, |last| problem.energy_kwh_max.at(last));
    let with_full_power =
        problem.energy_kwh + (0..slots).map(|slot| problem.charge_kwh_max(slot)).sum::<f64>();
    let reason = if problem.target_kwh > most + ENERGY_TOLERANCE {
        MissedReason::AboveMaximum
    } else if with_full_power < problem.target_kwh - ENERGY_TOLERANCE {
        MissedReason::TooShort
    } else {
        MissedReason::HeldByBounds
    };
    TargetMissed { missing_kwh, reason }
}
