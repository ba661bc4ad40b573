//! The plant in a run: what was decided of its units, and what is expected of cars.
//!
//! Decisions come as events, live and in replay: the day-ahead schedule when a day begins, then
//! windows of the intra-day stage, whose first slots are followed. The [`scheduler`] decides, the
//! phase `dispatch` follows; here is what both need, changed by `apply` alone. Where units stand is
//! with their entities, in [`units`](crate::units).

pub(crate) mod car_flexibility;
pub(crate) mod load;
pub(crate) mod scheduler;

use bevy_ecs::prelude::*;
use voltide_journal::{
    event::{ForecastIssued, Stage, UnitsDispatched},
    units::unpack,
};
use voltide_model::{
    clock::Clock,
    dispatch::{GridState, SlotDispatch},
    plant::Plant,
};
use voltide_schedule::grid::DayAheadPlan;

/// Load that differs by less is the same, as a share of itself.
const SAME_LOAD: f64 = 1e-9;

/// What was decided of a plant.
#[derive(Resource, Default)]
pub(crate) struct UnitSchedule {
    /// The schedule of the day.
    pub plan: Option<DayAheadPlan>,
    /// What cars are expected to draw.
    pub forecast: ForecastIssued,
    /// The events that plan and window were made from, for a snapshot: of the day, of its path and
    /// of the window.
    pub decided: [Option<UnitsDispatched>; 3],
    window_first: u32,
    window: Vec<SlotDispatch>,
}

impl UnitSchedule {
    /// Takes up a schedule, which sets out from `state`.
    pub(crate) fn dispatched(&mut self, plant: &Plant, event: &UnitsDispatched, state: &GridState) {
        let slots = unpack(plant, event);
        match event.stage {
            Stage::DayAhead => {
                let (step, energy_start_kwh) = (event.step, state.energy_kwh());
                let path = Vec::new();
                self.plan = Some(DayAheadPlan { step, energy_start_kwh, steps: slots, path });
                [self.decided[0], self.decided[1]] = [Some(event.clone()), None];
            }
            Stage::DayPath => {
                if let Some(plan) = &mut self.plan {
                    plan.path = slots;
                }
                self.decided[1] = Some(event.clone());
            }
            Stage::IntraDay => {
                self.decided[2] = Some(event.clone());
                (self.window_first, self.window) = (event.first_slot, slots);
            }
        }
    }

    /// Takes up what cars are expected to draw.
    pub(crate) fn expect(&mut self, forecast: &ForecastIssued) {
        self.forecast = forecast.clone();
    }

    /// What units were to do in a slot when the day was scheduled; beyond that day as in the same
    /// hour of it.
    pub(crate) fn of_day(&self, slot: u32, clock: &Clock) -> Option<&SlotDispatch> {
        let (plan, decided) = (self.plan.as_ref()?, self.decided[0].as_ref()?);
        let mut at = slot.checked_sub(decided.first_slot)?;
        let slots = plan.step * plan.steps.len() as u32;
        while at >= slots && at >= clock.slots_per_24_hours() {
            at -= clock.slots_per_24_hours();
        }
        Some(plan.slot(at))
    }

    /// What units do in a slot that was scheduled.
    pub(crate) fn slot(&self, tick: u32) -> Option<&SlotDispatch> {
        self.window.get(tick.checked_sub(self.window_first)? as usize)
    }

    /// The same in a tick whose units have been scheduled.
    pub(crate) fn followed(&self, tick: u32) -> &SlotDispatch {
        self.slot(tick).unwrap_or_else(|| unreachable!("every slot is scheduled"))
    }

    /// Whether a slot was scheduled for this load, kW.
    pub(crate) fn fits(&self, tick: u32, load_kw: f64) -> bool {
        self.slot(tick).is_some_and(|slot| {
            (slot.load_kw - load_kw).abs() <= SAME_LOAD * load_kw.abs().max(1.0)
        })
    }

    /// What all cars were expected to draw in a slot when the day began, net, kW.
    pub(crate) fn expected_kw(&self, slot: u32, clock: &Clock) -> f64 {
        let values = &self.forecast.values;
        let Some(mut at) = clock.place(slot).checked_sub(self.forecast.first_slot) else {
            return 0.0;
        };
        // Who comes tomorrow nobody has foreseen: as today, at the same time of day.
        while at as usize >= values.len() && at >= clock.slots_per_24_hours() {
            at -= clock.slots_per_24_hours();
        }
        values.get(at as usize).copied().unwrap_or_default()
    }

    /// What of that is by cars that arrive after `now`, kW.
    pub(crate) fn expected_of_later_kw(&self, slot: u32, now: u32) -> f64 {
        // One that has arrived has a schedule by now, which counts in its place.
        let forecast = &self.forecast;
        let parts = forecast.arrival_slot.iter().zip(&forecast.load_slot).zip(&forecast.load_kw);
        let later = parts.filter(|((arrival, of), _)| **arrival > now && **of == slot);
        later.map(|(_, kw)| kw).sum()
    }
}
