//! A live run: what it begins with, its ticks, and where its history goes.

use crate::{
    deciders::Deciders,
    ecs::{Core, Profile, sink_error},
    failure::EngineError,
    outbox::Outbox,
    remembered::Remembered,
    run_start::{configuration_hash, opening_events, run_started},
    tick::Live,
};
use std::sync::Arc;
use voltide_journal::{
    event::{Build, Event, Recorded, RunEnded, RunStarted},
    log::EventLog,
    sink::Sink,
};
use voltide_model::{clock::Clock, scenario::Scenario};
use voltide_policy::planner::Planner;

/// What a run begins with.
pub struct Start {
    /// The resolved world.
    pub scenario: Arc<Scenario>,
    /// The world file with its overrides worked in.
    pub world_text: String,
    /// The overrides, as given.
    pub overrides: Vec<String>,
    /// What makes the run, for the journal.
    pub build: Build,
    /// The policy.
    pub planner: Box<dyn Planner>,
    /// The policy that stands in for a call that failed.
    pub fallback: Option<Box<dyn Planner>>,
    /// The policy that plans what the day-ahead stage is shown of the cars, where that is not the
    /// policy.
    pub forecaster: Option<Box<dyn Planner>>,
    /// Threads that physics may use; results do not depend on it.
    pub threads: usize,
}

/// A live run: it decides, and writes down what it decided.
pub struct Simulation<L, S> {
    pub(crate) core: Core,
    pub(crate) log: L,
    pub(crate) sink: S,
    /// What the journal holds that the state does not.
    pub(crate) remembered: Remembered,
}

impl Start {
    /// What the journal will say of how the run starts, but for the hash that a fork is given.
    pub fn run_started(&self) -> RunStarted {
        let config_hash = configuration_hash(&self.scenario, &self.world_text);
        let text = self.world_text.clone();
        let overrides = self.overrides.clone();
        run_started(&self.scenario, text, overrides, self.build.clone(), config_hash)
    }
}

impl<L: EventLog, S: Sink> Simulation<L, S> {
    /// Sets up the world and opens the journal with all that the run needs.
    pub fn new(start: Start, log: L, sink: S) -> Result<Self, EngineError> {
        let Start {
            scenario,
            world_text,
            overrides,
            build,
            planner,
            fallback,
            forecaster,
            threads,
        } = start;
        // The sum of what all cars hold is kept to see that none is lost: it has to be a number.
        check_capacity(&scenario)?;
        let deciders = Deciders::new(&scenario, planner, fallback, forecaster)?;
        let opening = opening_events(&scenario, world_text, overrides, build);
        let core = Core::new(scenario, threads, Some(deciders));
        let mut simulation = Self { core, log, sink, remembered: Remembered::default() };
        for event in opening {
            simulation.core.outbox().push(None, 0, event);
        }
        simulation.write_out()?;
        simulation.log.open_run()?;
        Ok(simulation)
    }

    /// When the run is, and in what steps.
    pub fn clock(&self) -> Clock {
        self.core.scenario().clock
    }

    /// What is simulated.
    pub fn scenario(&self) -> Arc<Scenario> {
        Arc::clone(self.core.scenario())
    }

    /// The tick that comes next.
    pub fn tick(&self) -> u32 {
        self.core.next_tick
    }

    /// Whether all slots are simulated.
    pub fn is_done(&self) -> bool {
        self.core.next_tick == self.core.slots
    }

    /// Simulates one slot and seals it in the journal.
    pub fn step(&mut self) -> Result<(), EngineError> {
        self.core.stopwatch.skip();
        let events = self.core.tick(&mut Live)?;
        // All of a tick or nothing of it is written.
        events.iter().try_for_each(all_finite)?;
        for event in &events {
            self.log.append(event)?;
            self.remembered.note(event);
        }
        self.core.stopwatch.lap("journal");
        self.core.show(&mut self.sink, &events)?;
        self.core.stopwatch.lap("telemetry");
        let sealed = self.log.seal(self.core.seal())?;
        self.core.stopwatch.lap("journal");
        self.sink.event(self.core.scenario(), &sealed).map_err(sink_error)?;
        self.remembered.note_seal(sealed);
        self.core.stopwatch.lap("telemetry");
        self.core.next_tick += 1;
        Ok(())
    }

    /// Closes the journal. With an outcome the run is over; without one it can be resumed.
    ///
    /// What an unfinished tick came to is forgotten.
    pub fn end(mut self, outcome: Option<String>) -> Result<Ended<S>, EngineError> {
        *self.core.outbox() = Outbox::from(self.remembered.next_seq());
        if let Some(outcome) = outcome {
            let tick = self.core.next_tick.saturating_sub(1);
            self.core.outbox().push(None, tick, Event::RunEnded(RunEnded { outcome }));
            self.write_out()?;
        }
        self.log.close()?;
        Ok(Ended { sink: self.sink, profile: self.core.profile() })
    }

    pub(crate) fn write_out(&mut self) -> Result<(), EngineError> {
        for event in self.core.outbox().take() {
            all_finite(&event)?;
            self.log.append(&event)?;
            self.sink.event(self.core.scenario(), &event).map_err(sink_error)?;
            self.remembered.note(&event);
        }
        Ok(())
    }
}

/// What is no number is not written: a history that holds it tells nothing from there on.
fn all_finite(recorded: &Recorded) -> Result<(), EngineError> {
    let Some((column, row)) = recorded.event.not_finite() else { return Ok(()) };
    let event = recorded.event.name();
    Err(EngineError::NotFinite { tick: recorded.tick, event, column, row })
}

/// Whether what all batteries hold together is a number.
///
/// # Errors
/// [`EngineError::TooMuchCapacity`].
pub fn check_capacity(scenario: &Scenario) -> Result<(), EngineError> {
    let total: f64 = scenario.population.capacity_kwh.iter().sum();
    if total.is_finite() { Ok(()) } else { Err(EngineError::TooMuchCapacity) }
}

/// What is left of a run.
pub struct Ended<S> {
    /// The sink, to be finished by its owner.
    pub sink: S,
    /// Where the time went.
    pub profile: Profile,
}
