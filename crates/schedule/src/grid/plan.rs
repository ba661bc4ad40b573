//! The day-ahead schedule, as intra-day windows follow it.

use super::Course;
use voltide_model::dispatch::SlotDispatch;

/// The day-ahead schedule of a plant; a step is [`TwoStage::day_ahead_step`] slots.
///
/// [`TwoStage::day_ahead_step`]: voltide_model::two_stage::TwoStage::day_ahead_step
#[derive(Debug, Clone, PartialEq)]
pub struct DayAheadPlan {
    /// Slots in a step.
    pub step: u32,
    /// What each unit held at the day's start, kWh; 0 for one that holds nothing.
    pub energy_start_kwh: Vec<f64>,
    /// What units do, step by step.
    pub steps: Vec<SlotDispatch>,
}

impl DayAheadPlan {
    /// What a unit holds when `slots` of the day have passed, linear between the ends of steps,
    /// kWh.
    pub fn energy_after(&self, unit: usize, slots: u32) -> f64 {
        let step = self.step;
        let at_end = |steps: u32| match steps.checked_sub(1) {
            None => self.energy_start_kwh[unit],
            Some(last) => self.steps[self.within(last)].units[unit].energy_kwh,
        };
        let (before, after) = (at_end(slots / step), at_end(slots.div_ceil(step)));
        before + (after - before) * f64::from(slots % step) / f64::from(step)
    }

    fn within(&self, step: u32) -> usize {
        (step as usize).min(self.steps.len() - 1)
    }
}

/// The plan of one unit, for a window over slots `from..to` of the day.
#[derive(Clone, Copy)]
pub(super) struct UnitPlan<'a> {
    pub(super) plan: &'a DayAheadPlan,
    pub(super) unit: usize,
    pub(super) from: u32,
    pub(super) to: u32,
}

impl UnitPlan<'_> {
    /// What it holds at the window's end, kWh.
    pub(super) fn energy_at_end(&self) -> f64 {
        self.plan.energy_after(self.unit, self.to)
    }

    /// Whether it is on, and its output, slot by slot.
    pub(super) fn course(&self) -> Course {
        let step_of = |slot: u32| &self.plan.steps[self.plan.within(slot / self.plan.step)];
        let slots = || (self.from..self.to).map(|slot| &step_of(slot).units[self.unit]);
        Course {
            on: Some(slots().map(|did| did.on).collect()),
            reference_kw: Some(slots().map(|did| did.given_kw).collect()),
        }
    }
}
