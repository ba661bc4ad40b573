//! Hashes of the state, one per component and block of cars.
//!
//! They are sealed with every tick, so that a replay that diverges can name the tick, the
//! component and the block. Only blocks that changed are hashed again.

use crate::{
    cars::{BLOCK, PluggedStay, Session, SetPoint, StoredEnergy, columns},
    state::ScenarioInForce,
    units::{self, Standing},
    workers::Workers,
};
use bevy_ecs::prelude::*;
use bytemuck::{NoUninit, cast_slice};
use xxhash_rust::xxh3::xxh3_64;

/// A hashed component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    /// Stored energy.
    Energy,
    /// Power asked for.
    SetPoint,
    /// The stay the car is plugged in for.
    Stay,
    /// The ledger of the open session.
    Ledger,
}

impl Component {
    const ALL: [Self; 4] = [Self::Energy, Self::SetPoint, Self::Stay, Self::Ledger];

    /// Its name in the journal.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::SetPoint => "set_point",
            Self::Stay => "stay",
            Self::Ledger => "ledger",
        }
    }
}

/// Names of the hashed components, in the order of the hashes.
pub(crate) fn component_names() -> Vec<String> {
    Component::ALL.iter().map(|component| component.name().to_owned()).collect()
}

/// Blocks whose hash is out of date, one bit a component.
#[derive(Resource)]
pub(crate) struct Dirty {
    blocks: Vec<u8>,
}

impl Dirty {
    /// Nothing is hashed yet.
    pub(crate) fn new(evs: usize) -> Self {
        Self { blocks: vec![u8::MAX; evs.div_ceil(BLOCK)] }
    }

    /// A component of a block changed.
    pub(crate) fn mark(&mut self, component: Component, block: usize) {
        self.blocks[block] |= 1 << component as u8;
    }

    /// Every component of a car changed.
    pub(crate) fn mark_all(&mut self, car: usize) {
        self.blocks[car / BLOCK] = u8::MAX;
    }
}

/// The hashes in force.
#[derive(Resource, Default)]
pub(crate) struct StateHashes {
    /// One per component and block, component-major.
    pub blocks: Vec<u64>,
    /// Hash of all of them.
    pub whole: u64,
}

/// Brings the hashes up to date.
pub(crate) fn hash(
    cars: Query<(&StoredEnergy, &SetPoint, &PluggedStay, &Session)>,
    mut dirty: ResMut<Dirty>,
    mut hashes: ResMut<StateHashes>,
    in_force: Res<ScenarioInForce>,
    units: Query<Standing>,
    workers: Res<Workers>,
) {
    let count = dirty.blocks.len();
    hashes.blocks.resize(Component::ALL.len() * count, 0);
    let (energies, set_points, stays, ledgers) = columns(cars);
    let bytes = |component, block| match component {
        Component::Energy => block_bytes(energies, block),
        Component::SetPoint => block_bytes(set_points, block),
        Component::Stay => block_bytes(stays, block),
        Component::Ledger => block_bytes(ledgers, block),
    };
    let mut tasks = Vec::new();
    for component in Component::ALL {
        for (block, &bits) in dirty.blocks.iter().enumerate() {
            if bits & 1 << component as u8 != 0 {
                tasks.push((component as usize * count + block, bytes(component, block)));
            }
        }
    }
    for (place, hash) in workers.map(tasks, |(place, bytes)| (place, xxh3_64(bytes))) {
        hashes.blocks[place] = hash;
    }
    // Units are few, and move in every slot: they are hashed whole, into the last hash alone.
    let plant = in_force.scenario.grid.as_deref().map(|grid| &grid.plant);
    let plant = plant.map(|plant| units::hashed(plant, &units::state(&units))).unwrap_or_default();
    hashes.whole = xxh3_64(&[cast_slice(&hashes.blocks), cast_slice(&plant)].concat());
    dirty.blocks.fill(0);
}

fn block_bytes<T: NoUninit>(column: &[T], block: usize) -> &[u8] {
    cast_slice(&column[block * BLOCK..column.len().min((block + 1) * BLOCK)])
}
