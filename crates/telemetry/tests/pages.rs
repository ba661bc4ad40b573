//! The pages in `outputs` are those that the data dictionary gives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fs, path::Path};
use voltide_telemetry::page::{QUERIES, readme, views};

fn check(name: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../outputs").join(name);
    if env::var_os("VOLTIDE_BLESS").is_some() {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "outputs/{name} is stale; VOLTIDE_BLESS=1 writes it anew");
}

#[test]
fn the_readme_is_the_data_dictionary() {
    check("README.md", &readme());
}

#[test]
fn there_is_a_view_for_every_table() {
    check("views.sql", &views());
}

#[test]
fn every_query_begins_with_its_question() {
    for (name, text) in QUERIES {
        let question = text.lines().next().unwrap();
        assert!(question.starts_with("-- ") && question.contains('?'), "{name}");
    }
}
