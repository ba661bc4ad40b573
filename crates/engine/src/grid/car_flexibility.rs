//! What plugged-in cars could do if net load moved: (30) and (31), where the world counts them.

use super::load::CarLoad;
use crate::{
    cars::{Agreed, PluggedStay, columns},
    drivers::Asking,
    state::{FleetConstants, ScenarioInForce, arrival_kwh},
};
use voltide_model::{
    battery::EnergyBounds,
    columns::Ledger,
    flexibility::{CarReach, UpDown, car},
    id::{EvId, StayId},
    rules::Rules,
    stay::NO_STAY,
};

/// `F_S` of all plugged-in cars in each of `count` slots from now on, as their schedules have them.
///
/// Cars that have not arrived, or will have left, supply nothing.
pub(crate) fn supply(state: &CarLoad, count: u32) -> Vec<UpDown> {
    let tick = state.now.tick;
    let mut sums = vec![UpDown::default(); count as usize];
    // The wall clock is read once for all cars.
    let hours: Vec<u32> =
        (tick..tick + count).map(|slot| state.in_force.scenario.willingness_hour(slot)).collect();
    let (energies, stays, sessions) = columns(state.cars.as_readonly());
    let agreed = state.drivers.agreed();
    let plugged = (0..).map(EvId).zip(stays).filter(|(_, stay)| stay.0 != NO_STAY);
    for (ev, &PluggedStay(stay)) in plugged {
        let session = &sessions[ev.row()].0;
        let seen = Seen { ev, stay, energy_kwh: energies[ev.row()].0, session, agreed };
        add_car(state, &seen, &hours, &mut sums);
    }
    sums
}

/// A plugged-in car, as the columns have it that are looked up once for all cars.
struct Seen<'a> {
    ev: EvId,
    stay: StayId,
    energy_kwh: f64,
    session: &'a Ledger,
    /// Of all drivers.
    agreed: &'a [Agreed],
}

/// Adds what a plugged-in car could do in the slots from now on that it is expected to stay for;
/// `hours` are those of the drivers' draws, slot by slot.
fn add_car(state: &CarLoad, seen: &Seen<'_>, hours: &[u32], sums: &mut [UpDown]) {
    let &Seen { ev, stay, mut energy_kwh, session, .. } = seen;
    let in_force = &state.in_force;
    let tick = state.now.tick;
    let fleet = in_force.fleet_of(ev);
    let asking = Asking::of_fleet(in_force, in_force.scenario.population.fleet_of(ev));
    let began_with = arrival_kwh(in_force, &state.plans, (ev, stay), energy_kwh, session);
    // Flexibility is offered from what V2G must leave upwards, as schedules are made.
    let bounds = in_force.plan_bounds(ev, began_with);
    for slot in tick..(tick + sums.len() as u32).min(slots_end(in_force, stay, tick)) {
        let at = (slot - tick) as usize;
        // The limits of this slot have been applied already; of later ones only schedules are
        // known.
        let power_kw =
            if slot == tick { state.power.0[ev.row()] } else { state.plans.power_at(ev, slot) };
        energy_kwh = fleet.battery.after(energy_kwh, power_kw);
        let agrees = asking.is_none_or(|asking| agrees(state, seen, asking, slot, hours[at]));
        let reach = reach(in_force, fleet, stay, bounds, power_kw, energy_kwh, agrees);
        sums[at] += car(&reach, in_force.scenario.clock.slot_hours());
    }
}

/// Whether a driver who is asked agrees in a slot, at the prices that the car was planned at.
fn agrees(state: &CarLoad, seen: &Seen<'_>, asking: Asking, slot: u32, hour: u32) -> bool {
    let ev = seen.ev;
    // Of this slot drivers have said it already.
    if slot == state.now.tick {
        return seen.agreed[ev.row()].0 == 1;
    }
    let tariff = state.in_force.fleet_of(ev).tariff;
    let band = asking.band(state.prices.of_ev(ev.row(), tariff), slot);
    asking.answer(band, state.in_force.scenario.willingness_draw(ev, hour)).1
}

/// The slot after the last one that a plugged-in car is expected to stay for, on the axis of ticks.
/// By the first rules that was when it really left.
fn slots_end(in_force: &ScenarioInForce, stay: StayId, tick: u32) -> u32 {
    let stays = &in_force.scenario.population.stays;
    let clock = &in_force.scenario.clock;
    let end = match in_force.scenario.rules {
        // Nobody knows that but the simulator.
        Rules::V1 => stays.end_slot(stay, clock),
        Rules::V2 => return stays.expected_end_slot(stay, tick, clock),
    };
    end - clock.slots_before(stays.first_slot(stay, clock), tick)
}

fn reach(
    in_force: &ScenarioInForce,
    fleet: &FleetConstants,
    stay: StayId,
    bounds: EnergyBounds,
    power_kw: f64,
    energy_kwh: f64,
    agrees: bool,
) -> CarReach {
    let charger = in_force.charger_of(stay);
    CarReach {
        power_kw,
        energy_kwh,
        energy_kwh_min: bounds.least_kwh,
        energy_kwh_max: bounds.most_kwh,
        charge_kw_max: charger.charge_max.0,
        discharge_kw_max: if agrees { charger.discharge_max.0 } else { 0.0 },
        charge_efficiency: fleet.charge_efficiency,
        discharge_efficiency: fleet.discharge_efficiency,
    }
}
