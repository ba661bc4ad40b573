//! Asking a policy again what it was asked in a run that is replayed.

use super::{
    answer::schedules,
    planners::{Asked, Planners},
    replan,
};
use crate::{
    batch::ToPlan,
    planning::{CarsToPlan, Planning, SchedulesSeen},
};
use bevy_ecs::prelude::*;
use voltide_journal::event::PlansAccepted;
use voltide_model::id::{EvId, StayId};
use voltide_policy::{observation::Shown, planner::PolicyFault};

/// The schedules that the policy gives now for the stays of a call that is recorded.
pub(crate) fn ask_again(
    (InRef(recorded), In(shown)): (InRef<PlansAccepted>, In<Shown>),
    cars: CarsToPlan,
    in_force: SchedulesSeen,
    mut planners: ResMut<Planners>,
) -> Result<PlansAccepted, PolicyFault> {
    let seen = cars.seen(&in_force);
    let shown = if shown == Shown::Due { replan::shown(&seen, planners.info()) } else { shown };
    let rows = recorded.ev.iter().zip(&recorded.stay);
    let stays: Vec<ToPlan> = rows.map(|(&ev, &stay)| as_then(&seen, ev, stay)).collect();
    planners.show(&seen, &stays, shown);
    planners.ask(Asked::Policy)?;
    Ok(schedules(&planners.batch, &planners.power_kw, seen.tick))
}

/// A stay as it was planned then: what it was expected to begin with stands in the journal before
/// the call.
fn as_then(seen: &Planning, ev: EvId, stay: StayId) -> ToPlan {
    if let Some(&kwh) = seen.expected.0.get(&stay) {
        return ToPlan { ev, stay, energy_kwh: kwh, arrival_kwh: kwh };
    }
    let energy_kwh = seen.energy_kwh[ev.row()];
    ToPlan { ev, stay, energy_kwh, arrival_kwh: seen.arrival_kwh(ev) }
}
