//! A problem in the making: a JSON text, completed by others and by single values.

use crate::{
    Mode, Problem,
    error::{Read, Rejection},
    file::File,
    resolve,
    unique::Unique,
};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

/// A JSON text that may still lack something.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Input(Map<String, Value>);

impl Input {
    /// Reads a text that holds a JSON object.
    ///
    /// # Errors
    ///
    /// Where the text is not JSON, or no object, or an object in it has a field twice.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        match serde_json::from_str(text) {
            Ok(Unique(Value::Object(fields))) => Ok(Self(fields)),
            Ok(Unique(_)) => Err(Rejection::schema("", "the file holds no JSON object")),
            Err(error) => Err(Rejection::schema("", format!("the text is not JSON: {error}"))),
        }
    }

    /// Adds another text's fields; what both have is taken from the other one, objects field by
    /// field.
    pub fn merge(&mut self, other: Self) {
        merge(&mut self.0, other.0);
    }

    /// Sets a field of the file itself, such as `start`.
    pub fn set(&mut self, field: &str, value: &str) {
        self.0.insert(field.to_owned(), json!(value));
    }

    /// Sets a field of every storage device of the flex model.
    pub fn set_device(&mut self, field: &str, value: &str) {
        let model = self.0.entry("flex-model").or_insert_with(|| json!({}));
        let entries = match model {
            Value::Array(entries) => entries.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            let fixed = entry.contains_key("inflexible-consumption")
                || entry.contains_key("inflexible-production");
            // Fixed devices are refused where they have a field of storage.
            if !fixed {
                entry.insert(field.to_owned(), json!(value));
            }
        }
    }

    /// The unit that the file gives a named series, if it does.
    pub fn unit_of(&self, sensor: &str) -> Option<&str> {
        self.0.get("sensors")?.get(sensor)?.get("unit")?.as_str()
    }

    /// Gives a sensor its series: values that hold from `start` on, `seconds` each.
    pub fn set_series(
        &mut self,
        sensor: &str,
        unit: &str,
        start: DateTime<Utc>,
        seconds: i64,
        values: &[f64],
    ) {
        let sensors = self.0.entry("sensors").or_insert_with(|| json!({}));
        let series = json!({
            "unit": unit,
            "start": start.to_rfc3339(),
            "resolution": format!("PT{seconds}S"),
            "values": values,
        });
        match sensors.get_mut(sensor).and_then(Value::as_object_mut) {
            Some(there) => merge(there, series.as_object().cloned().unwrap_or_default()),
            // Where `sensors` is no object, whoever reads it will say so.
            None => {
                sensors.as_object_mut().into_iter().for_each(|all| {
                    all.insert(sensor.to_owned(), series.clone());
                });
            }
        }
    }

    /// The problem that the fields describe.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place in the JSON; or everything that is missing.
    pub fn problem(&self, mode: Mode) -> Result<Problem, Rejection> {
        resolve::resolve(&self.file()?, mode)
    }

    fn file(&self) -> Read<File> {
        let value = Value::Object(self.0.clone());
        serde_path_to_error::deserialize(&value).map_err(|error| {
            let path = error.path().to_string();
            // The root, as `serde_path_to_error` calls it.
            Rejection::schema(if path == "." { String::new() } else { path }, error.into_inner())
        })
    }
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (field, value) in from {
        match (into.get_mut(&field), value) {
            (Some(Value::Object(there)), Value::Object(more)) => merge(there, more),
            (_, value) => {
                into.insert(field, value);
            }
        }
    }
}
