//! What a point of a sweep came to.

use crate::measured::{COLUMNS, Values, values_json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use voltide_telemetry::Summary;

/// A point that was run, or that could not be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Name of its policy.
    pub policy: String,
    /// Seed of its draws.
    pub seed: u64,
    /// Id of the run; `None` where there was none.
    pub run_id: Option<String>,
    /// Why it failed; `None` where it did not.
    pub error: Option<String>,
    /// ISO 4217 code of its money; empty where it failed.
    pub currency: String,
    /// Its figures by name; empty where it failed.
    figures: Map<String, Value>,
}

impl Row {
    /// A run that reached its end.
    pub(crate) fn finished(summary: &Summary, seed: u64, run_id: String, values: &Values) -> Self {
        Self {
            policy: summary.policy.clone(),
            seed,
            run_id: Some(run_id),
            error: None,
            currency: summary.currency.clone(),
            figures: values_json(values),
        }
    }

    /// A run that did not, or never began.
    pub(crate) fn failed(policy: String, seed: u64, run_id: Option<String>, error: String) -> Self {
        let error = Some(error);
        Self { policy, seed, run_id, error, currency: String::new(), figures: Map::new() }
    }

    /// "finished" or "failed".
    pub(crate) fn status(&self) -> &'static str {
        if self.error.is_none() { "finished" } else { "failed" }
    }

    /// Its figures, by [`COLUMNS`].
    pub(crate) fn values(&self) -> Values {
        COLUMNS.map(|column| self.figures.get(column.name).and_then(Value::as_f64))
    }

    /// Its figures by name.
    pub(crate) fn figures(&self) -> &Map<String, Value> {
        &self.figures
    }
}
