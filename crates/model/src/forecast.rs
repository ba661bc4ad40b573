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
    /// How many slots from there on are known: those that are committed.
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

    /// The share of the day-ahead forecast in slot `slot + ahead`: `clip((ahead - known)/blend, 0, 1)`.
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
    pub fn issue(&self, actual: &Series, issue: Issue, count: usize, seed: u64, day: u32) -> Vec<f64> {
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
                let (key, fresh) = (CarKey::new(&actual.name, 0), (1.0 - phi * phi).sqrt());
                let mut error = 0.0;
                let with_error = |(ahead, slot)| {
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
