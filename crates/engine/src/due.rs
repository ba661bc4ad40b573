//! Cars that are due: what sources of the queue of planning note as it happens.

use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use voltide_model::id::{EvId, SiteId, StayId};

/// Cars that are put in as it happens: between being marked and being planned they are state, and
/// a snapshot carries them.
#[derive(Resource, Default)]
pub(crate) struct DueCars {
    /// Plugged cars that are to be planned at this tick, ascending; planned from the front.
    pub marked: VecDeque<EvId>,
    /// Plugged cars whose announced departure has passed, ascending.
    pub overdue: Vec<EvId>,
}

impl DueCars {
    /// Marks a car as due, keeping the order.
    pub(crate) fn mark(&mut self, ev: EvId) {
        match self.marked.back() {
            Some(&last) if last >= ev => {
                if let Err(place) = self.marked.binary_search(&ev) {
                    self.marked.insert(place, ev);
                }
            }
            // Cars mostly come in their order.
            _ => self.marked.push_back(ev),
        }
    }

    /// Cars of the ascending list are due no more. When they come in batches from the front, as
    /// planned cars do, each batch costs no more than its own length.
    pub(crate) fn unmark(&mut self, evs: &[EvId]) {
        let (Some(&first), Some(&last)) = (evs.first(), evs.last()) else { return };
        let start = self.marked.partition_point(|&ev| ev < first);
        let end = self.marked.partition_point(|&ev| ev <= last);
        let range = self.marked.range(start..end);
        let others: Vec<EvId> =
            range.copied().filter(|ev| evs.binary_search(ev).is_err()).collect();
        self.marked.drain(start..end);
        if self.marked.is_empty() {
            // A whole fleet was due once; it mostly is not again.
            self.marked.shrink_to_fit();
        }
        for ev in others {
            self.mark(ev);
        }
    }

    /// Cars of the ascending list are away.
    pub(crate) fn leave(&mut self, evs: &[EvId]) {
        self.unmark(evs);
        self.overdue.retain(|ev| evs.binary_search(ev).is_err());
    }
}

/// Cars that left before their schedules ended, in this tick.
#[derive(Resource, Default)]
pub(crate) struct LeftEarly {
    /// Their stays.
    pub stays: Vec<StayId>,
    /// Roots of the trees in which they left room that others may want: a limit above them was met.
    pub wanted: Vec<SiteId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_cars_are_due_no_more() {
        let mut due = DueCars::default();
        for ev in [3, 1, 2, 3, 9, 8] {
            due.mark(EvId(ev));
        }
        due.unmark(&[1, 3, 4, 8].map(EvId));
        assert_eq!(due.marked, [2, 9].map(EvId));
        due.unmark(&[]);
        due.unmark(&[0, 2, 9].map(EvId));
        assert!(due.marked.is_empty());
    }
}
