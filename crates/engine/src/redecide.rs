//! A run is replayed, and a policy is asked again at every call that is recorded.
//!
//! The state stays that of the record, whatever the policy answers now: every answer is compared
//! with the one that was given to the same question.

use crate::{
    EngineError,
    outbox::Outbox,
    phase::{
        Phase,
        plan::{Planners, again::ask_again},
    },
    prices::PriceBook,
    simulation::{Core, Deciders, Start},
    state::Fixed,
};
use std::sync::Arc;
use voltide_journal::event::{Event, PlansAccepted, Recorded};
use voltide_model::scenario::Scenario;

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
    pub first: Option<(u32, u32)>,
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
    planners: Option<Planners>,
    tick_events: Vec<Recorded>,
    found: Redecided,
}

impl Redecision {
    /// Of a history that begins in `scenario`; the policies of `start` are asked.
    pub fn new(scenario: Arc<Scenario>, start: Start) -> Result<Self, EngineError> {
        let Start { planner, fallback, forecaster, threads, .. } = start;
        let Deciders { planners, .. } = Deciders::new(&scenario, planner, fallback, forecaster)?;
        let core = Core::new(scenario, threads, None);
        Ok(Self { core, planners: Some(planners), tick_events: Vec::new(), found: Redecided::default() })
    }

    /// Takes in the next event of the journal.
    pub fn event(&mut self, recorded: Recorded) -> Result<(), EngineError> {
        match &recorded.event {
            Event::RunStarted(_) | Event::SeriesLoaded(_) | Event::StaysLoaded(_) | Event::RunEnded(_) => {
                Ok(())
            }
            Event::TickSealed(_) => self.tick(&recorded),
            _ => {
                self.tick_events.push(recorded);
                Ok(())
            }
        }
    }

    /// What was found.
    pub fn found(&self) -> Redecided {
        self.found
    }

    fn tick(&mut self, sealed: &Recorded) -> Result<(), EngineError> {
        let recorded = std::mem::take(&mut self.tick_events);
        *self.core.outbox() = Outbox::from(sealed.seq);
        let decided = recorded.into_iter().filter(|it| !it.event.follows());
        let (of_units, of_cars): (Vec<_>, Vec<_>) = decided.partition(|it| it.event.is_of_units());
        for recorded in of_cars {
            if let Event::PlansAccepted(plans) = &recorded.event {
                self.compare(recorded.tick, plans)?;
            }
            self.core.feed(vec![recorded]);
        }
        self.core.run_phases(|phase| phase == Phase::Limit)?;
        self.core.feed(of_units);
        let rest = |phase: Phase| ![Phase::Limit, Phase::Record].contains(&phase) && !phase.decides();
        self.core.run_phases(rest)?;
        self.core.outbox().take();
        self.core.next_tick = sealed.tick + 1;
        Ok(())
    }

    fn compare(&mut self, tick: u32, recorded: &PlansAccepted) -> Result<(), EngineError> {
        let Some(planners) = self.planners.take() else { return Ok(()) };
        let world = &mut self.core.world;
        world.insert_resource(planners);
        let asked = world.run_system_cached_with(ask_again, recorded.clone());
        self.planners = world.remove_resource::<Planners>();
        let asked = asked.expect("the state's resources are inserted");
        let again = asked.map_err(|fault| EngineError::Policy { tick, fault })?;
        self.found.calls += 1;
        self.found.plans += recorded.ev.len() as u64;
        let (fixed, prices) = (world.resource::<Fixed>(), world.resource::<PriceBook>());
        for (row, &ev) in recorded.ev.iter().enumerate() {
            if recorded.segments.of(row) != again.segments.of(row) {
                self.found.differing += 1;
                self.found.first = self.found.first.or(Some((tick, ev)));
            }
            let hours = fixed.scenario.clock.slot_hours();
            let tariff = &prices.current()[fixed.fleet_of(ev).tariff];
            let price = |slot: u32| {
                let at = (tariff.at(slot.max(tariff.first_slot))).min(tariff.buy.len() - 1);
                (tariff.buy[at], tariff.sell[at])
            };
            self.found.recorded.add(recorded.segments.of(row), hours, price);
            self.found.again.add(again.segments.of(row), hours, price);
        }
        Ok(())
    }
}

/// Slots and powers of the segments of a schedule.
type Segments<'a> = (&'a [u32], &'a [f64]);

impl Planned {
    fn add(&mut self, (slots, kw): Segments<'_>, hours: f64, price: impl Fn(u32) -> (f64, f64)) {
        for (ends, kw) in slots.windows(2).zip(kw) {
            for slot in ends[0]..ends[1] {
                let (buy, sell) = price(slot);
                let (charge, discharge) = (kw.max(0.0) * hours, (-kw).max(0.0) * hours);
                self.charge_kwh += charge;
                self.discharge_kwh += discharge;
                self.cost += charge * buy - discharge * sell;
            }
        }
    }
}
