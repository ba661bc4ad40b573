//! Instants of a run in its time zone, and where a time axis has its marks.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use chrono_tz::Tz;

/// Starts of slots, microseconds since 1970 (UTC), and the zone that they are told in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Times {
    /// One a slot, ascending.
    pub starts: Vec<i64>,
    /// Length of a slot, microseconds.
    pub step: i64,
    /// Where days begin.
    pub zone: Tz,
}

/// A mark on a time axis.
pub(crate) struct Mark {
    /// Where it stands: a slot's number.
    pub slot: usize,
    /// What is written there.
    pub label: String,
}

/// How far marks are apart.
#[derive(Clone, Copy)]
enum Stride {
    Hours(u32),
    Days(i32),
    Months(u32),
}

const STRIDES: [Stride; 15] = [
    Stride::Hours(1),
    Stride::Hours(2),
    Stride::Hours(3),
    Stride::Hours(6),
    Stride::Hours(12),
    Stride::Days(1),
    Stride::Days(2),
    Stride::Days(7),
    Stride::Days(14),
    Stride::Months(1),
    Stride::Months(2),
    Stride::Months(3),
    Stride::Months(6),
    Stride::Months(12),
    Stride::Months(120),
];

impl Stride {
    /// Days and months from a fixed one, so that every run has its marks at the same instants.
    fn falls_on(self, at: NaiveDateTime) -> bool {
        let midnight = at.time().num_seconds_from_midnight() == 0;
        match self {
            Self::Hours(hours) => {
                at.minute() == 0 && at.second() == 0 && at.hour().is_multiple_of(hours)
            }
            Self::Days(days) => midnight && at.num_days_from_ce().rem_euclid(days) == 1 % days,
            Self::Months(months) => {
                midnight && at.day() == 1 && at.month0().is_multiple_of(months.min(12))
            }
        }
    }

    fn label(self, at: NaiveDateTime) -> String {
        match self {
            Self::Hours(_) if at.time().num_seconds_from_midnight() == 0 => day(at.date()),
            Self::Hours(_) => at.format("%H:%M").to_string(),
            Self::Days(_) => day(at.date()),
            Self::Months(_) => at.format("%b %Y").to_string(),
        }
    }
}

fn day(date: NaiveDate) -> String {
    date.format("%a %-d %b").to_string()
}

impl Times {
    /// The wall clock at the start of a slot.
    pub(crate) fn local(&self, slot: usize) -> NaiveDateTime {
        local(self.starts[slot], self.zone)
    }

    /// A slot's start in words: `Mon 3 Jun 18:45`.
    pub(crate) fn told(&self, slot: usize) -> String {
        self.local(slot).format("%a %-d %b %H:%M").to_string()
    }

    /// The slots of the local day in which `slot` lies.
    pub(crate) fn day_of(&self, slot: usize) -> std::ops::Range<usize> {
        let date = self.local(slot).date();
        let first = (0..slot).rev().find(|&at| self.local(at).date() != date);
        let after = (slot..self.starts.len()).find(|&at| self.local(at).date() != date);
        first.map_or(0, |at| at + 1)..after.unwrap_or(self.starts.len())
    }

    /// Only these slots.
    pub(crate) fn part(&self, slots: std::ops::Range<usize>) -> Self {
        Self { starts: self.starts[slots].to_vec(), ..self.clone() }
    }

    /// Marks for an axis with room for so many.
    pub(crate) fn marks(&self, room: usize) -> Vec<Mark> {
        let all = STRIDES.iter().map(|&stride| self.marks_of(stride));
        all.into_iter().find(|marks| marks.len() <= room.max(2)).unwrap_or_default()
    }

    fn marks_of(&self, stride: Stride) -> Vec<Mark> {
        let slots = (0..self.starts.len()).map(|slot| (slot, self.local(slot)));
        let falls = slots.filter(|&(_, at)| stride.falls_on(at));
        falls.map(|(slot, at)| Mark { slot, label: stride.label(at) }).collect()
    }
}

/// The wall clock of an instant, microseconds since 1970 (UTC).
pub(crate) fn local(instant: i64, zone: Tz) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_micros(instant).unwrap_or_default();
    utc.with_timezone(&zone).naive_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: i64 = 900_000_000;

    fn of_days(days: i64) -> Times {
        // 2024-06-03 00:00 in Berlin.
        let start = 1_717_365_600_000_000;
        let starts = (0..days * 96).map(|slot| start + slot * QUARTER).collect();
        Times { starts, step: QUARTER, zone: chrono_tz::Europe::Berlin }
    }

    #[test]
    fn a_day_is_marked_by_hours_and_a_week_by_days() {
        let labels = |days, room| {
            let marks = of_days(days).marks(room);
            marks.into_iter().map(|mark| mark.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(1, 4), ["Mon 3 Jun", "06:00", "12:00", "18:00"]);
        assert_eq!(labels(7, 7)[..2], ["Mon 3 Jun", "Tue 4 Jun"]);
        assert!(labels(400, 8).len() <= 8);
    }

    #[test]
    fn a_local_day_ends_at_midnight() {
        let times = of_days(2);
        assert_eq!(times.day_of(0), 0..96);
        assert_eq!(times.day_of(100), 96..192);
    }
}
