//! A source of the queue: cars that the policy wants to see again.

use crate::planning::Planning;
use voltide_model::{
    id::{EvId, StayId},
    stay::NO_STAY,
};
use voltide_policy::planner::{PolicyInfo, Replan};

/// Puts in all plugged cars, or those of which so many slots have passed since they plugged in as
/// the policy declares.
pub(super) fn asked_for(seen: &Planning, policy: &PolicyInfo) -> Vec<EvId> {
    let every = match policy.replan {
        Replan::OnPlugIn => return Vec::new(),
        Replan::EveryTick => 1,
        Replan::Every(slots) => slots.max(1),
    };
    let plugged = (0..).map(EvId).zip(seen.stay).filter(|(_, stay)| **stay != NO_STAY);
    // Counted from each car's own beginning, so that not all come up in the same slot.
    plugged
        .filter(|(_, stay)| slots_since(seen, **stay).is_multiple_of(every))
        .map(|(ev, _)| ev)
        .collect()
}

/// Slots that have passed since a stay began.
fn slots_since(seen: &Planning, stay: StayId) -> u32 {
    let scenario = &seen.in_force.scenario;
    seen.tick - scenario.population.stays.first_slot(stay, &scenario.clock)
}
