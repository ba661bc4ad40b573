//! The reference of a file's fields, written from the types that read it.
//!
//! So it cannot say anything that the reader does not do.

use crate::shape::{Choice, Field, Kind, Payload, Struct};
use std::fmt::Write as _;

/// A section of Markdown for `kind` and for every struct and choice below it, in the order in which
/// they are first needed, each once. A section is called what its struct is called.
pub fn sections(kind: &Kind) -> String {
    let mut sections = Sections { done: Vec::new(), text: String::new() };
    sections.add(kind);
    sections.text
}

/// Sections in the order in which they are first needed, each once.
struct Sections {
    done: Vec<&'static str>,
    text: String,
}

impl Sections {
    fn add(&mut self, kind: &Kind) {
        match kind {
            Kind::Struct(shape) => self.add_struct(shape),
            Kind::Choice(choice) => self.add_choice(choice),
            Kind::Map(inner) | Kind::List(inner) => self.add(&inner()),
            Kind::Text(_) | Kind::Bare(_) | Kind::Any(_) => {}
        }
    }

    fn begin(&mut self, name: &'static str, docs: &[&str]) -> bool {
        if self.done.contains(&name) {
            return false;
        }
        self.done.push(name);
        let _ = write!(self.text, "\n## {name}\n\n{}\n\n", joined(docs));
        true
    }

    fn add_struct(&mut self, shape: &Struct) {
        if self.begin(shape.name, shape.docs) {
            self.text.push_str("| field | value | default | meaning |\n|---|---|---|---|\n");
            for field in &shape.fields {
                self.add_row(field);
            }
            for field in &shape.fields {
                self.add(&(field.kind)());
            }
        }
    }

    fn add_row(&mut self, field: &Field) {
        let default = match (field.required, field.sample) {
            (true, "...") => "**required**".to_owned(),
            (true, example) => format!("**required**, as `{example}`"),
            (false, default) if default.starts_with(['"', '0', '1']) => {
                format!("`{default}`")
            }
            (false, default) => default.to_owned(),
        };
        let name = field.name;
        let value = linked(&(field.kind)());
        let docs = joined(field.docs);
        let _ = writeln!(self.text, "| `{name}` | {value} | {default} | {docs} |");
    }

    fn add_choice(&mut self, choice: &Choice) {
        if !self.begin(choice.name, choice.docs) {
            return;
        }
        self.text.push_str("| variant | meaning |\n|---|---|\n");
        let payload = |payload| match payload {
            Payload::Unit => None,
            Payload::Newtype(kind) | Payload::Fields(kind) => Some(kind()),
        };
        for variant in &choice.variants {
            let form = match variant.payload {
                Payload::Unit => format!("`{}`", variant.name),
                Payload::Newtype(kind) => format!("`{}`({})", variant.name, linked(&kind())),
                Payload::Fields(kind) => {
                    format!("`{}(...)`, see {}", variant.name, linked(&kind()))
                }
            };
            let _ = writeln!(self.text, "| {form} | {} |", joined(variant.docs));
        }
        for kind in choice.variants.iter().filter_map(|variant| payload(variant.payload)) {
            self.add(&kind);
        }
    }
}

/// Lines of documentation as one line of Markdown.
fn joined(docs: &[&str]) -> String {
    docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The label of a kind, with a link to its section.
fn linked(kind: &Kind) -> String {
    let link = |name: &str| format!("[{name}](#{})", name.replace(' ', "-"));
    match kind {
        Kind::Struct(shape) => link(shape.name),
        Kind::Choice(Choice { name, bare: Some(what), .. }) => format!("{} of {what}", link(name)),
        Kind::Choice(choice) => link(choice.name),
        Kind::Map(inner) => format!("{{name: {}}}", linked(&inner())),
        Kind::List(inner) => format!("[ {} ]", linked(&inner())),
        Kind::Text(_) | Kind::Bare(_) | Kind::Any(_) => kind.label(),
    }
}
