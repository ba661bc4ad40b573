//! What the day-ahead stage is shown of the cars.
//!
//! Where cars are planned at plug-in, stays that will begin in the day are planned on trial, on the
//! same draws, and what comes of it is written down as a forecast and nothing else.

use super::{Agenda, Asked, EngineError, Event, PlanPhase, Plugged, ToPlan, record_fault};
use crate::grid::day_of;
use std::collections::BTreeMap;
use voltide_journal::event::{ForecastIssued, TickStarted};
use voltide_model::{
    scenario::Planning,
    two_stage::{DayAheadEv, Grid},
};

/// Power per slot that stays will draw, by their first slot: (first slot, slot) to kW.
#[derive(Debug, Default)]
pub(super) struct Trial(BTreeMap<(u32, u32), f64>);

impl PlanPhase<'_, '_, '_> {
    /// The plant, where a day begins that is to be scheduled.
    fn grid_of_new_day(&self) -> Option<std::sync::Arc<Grid>> {
        let (scenario, tick) = (&self.state.fixed.scenario, self.state.now.tick);
        scenario.grid.clone().filter(|_| day_of(&scenario.clock, tick).first == tick)
    }

    /// All stays of the day as another policy would plan them, cars that are plugged in included.
    pub(super) fn forecast_by_another(&mut self) -> Result<Option<Trial>, EngineError> {
        if self.grid_of_new_day().is_none() || self.planners.forecaster.is_none() {
            return Ok(None);
        }
        self.trial(Plugged::All, Asked::Forecaster).map(Some)
    }

    /// Writes the forecast of a new day down: by another policy, by the run's own, or as the world has it.
    pub(super) fn issue_forecast(&mut self, by_another: Option<Trial>) -> Result<(), EngineError> {
        let Some(grid) = self.grid_of_new_day() else { return Ok(()) };
        let scenario = self.state.fixed.scenario.clone();
        let (tick, per_day) = (self.state.now.tick, scenario.clock.slots_per_24_hours());
        let step = grid.rules.day_ahead_step.get();
        let day = day_of(&scenario.clock, tick);
        let slots = tick..tick + (day.slots.div_ceil(step) + 1) * step;
        let at_plug_in = scenario.planning == Planning::AtPlugIn;
        let (trial, committed) = match (&grid.rules.day_ahead_ev, by_another) {
            (_, Some(trial)) => (trial, false),
            (DayAheadEv::Series(_) | DayAheadEv::None, None) => (Trial::default(), false),
            (_, None) if at_plug_in => (self.trial(Plugged::None, Asked::Policy)?, true),
            (_, None) => (Trial::default(), true),
        };
        let fold = |slot: u32| scenario.period().map_or(slot, |period| slot % period);
        let mut of_slot: BTreeMap<u32, f64> = BTreeMap::new();
        for (&(_, slot), kw) in &trial.0 {
            *of_slot.entry(fold(slot)).or_default() += kw;
        }
        let value = |slot: u32| {
            let of_trial = of_slot.get(&fold(slot)).copied().unwrap_or_default();
            let of_plans = if committed { self.state.book.committed_kw(slot) } else { 0.0 };
            match &grid.rules.day_ahead_ev {
                DayAheadEv::Series(series) => series.at(slot, per_day),
                _ => of_trial + of_plans,
            }
        };
        let mut forecast = ForecastIssued {
            series: "ev_load".to_owned(),
            first_slot: tick,
            values: slots.map(value).collect(),
            ..ForecastIssued::default()
        };
        for (&(arrival, slot), &kw) in
            trial.0.iter().filter(|((arrival, _), _)| at_plug_in && *arrival > tick)
        {
            forecast.arrival_slot.push(arrival);
            forecast.load_slot.push(slot);
            forecast.load_kw.push(kw);
        }
        let cause = self.state.cause(&[&TickStarted::KIND]);
        self.state.emit(cause, Event::ForecastIssued(forecast));
        Ok(())
    }

    /// Plans the day's stays without putting anything into force.
    fn trial(&mut self, plugged: Plugged, asked: Asked) -> Result<Trial, EngineError> {
        let mut agenda = Agenda::of_day(self.state, plugged);
        let mut trial = Trial::default();
        while agenda.next_cars(self.batch_size(agenda.len())) {
            loop {
                let stays = agenda.next_stays(self.state);
                if stays.is_empty() {
                    break;
                }
                self.try_stays(&stays, asked)?;
                let horizon = self.planners.batch.horizon_slots();
                self.take_down(&stays, horizon, &mut trial);
                agenda.took(self.state, &stays, &self.planners.power_kw, horizon);
            }
        }
        Ok(trial)
    }

    fn try_stays(&mut self, stays: &[ToPlan], asked: Asked) -> Result<(), EngineError> {
        self.planners.batch.fill(self.state, stays, self.horizon_slots);
        self.planners.batch.ask_drivers(self.state);
        if asked == Asked::Forecaster
            && self.planners.forecaster().is_some_and(|it| !it.info().pays_incentive)
        {
            self.planners.batch.pay_tariffs(&self.state.fixed.scenario);
        }
        let tick = self.state.now.tick;
        let answer =
            self.planners.ask(asked).map_err(|fault| EngineError::Policy { tick, fault })?;
        record_fault(self.state, &self.planners.batch, answer.fault);
        Ok(())
    }

    fn take_down(&self, stays: &[ToPlan], horizon: usize, trial: &mut Trial) {
        let (population, clock) =
            (&self.state.fixed.scenario.population, &self.state.fixed.scenario.clock);
        let tick = self.state.now.tick;
        for (to_plan, power_kw) in stays.iter().zip(self.planners.power_kw.chunks(horizon.max(1))) {
            let first = population.stays.first_slot(to_plan.stay, clock);
            for (slot, &kw) in (tick..).zip(power_kw).filter(|(_, kw)| **kw != 0.0) {
                *trial.0.entry((first, slot)).or_default() += kw;
            }
        }
    }
}
