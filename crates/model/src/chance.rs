//! Sums of powers of which each comes by a chance of its own, and the level that such a sum holds.
//!
//! Few different parts are summed exactly: all sums that there may be, with their chances. Where
//! there are too many, the first three moments stand for them, by the expansion of E. A. Cornish
//! and R. A. Fisher (1938): `x = μ + σ·(z + (z² - 1)·γ/6)` for the quantile `z` of the normal
//! distribution and the skewness γ.

use crate::normal;

/// Different sums that are kept apart.
const SUMS_MAX: usize = 128;

/// Sums that are this near are the same, kW.
const SAME_KW: f64 = 1e-9;

/// Chances that are off by this are rounding.
const ROUNDING: f64 = 1e-12;

/// One value that a sum may have.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Case {
    kw: f64,
    chance: f64,
}

/// A sum of independent parts, kW.
#[derive(Debug, Clone, PartialEq)]
pub struct ChanceSum {
    /// The least that it may be, and the most.
    least_kw: f64,
    most_kw: f64,
    mean: f64,
    variance: f64,
    /// Third central moment.
    third: f64,
    /// What it may be beyond the least, ascending; empty where that is too much to list.
    cases: Vec<Case>,
    /// What of it passes a limit, kW.
    limit_kw: f64,
}

impl Default for ChanceSum {
    fn default() -> Self {
        Self {
            least_kw: 0.0,
            most_kw: 0.0,
            mean: 0.0,
            variance: 0.0,
            third: 0.0,
            cases: vec![Case { kw: 0.0, chance: 1.0 }],
            limit_kw: f64::INFINITY,
        }
    }
}

impl ChanceSum {
    /// Adds a part: `with_kw` by this chance, otherwise `without_kw`, which is not more.
    pub fn add(&mut self, without_kw: f64, with_kw: f64, chance: f64) {
        let gain = with_kw - without_kw;
        self.shift(without_kw + if chance >= 1.0 { gain } else { 0.0 });
        if gain <= 0.0 || chance <= 0.0 || chance >= 1.0 {
            return;
        }
        let spread = chance * (1.0 - chance);
        self.most_kw += gain;
        self.mean += gain * chance;
        self.variance += gain * gain * spread;
        self.third += gain * gain * gain * spread * (1.0 - 2.0 * chance);
        self.cases = gained(&self.cases, gain, chance);
    }

    /// Adds another sum, as far as it passes its limit.
    pub fn join(&mut self, other: &Self) {
        let mut other = other.clone();
        other.settle();
        self.least_kw += other.least_kw;
        self.most_kw += other.most_kw;
        self.mean += other.mean;
        self.variance += other.variance;
        self.third += other.third;
        self.cases = sums(&self.cases, &other.cases);
    }

    /// No more than this passes, kW.
    pub fn limit(&mut self, limit_kw: f64) {
        self.limit_kw = self.limit_kw.min(limit_kw);
    }

    /// The most that it may be.
    pub fn most(&self) -> f64 {
        self.most_kw.min(self.limit_kw)
    }

    /// What it is on average.
    pub fn expected(&self) -> f64 {
        if self.most_kw <= self.limit_kw {
            return self.mean;
        }
        let mut settled = self.clone();
        settled.settle();
        settled.mean
    }

    /// The largest value that it has or exceeds with a chance of `share`.
    pub fn level(&self, share: f64) -> f64 {
        let level = if self.cases.is_empty() {
            let z = normal::quantile(1.0 - share);
            let deviation = self.variance.sqrt();
            let skewness = self.third / (self.variance * deviation);
            let level = self.mean + deviation * (z + (z * z - 1.0) * skewness / 6.0);
            level.clamp(self.least_kw, self.most_kw)
        } else {
            self.listed_level(share)
        };
        level.min(self.limit_kw)
    }

    fn listed_level(&self, share: f64) -> f64 {
        let mut chance = 0.0;
        for case in self.cases.iter().rev() {
            chance += case.chance;
            if chance >= share - ROUNDING {
                return self.least_kw + case.kw;
            }
        }
        self.least_kw
    }

    fn shift(&mut self, kw: f64) {
        self.least_kw += kw;
        self.most_kw += kw;
        self.mean += kw;
    }

    /// Makes what passes the limit the sum itself. Moments are then those of a normal sum that is
    /// cut off.
    fn settle(&mut self) {
        let limit_kw = std::mem::replace(&mut self.limit_kw, f64::INFINITY);
        if self.most_kw <= limit_kw {
            return;
        }
        self.most_kw = limit_kw;
        self.least_kw = self.least_kw.min(limit_kw);
        if self.cases.is_empty() {
            self.cut_off(limit_kw);
            return;
        }
        let beyond_kw = limit_kw - self.least_kw;
        for case in &mut self.cases {
            case.kw = case.kw.min(beyond_kw);
        }
        self.cases = sums(&self.cases, &[Case { kw: 0.0, chance: 1.0 }]);
        let moment = |power: i32, mean: f64| {
            self.cases.iter().map(|case| case.chance * (case.kw - mean).powi(power)).sum::<f64>()
        };
        let mean = moment(1, 0.0);
        (self.variance, self.third) = (moment(2, mean), moment(3, mean));
        self.mean = self.least_kw + mean;
    }

    /// Moments of `min(X, limit)` of a normal X.
    fn cut_off(&mut self, limit_kw: f64) {
        let deviation = self.variance.sqrt();
        let at = (limit_kw - self.mean) / deviation;
        let beyond = normal::probability_above(at);
        let density = normal::density(at);
        let below = 1.0 - beyond;
        let mean = self.mean * below - deviation * density + limit_kw * beyond;
        let square = (self.mean * self.mean + self.variance) * below
            - deviation * density * (self.mean + limit_kw)
            + limit_kw * limit_kw * beyond;
        self.variance = (square - mean * mean).max(0.0);
        self.mean = mean;
        self.third = 0.0;
        if self.variance == 0.0 {
            self.least_kw = mean;
            self.cases = vec![Case { kw: 0.0, chance: 1.0 }];
        }
    }
}

/// The cases with a gain that comes by a chance; nothing where there are too many.
fn gained(cases: &[Case], gain: f64, chance: f64) -> Vec<Case> {
    let mut all: Vec<Case> = Vec::with_capacity(2 * cases.len());
    // Both lists ascend, so that the one that is behind comes next.
    let (mut without, mut with) = (0, 0);
    while with < cases.len() {
        let gains = cases[with].kw + gain;
        let next = if cases.get(without).is_some_and(|case| case.kw <= gains) {
            without += 1;
            let Case { kw, chance: before } = cases[without - 1];
            Case { kw, chance: before * (1.0 - chance) }
        } else {
            with += 1;
            Case { kw: gains, chance: cases[with - 1].chance * chance }
        };
        count(&mut all, next);
    }
    if all.len() > SUMS_MAX { Vec::new() } else { all }
}

/// All sums of two independent values; nothing where there are too many, or one is not listed.
fn sums(one: &[Case], other: &[Case]) -> Vec<Case> {
    let mut unsorted: Vec<Case> = Vec::with_capacity(one.len() * other.len());
    for here in other {
        let sum = |it: &Case| Case { kw: it.kw + here.kw, chance: it.chance * here.chance };
        unsorted.extend(one.iter().map(sum));
    }
    unsorted.sort_by(|left, right| left.kw.total_cmp(&right.kw));
    let mut all = Vec::new();
    for case in unsorted {
        count(&mut all, case);
    }
    if all.len() > SUMS_MAX { Vec::new() } else { all }
}

/// Counts a case that is not below those before.
fn count(cases: &mut Vec<Case>, next: Case) {
    match cases.last_mut().filter(|last| next.kw - last.kw <= SAME_KW) {
        Some(last) => last.chance += next.chance,
        None => cases.push(next),
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(parts: &[(f64, f64, f64)]) -> ChanceSum {
        let mut sum = ChanceSum::default();
        for &(without, with, chance) in parts {
            sum.add(without, with, chance);
        }
        sum
    }

    /// The chance that a sum of parts is at least `level_kw`, from all ways in which they may come.
    fn chance_of(parts: &[(f64, f64, f64)], level_kw: f64) -> f64 {
        let way = |way: u32| {
            let mut told = (0.0, 1.0);
            for (place, &(without, with, chance)) in parts.iter().enumerate() {
                let comes = way >> place & 1 == 1;
                told.0 += if comes { with } else { without };
                told.1 *= if comes { chance } else { 1.0 - chance };
            }
            if told.0 >= level_kw - 1e-6 { told.1 } else { 0.0 }
        };
        (0..1_u32 << parts.len()).map(way).sum()
    }

    #[test]
    fn one_car_is_there_or_is_not() {
        let likely = of(&[(0.0, 7.0, 0.95)]);
        assert_eq!((likely.level(0.9), likely.level(0.99)), (7.0, 0.0));
        assert_eq!(of(&[(-7.0, 7.0, 0.85)]).level(0.9), -7.0, "what is planned may not come");
        assert_eq!(of(&[(1.0, 3.0, 1.0), (1.0, 9.0, 0.0)]).level(0.99), 4.0);
    }

    #[test]
    fn what_passes_a_limit_is_no_more_than_that() {
        let mut sum = of(&[(0.0, 4.0, 0.5), (0.0, 4.0, 0.5)]);
        sum.limit(6.0);
        assert!((sum.expected() - (0.5 * 4.0 + 0.25 * 6.0)).abs() < 1e-12);
        assert_eq!((sum.most(), sum.level(0.2), sum.level(0.9)), (6.0, 6.0, 0.0));
        let mut both = of(&[(1.0, 1.0, 1.0)]);
        both.join(&sum);
        assert_eq!((both.most(), both.level(0.7)), (7.0, 5.0));
    }

    #[test]
    fn many_cars_behind_a_limit_are_cut_off_as_a_normal_sum_is() {
        let parts: Vec<_> = (0..400).map(|car| (0.0, 3.0 + f64::from(car) / 100.0, 0.3)).collect();
        let mut sum = of(&parts);
        let free = sum.expected();
        sum.limit(free);
        // Half of the time it is the limit, and below it by σ·√(2/π) otherwise.
        let short = sum.variance.sqrt() * (0.5 / std::f64::consts::PI).sqrt();
        assert!((sum.expected() - (free - short)).abs() < 1e-9);
        let mut joined = ChanceSum::default();
        joined.join(&sum);
        assert!((joined.expected() - sum.expected()).abs() < 1e-9 && joined.most() == free);
    }

    proptest! {
        #[test]
        fn a_level_holds_as_often_as_it_says_and_a_higher_one_does_not(
            parts in proptest::collection::vec((-5.0..5.0_f64, 0.0..9.0_f64, 0.01..0.99_f64), 1..8),
        ) {
            let parts: Vec<_> = parts.iter().map(|&(low, gain, p)| (low, low + gain, p)).collect();
            let sum = of(&parts);
            for share in [0.9, 0.99] {
                let level = sum.level(share);
                prop_assert!(chance_of(&parts, level) >= share - 1e-9);
                prop_assert!(chance_of(&parts, level + 1e-3) <= share);
            }
            let mean: f64 = parts.iter().map(|&(low, high, p)| low + (high - low) * p).sum();
            prop_assert!((sum.expected() - mean).abs() < 1e-9);
        }

        /// The true chance is that of 14 different cars, too many for the list.
        #[test]
        fn moments_stand_for_many(
            parts in proptest::collection::vec((3.0..11.0_f64, 0.15..0.85_f64), 14),
        ) {
            let parts: Vec<_> = parts.iter().map(|&(gain, p)| (0.0, gain, p)).collect();
            let sum = of(&parts);
            prop_assert!(sum.cases.is_empty());
            prop_assert!((chance_of(&parts, sum.level(0.9)) - 0.9).abs() < 0.03);
        }
    }
}
