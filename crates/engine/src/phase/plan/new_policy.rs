//! A source of the queue: all cars that are plugged in when a fork gives them another policy.

use crate::cars::PluggedStay;
use crate::due::DueCars;
use voltide_model::{id::EvId, stay::NO_STAY};

/// Puts them in: the schedules that they have are the other policy's, and so is what these are
/// after.
pub(crate) fn mark(stays: &[PluggedStay], due: &mut DueCars) {
    let plugged = (0..).map(EvId).zip(stays).filter(|(_, stay)| stay.0 != NO_STAY);
    plugged.for_each(|(ev, _)| due.mark(ev));
}
