//! Cars as entities: one scalar a component, and each component one column.
//!
//! Cars are spawned in `EvId` order, those that a fork adds after the others, and never leave their
//! archetype one by one, so a component is one slice whose index is the `EvId`. Systems ask for the
//! columns that they use and hand them as slices to kernels that know nothing of an ECS; what never
//! changes stays in the scenario's population.
//!
//! Where drivers are asked whether they discharge, all cars have the components of
//! their drivers besides.

use bevy_ecs::{change_detection::ContiguousMut, prelude::*, query::ContiguousQueryData};
use bytemuck::{Pod, Zeroable};
use voltide_model::{columns::Ledger, id::StayId, stay::NO_STAY, willingness::Draw};

/// Cars in one block: the grain of sums, of state hashes, and of work shared between threads.
pub(crate) const BLOCK: usize = 2048;

/// Neighbouring cars that the kernels take side by side, for the machine's vector instructions.
pub(crate) const LANES: usize = 8;

/// The last few cars of a piece, filled up with idle ones that change no sum.
pub(crate) fn padded(cars: &[f64]) -> [f64; LANES] {
    std::array::from_fn(|lane| cars.get(lane).copied().unwrap_or_default())
}

/// Whether none of a few neighbours has power, asked for or applied.
#[inline]
pub(crate) fn at_rest(power: &[f64]) -> bool {
    // By bits, so that eight can be compared at once; -0 counts as power, which costs a look and
    // changes nothing.
    power.iter().fold(0, |bits, power| bits | power.to_bits()) == 0
}

/// Stored energy, kWh.
#[derive(Component, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct StoredEnergy(pub f64);

/// Power that the schedule asks for in this slot, kW.
#[derive(Component, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct SetPoint(pub f64);

/// The stay that the car is plugged in for, or [`NO_STAY`].
#[derive(Component, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct PluggedStay(pub StayId);

/// The ledger of the open session.
#[derive(Component, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Session(pub Ledger);

/// What the car's driver drew last, while it was plugged in.
#[derive(Component, Clone, Copy)]
pub(crate) struct Drawn {
    /// Hour of the draw, as `Scenario::willingness_hour` counts.
    pub hour: u32,
    pub draw: Draw,
}

/// The driver's willingness to discharge in this slot (10), 0..1; 0 while away. Who is not asked
/// has none, and may discharge all the same.
#[derive(Component, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Willingness(pub f64);

/// 1 where the driver was asked and agrees to discharge in this slot; 0 while away. Who is not asked
/// gives no answer, and may discharge all the same.
#[derive(Component, Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct Agreed(pub u8);

/// A car's driver before the first draw.
pub(crate) const NOT_ASKED_YET: (Drawn, Willingness, Agreed) = (
    Drawn { hour: u32::MAX, draw: Draw { normal: 0.0, uniform: 0.5 } },
    Willingness(0.0),
    Agreed(0),
);

/// The components of cars that outlive a tick.
pub(crate) type CarState = (
    &'static mut StoredEnergy,
    &'static mut SetPoint,
    &'static mut PluggedStay,
    &'static mut Session,
);

/// Power that is applied in this slot, per car, kW. It is derived from set-points and no state of
/// its own; as a component it would take twice the memory, for change ticks that nobody reads.
#[derive(Resource, Default)]
pub(crate) struct AppliedPower(pub Vec<f64>);

/// The one table of all cars: for each column that is asked for a slice, whose index is the `EvId`.
pub(crate) fn columns<'w, 's, D: ContiguousQueryData>(
    cars: Query<'w, 's, D>,
) -> D::Contiguous<'w, 's> {
    columns_if_any(cars).expect("a world has cars")
}

/// The same for components that cars have in some worlds only; `None` in the others.
pub(crate) fn columns_if_any<'w, 's, D: ContiguousQueryData>(
    cars: Query<'w, 's, D>,
) -> Option<D::Contiguous<'w, 's>> {
    let mut tables = cars.contiguous_iter_inner().expect("car components are stored in tables");
    let table = tables.next();
    // With two tables an index would be no `EvId`.
    assert!(tables.next().is_none(), "all cars share one archetype");
    table
}

/// A column for writing. Nobody asks which cars changed, so that it is not noted.
pub(crate) fn writable<T>(column: ContiguousMut<'_, T>) -> &mut [T] {
    ContiguousMut::bypass_change_detection_split(column).0
}

/// Spawns one entity a car, away from its charger, after the cars that there are; `asked` says
/// whether cars have the components of drivers.
///
/// Cars come after all resources: a resource is found through a list as long as the largest number
/// of an entity before it, so that each one behind a million cars would cost four bytes a car.
pub(crate) fn spawn_cars(world: &mut World, arrival_energy_kwh: &[f64], asked: bool) {
    world.get_resource_or_init::<AppliedPower>().0.extend(arrival_energy_kwh.iter().map(|_| 0.0));
    let cars = arrival_energy_kwh.iter().map(|&energy| {
        (StoredEnergy(energy), SetPoint(0.0), PluggedStay(NO_STAY), Session(Ledger::default()))
    });
    if asked {
        world.spawn_batch(cars.map(|car| (car, NOT_ASKED_YET)));
    } else {
        world.spawn_batch(cars);
    }
}
