//! The kinds of records in a log, each with its name, version, encoding and schema.
//!
//! A record's body is JSON (`{"cause_seq":..,"event":{..}}`) or a stretch of an Arrow IPC stream:
//! one record batch and the end-of-stream mark, which make a whole stream when they follow the
//! data of the mcap schema. The trailer after the mark is no Arrow: `cause_seq` as a little-endian
//! u64 (2^64 - 1 for none), and for `TickSealed` the 32 bytes of the chain hash.

use crate::event::{
    self, RunEnded, TickSealed,
    fact::Form,
    older::{Older, Upcast},
};
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions, write_message};
use arrow_schema::{Field, Schema, SchemaRef};
use std::sync::{Arc, LazyLock};

/// What made the run.
pub(crate) const BUILD: &str = "Build.v1";
/// Closes a group of events that is no tick: the opening and the ending of a run.
pub(crate) const SEALED: &str = "Sealed.v1";
/// The end of a run.
pub(crate) const RUN_ENDED: &str = RunEnded::KIND.version;
/// Closes a tick.
pub(crate) const TICK_SEALED: &str = TickSealed::KIND.version;

/// A kind of record.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    /// Name and version of its schema.
    pub(crate) name: &'static str,
    /// Columns of its batch; `None` for JSON.
    pub(crate) columns: Option<SchemaRef>,
    /// The data of its mcap schema.
    pub(crate) schema_data: Vec<u8>,
    /// What it is read as, where only earlier versions wrote it.
    pub(crate) upcast: Option<Upcast>,
}

impl Kind {
    /// A kind of these columns; `None` for JSON.
    pub(crate) fn new(
        name: &'static str,
        columns: Option<Vec<Field>>,
        upcast: Option<Upcast>,
    ) -> Self {
        let columns = columns.map(|columns| Arc::new(Schema::new(columns)));
        let schema_data = columns
            .as_ref()
            .map_or_else(|| br#"{"type":"object"}"#.to_vec(), |schema| schema_message(schema));
        Self { name, columns, schema_data, upcast }
    }

    /// How schema and bodies are encoded, in mcap's words.
    pub(crate) fn encodings(&self) -> (&'static str, &'static str) {
        if self.columns.is_some() { ("arrow-ipc", "arrow-ipc") } else { ("jsonschema", "json") }
    }

    /// Whether `data`, read from a log, describes the same bodies as this version's schema. Data
    /// that may be damaged are not taken apart, which they might not survive: they do if they are
    /// the same.
    pub(crate) fn fits(&self, data: &[u8], is_sound: bool) -> bool {
        match &self.columns {
            None => true,
            Some(_) if !is_sound => self.schema_data == data,
            Some(schema) => arrow_ipc::convert::try_schema_from_ipc_buffer(data)
                .is_ok_and(|found| found.fields() == schema.fields()),
        }
    }
}

/// Every kind: those that are written, in the order of their channels, then those that are only
/// read.
pub(crate) static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let records = [BUILD, SEALED].map(json);
    let events = event::KINDS.iter().map(|kind| of_event(kind));
    records.into_iter().chain(events).chain(older()).collect()
});

/// The kinds that this version writes, in the order of their channels.
pub(crate) fn written() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|kind| kind.upcast.is_none())
}

/// The place of a kind in [`KINDS`].
pub(crate) fn position(name: &str) -> Option<usize> {
    KINDS.iter().position(|kind| kind.name == name)
}

/// The kind of this name.
pub(crate) fn named(name: &str) -> Option<&'static Kind> {
    position(name).map(|place| &KINDS[place])
}

/// The kinds of events by name, without their version: what the history of a run is made of.
pub fn event_names() -> impl Iterator<Item = &'static str> {
    event::KINDS.iter().map(|kind| kind.name)
}

/// The names of all kinds, for a message.
pub(crate) fn known() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

/// Kinds that are read and no longer written.
fn older() -> Vec<Kind> {
    let older = event::KINDS.iter().flat_map(|kind| kind.older).map(of_older);
    #[cfg(test)]
    let older = older.chain(crate::upcast::tests::older());
    older.collect()
}

fn of_older(older: &Older) -> Kind {
    Kind::new(older.name, older.columns.map(|columns| columns()), Some(older.upcast))
}

fn json(name: &'static str) -> Kind {
    Kind::new(name, None, None)
}

fn of_event(kind: &event::fact::Kind) -> Kind {
    match kind.form {
        Form::Control => json(kind.version),
        Form::Record | Form::Rows => Kind::new(kind.version, Some((kind.columns)()), None),
    }
}

fn schema_message(schema: &Schema) -> Vec<u8> {
    let options = IpcWriteOptions::default();
    let mut tracker = DictionaryTracker::new(false);
    let message = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
        schema,
        &mut tracker,
        &options,
    );
    let mut bytes = Vec::new();
    write_message(&mut bytes, message, &options).expect("writing to memory does not fail");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_read_back_fits_its_kind_and_no_other() {
        for (place, kind) in KINDS.iter().enumerate() {
            assert_eq!(position(kind.name), Some(place));
            let fits: Vec<_> = KINDS
                .iter()
                .filter(|other| other.columns.is_some() && other.fits(&kind.schema_data, true))
                .collect();
            assert_eq!(fits.len(), usize::from(kind.columns.is_some()), "{}", kind.name);
        }
    }
}
