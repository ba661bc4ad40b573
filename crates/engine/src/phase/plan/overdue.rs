//! A source of the queue: cars that stay beyond their announced departure.
//!
//! Schedules end with the announced departure, so that such a car gets nothing more by the one that
//! it has. How much longer it stays nobody knows: it is planned for one slot, again and again.

use crate::due::DueCars;
use crate::{
    planning::Planning,
    state::{Now, ScenarioInForce, insert_sorted},
};
use bevy_ecs::prelude::*;
use voltide_model::id::EvId;
use voltide_policy::planner::PolicyInfo;

/// Energy that an overdue car must lack to be planned again, kWh.
const LACKING_MIN_KWH: f64 = 1e-6;

/// Notes cars whose announced departure is over with the slot that passes.
pub(crate) fn note(in_force: Res<ScenarioInForce>, now: Res<Now>, mut due: ResMut<DueCars>) {
    let ev = &in_force.scenario.population.stays.ev;
    for &stay in in_force.calendar.overdue_from(now.tick + 1) {
        insert_sorted(&mut due.overdue, ev[stay.row()]);
    }
}

/// Puts in those that lack energy still; one that has it rests.
pub(super) fn lacking(seen: &Planning, _: &PolicyInfo) -> Vec<EvId> {
    let targets = &seen.in_force.scenario.population.departure_energy_kwh;
    let lacks = |&ev: &EvId| targets[ev.row()] - seen.energy_kwh[ev.row()] > LACKING_MIN_KWH;
    seen.due.overdue.iter().copied().filter(lacks).collect()
}
