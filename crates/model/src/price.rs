//! Incentive prices: dearer where net load is above its daily mean, cheaper where it is below.
//!
//! ```text
//! λ_j  = (1 + K_p)·λ_TOU             (1)   IncentiveRule::price
//! K_p  = ρ·(P_L - P_ap)/P_ap         (2)   IncentiveRule::signal, NetLoadSignal::k
//! P_L  = base - wind - pv            (3)   net_load
//! P_ap = mean of P_L over the day    (4)   NetLoadSignal::mean_kw
//! ε    = λ_j/λ_e                     (5)   ExpectedPrice::incentive_ratio
//! ```
//!
//! Net load is in kW, prices are per kWh, `K_p` and ε have no unit. Equations are those of the
//! scheduling paper behind the case study; where it leaves something open, the item says what
//! is done here. [`PriceFeedback`] says whether the net load of (3) holds the cars planned so far.

use crate::clock::Clock;
use chrono::NaiveDate;
use std::{num::NonZeroU32, ops::Range};

/// Prices that cannot be formed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PriceError {
    /// (2) divides by the day's mean net load, which must be above 0.
    #[error(
        "the mean net load of {date} is {mean_kw} kW; incentive prices need one above 0 kW, \
         so use less wind and sun, more load, or no incentive price"
    )]
    NonPositiveMeanNetLoad {
        /// The local day.
        date: NaiveDate,
        /// Its mean net load.
        mean_kw: f64,
    },
    /// A slot's net load is NaN or infinite.
    #[error("the net load of slot {slot} on {date} is not finite")]
    NetLoadNotFinite {
        /// The slot.
        slot: u32,
        /// Its local day.
        date: NaiveDate,
    },
    /// A parameter lies outside its range.
    #[error("{parameter} is {value}; it must be {wanted}")]
    Parameter {
        /// Which parameter: `rho`, `floor`, `kappa` or `expected price`.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
}

/// Net load (3) in kW: what is left of base load after the wind and sun that are available.
pub fn net_load(base_kw: f64, wind_kw: f64, pv_kw: f64) -> f64 {
    base_kw - wind_kw - pv_kw
}

/// Whether the prices that a car sees know of the cars planned before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceFeedback {
    /// No: the net load of (3) has no cars in it, and every car sees the same prices.
    None,
    /// After every so many cars, (1)-(4) are formed anew with the load of those planned so far.
    Batch(NonZeroU32),
}

/// How net load turns into prices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IncentiveRule {
    /// ρ of (2): how far prices follow net load; 0 leaves them as they are.
    pub rho: f64,
    /// Lowest incentive price, per kWh. With `Some(0.0)`, as in the case study, a net load far
    /// below its mean makes energy free and no more. It holds in every slot, so that a floor of 0
    /// hides negative time-of-use prices; `None` keeps them.
    pub floor: Option<f64>,
}

impl IncentiveRule {
    /// Checks that ρ is finite and not negative, and the floor finite.
    ///
    /// # Errors
    /// [`PriceError::Parameter`] names the parameter.
    pub fn check(&self) -> Result<(), PriceError> {
        if !(self.rho.is_finite() && self.rho >= 0.0) {
            return Err(parameter("rho", self.rho, "finite and not below 0"));
        }
        match self.floor {
            Some(floor) if !floor.is_finite() => Err(parameter("floor", floor, "finite")),
            _ => Ok(()),
        }
    }

    /// (2) and (4) for every slot of `days`, from the net load of each slot in kW.
    ///
    /// # Errors
    /// [`PriceError::NonPositiveMeanNetLoad`] and [`PriceError::NetLoadNotFinite`] name the day.
    ///
    /// # Panics
    /// If `net_load_kw` does not hold one value for each slot of `days`.
    pub fn signal(
        &self,
        net_load_kw: &[f64],
        days: &LocalDays,
    ) -> Result<NetLoadSignal, PriceError> {
        let count = days.slots() as usize;
        let mut signal = NetLoadSignal { mean_kw: vec![0.0; count], k: vec![0.0; count] };
        signal.refresh(self, net_load_kw, days, 0..days.slots())?;
        Ok(signal)
    }

    /// The incentive price (1), from `K_p` and the time-of-use price, per kWh.
    ///
    /// At a negative time-of-use price (1) would make peaks cheaper than valleys; there the price
    /// moves by `K_p·|λ_TOU|`, so that a peak is always the dearer one.
    pub fn price(&self, k: f64, tou_price: f64) -> f64 {
        let price =
            if tou_price < 0.0 { tou_price + k * tou_price.abs() } else { (1.0 + k) * tou_price };
        self.floor.map_or(price, |floor| at_least(floor, price))
    }
}

/// Which way prices lean in each slot, whatever the tariff.
#[derive(Debug, Clone, PartialEq)]
pub struct NetLoadSignal {
    /// `P_ap` of (4), in kW: the mean net load of the slot's local day.
    pub mean_kw: Vec<f64>,
    /// `K_p` of (2): by what share the price departs from the time-of-use price.
    pub k: Vec<f64>,
}

impl NetLoadSignal {
    /// Forms (2) and (4) anew for the days that `slots` touches, after their net load has changed.
    ///
    /// # Errors
    /// As [`IncentiveRule::signal`]; days from the one named on keep their former values.
    ///
    /// # Panics
    /// If `net_load_kw` does not hold one value for each slot of `days`.
    pub fn refresh(
        &mut self,
        rule: &IncentiveRule,
        net_load_kw: &[f64],
        days: &LocalDays,
        slots: Range<u32>,
    ) -> Result<(), PriceError> {
        assert_eq!(net_load_kw.len(), days.slots() as usize, "one net load for each slot");
        // Other days are as they were: prices may be formed anew after every few cars.
        for day in days.touched_by(slots) {
            let range = days.range(day);
            let mean = mean_net_load(&net_load_kw[range.clone()], range.start, days.date(day))?;
            self.mean_kw[range.clone()].fill(mean);
            for (k, load) in self.k[range.clone()].iter_mut().zip(&net_load_kw[range]) {
                *k = rule.rho * (load - mean) / mean;
            }
        }
        Ok(())
    }
}

/// (4) of one day whose first slot is `first`.
fn mean_net_load(day_kw: &[f64], first: usize, date: NaiveDate) -> Result<f64, PriceError> {
    // Looked for first: the mean of a day with a NaN is not above 0 either, and would be blamed on
    // too much wind and sun.
    if let Some(bad) = day_kw.iter().position(|load| !load.is_finite()) {
        return Err(PriceError::NetLoadNotFinite { slot: (first + bad) as u32, date });
    }
    let mean_kw = day_kw.iter().sum::<f64>() / day_kw.len() as f64;
    if mean_kw > 0.0 {
        Ok(mean_kw)
    } else {
        Err(PriceError::NonPositiveMeanNetLoad { date, mean_kw })
    }
}

/// The price that drivers think fair, `λ_e` of (5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ExpectedPrice {
    /// κ times the time-of-use price; 1 in the case study.
    Proportional(f64),
    /// The same price at all times, per kWh.
    Fixed(f64),
}

impl ExpectedPrice {
    /// Checks that the factor or price is finite and above 0.
    ///
    /// # Errors
    /// [`PriceError::Parameter`] names it.
    pub fn check(&self) -> Result<(), PriceError> {
        let (name, value) = match *self {
            Self::Proportional(kappa) => ("kappa", kappa),
            Self::Fixed(price) => ("expected price", price),
        };
        if value.is_finite() && value > 0.0 {
            return Ok(());
        }
        Err(parameter(name, value, "finite and above 0"))
    }

    /// The incentive ratio ε (5), from `K_p` and the incentive price.
    ///
    /// For a proportional expectation this is `max(0, 1 + K_p)/κ`, which never divides by a price
    /// and so holds at free and negative ones too. For a fixed one it is `λ_j/λ_e`, which is
    /// negative where the incentive price is.
    pub fn incentive_ratio(&self, k: f64, incentive_price: f64) -> f64 {
        match *self {
            Self::Proportional(kappa) => at_least(0.0, 1.0 + k) / kappa,
            Self::Fixed(price) => incentive_price / price,
        }
    }
}

/// The larger of the two; NaN stays NaN, where `f64::max` would hide it.
fn at_least(floor: f64, value: f64) -> f64 {
    if value < floor { floor } else { value }
}

fn parameter(parameter: &'static str, value: f64, wanted: &'static str) -> PriceError {
    PriceError::Parameter { parameter, value, wanted }
}

/// Which slots belong to which local day, over whole days from the clock's start.
///
/// A day has as many slots as its 23, 24 or 25 hours hold; a slot belongs to the day on whose
/// date it begins. A clock that starts after midnight has a first day that is shorter for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalDays {
    dates: Vec<NaiveDate>,
    /// First slot of each day, and the slot after the last day.
    bounds: Vec<u32>,
}

impl LocalDays {
    /// The local days that hold the first `slots` slots, the last one to its end.
    ///
    /// So [`LocalDays::slots`] may be more than asked for.
    pub fn covering(clock: &Clock, slots: u32) -> Self {
        let mut dates = Vec::new();
        let mut bounds = vec![0];
        let mut end = 0;
        // Whole days, since a mean over a part of one would change with the number of slots asked
        // for.
        while end < slots {
            dates.push(clock.local(end).date());
            end = clock.local_day(end).end;
            bounds.push(end);
        }
        Self { dates, bounds }
    }

    /// Number of days.
    pub fn len(&self) -> usize {
        self.dates.len()
    }

    /// Whether there is no day.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }

    /// Number of slots in all days together.
    pub fn slots(&self) -> u32 {
        self.bounds[self.len()]
    }

    /// The day, from 0, to which `slot` belongs; the last one for slots beyond.
    pub fn day_of(&self, slot: u32) -> usize {
        (self.bounds.partition_point(|&start| start <= slot) - 1).min(self.len().saturating_sub(1))
    }

    /// The calendar date of a day.
    pub fn date(&self, day: usize) -> NaiveDate {
        self.dates[day]
    }

    /// The slots of a day.
    pub fn range(&self, day: usize) -> Range<usize> {
        self.bounds[day] as usize..self.bounds[day + 1] as usize
    }

    /// The days that share a slot with `slots`.
    fn touched_by(&self, slots: Range<u32>) -> Range<usize> {
        if slots.is_empty() {
            0..0
        } else {
            self.day_of(slots.start)..self.day_of(slots.end - 1) + 1
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "equal inputs must give equal bits")]
mod tests {
    use super::*;
    use chrono_tz::{Europe::Berlin, Tz, UTC};
    use proptest::prelude::*;

    const PAPER: IncentiveRule = IncentiveRule { rho: 0.6, floor: Some(0.0) };

    fn days(start: &str, zone: Tz, slot_seconds: u32, days: u32) -> LocalDays {
        let clock = Clock::new(start.parse().unwrap(), zone, slot_seconds, days).unwrap();
        LocalDays::covering(&clock, clock.slots)
    }

    fn one_day(slots: u32) -> LocalDays {
        days("2024-01-15T00:00:00", UTC, 24 * 3600 / slots, 1)
    }

    fn numbers(value: &serde_json::Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    /// Reference case 01, computed by an independent implementation.
    #[test]
    fn prices_of_the_paper_are_met_to_the_last_digits() {
        let text = include_str!("../../../tests/cases/paper/01_incentive_price.json");
        let case: serde_json::Value = serde_json::from_str(text).unwrap();
        let (inputs, expected) = (&case["inputs"], &case["expected"]);
        let column = |name: &str| numbers(&inputs[name]);
        let renewable: Vec<(f64, f64)> =
            column("wind_kw").into_iter().zip(column("pv_kw")).collect();
        let load: Vec<f64> = column("base_kw")
            .iter()
            .zip(&renewable)
            .map(|(base, (wind, pv))| net_load(*base, *wind, *pv))
            .collect();
        let rule =
            IncentiveRule { rho: inputs["rho"].as_f64().unwrap(), floor: inputs["floor"].as_f64() };
        let signal = rule.signal(&load, &one_day(24)).unwrap();
        let prices: Vec<f64> =
            signal.k.iter().zip(column("tou")).map(|(k, tou)| rule.price(*k, tou)).collect();
        let p_ap = expected["p_ap"].as_f64().unwrap();
        assert!(signal.mean_kw.iter().all(|mean| (mean / p_ap - 1.0).abs() <= 1e-12));
        for (ours, theirs) in [(&signal.k, "k"), (&prices, "lambda_j")] {
            for (ours, theirs) in ours.iter().zip(numbers(&expected[theirs])) {
                assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{ours} is not {theirs}");
            }
        }
    }

    #[test]
    fn a_mean_is_taken_over_23_24_or_25_hours() {
        let hours = |start| days(start, Berlin, 3600, 3).bounds;
        assert_eq!(hours("2024-03-30T00:00:00"), [0, 24, 47, 71]);
        assert_eq!(hours("2024-10-26T00:00:00"), [0, 24, 49, 73]);
        assert_eq!(hours("2024-01-15T18:00:00"), [0, 6, 30, 54, 78]);
    }

    #[test]
    fn slots_beyond_midnight_use_their_own_days_mean() {
        let days = days("2024-10-26T12:00:00", Berlin, 900, 2);
        let levels = [100.0, 40.0, 70.0];
        let load: Vec<f64> = (0..days.slots()).map(|slot| levels[days.day_of(slot)]).collect();
        let signal = PAPER.signal(&load, &days).unwrap();
        assert_eq!(signal.mean_kw, load);
        assert!(signal.k.iter().all(|k| *k == 0.0));
    }

    #[test]
    fn a_day_without_positive_mean_net_load_is_named() {
        let days = days("2024-01-15T00:00:00", UTC, 3600, 2);
        let error = |load: f64| {
            let loads: Vec<f64> = (0..48).map(|slot| if slot < 24 { 5.0 } else { load }).collect();
            PAPER.signal(&loads, &days).unwrap_err()
        };
        let date = "2024-01-16".parse().unwrap();
        assert_eq!(error(-3.0), PriceError::NonPositiveMeanNetLoad { date, mean_kw: -3.0 });
        assert_eq!(error(0.0), PriceError::NonPositiveMeanNetLoad { date, mean_kw: 0.0 });
        assert_eq!(error(f64::NAN), PriceError::NetLoadNotFinite { slot: 24, date });
        assert_eq!(
            error(-3.0).to_string(),
            "the mean net load of 2024-01-16 is -3 kW; incentive prices need one above 0 kW, \
             so use less wind and sun, more load, or no incentive price"
        );
    }

    #[test]
    fn a_floor_holds_and_may_be_left_out() {
        let free = IncentiveRule { floor: None, ..PAPER };
        assert_eq!((PAPER.price(-1.5, 0.4), free.price(-1.5, 0.4)), (0.0, -0.2));
        assert_eq!((PAPER.price(0.5, -0.2), free.price(0.5, -0.2)), (0.0, -0.1));
        assert!(PAPER.price(0.1, f64::NAN).is_nan(), "a price that is not known is not a free one");
    }

    #[test]
    fn a_fixed_expectation_divides_by_its_price() {
        assert_eq!(ExpectedPrice::Fixed(0.5).incentive_ratio(9.0, 0.75), 1.5);
        assert_eq!(ExpectedPrice::Proportional(2.0).incentive_ratio(0.5, 9.0), 0.75);
        assert_eq!(ExpectedPrice::Proportional(2.0).incentive_ratio(-1.5, 9.0), 0.0);
    }

    #[test]
    fn impossible_parameters_are_refused() {
        assert!(ExpectedPrice::Proportional(0.0).check().is_err());
        assert!(ExpectedPrice::Fixed(f64::INFINITY).check().is_err());
        assert!(ExpectedPrice::Fixed(-0.1).check().is_err());
        assert!(ExpectedPrice::Fixed(0.1).check().is_ok());
        assert!(IncentiveRule { rho: f64::NAN, floor: None }.check().is_err());
        let error = IncentiveRule { rho: -0.5, floor: None }.check().unwrap_err();
        assert_eq!(error.to_string(), "rho is -0.5; it must be finite and not below 0");
        assert!(IncentiveRule { rho: 0.0, floor: Some(f64::NAN) }.check().is_err());
    }

    proptest! {
        #[test]
        fn the_signal_is_balanced_over_the_day(load in prop::collection::vec(1.0..5000.0_f64, 24)) {
            let signal = PAPER.signal(&load, &one_day(24)).unwrap();
            prop_assert!(signal.k.iter().sum::<f64>().abs() < 1e-9);
            prop_assert!(signal.k.iter().all(|k| *k >= -PAPER.rho));
        }

        #[test]
        fn more_net_load_is_never_cheaper(tou in -0.5..1.5_f64, low in -3.0..3.0_f64, step in 0.0..3.0_f64) {
            for floor in [None, Some(0.0)] {
                let rule = IncentiveRule { rho: 1.0, floor };
                prop_assert!(rule.price(low + step, tou) >= rule.price(low, tou));
            }
        }

        #[test]
        fn a_proportional_expectation_is_the_ratio_of_prices(
            k in -2.0..3.0_f64, tou in 0.01..1.5_f64, kappa in 0.2..3.0_f64,
        ) {
            let ratio = ExpectedPrice::Proportional(kappa).incentive_ratio(k, f64::NAN);
            prop_assert!((ratio - PAPER.price(k, tou) / (kappa * tou)).abs() < 1e-12);
        }

        #[test]
        fn refreshing_touched_days_equals_forming_all_anew(
            load in prop::collection::vec(1.0..5000.0_f64, 72), slot in 0..72_usize, added in 0.0..900.0_f64,
        ) {
            let days = days("2024-01-15T00:00:00", UTC, 3600, 3);
            let mut signal = PAPER.signal(&load, &days).unwrap();
            let mut load = load;
            load[slot] += added;
            signal.refresh(&PAPER, &load, &days, slot as u32..slot as u32 + 1).unwrap();
            prop_assert_eq!(signal, PAPER.signal(&load, &days).unwrap());
        }
    }
}
