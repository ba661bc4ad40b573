//! What is wished for a car's stored energy beside its departure target: minima and maxima at given
//! times, and reservations.
//!
//! A reservation wants a state of charge from one instant to another. That may be above the maxima
//! of everyday use, so before it they are lifted: from the last instant at which a car that stands
//! at its maximum still reaches the reservation with full power, or sooner where the window is
//! widened, until the car leaves.

use std::ops::Range;

/// A state of charge between two instants, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SocWish {
    /// Seconds from the clock's start.
    pub from: i64,
    /// Seconds from the clock's start.
    pub to: i64,
    /// State of charge, 0..1.
    pub soc: f64,
    /// Index of the car in its fleet; `None` for all of them.
    pub car: Option<u32>,
}

/// The wishes of a fleet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SocWishes {
    /// Least states of charge.
    pub minima: Vec<SocWish>,
    /// Most states of charge.
    pub maxima: Vec<SocWish>,
    /// States of charge that reservations want.
    pub reservations: Vec<SocWish>,
    /// By how much the maxima are lifted sooner than needed, s.
    pub widened: i64,
}

/// A stay for which wishes hold.
#[derive(Debug, Clone, PartialEq)]
pub struct WishedStay {
    /// Index of the car in its fleet.
    pub car: u32,
    /// From its arrival to its announced departure, seconds from the clock's start.
    pub seconds: Range<i64>,
    /// Length of a slot, s.
    pub slot_seconds: i64,
    /// State of charge that an hour of full power adds.
    pub soc_per_hour: f64,
}

/// What a state of charge may be off by and still count as reached.
const REACHED_WITHIN: f64 = 1e-9;

impl SocWish {
    /// Whether a state of charge is enough where the wish is a least one, as a reservation is.
    pub fn is_met(&self, soc: f64) -> bool {
        soc >= self.soc - REACHED_WITHIN
    }

    fn is_of(&self, car: u32) -> bool {
        self.car.is_none_or(|of| of == car)
    }

    /// Whether the wish holds at a tick: from the one at or before its start to the one at or after
    /// its end.
    pub fn holds(&self, at: i64, slot_seconds: i64) -> bool {
        // A wish that begins and ends between two ticks would hold at none of them.
        at + slot_seconds > self.from && at - slot_seconds < self.to
    }

    /// Whether it holds at one of the ticks from `first` to `last`, both included.
    pub fn holds_between(&self, first: i64, last: i64, slot_seconds: i64) -> bool {
        let before = self.from.saturating_sub(slot_seconds).div_euclid(slot_seconds);
        let at = first.max((before + 1).saturating_mul(slot_seconds));
        at <= last && self.holds(at, slot_seconds)
    }
}

impl SocWishes {
    /// Whether nothing is wished.
    pub fn is_empty(&self) -> bool {
        self.minima.is_empty() && self.maxima.is_empty() && self.reservations.is_empty()
    }

    /// All wishes, each with what it is called in a world.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &SocWish)> {
        let minima = self.minima.iter().map(|wish| ("soc_minima", wish));
        let maxima = self.maxima.iter().map(|wish| ("soc_maxima", wish));
        minima.chain(maxima).chain(self.reservations.iter().map(|wish| ("reservations", wish)))
    }

    /// Whether there are reservations, be it of other cars.
    pub fn has_reservations(&self) -> bool {
        !self.reservations.is_empty()
    }

    /// The reservations that hold at a tick for a car, with their index.
    pub fn reserved(
        &self,
        car: u32,
        at: i64,
        slot_seconds: i64,
    ) -> impl Iterator<Item = (usize, &SocWish)> {
        let all = self.reservations.iter().enumerate();
        all.filter(move |(_, wish)| wish.is_of(car) && wish.holds(at, slot_seconds))
    }

    /// Least and most state of charge at a tick, where something is wished then. The least is never
    /// above the most: what a reservation or a minimum wants lifts a maximum.
    pub fn at(&self, stay: &WishedStay, at: i64) -> (Option<f64>, Option<f64>) {
        let of_car = |wish: &&SocWish| wish.is_of(stay.car);
        let holding = |wishes: &'_ [SocWish], tightest: fn(f64, f64) -> f64| {
            let now = wishes.iter().filter(of_car).filter(|wish| wish.holds(at, stay.slot_seconds));
            now.map(|wish| wish.soc).reduce(tightest)
        };
        let reserved = holding(&self.reservations, f64::max);
        let least = holding(&self.minima, f64::max).into_iter().chain(reserved).reduce(f64::max);
        let most =
            self.maxima.iter().filter(of_car).filter(|wish| wish.from <= at && at <= wish.to);
        let most = most
            .map(|wish| wish.soc)
            .filter(|&soc| !self.is_lifted(stay, at, soc))
            .reduce(f64::min);
        (least, most.map(|most| most.max(least.unwrap_or(most))))
    }

    /// Whether a maximum gives way to a reservation of this stay.
    fn is_lifted(&self, stay: &WishedStay, at: i64, most: f64) -> bool {
        let reservations =
            self.reservations.iter().filter(|wish| wish.is_of(stay.car) && wish.soc > most);
        let mut coming = reservations
            .filter(|wish| stay.seconds.contains(&wish.from) || wish.from == stay.seconds.end);
        coming.any(|wish| at > wish.from - stay.needed(wish.soc - most) - self.widened)
    }
}

impl WishedStay {
    /// Seconds in which full power adds a state of charge, in whole slots.
    fn needed(&self, soc: f64) -> i64 {
        let slots = soc / self.soc_per_hour * 3600.0 / self.slot_seconds as f64;
        if slots.is_finite() {
            // A whole number of slots may come out a little above itself.
            libm::ceil(slots - 1e-9) as i64 * self.slot_seconds
        } else {
            // For ever, and still room to subtract it from an instant without overflow.
            i64::MAX / 4
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    /// 85 % always, 95 % from 08:00 to 08:15, 5-minute slots, 20 % an hour; at home from 00:00 to
    /// 09:00.
    fn tutorial(widened: i64) -> (SocWishes, WishedStay) {
        let wish = |from, to, soc| SocWish { from, to, soc, car: None };
        let wishes = SocWishes {
            maxima: vec![wish(i64::MIN, i64::MAX, 0.85)],
            reservations: vec![wish(8 * HOUR, 8 * HOUR + 900, 0.95)],
            widened,
            ..SocWishes::default()
        };
        let stay =
            WishedStay { car: 0, seconds: 0..9 * HOUR, slot_seconds: 300, soc_per_hour: 0.2 };
        (wishes, stay)
    }

    #[test]
    fn a_reservation_lifts_the_maxima_as_long_before_as_full_power_needs() {
        let (wishes, stay) = tutorial(0);
        assert_eq!(wishes.at(&stay, 7 * HOUR + 1800), (None, Some(0.85)), "half an hour adds 10 %");
        assert_eq!(wishes.at(&stay, 7 * HOUR + 2100), (None, None));
        assert_eq!(wishes.at(&stay, 8 * HOUR), (Some(0.95), None));
        assert_eq!(wishes.at(&stay, 8 * HOUR + 900), (Some(0.95), None));
        assert_eq!(wishes.at(&stay, 8 * HOUR + 1200), (None, None), "until the car leaves");
    }

    #[test]
    fn the_window_can_be_widened() {
        let (wishes, stay) = tutorial(2 * HOUR);
        assert_eq!(wishes.at(&stay, 5 * HOUR + 1800), (None, Some(0.85)));
        assert_eq!(wishes.at(&stay, 5 * HOUR + 2100), (None, None));
    }

    #[test]
    fn a_reservation_of_another_stay_or_car_changes_nothing() {
        let (mut wishes, stay) = tutorial(0);
        let leaves_sooner = WishedStay { seconds: 0..7 * HOUR, ..stay.clone() };
        assert_eq!(wishes.at(&leaves_sooner, 7 * HOUR - 300), (None, Some(0.85)));
        wishes.reservations[0].car = Some(3);
        assert_eq!(wishes.at(&stay, 8 * HOUR), (None, Some(0.85)));
        assert_eq!(wishes.reserved(3, 8 * HOUR, 300).count(), 1);
    }

    #[test]
    fn a_wish_holds_between_ticks_where_it_holds_at_one_of_them() {
        for (from, to) in [(0, 900), (450, 460), (1000, 2700), (-900, -10), (1800, 1800)] {
            let wish = SocWish { from, to, soc: 0.5, car: None };
            for (first, last) in
                [(-3600, -1800), (-900, 0), (900, 900), (1800, 2700), (2700, 1800), (3600, 9000)]
            {
                let at_one = (first..=last).step_by(900).any(|at| wish.holds(at, 900));
                assert_eq!(wish.holds_between(first, last, 900), at_one, "{wish:?} {first} {last}");
            }
        }
    }

    #[test]
    fn a_minimum_is_never_above_the_maximum() {
        let (mut wishes, stay) = tutorial(0);
        wishes.minima.push(SocWish { from: HOUR, to: HOUR, soc: 0.9, car: None });
        assert_eq!(wishes.at(&stay, HOUR), (Some(0.9), Some(0.9)));
    }
}
