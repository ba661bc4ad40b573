//! The events of the tick that is being simulated.

use crate::state::Now;
use bevy_ecs::{prelude::*, system::SystemParam};
use voltide_journal::event::{Event, Recorded, fact::Kind};

/// Events in the order in which they happened, numbered through the run.
#[derive(Resource, Default)]
pub(crate) struct Outbox {
    events: Vec<Recorded>,
    next_seq: u64,
}

impl Outbox {
    /// An outbox whose next event has the number `next_seq`.
    pub(crate) fn from(next_seq: u64) -> Self {
        Self { events: Vec::new(), next_seq }
    }

    /// Adds an event and returns its number.
    pub(crate) fn push(&mut self, cause_seq: Option<u64>, tick: u32, event: Event) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.events.push(Recorded { seq, cause_seq, tick, event });
        seq
    }

    /// The number of the last event of one of `kinds`.
    pub(crate) fn last_of(&self, kinds: &[&Kind]) -> Option<u64> {
        self.events
            .iter()
            // The nearest one is the cause.
            .rev()
            .find(|e| kinds.iter().any(|kind| kind.version == e.event.kind()))
            .map(|e| e.seq)
    }

    /// Sets a number aside for an event that is recorded elsewhere.
    pub(crate) fn reserve(&mut self) -> u64 {
        // The seal is numbered with the tick's events, though the log writes it.
        self.next_seq += 1;
        self.next_seq - 1
    }

    /// The number that the next event will have.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Takes the tick's events out.
    pub(crate) fn take(&mut self) -> Vec<Recorded> {
        std::mem::take(&mut self.events)
    }
}

/// Records the events of a system.
#[derive(SystemParam)]
pub(crate) struct Recorder<'w> {
    now: Res<'w, Now>,
    outbox: ResMut<'w, Outbox>,
}

impl Recorder<'_> {
    /// Applies an event to the state and records it as an event `of` its kind. Returns its number.
    pub(crate) fn emit<E>(
        &mut self,
        cause_seq: Option<u64>,
        fact: E,
        of: impl FnOnce(E) -> Event,
        apply: impl FnOnce(&E),
    ) -> u64 {
        apply(&fact);
        self.note(cause_seq, of(fact))
    }

    /// Records an event that changes nothing, or that other systems of its step apply. Returns its
    /// number.
    pub(crate) fn note(&mut self, cause_seq: Option<u64>, event: Event) -> u64 {
        self.outbox.push(cause_seq, self.now.tick, event)
    }

    /// The tick that events are recorded in.
    pub(crate) fn tick(&self) -> u32 {
        self.now.tick
    }

    /// The number of this tick's last event of the same kind as one of `kinds`.
    pub(crate) fn cause(&self, kinds: &[&Kind]) -> Option<u64> {
        self.outbox.last_of(kinds)
    }
}
