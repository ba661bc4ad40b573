//! What the day-ahead stage is shown of the cars.
//!
//! Where cars are planned at plug-in, stays that will begin in the day are planned on trial, on the
//! same draws, and what comes of it is written down as a forecast and nothing else.

use super::{
    Asked, EngineError, Event, PlanPhase, Plugged, Recorder, StaysOfDay, ToPlan, record_fault,
};
use crate::{
    grid::{UnitSchedule, day_of},
    plan_book::PlanBook,
    state::{Now, ScenarioInForce},
};
use bevy_ecs::prelude::{Res, ResMut, Resource};
use std::{collections::BTreeMap, sync::Arc};
use voltide_journal::event::{ForecastIssued, TickStarted};
use voltide_model::{
    scenario::{Planning, Scenario},
    two_stage::{DayAheadEv, Grid},
};

/// Power per slot that stays will draw, by their first slot: (first slot, slot) to kW.
#[derive(Debug, Default)]
struct Trial(BTreeMap<(u32, u32), f64>);

/// The trial of the day that begins, and whose it is.
#[derive(Resource, Default)]
pub(crate) struct TrialOfDay(Option<(Asked, Trial)>);

/// The plant, where a day begins that is to be scheduled.
fn grid_of_new_day(scenario: &Scenario, tick: u32) -> Option<Arc<Grid>> {
    scenario.grid.clone().filter(|_| day_of(&scenario.clock, tick).first == tick)
}

/// All stays of the day as another policy would plan them, cars that are plugged in included.
pub(super) fn by_another(
    mut phase: PlanPhase,
    mut trial: ResMut<TrialOfDay>,
) -> Result<(), EngineError> {
    let grid = grid_of_new_day(&phase.state.in_force.scenario, phase.state.now.tick);
    if grid.is_some() && phase.planners.forecaster.is_some() {
        let by_another = phase.trial(Plugged::All, Asked::Forecaster)?;
        trial.0 = Some((Asked::Forecaster, by_another));
    }
    Ok(())
}

/// Stays that will begin in the day as the policy would plan them, where no one else forecasts and
/// nothing is planned ahead.
pub(super) fn by_the_policy(
    mut phase: PlanPhase,
    mut trial: ResMut<TrialOfDay>,
) -> Result<(), EngineError> {
    let scenario = &phase.state.in_force.scenario;
    let Some(grid) = grid_of_new_day(scenario, phase.state.now.tick) else { return Ok(()) };
    let by_policy = match &grid.rules.day_ahead_ev {
        DayAheadEv::Series(_) | DayAheadEv::None => false,
        _ => scenario.planning == Planning::AtPlugIn,
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
    mut plant: ResMut<UnitSchedule>,
    mut record: Recorder,
) {
    let scenario = &in_force.scenario;
    let tick = now.tick;
    let Some(grid) = grid_of_new_day(scenario, tick) else { return };
    let (by, trial) = trial.0.take().unzip();
    let trial = trial.unwrap_or_default();
    let per_day = scenario.clock.slots_per_24_hours();
    let step = grid.rules.day_ahead_step.get();
    let day = day_of(&scenario.clock, tick);
    let slots = tick..tick + (day.slots.div_ceil(step) + 1) * step;
    let mut of_slot: BTreeMap<u32, f64> = BTreeMap::new();
    for (&(_, slot), kw) in &trial.0 {
        *of_slot.entry(scenario.clock.place(slot)).or_default() += kw;
    }
    let value = |slot: u32| {
        let of_trial = of_slot.get(&scenario.clock.place(slot)).copied().unwrap_or_default();
        // Another policy has planned those that are plugged in as well.
        let of_plans = if by == Some(Asked::Forecaster) { 0.0 } else { plans.committed_kw(slot) };
        match &grid.rules.day_ahead_ev {
            DayAheadEv::Series(series) => series.at(slot, per_day),
            DayAheadEv::None if by.is_none() => 0.0,
            _ => of_trial + of_plans,
        }
    };
    let mut forecast = ForecastIssued {
        series: "ev_load".to_owned(),
        first_slot: tick,
        values: slots.map(value).collect(),
        ..ForecastIssued::default()
    };
    let at_plug_in = scenario.planning == Planning::AtPlugIn;
    for (&(arrival, slot), &kw) in
        trial.0.iter().filter(|((arrival, _), _)| at_plug_in && *arrival > tick)
    {
        forecast.arrival_slot.push(arrival);
        forecast.load_slot.push(slot);
        forecast.load_kw.push(kw);
    }
    let cause = record.cause(&[&TickStarted::KIND]);
    record.emit(cause, forecast, Event::ForecastIssued, |forecast| plant.expect(forecast));
}

impl PlanPhase<'_, '_> {
    /// Plans the day's stays without putting anything into force.
    fn trial(&mut self, plugged: Plugged, asked: Asked) -> Result<Trial, EngineError> {
        let mut day = StaysOfDay::beginning(&self.state, plugged);
        let mut trial = Trial::default();
        loop {
            let size = self.batch_size(day.len());
            if !day.next_cars(size) {
                return Ok(trial);
            }
            loop {
                let stays = day.next_stays(&self.state);
                if stays.is_empty() {
                    break;
                }
                self.try_stays(&stays, asked)?;
                let horizon = self.planners.batch.horizon_slots();
                self.add_to_trial(&stays, horizon, &mut trial);
                day.note_schedules(&self.state, &stays, &self.planners.power_kw, horizon);
            }
        }
    }

    fn try_stays(&mut self, stays: &[ToPlan], asked: Asked) -> Result<(), EngineError> {
        self.fill_batch(stays);
        if asked == Asked::Forecaster
            && self.planners.forecaster().is_some_and(|it| !it.info().pays_incentive)
        {
            self.planners.batch.pay_tariffs(&self.state.in_force.scenario);
        }
        let tick = self.state.now.tick;
        let answer =
            self.planners.ask(asked).map_err(|fault| EngineError::Policy { tick, fault })?;
        record_fault(&mut self.record, &self.planners.batch, answer.fault);
        Ok(())
    }

    fn add_to_trial(&self, stays: &[ToPlan], horizon: usize, trial: &mut Trial) {
        let population = &self.state.in_force.scenario.population;
        let clock = &self.state.in_force.scenario.clock;
        let tick = self.state.now.tick;
        for (to_plan, power_kw) in stays.iter().zip(self.planners.power_kw.chunks(horizon.max(1))) {
            let first = population.stays.first_slot(to_plan.stay, clock);
            for (slot, &kw) in (tick..).zip(power_kw).filter(|(_, kw)| **kw != 0.0) {
                *trial.0.entry((first, slot)).or_default() += kw;
            }
        }
    }
}
