//! The day-ahead schedule, as intra-day windows follow it.

use super::{Course, EnergyEnd, NextSlot, UnitTask};
use voltide_model::{dispatch::SlotDispatch, unit::UnitSlot};

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
    /// The [path](super::DayPlanned) to which windows lead back, slot by slot from the day's first on
    /// and beyond its end; none in runs of 0.1.0 and on days that wrap.
    pub path: Vec<SlotDispatch>,
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

    /// What units do in a slot, counted from the day's first: by the path as far as it leads, beyond
    /// that as in the last step.
    pub fn slot(&self, slot: u32) -> &SlotDispatch {
        self.path.get(slot as usize).unwrap_or_else(|| self.step_of(slot))
    }

    /// What a unit does in a slot, by the path as far as it leads, beyond that as in the last step.
    fn did(&self, unit: usize, slot: u32) -> &UnitSlot {
        &self.slot(slot).units[unit]
    }

    /// What units do in the step that a slot lies in, beyond the day in its last one.
    fn step_of(&self, slot: u32) -> &SlotDispatch {
        &self.steps[self.within(slot / self.step)]
    }

    /// What a unit is to hold when `slots` of the day have passed, kWh.
    fn held_after(&self, unit: usize, slots: u32) -> f64 {
        let on_path = slots.checked_sub(1).and_then(|last| self.path.get(last as usize));
        on_path.map_or_else(|| self.energy_after(unit, slots), |slot| slot.units[unit].energy_kwh)
    }

    /// Least and most that a unit holds on the path when `slots` of the day have passed, and later,
    /// kWh; nothing where the path ends before.
    fn range_after(&self, unit: usize, slots: u32) -> Option<(f64, f64)> {
        let later = self.path.get(slots.checked_sub(1)? as usize..).filter(|it| !it.is_empty())?;
        let held = later.iter().map(|slot| slot.units[unit].energy_kwh);
        let all = (f64::INFINITY, f64::NEG_INFINITY);
        Some(held.fold(all, |(least, most), kwh| (least.min(kwh), most.max(kwh))))
    }

    fn within(&self, step: u32) -> usize {
        (step as usize).min(self.steps.len() - 1)
    }
}

/// The plan of one unit, for a window over slots `from..to`, counted from the day's first. What
/// comes after the day's `slots` is planned again, and known as far as the path leads.
#[derive(Clone, Copy)]
pub(super) struct UnitPlan<'a> {
    pub(super) plan: &'a DayAheadPlan,
    pub(super) unit: usize,
    pub(super) from: u32,
    pub(super) to: u32,
    /// Slots of the day.
    pub(super) slots: u32,
}

impl UnitPlan<'_> {
    /// Has a unit that stores energy, between `bounds`, hold what the plan has at the window's end,
    /// and at the day's, where the window goes on beyond it, kWh.
    ///
    /// From more than that, or less, the path leads on as far as the bounds have room for the
    /// difference all along it.
    pub(super) fn ask_to_hold(&self, task: &mut UnitTask, bounds: (f64, f64)) {
        let plan = self.plan;
        if self.to > self.slots {
            let last = (self.slots - self.from - 1) as usize;
            let wish = EnergyEnd::Softened(plan.held_after(self.unit, self.slots));
            task.midway = vec![(last, wish)];
        }
        let wish_kwh = plan.held_after(self.unit, self.to);
        task.end = match plan.range_after(self.unit, self.to) {
            Some((least, most)) => EnergyEnd::OnPath {
                wish_kwh,
                least_kwh: wish_kwh - (least - bounds.0).max(0.0),
                most_kwh: wish_kwh + (bounds.1 - most).max(0.0),
            },
            None if self.to <= self.slots => EnergyEnd::Softened(wish_kwh),
            None => EnergyEnd::Free,
        };
    }

    /// Whether it is on, slot by slot; its output within the day; and what follows, where there is
    /// a path.
    pub(super) fn course(&self) -> Course {
        let within = self.from..self.to.min(self.slots);
        let output_kw = |slot| self.plan.step_of(slot).units[self.unit].given_kw;
        let is_on = |slot| self.plan.did(self.unit, slot).on;
        Course {
            on: Some((self.from..self.to).map(is_on).collect()),
            reference_kw: Some(within.map(output_kw).collect()),
            next: self.next(),
            switch_every: None,
        }
    }

    /// What it does on the path in the slot after the window.
    fn next(&self) -> Option<NextSlot> {
        let did = &self.plan.path.get(self.to as usize)?.units[self.unit];
        Some(NextSlot { on: did.on, output_kw: did.given_kw })
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use voltide_model::{columns::UnitKind, unit::UnitSlot};

    fn slot(given_kw: f64, energy_kwh: f64, on: bool) -> SlotDispatch {
        let did = UnitSlot { given_kw, energy_kwh, on, ..UnitSlot::idle(UnitKind::ESS) };
        SlotDispatch { units: vec![did], ..SlotDispatch::default() }
    }

    /// A battery that holds 8 kWh at first, and 4 and 10 kWh after steps of four slots; it gives
    /// 1 kW in the first of them and 2 kW in the second.
    fn plan() -> DayAheadPlan {
        let steps = vec![slot(1.0, 4.0, false), slot(2.0, 10.0, false)];
        DayAheadPlan { step: 4, energy_start_kwh: vec![8.0], steps, path: Vec::new() }
    }

    /// The same with a path of twelve slots, on up to the tenth, that holds 5 kWh, 3 in the ninth
    /// slot and 6 in the eleventh.
    fn plan_with_path() -> DayAheadPlan {
        let held_kwh = |at: u32| match at {
            8 => 3.0,
            10 => 6.0,
            _ => 5.0,
        };
        let path = (0..12).map(|at| slot(f64::from(at), held_kwh(at), at < 10)).collect();
        DayAheadPlan { path, ..plan() }
    }

    fn of_window(plan: &DayAheadPlan, from: u32, to: u32) -> UnitPlan<'_> {
        UnitPlan { plan, unit: 0, from, to, slots: 8 }
    }

    #[test]
    fn what_is_held_is_linear_between_the_ends_of_steps() {
        let held = [0, 1, 4, 6, 8].map(|slots| plan().energy_after(0, slots));
        assert_eq!(held, [8.0, 7.0, 4.0, 7.0, 10.0]);
    }

    #[test]
    fn a_window_beyond_the_day_is_on_as_in_its_last_step_and_follows_nothing() {
        let plan = plan();
        assert_eq!(plan.energy_after(0, 14), 10.0);
        let course = of_window(&plan, 3, 10).course();
        assert_eq!(course.on.unwrap().len(), 7);
        assert_eq!(course.next, None);
        assert_eq!(course.reference_kw.unwrap(), [1.0, 2.0, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn a_path_says_what_comes_after_a_window_and_the_day() {
        let plan = plan_with_path();
        let course = of_window(&plan, 6, 11).course();
        assert_eq!(course.on.unwrap(), [true, true, true, true, false]);
        assert_eq!(course.next, Some(NextSlot { on: false, output_kw: 11.0 }));
        assert_eq!(course.reference_kw.unwrap(), [2.0, 2.0]);
        assert_eq!(of_window(&plan, 8, 12).course().next, None);
    }

    /// Between 0 and 7 kWh: from 5 kWh after the sixth slot the path goes down to 3 and up to 6.
    #[test]
    fn a_store_may_end_wherever_the_path_leads_on_within_its_bounds() {
        let plan = plan_with_path();
        let mut task = UnitTask::default();
        of_window(&plan, 2, 6).ask_to_hold(&mut task, (0.0, 7.0));
        let end = EnergyEnd::OnPath { wish_kwh: 5.0, least_kwh: 2.0, most_kwh: 6.0 };
        assert_eq!((task.end, task.midway.len()), (end, 0));
        // Where the window goes on beyond the day, what the path has at the day's end is asked for.
        of_window(&plan, 6, 12).ask_to_hold(&mut task, (0.0, 7.0));
        let end = EnergyEnd::OnPath { wish_kwh: 5.0, least_kwh: 0.0, most_kwh: 7.0 };
        assert_eq!((task.end, task.midway), (end, vec![(1, EnergyEnd::Softened(5.0))]));
    }
}
