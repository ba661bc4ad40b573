//! The data of a chart as a table: what the page carries, and what is copied as CSV.

use crate::local_time::Times;
use serde_json::{Value, json};

/// Columns of equal length.
pub(crate) struct Data {
    /// In order.
    pub columns: Vec<Column>,
}

/// A column of a chart's data.
pub(crate) struct Column {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Values,
}

/// What a column holds.
pub(crate) enum Values {
    /// Starts of slots.
    Times(Times),
    /// Names.
    Words(Vec<String>),
    /// Numbers in the chart's unit; NaN for none.
    Numbers(Vec<f64>),
}

impl Column {
    /// The column of time.
    pub(crate) fn times(times: &Times) -> Self {
        Self { name: "local time".to_owned(), values: Values::Times(times.clone()) }
    }

    /// A column of names.
    pub(crate) fn words(name: &str, words: Vec<String>) -> Self {
        Self { name: name.to_owned(), values: Values::Words(words) }
    }

    /// A column of numbers.
    pub(crate) fn numbers(name: &str, numbers: &[f64]) -> Self {
        Self { name: name.to_owned(), values: Values::Numbers(numbers.to_vec()) }
    }

    fn json(&self, shared: &mut Vec<Times>) -> Value {
        let numbers = |all: &[f64]| all.iter().map(|&it| json!(brief(it))).collect::<Value>();
        match &self.values {
            Values::Times(times) => json!({ "name": self.name, "times": place(shared, times) }),
            Values::Words(words) => json!({ "name": self.name, "values": words }),
            Values::Numbers(all) => json!({ "name": self.name, "values": numbers(all) }),
        }
    }
}

impl Data {
    /// As the page carries it; times are put among those that charts share.
    pub(crate) fn json(&self, shared: &mut Vec<Times>) -> Value {
        self.columns.iter().map(|column| column.json(shared)).collect()
    }
}

/// Times as the page carries them: the wall clock, and what it follows from.
pub(crate) fn times_json(times: &Times) -> Value {
    let local = (0..times.starts.len()).map(|slot| times.local(slot));
    let local: Value = local.map(|at| at.format("%Y-%m-%dT%H:%M").to_string()).collect();
    let start_s = times.starts.first().map(|start| start / 1_000_000);
    json!({
        "local": local,
        "zone": times.zone.name(),
        "start_s": start_s,
        "step_s": times.step / 1_000_000,
    })
}

/// Where times stand among the shared ones, to which new ones are added.
fn place(shared: &mut Vec<Times>, times: &Times) -> usize {
    shared.iter().position(|known| known == times).unwrap_or_else(|| {
        shared.push(times.clone());
        shared.len() - 1
    })
}

/// Seven digits that count: more than any eye or paper needs, and half the bytes; NaN for none.
fn brief(number: f64) -> Option<f64> {
    if !number.is_finite() {
        return None;
    }
    format!("{number:.6e}").parse().ok()
}
