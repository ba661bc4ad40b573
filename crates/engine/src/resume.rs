//! A run goes on where its journal ends.
//!
//! ```text
//! journal ──▶ Replay: the same phases, the same apply ──▶ go_on ──▶ Simulation
//! ```
//!
//! Whatever decides reads the state that events made, so there is nothing else to bring back, but
//! for what a policy keeps to itself: the memory of a stateful one is an event, and so is that one
//! panicked and is not asked again.

use crate::{
    EngineError, Replay, Simulation, Start,
    outbox::Outbox,
    phase::plan::{Memory, Planners},
    simulation::Deciders,
    state::Fixed,
};
use std::{collections::BTreeMap, sync::Arc};
use voltide_journal::{
    event::{Bytes, Event, PolicyFaulted, PolicyStateSaved, Recorded, fact::Step},
    log::EventLog,
    sink::Sink,
    snapshot::{Lacking, Part},
};

/// A fault of which only matters that it was the last of its policy.
const LOST: PolicyFaulted = PolicyFaulted {
    policy: String::new(),
    message: String::new(),
    lost: true,
    fallback: String::new(),
    first_stay: 0,
    stays: 0,
};

/// What a replay, or a live run, remembers of the journal for going on after it.
#[derive(Default)]
pub(crate) struct Past {
    memories: BTreeMap<String, Memory>,
    last_sealed: Option<Recorded>,
    next_seq: u64,
}

impl Past {
    /// Remembers what the state does not hold.
    pub(crate) fn take_note(&mut self, recorded: &Recorded) {
        self.next_seq = recorded.seq + 1;
        match &recorded.event {
            Event::PolicyStateSaved(saved) => {
                self.memories.entry(saved.policy.clone()).or_default().state =
                    Some(saved.state.0.clone());
            }
            Event::PolicyFaulted(faulted) if faulted.lost => {
                self.memories.entry(faulted.policy.clone()).or_default().lost = true;
            }
            Event::RunForked(forked) if forked.replan => self.forget_policies(),
            Event::TickSealed(_) => self.last_sealed = Some(recorded.clone()),
            _ => {}
        }
    }

    /// Policies begin anew.
    pub(crate) fn forget_policies(&mut self) {
        self.memories.clear();
    }

    /// The last tick's seal.
    pub(crate) fn last_sealed(&self) -> Option<&Recorded> {
        self.last_sealed.as_ref()
    }

    /// Number of the event that comes next.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// What there is to carry beside the state.
    pub(crate) fn save(&self) -> Part {
        let mut part = Part::default();
        for (policy, memory) in &self.memories {
            if let Some(state) = memory.state.clone() {
                let policy = policy.clone();
                part = part.with_event(Event::PolicyStateSaved(PolicyStateSaved {
                    policy,
                    state: Bytes(state),
                }));
            }
            if memory.lost {
                let policy = policy.clone();
                part = part.with_event(Event::PolicyFaulted(PolicyFaulted { policy, ..LOST }));
            }
        }
        part
    }

    /// What was carried, up to the tick that `sealed` closed.
    pub(crate) fn load(part: &Part, sealed: &Recorded) -> Result<Self, Lacking> {
        let mut past = Self::default();
        for event in part.events()? {
            past.take_note(&Recorded { event, ..sealed.clone() });
        }
        past.take_note(sealed);
        Ok(past)
    }
}

impl<S: Sink> Replay<S> {
    /// Goes on live where the journal ends, and writes to `log` from the tick after the last one.
    ///
    /// Scenario, texts and build of `start` stand in the journal already and are not used.
    ///
    /// # Errors
    /// The journal ended within a tick, the state is another than it sealed, or a policy does not
    /// take its memory back.
    pub fn go_on<L: EventLog>(
        mut self,
        start: Start,
        log: L,
    ) -> Result<Simulation<L, S>, EngineError> {
        self.check_state()?;
        let Start { planner, fallback, forecaster, .. } = start;
        let scenario = Arc::clone(&self.core.world.resource::<Fixed>().scenario);
        let mut deciders = Deciders::new(&scenario, planner, fallback, forecaster)?;
        self.take_memories(&mut deciders.planners)?;
        deciders.enter(&mut self.core.world);
        *self.core.outbox() = Outbox::from(self.past.next_seq);
        Ok(Simulation { core: self.core, log, sink: self.sink, past: self.past })
    }

    /// Gives policies back what they remember.
    pub(crate) fn take_memories(&self, planners: &mut Planners) -> Result<(), EngineError> {
        let tick = self.core.next_tick;
        planners.take_up(&self.past.memories).map_err(|fault| EngineError::Policy { tick, fault })
    }

    /// Compares the state with what the last tick sealed.
    pub(crate) fn check_state(&mut self) -> Result<(), EngineError> {
        if !self.tick_events.is_empty() {
            return Err(EngineError::Incomplete("end of its last tick"));
        }
        if let Some(sealed) = &self.past.last_sealed {
            self.core.follow(Step::Seal)?;
            self.core.compare(sealed)?;
        }
        Ok(())
    }
}
