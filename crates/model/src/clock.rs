//! The time grid: equal slots in UTC, local days in the world's time zone.
//!
//! A slot is named by its index from the start of the simulation; slot `k` covers
//! `[k, k + 1)` slot lengths. Stays may lie partly before the start, so instants are
//! signed seconds from the start. Daily patterns and tariffs follow the wall clock of
//! the world's time zone, whose days last 23 or 25 hours when the clocks change.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use std::ops::Range;

/// What comes before the first day and after the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Boundary {
    /// Other days: stays may reach over both ends, and what happens beyond is not simulated.
    #[default]
    Open,
    /// The same day again: one typical day follows upon itself, and what reaches over midnight
    /// comes in again at its beginning.
    Fold,
}

/// When the simulation runs, and in what steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Start of slot 0.
    pub start: DateTime<Utc>,
    /// Time zone of daily patterns, tariffs and local days.
    pub zone: Tz,
    /// Length of a slot in seconds.
    pub slot_seconds: u32,
    /// Number of simulated slots.
    pub slots: u32,
    /// What comes before the first day and after the last.
    pub boundary: Boundary,
}

/// A clock that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// The slot length does not divide an hour.
    #[error("a step of {0} s does not divide an hour; use 1, 5, 10, 15, 30 or 60 min")]
    StepDoesNotDivideAnHour(u32),
    /// No whole slot would be simulated.
    #[error("the world lasts no slot at all; `days` must be at least 1")]
    Empty,
    /// The run is longer than slot numbers reach.
    #[error("{0} slots are more than can be numbered")]
    TooLong(i64),
}

impl Clock {
    /// A clock that starts at the wall-clock time `start` in `zone` and covers `days` local days,
    /// with other days before and after them.
    pub fn new(
        start: NaiveDateTime,
        zone: Tz,
        slot_seconds: u32,
        days: u32,
    ) -> Result<Self, ClockError> {
        // Hours must hold whole slots: typical days, hours of drivers' draws and 24 hours of a
        // series are counted in them.
        if slot_seconds < 60 || 3600 % slot_seconds != 0 {
            return Err(ClockError::StepDoesNotDivideAnHour(slot_seconds));
        }
        let begin = to_utc(start, zone);
        let end = to_utc(start + Days::new(u64::from(days)), zone);
        let slots = (end - begin).num_seconds() / i64::from(slot_seconds);
        match slots {
            ..=0 => Err(ClockError::Empty),
            1..=0x7fff_ffff => Ok(Self {
                start: begin,
                zone,
                slot_seconds,
                slots: slots as u32,
                boundary: Boundary::Open,
            }),
            _ => Err(ClockError::TooLong(slots)),
        }
    }

    /// Length of a slot in hours.
    pub fn slot_hours(&self) -> f64 {
        f64::from(self.slot_seconds) / 3600.0
    }

    /// End of the last slot.
    pub fn end(&self) -> DateTime<Utc> {
        self.slot_start(self.slots)
    }

    /// The instant at which `slot` begins.
    pub fn slot_start(&self, slot: u32) -> DateTime<Utc> {
        self.start + Duration::seconds(i64::from(slot) * i64::from(self.slot_seconds))
    }

    /// The wall-clock time at which `slot` begins.
    pub fn local(&self, slot: u32) -> NaiveDateTime {
        self.slot_start(slot).with_timezone(&self.zone).naive_local()
    }

    /// Whole seconds from the start of slot 0 to `instant`, negative before it.
    pub fn seconds_to(&self, instant: DateTime<Utc>) -> i64 {
        (instant - self.start).num_seconds()
    }

    /// Whole seconds from the start of slot 0 until no less than `instant`: a fraction of a second
    /// counts as one, as an arrival does.
    pub fn seconds_until(&self, instant: DateTime<Utc>) -> i64 {
        let begun = self.seconds_to(instant);
        begun + i64::from(self.start + Duration::seconds(begun) < instant)
    }

    /// The first slot that begins at or after `seconds`, and not before slot 0.
    pub fn slot_from(&self, seconds: i64) -> u32 {
        let length = i64::from(self.slot_seconds);
        (seconds.max(0) + length - 1).div_euclid(length).min(i64::from(u32::MAX)) as u32
    }

    /// The number of slots that end at or before `seconds`, counted from slot 0.
    pub fn slots_until(&self, seconds: i64) -> u32 {
        (seconds.max(0) / i64::from(self.slot_seconds)).min(i64::from(u32::MAX)) as u32
    }

    /// Slots of the typical day, after which everything comes again; `None` where days differ.
    pub fn typical_day(&self) -> Option<u32> {
        (self.boundary == Boundary::Fold).then(|| self.slots_per_24_hours())
    }

    /// The slot that stands for `slot`: its place in the typical day, or itself where days differ.
    pub fn place(&self, slot: u32) -> u32 {
        self.typical_day().map_or(slot, |day| slot % day)
    }

    /// Slots from the beginning of a stay's own axis to that of ticks, where the part of a stay from
    /// `first` on that is in progress at `tick` is meant: whole days, where the day comes again, and
    /// none elsewhere.
    pub fn slots_before(&self, first: u32, tick: u32) -> u32 {
        let Some(day) = self.typical_day() else { return 0 };
        let begins_at = self.place(first);
        // What began later in the day than it is now came over midnight: it began a day before.
        let whole_days = first - begins_at;
        if begins_at > tick { whole_days + day } else { whole_days }
    }

    /// Slots in 24 hours, whatever the local day.
    pub fn slots_per_24_hours(&self) -> u32 {
        24 * 3600 / self.slot_seconds
    }

    /// The slots of the local day that `slot` begins in: from slot 0 where the run begins within
    /// that day, and to the day's end where the run ends before.
    pub fn local_day(&self, slot: u32) -> Range<u32> {
        let date = self.local(slot).date();
        // Rounded up: a slot that midnight falls into belongs to the day in which it begins.
        let midnight = |date| self.slot_from(self.day(date).at(0.0));
        midnight(date)..midnight(date + Days::new(1))
    }

    /// Whether a local day, or the run, begins with `slot`.
    pub fn begins_day(&self, slot: u32) -> bool {
        self.local_day(slot).start == slot
    }

    /// The local dates that the simulation touches, in order.
    pub fn dates(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.local(self.slots - 1).date();
        self.local(0).date().iter_days().take_while(move |date| *date <= last)
    }

    /// The local day `date`, for turning wall-clock times on it into seconds from the start.
    pub fn day(&self, date: NaiveDate) -> LocalDay {
        let midnight =
            |date: NaiveDate| self.seconds_to(to_utc(date.and_time(NaiveTime::MIN), self.zone));
        let start = midnight(date);
        // Two days, since times of a day reach into the next morning: where no clock changes in
        // them, the wall clock runs as seconds do, and no time need be looked up in the zone.
        let steady = midnight(date + Days::new(2)) - start == 2 * 24 * 3600;
        LocalDay { date, zone: self.zone, clock_start: self.start, start, steady }
    }
}

/// One local day of a [`Clock`].
#[derive(Debug, Clone, Copy)]
pub struct LocalDay {
    /// Its calendar date.
    pub date: NaiveDate,
    zone: Tz,
    clock_start: DateTime<Utc>,
    start: i64,
    steady: bool,
}

impl LocalDay {
    /// Seconds from the clock's start to the wall-clock time `hours` after this day's midnight.
    ///
    /// `hours` may be negative or above 24: 31.0 is seven o'clock on the next day's wall clock.
    /// A time that the clocks skip counts as much later as they skip; a time that occurs twice
    /// means the first. To the nearest second.
    pub fn at(&self, hours: f64) -> i64 {
        self.at_second(libm::round(hours * 3600.0) as i64)
    }

    /// The first whole second that does not lie before such a time, which is taken to the
    /// microsecond: an arrival. Slots begin and end at whole seconds, so that a stay uses those
    /// that it would use if seconds had fractions.
    pub fn not_before(&self, hours: f64) -> i64 {
        self.at_second(libm::ceil(seconds_of(hours)) as i64)
    }

    /// The last whole second that does not lie after such a time: a departure.
    pub fn not_after(&self, hours: f64) -> i64 {
        self.at_second(libm::floor(seconds_of(hours)) as i64)
    }

    fn at_second(&self, seconds: i64) -> i64 {
        if self.steady && (0..48 * 3600).contains(&seconds) {
            return self.start + seconds;
        }
        let wall = self.date.and_time(NaiveTime::MIN) + Duration::seconds(seconds);
        (to_utc(wall, self.zone) - self.clock_start).num_seconds()
    }
}

/// Seconds of a number of hours, to the microsecond: what rounding leaves of a whole second is
/// none.
fn seconds_of(hours: f64) -> f64 {
    libm::round(hours * 3.6e9) / 1e6
}

/// The instant of a wall-clock time; the first of two, and after a gap as far as before it.
fn to_utc(wall: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // However long the gap is, the first step that leads out of it has the offset from before it;
    // half an hour is too short to step over a change before that.
    let step = Duration::minutes(30);
    let mut back = Duration::zero();
    loop {
        if let Some(found) = zone.from_local_datetime(&(wall - back)).earliest() {
            return found.with_timezone(&Utc) + back;
        }
        back += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Asia::Kolkata, Europe::Berlin};

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn local_days_last_23_or_25_hours_when_the_clocks_change() {
        let slots = |start| Clock::new(at(start), Berlin, 900, 1).unwrap().slots;
        assert_eq!(slots("2018-10-08T00:00:00"), 96);
        assert_eq!(slots("2024-03-31T00:00:00"), 92);
        assert_eq!(slots("2024-10-27T00:00:00"), 100);
    }

    #[test]
    fn a_local_day_has_the_slots_that_begin_in_it() {
        let zones = [Berlin, chrono_tz::America::Sao_Paulo, chrono_tz::Pacific::Apia, Kolkata];
        // In Berlin an hour is skipped, in Sao Paulo it is midnight's, and in Apia it is a day.
        for (zone, start) in zones.into_iter().zip([
            "2024-03-30T17:00:00",
            "2018-11-03T17:00:00",
            "2011-12-29T17:00:00",
            "2024-03-30T17:00:00",
        ]) {
            let clock = Clock::new(at(start), zone, 1800, 4).unwrap();
            for slot in 0..clock.slots {
                let date = |slot: &u32| clock.local(*slot).date();
                let today = |other: &u32| date(other) == date(&slot);
                let first = (0..=slot).rev().take_while(today).last().unwrap();
                let last = (slot..slot + 100).take_while(today).last().unwrap();
                assert_eq!(clock.local_day(slot), first..last + 1, "{zone} {slot}");
                assert_eq!(clock.begins_day(slot), first == slot, "{zone} {slot}");
            }
        }
    }

    #[test]
    fn wall_clock_times_follow_the_clocks() {
        let clock = Clock::new(at("2024-03-30T00:00:00"), Berlin, 900, 3).unwrap();
        let saturday = clock.day("2024-03-30".parse().unwrap());
        assert_eq!(saturday.at(31.0), 30 * 3600, "seven on Sunday comes an hour early");
        let sunday = clock.day("2024-03-31".parse().unwrap());
        assert_eq!(
            sunday.at(2.5) - sunday.at(0.0),
            9000,
            "a skipped time counts from before the gap"
        );
        assert_eq!(sunday.at(3.5), sunday.at(2.5));
    }

    #[test]
    fn a_fraction_of_a_second_after_an_edge_misses_the_slot() {
        let clock = Clock::new(at("2024-01-01T00:00:00"), Berlin, 900, 1).unwrap();
        let day = clock.day("2024-01-01".parse().unwrap());
        let eight = 8.0 * 3600.0;
        let slots = |second: f64| {
            let hours = second / 3600.0;
            (clock.slot_from(day.not_before(hours)), clock.slots_until(day.not_after(hours)))
        };
        assert_eq!(slots(eight), (32, 32));
        assert_eq!((slots(eight + 0.49), slots(eight - 0.49)), ((33, 32), (32, 31)));
        assert_eq!((slots(eight + 0.000_001), slots(eight - 0.000_001)), ((33, 32), (32, 31)));
        // 17.1 hours are 61,560 seconds and 7e-12.
        let minutes = Clock::new(at("2024-01-01T00:00:00"), Berlin, 60, 1).unwrap();
        assert_eq!(minutes.slot_from(day.not_before(17.1)), 1026);
        assert_eq!(minutes.slots_until(day.not_after(17.1)), 1026);
    }

    #[test]
    fn half_hour_zones_are_whole_slots() {
        let clock = Clock::new(at("2024-01-01T00:00:00"), Kolkata, 900, 1).unwrap();
        assert_eq!(clock.start.to_rfc3339(), "2023-12-31T18:30:00+00:00");
        assert_eq!(clock.local(1), at("2024-01-01T00:15:00"));
    }

    #[test]
    fn whole_slots_of_an_interval() {
        let clock = Clock::new(at("2024-01-01T00:00:00"), Berlin, 900, 1).unwrap();
        assert_eq!((clock.slot_from(0), clock.slot_from(1), clock.slot_from(900)), (0, 1, 1));
        assert_eq!((clock.slots_until(899), clock.slots_until(900)), (0, 1));
        assert_eq!(clock.slot_from(-5000), 0);
    }

    #[test]
    fn a_fraction_of_a_second_counts_on_the_side_that_it_lies() {
        let clock = Clock::new(at("2024-01-01T00:00:00"), Berlin, 900, 1).unwrap();
        let instant = |milliseconds: i64| clock.start + Duration::milliseconds(milliseconds);
        let both = |milliseconds| {
            (clock.seconds_to(instant(milliseconds)), clock.seconds_until(instant(milliseconds)))
        };
        assert_eq!((both(900_000), both(900_490)), ((900, 900), (900, 901)));
        assert_eq!((both(-490), both(-1000)), ((0, 0), (-1, -1)));
    }

    #[test]
    fn steps_that_do_not_divide_an_hour_are_refused() {
        assert!(Clock::new(at("2024-01-01T00:00:00"), Berlin, 420, 1).is_err());
        assert_eq!(Clock::new(at("2024-01-01T00:00:00"), Berlin, 900, 0), Err(ClockError::Empty));
    }
}
