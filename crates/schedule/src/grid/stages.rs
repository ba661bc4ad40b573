//! The two stages: what each of them is asked, as pure functions of series, plan and state.

use super::{Course, DispatchProblem, Outlook, StoreEnd};
use voltide_model::{
    clock::Clock,
    columns::UnitKind,
    device::{Exchange, MustTake, Renewable, Store, StoreKind, ThermalUnit},
    dispatch::{GridState, SlotDispatch, UnitSlot},
    flexibility::{LastStep, UpDown},
    forecast::{Forecast, Issue},
    series::Series,
    two_stage::Grid,
};

/// Asks both stages their questions; borrows the world, holds no state.
#[derive(Debug, Clone, Copy)]
pub struct Stages<'a> {
    grid: &'a Grid,
    base_load: Option<&'a Series>,
    slot_hours: f64,
    slots_per_24_hours: u32,
    seed: u64,
}

/// The slots of one local day, counted from the start of the simulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its first slot, or 0 where the simulation starts within the day.
    pub first: u32,
    /// How many there are: 96 quarter hours, 92 or 100 when the clocks change.
    pub slots: u32,
}

/// What intra-day windows need of the day-ahead schedule; a step is [`TwoStage::day_ahead_step`] slots.
///
/// [`TwoStage::day_ahead_step`]: voltide_model::two_stage::TwoStage::day_ahead_step
#[derive(Debug, Clone, PartialEq)]
pub struct DayAheadPlan {
    /// Slots in a step.
    pub step: u32,
    /// What each store held at the day's start, kWh.
    pub energy_start_kwh: Vec<f64>,
    /// What each store holds at the end of each step, kWh.
    pub energy_kwh: Vec<Vec<f64>>,
    /// Output of each thermal unit in each step, kW.
    pub thermal_kw: Vec<Vec<f64>>,
    /// Whether each thermal unit is on in each step.
    pub on: Vec<Vec<bool>>,
}

/// By unit of some kinds, one value of every step.
fn by_unit<T>(
    steps: &[SlotDispatch],
    kind: fn(UnitKind) -> bool,
    value: impl Fn(&UnitSlot) -> T,
) -> Vec<Vec<T>> {
    let units = steps.first().map_or(0, |first| first.units.len());
    let of_kind = (0..units).filter(|&unit| kind(steps[0].units[unit].kind));
    of_kind.map(|unit| steps.iter().map(|step| value(&step.units[unit])).collect()).collect()
}

impl DayAheadPlan {
    /// The plan that a day-ahead schedule makes, from what stores held at its start.
    pub fn new(steps: &[SlotDispatch], energy_start_kwh: &[f64], step: u32) -> Self {
        let is_thermal = |kind| kind == UnitKind::Thermal;
        Self {
            step,
            energy_start_kwh: energy_start_kwh.to_vec(),
            energy_kwh: by_unit(steps, UnitKind::is_store, |did| did.energy_kwh),
            thermal_kw: by_unit(steps, is_thermal, |did| did.given_kw),
            on: by_unit(steps, is_thermal, |did| did.on),
        }
    }

    /// What a store holds when `slots` of the day have passed, linear between the ends of steps, kWh.
    pub fn energy_after(&self, store: usize, slots: u32) -> f64 {
        let (ends, step) = (&self.energy_kwh[store], self.step);
        let at_end = |steps: u32| match steps.checked_sub(1) {
            None => self.energy_start_kwh[store],
            Some(last) => ends[(last as usize).min(ends.len() - 1)],
        };
        let (before, after) = (at_end(slots / step), at_end(slots.div_ceil(step)));
        before + (after - before) * f64::from(slots % step) / f64::from(step)
    }

    /// The course of a thermal unit over slots `from..to` of the day.
    fn course(&self, unit: usize, from: u32, to: u32) -> Course {
        let steps = self.thermal_kw[unit].len();
        let step_of = |slot: u32| ((slot / self.step) as usize).min(steps - 1);
        Course {
            on: Some((from..to).map(|slot| self.on[unit][step_of(slot)]).collect()),
            reference_kw: Some(
                (from..to).map(|slot| self.thermal_kw[unit][step_of(slot)]).collect(),
            ),
        }
    }
}

impl<'a> Stages<'a> {
    /// Both stages of a world.
    pub fn new(grid: &'a Grid, base_load: Option<&'a Series>, clock: &Clock, seed: u64) -> Self {
        Self {
            grid,
            base_load,
            slot_hours: clock.slot_hours(),
            slots_per_24_hours: clock.slots_per_24_hours(),
            seed,
        }
    }

    /// The day-ahead problem, (36): the whole day in steps, by the forecasts issued at its start.
    ///
    /// `ev_kw` is what cars are expected to draw in each of the day's slots and in the step after
    /// them, net of what they discharge. Values of a step are means over its slots. The ramp into the
    /// first step is free where the state knows no output before it.
    pub fn day_ahead(
        &self,
        day: Day,
        ev_kw: impl Fn(u32) -> f64,
        state: &GridState,
    ) -> DispatchProblem<'a> {
        let rules = &self.grid.rules;
        let step = rules.day_ahead_step.get();
        let steps = day.slots.div_ceil(step);
        let issue = Issue::day_ahead(day.first);
        // One step more: its net load is what follows the last step.
        let seen = self.look(issue, ((steps + 1) * step) as usize, &ev_kw).mean_of(step as usize);
        let next = if rules.readings.last_step == LastStep::Wrap { 0 } else { steps as usize };
        let outlook = seen.until(steps as usize, seen.net_load(next));
        let role = |store: &Store| {
            if store.kind == StoreKind::Ess && !rules.ess_in_day_ahead {
                return StoreEnd::Idle;
            }
            store.day_end_energy.map_or(StoreEnd::Free, |energy| StoreEnd::AtLeast(energy.0))
        };
        DispatchProblem {
            slot_hours: self.slot_hours * f64::from(step),
            courses: vec![Course::default(); self.grid.plant.each::<ThermalUnit>().count()],
            ends: self.grid.plant.each::<Store>().map(role).collect(),
            ..self.problem(outlook, state)
        }
    }

    /// The intra-day problem (42) of the window that begins `k` slots into the day.
    ///
    /// It spans [`window`](voltide_model::two_stage::TwoStage::window) slots, less where the day ends.
    /// `ev_kw` is what cars are expected to draw, net, in its slots and the one after them (with
    /// [`LastStep::Wrap`], the day's first in place of the next day's); `car_supply_kw` what they
    /// supply, (30) and (31), or empty. Commitment and energy at the end follow the day-ahead plan.
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
        let count = rules.window.get().min(day.slots - k);
        let issue =
            Issue { slot: day.first + k, known: rules.step.get(), blend: rules.blend.get() };
        let seen = self.look(issue, count as usize + 1, &ev_kw);
        let next = self.net_load_after(day, k + count, &seen, &ev_kw);
        let outlook = Outlook { car_supply_kw, ..seen.until(count as usize, next) };
        let thermal = 0..self.grid.plant.each::<ThermalUnit>().count();
        let stores = 0..self.grid.plant.each::<Store>().count();
        DispatchProblem {
            courses: thermal.map(|unit| plan.course(unit, k, k + count)).collect(),
            ends: stores
                .map(|store| StoreEnd::Softened(plan.energy_after(store, k + count)))
                .collect(),
            ..self.problem(outlook, state)
        }
    }

    fn problem(&self, outlook: Outlook, state: &GridState) -> DispatchProblem<'a> {
        let Grid { plant, rules } = self.grid;
        DispatchProblem {
            plant,
            slot_hours: self.slot_hours,
            outlook,
            state: state.clone(),
            courses: Vec::new(),
            ends: Vec::new(),
            margins: rules.margins,
            readings: rules.readings,
            prices: rules.prices,
            segments: rules.segments,
            search: rules.search,
        }
    }

    /// What is expected of `count` slots at `issue`.
    fn look(&self, issue: Issue, count: usize, ev_kw: &impl Fn(u32) -> f64) -> Seen {
        let (plant, day) = (&self.grid.plant, self.slots_per_24_hours);
        let slots = issue.slot..issue.slot + count as u32;
        let of = |series: &Series| slots.clone().map(|slot| series.at(slot, day)).collect();
        let base: Vec<f64> = self.base_load.map_or_else(
            || vec![0.0; count],
            |series| self.grid.rules.base_load.issue(series, issue, count, self.seed, day),
        );
        Seen(Outlook {
            load_kw: slots.clone().zip(base).map(|(slot, base)| base + ev_kw(slot)).collect(),
            available_kw: plant
                .each::<Renewable>()
                .map(|unit| unit.forecast.issue(&unit.available, issue, count, self.seed, day))
                .collect(),
            must_take_kw: plant.each::<MustTake>().map(|unit| of(&unit.output)).collect(),
            import_price: plant.each::<Exchange>().map(|unit| of(&unit.import_price)).collect(),
            export_price: plant.each::<Exchange>().map(|unit| of(&unit.export_price)).collect(),
            ..Outlook::default()
        })
    }

    /// Net load in the slot after a window that ends `end` slots into the day.
    ///
    /// Within the day, forecast series count there as they were the day before, not blended; with
    /// [`LastStep::Wrap`] the day's first slot follows its last, as it really was.
    fn net_load_after(&self, day: Day, end: u32, seen: &Seen, ev_kw: &impl Fn(u32) -> f64) -> f64 {
        let (plant, per_day) = (&self.grid.plant, self.slots_per_24_hours);
        let last = seen.0.load_kw.len() - 1;
        let wraps = end == day.slots && self.grid.rules.readings.last_step == LastStep::Wrap;
        let slot = if wraps { day.first } else { day.first + end };
        let load = if wraps {
            self.base_load.map_or(0.0, |series| series.at(slot, per_day)) + ev_kw(slot)
        } else {
            seen.0.load_kw[last]
        };
        let available =
            plant.each::<Renewable>().enumerate().map(|(at, unit)| match &unit.forecast {
                _ if wraps => unit.available.at(slot, per_day),
                Forecast::Series(forecast) => forecast.at(slot, per_day),
                _ => seen.0.available_kw[at][last],
            });
        let must_take = plant.each::<MustTake>().map(|unit| unit.output.at(slot, per_day));
        load - available.sum::<f64>() - must_take.sum::<f64>()
    }
}

/// An outlook that reaches beyond the problem it is for.
struct Seen(Outlook);

impl Seen {
    /// The columns that have one value a slot.
    fn columns(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        let seen = &mut self.0;
        let nested = [
            &mut seen.available_kw,
            &mut seen.must_take_kw,
            &mut seen.import_price,
            &mut seen.export_price,
        ];
        std::iter::once(&mut seen.load_kw).chain(nested.into_iter().flatten())
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

    fn net_load(&self, slot: usize) -> f64 {
        let sum = |columns: &[Vec<f64>]| columns.iter().map(|column| column[slot]).sum::<f64>();
        self.0.load_kw[slot] - sum(&self.0.available_kw) - sum(&self.0.must_take_kw)
    }

    /// The first `slots` of it, with the net load that follows.
    fn until(&self, slots: usize, net_load_next_kw: f64) -> Outlook {
        let mut seen = Self(self.0.clone());
        seen.columns().for_each(|column| column.truncate(slots));
        Outlook { net_load_next_kw, ..seen.0 }
    }
}
