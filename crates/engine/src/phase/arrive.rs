//! Phase 1: cars unplug and plug in, by the calendar of stays.

use crate::apply::State;
use voltide_journal::event::{EndReason, Event, SessionEnded, SessionStarted, TargetMissed, TripShort};

/// Stored energy that may be missing before a target counts as missed, kWh.
const MISSED_MIN_KWH: f64 = 1e-6;

/// Ends the sessions whose cars leave, then begins those whose cars arrive.
pub(crate) fn arrive(mut state: State) {
    let tick_started = state.cause(&["TickStarted.v1"]);
    let ended = sessions_ending(&mut state);
    let missed = targets_missed(&ended);
    if !ended.ev.is_empty() {
        let cause = state.emit(tick_started, Event::SessionEnded(ended));
        if !missed.ev.is_empty() {
            state.emit(Some(cause), Event::TargetMissed(missed));
        }
    }
    let (started, short) = sessions_beginning(&mut state);
    if !started.ev.is_empty() {
        let cause = state.emit(tick_started, Event::SessionStarted(started));
        if !short.ev.is_empty() {
            state.emit(Some(cause), Event::TripShort(short));
        }
    }
}

fn sessions_ending(state: &mut State) -> SessionEnded {
    let fixed = &state.fixed;
    let population = &fixed.scenario.population;
    let mut table = state.cars.table();
    let cars = table.columns();
    let ending = fixed.calendar.ending_at(state.now.tick);
    let mut ended = room_for_ended(ending.len());
    for &stay in ending {
        let ev = population.stays.ev[stay as usize];
        let (energy, ledger) = (cars.energy[ev as usize], cars.ledger[ev as usize]);
        ended.ev.push(ev);
        ended.stay.push(stay);
        ended.energy_kwh.push(energy);
        ended.charged_kwh.push(ledger.charged_kwh);
        ended.discharged_kwh.push(ledger.discharged_kwh);
        ended.energy_cost.push(ledger.energy_cost);
        ended.v2g_revenue.push(ledger.v2g_revenue);
        ended.missing_kwh.push((population.departure_energy_kwh[ev as usize] - energy).max(0.0));
        ended.reason.push(EndReason::Departed as u8);
    }
    ended
}

fn targets_missed(ended: &SessionEnded) -> TargetMissed {
    let mut missed = TargetMissed::default();
    for (row, &missing) in ended.missing_kwh.iter().enumerate() {
        if missing > MISSED_MIN_KWH {
            missed.ev.push(ended.ev[row]);
            missed.stay.push(ended.stay[row]);
            missed.missing_kwh.push(missing);
        }
    }
    missed
}

/// Cars arrive with what the trip left them; a trip never takes more than there was.
fn sessions_beginning(state: &mut State) -> (SessionStarted, TripShort) {
    let fixed = &state.fixed;
    let (population, clock) = (&fixed.scenario.population, &fixed.scenario.clock);
    let stays = &population.stays;
    let mut table = state.cars.table();
    let cars = table.columns();
    let beginning = fixed.calendar.beginning_at(state.now.tick);
    let (mut started, mut short) = (room_for_started(beginning.len()), TripShort::default());
    for &stay in beginning {
        let ev = stays.ev[stay as usize];
        let (energy, wanted) = (cars.energy[ev as usize], stays.trip_kwh[stay as usize]);
        let driven = wanted.min(energy);
        if driven < wanted {
            short.ev.push(ev);
            short.wanted_kwh.push(wanted);
            short.driven_kwh.push(driven);
        }
        started.ev.push(ev);
        started.stay.push(stay);
        started.charger.push(stays.charger[stay as usize]);
        started.energy_kwh.push(energy - driven);
        started.driven_kwh.push(driven);
        started.departure_slot.push(stays.announced_end_slot(stay, clock));
        started.departure_kwh.push(population.departure_energy_kwh[ev as usize]);
    }
    (started, short)
}

/// Columns that need not grow: a whole fleet may leave or arrive in one slot.
fn room_for_ended(rows: usize) -> SessionEnded {
    SessionEnded {
        ev: Vec::with_capacity(rows),
        stay: Vec::with_capacity(rows),
        energy_kwh: Vec::with_capacity(rows),
        charged_kwh: Vec::with_capacity(rows),
        discharged_kwh: Vec::with_capacity(rows),
        energy_cost: Vec::with_capacity(rows),
        v2g_revenue: Vec::with_capacity(rows),
        missing_kwh: Vec::with_capacity(rows),
        reason: Vec::with_capacity(rows),
    }
}

/// See [`room_for_ended`].
fn room_for_started(rows: usize) -> SessionStarted {
    SessionStarted {
        ev: Vec::with_capacity(rows),
        stay: Vec::with_capacity(rows),
        charger: Vec::with_capacity(rows),
        energy_kwh: Vec::with_capacity(rows),
        driven_kwh: Vec::with_capacity(rows),
        departure_slot: Vec::with_capacity(rows),
        departure_kwh: Vec::with_capacity(rows),
    }
}
