//! Phase 7: the slot passes.

use crate::apply::State;
use voltide_journal::event::{Event, SlotElapsed, TickStarted};

/// Emits `SlotElapsed`: batteries and ledgers move by the applied power.
pub(crate) fn settle(mut state: State) {
    let cause = state.cause(&[&TickStarted::KIND]);
    state.emit(cause, Event::SlotElapsed(SlotElapsed {}));
}
