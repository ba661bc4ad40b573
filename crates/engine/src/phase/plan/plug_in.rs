//! A source of the queue: cars that plug in.

use crate::due::DueCars;
use crate::{plan_book::Ahead, state::EXPECTED_WITHIN_KWH};
use voltide_model::{clock::Clock, id::EvId};

/// Puts in a car that plugs in with `energy_kwh`, unless it has been planned `ahead` and that plan
/// fits.
pub(crate) fn mark(
    due: &mut DueCars,
    ev: EvId,
    energy_kwh: f64,
    ahead: Option<&Ahead>,
    clock: &Clock,
) {
    if !ahead.is_some_and(|ahead| fits(ahead, energy_kwh, clock)) {
        due.mark(ev);
    }
}

/// Whether a schedule that was made ahead is of use: made for other energy than there is, it may
/// ask for too much or too little.
fn fits(ahead: &Ahead, energy_kwh: f64, clock: &Clock) -> bool {
    // A typical day is planned whole before it begins, and must come out as it was planned.
    clock.typical_day().is_some() || (ahead.expected_kwh - energy_kwh).abs() <= EXPECTED_WITHIN_KWH
}
