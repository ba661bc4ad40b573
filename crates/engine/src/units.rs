//! Units of the plant as entities: what each does, and where it stands before the next slot.
//!
//! They are spawned in the order of their ids and never leave their archetype, so that rows of a
//! query come in that order. The components do not ask for a unit's kind: what a kind does not have
//! is none, false or 0, as in [`UnitState`]. A world without a plant has units that only show what
//! they do.

use bevy_ecs::prelude::*;
use voltide_model::{
    columns::{UnitKind, UnitTick},
    cost::UnitCost,
    dispatch::GridState,
    flexibility::UpDown,
    plant::Plant,
    scenario::Scenario,
    unit::UnitState,
};

/// A unit's number, in tables and events.
#[derive(Component, Clone, Copy)]
pub(crate) struct UnitId(u32);

/// Its kind, as tables show it.
#[derive(Component, Clone, Copy)]
pub(crate) struct Kind(UnitKind);

/// Power into the system in this slot, kW; negative where a store charges, an electrolyser draws or
/// a connection exports.
#[derive(Component, Clone, Copy)]
pub(crate) struct Output(f64);

/// Power that could have been had in this slot, kW; `None` where there is no such bound.
#[derive(Component, Clone, Copy)]
pub(crate) struct Available(Option<f64>);

/// Power into a store in this slot, kW, and what it holds afterwards, kWh.
#[derive(Component, Clone, Copy)]
pub(crate) struct Filling {
    charge_kw: Option<f64>,
    energy_kwh: Option<f64>,
}

/// How far a unit could move if net load moved; `None` in a world without a plant.
#[derive(Component, Clone, Copy)]
pub(crate) struct Flexibility(pub Option<UpDown>);

/// What this slot costs.
#[derive(Component, Clone, Copy)]
pub(crate) struct Cost(Option<UnitCost>);

/// What a unit does in this slot: derived from what was decided, so that neither hashes nor
/// snapshots have it.
pub(crate) type DoingMut =
    (&'static mut Output, &'static mut Available, &'static mut Filling, &'static mut Cost);

/// What tables show of a unit.
pub(crate) type Shown = (
    &'static UnitId,
    &'static Kind,
    &'static Output,
    &'static Available,
    &'static Filling,
    &'static Flexibility,
    &'static Cost,
);

fn doing(row: UnitTick) -> (Output, Available, Filling, Cost) {
    let UnitTick { output_kw, available_kw, charge_kw, energy_kwh, cost, .. } = row;
    (Output(output_kw), Available(available_kw), Filling { charge_kw, energy_kwh }, Cost(cost))
}

/// Units do as their rows say, in the order of their ids.
pub(crate) fn follow(units: &mut Query<DoingMut>, rows: impl IntoIterator<Item = UnitTick>) {
    for ((mut output, mut available, mut filling, mut cost), row) in units.iter_mut().zip(rows) {
        (*output, *available, *filling, *cost) = doing(row);
    }
}

/// What all units do, in the order of their ids.
pub(crate) fn rows(units: &Query<Shown>) -> Vec<UnitTick> {
    let rows =
        units.iter().map(|(id, kind, output, available, filling, flexibility, cost)| UnitTick {
            unit: id.0,
            kind: kind.0,
            output_kw: output.0,
            available_kw: available.0,
            charge_kw: filling.charge_kw,
            energy_kwh: filling.energy_kwh,
            flexibility: flexibility.0,
            cost: cost.0,
        });
    rows.collect()
}

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
        let idle = doing(UnitTick::new(id, kind, 0.0));
        let mut unit = world.spawn((UnitId(id), Kind(kind), idle, Flexibility(None)));
        // Without a plant nothing of a slot is left to the next.
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
