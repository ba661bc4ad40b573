//! Schedules of units as events, and back.

use crate::event::{Stage, UnitsDispatched};
use voltide_model::{
    columns::{UnitKind, UnitTick},
    cost::UnitCost,
    dispatch::SlotDispatch,
    flexibility::UpDown,
    plant::Plant,
};

const ON: u8 = 1;
const STARTED: u8 = 2;

/// A schedule as an event; `step` slots are one step of it.
pub fn pack(
    plant: &Plant,
    stage: Stage,
    first_slot: u32,
    step: u32,
    steps: &[SlotDispatch],
) -> UnitsDispatched {
    let units = plant.names().count();
    let mut event =
        UnitsDispatched { stage, first_slot, step, units: units as u32, ..UnitsDispatched::default() };
    for slot in steps {
        event.load_kw.push(slot.load_kw);
        event.unserved_kw.push(slot.unserved_kw);
        event.spilled_kw.push(slot.spilled_kw);
        pack_slot(plant, slot, &mut event);
    }
    event
}

/// One unit of a schedule of one step, as tables and other crates see it.
pub fn scheduled_unit(
    packed: &UnitsDispatched,
    id: usize,
    kind: UnitKind,
    cost: Option<UnitCost>,
    flexibility: Option<UpDown>,
) -> UnitTick {
    let is_store = matches!(kind, UnitKind::PumpedHydro | UnitKind::Ess);
    let is_renewable = matches!(kind, UnitKind::Wind | UnitKind::Pv);
    UnitTick {
        available_kw: is_renewable.then(|| packed.available_kw[id]),
        charge_kw: is_store.then(|| packed.charge_kw[id]),
        energy_kwh: is_store.then(|| packed.energy_kwh[id]),
        flexibility,
        cost,
        ..UnitTick::new(id as u32, kind, packed.power_kw[id])
    }
}

fn pack_slot(plant: &Plant, slot: &SlotDispatch, event: &mut UnitsDispatched) {
    let idle = |count: usize| std::iter::repeat_n(0.0, count);
    let [renewables, must_take, thermal, stores, loads, exchanges] = counts(plant);
    event.power_kw.extend(&slot.renewable_kw);
    event.power_kw.extend(&slot.must_take_kw);
    event.power_kw.extend(&slot.thermal_kw);
    event.power_kw.extend((0..stores).map(|store| slot.store_kw(store)));
    event.power_kw.extend(&slot.interrupted_kw);
    event.power_kw.extend(&slot.exchange_kw);
    event.available_kw.extend(
        slot.available_kw.iter().copied().chain(idle(must_take + thermal + stores + loads + exchanges)),
    );
    let before = renewables + must_take + thermal;
    event.charge_kw.extend(idle(before).chain(slot.charge_kw.iter().copied()).chain(idle(loads + exchanges)));
    event
        .energy_kwh
        .extend(idle(before).chain(slot.energy_kwh.iter().copied()).chain(idle(loads + exchanges)));
    event.price_per_kwh.extend(idle(before + stores + loads).chain(slot.exchange_price.iter().copied()));
    let state = |unit: usize| (u8::from(slot.on[unit]) * ON) | (u8::from(slot.started[unit]) * STARTED);
    event.on.extend(std::iter::repeat_n(0, renewables + must_take));
    event.on.extend((0..thermal).map(state));
    event.on.extend(std::iter::repeat_n(0, stores + loads + exchanges));
}

/// The steps of a schedule. Columns that are too short end it.
pub fn unpack(plant: &Plant, event: &UnitsDispatched) -> Vec<SlotDispatch> {
    let units = plant.names().count().max(1);
    let rows = |column: &'_ [f64]| column.chunks_exact(units).map(<[f64]>::to_vec).collect::<Vec<_>>();
    let (power, available) = (rows(&event.power_kw), rows(&event.available_kw));
    let (charge, energy, price) =
        (rows(&event.charge_kw), rows(&event.energy_kwh), rows(&event.price_per_kwh));
    let on: Vec<&[u8]> = event.on.chunks_exact(units).collect();
    let [renewables, must_take, thermal, stores, loads, _] = counts(plant);
    let ends = [renewables, must_take, thermal, stores, loads].into_iter().scan(0, |end, count| {
        *end += count;
        Some(*end)
    });
    let ends: Vec<usize> = ends.collect();
    let steps = event.load_kw.len().min(power.len());
    let step = |at: usize| SlotDispatch {
        load_kw: event.load_kw[at],
        renewable_kw: power[at][..ends[0]].to_vec(),
        available_kw: available[at][..ends[0]].to_vec(),
        must_take_kw: power[at][ends[0]..ends[1]].to_vec(),
        thermal_kw: power[at][ends[1]..ends[2]].to_vec(),
        on: on[at][ends[1]..ends[2]].iter().map(|state| state & ON != 0).collect(),
        started: on[at][ends[1]..ends[2]].iter().map(|state| state & STARTED != 0).collect(),
        discharge_kw: (ends[2]..ends[3]).map(|unit| power[at][unit] + charge[at][unit]).collect(),
        charge_kw: charge[at][ends[2]..ends[3]].to_vec(),
        energy_kwh: energy[at][ends[2]..ends[3]].to_vec(),
        interrupted_kw: power[at][ends[3]..ends[4]].to_vec(),
        exchange_kw: power[at][ends[4]..].to_vec(),
        exchange_price: price[at][ends[4]..].to_vec(),
        unserved_kw: event.unserved_kw[at],
        spilled_kw: event.spilled_kw[at],
    };
    (0..steps).map(step).collect()
}

/// Numbers of units, kind by kind, in the order of [`Plant::names`].
fn counts(plant: &Plant) -> [usize; 6] {
    [
        plant.renewables.len(),
        plant.must_take.len(),
        plant.thermal.len(),
        plant.stores.len(),
        plant.interruptible.len(),
        plant.exchanges.len(),
    ]
}
