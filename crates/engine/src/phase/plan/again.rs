//! Asking a policy again what it was asked in a run that is replayed.

use super::{Asked, Planners, ToPlan, plans};
use crate::{apply::State, state::arrival_kwh};
use bevy_ecs::prelude::*;
use voltide_journal::event::PlansAccepted;
use voltide_policy::planner::PolicyFault;

/// The schedules that the policy gives now for the stays of a call that is recorded.
pub(crate) fn ask_again(
    In(recorded): In<PlansAccepted>,
    mut state: State,
    mut planners: ResMut<Planners>,
) -> Result<PlansAccepted, PolicyFault> {
    let stays = stays(&mut state, &recorded);
    let horizon_slots = planners.policy().info().horizon_slots;
    planners.batch.fill(&mut state, &stays, horizon_slots);
    planners.batch.ask_drivers(&state);
    planners.ask(Asked::Policy)?;
    Ok(plans(&planners.batch, &planners.power_kw, state.now.tick))
}

fn stays(state: &mut State, recorded: &PlansAccepted) -> Vec<ToPlan> {
    let (fixed, book, expected) = (&state.fixed, &state.book, &state.roster.expected_kwh);
    let mut table = state.cars.table();
    let cars = table.columns();
    let stay = |(&ev, &stay): (&u32, &u32)| {
        let (expected_kwh, car) = (expected.get(&stay).copied(), ev as usize);
        let energy_kwh = expected_kwh.unwrap_or(cars.energy[car]);
        let arrival_kwh = expected_kwh
            .unwrap_or_else(|| arrival_kwh(fixed, book, (ev, stay), energy_kwh, &cars.ledger[car]));
        ToPlan { ev, stay, energy_kwh, arrival_kwh }
    };
    recorded.ev.iter().zip(&recorded.stay).map(stay).collect()
}
