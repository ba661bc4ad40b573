//! A run that branches off from another one.
//!
//! ```text
//! parent  ──┬─────────────┬───────────▶
//!           0             └── at_tick ─▶ child: RunStarted, series that changed, RunForked, ticks
//! ```
//!
//! The child's history is its parent's up to a tick, and then its own, whose events are numbered on
//! from the parent's. Until the tick everything is as in the parent, from then on the child's
//! scenario holds. Its cars, stays and draws are the parent's, so the two are a paired comparison:
//! where a fleet has another count, the last of its cars go, or others come, and the rest are as
//! before.

use crate::{
    cars::PluggedStay,
    deciders::Deciders,
    failure::EngineError,
    outbox::Outbox,
    replay::Replay,
    run_start::opening_events,
    simulation::{Simulation, Start},
    state::ScenarioInForce,
};
use std::sync::Arc;
use voltide_journal::{
    event::{Event, Recorded, RunForked},
    log::EventLog,
    sink::Sink,
};
use voltide_model::{
    clock::Boundary,
    fleet::Population,
    foresight::Foresight,
    id::StayId,
    rules::Rules,
    scenario::{EvTicks, Scenario},
};

/// What makes a run a fork.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fork {
    /// The parent's folder, relative to the child's.
    pub parent: String,
    /// The parent's id.
    pub parent_run: String,
    /// What names the child's configuration; see [`fork_hash`].
    pub config_hash: String,
    /// The parent's chain hash before the child's first tick, in hex.
    pub parent_chain_hash: String,
    /// What is different, as it was given.
    pub changes: Vec<String>,
}

impl<S: Sink> Replay<S> {
    /// Branches off after the ticks that were replayed: the parent's.
    ///
    /// # Errors
    /// The journal ended within a tick, the state is another than it sealed, prices cannot be
    /// formed, or the log cannot be written.
    ///
    /// # Panics
    /// If the scenario of `start` did not [`inherit`] from the one that was replayed.
    pub fn fork<L: EventLog>(
        mut self,
        start: Start,
        fork: Fork,
        log: L,
    ) -> Result<Simulation<L, S>, EngineError> {
        self.check_state()?;
        let Start { scenario, world_text, overrides, build, planner, fallback, forecaster, .. } =
            start;
        let parent = Arc::clone(self.core.scenario());
        let at_tick = self.core.next_tick;
        let mut opening = opening_events(&scenario, world_text, overrides, build);
        if let Some(Event::RunStarted(started)) = opening.first_mut() {
            started.config_hash.clone_from(&fork.config_hash);
        }
        let forked = forked(&parent, &scenario, at_tick, fork);
        if forked.replan {
            self.check_evening(&planner.info().name)?;
        }
        let mut deciders = Deciders::new(&scenario, planner, fallback, forecaster)?;
        // A policy that stays the same goes on with what it remembers; another begins anew.
        if !forked.replan {
            self.take_memories(&mut deciders.planners)?;
        }
        deciders.enter(&mut self.core.world);
        self.enter(Arc::clone(&scenario));
        *self.core.outbox() = Outbox::from(self.remembered.next_seq());
        if forked.replan {
            self.remembered.forget_policies();
        }
        // A child's history begins with its parent's: what that holds is not written a second time.
        for event in opening.into_iter().filter(|event| !is_known(&parent, event)) {
            self.core.outbox().push(None, at_tick, event);
        }
        let seq = self.core.outbox().next_seq();
        let event = Event::RunForked(forked);
        self.core.feed(Recorded { seq, cause_seq: None, tick: at_tick, event });
        let mut simulation =
            Simulation { core: self.core, log, sink: self.sink, remembered: self.remembered };
        simulation.write_out()?;
        simulation.log.open_run()?;
        Ok(simulation)
    }

    /// Whether another policy may plan the cars that are plugged in. A typical day began with the
    /// energy that its evening was planned to leave in them: once they are planned otherwise, it
    /// does not end as it began.
    fn check_evening(&mut self, policy: &str) -> Result<(), EngineError> {
        let at_tick = self.core.next_tick;
        let in_force = self.core.world.resource::<ScenarioInForce>();
        let folded = in_force.calendar.folded().to_vec();
        let (stays, clock) = (&in_force.scenario.population.stays, in_force.scenario.clock);
        let in_evening = |stay: &StayId| clock.place(stays.first_slot(*stay, &clock)) < at_tick;
        let evening: Vec<StayId> = folded.into_iter().filter(in_evening).collect();
        let mut cars = self.core.world.query::<&PluggedStay>();
        let plugged = cars.iter(&self.core.world).filter(|car| evening.contains(&car.0)).count();
        if plugged == 0 {
            return Ok(());
        }
        let why = format!(
            "would plan cars anew that stay over midnight ({plugged} are plugged in), but with \
             `boundary: Fold` the morning that they leave on is the one that is over; fork before \
             they plug in, or run the world with the policy"
        );
        Err(EngineError::Unsuited { policy: policy.to_owned(), why })
    }

    /// From here on the scenario of a fork holds: its parent's ticks were replayed, and the
    /// `RunStarted` that follows is its own. Sinks are handed it with all that comes.
    ///
    /// # Panics
    /// If the scenario did not [`inherit`] from the one that holds here.
    pub fn enter(&mut self, scenario: Arc<Scenario>) {
        let here = self.core.scenario();
        assert_eq!(what_differs(here, &scenario), None, "a fork has the world of its parent");
        assert!(
            scenario.population.begins_with(&here.population),
            "a fork has the cars of its parent"
        );
        self.core.enter(scenario);
    }
}

/// Gives the scenario of a fork the cars that its parent has before `at_tick`, as many as it counts
/// of them, and those that it counts besides. As long as no count changes these are the cars that
/// it has.
///
/// # Errors
/// What of the scenario is different and must not be: the name of it as in the world file.
pub fn inherit(parent: &Scenario, child: &mut Scenario, at_tick: u32) -> Result<(), &'static str> {
    if !child.has_cars_as_drawn() {
        child.population = Arc::new(child.draw());
    }
    let counts =
        |scenario: &Scenario| scenario.fleets.iter().map(|fleet| fleet.count).collect::<Vec<_>>();
    let recounted = counts(parent) != counts(child) || !parent.has_cars_as_drawn();
    // What is recorded goes by the count only where a run begins.
    if recounted && child.ev_ticks == EvTicks::of_fleets(&child.fleets) {
        child.ev_ticks = parent.ev_ticks;
    }
    let counted = recounted.then(|| counted_like(parent, child));
    let drawn = counted.as_ref().unwrap_or(parent);
    if let Some(what) = what_differs(drawn, child).or_else(|| whose_cars_differ(drawn, child)) {
        return Err(what);
    }
    if recounted && child.clock.boundary == Boundary::Fold {
        return Err("fleets under `boundary: Fold`");
    }
    if recounted {
        let population = parent.population.recounted(&child.population, &child.clock, at_tick);
        child.population = Arc::new(population);
    }
    Ok(())
}

/// The parent as it would be drawn with the child's counts, where these are free.
fn counted_like(parent: &Scenario, child: &Scenario) -> Scenario {
    let mut counted = parent.clone();
    for (fleet, other) in counted.fleets.iter_mut().zip(&child.fleets) {
        // How many recorded sessions there are is not for a count to say.
        if fleet.parking.is_drawn() {
            fleet.count = other.count;
        }
    }
    counted.population = Arc::new(counted.draw());
    counted
}

/// Whether units must keep their names and chargers their sites: forks of 0.1.0 that changed them
/// are still read.
fn keeps_units_and_sites(fork: &Scenario) -> bool {
    fork.rules > Rules::V1
}

/// What is different and must not be, besides the cars.
fn what_differs(parent: &Scenario, child: &Scenario) -> Option<&'static str> {
    let sites = |scenario: &Scenario| {
        scenario.sites.iter().map(|site| (site.name.clone(), site.parent)).collect::<Vec<_>>()
    };
    let names = |scenario: &Scenario| {
        scenario.fleets.iter().map(|fleet| fleet.name.clone()).collect::<Vec<_>>()
    };
    // What is not here may differ at a fork: prices, limits, what units can and cost, policies.
    let differing = [
        ("name", parent.name != child.name),
        ("seed", parent.seed != child.seed),
        ("boundary", parent.clock.boundary != child.clock.boundary),
        ("clock", parent.clock != child.clock),
        ("currency", parent.currency != child.currency),
        ("sites", sites(parent) != sites(child)),
        ("fleets", names(parent) != names(child)),
        ("tariffs", parent.tariffs.len() != child.tariffs.len()),
        (
            "units",
            parent.unit_kinds() != child.unit_kinds()
                || (keeps_units_and_sites(child) && parent.unit_names() != child.unit_names())
                || parent.grid.is_some() != child.grid.is_some(),
        ),
        ("planning", parent.planning != child.planning),
        ("telemetry", parent.ev_ticks != child.ev_ticks),
    ];
    differing.into_iter().find(|(_, differs)| *differs).map(|(name, _)| name)
}

/// What of the cars as they are drawn is different.
fn whose_cars_differ(parent: &Scenario, child: &Scenario) -> Option<&'static str> {
    let (old, new) = (&parent.population, &child.population);
    let chargers =
        |all: &Population| all.chargers.iter().map(|it| it.ids.clone()).collect::<Vec<_>>();
    // Cars that are plugged in stand behind the site that their charger had.
    let sites = |all: &Population| {
        let kinds = all.chargers.iter().flat_map(|it| &it.kinds);
        kinds.map(|charger| charger.site).collect::<Vec<_>>()
    };
    if keeps_units_and_sites(child) && chargers(old) == chargers(new) && sites(old) != sites(new) {
        return Some("the site of a charger");
    }
    let cars = old.fleets != new.fleets || old.stays != new.stays || chargers(old) != chargers(new);
    let batteries = old.capacity_kwh != new.capacity_kwh
        || old.arrival_energy_kwh != new.arrival_energy_kwh
        || old.departure_energy_kwh != new.departure_energy_kwh;
    if cars { Some("fleets") } else { batteries.then_some("battery") }
}

fn forked(parent: &Scenario, child: &Scenario, at_tick: u32, fork: Fork) -> RunForked {
    let Fork { parent: folder, parent_run, parent_chain_hash, changes, .. } = fork;
    let replan =
        (&parent.policy.name, &parent.policy.config) != (&child.policy.name, &child.policy.config);
    let prices = |scenario: &Scenario| {
        (scenario.tariffs.clone(), scenario.incentive, scenario.system.clone())
    };
    let foreseen = Foresight::of(parent) == Foresight::of(child);
    // Another policy may be one whose cars pay the incentive price, or one whose cars do not.
    let reprice = replan || !foreseen || prices(parent) != prices(child);
    RunForked { parent: folder, parent_run, at_tick, parent_chain_hash, changes, replan, reprice }
}

/// The hash that names a fork and seeds its chain: BLAKE3 over its configuration's, its parent's
/// and the tick, in hex.
pub fn fork_hash(config_hash: &str, parent_config_hash: &str, at_tick: u32) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(config_hash.as_bytes()).update(parent_config_hash.as_bytes());
    hasher.update(&at_tick.to_le_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Whether the parent's journal holds the same already. Recorded sessions do not change at a fork.
fn is_known(parent: &Scenario, event: &Event) -> bool {
    let Event::SeriesLoaded(loaded) = event else { return matches!(event, Event::StaysLoaded(_)) };
    parent.series().any(|series| {
        series.name == loaded.name
            && series.unit == loaded.unit
            && series.values.len() == loaded.values.len()
            && series.values.iter().zip(&loaded.values).all(|(a, b)| a.to_bits() == b.to_bits())
    })
}
