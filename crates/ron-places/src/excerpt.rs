//! What a frame shows of a text: the lines around a place, or of a very long line what stands
//! beside it.
//!
//! A text that a program wrote may be one line of a megabyte. Nobody reads that in a terminal, and
//! what renders frames cannot count so many columns.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::{ops::Range, sync::Arc};

/// Longest line that is shown whole, in bytes.
const LINE_MAX: usize = 1000;
/// Bytes of a longer line that are shown to either side of a place, and twice of the place itself.
const BESIDE: usize = 60;

/// A text with its name, as a frame shows it.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    /// What the text is called.
    pub(crate) name: String,
    /// The place in what is shown.
    pub(crate) span: Range<usize>,
    shown: Arc<str>,
    /// Line and column of the place, from 0, where not the whole text is shown.
    at: Option<(usize, usize)>,
}

impl Excerpt {
    /// What is shown around the bytes `span` of a text; they lie between characters.
    pub(crate) fn of(name: &str, text: &Arc<str>, span: Range<usize>) -> Self {
        let name = name.to_owned();
        let line = line_of(text, span.start);
        // The lines beside the place are shown, too, so that they count.
        if around(text, &span).lines().all(|line| line.len() <= LINE_MAX) {
            return Self { name, span, shown: Arc::clone(text), at: None };
        }
        let from = boundary(text, line.start.max(span.start.saturating_sub(BESIDE)));
        // A place may be the whole of the line, of which the beginning is enough.
        let place_end =
            boundary(text, span.end.min(span.start + 2 * BESIDE).min(line.end)).max(span.start);
        let to = boundary(text, line.end.min(place_end + BESIDE)).max(place_end);
        let before = if from > line.start { "…" } else { "" };
        let after = if to < line.end { "…" } else { "" };
        let shown = format!("{before}{}{after}", &text[from..to]);
        let moved = |byte: usize| byte - from + before.len();
        let at = (
            text[..line.start].matches('\n').count(),
            text[line.start..span.start].chars().count(),
        );
        Self { name, span: moved(span.start)..moved(place_end), shown: shown.into(), at: Some(at) }
    }
}

/// The line that a byte is in, without its end.
fn line_of(text: &str, byte: usize) -> Range<usize> {
    let start = text[..byte].rfind('\n').map_or(0, |end| end + 1);
    start..text[byte..].find('\n').map_or(text.len(), |length| byte + length)
}

/// The lines of a place with one before and one after.
fn around<'a>(text: &'a str, span: &Range<usize>) -> &'a str {
    let before = line_of(text, line_of(text, span.start).start.saturating_sub(1));
    let last = line_of(text, span.end).end;
    let after =
        text[last..].char_indices().nth(1).map_or(last, |(next, _)| line_of(text, last + next).end);
    &text[before.start..after]
}

/// The nearest character boundary at or before `at`.
pub(crate) fn boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let found = self.shown.read_span(span, before, after)?;
        // Without lines around it, the place itself is asked for.
        let (line, column) = match self.at {
            None => (found.line(), found.column()),
            Some((line, column)) => {
                (line, if before + after == 0 { column } else { found.column() })
            }
        };
        let name = self.name.clone();
        let lines = found.line_count();
        Ok(Box::new(MietteSpanContents::new_named(
            name,
            found.data(),
            *found.span(),
            line,
            column,
            lines,
        )))
    }
}
