//! Colours, on a page that may be dark and on paper.

use std::fmt::Write as _;

/// What a mark stands for, and so how it is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// The series of this number; the eight colours of Okabe and Ito, which people with colour
    /// blindness tell apart. They come round again.
    Series(usize),
    /// What others are measured against.
    Baseline,
    /// Words and axes.
    Text,
    /// What is beside the point.
    Muted,
    /// Lines behind the data.
    Grid,
    /// What is missing.
    Missing,
    /// What is behind all.
    Ground,
}

/// Names, colours on paper, and colours on a dark page.
const SERIES: [(&str, &str, &str); 8] = [
    ("s0", "#0072b2", "#4ea8de"),
    ("s1", "#d55e00", "#f28e4b"),
    ("s2", "#009e73", "#3fc79f"),
    ("s3", "#cc79a7", "#e3a2c5"),
    ("s4", "#e69f00", "#f3b942"),
    ("s5", "#56b4e9", "#8fd0f5"),
    ("s6", "#a39b00", "#f0e442"),
    ("s7", "#7a5195", "#b795cf"),
];
const OTHERS: [(Colour, &str, &str, &str); 6] = [
    (Colour::Baseline, "baseline", "#6b7280", "#9ca3af"),
    (Colour::Text, "text", "#1f2328", "#e6edf3"),
    (Colour::Muted, "muted", "#59636e", "#9198a1"),
    (Colour::Grid, "grid", "#d8dee4", "#30363d"),
    (Colour::Missing, "missing", "#cf222e", "#ff7b72"),
    (Colour::Ground, "ground", "#ffffff", "#0d1117"),
];

/// Where a picture is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// On a page, which chooses light or dark.
    Page,
    /// By itself, on white.
    Paper,
}

impl Colour {
    fn entry(self) -> (&'static str, &'static str, &'static str) {
        if let Self::Series(number) = self {
            return SERIES[number % SERIES.len()];
        }
        let other = OTHERS.iter().find(|(colour, ..)| *colour == self);
        other.map_or(SERIES[0], |&(_, name, light, dark)| (name, light, dark))
    }
}

impl Colour {
    /// The CSS property that has it on a page.
    pub(crate) fn property(self) -> String {
        format!("--{}", self.entry().0)
    }
}

impl Ink {
    /// The colour as an attribute of SVG has it.
    pub(crate) fn of(self, colour: Colour) -> String {
        let (name, light, _) = colour.entry();
        match self {
            Self::Page => format!("var(--{name})"),
            Self::Paper => light.to_owned(),
        }
    }
}

/// All colours as CSS properties, of a light or of a dark page.
pub(crate) fn properties(dark: bool) -> String {
    let others = OTHERS.iter().map(|&(_, name, light, dark)| (name, light, dark));
    let mut all = String::new();
    for (name, light, night) in SERIES.into_iter().chain(others) {
        // A string takes everything.
        let _ = write!(all, "--{name}:{};", if dark { night } else { light });
    }
    all
}
