//! What is wrong with a text, where, and what would be right.
//!
//! A [`Problem`] points at the text that causes it: the file, another that it names, or an
//! override. [`Problems`] is all that a file has, rendered by miette one frame each. A problem with
//! which the file can be used all the same is a warning.

use crate::excerpt::{Excerpt, boundary};
use miette::{Diagnostic, LabeledSpan, Severity, SourceCode, SourceSpan};
use std::{fmt, ops::Range, sync::Arc};

/// One thing that is wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What is wrong, in lower case.
    pub message: String,
    /// What would be right, where that can be said.
    pub help: Option<String>,
    frame: Option<Frame>,
    severity: Severity,
}

/// A part of a text, with a word on it.
#[derive(Debug, Clone)]
struct Frame {
    shown: Excerpt,
    text: Arc<str>,
    span: Range<usize>,
    label: String,
}

impl Problem {
    /// A problem that no text shows, such as a file that does not exist.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, frame: None, severity: Severity::Error }
    }

    /// Points at the bytes `span` of `text`, which is called `name`.
    #[must_use]
    pub fn at(self, name: &str, text: &Arc<str>, span: Range<usize>, label: &str) -> Self {
        let start = boundary(text, span.start);
        let span = start..boundary(text, span.end).max(start);
        let shown = Excerpt::of(name, text, span.clone());
        Self {
            frame: Some(Frame { shown, text: Arc::clone(text), span, label: label.to_owned() }),
            ..self
        }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Makes it a warning: the file can be used as it is, but probably does not mean it.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Makes it an error, which nothing is done with.
    #[must_use]
    pub fn as_error(self) -> Self {
        Self { severity: Severity::Error, ..self }
    }

    /// Whether the file can be used all the same.
    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning
    }

    /// Name of the text that the problem points at, with line and column counted from 1.
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        let frame = self.frame.as_ref()?;
        let before = &frame.text[..frame.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((&frame.shown.name, line, column))
    }
}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.frame.as_ref().map(|frame| &frame.shown as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let frame = self.frame.as_ref()?;
        let span = SourceSpan::from(frame.shown.span.clone());
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(frame.label.clone()), span))))
    }
}

/// All that is wrong with a text.
///
/// A single problem shows as itself; several show below a line that counts them.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Problems {
    /// What the text is called.
    pub name: String,
    /// The errors, in the order of the file; never empty.
    pub list: Vec<Problem>,
    /// The warnings beside them.
    pub warnings: Vec<Problem>,
}

impl Problems {
    /// Errors without warnings.
    pub fn errors(name: &str, list: Vec<Problem>) -> Self {
        Self { name: name.to_owned(), list, warnings: Vec::new() }
    }

    /// The only problem, if there is just one.
    fn single(&self) -> Option<&Problem> {
        if let [problem] = self.list.as_slice() { Some(problem) } else { None }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(problem) => problem.fmt(f),
            None => write!(f, "{} has {} problems", self.name, self.list.len()),
        }
    }
}

impl Diagnostic for Problems {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.single().and_then(Diagnostic::help)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.single().and_then(Diagnostic::source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.single().and_then(Diagnostic::labels)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.single().is_some() {
            return None;
        }
        Some(Box::new(self.list.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// `did you mean `x`?`, or the list of what there is: the help for a name that is none of `known`.
pub fn suggest<'a>(name: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match (meant(name, known.iter().copied()), nearest(name, known.iter().copied())) {
        (Some(meant), _) => format!("did you mean `{meant}`?"),
        (None, None) => format!("there is no {what} at all"),
        (None, Some(_)) if known.len() <= 16 => format!("there is: {}", known.join(", ")),
        (None, Some((nearest, _))) => format!("the nearest {what} is `{nearest}`"),
    }
}

/// That one of `known` which `name` is a slip of the pen for.
pub fn meant<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (nearest, edits) = nearest(name, known)?;
    // One slip, and another for every four letters: most short names are within two edits of each
    // other.
    (edits <= 1 + nearest.chars().count() / 4).then_some(nearest)
}

/// The most similar of `known`, and how many edits away it is.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, usize)> {
    let edits =
        |known: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase());
    known.into_iter().map(|known| (known, edits(known))).min_by_key(|(_, edits)| *edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_gets_the_list() {
        assert_eq!(
            suggest("capacitty", "field", ["capacity", "soc_min"]),
            "did you mean `capacity`?"
        );
        assert_eq!(suggest("zzz", "site", ["depot", "mall"]), "there is: depot, mall");
        assert_eq!(suggest("zzz", "site", []), "there is no site at all");
    }

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let text: Arc<str> = "äb\ncd ä e".into();
        let problem = Problem::new("wrong").at("world.ron", &text, 10..11, "here");
        assert_eq!(problem.place(), Some(("world.ron", 2, 6)));
        assert_eq!(Problem::new("wrong").at("w", &text, 1..99, "").place(), Some(("w", 1, 1)));
    }
}
