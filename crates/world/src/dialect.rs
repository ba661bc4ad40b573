//! World files as a dialect of RON: what messages call them, and the rules that their run goes by.

use ron_places::{Dialect, Place};
use voltide_model::rules::Rules;

/// What world files are written in. It knows the rules that the run goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WorldText {
    /// The rules; those of today where the run begins now.
    pub(crate) rules: Rules,
}

impl Default for WorldText {
    fn default() -> Self {
        Self { rules: Rules::TODAY }
    }
}

impl Dialect for WorldText {
    const WHOLE: &'static str = "the world";
    const FORM: &'static str = "a world is written as `(name: \"...\", clock: (...), ...)`; see \
                                worlds/README.md for every field";
    const PATH: &'static str = "fleets.commuters.count";
    const OVERRIDE: &'static str = "clock.days=1";

    fn misplaced(variant: &str) -> Option<&'static str> {
        CHANGING.contains(&variant).then_some(
            "this is one value for the whole run; what may change over time is listed in \
             worlds/README.md as `value over time`: prices of energy, and powers of load, wind, \
             sun and units",
        )
    }
}

/// Variants of values that change over time, which not every value may do.
const CHANGING: [&str; 2] = ["Series", "TimeOfUse"];

/// What is wrong with a world file.
pub(crate) type Report = ron_places::Report<WorldText>;

/// Whether what stands at `place` has the limits of today. Runs that began under [`Rules::V1`] had
/// none and are read as they were written; what a fork changes of them is written now.
pub(crate) fn is_limited(report: &Report, place: Place) -> bool {
    report.dialect.rules >= Rules::V2 || report.document.is_overridden(place)
}
