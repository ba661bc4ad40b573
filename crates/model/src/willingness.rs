//! Willingness to take part in V2G, sampled between an optimistic and a pessimistic curve.
//!
//! ```text
//! P(ε) = c/(1 + a·exp(-b·(ε - 1)))      (6), (7)   Logistic::at
//! μ    = (P_op + P_pess)/2              (8)        Band::mean
//! σ    = (P_op - P_pess)/6              (9)        Band::deviation
//! p    = clamp(μ + σ·z, 0, 1)           (10)       Band::sample
//! ```
//!
//! ε is the incentive ratio of [`crate::price`]. z is one standard normal number for each car and
//! clock hour, [`Draw`], never one for each slot, or the result would depend on the slot length.
//! Willingness gates discharging only: a car that does not agree is still charged. Equations are
//! those of the scheduling paper behind the case study; N(μ, σ) of (10) is read with σ as the
//! standard deviation, so that the pessimistic and optimistic curves are its 3-σ bounds.

use crate::{
    clock::Clock,
    normal,
    quantity::Share,
    random::{CarKey, Purpose, stream},
};

/// Curves are compared on incentive ratios from 0 to this one.
pub const INCENTIVE_RATIO_MAX: f64 = 3.0;

/// How far the optimistic curve may lie below the other by rounding alone.
const ROUNDING: f64 = 1e-12;

/// A logistic curve of the incentive ratio, (6) or (7): at a ratio of 1 it is `c/(1 + a)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic {
    /// How reluctant drivers are at the expected price; above 0.
    pub a: f64,
    /// How steeply willingness rises with the ratio; not below 0.
    pub b: f64,
    /// What it rises to, a probability from 0 to 1.
    pub c: f64,
}

impl Logistic {
    /// The curve's value at the incentive ratio `eps`; never falls as `eps` rises.
    pub fn at(&self, eps: f64) -> f64 {
        // Where the exponential is beyond all numbers, this is 0, as it should be.
        self.c / (1.0 + self.a * libm::exp(-self.b * (eps - 1.0)))
    }

    fn check(&self, curve: &'static str) -> Result<(), WillingnessError> {
        let fail = |parameter, value, wanted| {
            Err(WillingnessError::Parameter { curve, parameter, value, wanted })
        };
        if !(self.a.is_finite() && self.a > 0.0) {
            return fail("a", self.a, "finite and above 0");
        }
        if !(self.b.is_finite() && self.b >= 0.0) {
            return fail("b", self.b, "finite and not below 0");
        }
        if !(0.0..=1.0).contains(&self.c) {
            return fail("c", self.c, "between 0 and 1");
        }
        Ok(())
    }
}

/// Two curves that bound no willingness.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WillingnessError {
    /// A parameter of a curve lies outside its range.
    #[error("`{parameter}` of the {curve} curve is {value}; it must be {wanted}")]
    Parameter {
        /// `optimistic` or `pessimistic`.
        curve: &'static str,
        /// `a`, `b` or `c`.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// The optimistic curve rises to less than the pessimistic one.
    #[error(
        "`c` of the optimistic curve, {optimistic}, is below that of the pessimistic one, \
         {pessimistic}"
    )]
    CeilingsCrossed {
        /// `c` of the optimistic curve.
        optimistic: f64,
        /// `c` of the pessimistic curve.
        pessimistic: f64,
    },
    /// Somewhere the optimistic curve lies below the pessimistic one.
    #[error(
        "the curves cross: at an incentive ratio of {eps:.3} the optimistic one is {optimistic:.6} \
         and the pessimistic one {pessimistic:.6}"
    )]
    Crossing {
        /// The incentive ratio, the worst of those that were compared.
        eps: f64,
        /// The optimistic curve's value there.
        optimistic: f64,
        /// The pessimistic curve's value there.
        pessimistic: f64,
    },
}

/// The two curves that bound the drivers' willingness; the optimistic one is never below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Willingness {
    optimistic: Logistic,
    pessimistic: Logistic,
}

impl Willingness {
    /// Joins two curves after checking that they do not cross from a ratio of 0 to
    /// [`INCENTIVE_RATIO_MAX`].
    ///
    /// # Errors
    /// A parameter outside its range, ceilings the wrong way round, or the ratio at which the
    /// curves are crossed.
    pub fn new(optimistic: Logistic, pessimistic: Logistic) -> Result<Self, WillingnessError> {
        optimistic.check("optimistic")?;
        pessimistic.check("pessimistic")?;
        // Above the ratios that are compared both curves come to their ceilings.
        if optimistic.c < pessimistic.c {
            return Err(WillingnessError::CeilingsCrossed {
                optimistic: optimistic.c,
                pessimistic: pessimistic.c,
            });
        }
        let lead = |eps: &f64| optimistic.at(*eps) - pessimistic.at(*eps);
        let extrema =
            [Some(0.0), Some(INCENTIVE_RATIO_MAX), turning_point(&optimistic, &pessimistic)];
        let worst =
            extrema.into_iter().flatten().min_by(|left, right| lead(left).total_cmp(&lead(right)));
        match worst {
            Some(eps) if lead(&eps) < -ROUNDING => Err(WillingnessError::Crossing {
                eps,
                optimistic: optimistic.at(eps),
                pessimistic: pessimistic.at(eps),
            }),
            _ => Ok(Self { optimistic, pessimistic }),
        }
    }

    /// `P_op` of (6).
    pub fn optimistic(&self) -> &Logistic {
        &self.optimistic
    }

    /// `P_pess` of (7).
    pub fn pessimistic(&self) -> &Logistic {
        &self.pessimistic
    }

    /// What willingness is drawn from at the incentive ratio `eps`, the same for all cars.
    pub fn band(&self, eps: f64) -> Band {
        let optimistic = self.optimistic.at(eps);
        let pessimistic = self.pessimistic.at(eps);
        Band {
            mean: 0.5 * (optimistic + pessimistic),
            // Beyond the ratios that were compared the curves may cross: no width is below zero.
            deviation: ((optimistic - pessimistic) / 6.0).max(0.0),
        }
    }

    /// The willingness (10) at the incentive ratio `eps` of a driver who drew `z`.
    ///
    /// It never falls as `eps` rises while `z` lies within ±3, where it is a mean of the two
    /// curves.
    pub fn sample(&self, eps: f64, z: f64) -> f64 {
        self.band(eps).sample(z)
    }
}

/// Where, between the ends, the lead of one curve over the other may be least.
///
/// With x = ε - 1, `P_op >= P_pess` is
/// `h(x) = c_op - c_pess + c_op·a_pess·exp(-b_pess·x) - c_pess·a_op·exp(-b_op·x) >= 0`,
/// and h' has one root at most. So the sign of the lead at the two ends and at this root tells
/// its sign everywhere between them.
fn turning_point(optimistic: &Logistic, pessimistic: &Logistic) -> Option<f64> {
    let rising = libm::log(optimistic.c) + libm::log(pessimistic.a) + libm::log(pessimistic.b);
    let falling = libm::log(pessimistic.c) + libm::log(optimistic.a) + libm::log(optimistic.b);
    // Curves of equal steepness, or of none, or at 0 give infinity or NaN, which lie in no range:
    // then h' has no root, and the two ends decide.
    let eps = 1.0 + (rising - falling) / (pessimistic.b - optimistic.b);
    (0.0..=INCENTIVE_RATIO_MAX).contains(&eps).then_some(eps)
}

/// The distribution of willingness at one incentive ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// μ of (8).
    pub mean: f64,
    /// σ of (9), a standard deviation.
    pub deviation: f64,
}

impl Band {
    /// The willingness (10) of a driver who drew the standard normal number `z`, from 0 to 1.
    #[inline]
    pub fn sample(&self, z: f64) -> f64 {
        (self.mean + self.deviation * z).clamp(0.0, 1.0)
    }

    /// The share of drivers whose willingness is above `gamma`.
    pub fn share_above(&self, gamma: Share) -> f64 {
        let gap = gamma.get() - self.mean;
        // Willingness ends at 1 and would have to be above it: the tail beyond counts for nothing.
        if gamma == Share::ONE {
            return 0.0;
        }
        if self.deviation == 0.0 {
            return f64::from(u8::from(gap < 0.0));
        }
        normal::probability_above(gap / self.deviation)
    }

    /// The mean willingness: that of (10) with its ends at 0 and 1.
    pub fn mean_sampled(&self) -> f64 {
        if self.deviation == 0.0 {
            return self.mean.clamp(0.0, 1.0);
        }
        let from = -self.mean / self.deviation;
        let to = (1.0 - self.mean) / self.deviation;
        let above = normal::probability_above(to);
        let between = normal::probability_above(from) - above;
        self.mean * between - self.deviation * (normal::density(to) - normal::density(from)) + above
    }
}

/// When a driver of some willingness lets the car discharge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Participation {
    /// When willingness is above gamma, and not when it equals it.
    Threshold(Share),
    /// With willingness as the probability.
    Bernoulli,
}

impl Participation {
    /// Whether a driver of `willingness` agrees in the hour of `draw`.
    #[inline]
    pub fn agrees(self, willingness: f64, draw: Draw) -> bool {
        match self {
            Self::Threshold(gamma) => willingness > gamma.get(),
            // The draw is above 0 and below 1, so that a willingness of 1 always agrees and one of
            // 0 never.
            Self::Bernoulli => draw.uniform < willingness,
        }
    }

    /// The share of drivers of a band who agree.
    pub fn share(self, band: &Band) -> f64 {
        match self {
            Self::Threshold(gamma) => band.share_above(gamma),
            Self::Bernoulli => band.mean_sampled(),
        }
    }
}

/// What chance holds for one car in one clock hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// z of (10), standard normal.
    pub normal: f64,
    /// For [`Participation::Bernoulli`]: uniform, above 0 and below 1.
    pub uniform: f64,
}

impl Draw {
    /// The draw of `car` in `hour`, which [`clock_hour`] or [`folded_hour`] counts.
    ///
    /// A function of its arguments alone, so that it is recomputed wherever it is needed. One
    /// block of the stream serves both numbers.
    #[inline]
    pub fn new(seed: u64, car: CarKey, hour: u32) -> Self {
        let mut stream = stream(seed, Purpose::Willingness, car, hour);
        let mut uniform = || open_unit(stream.next_u64());
        Self { normal: normal::quantile(uniform()), uniform: uniform() }
    }
}

/// A word as a number above 0 and below 1: the middle of one of 2⁵² equal steps, exactly.
fn open_unit(word: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 52) as f64;
    ((word >> 12) as f64 + 0.5) * STEP
}

/// The absolute hour in which `slot` begins, counted from 1970 in hours that begin when the
/// zone's clocks show a full one. Looks up the zone: ask once a slot, not once a car.
pub fn clock_hour(clock: &Clock, slot: u32) -> u32 {
    let utc = clock.slot_start(slot).timestamp();
    let ahead = clock.local(slot).and_utc().timestamp() - utc;
    (utc + ahead.rem_euclid(3600)).div_euclid(3600) as u32
}

/// The hour of the typical day, from 0, in which `slot` begins once days are folded onto one.
pub fn folded_hour(clock: &Clock, slot: u32) -> u32 {
    slot % clock.slots_per_24_hours() / (3600 / clock.slot_seconds)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "equal inputs must give equal bits")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPTIMISTIC: Logistic = Logistic { a: 1.0, b: 8.0, c: 0.65 };
    const PESSIMISTIC: Logistic = Logistic { a: 3.0, b: 6.0, c: 0.145 };

    fn paper() -> Willingness {
        Willingness::new(OPTIMISTIC, PESSIMISTIC).unwrap()
    }

    fn numbers(value: &serde_json::Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    #[track_caller]
    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{ours} is not {theirs}");
    }

    /// Reference case 02, computed by an independent implementation.
    #[test]
    fn willingness_of_the_paper_is_met_to_the_last_digits() {
        let text = include_str!("../../../tests/cases/paper/02_willingness.json");
        let case: serde_json::Value = serde_json::from_str(text).unwrap();
        let (inputs, expected) = (&case["inputs"], &case["expected"]);
        let curve = |name: &str| {
            let part = |letter| inputs["logistic"][format!("{letter}_{name}")].as_f64().unwrap();
            Logistic { a: part("a"), b: part("b"), c: part("c") }
        };
        let willingness = Willingness::new(curve("op"), curve("pess")).unwrap();
        let gamma = Share::new(inputs["gamma"].as_f64().unwrap()).unwrap();
        for (row, eps) in numbers(&inputs["eps"]).into_iter().enumerate() {
            let band = willingness.band(eps);
            close(band.mean, expected["mu"][row].as_f64().unwrap());
            close(band.deviation, expected["sigma"][row].as_f64().unwrap());
            close(band.share_above(gamma), expected["share_above_gamma"][row].as_f64().unwrap());
            for (z, p) in numbers(&inputs["z"]).into_iter().zip(numbers(&expected["p"][row])) {
                close(willingness.sample(eps, z), p);
            }
        }
    }

    /// From reference case 08: hour and price of the first usable slots of its two sessions.
    #[test]
    fn a_session_of_the_paper_agrees_in_the_hours_it_should() {
        let gamma = Participation::Threshold(Share::new(0.5).unwrap());
        for (price, tou, z, p, agrees) in [
            (1.727_902_965_568_094_9, 1.17, -2.0, 0.209_129_644_022_527_34, false),
            (1.806_763_368_444_662_7, 1.17, 2.0, 0.556_474_448_093_553_1, true),
        ] {
            let willingness = paper().sample(price / tou, z);
            close(willingness, p);
            assert_eq!(gamma.agrees(willingness, Draw { normal: z, uniform: 0.0 }), agrees);
        }
    }

    #[test]
    fn curves_that_cross_are_refused_where_they_do() {
        let crossing =
            |optimistic, pessimistic| Willingness::new(optimistic, pessimistic).unwrap_err();
        let steep = crossing(Logistic { b: 2.0, ..PESSIMISTIC }, PESSIMISTIC);
        assert_eq!(
            steep.to_string(),
            "the curves cross: at an incentive ratio of 1.275 the optimistic one is 0.053074 \
             and the pessimistic one 0.091926"
        );
        let low =
            crossing(Logistic { a: 9.0, b: 9.0, c: 0.65 }, Logistic { a: 9.0, b: 1.0, c: 0.6 });
        assert!(matches!(low, WillingnessError::Crossing { eps, .. } if eps == 0.0), "{low}");
        let ceiling = crossing(Logistic { c: 0.1, ..OPTIMISTIC }, PESSIMISTIC);
        assert!(matches!(ceiling, WillingnessError::CeilingsCrossed { .. }));
        assert!(Willingness::new(PESSIMISTIC, PESSIMISTIC).is_ok(), "no band at all is a band");
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let error =
            |pessimistic| Willingness::new(OPTIMISTIC, pessimistic).unwrap_err().to_string();
        assert_eq!(
            error(Logistic { c: 1.2, ..PESSIMISTIC }),
            "`c` of the pessimistic curve is 1.2; it must be between 0 and 1"
        );
        assert!(error(Logistic { a: 0.0, ..PESSIMISTIC }).starts_with("`a` of the pessimistic"));
        assert!(error(Logistic { b: -1.0, ..PESSIMISTIC }).starts_with("`b` of the pessimistic"));
        assert!(error(Logistic { b: f64::NAN, ..PESSIMISTIC }).contains("NaN"));
    }

    /// Of 20,000 drivers as many agree as are expected to, within 4 standard errors.
    #[test]
    fn as_many_drivers_agree_as_are_expected_to() {
        let gamma = Participation::Threshold(Share::new(0.5).unwrap());
        let car = |index| Draw::new(5, CarKey::new("fleet", index), 7);
        for (eps, participation) in [0.9, 1.3, 1.6]
            .into_iter()
            .flat_map(|eps| [(eps, gamma), (eps, Participation::Bernoulli)])
        {
            let band = paper().band(eps);
            let agrees =
                |&index: &u32| participation.agrees(band.sample(car(index).normal), car(index));
            let agreed = (0..20_000).filter(agrees).count() as f64 / 20_000.0;
            let share = participation.share(&band);
            let error = 4.0 * (share * (1.0 - share) / 20_000.0).sqrt();
            assert!((agreed - share).abs() <= error.max(1e-4), "{eps}: {agreed} of {share}");
        }
        let (narrow, wide) =
            (Band { mean: 1.4, deviation: 0.0 }, Band { mean: 0.5, deviation: 9.0 });
        assert_eq!(narrow.mean_sampled(), 1.0);
        assert!((wide.mean_sampled() - 0.5).abs() < 1e-12);
    }

    /// Mean and deviation within 4 standard errors at n = 100,000, and the share above gamma;
    /// over different cars in one hour, as over the hours of one car.
    #[test]
    fn samples_have_the_moments_of_their_band() {
        let n = 100_000_u32;
        let car = CarKey::new("commuters", 0);
        let cars: Vec<Draw> =
            (0..n).map(|index| Draw::new(19, car.with_index(index), 473_000)).collect();
        let hours: Vec<Draw> = (0..n).map(|hour| Draw::new(19, car, hour)).collect();
        for (draws, eps) in [&cars, &hours]
            .into_iter()
            .flat_map(|draws| [0.5, 0.75, 1.0, 1.25, 1.5, 2.0].map(|eps| (draws, eps)))
        {
            let (band, n) = (paper().band(eps), f64::from(n));
            let p: Vec<f64> = draws.iter().map(|draw| band.sample(draw.normal)).collect();
            let mean = p.iter().sum::<f64>() / n;
            let sd = (p.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / n).sqrt();
            assert!(
                (mean - band.mean).abs() <= 4.0 * band.deviation / n.sqrt(),
                "mean at {eps}: {mean}"
            );
            assert!(
                (sd / band.deviation - 1.0).abs() <= 4.0 / (2.0 * n).sqrt(),
                "sd at {eps}: {sd}"
            );
            let gamma = Share::new(0.5).unwrap();
            let (share, q) =
                (share_agreed(Participation::Threshold(gamma), &p, draws), band.share_above(gamma));
            assert!(
                (share - q).abs() <= 4.0 * (q * (1.0 - q) / n).sqrt(),
                "share at {eps}: {share}, not {q}"
            );
            let bernoulli = share_agreed(Participation::Bernoulli, &p, draws);
            let error = 4.0 * (band.mean * (1.0 - band.mean) / n).sqrt();
            assert!((bernoulli - band.mean).abs() <= error, "Bernoulli at {eps}: {bernoulli}");
        }
    }

    fn share_agreed(rule: Participation, p: &[f64], draws: &[Draw]) -> f64 {
        let agreed = p.iter().zip(draws).filter(|(p, draw)| rule.agrees(**p, **draw)).count();
        agreed as f64 / p.len() as f64
    }

    #[test]
    fn the_slot_length_changes_no_draw() {
        for (zone, start) in [
            (chrono_tz::Europe::Berlin, "2024-10-26T06:00:00"),
            (chrono_tz::Asia::Kolkata, "2024-10-26T06:00:00"),
        ] {
            let clock = |seconds| Clock::new(start.parse().unwrap(), zone, seconds, 2).unwrap();
            let (coarse, fine) = (clock(900), clock(300));
            let first = clock_hour(&coarse, 0);
            for slot in 0..fine.slots {
                assert_eq!(clock_hour(&fine, slot), clock_hour(&coarse, slot / 3));
                assert_eq!(clock_hour(&fine, slot), first + slot / 12, "every hour has a number");
                assert_eq!(folded_hour(&fine, slot), slot / 12 % 24);
            }
        }
    }

    /// Changing these numbers changes the willingness in every world ever run.
    #[test]
    fn a_draw_is_fixed_for_ever() {
        let draw = Draw::new(7, CarKey::new("commuters", 3), 473_000);
        assert_eq!((draw.normal, draw.uniform), (0.827_464_559_869_082, 0.283_398_779_843_169_75));
    }

    #[test]
    fn uniform_numbers_never_reach_0_or_1() {
        assert_eq!(open_unit(0), 2.0_f64.powi(-53));
        assert_eq!(open_unit(u64::MAX), 1.0 - 2.0_f64.powi(-53));
        assert!(normal::quantile(open_unit(u64::MAX)) == -normal::quantile(open_unit(0)));
    }

    #[test]
    fn willingness_equal_to_gamma_is_not_enough() {
        let draw = Draw { normal: 0.0, uniform: 0.3 };
        let gamma = |gamma| Participation::Threshold(Share::new(gamma).unwrap());
        assert!(!gamma(0.5).agrees(0.5, draw) && gamma(0.5).agrees(0.500_001, draw));
        assert!(!gamma(1.0).agrees(1.0, draw) && !gamma(0.0).agrees(0.0, draw));
        assert!(
            Participation::Bernoulli.agrees(0.31, draw)
                && !Participation::Bernoulli.agrees(0.3, draw)
        );
    }

    fn logistic() -> impl Strategy<Value = Logistic> {
        (0.01..20.0_f64, 0.0..15.0_f64, 0.0..=1.0_f64).prop_map(|(a, b, c)| Logistic { a, b, c })
    }

    proptest! {
        #[test]
        fn accepted_curves_never_cross_and_refused_ones_do(optimistic in logistic(), pessimistic in logistic()) {
            let lead = |eps: f64| optimistic.at(eps) - pessimistic.at(eps);
            let least = (0..=3000).map(|step| lead(f64::from(step) / 1000.0)).fold(f64::INFINITY, f64::min);
            match Willingness::new(optimistic, pessimistic) {
                Ok(_) => prop_assert!(least >= -1e-9),
                Err(WillingnessError::Crossing { eps, .. }) => prop_assert!(lead(eps) < 0.0),
                Err(error) => prop_assert!(optimistic.c < pessimistic.c, "{}", error),
            }
        }

        #[test]
        fn willingness_is_a_probability_that_rises_with_the_incentive(
            optimistic in logistic(), pessimistic in logistic(),
            eps in 0.0..2.9_f64, step in 0.0..0.1_f64, z in -3.0..3.0_f64, far in -9.0..9.0_f64,
        ) {
            if let Ok(willingness) = Willingness::new(optimistic, pessimistic) {
                let band = willingness.band(eps);
                prop_assert!(pessimistic.at(eps) <= band.mean + 1e-12 && band.mean <= optimistic.at(eps) + 1e-12);
                prop_assert!(band.deviation >= 0.0);
                prop_assert!((0.0..=1.0).contains(&willingness.sample(eps, far)));
                prop_assert!(willingness.band(eps + step).mean >= band.mean);
                prop_assert!(willingness.sample(eps + step, z) >= willingness.sample(eps, z) - 1e-12);
            }
        }
    }
}
