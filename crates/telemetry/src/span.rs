//! What a file of `ev_ticks` spans: a local day, or in long runs a month or a year, so that no run
//! has more than a few dozen files.

use chrono::{Datelike, NaiveDate};
use voltide_model::clock::Clock;

/// Files that a run has at most; no run lasts as many years.
const MOST_FILES: i32 = 62;

/// What one file spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// A local day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Span {
    /// The shortest span in which a run has no more files than [`MOST_FILES`].
    pub(crate) fn of(clock: &Clock) -> Self {
        let local = |slot: u32| clock.local(slot).date();
        let (first, last) = (local(0), local(clock.slots.saturating_sub(1)));
        let fits = |span: &Self| span.number(last) - span.number(first) < MOST_FILES;
        [Self::Day, Self::Month].into_iter().find(fits).unwrap_or(Self::Year)
    }

    /// The span that a date lies in, as in a file's name: `2024-06-03`, `2024-06` or `2024`.
    pub(crate) fn name(self, date: NaiveDate) -> String {
        let format = match self {
            Self::Day => "%Y-%m-%d",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        };
        date.format(format).to_string()
    }

    /// Spans are numbered through.
    fn number(self, date: NaiveDate) -> i32 {
        match self {
            Self::Day => date.num_days_from_ce(),
            Self::Month => 12 * date.year() + date.month0().cast_signed(),
            Self::Year => date.year(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Span and number of files of a run of so many days at an hour a slot.
    fn files(start: &str, days: u32) -> (Span, usize) {
        let start = start.parse::<NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap();
        let clock = Clock::new(start, chrono_tz::Europe::Berlin, 3600, days).unwrap();
        let span = Span::of(&clock);
        let names: BTreeSet<String> = clock.dates().map(|date| span.name(date)).collect();
        (span, names.len())
    }

    #[test]
    fn no_run_has_more_than_a_few_dozen_files() {
        assert_eq!(files("2024-06-03", 7), (Span::Day, 8));
        assert_eq!(files("2024-06-03", 61), (Span::Day, 62));
        assert_eq!(files("2024-06-03", 62), (Span::Month, 3));
        assert_eq!(files("2024-06-03", 365), (Span::Month, 13));
        assert_eq!(files("2024-01-01", 3 * 366), (Span::Month, 37));
        assert_eq!(files("2024-01-01", 3652), (Span::Year, 10));
        assert_eq!(files("2024-01-01", 20_000), (Span::Year, 55));
    }
}
