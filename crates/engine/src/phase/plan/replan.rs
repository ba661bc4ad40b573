//! A source of the queue: cars that the policy wants to see again.

use crate::planning::Planning;
use voltide_model::{
    id::{EvId, StayId},
    scenario::Planning as Plans,
    stay::NO_STAY,
};
use voltide_policy::{
    observation::Shown,
    planner::{PolicyInfo, Replan},
};

/// Puts in all plugged cars, or those of which so many slots have passed since they plugged in as
/// the policy declares; of a fleet that acts as one all or none.
pub(super) fn asked_for(seen: &Planning, policy: &PolicyInfo) -> Vec<EvId> {
    let Some(every) = interval(policy.replan) else { return Vec::new() };
    let plugged = (0..).map(EvId).zip(seen.stay).filter(|(_, stay)| **stay != NO_STAY);
    if policy.whole_fleet {
        let all_now = seen.tick.is_multiple_of(every);
        return plugged.filter(|_| all_now).map(|(ev, _)| ev).collect();
    }
    // Counted from each car's own beginning, so that not all come up in the same slot.
    plugged
        .filter(|(_, stay)| slots_since(seen, **stay).is_multiple_of(every))
        .map(|(ev, _)| ev)
        .collect()
}

/// Slots between two plans of a car, where it is planned again.
fn interval(replan: Replan) -> Option<u32> {
    match replan {
        Replan::OnPlugIn => None,
        Replan::EveryTick => Some(1),
        Replan::Every(slots) => Some(slots.max(1)),
    }
}

/// How what is due in this slot is shown: as a whole fleet where the policy plans one and all of it
/// is due, or a day's stays are.
pub(super) fn shown(seen: &Planning, policy: &PolicyInfo) -> Shown {
    let by_day = seen.in_force.scenario.planning == Plans::AtDayStart;
    let all = interval(policy.replan).is_some_and(|every| seen.tick.is_multiple_of(every));
    if policy.whole_fleet && (by_day || all) { Shown::Fleet } else { Shown::Due }
}

/// Slots that have passed since a stay began.
fn slots_since(seen: &Planning, stay: StayId) -> u32 {
    let scenario = &seen.in_force.scenario;
    seen.tick - scenario.population.stays.first_slot(stay, &scenario.clock)
}
