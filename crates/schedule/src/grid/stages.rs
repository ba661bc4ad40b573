//! The two stages: what each of them is asked, as pure functions of series, plan and state.

use super::{
    DayAheadPlan, DispatchProblem, Exogenous, UnitTask, kinds::kind_of, plan::UnitPlan,
    problem::net_load_kw,
};
use std::num::NonZeroU32;
use voltide_model::{
    clock::Clock,
    device::{self, Unsteered},
    dispatch::GridState,
    flexibility::{LastStep, UpDown},
    forecast::{Forecast, Issue},
    plant::Plant,
    rules::Rules,
    series::Series,
    two_stage::Grid,
};

/// Asks both stages their questions; borrows the world, holds no state.
#[derive(Debug, Clone, Copy)]
pub struct Stages<'a> {
    grid: &'a Grid,
    base_load: Option<&'a Series>,
    clock: Clock,
    seed: u64,
    rules: Rules,
}

/// The slots of one local day, counted from the start of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its first slot, or 0 where the simulation starts within the day.
    pub first: u32,
    /// How many there are: 96 quarter hours, 92 or 100 when the clocks change.
    pub slots: u32,
}

impl<'a> Stages<'a> {
    /// Both stages of a world.
    pub fn new(
        grid: &'a Grid,
        base_load: Option<&'a Series>,
        clock: &Clock,
        seed: u64,
        rules: Rules,
    ) -> Self {
        Self { grid, base_load, clock: *clock, seed, rules }
    }

    /// The day-ahead problem, (36): the whole day in steps, and as much of the next ones as the stage
    /// looks ahead, by the forecasts issued at its start.
    ///
    /// `ev_kw` is what cars are expected to draw in each of these slots and in the step after
    /// them, net of what they discharge. Values of a step are means over its slots. The ramp into
    /// the first step is free where the state knows no output before it.
    pub fn day_ahead(
        &self,
        day: Day,
        ev_kw: impl Fn(u32) -> f64,
        state: &GridState,
    ) -> DispatchProblem<'a> {
        let rules = &self.grid.rules;
        let step = rules.day_ahead_step.get();
        // A day that is not whole steps long ends in one that reaches into the next day.
        let steps = self.slots_ahead(day).div_ceil(step);
        let issue = Issue::day_ahead(day.first);
        // One step more: its net load is what follows the last step.
        let foreseen =
            self.foresee(issue, ((steps + 1) * step) as usize, &ev_kw).mean_of(step as usize);
        let next = if rules.readings.last_step == LastStep::Wrap { 0 } else { steps as usize };
        let net_load_next_kw = foreseen.net_load(&self.grid.plant, next);
        let mut problem = self.problem(foreseen.until(steps as usize), net_load_next_kw, state);
        problem.slot_hours = self.clock.slot_hours() * f64::from(step);
        let day_ends = self.day_ends(day, step);
        for (unit, task) in self.grid.plant.units.iter().zip(&mut problem.units) {
            kind_of(unit).ask_day_ahead(task, rules, &day_ends);
        }
        problem
    }

    /// The day-ahead problem in slots instead of steps, as far as the stage looks ahead; `None` where
    /// nothing is seen beyond the day.
    pub(super) fn day_in_slots(
        &self,
        day: Day,
        ev_kw: &impl Fn(u32) -> f64,
        state: &GridState,
    ) -> Option<DispatchProblem<'a>> {
        if !self.looks_ahead() {
            return None;
        }
        let rules = &self.grid.rules;
        let slots = self.slots_ahead(day) as usize;
        // One slot more, which follows the last.
        let foreseen = self.foresee(Issue::day_ahead(day.first), slots + 1, ev_kw);
        let net_load_next_kw = foreseen.net_load(&self.grid.plant, slots);
        let mut problem = self.problem(foreseen.until(slots), net_load_next_kw, state);
        let day_ends = self.day_ends(day, 1);
        for (unit, task) in self.grid.plant.units.iter().zip(&mut problem.units) {
            kind_of(unit).ask_day_ahead(task, rules, &day_ends);
        }
        Some(problem)
    }

    /// Slots in a step of the day-ahead stage.
    pub(super) fn day_ahead_step(&self) -> NonZeroU32 {
        self.grid.rules.day_ahead_step
    }

    /// The intra-day problem (42) of the window that begins `k` slots into the day.
    ///
    /// It spans [`window_slots`](Self::window_slots). `ev_kw` is what cars are expected to draw, net,
    /// in its slots and the one after them (with [`LastStep::Wrap`], the day's first in place of the
    /// next day's); `car_supply_kw` what they supply, (30) and (31), or empty. Commitment and energy
    /// at the end follow the day-ahead plan.
    pub fn window(
        &self,
        day: Day,
        k: u32,
        ev_kw: impl Fn(u32) -> f64,
        car_supply_kw: Vec<UpDown>,
        plan: &DayAheadPlan,
        state: &GridState,
    ) -> DispatchProblem<'a> {
        let rules = &self.grid.rules;
        let count = self.window_slots(day, k);
        let issue = rules.issue_in(day.first + k);
        // One slot more, to which the window's last one must be able to follow.
        let foreseen = self.foresee(issue, count as usize + 1, &ev_kw);
        let next = self.net_load_after(day, k + count, &foreseen, &ev_kw);
        let mut problem = self.problem(foreseen.until(count as usize), next, state);
        problem.exogenous.car_supply_kw = car_supply_kw;
        let plan_of = |unit| UnitPlan { plan, unit, from: k, to: k + count, slots: day.slots };
        for (at, (unit, task)) in self.grid.plant.units.iter().zip(&mut problem.units).enumerate() {
            kind_of(unit).ask_intra_day(task, plan_of(at));
        }
        problem
    }

    /// Slots that an intra-day window has which begins `k` slots into a day:
    /// [`window`](voltide_model::two_stage::TwoStage::window), less where the run ends, or the day
    /// beyond which nothing is seen.
    pub fn window_slots(&self, day: Day, k: u32) -> u32 {
        let end = if self.looks_ahead() { self.clock.slots - day.first } else { day.slots };
        self.grid.rules.window.get().min(end.max(day.slots) - k)
    }

    /// Whether anything is seen beyond a day. A typical day follows upon itself.
    fn looks_ahead(&self) -> bool {
        let rules = &self.grid.rules;
        rules.day_ahead_window.is_some() && rules.readings.last_step != LastStep::Wrap
    }

    /// Slots from a day's first on that the day-ahead stage looks at.
    fn slots_ahead(&self, day: Day) -> u32 {
        match self.grid.rules.day_ahead_window {
            Some(window) if self.looks_ahead() => {
                window.get().min(self.clock.slots.saturating_sub(day.first)).max(day.slots)
            }
            Some(_) | None => day.slots,
        }
    }

    /// The steps of the day-ahead stage after which local days end, but for its last step.
    fn day_ends(&self, day: Day, step: u32) -> Vec<usize> {
        let slots = self.slots_ahead(day);
        let next = |&end: &u32| Some(self.clock.local_day(day.first + end).end - day.first);
        let ends = std::iter::successors(Some(day.slots), next).take_while(|&end| end < slots);
        ends.map(|end| end.div_ceil(step) as usize - 1).collect()
    }

    /// The problem of what is foreseen, of which nothing else is asked yet.
    fn problem(
        &self,
        foreseen: Foreseen,
        net_load_next_kw: f64,
        state: &GridState,
    ) -> DispatchProblem<'a> {
        let Grid { plant, rules } = self.grid;
        let units = foreseen.series.into_iter().zip(&state.units);
        let task = |(series, &state)| UnitTask { state, series, ..UnitTask::default() };
        DispatchProblem {
            plant,
            slot_hours: self.clock.slot_hours(),
            exogenous: Exogenous {
                load_kw: foreseen.load_kw,
                ev_kw: foreseen.ev_kw,
                net_load_next_kw,
                ..Exogenous::default()
            },
            units: units.map(task).collect(),
            margins: rules.margins,
            readings: rules.readings,
            prices: rules.prices,
            segments: rules.segments,
            search: rules.search,
            rules: self.rules,
        }
    }

    /// What is expected of `count` slots at `issue`.
    fn foresee(&self, issue: Issue, count: usize, ev_kw: &impl Fn(u32) -> f64) -> Foreseen {
        let seed = self.seed;
        let day = self.clock.slots_per_24_hours();
        let at = device::SlotsAhead { issue, count, seed, day };
        let slots = issue.slot..issue.slot + count as u32;
        let base: Vec<f64> = self.base_load.map_or_else(
            || vec![0.0; count],
            |series| at.forecast(series, &self.grid.rules.base_load),
        );
        let ev_kw: Vec<f64> = slots.map(ev_kw).collect();
        Foreseen {
            load_kw: base.into_iter().zip(&ev_kw).map(|(base, ev)| base + ev).collect(),
            ev_kw,
            series: self.grid.plant.devices().map(|unit| unit.expected(at)).collect(),
        }
    }

    /// Net load in the slot after a window that ends `end` slots into the day.
    ///
    /// Within the day, forecast series count there as they were the day before, not blended; with
    /// [`LastStep::Wrap`] the day's first slot follows its last, as it really was.
    fn net_load_after(
        &self,
        day: Day,
        end: u32,
        foreseen: &Foreseen,
        ev_kw: &impl Fn(u32) -> f64,
    ) -> f64 {
        let plant = &self.grid.plant;
        let per_day = self.clock.slots_per_24_hours();
        let last = foreseen.load_kw.len() - 1;
        let wraps = end == day.slots && self.grid.rules.readings.last_step == LastStep::Wrap;
        let slot = if wraps { day.first } else { day.first + end };
        let load = if wraps {
            self.base_load.map_or(0.0, |series| series.at(slot, per_day)) + ev_kw(slot)
        } else {
            foreseen.load_kw[last]
        };
        plant.net_of_unsteered(load, |at, unit| match unit.unsteered() {
            None => 0.0,
            Some(unit) if wraps => unit.actual.at(slot, per_day),
            Some(Unsteered { forecast: Forecast::Series(forecast), .. }) => {
                forecast.at(slot, per_day)
            }
            Some(_) => foreseen.series[at][0][last],
        })
    }
}

/// What is expected of slots that reach beyond the problem they are for.
struct Foreseen {
    /// Base load and cars, kW.
    load_kw: Vec<f64>,
    /// Cars alone, kW.
    ev_kw: Vec<f64>,
    /// The series of each unit.
    series: Vec<Vec<Vec<f64>>>,
}

impl Foreseen {
    /// The columns that have one value a slot.
    fn columns(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        [&mut self.load_kw, &mut self.ev_kw].into_iter().chain(self.series.iter_mut().flatten())
    }

    /// Means over every `step` slots.
    fn mean_of(mut self, step: usize) -> Self {
        for column in self.columns() {
            *column = column
                .chunks(step)
                .map(|slots| slots.iter().sum::<f64>() / slots.len() as f64)
                .collect();
        }
        self
    }

    /// Load less what comes unsteered, in one slot, kW.
    fn net_load(&self, plant: &Plant, slot: usize) -> f64 {
        net_load_kw(plant, self.load_kw[slot], |at| &self.series[at], slot)
    }

    /// The first `slots` of it.
    fn until(mut self, slots: usize) -> Self {
        self.columns().for_each(|column| column.truncate(slots));
        self
    }
}
