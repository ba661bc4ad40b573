//! Phase 7: the slot passes.

use crate::apply::State;
use voltide_journal::event::Event;

/// Emits `SlotElapsed`: batteries and ledgers move by the applied power.
pub(crate) fn settle(mut state: State) {
    let cause = state.cause(&["TickStarted.v1"]);
    state.emit(cause, Event::SlotElapsed);
}
