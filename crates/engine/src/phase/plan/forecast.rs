//! A source of the queue: stays of a day that begins, planned on trial, for what the day-ahead
//! stage is shown of the cars.
//!
//! Where cars are planned at plug-in, stays that will begin in the day are planned on trial, on the
//! same draws, and what comes of it is written down as a forecast and nothing else.

use super::{
    EngineError,
    day_start::{self, Plugged},
    planners::{Asked, Planners},
};
use crate::{
    batch::ToPlan,
    grid::UnitSchedule,
    outbox::Recorder,
    phase::price::Incentives,
    plan_book::PlanBook,
    planning::{CarsToPlan, Planning, SchedulesSeen},
    state::{Now, ScenarioInForce},
};
use bevy_ecs::{
    prelude::{Res, ResMut, Resource},
    system::SystemParam,
};
use std::{collections::BTreeMap, sync::Arc};
use voltide_journal::event::{Event, ForecastIssued, TickStarted};
use voltide_model::{
    clock::Clock,
    forecast::{Forecast, Issue},
    scenario::{Planning as Plans, Scenario},
    series::Series,
    two_stage::{DayAheadEv, Grid},
};
use voltide_policy::observation::Shown;

/// Power per slot that stays will draw, by their first slot: (first slot, slot) to kW.
#[derive(Debug, Default)]
struct Trial(BTreeMap<(u32, u32), f64>);

/// The trial of the day that begins, and whose it is.
#[derive(Resource, Default)]
pub(crate) struct TrialOfDay(Option<(Asked, Trial)>);

/// The plant, where a day begins that is to be scheduled.
fn grid_of_new_day(scenario: &Scenario, tick: u32) -> Option<Arc<Grid>> {
    scenario.grid.clone().filter(|_| scenario.clock.begins_day(tick))
}

/// Planning on trial: nothing of it comes into force, so that schedules are only read.
#[derive(SystemParam)]
pub(super) struct TrialPhase<'w, 's> {
    in_force: Res<'w, ScenarioInForce>,
    cars: CarsToPlan<'w, 's>,
    schedules: SchedulesSeen<'w>,
    planners: ResMut<'w, Planners>,
    incentives: Option<Res<'w, Incentives>>,
    record: Recorder<'w>,
}

/// All stays of the day as another policy would plan them, cars that are plugged in included.
pub(super) fn by_another(
    mut phase: TrialPhase,
    now: Res<Now>,
    mut trial: ResMut<TrialOfDay>,
) -> Result<(), EngineError> {
    let grid = grid_of_new_day(&phase.in_force.scenario, now.tick);
    if grid.is_some() && phase.planners.forecaster().is_some() {
        let by_another = phase.trial(Plugged::All, Asked::Forecaster)?;
        trial.0 = Some((Asked::Forecaster, by_another));
    }
    Ok(())
}

/// Stays that will begin in the day as the policy would plan them, where no one else forecasts and
/// nothing is planned ahead: it comes after the cars that are plugged in, whose schedules are
/// known by then.
pub(super) fn by_the_policy(
    mut phase: TrialPhase,
    now: Res<Now>,
    mut trial: ResMut<TrialOfDay>,
) -> Result<(), EngineError> {
    let scenario = &phase.in_force.scenario;
    let Some(grid) = grid_of_new_day(scenario, now.tick) else { return Ok(()) };
    let by_policy = match &grid.rules.day_ahead_ev {
        DayAheadEv::Series(_) | DayAheadEv::None => false,
        DayAheadEv::AsPaper | DayAheadEv::Plan | DayAheadEv::Smart | DayAheadEv::Uncontrolled => {
            scenario.planning == Plans::AtPlugIn
        }
    };
    if by_policy && trial.0.is_none() {
        let by_policy = phase.trial(Plugged::None, Asked::Policy)?;
        trial.0 = Some((Asked::Policy, by_policy));
    }
    Ok(())
}

/// Writes the forecast of a new day down: by another policy, by the run's own, or as the world has
/// it.
pub(super) fn issue(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    plans: Res<PlanBook>,
    mut trial: ResMut<TrialOfDay>,
    mut schedule: ResMut<UnitSchedule>,
    mut record: Recorder,
) {
    let scenario = &in_force.scenario;
    let tick = now.tick;
    let Some(grid) = grid_of_new_day(scenario, tick) else { return };
    let (by, trial) = trial.0.take().unzip();
    let trial = trial.unwrap_or_default();
    let forecaster = Forecaster {
        grid: &grid,
        clock: &scenario.clock,
        plans: &plans,
        of_slot: trial.of_slot(&scenario.clock),
        by,
    };
    let step = grid.rules.day_ahead_step.get();
    let day = scenario.clock.local_day(tick);
    // One step more than the day has: the last one's flexibility is asked for by what follows it.
    let slots = tick..tick + ((day.end - day.start).div_ceil(step) + 1) * step;
    let mut forecast = ForecastIssued {
        series: "ev_load".to_owned(),
        first_slot: tick,
        values: slots.map(|slot| forecaster.load_kw(slot)).collect(),
        ..ForecastIssued::default()
    };
    if scenario.planning == Plans::AtPlugIn {
        trial.add_arrivals(tick, &mut forecast);
    }
    add_errors(scenario, &grid, &mut forecast);
    let cause = record.cause(&[&TickStarted::KIND]);
    record.emit(cause, forecast, Event::ForecastIssued, |forecast| schedule.expect(forecast));
}

/// Cars are not known better than the world has it: the error of a slot is a share of what they will
/// draw, and of each part of it.
fn add_errors(scenario: &Scenario, grid: &Grid, forecast: &mut ForecastIssued) {
    let known = &grid.rules.ev_forecast;
    if *known == Forecast::Perfect {
        return;
    }
    let first = forecast.first_slot;
    let last = forecast.load_slot.iter().copied().max().unwrap_or(first);
    let count = forecast.values.len().max((last - first) as usize + 1);
    // Draws of its own, by the name of the series: those of the run are not touched.
    let name = forecast.series.clone();
    let all = Series { name, unit: "1".to_owned(), values: [1.0].into() };
    let day = scenario.clock.slots_per_24_hours();
    let share = known.issue(&all, Issue::day_ahead(first), count, scenario.seed, day);
    for (kw, share) in forecast.values.iter_mut().zip(&share) {
        *kw *= share;
    }
    for (kw, slot) in forecast.load_kw.iter_mut().zip(&forecast.load_slot) {
        *kw *= share[(slot - first) as usize];
    }
}

/// What a forecast is made from.
struct Forecaster<'a> {
    grid: &'a Grid,
    clock: &'a Clock,
    plans: &'a PlanBook,
    /// What stays on trial will draw, kW, by slot.
    of_slot: BTreeMap<u32, f64>,
    /// Whose trial it is.
    by: Option<Asked>,
}

impl Forecaster<'_> {
    /// What cars are expected to draw in a slot, net, kW.
    fn load_kw(&self, slot: u32) -> f64 {
        match &self.grid.rules.day_ahead_ev {
            DayAheadEv::Series(series) => series.at(slot, self.clock.slots_per_24_hours()),
            DayAheadEv::None if self.by.is_none() => 0.0,
            DayAheadEv::None
            | DayAheadEv::AsPaper
            | DayAheadEv::Plan
            | DayAheadEv::Smart
            | DayAheadEv::Uncontrolled => {
                let of_trial = self.of_slot.get(&self.clock.place(slot)).copied();
                // Another policy has planned those that are plugged in as well.
                let by_another = self.by == Some(Asked::Forecaster);
                let of_plans = if by_another { 0.0 } else { self.plans.committed_kw(slot) };
                of_trial.unwrap_or_default() + of_plans
            }
        }
    }
}

impl Trial {
    /// What all stays together will draw, kW, by slot.
    fn of_slot(&self, clock: &Clock) -> BTreeMap<u32, f64> {
        let mut of_slot: BTreeMap<u32, f64> = BTreeMap::new();
        for (&(_, slot), kw) in &self.0 {
            *of_slot.entry(clock.place(slot)).or_default() += kw;
        }
        of_slot
    }

    /// Notes what stays will draw that begin after `tick`, by arrival: the intra-day stage takes
    /// off what has arrived since.
    fn add_arrivals(&self, tick: u32, forecast: &mut ForecastIssued) {
        for (&(arrival, slot), &kw) in self.0.iter().filter(|((arrival, _), _)| *arrival > tick) {
            forecast.arrival_slot.push(arrival);
            forecast.load_slot.push(slot);
            forecast.load_kw.push(kw);
        }
    }

    /// Adds the schedules of `stays`: a row of `horizon` slots for each, kW.
    fn add(&mut self, seen: &Planning, stays: &[ToPlan], power_kw: &[f64], horizon: usize) {
        let scenario = &seen.in_force.scenario;
        for (to_plan, power_kw) in stays.iter().zip(power_kw.chunks(horizon.max(1))) {
            let first = scenario.population.stays.first_slot(to_plan.stay, &scenario.clock);
            for (slot, &kw) in (seen.tick..).zip(power_kw).filter(|(_, kw)| **kw != 0.0) {
                *self.0.entry((first, slot)).or_default() += kw;
            }
        }
    }
}

impl TrialPhase<'_, '_> {
    /// Plans the day's stays without putting anything into force.
    fn trial(&mut self, plugged: Plugged, asked: Asked) -> Result<Trial, EngineError> {
        let Self { in_force, cars, schedules, planners, incentives, record } = self;
        let seen = cars.seen(schedules);
        // Nothing comes into force, so that all batches see the same.
        let mut queue = day_start::stays(&seen, plugged);
        let mut trial = Trial::default();
        let size = planners.batch_size(incentives.as_deref());
        let other_prices = asked == Asked::Forecaster
            && planners.forecaster().is_some_and(|it| !it.pays_incentive);
        let whole_fleet = asked == Asked::Policy && planners.info().whole_fleet;
        let shown = if whole_fleet { Shown::Fleet } else { Shown::Due };
        while queue.next_cars(&seen, size) {
            while let Some(stays) = queue.next_stays(&seen) {
                planners.show(&seen, &stays, shown);
                planners.batch.hide_supply();
                if other_prices {
                    planners.batch.pay_tariffs(&in_force.scenario);
                }
                let tick = seen.tick;
                let answer =
                    planners.ask(asked).map_err(|fault| EngineError::Policy { tick, fault })?;
                answer.record_fault(&planners.batch, shown, record);
                let horizon = planners.batch.horizon_slots();
                trial.add(&seen, &stays, &planners.power_kw, horizon);
                queue.note_schedules(&seen, &stays, &planners.power_kw, horizon);
            }
        }
        Ok(trial)
    }
}
