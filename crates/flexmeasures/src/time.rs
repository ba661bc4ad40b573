//! Instants with an offset, durations with nominal days, and the grid of slots.

use chrono::{DateTime, Days, Duration, FixedOffset, Months, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de::Error};
use std::str::FromStr;

/// An instant that says its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aware(pub(crate) DateTime<FixedOffset>);

impl Aware {
    pub(crate) fn utc(self) -> DateTime<Utc> {
        self.0.with_timezone(&Utc)
    }
}

impl FromStr for Aware {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shapes = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
        let joined = text.trim().replacen(' ', "T", 1).replace('Z', "+00:00");
        let found = shapes.iter().find_map(|shape| DateTime::parse_from_str(&joined, shape).ok());
        found.map(Self).ok_or_else(|| {
            let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
            let is_naive =
                naive.iter().any(|shape| NaiveDateTime::parse_from_str(&joined, shape).is_ok());
            let what = if is_naive { "has no UTC offset" } else { "is not a datetime" };
            format!("`{text}` {what}; write an aware datetime such as 2024-06-12T08:00:00+02:00")
        })
    }
}

impl<'de> Deserialize<'de> for Aware {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// What is wrong with a duration that no calendar holds.
const BEYOND: &str = "the duration leads out of the calendar";

/// An ISO 8601 duration. Days, months and years are nominal: a day may last 23 or 25 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct IsoDuration {
    months: u32,
    days: u64,
    seconds: i64,
}

impl IsoDuration {
    /// Its length in seconds, if it has no nominal part.
    pub(crate) fn exact_seconds(self) -> Option<i64> {
        (!self.is_nominal()).then_some(self.seconds)
    }

    /// More months; without end they lead out of the calendar.
    fn add_months(&mut self, months: u64) {
        self.months = self.months.saturating_add(u32::try_from(months).unwrap_or(u32::MAX));
    }

    fn add_days(&mut self, days: u64) {
        self.days = self.days.saturating_add(days);
    }

    fn is_nominal(self) -> bool {
        self.months > 0 || self.days > 0
    }

    /// The instant this much after `start`, or before it; nominal parts need a time zone.
    pub(crate) fn from(
        self,
        start: DateTime<Utc>,
        zone: Option<Tz>,
        backward: bool,
    ) -> Result<DateTime<Utc>, String> {
        let seconds = if backward { -self.seconds } else { self.seconds };
        let seconds = Duration::try_seconds(seconds).ok_or(BEYOND)?;
        if !self.is_nominal() {
            return start.checked_add_signed(seconds).ok_or_else(|| BEYOND.to_owned());
        }
        let zone = zone.ok_or("a duration in days needs the time zone: give `timezone`")?;
        let local = start.with_timezone(&zone).naive_local();
        let months = Months::new(self.months);
        let days = Days::new(self.days);
        let moved = if backward {
            local.checked_sub_months(months).and_then(|wall| wall.checked_sub_days(days))
        } else {
            local.checked_add_months(months).and_then(|wall| wall.checked_add_days(days))
        };
        let wall = moved.ok_or(BEYOND)?;
        // Days are days on the wall, hours are hours whatever clocks do: they come after the zone.
        on_the_wall(wall, zone).checked_add_signed(seconds).ok_or_else(|| BEYOND.to_owned())
    }
}

/// The instant of a wall-clock time; the first of two, and after a gap as far as before it.
fn on_the_wall(wall: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // How far it is back out of the gap does not matter: as much is added again, by the offset
    // before the gap.
    let steps = (0..).map(|step| Duration::minutes(30 * step));
    let mut found = steps.filter_map(|back| {
        zone.from_local_datetime(&(wall - back)).earliest().map(|at| at.with_timezone(&Utc) + back)
    });
    // No gap is endless, so that a step leads out of it.
    found.next().unwrap_or_else(|| wall.and_utc())
}

impl FromStr for IsoDuration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fail = || format!("`{text}` is not an ISO 8601 duration such as PT15M or P1D");
        let body = text.trim().strip_prefix('P').ok_or_else(fail)?;
        let (date, time) = body.split_once('T').unwrap_or((body, ""));
        let mut found = Self::default();
        if (date.is_empty() && time.is_empty()) || (body.contains('T') && time.is_empty()) {
            return Err(fail());
        }
        for (number, unit) in parts(date).ok_or_else(fail)? {
            let whole = |factor: f64| {
                // Half a month has no length on the wall clock.
                let value = number * factor;
                ((0.0..1e6).contains(&value) && value.fract().abs() < f64::EPSILON)
                    .then_some(value as u64)
            };
            match unit {
                'Y' => found.add_months(whole(12.0).ok_or_else(fail)?),
                'M' => found.add_months(whole(1.0).ok_or_else(fail)?),
                'W' => found.add_days(whole(7.0).ok_or_else(fail)?),
                'D' => found.add_days(whole(1.0).ok_or_else(fail)?),
                _ => return Err(fail()),
            }
        }
        for (number, unit) in parts(time).ok_or_else(fail)? {
            let factor = match unit {
                'H' => 3600.0,
                'M' => 60.0,
                'S' => 1.0,
                _ => return Err(fail()),
            };
            // Rounded, since not every decimal of an hour is exact in binary.
            found.seconds = found.seconds.saturating_add(libm::round(number * factor) as i64);
        }
        Ok(found)
    }
}

/// Splits `2H30M` into its numbers and letters.
fn parts(text: &str) -> Option<Vec<(f64, char)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next()?;
        found.push((number, unit));
        rest = &rest[end + unit.len_utf8()..];
    }
    Some(found)
}

impl<'de> Deserialize<'de> for IsoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The slots of a schedule: slot j covers `[start + j·resolution, start + (j + 1)·resolution)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Start of slot 0.
    pub start: DateTime<Utc>,
    /// Length of a slot in seconds.
    pub seconds: i64,
    /// Number of slots.
    pub slots: usize,
    /// Zone of nominal durations, if one was given.
    pub zone: Option<Tz>,
}

impl Grid {
    /// Length of a slot in hours.
    pub fn hours(&self) -> f64 {
        self.seconds as f64 / 3600.0
    }

    /// The instant at which slot `j` starts, and slot `j − 1` ends.
    #[expect(clippy::cast_possible_wrap, reason = "there are far fewer than 2^63 slots")]
    pub fn tick(&self, j: usize) -> DateTime<Utc> {
        self.start + Duration::seconds(self.seconds * j as i64)
    }

    /// The number of the last tick.
    pub(crate) fn last(&self) -> i64 {
        i64::try_from(self.slots).unwrap_or(i64::MAX)
    }

    /// The first tick at or after an instant; may lie outside the grid.
    pub(crate) fn tick_from(&self, at: DateTime<Utc>) -> i64 {
        let milliseconds = (at - self.start).num_milliseconds();
        // Euclid's division rounds down; of the negative that is the ceiling.
        -(-milliseconds).div_euclid(self.seconds * 1000)
    }

    /// The last tick at or before an instant; may lie outside the grid.
    pub(crate) fn tick_until(&self, at: DateTime<Utc>) -> i64 {
        (at - self.start).num_milliseconds().div_euclid(self.seconds * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Amsterdam;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<Aware>().unwrap().utc()
    }

    #[test]
    fn a_nominal_day_follows_the_clocks() {
        let day: IsoDuration = "P1D".parse().unwrap();
        let midnight = at("2024-03-31T00:00:00+01:00");
        assert_eq!(day.from(midnight, Some(Amsterdam), false), Ok(at("2024-04-01T00:00:00+02:00")));
        assert_eq!(
            day.from(at("2024-10-28T00:00+01:00"), Some(Amsterdam), true),
            Ok(at("2024-10-27T00:00+02:00"))
        );
        assert!(day.from(midnight, None, false).unwrap_err().contains("timezone"));
    }

    #[test]
    fn durations_are_read_in_every_style() {
        let seconds = |text: &str| text.parse::<IsoDuration>().unwrap().exact_seconds();
        assert_eq!(seconds("PT5M"), Some(300));
        assert_eq!(seconds("P0DT2H0M0S"), Some(7200));
        assert_eq!(seconds("PT1.5H"), Some(5400));
        assert_eq!(seconds("P1D"), None);
        for wrong in ["5 min", "P", "PT", "PT5", "P5H", "P-1D", "PT5X"] {
            assert!(wrong.parse::<IsoDuration>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn datetimes_need_an_offset() {
        assert_eq!(at("2024-02-04T10:35:00Z"), at("2024-02-04 11:35+01:00"));
        assert!("2024-02-04T10:35:00".parse::<Aware>().unwrap_err().contains("no UTC offset"));
        assert!("tomorrow".parse::<Aware>().unwrap_err().contains("not a datetime"));
    }

    #[test]
    fn ticks_surround_an_instant() {
        let grid = Grid { start: at("2024-01-01T00:00Z"), seconds: 900, slots: 4, zone: None };
        let between = at("2024-01-01T00:07Z");
        assert_eq!((grid.tick_until(between), grid.tick_from(between)), (0, 1));
        assert_eq!((grid.tick_until(grid.tick(2)), grid.tick_from(grid.tick(2))), (2, 2));
        assert_eq!(grid.tick_from(at("2023-12-31T23:50Z")), 0);
        assert_eq!(grid.tick_until(at("2023-12-31T23:50Z")), -1);
    }
}
