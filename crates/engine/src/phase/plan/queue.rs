//! What is to be planned at a tick: one queue, which named sources fill, one file each.
//!
//! | source       | puts in                                        | when          |
//! |--------------|------------------------------------------------|---------------|
//! | `plug_in`    | cars whose stay has no schedule that fits      | it happens    |
//! | `cut`        | cars that a site cut                           | it happens    |
//! | `new_policy` | all cars that are plugged in                   | it happens    |
//! | `overdue`    | cars past their departure that lack energy     | in every slot |
//! | `replan`     | cars that the policy wants to see again        | in every slot |
//! | `day_start`  | stays of the day, and those of cars marked due | a day begins  |
//! | `forecast`   | stays of the day, on trial                     | a day begins  |
//!
//! After it is planned, `tree` has whole trees of sites shown once more.
//!
//! The first three mark cars in [`DueCars`](crate::due::DueCars), from where all sources take them. A car that several
//! put in is planned once. Stays come out by car, in `EvId` order, in batches of a fixed number of
//! cars, so that results do not depend on the number of threads; the stays of one car come one
//! after the other, since the energy that a later one begins with follows from the schedule of the
//! one before it, less the trip.

use super::{overdue, replan};
use crate::{
    batch::ToPlan,
    due::DueCars,
    planning::Planning,
    sites::CarsBehind,
    state::{ScenarioInForce, insert_sorted},
};
use bevy_ecs::prelude::*;
use std::ops::Range;
use voltide_model::{
    id::{EvId, StayId},
    stay::NO_STAY,
};
use voltide_policy::planner::{PolicyInfo, Replan};

/// The sources of plugged cars at a tick, in no order that would matter.
const SOURCES: [fn(&Planning, &PolicyInfo) -> Vec<EvId>; 3] =
    [|seen, _| seen.due.marked.iter().copied().collect(), overdue::lacking, replan::asked_for];

/// Whether any source might put in a plugged car.
pub(super) fn may_have_plugged(due: &DueCars, replan: Replan) -> bool {
    !due.marked.is_empty() || !due.overdue.is_empty() || replan != Replan::OnPlugIn
}

/// The plugged cars that any source puts in; where the policy sees whole sites, with all others of
/// their sites.
pub(super) fn plugged_cars(
    seen: &Planning,
    policy: &PolicyInfo,
    sites: Query<&CarsBehind>,
) -> Queue {
    let mut evs = Vec::new();
    for source in SOURCES {
        for ev in source(seen, policy) {
            insert_sorted(&mut evs, ev);
        }
    }
    if policy.whole_site {
        add_whole_sites(sites, &mut evs);
    }
    // Stays are numbered by car, so that these are as sorted as their cars.
    Queue::of(evs.into_iter().map(|ev| seen.stay[ev.row()]).collect())
}

/// Adds all plugged cars of every site that has one of `evs`.
fn add_whole_sites(sites: Query<&CarsBehind>, evs: &mut Vec<EvId>) {
    let put_in = evs.clone();
    for CarsBehind(behind) in &sites {
        if behind.iter().any(|ev| put_in.binary_search(ev).is_ok()) {
            for &ev in behind {
                insert_sorted(evs, ev);
            }
        }
    }
}

/// Stays that wait to be planned.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Ascending, and so by car.
    stays: Vec<StayId>,
    /// How many of them have been taken up.
    taken: usize,
    /// The cars that are being planned.
    batch: Vec<QueuedCar>,
    /// Stays in progress at a midnight that follows upon itself, with the energy then, kWh.
    at_midnight: Vec<(StayId, f64)>,
}

/// What is to be planned of one car.
#[derive(Debug)]
struct QueuedCar {
    ev: EvId,
    /// Places of its stays in the queue that are not planned yet.
    stays: Range<usize>,
    /// Whether the first of them is in progress.
    plugged: bool,
    /// Stored energy now, or after the stay that was planned last, kWh.
    energy_kwh: f64,
    /// Stored energy that the stay in progress began with, kWh.
    arrival_kwh: f64,
}

impl Queue {
    /// Of stays in ascending order.
    pub(super) fn of(stays: Vec<StayId>) -> Self {
        Self { stays, ..Self::default() }
    }

    /// All stays that it began with, planned or not.
    pub(super) fn stays(&self) -> &[StayId] {
        &self.stays
    }

    /// Takes up the next `size` cars; whether there is one.
    pub(super) fn next_cars(&mut self, seen: &Planning, size: usize) -> bool {
        let evs = &seen.in_force.scenario.population.stays.ev;
        let same_car = |a: &StayId, b: &StayId| evs[a.row()] == evs[b.row()];
        self.batch.clear();
        for of_car in self.stays[self.taken..].chunk_by(same_car).take(size) {
            let places = self.taken..self.taken + of_car.len();
            self.batch.push(QueuedCar::of(seen, of_car[0], places.clone()));
            self.taken = places.end;
        }
        !self.batch.is_empty()
    }

    /// The next stay of each car that was taken up; `None` when all are planned.
    pub(super) fn next_stays(&mut self, seen: &Planning) -> Option<Vec<ToPlan>> {
        self.batch.retain(|car| !car.stays.is_empty());
        let trips = &seen.in_force.scenario.population.stays.trip_kwh;
        let next = self.batch.iter_mut().filter_map(|car| {
            let stay = self.stays[car.stays.next()?];
            if !std::mem::take(&mut car.plugged) {
                // A trip takes no more than there is, as when the car arrives.
                car.energy_kwh -= trips[stay.row()].min(car.energy_kwh);
                car.arrival_kwh = car.energy_kwh;
            }
            let QueuedCar { ev, energy_kwh, arrival_kwh, .. } = *car;
            Some(ToPlan { ev, stay, energy_kwh, arrival_kwh })
        });
        let next: Vec<ToPlan> = next.collect();
        (!next.is_empty()).then_some(next)
    }

    /// The schedules of `stays` are known: `power_kw` holds a row of `horizon` slots for each.
    pub(super) fn note_schedules(
        &mut self,
        seen: &Planning,
        stays: &[ToPlan],
        power_kw: &[f64],
        horizon: usize,
    ) {
        let in_force = seen.in_force;
        // A stay over the midnight of a typical day begins the day with what its own plan, made for
        // the evening before, has brought it to by then.
        let day = in_force.scenario.clock.typical_day();
        let rows = power_kw.chunks(horizon.max(1)).zip(stays);
        for (car, (power_kw, to_plan)) in self.batch.iter_mut().zip(rows) {
            let folded = in_force.calendar.folded().binary_search(&to_plan.stay).is_ok();
            // What a car's last stay ends with is asked for by nobody.
            if car.stays.is_empty() && !folded {
                continue;
            }
            for (slot, &kw) in (seen.tick..).zip(power_kw) {
                if folded && Some(slot) == day {
                    self.at_midnight.push((to_plan.stay, car.energy_kwh));
                }
                car.energy_kwh =
                    after_slot(in_force, to_plan.ev, to_plan.arrival_kwh, car.energy_kwh, kw);
            }
        }
    }

    /// The stays in progress at a midnight that follows upon itself, ascending, with the energy
    /// then, kWh.
    pub(super) fn at_midnight(mut self) -> Vec<(StayId, f64)> {
        self.at_midnight.sort_unstable_by_key(|&(stay, _)| stay);
        self.at_midnight
    }
}

impl QueuedCar {
    /// The car of `first` and of the stays after it, which stand at `stays` in the queue.
    fn of(seen: &Planning, first: StayId, stays: Range<usize>) -> Self {
        let ev = seen.in_force.scenario.population.stays.ev[first.row()];
        let in_progress = seen.stay[ev.row()];
        let energy_kwh = seen.energy_kwh[ev.row()];
        if in_progress == NO_STAY {
            return Self { ev, stays, plugged: false, energy_kwh, arrival_kwh: energy_kwh };
        }
        let arrival_kwh = seen.arrival_kwh(ev);
        if in_progress == first {
            return Self { ev, stays, plugged: true, energy_kwh, arrival_kwh };
        }
        // It goes on with the schedule that it has until it leaves.
        let scenario = &seen.in_force.scenario;
        let end = scenario.population.stays.announced_end_slot(in_progress, &scenario.clock);
        let schedule = (seen.tick..end).map(|slot| seen.plans.power_at(ev, slot));
        let energy_kwh = schedule
            .fold(energy_kwh, |energy, kw| after_slot(seen.in_force, ev, arrival_kwh, energy, kw));
        Self { ev, stays, plugged: false, energy_kwh, arrival_kwh }
    }
}

/// Stored energy after a slot in which a car's schedule asks for `kw`, as `limit` and `settle` have
/// it; that a site may cut it is not foreseen.
fn after_slot(
    in_force: &ScenarioInForce,
    ev: EvId,
    arrival_kwh: f64,
    energy_kwh: f64,
    kw: f64,
) -> f64 {
    let fleet = in_force.fleet_of(ev);
    let bounds = in_force.battery_bounds(ev, arrival_kwh);
    fleet.battery.after(energy_kwh, fleet.battery.fit_within(kw, energy_kwh, bounds))
}
