//! What plugged-in cars could do if net load moved: (30) and (31), where the world counts them.

use super::load::CarLoad;
use crate::{
    cars::{PluggedStay, columns},
    drivers::Asking,
    state::{Fixed, FleetConstants, arrival_kwh},
};
use voltide_model::{
    battery::EnergyBounds,
    flexibility::{CarReach, UpDown, car},
    rules::Rules,
    stay::NO_STAY,
};

/// `F_S` of all plugged-in cars in each of `count` slots from now on, as their schedules have them.
///
/// Cars that have not arrived, or will have left, supply nothing.
pub(crate) fn supply(state: &CarLoad, count: u32) -> Vec<UpDown> {
    let tick = state.now.tick;
    let hours = state.fixed.scenario.clock.slot_hours();
    let mut sums = vec![UpDown::default(); count as usize];
    let hour_of: Vec<u32> =
        (tick..tick + count).map(|slot| state.fixed.scenario.willingness_hour(slot)).collect();
    let (energies, stays, ledgers) = columns(state.cars.as_readonly());
    let fixed = &state.fixed;
    let prices = &state.prices;
    let agreed = state.drivers.agreed();
    let plugged = (0..).zip(stays).filter(|(_, stay)| stay.0 != NO_STAY);
    for (ev, &PluggedStay(stay)) in plugged {
        let fleet = fixed.fleet_of(ev);
        let asking = Asking::of_fleet(fixed, fixed.scenario.population.fleet_of(ev));
        // Of this slot drivers have said it.
        let agrees = |slot: u32| {
            asking.is_none_or(|asking| {
                if slot == tick {
                    return agreed[ev as usize].0 == 1;
                }
                let draw = fixed.scenario.willingness_draw(ev, hour_of[(slot - tick) as usize]);
                asking.answer(asking.band(prices.of_ev(ev as usize, fleet.tariff), slot), draw).1
            })
        };
        let slots = tick..(tick + count).min(slots_end(fixed, stay, tick));
        let mut energy_kwh = energies[ev as usize].0;
        let began_with =
            arrival_kwh(fixed, &state.plans, (ev, stay), energy_kwh, &ledgers[ev as usize].0);
        let bounds = fixed.plan_bounds(ev, began_with);
        for slot in slots {
            let power_kw = if slot == tick {
                state.power.0[ev as usize]
            } else {
                state.plans.power_at(ev, slot)
            };
            energy_kwh = fleet.battery.after(energy_kwh, power_kw);
            let reach = reach(fixed, fleet, stay, bounds, power_kw, energy_kwh, agrees(slot));
            sums[(slot - tick) as usize] += car(&reach, hours);
        }
    }
    sums
}

/// The slot after the last one that a plugged-in car is expected to stay for, on the axis of ticks.
/// By the first rules that was when it really left.
fn slots_end(fixed: &Fixed, stay: u32, tick: u32) -> u32 {
    let stays = &fixed.scenario.population.stays;
    let clock = &fixed.scenario.clock;
    let first = stays.first_slot(stay, clock);
    let end = match fixed.scenario.rules {
        Rules::V1 => stays.end_slot(stay, clock),
        Rules::V2 => stays.announced_end_slot(stay, clock).max(tick + 1),
    };
    match fixed.scenario.clock.typical_day() {
        // The part of the stay that is now may lie on the next day of its own axis.
        Some(period) => {
            let days = first / period + u32::from(first % period > tick);
            end - days * period
        }
        None => end,
    }
}

fn reach(
    fixed: &Fixed,
    fleet: &FleetConstants,
    stay: u32,
    bounds: EnergyBounds,
    power_kw: f64,
    energy_kwh: f64,
    agrees: bool,
) -> CarReach {
    let charger = fixed.charger_of(stay);
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
