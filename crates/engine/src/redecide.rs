//! A run is replayed, and a policy is asked again at every call that is recorded.
//!
//! The state stays that of the record, whatever the policy answers now: every answer is compared
//! with the one that was given to the same question.

use crate::{
    deciders::Deciders,
    ecs::Core,
    failure::EngineError,
    outbox::Outbox,
    phase::plan::{Planners, again::ask_again},
    prices::PriceBook,
    simulation::Start,
    state::ScenarioInForce,
    tick::{Journal, Source},
};
use std::sync::Arc;
use voltide_journal::event::{Event, PricesSet, Recorded, fact::Step};
use voltide_model::{id::EvId, scenario::Scenario};
use voltide_policy::observation::Shown;

/// What came of asking again.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Redecided {
    /// Calls of the policy.
    pub calls: u64,
    /// Schedules that it was asked for.
    pub plans: u64,
    /// Those that are not the recorded ones.
    pub differing: u64,
    /// Tick and car of the first of them.
    pub first: Option<(u32, EvId)>,
    /// What the recorded schedules come to.
    pub recorded: Planned,
    /// What the schedules of now come to.
    pub again: Planned,
}

/// What schedules come to, at the prices that they were made at. kWh on the grid side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Planned {
    /// Energy to be charged.
    pub charge_kwh: f64,
    /// Energy to be discharged.
    pub discharge_kwh: f64,
    /// Money to be paid, less money to be earned.
    pub cost: f64,
}

/// A replay that asks again.
pub struct Redecision {
    core: Core,
    tick_events: Vec<Recorded>,
    asked: Asked,
}

impl Redecision {
    /// Of a history that begins in `scenario`; the policies of `start` are asked.
    pub fn new(scenario: Arc<Scenario>, start: Start) -> Result<Self, EngineError> {
        let Start { planner, fallback, forecaster, threads, .. } = start;
        let Deciders { planners, .. } = Deciders::new(&scenario, planner, fallback, forecaster)?;
        let core = Core::new(scenario, threads, None);
        let asked =
            Asked { planners: Some(planners), found: Redecided::default(), shows_trees: None };
        Ok(Self { core, tick_events: Vec::new(), asked })
    }

    /// Takes in the next event of the journal.
    pub fn event(&mut self, recorded: Recorded) -> Result<(), EngineError> {
        let step = recorded.event.step();
        if step == Step::Seal {
            return self.tick(&recorded);
        }
        if step.is_of_a_tick() || matches!(recorded.event, Event::RunForked(_)) {
            self.tick_events.push(recorded);
        }
        Ok(())
    }

    /// What was found.
    pub fn found(&self) -> Redecided {
        self.asked.found
    }

    fn tick(&mut self, sealed: &Recorded) -> Result<(), EngineError> {
        let recorded = std::mem::take(&mut self.tick_events);
        *self.core.outbox() = Outbox::from(sealed.seq);
        let asked = &mut self.asked;
        self.core.tick(&mut Both { journal: Journal::new(&recorded, false), asked })?;
        self.core.next_tick = sealed.tick + 1;
        Ok(())
    }
}

/// The journal decides, and the policies are asked besides.
struct Both<'a> {
    journal: Journal,
    asked: &'a mut Asked,
}

impl Source for Both<'_> {
    /// A policy's second batch sees its first: each is asked for in the state in which it was.
    fn decide(&mut self, core: &mut Core, step: Step) -> Result<(), EngineError> {
        while let Some(recorded) = self.journal.next_in(step) {
            // Before it is applied: it has to be asked for in the state that it was decided in.
            if matches!(recorded.event, Event::PlansAccepted(_)) {
                self.asked.compare(core, &recorded)?;
            }
            if matches!(recorded.event, Event::PlansAccepted(_) | Event::SessionEnded(_)) {
                self.asked.shows_trees = Some(recorded.seq);
            }
            core.feed(recorded);
        }
        Ok(())
    }

    fn hashes(&self) -> bool {
        self.journal.hashes()
    }
}

/// The policies, and what came of asking them.
struct Asked {
    planners: Option<Planners>,
    found: Redecided,
    /// The number of the last event that a whole tree may be shown because of.
    shows_trees: Option<u64>,
}

impl Asked {
    fn compare(
        &mut self,
        core: &mut Core,
        Recorded { cause_seq, tick, event, .. }: &Recorded,
    ) -> Result<(), EngineError> {
        let Event::PlansAccepted(recorded) = event else { return Ok(()) };
        // A whole tree is shown because of the plans before it, or of cars that left.
        let of_tree = self.shows_trees.is_some() && self.shows_trees == *cause_seq;
        let shown = if of_tree { Shown::Tree } else { Shown::Due };
        let Some(planners) = self.planners.take() else { return Ok(()) };
        let world = &mut core.world;
        // A resource for the time of the call only: the systems of a replay have no policies.
        world.insert_resource(planners);
        let asked = world.run_system_cached_with(ask_again, (recorded, shown));
        self.planners = world.remove_resource::<Planners>();
        let asked = asked.expect("the state's resources are inserted");
        let again = asked.map_err(|fault| EngineError::Policy { tick: *tick, fault })?;
        self.found.calls += 1;
        self.found.plans += recorded.ev.len() as u64;
        let in_force = world.resource::<ScenarioInForce>();
        let prices = world.resource::<PriceBook>();
        for (row, &ev) in recorded.ev.iter().enumerate() {
            if recorded.segments.of(row) != again.segments.of(row) {
                self.found.differing += 1;
                self.found.first = self.found.first.or(Some((*tick, ev)));
            }
            let hours = in_force.scenario.clock.slot_hours();
            let tariff = &prices.current()[in_force.fleet_of(ev).tariff];
            self.found.recorded.add(recorded.segments.of(row), hours, tariff);
            self.found.again.add(again.segments.of(row), hours, tariff);
        }
        Ok(())
    }
}

/// The place of a slot among prices; beyond those that are known, of the nearest.
fn nearest(prices: &PricesSet, slot: u32) -> usize {
    prices.at(slot.max(prices.first_slot)).min(prices.buy.len() - 1)
}

/// Slots and powers of the segments of a schedule.
type Segments<'a> = (&'a [u32], &'a [f64]);

impl Planned {
    fn add(&mut self, (slots, kw): Segments<'_>, hours: f64, tariff: &PricesSet) {
        for (ends, kw) in slots.windows(2).zip(kw) {
            for slot in ends[0]..ends[1] {
                let at = nearest(tariff, slot);
                let charge = kw.max(0.0) * hours;
                let discharge = (-kw).max(0.0) * hours;
                self.charge_kwh += charge;
                self.discharge_kwh += discharge;
                self.cost += charge * tariff.buy[at] - discharge * tariff.sell[at];
            }
        }
    }
}
