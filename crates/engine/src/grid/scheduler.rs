//! Who decides what units do: the day-ahead stage and the intra-day stage, asked in a live run.

use super::car_flexibility;
use crate::{
    EngineError,
    grid::{
        UnitSchedule,
        load::{CarLoad, value},
    },
    outbox::Recorder,
    units::{self, Standing},
};
use bevy_ecs::prelude::*;
use voltide_journal::{
    event::{Event, SolveFinished, Stage, TickStarted, WindowForeseen},
    units::pack,
};
use voltide_model::{
    clock::Clock, dispatch::GridState, flexibility::UpDown, rules::Rules, scenario::Scenario,
    two_stage::Grid,
};
use voltide_schedule::{
    Outcome,
    grid::{
        Answered, Day, DayPlanned, Dispatch, DispatchProblem, GridError, SlotMargin, Stages,
        UnmetWish,
    },
};

/// Asks the day-ahead stage when a day begins, and the intra-day stage for every window; a window
/// begins early where the load is not what it was planned for.
pub(crate) fn schedule(
    cars: CarLoad,
    units: Query<Standing>,
    mut schedule: ResMut<UnitSchedule>,
    mut record: Recorder,
) -> Result<(), EngineError> {
    let scenario = &*cars.in_force.scenario;
    let Some(grid) = &scenario.grid else { return Ok(()) };
    let stages = Stages::new(
        grid,
        scenario.system.base_load.as_ref(),
        &scenario.clock,
        scenario.seed,
        scenario.rules,
    );
    let schedule = &mut *schedule;
    let record = &mut record;
    let state = units::state(&units);
    Scheduler { cars: &cars, state, schedule, record, grid, stages, scenario }.decide()
}

/// What scheduling works with.
struct Scheduler<'a, 'w, 's, 'r> {
    cars: &'a CarLoad<'w, 's>,
    /// Where units stand.
    state: GridState,
    schedule: &'a mut UnitSchedule,
    record: &'a mut Recorder<'r>,
    grid: &'a Grid,
    stages: Stages<'a>,
    scenario: &'a Scenario,
}

impl Scheduler<'_, '_, '_, '_> {
    fn decide(&mut self) -> Result<(), EngineError> {
        let tick = self.cars.now.tick;
        let day = day_of(&self.scenario.clock, tick);
        if tick == day.first {
            self.day_ahead(day)?;
        }
        let (charge, discharge) = self.cars.power();
        let load_kw = value(self.scenario.system.base_load.as_ref(), tick) + charge - discharge;
        // Batteries and sites cut what schedules ask for: a slot's balance has to hold for what
        // cars really draw, so that one that was scheduled for another load is scheduled again.
        let due = (tick - day.first).is_multiple_of(self.grid.rules.step.get());
        if due || !self.schedule.fits(tick, load_kw) {
            self.window(day, charge - discharge)?;
        }
        Ok(())
    }

    fn day_ahead(&mut self, day: Day) -> Result<(), EngineError> {
        let expected_kw = |slot| self.schedule.expected_kw(slot, &self.scenario.clock);
        let planned = self.stages.plan_day(day, expected_kw, &self.state);
        let DayPlanned { steps, path } =
            planned.map_err(|error| self.failed(Stage::DayAhead, error))?;
        let step = self.grid.rules.day_ahead_step.get();
        // What is seen of the days after is planned again when they begin.
        let committed = day.slots.div_ceil(step);
        self.accept(&steps, Scheduled { stage: Stage::DayAhead, step, committed });
        if let Some(path) = path {
            self.accept(&path, Scheduled { stage: Stage::DayPath, step: 1, committed: 0 });
        }
        Ok(())
    }

    /// Solves the window that begins now, and follows its first slots.
    fn window(&mut self, day: Day, now_kw: f64) -> Result<(), EngineError> {
        let tick = self.cars.now.tick;
        let rules = &self.grid.rules;
        let k = tick - day.first;
        let count = self.stages.window_slots(day, k);
        let cars = if rules.readings.ev_in_supply {
            car_flexibility::supply(self.cars, count)
        } else {
            Vec::new()
        };
        // Of this slot it is known what cars draw, cuts included.
        let ev_kw = |slot: u32| {
            if slot == tick { now_kw } else { self.cars.planned_kw(self.schedule, slot) }
        };
        let Some(plan) = &self.schedule.plan else {
            unreachable!("a day-ahead schedule is made before the first window of a day")
        };
        let problem = self.stages.window(day, k, ev_kw, cars, plan, &self.state);
        let found = problem.schedule().map_err(|error| self.failed(Stage::IntraDay, error))?;
        // A window that begins off the beat is followed only up to the next beat.
        let committed = rules.step.get() - k % rules.step.get();
        let window = Answered { problem, found };
        self.accept(&window, Scheduled { stage: Stage::IntraDay, step: 1, committed });
        Ok(())
    }

    fn failed(&self, stage: Stage, error: GridError) -> EngineError {
        EngineError::Grid { tick: self.cars.now.tick, stage: stage.name(), error }
    }

    /// Records what was expected, a solve, and the steps of its schedule that are kept.
    fn accept(&mut self, answered: &Answered<'_>, scheduled: Scheduled) {
        let Answered { problem, found } = answered;
        let Scheduled { stage, step, committed: _ } = scheduled;
        let tick = self.cars.now.tick;
        let mut cause = self.record.cause(&[&TickStarted::KIND]);
        // Runs of 0.1.0 go on without what they did not write down.
        if self.scenario.rules > Rules::V1 {
            let foreseen = foreseen(problem, found, scheduled, tick);
            cause = Some(self.record.note(cause, Event::WindowForeseen(foreseen)));
        }
        let solve = Event::SolveFinished(finished(found, stage));
        let cause = Some(self.record.note(cause, solve));
        let slots = &found.slots[..recorded(found, scheduled)];
        let event = pack(&self.grid.plant, stage, tick, step, slots);
        self.record.emit(cause, event, Event::UnitsDispatched, |event| {
            self.schedule.dispatched(&self.grid.plant, event, &self.state);
        });
    }
}

/// How many steps of a schedule are written down.
fn recorded(found: &Dispatch, scheduled: Scheduled) -> usize {
    let all = found.slots.len();
    match scheduled.stage {
        // What is decided of later slots is decided again before they come.
        Stage::DayAhead | Stage::IntraDay => (scheduled.committed as usize).min(all),
        // None of it holds, and windows lead back to it beyond the day's end, too.
        Stage::DayPath => all,
    }
}

/// Which steps were scheduled.
#[derive(Clone, Copy)]
struct Scheduled {
    stage: Stage,
    /// Slots of each.
    step: u32,
    /// How many hold.
    committed: u32,
}

/// What was expected of the steps of a problem, and its flexibility.
fn foreseen(
    problem: &DispatchProblem<'_>,
    solved: &Dispatch,
    Scheduled { stage, step, committed }: Scheduled,
    first_slot: u32,
) -> WindowForeseen {
    let exogenous = &problem.exogenous;
    let units = || (0..).zip(&problem.units);
    let series = units().flat_map(|(unit, task)| task.series.iter().map(move |_| unit));
    let expected = units().flat_map(|(_, task)| task.series.iter().flatten().copied());
    let of_cars = |way: fn(&UpDown) -> f64| exogenous.car_supply_kw.iter().map(way).collect();
    let of_all = |way: fn(&SlotMargin) -> f64| solved.margins.iter().map(way).collect();
    WindowForeseen {
        stage,
        first_slot,
        step,
        committed,
        load_kw: exogenous.load_kw.clone(),
        ev_kw: exogenous.ev_kw.clone(),
        unit: series.collect(),
        expected: expected.collect(),
        ev_flex_up_kw: of_cars(|cars| cars.up),
        ev_flex_down_kw: of_cars(|cars| cars.down),
        flex_demand_up_kw: of_all(|all| all.demand.up),
        flex_demand_down_kw: of_all(|all| all.demand.down),
        flex_supply_up_kw: of_all(|all| all.supply.up),
        flex_supply_down_kw: of_all(|all| all.supply.down),
    }
}

/// The local day that a slot lies in, as the stages count it.
fn day_of(clock: &Clock, tick: u32) -> Day {
    let slots = clock.local_day(tick);
    Day { first: slots.start, slots: slots.end - slots.start }
}

/// How a solve ended: how good its schedule is, or how it came about where none was found as asked.
fn status(solved: &Dispatch) -> &'static str {
    match solved.fallback {
        Some(fallback) => fallback.name(),
        None if solved.outcome == Outcome::Optimal => "optimal",
        None => "feasible",
    }
}

fn finished(solved: &Dispatch, stage: Stage) -> SolveFinished {
    let parts = solved.parts.named().into_iter();
    let wish = |wish| match wish {
        UnmetWish::RampIntoLimits => "ramp_into_limits",
        UnmetWish::RampToStop => "ramp_to_stop",
        UnmetWish::InitialEnergy => "initial_energy",
        UnmetWish::FinalEnergy => "final_energy",
    };
    SolveFinished {
        stage: stage.name().to_owned(),
        solver: solved.by.name().to_owned(),
        status: status(solved).to_owned(),
        objective: solved.objective,
        bound: solved.bound.is_finite().then_some(solved.bound),
        components: parts.map(|(name, amount)| (name.to_owned(), amount)).collect(),
        unmet: solved
            .unmet
            .iter()
            .map(|it| (it.unit.clone(), wish(it.wish).to_owned(), it.by))
            .collect(),
        variables: solved.size.variables as u32,
        integers: solved.size.integers as u32,
        constraints: solved.size.constraints as u32,
    }
}
