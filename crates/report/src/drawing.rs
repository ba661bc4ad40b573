//! SVG, element by element.

use crate::ink::{Colour, Ink};
use std::fmt::Write as _;

/// A picture that is being drawn; lengths are in its own unit, `y` grows downwards.
pub(crate) struct Drawing {
    /// Width of the picture.
    pub width: f64,
    /// Height of the picture.
    pub height: f64,
    ink: Ink,
    body: String,
}

/// How a text stands at its point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    /// Height of the letters.
    pub size: f64,
    /// `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// Colour.
    pub colour: Colour,
    /// Whether it is bold.
    pub bold: bool,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    /// Colour.
    pub colour: Colour,
    /// How wide it is.
    pub width: f64,
    /// From 0 to 1.
    pub opacity: f64,
    /// Whether it has gaps.
    pub dashed: bool,
}

impl Drawing {
    /// An empty picture.
    pub(crate) fn new(width: f64, height: f64, ink: Ink) -> Self {
        Self { width, height, ink, body: String::new() }
    }

    /// A rectangle; `opacity` is from 0 to 1.
    pub(crate) fn rect(&mut self, x: f64, y: f64, size: (f64, f64), colour: Colour, opacity: f64) {
        let (width, height) = (near(size.0), near(size.1));
        let (x, y, fill) = (near(x), near(y), self.ink.of(colour));
        self.put(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"{}/>"#,
            faded(opacity)
        ));
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: Colour, width: f64) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(near);
        let stroke = self.ink.of(colour);
        self.put(format_args!(
            r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="{width}"/>"#
        ));
    }

    /// A line along `path`.
    pub(crate) fn stroke(&mut self, path: &str, how: Stroke) {
        let (stroke, width) = (self.ink.of(how.colour), (how.width * 100.0).round() / 100.0);
        let dash = if how.dashed { r#" stroke-dasharray="4 3""# } else { "" };
        let faded = faded(how.opacity);
        self.put(format_args!(
            r#"<path d="{path}" fill="none" stroke="{stroke}" stroke-width="{width}" stroke-linejoin="round"{dash}{faded}/>"#
        ));
    }

    /// The area that `path` describes.
    pub(crate) fn fill(&mut self, path: &str, colour: Colour, opacity: f64) {
        let fill = self.ink.of(colour);
        self.put(format_args!(r#"<path d="{path}" fill="{fill}"{}/>"#, faded(opacity)));
    }

    /// Words at a point on their base line.
    pub(crate) fn text(&mut self, x: f64, y: f64, style: Text, words: &str) {
        let (x, y, fill) = (near(x), near(y), self.ink.of(style.colour));
        let weight = if style.bold { r#" font-weight="600""# } else { "" };
        self.put(format_args!(
            r#"<text x="{x}" y="{y}" font-size="{}" text-anchor="{}" fill="{fill}"{weight}>{}</text>"#,
            style.size,
            style.anchor,
            escape(words)
        ));
    }

    /// The whole picture, with what it shows in words for those who do not see it.
    pub(crate) fn finish(self, title: &str, says: &str) -> String {
        let (width, height) = (near(self.width), near(self.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             role=\"img\" font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\">\
             <title>{}</title><desc>{}</desc>\n{}</svg>",
            escape(title),
            escape(says),
            self.body
        )
    }

    fn put(&mut self, element: std::fmt::Arguments) {
        // A string takes everything.
        let _ = writeln!(self.body, "{element}");
    }
}

fn faded(opacity: f64) -> String {
    if opacity < 1.0 { format!(r#" opacity="{opacity}""#) } else { String::new() }
}

/// Tenths are enough for eyes, and keep files small.
pub(crate) fn near(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Text as XML and HTML want it.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}
