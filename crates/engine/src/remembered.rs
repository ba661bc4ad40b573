//! What a journal holds that the state does not.

use crate::phase::plan::PolicyMemory;
use std::collections::BTreeMap;
use voltide_journal::{
    event::{Bytes, Event, PolicyFaulted, PolicyStateSaved, Recorded, fact::Step},
    snapshot::{Lacking, Part},
};
use voltide_model::id::StayId;

/// A fault of which only matters that it was the last of its policy.
const LOST: PolicyFaulted = PolicyFaulted {
    policy: String::new(),
    message: String::new(),
    lost: true,
    fallback: String::new(),
    first_stay: StayId(0),
    stays: 0,
};

/// What a replay, or a live run, remembers of the journal for going on after it.
#[derive(Default)]
pub(crate) struct Remembered {
    memories: BTreeMap<String, PolicyMemory>,
    last_sealed: Option<Recorded>,
    next_seq: u64,
}

impl Remembered {
    /// Remembers what the state does not hold.
    pub(crate) fn note(&mut self, recorded: &Recorded) {
        if recorded.event.step() == Step::Seal {
            return self.note_seal(recorded.clone());
        }
        self.next_seq = recorded.seq + 1;
        let event = &recorded.event;
        if let Event::PolicyStateSaved(saved) = event {
            self.memory(&saved.policy).state = Some(saved.state.0.clone());
        }
        if let Event::PolicyFaulted(faulted) = event {
            self.memory(&faulted.policy).lost |= faulted.lost;
        }
        // The fork's policy is another, to which what this one kept means nothing.
        if event.forks().is_some_and(|forked| forked.replan) {
            self.forget_policies();
        }
    }

    /// Remembers the seal of a tick.
    pub(crate) fn note_seal(&mut self, sealed: Recorded) {
        self.next_seq = sealed.seq + 1;
        self.last_sealed = Some(sealed);
    }

    fn memory(&mut self, policy: &str) -> &mut PolicyMemory {
        self.memories.entry(policy.to_owned()).or_default()
    }

    /// Policies begin anew.
    pub(crate) fn forget_policies(&mut self) {
        self.memories.clear();
    }

    /// The last tick's seal.
    pub(crate) fn last_sealed(&self) -> Option<&Recorded> {
        self.last_sealed.as_ref()
    }

    /// What each policy keeps to itself.
    pub(crate) fn memories(&self) -> &BTreeMap<String, PolicyMemory> {
        &self.memories
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
        let mut remembered = Self::default();
        for event in part.events()? {
            remembered.note(&Recorded { event, ..sealed.clone() });
        }
        // Last, since the numbers of events go on from the seal.
        remembered.note(sealed);
        Ok(remembered)
    }
}
