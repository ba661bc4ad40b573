//! Times and durations of RFC 5545.
//!
//! A time is kept as what a clock on the wall shows in its zone, since that is what repeats. A
//! wall-clock time that a change of the clocks skips is taken by the offset before the change; of
//! one that comes twice, the first is meant (section 3.3.5).

use super::content::{Component, Property};
use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone,
    Utc,
};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// Years that calendars are read of. They end far from where the calendar of `chrono` does, so that
/// sums with durations need no checks.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2999;

/// Longest duration of an event, days.
const DAYS_MAX: u64 = 3660;

/// The zones that the times of a calendar are in.
pub(super) struct Zones {
    /// The zone of floating times: the world's.
    floating: Tz,
    /// Other names for zones that the calendar declares.
    declared: BTreeMap<String, String>,
}

/// A date or a time of day on the wall clock of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) wall: NaiveDateTime,
    pub(super) zone: Tz,
    /// Whether it is the whole day that is meant.
    pub(super) is_date: bool,
}

/// How long something lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// So many seconds, whatever clocks do.
    Exact(i64),
    /// So many days on the wall clock, and then so many seconds.
    Nominal {
        /// Days.
        days: u64,
        /// Seconds.
        seconds: i64,
    },
}

impl Zones {
    /// Those that a calendar declares, and the world's.
    pub(super) fn of(calendar: &Component, floating: Tz) -> Self {
        let zones = calendar.components.iter().filter(|component| component.name == "VTIMEZONE");
        let named = zones.filter_map(|zone| {
            let id = zone.all("TZID").next()?;
            let place = zone.all("X-LIC-LOCATION").next()?;
            Some((id.value.clone(), place.value.clone()))
        });
        Self { floating, declared: named.collect() }
    }

    /// The zone of a name: of the IANA's, also behind a prefix, or of one that the calendar says is
    /// the same.
    fn named(&self, name: &str) -> Result<Tz, String> {
        let known = |name: &str| name.parse::<Tz>().ok();
        let parts: Vec<&str> = name.split('/').collect();
        // Programs put a prefix of their own before the IANA's name, such as
        // `/mozilla.org/20050126_1`.
        let last_parts = (1..parts.len()).find_map(|skipped| known(&parts[skipped..].join("/")));
        let declared = || self.declared.get(name).and_then(|name| known(name));
        let found = known(name).or(last_parts).or_else(declared);
        found
            .ok_or_else(|| format!("there is no time zone `{name}`; name one like `Europe/Berlin`"))
    }

    /// The times of a property, of which there may be several.
    pub(super) fn times(&self, property: &Property) -> Result<Vec<Time>, String> {
        property.value.split(',').map(|text| self.time(property, text.trim())).collect()
    }

    /// The time that a text is, with the parameters of a property.
    pub(super) fn time(&self, property: &Property, text: &str) -> Result<Time, String> {
        let zone = match property.parameter("TZID") {
            Some(name) => self.named(name)?,
            None => self.floating,
        };
        let time = parsed(text, zone)
            .ok_or_else(|| format!("`{text}` of {} is not a time", property.name))?;
        let is_given_as = |value: &str| {
            property.parameter("VALUE").is_some_and(|it| it.eq_ignore_ascii_case(value))
        };
        if is_given_as("DATE") && !time.is_date || is_given_as("DATE-TIME") && time.is_date {
            return Err(format!("`{text}` of {} is not the VALUE that it says", property.name));
        }
        // A date has no zone: it is the day in the world's.
        Ok(if time.is_date { Time { zone: self.floating, ..time } } else { time })
    }
}

/// A date, or a time in a zone, or in UTC where it ends with Z.
pub(super) fn parsed(text: &str, zone: Tz) -> Option<Time> {
    let time = |text: &str, zone| {
        let wall = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?;
        Some(Time { wall, zone, is_date: false })
    };
    let date = || {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        Some(Time { wall: date.and_time(NaiveTime::MIN), zone, is_date: true })
    };
    let found = match text.strip_suffix('Z') {
        Some(text) => time(text, Tz::UTC),
        None => time(text, zone).or_else(date),
    };
    found.filter(|time| YEARS.contains(&time.wall.year()))
}

impl Time {
    /// The instant.
    pub(super) fn instant(self) -> DateTime<Utc> {
        match self.zone.from_local_datetime(&self.wall) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
            LocalResult::None => {
                // A day earlier and read as UTC is before the change in every zone, since none is a
                // day from UTC.
                let day_before = self.wall - Days::new(1);
                (self.wall - self.zone.offset_from_utc_datetime(&day_before).fix()).and_utc()
            }
        }
    }

    /// The end of something that begins now.
    pub(super) fn after(self, span: Span) -> DateTime<Utc> {
        match span {
            Span::Exact(seconds) => self.instant() + chrono::TimeDelta::seconds(seconds),
            Span::Nominal { days, seconds } => {
                let days_later = Self { wall: self.wall + Days::new(days), ..self };
                days_later.instant() + chrono::TimeDelta::seconds(seconds)
            }
        }
    }

    /// How long it is until `end`: by the calendar between dates, else to the second.
    pub(super) fn until(self, end: Self) -> Result<Span, String> {
        let span = if self.is_date && end.is_date {
            let days = u64::try_from((end.wall - self.wall).num_days());
            days.map(|days| Span::Nominal { days, seconds: 0 }).ok()
        } else if self.is_date != end.is_date {
            return Err("it begins or ends with a date, and not with both".to_owned());
        } else {
            let seconds = (end.instant() - self.instant()).num_seconds();
            (seconds >= 0).then_some(Span::Exact(seconds))
        };
        span.ok_or_else(|| "it ends before it begins".to_owned()).and_then(Span::checked)
    }
}

impl Span {
    /// A duration such as `PT1H30M`, `P1D` or `P2W`.
    pub(super) fn parsed(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a duration such as `PT1H30M`, `P1D` or `P2W`");
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.starts_with('-') {
            return Err(format!("its duration `{text}` is negative"));
        }
        let digits = digits.strip_prefix('P').ok_or_else(wrong)?;
        let (date, time) =
            digits.split_once('T').map_or((digits, None), |(date, time)| (date, Some(time)));
        let (weeks, rest) = leading(date, 'W').ok_or_else(wrong)?;
        let (days, rest) = leading(rest, 'D').ok_or_else(wrong)?;
        let (hours, of_hour) = leading(time.unwrap_or_default(), 'H').ok_or_else(wrong)?;
        let (minutes, of_minute) = leading(of_hour, 'M').ok_or_else(wrong)?;
        let (seconds, nothing) = leading(of_minute, 'S').ok_or_else(wrong)?;
        let parts = [weeks, days, hours, minutes, seconds];
        let lacks_time = time.is_some() && [hours, minutes, seconds].iter().all(Option::is_none);
        if !(rest.is_empty() && nothing.is_empty())
            || parts.iter().all(Option::is_none)
            || lacks_time
        {
            return Err(wrong());
        }
        let [weeks, days, hours, minutes, seconds] = parts.map(Option::unwrap_or_default);
        let seconds = (hours * 3600 + minutes * 60 + seconds).cast_signed();
        Self::Nominal { days: weeks * 7 + days, seconds }.checked()
    }

    /// One that is not out of all proportion.
    fn checked(self) -> Result<Self, String> {
        let days = match self {
            Self::Exact(seconds) => seconds.unsigned_abs() / 86_400,
            Self::Nominal { days, seconds } => days + seconds.unsigned_abs() / 86_400,
        };
        if days > DAYS_MAX { Err(format!("it lasts more than {DAYS_MAX} days")) } else { Ok(self) }
    }
}

/// The number before a unit, where it leads a text, and what comes after it; `None` where it is too
/// large.
fn leading(text: &str, unit: char) -> Option<(Option<u64>, &str)> {
    match text.split_once(unit) {
        Some((digits, rest))
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            // So small that seconds of hours and days of weeks stay within 64 bits.
            let number = digits.parse::<u32>().ok()?;
            Some((Some(number.into()), rest))
        }
        _ => Some((None, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn utc(time: Time) -> String {
        time.instant().format("%Y%m%dT%H%M%SZ").to_string()
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_taken_by_the_offset_before_and_the_first_of_two() {
        assert_eq!(utc(parsed("20240331T023000", Berlin).unwrap()), "20240331T013000Z");
        assert_eq!(utc(parsed("20241027T023000", Berlin).unwrap()), "20241027T003000Z");
        assert_eq!(utc(parsed("20241027T023000Z", Berlin).unwrap()), "20241027T023000Z");
        assert!(parsed("20240230", Berlin).is_none() && parsed("00010101", Berlin).is_none());
    }

    #[test]
    fn days_are_days_on_the_wall_clock_and_hours_are_hours() {
        let evening = parsed("20240330T200000", Berlin).unwrap();
        let hours_to = |text: &str| {
            let span = Span::parsed(text).unwrap();
            (evening.after(span) - evening.instant()).num_minutes() as f64 / 60.0
        };
        let found = ["P1D", "PT24H", "P1DT2H", "P1W", "+PT90M", "PT0S"].map(hours_to);
        let right = [23.0, 24.0, 25.0, 167.0, 1.5, 0.0];
        assert!(
            found.iter().zip(right).all(|(found, right)| (found - right).abs() < 1e-9),
            "{found:?}"
        );
        for text in [
            "P",
            "PT",
            "1D",
            "P1H",
            "PT1D",
            "P1DT",
            "PT1M1H",
            "-PT1H",
            "P99999999999D",
            "P9999W",
            "PxD",
        ] {
            assert!(Span::parsed(text).is_err(), "{text}");
        }
    }
}
