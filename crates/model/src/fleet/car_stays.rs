//! The stays of one car, and what there is of each in a run.

use super::{DAY_SECONDS, Drawing, Draws, Fleet, Parking, Place, Population, seconds};
use crate::{
    clock::{Boundary, Clock, LocalDay},
    random::Purpose,
    rules::Rules,
    stay::Stay,
};

/// What there is of a stay in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InRun {
    /// Slots of the run are its.
    Slots,
    /// It holds no whole slot, and ends within the run.
    WithoutSlot,
    /// It would have to end before it begins.
    WithoutTime,
    /// All its whole slots come before the run.
    Before,
    /// All its whole slots come after the run.
    Beyond,
}

impl InRun {
    /// Of a stay by its arrival and departure; all in seconds from the start, at which the run
    /// begins.
    pub(super) fn of(clock: &Clock, end: i64, (arrives, leaves): (i64, i64)) -> Self {
        let length = i64::from(clock.slot_seconds);
        // Not `Clock::slot_from`, which begins at slot 0: slots before the run count here, too.
        let first_slot = arrives.saturating_add(length - 1).div_euclid(length);
        let has_slot = first_slot < leaves.div_euclid(length);
        match () {
            () if leaves <= arrives => Self::WithoutTime,
            () if leaves <= 0 || has_slot && leaves < length => Self::Before,
            () if arrives >= end || has_slot && first_slot * length >= end => Self::Beyond,
            () if has_slot => Self::Slots,
            // Not before the line above: a stay with slots in the run may end after it.
            () if leaves > end => Self::Beyond,
            () => Self::WithoutSlot,
        }
    }
}

/// The local days whose stays can touch the run, the evening before it included.
fn pattern_days(clock: &Clock) -> Vec<LocalDay> {
    let first = clock.local(0).date().pred_opt().expect("the calendar began earlier");
    std::iter::once(first).chain(clock.dates()).map(|date| clock.day(date)).collect()
}

/// Adds the stays of the car that was added last, in order, leaving out those that no slot of the
/// run can use.
pub(super) struct CarStays<'a> {
    population: &'a mut Population,
    clock: &'a Clock,
    rules: Rules,
    ev: u32,
    /// The first of its chargers.
    charger: u32,
    /// End of the time that stays may begin in, in seconds from the start.
    end: i64,
    /// Energy of the trips since the car's last stay; `None` before its first one.
    trip_kwh: Option<f64>,
    /// When it left from its last stay that had a length, in seconds from the start.
    left: Option<i64>,
}

impl<'a> CarStays<'a> {
    /// Of the car that was added last; `charger` is the first of its chargers.
    pub(super) fn new(population: &'a mut Population, drawing: &Drawing<'a>, charger: u32) -> Self {
        let &Drawing { clock, rules, .. } = drawing;
        let ev = population.len() as u32 - 1;
        let run = i64::from(clock.slots) * i64::from(clock.slot_seconds);
        // A typical day is unrolled: the stay at work lies on the day after the night.
        let end = if clock.boundary == Boundary::Fold { 2 * run } else { run };
        Self { population, clock, rules, ev, charger, end, trip_kwh: None, left: None }
    }

    /// All stays that touch the run, by date.
    pub(super) fn add_days(&mut self, draws: Draws, fleet: &Fleet, parking: &Parking) {
        // Work comes before the night: a car's stays are kept by arrival.
        for day in &pattern_days(self.clock) {
            let trip = |leg| draws.of_day(Purpose::Trip, &fleet.trip_energy, day.date, leg);
            match parking {
                Parking::Overnight(home) => {
                    self.add_drawn(0, home, draws.overnight(home, day, None), trip(0));
                }
                Parking::Workplace(work, days) if days.contains(day.date) => {
                    self.add_drawn(0, work, draws.workplace(work, day, None), trip(0));
                }
                Parking::Commute { home, work, days } => {
                    let at_work = days.contains(day.date).then(|| draws.at_work(home, work, day));
                    if let Some(times) = at_work {
                        self.add_drawn(1, work, times, trip(0));
                    }
                    let night = draws.overnight(home, day, at_work.map(|times| times.1));
                    self.add_drawn(0, home, night, trip(1));
                }
                Parking::Workplace(..) | Parking::Sessions { .. } | Parking::Listed { .. } => {}
            }
        }
    }

    /// Adds a stay that begins no sooner than the car can have come from the one before, whose
    /// drawn end may lie on a later day than it should. Up to [`Rules::V1`] the car was plugged in
    /// twice then.
    fn add_drawn(
        &mut self,
        number: u32,
        place: &Place,
        (arrives, leaves): (i64, i64),
        trip_kwh: f64,
    ) {
        let came = self.left.map(|left| left + seconds(place.trip_time_min));
        let arrives = match self.rules {
            Rules::V1 => arrives,
            Rules::V2 => arrives.max(came.unwrap_or(arrives)),
        };
        // Where a stay has no time the car drives on, and comes from the one before.
        if arrives < leaves {
            self.left = Some(leaves);
        }
        self.add(number, (arrives, leaves), trip_kwh);
    }

    /// The stays from coming home on the clock's day to leaving work on the next, which is the same
    /// typical day again: so nobody comes home before leaving work, nor stays for longer than a
    /// day.
    pub(super) fn add_typical_day(&mut self, draws: Draws, fleet: &Fleet, parking: &Parking) {
        let today = self.clock.day(self.clock.local(0).date());
        let tomorrow = self.clock.day(today.date.succ_opt().expect("the calendar goes on"));
        let trip_kwh = draws.of_day(Purpose::Trip, &fleet.trip_energy, tomorrow.date, 0);
        match parking {
            Parking::Overnight(home) => {
                let left = draws.leaves_home(home, &tomorrow, tomorrow.date, 0.0) - DAY_SECONDS;
                self.add(0, draws.overnight(home, &today, Some(left)), trip_kwh);
            }
            Parking::Workplace(work, _) => {
                let at_work = self.within_a_day(work, draws.workplace(work, &today, None));
                self.add(0, at_work, trip_kwh);
            }
            Parking::Commute { home, work, .. } => {
                let at_work = self.within_a_day(work, draws.at_work(home, work, &tomorrow));
                let night = draws.overnight(home, &today, Some(at_work.1 - DAY_SECONDS));
                self.add(0, self.within_a_day(home, night), trip_kwh);
                self.add(1, at_work, trip_kwh);
            }
            Parking::Sessions { .. } | Parking::Listed { .. } => {}
        }
    }

    /// A stay of a typical day that begins no sooner than the car can have come back from leaving
    /// it.
    fn within_a_day(&self, place: &Place, (arrives, leaves): (i64, i64)) -> (i64, i64) {
        let came_back = leaves - DAY_SECONDS + seconds(place.trip_time_min);
        match self.rules {
            Rules::V1 => (arrives, leaves),
            Rules::V2 => (arrives.max(came_back), leaves),
        }
    }

    pub(super) fn add(&mut self, place: u32, times: (i64, i64), trip_kwh: f64) {
        self.add_announced(place, times, times.1, trip_kwh);
    }

    /// Adds a stay at the car's charger number `place`.
    pub(super) fn add_announced(
        &mut self,
        place: u32,
        (arrives, leaves): (i64, i64),
        announced: i64,
        trip_kwh: f64,
    ) {
        if leaves <= 0 || arrives >= self.end {
            return;
        }
        let driven = self.trip_kwh.map(|before| before + trip_kwh);
        let stay = Stay {
            ev: self.ev,
            charger: self.charger + place,
            arrives: arrives as i32,
            leaves: leaves as i32,
            announced: announced as i32,
            trip_kwh: driven.unwrap_or(0.0),
        };
        match InRun::of(self.clock, self.end, (arrives, leaves)) {
            InRun::Slots => {
                self.trip_kwh = Some(0.0);
                self.population.stays.push(stay);
            }
            InRun::WithoutSlot => {
                self.population.notes.stays_without_slot += 1;
                // In the table the trip stands where it was driven. No event tells of this stay, so
                // that the battery gives the energy with the next one's trip.
                let own_kwh = driven.map_or(0.0, |_| trip_kwh);
                self.population.stays_without_slot.push(Stay { trip_kwh: own_kwh, ..stay });
                self.trip_kwh = driven;
            }
            InRun::WithoutTime => {
                self.population.notes.stays_without_time += 1;
                self.trip_kwh = driven;
            }
            // What came before is in the energy that the car begins with.
            InRun::Before | InRun::Beyond => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_session_that_was_read_is_accounted_for() {
        let clock =
            Clock::new("2018-10-08T00:00:00".parse().unwrap(), chrono_tz::UTC, 900, 1).unwrap();
        let day = 86_400;
        let kinds = [
            ((100, 2000), InRun::Slots),
            ((-5000, 900), InRun::Slots),
            ((-5000, 899), InRun::Before),
            ((-900, 0), InRun::Before),
            ((-100, 800), InRun::WithoutSlot),
            ((100, 1000), InRun::WithoutSlot),
            ((800, 1700), InRun::WithoutSlot),
            ((1000, 1000), InRun::WithoutTime),
            ((day - 899, day), InRun::WithoutSlot),
            ((day - 899, day + 1), InRun::Beyond),
            ((day - 899, day + 2000), InRun::Beyond),
            ((day - 900, day + 2000), InRun::Slots),
            ((day, day + 2000), InRun::Beyond),
        ];
        for ((arrives, leaves), kind) in kinds {
            assert_eq!(InRun::of(&clock, day, (arrives, leaves)), kind, "{arrives} to {leaves}");
        }
    }
}
