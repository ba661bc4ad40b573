//! A text, which parts of it overrides put there, and the report of what is wrong with it.

use crate::{
    dialect::{Dialect, Plain},
    problem::{Problem, Problems},
};
use std::{ops::Range, sync::Arc};

/// A part of a document, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Place {
    /// The place of a default, which no text shows.
    pub const NOWHERE: Self = Self { start: 0, end: 0 };

    /// Its bytes.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A text with its name.
#[derive(Debug, Clone)]
pub struct Document {
    /// What frames call it.
    pub name: String,
    /// Its text, with overrides worked in.
    pub text: Arc<str>,
    /// What overrides put into it.
    pub spliced: Vec<Spliced>,
}

/// A part of the text that an override put there.
#[derive(Debug, Clone)]
pub struct Spliced {
    /// Where it is in the text.
    pub range: Range<usize>,
    /// What the command line calls the override: `--set #1`, or the flag that stands for it.
    pub origin: Arc<str>,
    /// The override as it was given.
    pub argument: Arc<str>,
    /// Where the value is in the argument.
    pub value: Range<usize>,
    /// Where the same value begins in the spliced text, if it stands there as it was given.
    pub value_at: Option<usize>,
}

impl Document {
    /// A text without overrides.
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.into(), spliced: Vec::new() }
    }

    /// Points a problem at a place of the text, or at the override that put it there.
    pub fn point(&self, problem: Problem, place: Place, label: &str) -> Problem {
        let inside = |spliced: &&Spliced| {
            spliced.range.start <= place.start
                && place.end <= spliced.range.end
                && !spliced.range.is_empty()
        };
        // An override may lie within what an earlier one put there; the later one is what the place
        // is from.
        match self.spliced.iter().rev().find(inside) {
            None => problem.at(&self.name, &self.text, place.start..place.end, label),
            Some(spliced) => {
                let name = format!("from {}", spliced.origin);
                problem.at(&name, &spliced.argument, spliced.within(place), label)
            }
        }
    }

    /// Whether an override put there, or changed, what stands at `place`.
    pub fn is_overridden(&self, place: Place) -> bool {
        let touches = |range: &Range<usize>| range.start < place.end && place.start < range.end;
        self.spliced.iter().any(|spliced| touches(&spliced.range))
    }

    /// Replaces `range` by `text`, `value` of which is the value that override `spliced` gave.
    pub fn splice(&mut self, at: Range<usize>, text: &str, spliced: Spliced) {
        let mut changed = self.text.to_string();
        changed.replace_range(at.clone(), text);
        self.text = changed.into();
        self.spliced
            .retain(|earlier| !(at.start <= earlier.range.start && earlier.range.end <= at.end));
        for earlier in &mut self.spliced {
            let moved =
                |byte: usize| if byte >= at.end { byte - at.len() + text.len() } else { byte };
            earlier.range = moved(earlier.range.start)..moved(earlier.range.end);
        }
        // From behind, since the names before the value may read the same.
        let value_at = text.rfind(&spliced.argument[spliced.value.clone()]);
        self.spliced.push(Spliced { range: at.start..at.start + text.len(), value_at, ..spliced });
    }
}

impl Spliced {
    /// The part of the argument that a place of the spliced text came from.
    fn within(&self, place: Place) -> Range<usize> {
        let Some(value_at) = self.value_at else { return self.value.clone() };
        let begins = self.range.start + value_at;
        if place.end <= begins || place.start < self.range.start {
            return 0..self.argument.len();
        }
        // A place may have the quotes that the value was given without.
        let moved =
            |byte: usize| (byte.saturating_sub(begins) + self.value.start).min(self.value.end);
        moved(place.start)..moved(place.end)
    }
}

/// Collects what is wrong with one document.
#[derive(Debug)]
pub struct Report<D: Dialect = Plain> {
    /// The text that places refer to.
    pub document: Document,
    /// The errors found so far.
    pub problems: Vec<Problem>,
    /// The warnings found so far.
    pub warnings: Vec<Problem>,
    /// What the text is written in, with what its values need to be read.
    pub dialect: D,
}

impl<D: Dialect> Report<D> {
    /// Nothing wrong so far.
    pub fn new(document: Document, dialect: D) -> Self {
        Self { document, problems: Vec::new(), warnings: Vec::new(), dialect }
    }

    /// Adds a problem at a place of the text.
    pub fn add(&mut self, place: Place, message: impl Into<String>, label: &str) -> &mut Problem {
        let problem = self.document.point(Problem::new(message), place, label);
        let number = self.problems.len();
        self.problems.push(problem);
        &mut self.problems[number]
    }

    /// Adds a problem at a place of the text, with what would be right.
    pub fn add_help(
        &mut self,
        place: Place,
        message: String,
        label: &str,
        help: impl Into<String>,
    ) {
        self.add(place, message, label).help = Some(help.into());
    }

    /// Adds a warning at a place of the text: what is there can be read, but is hardly meant.
    /// `help` says what would be right.
    pub fn warn(&mut self, place: Place, message: String, label: &str, help: impl Into<String>) {
        let problem = Problem::new(message).help(help).as_warning();
        self.warnings.push(self.document.point(problem, place, label));
    }

    /// Adds a problem that already points somewhere.
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// `value` with the warnings, unless there were errors.
    ///
    /// # Errors
    ///
    /// All that was added, where something was or there is no value.
    pub fn finish<T>(self, value: Option<T>) -> Result<(T, Vec<Problem>), Problems> {
        let Self { document, problems: list, warnings, dialect: _ } = self;
        match value {
            Some(value) if list.is_empty() => Ok((value, warnings)),
            Some(_) | None => Err(Problems { name: document.name, list, warnings }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spliced(argument: &str, number: usize) -> Spliced {
        let value = argument.find('=').unwrap() + 1..argument.len();
        Spliced {
            range: 0..0,
            origin: format!("--set #{number}").into(),
            argument: argument.into(),
            value,
            value_at: None,
        }
    }

    #[test]
    fn places_inside_an_override_point_at_its_argument() {
        let mut document = Document::new("w.ron", "(seed: 1, days: 7)");
        document.splice(7..8, "-5", spliced("seed=-5", 1));
        assert_eq!(&*document.text, "(seed: -5, days: 7)");
        let problem = document.point(Problem::new("bad"), Place { start: 7, end: 9 }, "here");
        assert_eq!(problem.place(), Some(("from --set #1", 1, 6)));
        let problem = document.point(Problem::new("bad"), Place { start: 17, end: 18 }, "here");
        assert_eq!(problem.place(), Some(("w.ron", 1, 18)));
    }

    #[test]
    fn a_later_override_moves_an_earlier_one() {
        let mut document = Document::new("w.ron", "(seed: 1, days: 7)");
        document.splice(16..17, "30", spliced("days=30", 1));
        document.splice(7..8, "12345", spliced("seed=12345", 2));
        assert_eq!(&document.text[document.spliced[0].range.clone()], "30");
        document.splice(document.spliced[0].range.clone(), "31", spliced("days=31", 3));
        assert_eq!(document.spliced.len(), 2, "a replaced override is forgotten");
    }
}
