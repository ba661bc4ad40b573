//! Events as JSON: short enough for a line on the screen or a cell of a table, and row by row.
//!
//! In short a batch is told by its number of rows and what its columns come to, a list by its
//! number of values and their range, the world's text by its length.

use crate::event::{
    Entity, Event,
    fact::{Form, Kind},
    object,
};
use serde_json::{Map, Value};

/// A row of a batch: its fields by name, with their units.
pub type Row = Map<String, Value>;

impl Event {
    /// Number of rows of a batch; `None` for an event that is none.
    pub fn rows(&self) -> Option<usize> {
        self.batch_ids().map(|(_, ids)| ids.len())
    }

    /// What the event is about, if that is one thing: a batch must have a single row.
    pub fn entity(&self) -> Option<Entity> {
        match self.batch_ids() {
            Some((kind, [id])) => Some(Entity { kind, id: id.to_string() }),
            Some(_) => None,
            None => self.fact().about(),
        }
    }

    /// The session (stay) that the event is about, if it is a single one.
    pub fn session(&self) -> Option<u32> {
        let [stay] = self.fact().stays()? else { return None };
        Some(*stay)
    }

    /// What the rows of a batch are about, and their ids.
    pub(crate) fn batch_ids(&self) -> Option<(&'static str, &[u32])> {
        self.declared().about.zip(self.fact().ids())
    }

    /// The rows of a batch with all their fields; `None` for an event that is none.
    pub fn entity_rows(&self) -> Option<Vec<EntityRow>> {
        let (kind, ids) = self.batch_ids()?;
        let stays = self.fact().stays();
        let columns: Vec<_> =
            self.fact().fields().into_iter().map(|(name, field)| (name, field.values())).collect();
        let row = |(row, id): (usize, &u32)| EntityRow {
            entity: Entity { kind, id: id.to_string() },
            stay: stays.map(|stays| stays[row]),
            fields: object(columns.iter().map(|(name, values)| (*name, values[row].clone()))),
        };
        Some(ids.iter().enumerate().map(row).collect())
    }
}

/// A row of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityRow {
    /// What it is about.
    pub entity: Entity,
    /// The session (stay) that it is about.
    pub stay: Option<u32>,
    /// All fields.
    pub fields: Row,
}

/// The event's content in short; the keys are the fields of the event, with their units.
pub fn describe(event: &Event) -> Value {
    object(told(event).into_iter()).into()
}

/// The same as text, with its keys in order whatever features `serde_json` was built with.
pub fn described(event: &Event) -> String {
    let mut told = told(event);
    told.sort_by_key(|(name, _)| *name);
    as_text(told)
}

/// JSON of these names and values, in their order.
fn as_text(told: Vec<(&'static str, Value)>) -> String {
    let mut text = vec![b'{'];
    for (name, mut value) in told {
        value.sort_all_objects();
        if text.len() > 1 {
            text.push(b',');
        }
        text.push(b'"');
        // A field's name has nothing that JSON would escape.
        text.extend(name.as_bytes());
        text.extend(b"\":");
        serde_json::to_writer(&mut text, &value).expect("writing to memory does not fail");
    }
    text.push(b'}');
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// What is told of an event in short, by name.
fn told(event: &Event) -> Vec<(&'static str, Value)> {
    let Kind { form, tells_first, .. } = event.declared();
    let fields = event.fact().fields().into_iter();
    let rows = (*form == Form::Rows).then(|| ("rows", event.rows().into()));
    let mut told: Vec<_> = rows.into_iter().collect();
    told.extend(fields.filter_map(|(name, field)| Some((name, field.brief(*form)?))));
    let first = tells_first.then(|| event.entity_rows()?.into_iter().next());
    told.extend(first.flatten().map(|row| ("first", row.fields.into())));
    told
}
