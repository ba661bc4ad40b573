//! Rows of the table `events`: what an event was about, and its content as JSON.

use crate::frame::EventRow;
use voltide_journal::{
    describe::describe,
    event::{Event, Recorded},
};

/// The row of an event.
pub(crate) fn row(recorded: &Recorded) -> EventRow {
    EventRow {
        seq: recorded.seq,
        tick: recorded.tick,
        kind: recorded.event.name(),
        entity: recorded.event.entity(),
        session_id: recorded.event.session(),
        cause_seq: recorded.cause_seq,
        payload: payload(&recorded.event),
    }
}

/// The event's content as JSON with its keys in order, whatever features `serde_json` was built with.
fn payload(event: &Event) -> String {
    let mut content = describe(event);
    content.sort_all_objects();
    content.to_string()
}
