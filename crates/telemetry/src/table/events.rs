//! The table `events`: the journal, a row an event.

use crate::{
    rows::rows,
    value::{Text, Time, Word},
};
use voltide_journal::{
    describe::described,
    event::{Entity, Recorded},
};
use voltide_model::clock::Clock;

rows! {
    /// The journal as a table: one row per event; an event about many cars or sites is one row too.
    pub events by seq {
        /// number of the event in the run, from 0
        seq: u64;
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// what happened, in the past tense
        kind: Word;
        /// what it is about: ev, site, series, fleet, tariff or policy; null where that is not
        /// exactly one
        entity_kind: Option<Word>;
        /// which one: a car's or site's number, the name of any other; null likewise
        entity_id: Option<Text>;
        /// in which session, where it is exactly one
        session_id: Option<u32>;
        /// the event that led to this one
        cause_seq: Option<u64>;
        /// JSON with sorted keys, the same as `voltide log cat` shows: its content; counts, sums
        /// and ranges where it is about many
        payload: Text;
    }
}

/// What a row says of an event, kept until it is written.
#[derive(Debug)]
pub(crate) struct EventRow {
    seq: u64,
    tick: u32,
    kind: &'static str,
    entity: Option<Entity>,
    session: Option<u32>,
    cause: Option<u64>,
    payload: String,
}

impl EventRow {
    /// The row of an event.
    pub(crate) fn of(recorded: &Recorded) -> Self {
        Self {
            seq: recorded.seq,
            tick: recorded.tick,
            kind: recorded.event.name(),
            entity: recorded.event.entity(),
            session: recorded.event.session(),
            cause: recorded.cause_seq,
            payload: described(&recorded.event),
        }
    }

    /// The same as it is written.
    pub(crate) fn row(&self, clock: &Clock) -> Row<'_> {
        Row {
            seq: self.seq,
            ts: Time::of_slot(clock, self.tick),
            tick: self.tick,
            kind: self.kind,
            entity_kind: self.entity.as_ref().map(|entity| entity.kind),
            entity_id: self.entity.as_ref().map(|entity| entity.id.as_str()),
            session_id: self.session,
            cause_seq: self.cause,
            payload: &self.payload,
        }
    }
}
