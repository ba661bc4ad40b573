//! Tests of the library as its users see it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use serde_json::Value;
use std::{fs, path::Path};

mod cases;
mod checker;
mod conflicts;
mod groups;
mod refusals;
mod series;
mod shapes;
mod together;

/// A case of `tests/cases/schedule`.
fn given(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/schedule");
    serde_json::from_str(&fs::read_to_string(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}
