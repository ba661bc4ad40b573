//! What is known of wind and sun before they come.
//!
//! A forecast is a pure function of when it was issued and of the slot that it is for. The error of
//! [`Forecast::Ar1`] grows with lead time as an autoregressive process does: with z(e) one
//! standard normal number per slot,
//! ```text
//! x(k, e) = φ·x(k, e-1) + √(1 - φ²)·z(e),   x(k, e) = 0 where e is known at k
//! forecast(k, e) = max(0, actual(e)·(1 + sd·x(k, e)))
//! ```
//! so that its variance is `1 - φ^(2·lead)` of `sd²`, and later forecasts of the same slot are
//! revisions of earlier ones: they share the numbers that both depend on.

use crate::{
    normal,
    random::{CarKey, Purpose, stream},
    series::Series,
};

/// What is known of a series beforehand.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Forecast {
    /// Everything.
    #[default]
    Perfect,
    /// The day before, this series; as a slot comes closer, more and more of the actual one.
    Series(Series),
    /// The actual series with an error that grows with lead time.
    Ar1 {
        /// φ: how much of a slot's error the next one keeps, from 0 to below 1.
        phi: f64,
        /// What the error's standard deviation grows to, as a share of the actual value.
        sd: f64,
    },
}

/// When a forecast is issued, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issue {
    /// The first slot it is for.
    pub slot: u32,
    /// How many slots from there on are committed; they are known, and so is the one after them,
    /// whose net load decides the flexibility that the last of them needs.
    pub known: u32,
    /// Over how many slots after those [`Forecast::Series`] fades from the actual series to the
    /// forecast one; 0 makes it the forecast from the first slot on.
    pub blend: u32,
}

impl Issue {
    /// The day-ahead forecast of a day that begins at `slot`: nothing is known.
    pub fn day_ahead(slot: u32) -> Self {
        Self { slot, known: 0, blend: 0 }
    }

    /// The share of the day-ahead forecast in slot `slot + ahead`:
    /// `clip((ahead - known)/blend, 0, 1)`.
    pub fn weight(self, ahead: u32) -> f64 {
        if self.blend == 0 {
            return 1.0;
        }
        (f64::from(ahead.saturating_sub(self.known)) / f64::from(self.blend)).min(1.0)
    }

    /// How many slots ahead of what is known slot `slot + ahead` lies.
    ///
    /// The day-ahead forecast is issued before its first slot: its lead there is 1.
    fn lead(self, ahead: u32) -> u32 {
        (ahead + u32::from(self.blend == 0)).saturating_sub(self.known)
    }
}

impl Forecast {
    /// What is known at `issue` of `count` slots of `actual`, kW; `day` slots are 24 hours.
    pub fn issue(
        &self,
        actual: &Series,
        issue: Issue,
        count: usize,
        seed: u64,
        day: u32,
    ) -> Vec<f64> {
        let slots = (0..count as u32).map(|ahead| (ahead, issue.slot + ahead));
        match self {
            Self::Perfect => slots.map(|(_, slot)| actual.at(slot, day)).collect(),
            Self::Series(forecast) => {
                let blend = |(ahead, slot)| {
                    let weight = issue.weight(ahead);
                    (1.0 - weight) * actual.at(slot, day) + weight * forecast.at(slot, day)
                };
                slots.map(blend).collect()
            }
            Self::Ar1 { phi, sd } => {
                // By its name, so that one more unit in the plant changes no other's errors.
                let key = CarKey::new(&actual.name, 0);
                let fresh = (1.0 - phi * phi).sqrt();
                let mut error = 0.0;
                let with_error = |(ahead, slot)| {
                    // What is known has no error, and none is carried on from it.
                    if issue.lead(ahead) > 0 {
                        error = phi * error + fresh * draw(seed, key, slot);
                    }
                    (actual.at(slot, day) * (1.0 + sd * error)).max(0.0)
                };
                slots.map(with_error).collect()
            }
        }
    }
}

/// The standard normal number of one slot of a series.
fn draw(seed: u64, series: CarKey, slot: u32) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 52) as f64;
    let word = stream(seed, Purpose::Forecast, series, slot).next_u64();
    normal::quantile(((word >> 12) as f64 + 0.5) * STEP)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn series(name: &str, values: &[f64]) -> Series {
        Series { name: name.into(), unit: "kW".into(), values: values.into() }
    }

    /// 16 slots, of which the first is committed: weights 0, 0, 1/16, 2/16, ...
    #[test]
    fn a_window_sees_the_actual_first_and_the_forecast_more_and_more() {
        let (actual, ahead) = (series("wind", &[100.0; 32]), series("ahead", &[260.0; 32]));
        let issue = Issue { slot: 3, known: 1, blend: 16 };
        let seen = Forecast::Series(ahead.clone()).issue(&actual, issue, 16, 0, 96);
        let expected: Vec<f64> =
            (0..16_u8).map(|i| 100.0 + 10.0 * f64::from(i.saturating_sub(1))).collect();
        assert_eq!(seen, expected);
        let before = Forecast::Series(ahead).issue(&actual, Issue::day_ahead(0), 4, 0, 96);
        assert_eq!(before, [260.0; 4]);
        assert_eq!(Forecast::Perfect.issue(&actual, issue, 2, 0, 96), [100.0; 2]);
    }

    const AR1: Forecast = Forecast::Ar1 { phi: 0.8, sd: 0.2 };

    #[test]
    fn what_is_committed_is_known_and_errors_grow_with_lead_time() {
        let actual = series("sun", &vec![1000.0; 4000]);
        let issue = |slot| Issue { slot, known: 2, blend: 16 };
        let mut squares = [0.0; 12];
        for slot in 0..3900 {
            let seen = AR1.issue(&actual, issue(slot), 12, 7, 96);
            assert_eq!(seen[..3], [1000.0; 3]);
            for (square, seen) in squares.iter_mut().zip(seen) {
                *square += (seen / 1000.0 - 1.0).powi(2) / 3900.0;
            }
        }
        for (ahead, square) in (0..).zip(squares).skip(3) {
            let variance = 0.04 * (1.0 - 0.64_f64.powi(ahead - 2));
            assert!(
                (square / variance - 1.0).abs() < 0.15,
                "{ahead} ahead: {square}, not {variance}"
            );
        }
    }

    #[test]
    fn a_later_forecast_revises_an_earlier_one() {
        let actual = series("sun", &[1000.0; 200]);
        let at = |slot, target: u32| {
            let issue = Issue { slot, known: 1, blend: 16 };
            AR1.issue(&actual, issue, (target - slot + 1) as usize, 7, 96)[(target - slot) as usize]
        };
        // One slot closer, one draw fewer: errors 20 and 19 slots ahead are nearly the same.
        assert!((at(10, 31) - at(11, 31)).abs() < 5.0 && at(10, 31) != at(11, 31));
    }

    #[test]
    fn errors_differ_by_series_and_seed_and_repeat_otherwise() {
        let seen =
            |name, seed| AR1.issue(&series(name, &[50.0; 96]), Issue::day_ahead(0), 24, seed, 96);
        assert_eq!(seen("north", 1), seen("north", 1));
        assert!(seen("north", 1) != seen("south", 1) && seen("north", 1) != seen("north", 2));
        assert!(seen("north", 1).iter().all(|&power| power >= 0.0));
    }
}
