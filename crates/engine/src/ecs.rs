//! The ECS world of a run, live or replayed: its phases, one after the other, and what is seen of
//! it.

use crate::{
    apply,
    cars::{
        Agreed, AppliedPower, PluggedStay, Session, StoredEnergy, Willingness, columns,
        columns_if_any, spawn_cars,
    },
    deciders::Deciders,
    drivers::ask_drivers,
    due::{DueCars, LeftEarly},
    failure::{EngineError, Failure},
    grid::UnitSchedule,
    outbox::Outbox,
    outlook::InForce,
    phase::{Phase, arrive::InProgressAtMidnight, limit::Clips, plan::TrialOfDay},
    plan_book::PlanBook,
    prices::PriceBook,
    sites::{SiteLoad, SiteTree, set_limits, spawn_sites},
    state::{
        Balance, ChargingPrices, ExpectedStays, LastCuts, NetLoadMost, Now, PluggedAtMidnight,
        PluggedIn, ScenarioInForce, SiteCuts, StoredInAll,
    },
    state_hash::{Dirty, StateHashes, component_names},
    stopwatch::Stopwatch,
    units::{self, Shown, spawn_units},
    workers::Workers,
};
use bevy_ecs::{prelude::*, system::SystemState};
use bytemuck::cast_slice;
use std::{collections::BTreeMap, sync::Arc};
use voltide_journal::{
    event::{Event, Recorded, TickStarted, fact::Step},
    log::Seal,
    sink::Sink,
};
use voltide_model::{
    columns::{SiteTick, TickColumns},
    scenario::Scenario,
};

/// The ECS world of a run, live or replayed.
pub(crate) struct Core {
    pub(crate) world: World,
    phases: Vec<Phase>,
    columns: SystemState<Seen<'static, 'static>>,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) next_tick: u32,
    pub(crate) slots: u32,
}

/// What is seen of a settled tick.
type Seen<'w, 's> = (
    Query<'w, 's, (&'static PluggedStay, &'static StoredEnergy, &'static Session)>,
    Query<'w, 's, (&'static Willingness, &'static Agreed)>,
    Res<'w, AppliedPower>,
    Res<'w, ChargingPrices>,
    Res<'w, SiteTree>,
    Query<'w, 's, &'static SiteLoad>,
    Query<'w, 's, Shown>,
    Res<'w, Balance>,
    (Res<'w, ScenarioInForce>, Res<'w, PlanBook>, Res<'w, PriceBook>),
);

impl Core {
    pub(crate) fn new(scenario: Arc<Scenario>, threads: usize, deciders: Option<Deciders>) -> Self {
        let mut world = World::new();
        let evs = scenario.population.len();
        let slots = scenario.clock.slots;
        let stored_kwh = scenario.population.arrival_energy_kwh.iter().sum();
        let site_cut = vec![false; if scenario.sites.is_empty() { 0 } else { evs }];
        world.init_resource::<PluggedIn>();
        world.insert_resource(StoredInAll(stored_kwh));
        world.insert_resource(SiteCuts { in_session: site_cut, ..SiteCuts::default() });
        let horizon = scenario.horizon_end() as usize;
        world.insert_resource(PlanBook::new(evs, scenario.sites.len(), horizon, scenario.clock));
        world.insert_resource(Dirty::new(evs));
        world.insert_resource(ScenarioInForce::new(Arc::clone(&scenario)));
        world.insert_resource(Workers::new(threads));
        world.init_resource::<UnitSchedule>();
        world.init_resource::<Now>();
        world.init_resource::<PriceBook>();
        world.init_resource::<DueCars>();
        world.init_resource::<LeftEarly>();
        world.init_resource::<ExpectedStays>();
        world.init_resource::<PluggedAtMidnight>();
        world.init_resource::<InProgressAtMidnight>();
        world.init_resource::<TrialOfDay>();
        world.init_resource::<Clips>();
        world.init_resource::<LastCuts>();
        world.init_resource::<ChargingPrices>();
        world.init_resource::<Balance>();
        world.init_resource::<NetLoadMost>();
        world.init_resource::<Outbox>();
        world.init_resource::<StateHashes>();
        world.init_resource::<Failure>();
        if let Some(deciders) = deciders {
            deciders.enter(&mut world);
        }
        apply::register(&mut world);
        spawn_sites(&mut world, &scenario);
        spawn_units(&mut world, &scenario);
        let asked = scenario.asks_anyone();
        // Last, after all resources and what sites and units are.
        spawn_cars(&mut world, &scenario.population.arrival_energy_kwh, asked);
        let columns = SystemState::new(&mut world);
        let phases = Phase::all();
        Self { world, phases, columns, stopwatch: Stopwatch::start(), next_tick: 0, slots }
    }

    fn now(&self) -> u32 {
        self.world.resource::<Now>().tick
    }

    /// Another scenario holds, with the same cars and maybe more.
    pub(crate) fn enter(&mut self, scenario: Arc<Scenario>) {
        let asked = scenario.asks_anyone();
        // Before cars are added, so that all of them have the same components: they are one table.
        if asked != self.world.resource::<ScenarioInForce>().scenario.asks_anyone() {
            ask_drivers(&mut self.world, asked);
        }
        let here = self.world.resource::<ScenarioInForce>().scenario.population.len();
        let energy_kwh = &scenario.population.arrival_energy_kwh;
        let evs = energy_kwh.len();
        let added = &energy_kwh[here..];
        if !added.is_empty() {
            spawn_cars(&mut self.world, added, asked);
            self.world.resource_mut::<StoredInAll>().0 += added.iter().sum::<f64>();
            if !scenario.sites.is_empty() {
                self.world.resource_mut::<SiteCuts>().in_session.resize(evs, false);
            }
            self.world.resource_mut::<PlanBook>().add_cars(evs);
            self.world.resource_mut::<PriceBook>().add_cars(evs);
            // The last block has grown, or there are more: all are hashed anew.
            self.world.insert_resource(Dirty::new(evs));
        }
        set_limits(&mut self.world, &scenario.sites);
        self.world.insert_resource(ScenarioInForce::new(scenario));
    }

    /// The scenario that holds.
    pub(crate) fn scenario(&self) -> &Arc<Scenario> {
        &self.world.resource::<ScenarioInForce>().scenario
    }

    pub(crate) fn outbox(&mut self) -> Mut<'_, Outbox> {
        self.world.resource_mut::<Outbox>()
    }

    /// Moves the clock to the next tick.
    fn start_tick(&mut self) {
        let tick = self.next_tick;
        let at_us = self
            .world
            .resource::<ScenarioInForce>()
            .scenario
            .clock
            .slot_start(tick)
            .timestamp_micros();
        let seq = self.outbox().next_seq();
        let event = Event::TickStarted(TickStarted { at_us });
        self.feed(Recorded { seq, cause_seq: None, tick, event });
    }

    /// Applies an event that was decided elsewhere.
    pub(crate) fn feed(&mut self, recorded: Recorded) {
        let Recorded { cause_seq, tick, event, .. } = recorded;
        apply::apply(&mut self.world, tick, &event);
        self.outbox().push(cause_seq, tick, event);
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
    pub(crate) fn show<S: Sink>(
        &mut self,
        sink: &mut S,
        events: &[Recorded],
    ) -> Result<(), EngineError> {
        let scenario = Arc::clone(self.scenario());
        for event in events {
            sink.event(&scenario, event).map_err(sink_error)?;
        }
        let tick = self.now();
        let seen = self.columns.get_mut(&mut self.world);
        let (cars, drivers, power, prices, tree, sites, units, balance, in_force) =
            seen.expect("the state's resources are inserted");
        let outlook = InForce { scenario: &in_force.0, plans: &in_force.1, prices: &in_force.2 };
        let (stays, energies, ledgers) = columns(cars);
        let (willingness, agreed) = columns_if_any(drivers).unwrap_or_default();
        // By number, which a query does not keep.
        let sites = tree.sites.iter().filter_map(|&site| sites.get(site).ok());
        let sites: Vec<SiteTick> = sites.map(|load| load.0).collect();
        let units = units::rows(&units);
        let seen = TickColumns {
            tick,
            stay: cast_slice(stays),
            energy_kwh: cast_slice(energies),
            power_kw: &power.0,
            ledger: cast_slice(ledgers),
            price_per_kwh: &prices.0,
            willingness: cast_slice(willingness),
            agreed: cast_slice(agreed),
            sites: &sites,
            units: &units,
            system: &balance.0,
            outlook: &outlook,
        };
        sink.tick(&scenario, &seen).map_err(sink_error)
    }

    pub(crate) fn seal(&mut self) -> Seal {
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
        // Hashes are listed component by component, and block by block within.
        let blocks = ours.blocks.len() / theirs.components.len().max(1);
        let place =
            theirs.block_hashes.iter().zip(&ours.blocks).position(|(theirs, ours)| theirs != ours);
        let what = match place {
            Some(place) => {
                let first = place % blocks * crate::cars::BLOCK;
                format!(
                    "{} of cars {first} to {}",
                    theirs.components[place / blocks],
                    first + crate::cars::BLOCK - 1
                )
            }
            None => "the whole state hash".into(),
        };
        Err(EngineError::Diverged { tick: sealed.tick, what })
    }

    pub(crate) fn profile(&self) -> Profile {
        let evs = self.world.resource::<ScenarioInForce>().scenario.population.len() as u32;
        Profile { seconds: self.stopwatch.seconds(), ticks: self.next_tick, evs }
    }
}

pub(crate) fn sink_error(error: impl std::error::Error + Send + Sync + 'static) -> EngineError {
    EngineError::Sink(Box::new(error))
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
