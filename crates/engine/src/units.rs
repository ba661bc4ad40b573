//! Units of the plant as entities: what each does, and where it stands before the next slot.
//!
//! They are spawned in the order of their ids and never leave their archetype, so that rows of a
//! query come in that order. The components do not ask for a unit's kind: what a kind does not have
//! is none, false or 0, as in [`UnitState`]. A world without a plant has units that only show what
//! they do.

use bevy_ecs::prelude::*;
use voltide_model::{
    columns::UnitTick, dispatch::GridState, plant::Plant, scenario::Scenario, unit::UnitState,
};

/// A unit's number, in tables and events.
#[derive(Component, Clone, Copy)]
pub(crate) struct UnitId(pub u32);

/// What a unit does in this slot, with its cost and flexibility: derived, for the records.
#[derive(Component, Clone, Copy)]
pub(crate) struct Output(pub UnitTick);

/// Output in the slot before, kW, which ramps begin from; `None` where the next output is free.
#[derive(Component, Clone, Copy)]
pub(crate) struct PowerBefore(Option<f64>);

/// Whether a unit is on, and for how long it has been on, or off, h.
#[derive(Component, Clone, Copy)]
pub(crate) struct Committed {
    on: bool,
    hours: f64,
}

/// What a unit holds, kWh.
#[derive(Component, Clone, Copy)]
pub(crate) struct Storage(f64);

/// What the past leaves to the next slot, of each unit of a plant.
pub(crate) type Standing = (&'static PowerBefore, &'static Committed, &'static Storage);

/// The same, to be changed.
pub(crate) type StandingMut =
    (&'static mut PowerBefore, &'static mut Committed, &'static mut Storage);

fn standing(state: UnitState) -> (PowerBefore, Committed, Storage) {
    let UnitState { power_kw, on, hours, energy_kwh } = state;
    (PowerBefore(power_kw), Committed { on, hours }, Storage(energy_kwh))
}

/// Spawns the world's units, in the order of their ids.
pub(crate) fn spawn_units(world: &mut World, scenario: &Scenario) {
    let plant = scenario.grid.as_deref().map(|grid| &grid.plant);
    let initial = plant.map(GridState::initial).unwrap_or_default().units;
    for (id, kind) in (0..).zip(scenario.unit_kinds()) {
        let mut unit = world.spawn((UnitId(id), Output(UnitTick::new(id, kind, 0.0))));
        if let Some(&state) = initial.get(id as usize) {
            unit.insert(standing(state));
        }
    }
}

/// Where all units stand: what schedules set out from, and hashes are over.
pub(crate) fn state(units: &Query<Standing>) -> GridState {
    let unit = |(power, committed, storage): (&PowerBefore, &Committed, &Storage)| UnitState {
        power_kw: power.0,
        on: committed.on,
        hours: committed.hours,
        energy_kwh: storage.0,
    };
    GridState { units: units.iter().map(unit).collect() }
}

/// Units stand as `state` says.
pub(crate) fn set_state(units: &mut Query<StandingMut>, state: &GridState) {
    for ((mut power, mut committed, mut storage), &unit) in units.iter_mut().zip(&state.units) {
        (*power, *committed, *storage) = standing(unit);
    }
}

/// What a hash of the state is over.
pub(crate) fn hashed(plant: &Plant, state: &GridState) -> Vec<f64> {
    plant.devices().zip(&state.units).flat_map(|(unit, state)| unit.hashed(state)).collect()
}
