//! The state of a run as a snapshot, and back.
//!
//! [`PARTS`] is the one list of what there is to carry: whoever adds a resource or component that
//! outlives a tick adds a line there. What a tick forms anew (outcomes, what drivers say, hashes)
//! is not. Carried is what the [`Future`] asks for: nothing of slots that are over, and nothing
//! that the world says as well, so that a snapshot is as large late in a run as it is early.

mod prices;
mod resources;

use crate::{
    EngineError, Replay, Simulation,
    cars::{CarState, columns, writable},
    grid::UnitSchedule,
    plan_book::PlanBook,
    remembered::Remembered,
    state::{Now, ScenarioInForce},
    state_hash::Dirty,
    units::{self, Standing, StandingMut},
};
use bevy_ecs::prelude::*;
use bytemuck::{AnyBitPattern, NoUninit, cast_slice, cast_slice_mut};
use std::sync::Arc;
use voltide_journal::{
    event::{Event, Recorded, fact::Step},
    sink::Sink,
    snapshot::{Column, Lacking, Part, Snapshot},
};
use voltide_model::scenario::Scenario;

/// A part of the state that a snapshot carries.
struct Carried {
    name: &'static str,
    save: fn(&mut World, Future) -> Part,
    load: fn(&mut World, &Part) -> Result<(), Lacking>,
}

/// All that outlives a tick.
const PARTS: [Carried; 5] = [
    Carried { name: "cars", save: save_cars, load: load_cars },
    Carried { name: "roster", save: resources::save_roster, load: resources::load_roster },
    Carried {
        name: "plans",
        save: |world, future| world.resource::<PlanBook>().save(future),
        load: |world, part| world.resource_mut::<PlanBook>().load(part),
    },
    Carried { name: "prices", save: prices::save, load: prices::load },
    Carried { name: "grid", save: save_grid, load: load_grid },
];

/// What a snapshot is for: the slots from the next one on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Future {
    /// The next slot.
    pub next: u32,
    /// The first slot of its local day.
    pub day: u32,
}

impl<L, S> Simulation<L, S> {
    /// The state after the last tick; `None` before the first.
    pub fn snapshot(&mut self) -> Option<Snapshot> {
        let Event::TickSealed(sealed) = &self.remembered.last_sealed()?.event else { return None };
        let tick = self.core.next_tick - 1;
        let chain_hash = sealed.chain_hash;
        let next = self.core.next_tick;
        let clock = self.core.world.resource::<ScenarioInForce>().scenario.clock;
        let future = Future { next, day: clock.local_day(next).start };
        let part = |it: &Carried| (it.name.to_owned(), (it.save)(&mut self.core.world, future));
        let mut parts: Vec<_> = PARTS.iter().map(part).collect();
        parts.push(("past".to_owned(), self.remembered.save()));
        Some(Snapshot { tick, chain_hash, parts })
    }
}

impl<S: Sink> Replay<S> {
    /// A replay that begins after a snapshot, whose tick the journal seals with `sealed`.
    ///
    /// # Errors
    /// The snapshot is not of this run, or its state not the one that was sealed.
    pub fn after(
        snapshot: &Snapshot,
        sealed: &Recorded,
        scenario: Arc<Scenario>,
        sink: S,
        threads: usize,
    ) -> Result<Self, EngineError> {
        let mut replay = Self::new(scenario, sink, threads, false);
        let unlike = |Lacking(what)| EngineError::Diverged { tick: snapshot.tick, what };
        for carried in &PARTS {
            let part = snapshot.part(carried.name).map_err(unlike)?;
            (carried.load)(&mut replay.core.world, part).map_err(unlike)?;
        }
        let evs = replay.core.world.resource::<ScenarioInForce>().scenario.population.len();
        replay.core.world.insert_resource(Dirty::new(evs));
        replay.core.world.resource_mut::<Now>().tick = snapshot.tick;
        replay.core.next_tick = snapshot.tick + 1;
        replay.remembered =
            Remembered::load(snapshot.part("past").map_err(unlike)?, sealed).map_err(unlike)?;
        // A snapshot of another history may have been left in the folder.
        let same =
            matches!(&sealed.event, Event::TickSealed(it) if it.chain_hash == snapshot.chain_hash);
        if !same || sealed.tick != snapshot.tick {
            return Err(EngineError::Diverged { tick: snapshot.tick, what: "history".to_owned() });
        }
        // No snapshot carries hashes: what was loaded has to come to those that the journal sealed.
        replay.core.follow(Step::Seal)?;
        replay.core.compare(sealed)?;
        Ok(replay)
    }
}

fn save_cars(world: &mut World, _future: Future) -> Part {
    world.run_system_cached(columns_of).expect("the state's resources are inserted")
}

fn columns_of(cars: Query<CarState>) -> Part {
    let (energies, set_points, stays, ledgers) = columns(cars.as_readonly());
    Part::default()
        .with("energy_kwh", Column::Reals(cast_slice(energies).to_vec()))
        .with("set_point_kw", Column::Reals(cast_slice(set_points).to_vec()))
        .with("stay", Column::Ids(cast_slice(stays).to_vec()))
        .with("ledger", Column::Reals(cast_slice(ledgers).to_vec()))
}

fn load_cars(world: &mut World, part: &Part) -> Result<(), Lacking> {
    world.run_system_cached_with(fill_columns, part).expect("the state's resources are inserted")
}

fn fill_columns(InRef(part): InRef<Part>, cars: Query<CarState>) -> Result<(), Lacking> {
    let (energies, set_points, stays, ledgers) = columns(cars);
    copy(cast_slice_mut(writable(energies)), part.reals("energy_kwh")?)?;
    copy(cast_slice_mut(writable(set_points)), part.reals("set_point_kw")?)?;
    copy(cast_slice_mut(writable(stays)), part.ids("stay")?)?;
    copy(cast_slice_mut(writable(ledgers)), part.reals("ledger")?)
}

fn save_grid(world: &mut World, _future: Future) -> Part {
    let mut units = world.query::<Standing>();
    let state = units::state(&units.query(world));
    world.resource::<UnitSchedule>().save(&state)
}

fn load_grid(world: &mut World, part: &Part) -> Result<(), Lacking> {
    let scenario = Arc::clone(&world.resource::<ScenarioInForce>().scenario);
    let plant = scenario.grid.as_deref().map(|grid| &grid.plant);
    let mut units = world.query::<StandingMut>();
    let initial = units::state(&units.query_mut(&mut *world).as_readonly());
    let state = world.resource_mut::<UnitSchedule>().load(plant, initial, part)?;
    units::set_state(&mut units.query_mut(world), &state);
    Ok(())
}

/// Fills a column of fixed length.
pub(crate) fn copy<T: Copy>(column: &mut [T], values: &[T]) -> Result<(), Lacking> {
    if column.len() != values.len() {
        return Err(Lacking(format!("column of {} values", column.len())));
    }
    column.copy_from_slice(values);
    Ok(())
}

/// Lists as their lengths and all their values.
/// Ids as the numbers that a snapshot keeps.
pub(crate) fn numbers<T: NoUninit>(ids: &[T]) -> Vec<u32> {
    cast_slice(ids).to_vec()
}

/// The ids of such numbers.
pub(crate) fn ids<T: AnyBitPattern>(numbers: &[u32]) -> Vec<T> {
    cast_slice(numbers).to_vec()
}

pub(crate) fn flat<T: Copy>(lists: &[Vec<T>]) -> (Vec<u32>, Vec<T>) {
    (lists.iter().map(|list| list.len() as u32).collect(), lists.concat())
}

/// Lists from their lengths and all their values.
pub(crate) fn lists<T: Copy>(lengths: &[u32], values: &[T]) -> Result<Vec<Vec<T>>, Lacking> {
    let mut rest = values;
    let mut lists = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let (list, after) =
            rest.split_at_checked(length as usize).ok_or(Lacking("whole list".to_owned()))?;
        lists.push(list.to_vec());
        rest = after;
    }
    if rest.is_empty() { Ok(lists) } else { Err(Lacking("whole list".to_owned())) }
}

/// The one value of a column.
pub(crate) fn only<T: Copy>(values: &[T]) -> Result<T, Lacking> {
    match values {
        [value] => Ok(*value),
        _ => Err(Lacking("single value".to_owned())),
    }
}
