//! The page `docs/events.md`.

use super::{
    KINDS,
    fact::{FieldSaid, Form, Kind, Origin, Step},
};
use std::fmt::Write;

#[path = "../../../../tests/written.rs"]
mod written;

const OPENING: &str = "# Events\n\nAll that a journal says of a run, as `voltide log cat` and \
    `voltide log export` tell it. A decided event is taken from the journal in a replay; one that \
    follows from the state is come to anew and compared.\n\nThis page is written by `VOLTIDE_BLESS=1 \
    cargo test --release -p voltide-journal` from `crates/journal/src/event.rs`.\n";

/// The page, one section a kind of event in the order of the log's channels.
fn page() -> String {
    KINDS.iter().fold(OPENING.to_owned(), |page, kind| page + &section(kind))
}

fn section(kind: &Kind) -> String {
    let origins: Vec<String> = kind.origins.iter().map(|origin| origin_in_words(*origin)).collect();
    let about = kind.about.map_or(String::new(), |what| match kind.form {
        Form::Rows => format!(" by `{what}`"),
        Form::Record | Form::Control => format!(" about a {what}"),
    });
    let mut text = format!("\n## {}\n\n{}\n\n", kind.version, prose(kind.meaning));
    let form = form_in_words(kind.form);
    writeln!(text, "{form}{about}; {}.", origins.join(", or ")).expect("a string takes all");
    if !kind.fields.is_empty() {
        text += "\n| field | type | unit | meaning |\n|---|---|---|---|\n";
    }
    kind.fields.iter().fold(text, |text, field| text + &line(field))
}

fn line(field: &FieldSaid) -> String {
    let FieldSaid { name, kept, unit, meaning } = field;
    format!("| `{name}` | `{kept}` | {unit} | {} |\n", prose(meaning))
}

fn prose(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn form_in_words(form: Form) -> &'static str {
    match form {
        Form::Control => "JSON",
        Form::Record => "Columns of one row",
        Form::Rows => "Columns with a row each",
    }
}

fn origin_in_words(origin: Origin) -> String {
    match origin {
        Origin::Decided(step) => format!("decided {}", step_in_words(step)),
        Origin::Follows(step) => format!("follows from the state {}", step_in_words(step)),
    }
}

fn step_in_words(step: Step) -> &'static str {
    match step {
        Step::Opening => "before a run's first tick",
        Step::Start => "at a tick's start",
        Step::Arrive => "when cars come and go",
        Step::Price => "when prices become known",
        Step::Agree => "when drivers are asked",
        Step::Plan => "when schedules are made",
        Step::Limit => "when schedules are cut to what can be",
        Step::Dispatch => "when the power balance is closed",
        Step::Settle => "when batteries and ledgers move",
        Step::Seal => "at a tick's end",
        Step::Ending => "after a run's last tick",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_events_is_what_they_are_declared_as() {
        written::check(env!("CARGO_MANIFEST_DIR"), "../../docs/events.md", &page());
    }

    #[test]
    fn a_unit_stands_last_in_its_fields_name() {
        for field in KINDS.iter().flat_map(|kind| kind.fields) {
            let unit = field.unit.to_lowercase();
            let told = ["kw", "kwh", "us"].contains(&unit.as_str());
            assert!(
                !told || field.name.ends_with(&unit) || field.name == "values",
                "{}",
                field.name
            );
        }
    }
}
