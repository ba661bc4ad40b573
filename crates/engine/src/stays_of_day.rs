//! What is planned when a day begins, where the world plans at the day's start.
//!
//! Cars come in batches, in their order; the stays of a car one after the other, since the energy
//! that a later one begins with follows from the schedule of the one before it, less the trip.
//! Where the day follows upon itself, all its stays are planned before its first slot.

use crate::{batch::ToPlan, planning::PlanningState, state::ScenarioInForce};
use std::collections::VecDeque;
use voltide_journal::event::StaysExpected;
use voltide_model::{scenario::Planning, stay::NO_STAY};

/// The stays of a day, by car.
#[derive(Debug, Default)]
pub(crate) struct StaysOfDay {
    cars: VecDeque<StaysOfCar>,
    /// The cars that are being planned.
    batch: Vec<StaysOfCar>,
    /// Stays in progress at a midnight that follows upon itself, with the energy then, kWh.
    at_midnight: Vec<(u32, f64)>,
}

/// What is to be planned of one car.
#[derive(Debug)]
struct StaysOfCar {
    ev: u32,
    stays: VecDeque<u32>,
    /// Whether the first of `stays` is in progress.
    plugged: bool,
    /// Stored energy now, or after the stay that was planned last, kWh.
    energy_kwh: f64,
    /// Stored energy that the stay in progress began with, kWh.
    arrival_kwh: f64,
}

/// Which of the cars that are plugged in are on the list with the stay they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugged {
    /// Those that need a schedule.
    Due,
    /// All.
    All,
    /// None.
    None,
}

/// Whether a day begins that is to be planned.
pub(crate) fn day_begins(state: &PlanningState) -> bool {
    let scenario = &state.in_force.scenario;
    let tick = state.now.tick;
    let date = |tick| scenario.clock.local(tick).date();
    scenario.planning == Planning::AtDayStart && (tick == 0 || date(tick) != date(tick - 1))
}

/// The slot after the last one of the local day of `tick`.
fn day_end(in_force: &ScenarioInForce, tick: u32) -> u32 {
    let clock = &in_force.scenario.clock;
    let today = clock.local(tick).date();
    (tick + 1..clock.slots).find(|&slot| clock.local(slot).date() != today).unwrap_or(clock.slots)
}

impl StaysOfDay {
    /// The stays that begin on the day that begins now, and of those in progress the `plugged`
    /// ones.
    pub(crate) fn beginning(state: &PlanningState, plugged: Plugged) -> Self {
        let tick = state.now.tick;
        let evs = state.in_force.scenario.population.stays.ev.as_slice();
        let slots = tick..day_end(&state.in_force, tick);
        let (energies, in_stay, _) = state.cars();
        let beginning = slots.flat_map(|slot| state.in_force.calendar.beginning_at(slot)).copied();
        let due = state.due.due.iter().map(|&ev| in_stay[ev as usize]);
        let in_progress: Vec<u32> = match plugged {
            Plugged::Due => due.collect(),
            Plugged::All => in_stay.iter().copied().filter(|&stay| stay != NO_STAY).collect(),
            Plugged::None => Vec::new(),
        };
        let mut stays: Vec<u32> = beginning
            .filter(|&stay| in_stay[evs[stay as usize] as usize] != stay)
            .chain(in_progress)
            .collect();
        stays.sort_unstable();
        let of_car = |stays: &[u32]| {
            let ev = evs[stays[0] as usize];
            let in_progress = in_stay[ev as usize];
            let energy = energies[ev as usize];
            let plugged = in_progress == stays[0];
            let arrival_kwh = if in_progress == NO_STAY { energy } else { state.arrival_kwh(ev) };
            let energy_kwh = if plugged || in_progress == NO_STAY {
                energy
            } else {
                let scenario = &state.in_force.scenario;
                let end =
                    scenario.population.stays.announced_end_slot(in_progress, &scenario.clock);
                let schedule = (tick..end).map(|slot| state.plans.power_at(ev, slot));
                schedule.fold(energy, |energy, kw| {
                    after_slot(&state.in_force, ev, arrival_kwh, energy, kw)
                })
            };
            StaysOfCar {
                ev,
                stays: stays.iter().copied().collect(),
                plugged,
                energy_kwh,
                arrival_kwh,
            }
        };
        let same_car = |a: &u32, b: &u32| evs[*a as usize] == evs[*b as usize];
        Self { cars: stays.chunk_by(same_car).map(of_car).collect(), ..Self::default() }
    }

    /// Number of cars that are not planned yet.
    pub(crate) fn len(&self) -> usize {
        self.cars.len()
    }

    /// Takes up the next `size` cars; whether there is one.
    pub(crate) fn next_cars(&mut self, size: usize) -> bool {
        self.batch = self.cars.drain(..size.min(self.cars.len())).collect();
        !self.batch.is_empty()
    }

    /// The next stay of each car of the batch; empty when all are planned.
    pub(crate) fn next_stays(&mut self, state: &PlanningState) -> Vec<ToPlan> {
        self.batch.retain(|car| !car.stays.is_empty());
        let trips = &state.in_force.scenario.population.stays.trip_kwh;
        let next = self.batch.iter_mut().filter_map(|car| {
            let stay = car.stays.pop_front()?;
            if !std::mem::take(&mut car.plugged) {
                car.energy_kwh -= trips[stay as usize].min(car.energy_kwh);
                car.arrival_kwh = car.energy_kwh;
            }
            let StaysOfCar { ev, energy_kwh, arrival_kwh, .. } = *car;
            Some(ToPlan { ev, stay, energy_kwh, arrival_kwh })
        });
        next.collect()
    }

    /// The schedules of `stays` are known: `power_kw` holds a row of `horizon` slots for each.
    pub(crate) fn note_schedules(
        &mut self,
        state: &PlanningState,
        stays: &[ToPlan],
        power_kw: &[f64],
        horizon: usize,
    ) {
        let in_force = &state.in_force;
        let tick = state.now.tick;
        let period = in_force.scenario.clock.typical_day();
        let rows = power_kw.chunks(horizon.max(1)).zip(stays);
        for (car, (power_kw, to_plan)) in self.batch.iter_mut().zip(rows) {
            let folded = in_force.calendar.folded().binary_search(&to_plan.stay).is_ok();
            for (slot, &kw) in (tick..).zip(power_kw) {
                if folded && Some(slot) == period {
                    self.at_midnight.push((to_plan.stay, car.energy_kwh));
                }
                car.energy_kwh =
                    after_slot(in_force, to_plan.ev, to_plan.arrival_kwh, car.energy_kwh, kw);
            }
        }
    }

    /// The stays in progress at a midnight that follows upon itself, ascending, with the energy
    /// then, kWh.
    pub(crate) fn at_midnight(mut self) -> Vec<(u32, f64)> {
        self.at_midnight.sort_unstable_by_key(|&(stay, _)| stay);
        self.at_midnight
    }
}

/// Those of `stays` that have not begun, for the journal.
pub(crate) fn expected(state: &PlanningState, stays: &[ToPlan]) -> StaysExpected {
    let (_, plugged, _) = state.cars();
    let mut expected = StaysExpected::default();
    for to_plan in stays.iter().filter(|to_plan| plugged[to_plan.ev as usize] != to_plan.stay) {
        expected.ev.push(to_plan.ev);
        expected.stay.push(to_plan.stay);
        expected.expected_kwh.push(to_plan.energy_kwh);
    }
    expected
}

/// Stored energy after a slot in which a car's schedule asks for `kw`, as `limit` and `settle` have
/// it.
fn after_slot(
    in_force: &ScenarioInForce,
    ev: u32,
    arrival_kwh: f64,
    energy_kwh: f64,
    kw: f64,
) -> f64 {
    let fleet = in_force.fleet_of(ev);
    let power = fleet.battery.fit_within(kw, energy_kwh, in_force.battery_bounds(ev, arrival_kwh));
    fleet.battery.after(energy_kwh, power)
}
