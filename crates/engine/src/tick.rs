//! One tick: its steps in their order, and who decides in them.
//!
//! ```text
//!          start ─ arrive ─ price ─ agree ─ plan ─ limit ─ dispatch ─ settle ─ seal
//! decided    ●       ●        ●       ·       ●       ·        ●         ·      ·    by the source
//! follows    ·       ·        ·       ●       ●       ●        ●         ●      ●    from the state
//! ```
//!
//! A live run, a replay and a policy that is asked again are the same tick with another [`Source`]:
//!
//! | what happens           | source                        |
//! |------------------------|-------------------------------|
//! | run, resume, fork      | [`Live`]                      |
//! | replay, state          | [`Journal`]                   |
//! | asking a policy again  | both, in `redecide`           |

use crate::{ecs::Core, failure::EngineError};
use std::collections::VecDeque;
use voltide_journal::event::{Recorded, fact::Step};

/// Who decides in a tick.
pub(crate) trait Source {
    /// Brings about what is decided in a step.
    fn decide(&mut self, core: &mut Core, step: Step) -> Result<(), EngineError>;

    /// Whether the state is hashed, so that it can be sealed, or compared with what was.
    fn hashes(&self) -> bool {
        true
    }
}

impl Core {
    /// Runs a tick through; gives its events, but for the seal.
    pub(crate) fn tick(&mut self, source: &mut impl Source) -> Result<Vec<Recorded>, EngineError> {
        for step in Step::TICK {
            // First what is decided: what follows from the state follows from that as well.
            source.decide(self, step)?;
            // A replay that compares nothing has no use for hashes.
            if step != Step::Seal || source.hashes() {
                self.follow(step)?;
            }
        }
        Ok(self.outbox().take())
    }
}

/// The world's calendar, the policy and the solver decide.
pub(crate) struct Live;

impl Source for Live {
    fn decide(&mut self, core: &mut Core, step: Step) -> Result<(), EngineError> {
        core.decide(step)
    }
}

/// What was decided is taken from the journal.
pub(crate) struct Journal {
    /// Decided events of the tick that have not come up yet.
    decided: VecDeque<Recorded>,
    /// See [`Source::hashes`].
    hashes: bool,
}

impl Journal {
    /// Of a tick's events; those that follow from the state are left out, as a replay comes to
    /// them.
    pub(crate) fn new(recorded: &[Recorded], hashes: bool) -> Self {
        let decided = recorded.iter().filter(|recorded| !recorded.event.follows());
        Self { decided: decided.cloned().collect(), hashes }
    }

    /// The next event that was decided in a step, or before it.
    pub(crate) fn next_in(&mut self, step: Step) -> Option<Recorded> {
        self.decided.pop_front_if(|recorded| recorded.event.step() <= step)
    }
}

impl Source for Journal {
    fn decide(&mut self, core: &mut Core, step: Step) -> Result<(), EngineError> {
        while let Some(recorded) = self.next_in(step) {
            core.feed(recorded);
        }
        Ok(())
    }

    fn hashes(&self) -> bool {
        self.hashes
    }
}
