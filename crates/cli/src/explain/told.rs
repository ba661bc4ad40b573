//! Sentences, each with the events that it stands on.

use serde_json::{Value, json};
use voltide_model::clock::Clock;

/// A sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The words.
    pub text: String,
    /// Numbers of the events that say so.
    pub events: Vec<u64>,
}

impl Told {
    /// Words that stand on events.
    pub(crate) fn new(text: String, events: impl IntoIterator<Item = u64>) -> Self {
        Self { text, events: events.into_iter().collect() }
    }

    /// As people read it.
    pub(crate) fn in_words(&self) -> String {
        let events = match self.events.as_slice() {
            [] => String::new(),
            [one] => format!(" [event {one}]"),
            many => {
                let many: Vec<String> = many.iter().map(u64::to_string).collect();
                format!(" [events {}]", many.join(", "))
            }
        };
        format!("{}{events}", self.text)
    }

    /// As programs read it.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "text": self.text, "events": self.events })
    }
}

/// When a slot begins, on the wall clock of the world.
pub(crate) fn at(clock: &Clock, slot: u32) -> String {
    clock.local(slot).format("%Y-%m-%d %H:%M").to_string()
}
