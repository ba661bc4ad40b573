//! Asking a policy again what it was asked in a run that is replayed.

use super::{Asked, Planners, ToPlan, plans};
use crate::planning::PlanningState;
use bevy_ecs::prelude::*;
use voltide_journal::event::PlansAccepted;
use voltide_policy::planner::PolicyFault;

/// The schedules that the policy gives now for the stays of a call that is recorded.
pub(crate) fn ask_again(
    InRef(recorded): InRef<PlansAccepted>,
    state: PlanningState,
    mut planners: ResMut<Planners>,
) -> Result<PlansAccepted, PolicyFault> {
    let stays = stays(&state, recorded);
    let horizon_slots = planners.policy().info().horizon_slots;
    planners.batch.fill(&state, &stays, horizon_slots);
    planners.batch.ask_drivers(&state);
    planners.ask(Asked::Policy)?;
    Ok(plans(&planners.batch, &planners.power_kw, state.now.tick))
}

fn stays(state: &PlanningState, recorded: &PlansAccepted) -> Vec<ToPlan> {
    let (energies, ..) = state.cars();
    let stay = |(&ev, &stay): (&u32, &u32)| {
        if let Some(&expected_kwh) = state.expected.0.get(&stay) {
            ToPlan { ev, stay, energy_kwh: expected_kwh, arrival_kwh: expected_kwh }
        } else {
            let energy_kwh = energies[ev as usize];
            ToPlan { ev, stay, energy_kwh, arrival_kwh: state.arrival_kwh(ev) }
        }
    };
    recorded.ev.iter().zip(&recorded.stay).map(stay).collect()
}
