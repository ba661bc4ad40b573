//! A source of the queue: the stays of a day that begins, where the world plans at the day's start.
//!
//! Where the day follows upon itself, all its stays are planned before its first slot.

use super::queue::Queue;
use crate::{batch::ToPlan, planning::Planning};
use voltide_journal::event::StaysExpected;
use voltide_model::{id::StayId, scenario::Planning as Plans, stay::NO_STAY};

/// Which of the cars that are plugged in are on the list with the stay they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plugged {
    /// Those that are marked as due.
    Due,
    /// All.
    All,
    /// None.
    None,
}

/// Whether the day that begins is planned.
pub(super) fn is_planned(seen: &Planning) -> bool {
    seen.in_force.scenario.planning == Plans::AtDayStart
}

/// Puts in the stays that begin on the day that begins now, and of those in progress the `plugged`
/// ones.
pub(super) fn stays(seen: &Planning, plugged: Plugged) -> Queue {
    let clock = &seen.in_force.scenario.clock;
    let slots = seen.tick..clock.local_day(seen.tick).end.min(clock.slots);
    let evs = &seen.in_force.scenario.population.stays.ev;
    let beginning = slots.flat_map(|slot| seen.in_force.calendar.beginning_at(slot)).copied();
    // Cars that arrive in the day's first slot are plugged in already.
    let still_to_come = beginning.filter(|&stay| seen.stay[evs[stay.row()].row()] != stay);
    let mut stays: Vec<StayId> = still_to_come.chain(in_progress(seen, plugged)).collect();
    // By car: the calendar has them by slot.
    stays.sort_unstable();
    Queue::of(stays)
}

fn in_progress(seen: &Planning, plugged: Plugged) -> Vec<StayId> {
    let due = seen.due.marked.iter();
    match plugged {
        Plugged::Due => due.map(|&ev| seen.stay[ev.row()]).collect(),
        Plugged::All => seen.stay.iter().copied().filter(|&stay| stay != NO_STAY).collect(),
        Plugged::None => Vec::new(),
    }
}

/// Those of `stays` that have not begun, for the journal.
pub(super) fn expected(seen: &Planning, stays: &[ToPlan]) -> StaysExpected {
    let mut expected = StaysExpected::default();
    for to_plan in stays.iter().filter(|it| seen.stay[it.ev.row()] != it.stay) {
        expected.ev.push(to_plan.ev);
        expected.stay.push(to_plan.stay);
        expected.expected_kwh.push(to_plan.energy_kwh);
    }
    expected
}
