//! Phase 1: cars unplug and plug in, by the calendar of stays.

use crate::{
    apply::Sessions,
    cars::columns,
    due::LeftEarly,
    outbox::Recorder,
    phase::plan::tree,
    state::{FleetConstants, Now, ScenarioInForce, SiteCuts},
};
use bevy_ecs::{prelude::*, system::ScheduleSystem};
use voltide_journal::event::{
    EndReason, Event, Leaving, MISSED_MIN_KWH, MissedReason, SessionEnded, SessionStarted,
    TargetMissed, TickStarted, TripShort,
};
use voltide_model::{
    id::{EvId, StayId},
    rules::Rules,
};

/// Cars leave, and then others arrive.
pub(crate) fn deciding() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    (depart.run_if(any_leaves), arrive.run_if(any_arrives)).chain().into_configs()
}

fn any_leaves(in_force: Res<ScenarioInForce>, now: Res<Now>) -> bool {
    !in_force.calendar.ending_at(now.tick).is_empty()
}

fn any_arrives(in_force: Res<ScenarioInForce>, now: Res<Now>) -> bool {
    !in_force.calendar.beginning_at(now.tick).is_empty()
}

/// Ends the sessions whose cars leave.
fn depart(mut sessions: Sessions, mut early: ResMut<LeftEarly>, mut record: Recorder) {
    let tick_started = record.cause(&[&TickStarted::KIND]);
    let ended = sessions_ending(&sessions);
    let missed = targets_missed(&sessions.in_force, &sessions.cuts, sessions.now.tick, &ended);
    // Before it is off the sums what they were to draw.
    *early = tree::left_early(&sessions.in_force, &sessions.plans, &ended, sessions.now.tick);
    let cause =
        record.emit(tick_started, ended, Event::SessionEnded, |ended| sessions.unplug(ended));
    if !missed.ev.is_empty() {
        record.note(Some(cause), Event::TargetMissed(missed));
    }
}

/// Begins the sessions of cars that arrive; a car may do so in the slot in which it left.
fn arrive(mut sessions: Sessions, mut record: Recorder) {
    let tick_started = record.cause(&[&TickStarted::KIND]);
    let (started, short) = sessions_beginning(&sessions);
    let cause = record
        .emit(tick_started, started, Event::SessionStarted, |started| sessions.plug_in(started));
    if !short.ev.is_empty() {
        record.note(Some(cause), Event::TripShort(short));
    }
}

fn sessions_ending(sessions: &Sessions) -> SessionEnded {
    let in_force = &sessions.in_force;
    let population = &in_force.scenario.population;
    let (energies, _, _, ledgers) = columns(sessions.cars.as_readonly());
    let ending = in_force.calendar.ending_at(sessions.now.tick);
    let mut ended = room_for_ended(ending.len());
    for &stay in ending {
        let ev = population.stays.ev[stay.row()];
        let energy = energies[ev.row()].0;
        let ledger = ledgers[ev.row()].0;
        ended.ev.push(ev);
        ended.stay.push(stay);
        ended.energy_kwh.push(energy);
        ended.charged_kwh.push(ledger.charged_kwh);
        ended.discharged_kwh.push(ledger.discharged_kwh);
        ended.energy_cost.push(ledger.energy_cost);
        ended.v2g_revenue.push(ledger.v2g_revenue);
        let reason = end_reason(in_force, ev, stay);
        ended.missing_kwh.push((target_kwh(in_force, ev, reason) - energy).max(0.0));
        ended.reason.push(reason);
    }
    ended
}

/// Stored energy that a car that leaves wanted, kWh. By the first rules one that was taken out did
/// not depart, and so missed nothing.
fn target_kwh(in_force: &ScenarioInForce, ev: EvId, reason: EndReason) -> f64 {
    if reason == EndReason::Removed && in_force.scenario.rules < Rules::V2 {
        return 0.0;
    }
    in_force.scenario.population.departure_energy_kwh[ev.row()]
}

/// Whether a car that unplugs is taken out of the world. By the first rules that is so for all cars
/// that are gone; since then one that would have left in this slot anyway departs.
fn is_removed(in_force: &ScenarioInForce, ev: EvId, stay: StayId) -> bool {
    let population = &in_force.scenario.population;
    match in_force.scenario.rules {
        Rules::V1 => population.range_of(ev).removed,
        Rules::V2 => population.cut_stays.binary_search(&stay).is_ok(),
    }
}

/// Why a session ends whose stay does.
fn end_reason(in_force: &ScenarioInForce, ev: EvId, stay: StayId) -> EndReason {
    if is_removed(in_force, ev, stay) {
        EndReason::Removed
    } else if in_force.calendar.folded().binary_search(&stay).is_ok() {
        EndReason::Folded
    } else {
        EndReason::Departed
    }
}

fn targets_missed(
    in_force: &ScenarioInForce,
    cuts: &SiteCuts,
    now: u32,
    ended: &SessionEnded,
) -> TargetMissed {
    let mut missed = TargetMissed::default();
    for (row, &missing) in ended.missing_kwh.iter().enumerate() {
        if missing > MISSED_MIN_KWH {
            missed.ev.push(ended.ev[row]);
            missed.stay.push(ended.stay[row]);
            missed.missing_kwh.push(missing);
            missed.reason.push(missed_reason(in_force, cuts, now, ended, row));
        }
    }
    missed
}

/// Why a session that ends now missed its target: the first reason that would have sufficed.
fn missed_reason(
    in_force: &ScenarioInForce,
    cuts: &SiteCuts,
    now: u32,
    ended: &SessionEnded,
    row: usize,
) -> MissedReason {
    let was_cut = cuts.in_session.get(ended.ev[row].row()).is_some_and(|&cut| cut);
    match () {
        () if ended.reason[row] == EndReason::Removed => MissedReason::Removed,
        () if let Some(reason) = want_of_time(in_force, now, ended, row) => reason,
        () if was_cut => MissedReason::SiteLimit,
        () => MissedReason::Schedule,
    }
}

/// What a car could have had at full power.
struct FullPower<'a> {
    fleet: &'a FleetConstants,
    charge_kw: f64,
    /// First slot of the stay, and what the car held then, kWh.
    first: u32,
    arrival_kwh: f64,
}

impl<'a> FullPower<'a> {
    /// Of the car whose session ends now in a row of `ended`.
    fn of(in_force: &'a ScenarioInForce, now: u32, ended: &SessionEnded, row: usize) -> Self {
        let stay = ended.stay[row];
        let fleet = in_force.fleet_of(ended.ev[row]);
        let scenario = &in_force.scenario;
        let first = scenario.population.stays.first_slot(stay, &scenario.clock);
        let charged_kwh = ended.charged_kwh[row];
        let discharged_kwh = ended.discharged_kwh[row];
        Self {
            fleet,
            charge_kw: in_force.charger_of(stay).charge_max.0,
            // Of a stay that is in progress at a folded midnight only the part since then counts.
            first: if first < now { first } else { 0 },
            arrival_kwh: fleet.energy_before(ended.energy_kwh[row], charged_kwh, discharged_kwh),
        }
    }

    /// What so many slots put into the battery, kWh; more than it may hold.
    fn stored(&self, slots: u32) -> f64 {
        f64::from(slots) * self.charge_kw * self.fleet.battery.stored_per_kw
    }

    /// What the car would hold when `slot` begins, had it been charged all along, kWh.
    fn reach(&self, slot: u32) -> f64 {
        self.arrival_kwh + self.stored(slot.saturating_sub(self.first))
    }
}

/// Whether it is for want of time that a session that ends now missed its target.
fn want_of_time(
    in_force: &ScenarioInForce,
    now: u32,
    ended: &SessionEnded,
    row: usize,
) -> Option<MissedReason> {
    let stay = ended.stay[row];
    let stays = &in_force.scenario.population.stays;
    let clock = &in_force.scenario.clock;
    let energy_kwh = ended.energy_kwh[row];
    // What a miss is begins a little below the target: so near to it nothing is amiss.
    let wanted = energy_kwh + ended.missing_kwh[row] - MISSED_MIN_KWH;
    let full = FullPower::of(in_force, now, ended, row);
    let announced = stays.announced_end_slot(stay, clock);
    match in_force.scenario.rules {
        Rules::V1 => MissedReason::of_time(full.reach(now), full.reach(announced), wanted),
        Rules::V2 => {
            let ahead = announced.saturating_sub(stays.end_slot(stay, clock));
            let leaving = Leaving {
                ahead_of_announced: ahead > 0,
                departure_kwh: full.reach(now),
                announced_kwh: full.reach(now + ahead),
                had_it_stayed_kwh: energy_kwh + full.stored(ahead),
                wanted_kwh: wanted,
            };
            leaving.missed_for_time()
        }
    }
}

/// Cars arrive with what the trip left them; a trip never takes more than there was. On a day that
/// follows upon itself they come home as drawn: what they drove makes up the difference, which
/// may be below zero.
fn sessions_beginning(sessions: &Sessions) -> (SessionStarted, TripShort) {
    let in_force = &sessions.in_force;
    let stays = &in_force.scenario.population.stays;
    let drawn_anew = in_force.scenario.clock.typical_day().is_some();
    let (energies, ..) = columns(sessions.cars.as_readonly());
    let beginning = in_force.calendar.beginning_at(sessions.now.tick);
    let mut started = room_for_started(beginning.len());
    let mut short = TripShort::default();
    for &stay in beginning {
        let ev = stays.ev[stay.row()];
        let energy = energies[ev.row()].0;
        let wanted = stays.trip_kwh[stay.row()];
        let comes_home_as_drawn = drawn_anew && is_first(in_force, stay);
        let driven = if comes_home_as_drawn {
            energy - in_force.scenario.population.arrival_energy_kwh[ev.row()]
        } else {
            wanted.min(energy)
        };
        if driven < wanted && !comes_home_as_drawn {
            short.ev.push(ev);
            short.wanted_kwh.push(wanted);
            short.driven_kwh.push(driven);
        }
        push_started(&mut started, in_force, stay, energy - driven, driven);
    }
    (started, short)
}

/// Whether a stay is its car's first.
fn is_first(in_force: &ScenarioInForce, stay: StayId) -> bool {
    let evs = &in_force.scenario.population.stays.ev;
    // Stays are sorted by car, then by arrival.
    stay == StayId(0) || evs[stay.row() - 1] != evs[stay.row()]
}

fn push_started(
    started: &mut SessionStarted,
    in_force: &ScenarioInForce,
    stay: StayId,
    energy_kwh: f64,
    driven_kwh: f64,
) {
    let population = &in_force.scenario.population;
    let stays = &population.stays;
    let ev = stays.ev[stay.row()];
    started.ev.push(ev);
    started.stay.push(stay);
    started.charger.push(stays.charger[stay.row()]);
    started.energy_kwh.push(energy_kwh);
    started.driven_kwh.push(driven_kwh);
    started.departure_slot.push(stays.announced_end_slot(stay, &in_force.scenario.clock));
    started.departure_kwh.push(population.departure_energy_kwh[ev.row()]);
}

/// Stays that are in progress when a typical day begins, ascending, each with the energy that its
/// schedule has brought it to by midnight, kWh: known once they are planned.
#[derive(Resource, Default)]
pub(crate) struct InProgressAtMidnight(pub Vec<(StayId, f64)>);

/// Begins the sessions that are in progress when a typical day begins.
pub(crate) fn begin_at_midnight(
    mut sessions: Sessions,
    mut stays: ResMut<InProgressAtMidnight>,
    mut record: Recorder,
) {
    if stays.0.is_empty() {
        return;
    }
    let mut started = room_for_started(stays.0.len());
    let (energies, ..) = columns(sessions.cars.as_readonly());
    for (stay, energy_kwh) in std::mem::take(&mut stays.0) {
        let ev = sessions.in_force.scenario.population.stays.ev[stay.row()];
        let driven_kwh = energies[ev.row()].0 - energy_kwh;
        push_started(&mut started, &sessions.in_force, stay, energy_kwh, driven_kwh);
    }
    let cause = record.cause(&[&TickStarted::KIND]);
    record.emit(cause, started, Event::SessionStarted, |started| sessions.plug_in(started));
}

/// Columns that need not grow: a whole fleet may leave or arrive in one slot.
fn room_for_ended(rows: usize) -> SessionEnded {
    SessionEnded {
        ev: Vec::with_capacity(rows).into(),
        stay: Vec::with_capacity(rows).into(),
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
        ev: Vec::with_capacity(rows).into(),
        stay: Vec::with_capacity(rows).into(),
        charger: Vec::with_capacity(rows).into(),
        energy_kwh: Vec::with_capacity(rows),
        driven_kwh: Vec::with_capacity(rows),
        departure_slot: Vec::with_capacity(rows),
        departure_kwh: Vec::with_capacity(rows),
    }
}
