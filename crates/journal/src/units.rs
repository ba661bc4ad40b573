//! Schedules of units as events, and back: the event is the list of slots, transposed.

use crate::event::{Stage, UnitsDispatched};
use voltide_model::{device::Device, dispatch::SlotDispatch, plant::Plant, unit::UnitSlot};

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
    let units = plant.units.len() as u32;
    let mut event =
        UnitsDispatched { stage, first_slot, step, units, ..UnitsDispatched::default() };
    for slot in steps {
        event.load_kw.push(slot.load_kw);
        event.unserved_kw.push(slot.unserved_kw);
        event.spilled_kw.push(slot.spilled_kw);
        slot.units.iter().for_each(|did| pack_unit(did, &mut event));
    }
    event
}

fn pack_unit(did: &UnitSlot, event: &mut UnitsDispatched) {
    event.power_kw.push(did.power_kw());
    event.available_kw.push(did.available_kw);
    event.charge_kw.push(did.charge_kw);
    event.energy_kwh.push(did.energy_kwh);
    event.price_per_kwh.push(did.price_per_kwh);
    event.on.push((u8::from(did.on) * ON) | (u8::from(did.started) * STARTED));
}

/// The steps of a schedule. Columns that are too short end it.
pub fn unpack(plant: &Plant, event: &UnitsDispatched) -> Vec<SlotDispatch> {
    let units = plant.units.len();
    let steps = event.load_kw.len().min(event.power_kw.len() / units.max(1));
    let unit = |(row, device): (usize, &dyn Device)| UnitSlot {
        kind: device.kind(),
        // `power_kw` is what the unit gives less what it takes.
        given_kw: event.power_kw[row] + event.charge_kw[row],
        available_kw: event.available_kw[row],
        charge_kw: event.charge_kw[row],
        energy_kwh: event.energy_kwh[row],
        price_per_kwh: event.price_per_kwh[row],
        on: event.on[row] & ON != 0,
        started: event.on[row] & STARTED != 0,
    };
    let step = |at: usize| SlotDispatch {
        load_kw: event.load_kw[at],
        units: (at * units..).zip(plant.devices()).map(unit).collect(),
        unserved_kw: event.unserved_kw[at],
        spilled_kw: event.spilled_kw[at],
    };
    (0..steps).map(step).collect()
}
