//! A run goes on where its journal ends.
//!
//! ```text
//! journal ──▶ Replay: the same phases, the same apply ──▶ resume ──▶ Simulation
//! ```
//!
//! Whatever decides reads the state that events made, so there is nothing else to bring back, but
//! for what a policy keeps to itself: the memory of a stateful one is an event, and so is that one
//! panicked and is not asked again.

use crate::{
    deciders::Deciders,
    failure::EngineError,
    outbox::Outbox,
    phase::plan::Planners,
    replay::Replay,
    simulation::{Simulation, Start},
};
use std::sync::Arc;
use voltide_journal::{event::fact::Step, log::EventLog, sink::Sink};

impl<S: Sink> Replay<S> {
    /// Goes on live where the journal ends, and writes to `log` from the tick after the last one.
    ///
    /// Scenario, texts and build of `start` stand in the journal already and are not used.
    ///
    /// # Errors
    /// The journal ended within a tick, the state is another than it sealed, or a policy does not
    /// take its memory back.
    pub fn resume<L: EventLog>(
        mut self,
        start: Start,
        log: L,
    ) -> Result<Simulation<L, S>, EngineError> {
        self.check_state()?;
        let Start { planner, fallback, forecaster, .. } = start;
        let scenario = Arc::clone(self.core.scenario());
        let mut deciders = Deciders::new(&scenario, planner, fallback, forecaster)?;
        self.take_memories(&mut deciders.planners)?;
        deciders.enter(&mut self.core.world);
        // Events are numbered through the run, whoever decided them.
        *self.core.outbox() = Outbox::from(self.remembered.next_seq());
        Ok(Simulation { core: self.core, log, sink: self.sink, remembered: self.remembered })
    }

    /// Gives policies back what they remember.
    pub(crate) fn take_memories(&self, planners: &mut Planners) -> Result<(), EngineError> {
        let tick = self.core.next_tick;
        planners
            .restore(self.remembered.memories())
            .map_err(|fault| EngineError::Policy { tick, fault })
    }

    /// Compares the state with what the last tick sealed.
    pub(crate) fn check_state(&mut self) -> Result<(), EngineError> {
        if !self.tick_events.is_empty() {
            return Err(EngineError::Incomplete("end of its last tick"));
        }
        if let Some(sealed) = self.remembered.last_sealed() {
            // A replay that does not compare has hashed no tick; the one that is gone on from has
            // to be.
            self.core.follow(Step::Seal)?;
            self.core.compare(sealed)?;
        }
        Ok(())
    }
}
