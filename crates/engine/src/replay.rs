//! A run that is read from its journal instead of being decided.

use crate::{
    ecs::{Core, sink_error},
    failure::EngineError,
    outbox::Outbox,
    remembered::Remembered,
    simulation::Ended,
    tick::Journal,
};
use std::sync::Arc;
use voltide_journal::{
    event::{Event, Recorded, fact::Step},
    sink::Sink,
};
use voltide_model::scenario::Scenario;

/// A run that is read from its journal instead of being decided.
pub struct Replay<S> {
    pub(crate) core: Core,
    pub(crate) sink: S,
    pub(crate) verify: bool,
    pub(crate) tick_events: Vec<Recorded>,
    pub(crate) remembered: Remembered,
}

impl<S: Sink> Replay<S> {
    /// A replay of a run of `scenario`; with `verify` the state hashes are compared too.
    pub fn new(scenario: Arc<Scenario>, sink: S, threads: usize, verify: bool) -> Self {
        let core = Core::new(scenario, threads, None);
        Self { core, sink, verify, tick_events: Vec::new(), remembered: Remembered::default() }
    }

    /// Takes in the next event of the journal. A `TickSealed` replays its tick.
    pub fn event(&mut self, recorded: Recorded) -> Result<(), EngineError> {
        self.remembered.note(&recorded);
        let step = recorded.event.step();
        if step == Step::Seal {
            return self.tick(recorded);
        }
        if step.is_of_a_tick() {
            // They wait for their seal: what was not sealed did not happen.
            self.tick_events.push(recorded);
            return Ok(());
        }
        if matches!(recorded.event, Event::RunForked(_)) {
            self.core.feed(recorded.clone());
            self.core.outbox().take();
        }
        self.sink.event(self.core.scenario(), &recorded).map_err(sink_error)
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
        // What is shown is the record itself, which the replay has come to as well.
        self.core.show(&mut self.sink, &recorded)?;
        self.sink.event(self.core.scenario(), &sealed).map_err(sink_error)?;
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
