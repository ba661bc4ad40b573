//! A source of the queue: cars that a site cut.

use crate::due::DueCars;
use crate::state::SiteCuts;
use bevy_ecs::prelude::*;

/// Puts in those that were cut in the slot that passes, so that they catch up: their schedules
/// count on energy that they did not get.
pub(crate) fn mark(cuts: ResMut<SiteCuts>, mut due: ResMut<DueCars>) {
    let SiteCuts { in_slot, in_session } = cuts.into_inner();
    for &ev in &*in_slot {
        due.mark(ev);
        in_session[ev.row()] = true;
    }
}
