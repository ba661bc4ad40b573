//! What earlier versions wrote of an event, and how it becomes today's.

use super::{StaysLoaded, field::one_list};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, cast::AsArray, types::Float64Type};
use arrow_schema::{DataType, Field};
use serde_json::Value;
use std::sync::Arc;
use voltide_model::rules::Rules;

/// What a body holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Of a kind that is JSON.
    Json(Value),
    /// Of a kind that is columns.
    Columns(RecordBatch),
}

/// The way from a version of a kind to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upcast {
    /// Name and version of what it becomes.
    pub(crate) to: &'static str,
    /// How.
    pub(crate) step: Way,
}

/// A pure function from the content of one version to that of the next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// For JSON.
    Json(fn(Value) -> Value),
    /// For columns, which come in the order of the schema.
    Columns(fn(&RecordBatch) -> Vec<ArrayRef>),
}

/// A version of an event that is read and no longer written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Older {
    /// Name and version.
    pub(crate) name: &'static str,
    /// Its columns; `None` for JSON.
    pub(crate) columns: Option<fn() -> Vec<Field>>,
    /// The way to the next version.
    pub(crate) upcast: Upcast,
}

impl Older {
    const fn json(name: &'static str, to: &'static str, step: fn(Value) -> Value) -> Self {
        Self { name, columns: None, upcast: Upcast { to, step: Way::Json(step) } }
    }

    const fn columns(
        name: &'static str,
        to: &'static str,
        columns: fn() -> Vec<Field>,
        step: fn(&RecordBatch) -> Vec<ArrayRef>,
    ) -> Self {
        Self { name, columns: Some(columns), upcast: Upcast { to, step: Way::Columns(step) } }
    }
}

/// How runs began before they said which rules they go by.
pub(crate) const RUNS_STARTED: &[Older] =
    &[Older::json("RunStarted.v1", "RunStarted.v2", under_first_rules)];

/// Sessions when NaN stood for energy that was not recorded.
pub(crate) const STAYS_LOADED: &[Older] =
    &[Older::columns("StaysLoaded.v1", "StaysLoaded.v2", stays_v1, stays_v1_to_v2)];

/// A run of 0.1.0 does not say which rules it goes by: there were no others.
fn under_first_rules(mut started: Value) -> Value {
    if let Some(fields) = started.as_object_mut() {
        fields.insert("rules".to_owned(), u32::from(Rules::V1).into());
    }
    started
}

/// Where `delivered_kwh` stands.
const DELIVERED: usize = 5;

/// The columns of sessions when `delivered_kwh` held NaN for what was not recorded.
pub(crate) fn stays_v1() -> Vec<Field> {
    let mut fields = (StaysLoaded::KIND.columns)();
    let item = Arc::new(Field::new("item", DataType::Float64, false));
    fields[DELIVERED] = Field::new("delivered_kwh", DataType::List(item), false);
    fields
}

fn stays_v1_to_v2(batch: &RecordBatch) -> Vec<ArrayRef> {
    let mut columns = batch.columns().to_vec();
    let list = columns[DELIVERED].as_list::<i32>().values();
    let values = list.as_primitive::<Float64Type>().values().iter();
    let recorded: Float64Array =
        values.map(|&energy| (!energy.is_nan()).then_some(energy)).collect();
    let item = Arc::new(Field::new("item", DataType::Float64, true));
    let list = one_list(item, Arc::new(recorded)).expect("a list of one row can be made");
    columns[DELIVERED] = list;
    columns
}
