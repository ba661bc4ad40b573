//! What a fleet's numbers are drawn from.

use rand::Rng;
use rand_distr::{Distribution as _, Normal, Uniform};
use std::sync::Arc;

/// A distribution of one number, in the unit of whatever it describes.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Always the same value.
    Fixed(f64),
    /// Normal, truncated to `[min, max]` by rejection.
    Normal {
        /// Mean before truncation.
        mean: f64,
        /// Standard deviation before truncation.
        sd: f64,
        /// Smallest value; minus infinity for none.
        min: f64,
        /// Largest value; infinity for none.
        max: f64,
    },
    /// Every value in `[min, max]` equally likely.
    Uniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// One of the given values, each equally likely.
    Empirical(Arc<[f64]>),
}

/// A distribution that cannot be drawn from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DistributionError {
    /// A parameter is NaN or infinite.
    #[error("{0} is not finite")]
    NotFinite(&'static str),
    /// The standard deviation is below zero.
    #[error("the standard deviation {0} is negative")]
    NegativeDeviation(f64),
    /// The bounds are the wrong way round.
    #[error("the smallest value {min} is above the largest {max}")]
    BoundsCrossed {
        /// The smallest value.
        min: f64,
        /// The largest value.
        max: f64,
    },
    /// The bounds cut away so much that drawing would hardly ever succeed.
    #[error("only one draw in {0:.0} would fall between the bounds; move them towards the mean")]
    BoundsOutOfReach(f64),
    /// The bounds leave nothing that would ever be drawn.
    #[error("no draw would fall between the bounds; move them towards the mean")]
    BoundsBeyondReach,
    /// There is no value to draw.
    #[error("there is no value to draw from")]
    Empty,
}

// A thousand draws on average for one that counts, at the most.
/// Rarest acceptance that rejection sampling may have.
const ACCEPTANCE_MIN: f64 = 1e-3;
/// Draws of which one would succeed that are as good as all there are.
const NEVER: f64 = 1e9;

impl Distribution {
    /// Checks the parameters, so that [`sample`](Self::sample) always ends with a finite value.
    pub fn check(&self) -> Result<(), DistributionError> {
        match self {
            Self::Fixed(value) => finite(*value, "the value"),
            Self::Normal { mean, sd, min, max } => check_normal(*mean, *sd, *min, *max),
            Self::Uniform { min, max } => {
                finite(*min, "the smallest value")?;
                finite(*max, "the largest value")?;
                finite(*max - *min, "the distance of both values")?;
                ordered(*min, *max)
            }
            Self::Empirical(values) if values.is_empty() => Err(DistributionError::Empty),
            Self::Empirical(values) => {
                values.iter().try_for_each(|&value| finite(value, "a value"))
            }
        }
    }

    /// Draws one value.
    ///
    /// # Panics
    ///
    /// If the distribution would not pass [`check`](Self::check).
    pub fn sample(&self, random: &mut impl Rng) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Normal { mean, sd, min, max } => {
                let normal = Normal::new(*mean, *sd).expect("parameters are checked");
                // Drawn anew, not moved to the nearest bound, which would heap up there all that
                // lies outside.
                loop {
                    let value = normal.sample(random);
                    if (*min..=*max).contains(&value) {
                        return value;
                    }
                }
            }
            Self::Uniform { min, max } => {
                Uniform::new_inclusive(*min, *max).expect("parameters are checked").sample(random)
            }
            Self::Empirical(values) => {
                let index = Uniform::new(0, values.len()).expect("not empty").sample(random);
                values[index]
            }
        }
    }

    /// The smallest and largest value that can be drawn.
    pub fn bounds(&self) -> (f64, f64) {
        match self {
            Self::Fixed(value) => (*value, *value),
            Self::Normal { min, max, .. } | Self::Uniform { min, max } => (*min, *max),
            Self::Empirical(values) => {
                values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
                    (low.min(value), high.max(value))
                })
            }
        }
    }
}

fn finite(value: f64, what: &'static str) -> Result<(), DistributionError> {
    if value.is_finite() { Ok(()) } else { Err(DistributionError::NotFinite(what)) }
}

fn ordered(min: f64, max: f64) -> Result<(), DistributionError> {
    if min <= max { Ok(()) } else { Err(DistributionError::BoundsCrossed { min, max }) }
}

fn check_normal(mean: f64, sd: f64, min: f64, max: f64) -> Result<(), DistributionError> {
    finite(mean, "the mean")?;
    finite(sd, "the standard deviation")?;
    if sd < 0.0 {
        return Err(DistributionError::NegativeDeviation(sd));
    }
    if min.is_nan() || max.is_nan() {
        return Err(DistributionError::NotFinite("a bound"));
    }
    ordered(min, max)?;
    let below = |bound: f64| {
        0.5 * libm::erfc((mean - bound) / (sd.max(f64::MIN_POSITIVE) * std::f64::consts::SQRT_2))
    };
    let acceptance = if sd == 0.0 {
        f64::from(u8::from((min..=max).contains(&mean)))
    } else {
        // Far above the mean both are nearly 1 and their difference is only rounding; by then it is
        // far below all that is accepted.
        below(max) - below(min)
    };
    let one_in = 1.0 / acceptance;
    if one_in > NEVER {
        return Err(DistributionError::BoundsBeyondReach);
    }
    if acceptance < ACCEPTANCE_MIN {
        return Err(DistributionError::BoundsOutOfReach(one_in));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{CarKey, Purpose, stream};

    fn draws(distribution: &Distribution, count: u32) -> Vec<f64> {
        distribution.check().unwrap();
        let car = CarKey::new("test", 0);
        (0..count)
            .map(|i| {
                distribution.sample(&mut stream(1, Purpose::DepartureSoc, car.with_index(i), 0))
            })
            .collect()
    }

    /// Mean 0.8069 and deviation 0.1190 of N(0.85, 0.15) truncated to [0.2, 1]: the case study's
    /// departure target, checked against the closed form of a truncated normal.
    #[test]
    fn a_truncated_normal_has_the_moments_of_the_closed_form() {
        let target = Distribution::Normal { mean: 0.85, sd: 0.15, min: 0.2, max: 1.0 };
        let values = draws(&target, 20_000);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        assert!((mean - 0.8069).abs() < 4.0 * 0.1190 / n.sqrt(), "mean {mean}");
        assert!((sd / 0.1190 - 1.0).abs() < 0.03, "sd {sd}");
        assert!(values.iter().all(|v| (0.2..=1.0).contains(v)));
    }

    #[test]
    fn an_empirical_distribution_draws_only_its_values() {
        let values = draws(&Distribution::Empirical([1.0, 2.0, 4.0].into()), 300);
        assert!([1.0, 2.0, 4.0].iter().all(|v| values.contains(v)));
        assert!(values.iter().all(|v| [1.0, 2.0, 4.0].contains(v)));
    }

    #[test]
    fn impossible_parameters_are_refused() {
        let normal = |mean, sd, min, max| Distribution::Normal { mean, sd, min, max }.check();
        assert!(matches!(
            normal(0.0, -1.0, 0.0, 1.0),
            Err(DistributionError::NegativeDeviation(_))
        ));
        assert!(matches!(normal(0.0, 1.0, 1.0, 0.0), Err(DistributionError::BoundsCrossed { .. })));
        assert!(matches!(normal(0.0, 1.0, 4.0, 10.0), Err(DistributionError::BoundsOutOfReach(_))));
        assert_eq!(normal(0.0, 1.0, 9.0, 10.0), Err(DistributionError::BoundsBeyondReach));
        assert_eq!(normal(0.0, 1.0, 99.0, 100.0), Err(DistributionError::BoundsBeyondReach));
        assert!(matches!(normal(f64::NAN, 1.0, 0.0, 1.0), Err(DistributionError::NotFinite(_))));
        assert_eq!(normal(2.0, 0.0, 0.0, 1.0), Err(DistributionError::BoundsBeyondReach));
        assert!(normal(0.5, 0.0, 0.0, 1.0).is_ok());
    }
}
