//! The pages in `outputs` are those that the data dictionary gives.

#[path = "../../../tests/written.rs"]
mod written;

use voltide_telemetry::page::{QUERIES, readme, views};

fn check(name: &str, wanted: &str) {
    written::check(env!("CARGO_MANIFEST_DIR"), &format!("../../outputs/{name}"), wanted);
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
