//! A run: the ECS world, its tick, and where its history goes.

use crate::{
    apply::State,
    failure::{EngineError, Failure},
    grid::GridBook,
    opening::{configuration_hash, opening_events, run_started},
    outbox::Outbox,
    phase::{Phase, agree::Opinions, dispatch::spawn_units, plan::Planners, price::Incentives},
    plan_book::PlanBook,
    prices::PriceBook,
    resume::Past,
    state::{Cars, Fixed, Now, Outcome, Roster, spawn_cars},
    state_hash::{Dirty, StateHashes, component_names},
    stopwatch::Stopwatch,
    tick::{Journal, Live},
    workers::Workers,
};
use bevy_ecs::{prelude::*, system::SystemState};
use std::{collections::BTreeMap, sync::Arc};
use voltide_journal::{
    event::{Build, Event, Recorded, RunEnded, RunStarted, TickStarted, fact::Step},
    log::{EventLog, Seal},
    sink::Sink,
};
use voltide_model::{
    clock::Clock,
    columns::TickColumns,
    price::PriceFeedback,
    scenario::{Boundary, Scenario},
};
use voltide_policy::planner::{Planner, PolicyInfo, Replan};

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
    /// The policy that plans what the day-ahead stage is shown of the cars, where that is not the policy.
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
    pub(crate) past: Past,
}

impl Start {
    /// What the journal will say of how the run starts, but for the hash that a fork is given.
    pub fn run_started(&self) -> RunStarted {
        let config_hash = configuration_hash(&self.scenario, &self.world_text);
        let (text, overrides) = (self.world_text.clone(), self.overrides.clone());
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
        check_capacity(&scenario)?;
        let deciders = Deciders::new(&scenario, planner, fallback, forecaster)?;
        let opening = opening_events(&scenario, world_text, overrides, build);
        let core = Core::new(scenario, threads, Some(deciders));
        let mut simulation = Self { core, log, sink, past: Past::default() };
        for event in opening {
            simulation.core.outbox().push(None, 0, event);
        }
        simulation.write_out()?;
        simulation.log.open_run()?;
        Ok(simulation)
    }

    /// When the run is, and in what steps.
    pub fn clock(&self) -> Clock {
        self.core.world.resource::<Fixed>().scenario.clock
    }

    /// What is simulated.
    pub fn scenario(&self) -> Arc<Scenario> {
        Arc::clone(&self.core.world.resource::<Fixed>().scenario)
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
        events.iter().try_for_each(all_finite)?;
        for event in &events {
            self.log.append(event)?;
            self.past.take_note(event);
        }
        self.core.stopwatch.lap("journal");
        self.core.show(&mut self.sink, &events)?;
        self.core.stopwatch.lap("telemetry");
        let sealed = self.log.seal(self.core.seal())?;
        self.core.stopwatch.lap("journal");
        self.sink.event(&sealed).map_err(sink_error)?;
        self.past.take_note(&sealed);
        self.core.stopwatch.lap("telemetry");
        self.core.next_tick += 1;
        Ok(())
    }

    /// Closes the journal. With an outcome the run is over; without one it can be resumed.
    ///
    /// What an unfinished tick came to is forgotten.
    pub fn end(mut self, outcome: Option<String>) -> Result<Ended<S>, EngineError> {
        *self.core.outbox() = Outbox::from(self.past.next_seq());
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
            self.sink.event(&event).map_err(sink_error)?;
            self.past.take_note(&event);
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

/// Whether the world lets the policy plan as it declares to.
///
/// # Errors
/// [`EngineError::Unsuited`] says why it does not, [`EngineError::Price`] that no incentive prices can be
/// formed.
pub fn check_suited(scenario: &Scenario, policy: &PolicyInfo) -> Result<(), EngineError> {
    let feedback = scenario.incentive.map(|incentive| incentive.feedback);
    let why = match feedback {
        Some(PriceFeedback::Batch(cars)) if policy.whole_site => format!(
            "plans all cars of a site at once, but `price_feedback: Batch({cars})` forms prices anew after \
             every {cars} cars; use `price_feedback: None`"
        ),
        _ if scenario.boundary == Boundary::Fold && policy.replan != Replan::OnPlugIn => {
            "wants to plan again while cars are plugged in, but the day of `boundary: Fold` is planned once, \
             before it begins; use `boundary: Open`"
                .to_owned()
        }
        _ => return Incentives::new(scenario, policy.pays_incentive).transpose().map(drop),
    };
    Err(EngineError::Unsuited { policy: policy.name.clone(), why })
}

/// What is left of a run.
pub struct Ended<S> {
    /// The sink, to be finished by its owner.
    pub sink: S,
    /// Where the time went.
    pub profile: Profile,
}

/// Where the wall time of a run went. Measured on the machine: in no journal and no table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Seconds by phase, with "journal" and "telemetry" for handing over to them.
    pub seconds: BTreeMap<&'static str, f64>,
    /// Ticks simulated.
    pub ticks: u32,
    /// Cars.
    pub evs: u32,
}

/// A run that is read from its journal instead of being decided.
pub struct Replay<S> {
    pub(crate) core: Core,
    pub(crate) sink: S,
    pub(crate) verify: bool,
    pub(crate) tick_events: Vec<Recorded>,
    pub(crate) past: Past,
}

impl<S: Sink> Replay<S> {
    /// A replay of a run of `scenario`; with `verify` the state hashes are compared too.
    pub fn new(scenario: Arc<Scenario>, sink: S, threads: usize, verify: bool) -> Self {
        let core = Core::new(scenario, threads, None);
        Self { core, sink, verify, tick_events: Vec::new(), past: Past::default() }
    }

    /// Takes in the next event of the journal. A `TickSealed` replays its tick.
    pub fn event(&mut self, recorded: Recorded) -> Result<(), EngineError> {
        self.past.take_note(&recorded);
        match &recorded.event {
            Event::RunForked(_) => {
                self.core.feed(recorded.clone());
                self.core.outbox().take();
                self.sink.event(&recorded).map_err(sink_error)
            }
            Event::RunStarted(_)
            | Event::SeriesLoaded(_)
            | Event::StaysLoaded(_)
            | Event::RunEnded(_) => self.sink.event(&recorded).map_err(sink_error),
            Event::TickSealed(_) => self.tick(recorded),
            _ => {
                self.tick_events.push(recorded);
                Ok(())
            }
        }
    }

    /// Hands the sink back when all events are in; the journal must not end within a tick.
    pub fn end(self) -> Result<Ended<S>, EngineError> {
        if !self.tick_events.is_empty() {
            return Err(EngineError::Incomplete("end of its last tick"));
        }
        Ok(Ended { sink: self.sink, profile: self.core.profile() })
    }

    fn tick(&mut self, sealed: Recorded) -> Result<(), EngineError> {
        let recorded = std::mem::take(&mut self.tick_events);
        let first_seq = recorded.first().map_or(sealed.seq, |event| event.seq);
        *self.core.outbox() = Outbox::from(first_seq);
        let replayed = self.core.tick(&mut Journal::new(&recorded, self.verify))?;
        if let Some(what) = first_difference(&recorded, &replayed) {
            return Err(EngineError::Diverged { tick: sealed.tick, what });
        }
        if self.verify {
            self.core.compare(&sealed)?;
        }
        self.core.show(&mut self.sink, &recorded)?;
        self.sink.event(&sealed).map_err(sink_error)?;
        self.core.next_tick = sealed.tick + 1;
        Ok(())
    }
}

fn first_difference(recorded: &[Recorded], replayed: &[Recorded]) -> Option<String> {
    if let Some((theirs, ours)) =
        recorded.iter().zip(replayed).find(|(theirs, ours)| theirs != ours)
    {
        return Some(format!(
            "event {} is {} in one, {} in the other",
            theirs.seq,
            theirs.event.kind(),
            ours.event.kind()
        ));
    }
    (recorded.len() != replayed.len()).then(|| {
        format!("{} events in the journal, {} in the replay", recorded.len(), replayed.len())
    })
}

/// What decides in a live run; a replay goes without.
pub(crate) struct Deciders {
    pub(crate) planners: Planners,
    pub(crate) incentives: Option<Incentives>,
}

impl Deciders {
    pub(crate) fn new(
        scenario: &Scenario,
        planner: Box<dyn Planner>,
        fallback: Option<Box<dyn Planner>>,
        forecaster: Option<Box<dyn Planner>>,
    ) -> Result<Self, EngineError> {
        check_suited(scenario, planner.info())?;
        let incentives = Incentives::new(scenario, planner.info().pays_incentive).transpose()?;
        Ok(Self { planners: Planners::new(planner, fallback, forecaster), incentives })
    }

    /// Lets them decide from here on.
    pub(crate) fn enter(self, world: &mut World) {
        let Self { planners, incentives } = self;
        world.insert_resource(planners);
        match incentives {
            Some(incentives) => world.insert_resource(incentives),
            None => drop(world.remove_resource::<Incentives>()),
        }
    }
}

/// The ECS world of a run, live or replayed.
pub(crate) struct Core {
    pub(crate) world: World,
    phases: Vec<Phase>,
    columns: SystemState<(Cars<'static, 'static>, Res<'static, Outcome>, Res<'static, Opinions>)>,
    stopwatch: Stopwatch,
    pub(crate) next_tick: u32,
    slots: u32,
}

impl Core {
    pub(crate) fn new(scenario: Arc<Scenario>, threads: usize, deciders: Option<Deciders>) -> Self {
        let mut world = World::new();
        let (evs, slots) = (scenario.population.len(), scenario.clock.slots);
        let stored_kwh = scenario.population.arrival_energy_kwh.iter().sum();
        let at_site = vec![Vec::new(); scenario.sites.len()];
        let site_cut = vec![false; if scenario.sites.is_empty() { 0 } else { evs }];
        world.insert_resource(Roster { at_site, stored_kwh, site_cut, ..Roster::default() });
        let (horizon, period) = (scenario.horizon_end() as usize, scenario.period());
        world.insert_resource(PlanBook::new(evs, scenario.sites.len(), horizon, period));
        world.insert_resource(Dirty::new(evs));
        world.insert_resource(Fixed::new(Arc::clone(&scenario)));
        world.insert_resource(Workers::new(threads));
        world.insert_resource(GridBook::new(scenario.grid.as_deref().map(|grid| &grid.plant)));
        world.init_resource::<Now>();
        world.init_resource::<PriceBook>();
        world.init_resource::<Opinions>();
        world.init_resource::<Outcome>();
        world.init_resource::<Outbox>();
        world.init_resource::<StateHashes>();
        world.init_resource::<Failure>();
        if let Some(deciders) = deciders {
            deciders.enter(&mut world);
        }
        spawn_units(&mut world, &scenario);
        spawn_cars(&mut world, &scenario.population.arrival_energy_kwh);
        let columns = SystemState::new(&mut world);
        let phases = Phase::all();
        Self { world, phases, columns, stopwatch: Stopwatch::start(), next_tick: 0, slots }
    }

    fn now(&self) -> u32 {
        self.world.resource::<Now>().tick
    }

    /// Another scenario holds, with the same cars and maybe more.
    pub(crate) fn enter(&mut self, scenario: Arc<Scenario>) {
        let here = self.world.resource::<Fixed>().scenario.population.len();
        let energy_kwh = &scenario.population.arrival_energy_kwh;
        let (evs, added) = (energy_kwh.len(), &energy_kwh[here..]);
        if !added.is_empty() {
            spawn_cars(&mut self.world, added);
            let mut roster = self.world.resource_mut::<Roster>();
            roster.stored_kwh += added.iter().sum::<f64>();
            if !scenario.sites.is_empty() {
                roster.site_cut.resize(evs, false);
            }
            self.world.resource_mut::<PlanBook>().add_cars(evs);
            self.world.resource_mut::<PriceBook>().add_cars(evs);
            self.world.insert_resource(Dirty::new(evs));
        }
        self.world.insert_resource(Fixed::new(scenario));
    }

    pub(crate) fn outbox(&mut self) -> Mut<'_, Outbox> {
        self.world.resource_mut::<Outbox>()
    }

    /// Moves the clock to the next tick.
    fn start_tick(&mut self) {
        let tick = self.next_tick;
        let at_us =
            self.world.resource::<Fixed>().scenario.clock.slot_start(tick).timestamp_micros();
        let seq = self.outbox().next_seq();
        let event = Event::TickStarted(TickStarted { at_us });
        self.feed(Recorded { seq, cause_seq: None, tick, event });
    }

    /// Applies an event that was decided elsewhere.
    pub(crate) fn feed(&mut self, recorded: Recorded) {
        self.world
            .run_system_cached_with(feed, recorded)
            .expect("the state's resources are inserted");
    }

    /// Decides what is decided in a step.
    pub(crate) fn decide(&mut self, step: Step) -> Result<(), EngineError> {
        if step == Step::Start {
            self.start_tick();
        }
        self.run(step, |phase| phase.decides.as_mut())
    }

    /// Lets follow what follows from the state in a step.
    pub(crate) fn follow(&mut self, step: Step) -> Result<(), EngineError> {
        self.run(step, |phase| phase.follows.as_mut())
    }

    fn run(
        &mut self,
        step: Step,
        part: impl Fn(&mut Phase) -> Option<&mut Schedule>,
    ) -> Result<(), EngineError> {
        let phase = self.phases.iter_mut().find(|phase| phase.step == step);
        let phase = phase.expect("it is a step of a tick");
        let name = phase.name();
        let Some(schedule) = part(phase) else { return Ok(()) };
        schedule.run(&mut self.world);
        self.stopwatch.lap(name);
        self.world.resource_mut::<Failure>().0.take().map_or(Ok(()), Err)
    }

    /// Shows a settled tick to the sink.
    fn show<S: Sink>(&mut self, sink: &mut S, events: &[Recorded]) -> Result<(), EngineError> {
        for event in events {
            sink.event(event).map_err(sink_error)?;
        }
        let tick = self.now();
        let (mut cars, outcome, opinions) =
            self.columns.get_mut(&mut self.world).expect("the state's resources are inserted");
        let mut table = cars.table();
        let columns = table.columns();
        let seen = TickColumns {
            tick,
            stay: columns.stay,
            energy_kwh: columns.energy,
            power_kw: columns.power,
            ledger: columns.ledger,
            price_per_kwh: &outcome.price_per_kwh,
            willingness: &opinions.willingness,
            agreed: &opinions.agreed,
            sites: &outcome.sites,
            units: &outcome.units,
            system: &outcome.system,
        };
        sink.tick(&seen).map_err(sink_error)
    }

    fn seal(&mut self) -> Seal {
        let tick = self.now();
        let seq = self.outbox().reserve();
        let hashes = self.world.resource::<StateHashes>();
        Seal {
            seq,
            cause_seq: None,
            tick,
            components: component_names(),
            block_hashes: hashes.blocks.clone(),
            state_hash: hashes.whole,
        }
    }

    /// Compares the state hashes with those of the journal.
    pub(crate) fn compare(&self, sealed: &Recorded) -> Result<(), EngineError> {
        let Event::TickSealed(theirs) = &sealed.event else { return Ok(()) };
        let ours = self.world.resource::<StateHashes>();
        if theirs.block_hashes == ours.blocks && theirs.state_hash.0 == ours.whole {
            return Ok(());
        }
        let blocks = ours.blocks.len() / theirs.components.len().max(1);
        let place =
            theirs.block_hashes.iter().zip(&ours.blocks).position(|(theirs, ours)| theirs != ours);
        let what = match place {
            Some(place) => {
                let first = place % blocks * crate::state::BLOCK;
                format!(
                    "{} of cars {first} to {}",
                    theirs.components[place / blocks],
                    first + crate::state::BLOCK - 1
                )
            }
            None => "the whole state hash".into(),
        };
        Err(EngineError::Diverged { tick: sealed.tick, what })
    }

    fn profile(&self) -> Profile {
        let evs = self.world.resource::<Fixed>().scenario.population.len() as u32;
        Profile { seconds: self.stopwatch.seconds(), ticks: self.next_tick, evs }
    }
}

/// Applies a recorded event.
fn feed(In(recorded): In<Recorded>, mut state: State) {
    let Recorded { cause_seq, tick, event, .. } = recorded;
    state.take_in(cause_seq, tick, event);
}

pub(crate) fn sink_error(error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::Sink(Box::new(error))
}
