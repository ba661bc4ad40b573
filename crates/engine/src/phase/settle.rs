//! Phase 7: the slot passes. The event `SlotElapsed` tells so, and these systems apply it.

use crate::{
    cars::{AppliedPower, Session, StoredEnergy, columns, writable},
    grid::UnitSchedule,
    outbox::Recorder,
    phase::plan::{cut, overdue},
    prices::PriceBook,
    settle_kernel,
    state::{EXPECTED_WITHIN_KWH, Now, PluggedAtMidnight, ScenarioInForce, StoredInAll},
    state_hash::{Component, Dirty},
    units::{self, StandingMut},
    workers::Workers,
};
use bevy_ecs::{
    prelude::{IntoScheduleConfigs, Query, Res, ResMut},
    system::ScheduleSystem,
};
use bytemuck::cast_slice_mut;
use voltide_journal::event::{Event, SlotElapsed, TickStarted};

/// The slot passes for cars, the plant and those who are to be planned again, in any order.
pub(crate) fn following() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    let cars = (settle_cars, assert_day_closes).chain();
    let due = (cut::mark, overdue::note).chain();
    (record_slot, cars, settle_units, due).into_configs()
}

/// Records that the slot passed.
fn record_slot(mut record: Recorder) {
    let cause = record.cause(&[&TickStarted::KIND]);
    record.note(cause, Event::SlotElapsed(SlotElapsed {}));
}

/// Moves every battery and ledger by the applied power.
fn settle_cars(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    prices: Res<PriceBook>,
    workers: Res<Workers>,
    power: Res<AppliedPower>,
    cars: Query<(&mut StoredEnergy, &mut Session)>,
    (mut stored, mut dirty): (ResMut<StoredInAll>, ResMut<Dirty>),
) {
    let (energies, ledgers) = columns(cars);
    let cars = settle_kernel::Cars {
        power: &power.0,
        energy: cast_slice_mut(writable(energies)),
        ledger: cast_slice_mut(writable(ledgers)),
    };
    let moved = settle_kernel::settle(cars, &in_force, &prices, now.tick, &workers);
    // What is stored is summed anew, and held against what was before and what was moved.
    let expected = stored.0 + moved.charged_kwh - moved.discharged_kwh;
    // The sum of a million cars rounds by more than that of one.
    let tolerance = 1e-9 * expected.abs() + 1e-6;
    assert!(
        (moved.stored_kwh - expected).abs() <= tolerance,
        "energy is conserved: {} kWh are stored, {expected} kWh should be",
        moved.stored_kwh
    );
    stored.0 = moved.stored_kwh;
    for block in moved.active_blocks {
        dirty.mark(Component::Energy, block);
        dirty.mark(Component::Ledger, block);
    }
}

/// Moves stores, ramps and commitments by what units did.
fn settle_units(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    schedule: Res<UnitSchedule>,
    mut units: Query<StandingMut>,
) {
    let of_world = in_force.scenario.grid.as_ref();
    if let Some((of_world, slot)) = of_world.zip(schedule.slot(now.tick)) {
        // By the slot as the solver left it: the next schedule sets out from where this one came
        // to, and would be off by what is tidied away for tables.
        let mut state = units::state(&units.as_readonly());
        state.advance(&of_world.plant, slot, in_force.scenario.clock.slot_hours());
        units::set_state(&mut units, &state);
    }
}

/// A typical day ends with the energy that it began with: otherwise it could not come again.
fn assert_day_closes(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    at_midnight: Res<PluggedAtMidnight>,
    cars: Query<&StoredEnergy>,
) {
    if now.tick + 1 < in_force.scenario.clock.slots {
        return;
    }
    let energies = columns(cars);
    for &(ev, began_with) in &at_midnight.0 {
        let ends_with = energies[ev.row()].0;
        assert!(
            (ends_with - began_with).abs() <= EXPECTED_WITHIN_KWH,
            "a day that follows upon itself ends as it began: car {ev} with {ends_with} kWh, not \
             {began_with} kWh"
        );
    }
}
