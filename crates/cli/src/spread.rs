//! Mean and spread of numbers as they come.

use std::f64::consts::PI;

/// Mean and spread, by Welford's method.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        // A sum of squares, less the square of the mean, would lose its digits to cancellation.
        let from_old = value - self.mean;
        self.mean += from_old / self.count;
        self.squares += from_old * (value - self.mean);
    }

    /// The mean; `None` without numbers.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then_some(self.mean)
    }

    /// Standard deviation where the numbers are all there are; 0 without any.
    pub(crate) fn of_all(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt()
    }

    /// Half the width of the interval about the mean that holds the mean of all with 95 % where the
    /// numbers are a sample of them, by Student's t; `None` of fewer than two.
    pub(crate) fn interval_95(&self) -> Option<f64> {
        let freedom = (self.count as u32).saturating_sub(1);
        self.of_sample().map(|sd| student_95(freedom) * sd / self.count.sqrt())
    }

    /// Standard deviation where the numbers are a sample; `None` of fewer than two.
    pub(crate) fn of_sample(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

/// Halvings of an interval after which a double has no digits left.
const HALVINGS: u32 = 50;

/// The 97.5th percentile of Student's t with so many degrees of freedom, at least 1: between its
/// negative and it lie 95 %.
fn student_95(freedom: u32) -> f64 {
    // That of 1 degree is the widest, the normal distribution the narrowest.
    let (mut low, mut high) = (1.9, 13.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if central_share(middle, freedom) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Share of Student's t between `-t` and `t`, by the finite sums for whole degrees of freedom
/// (Abramowitz and Stegun, 26.7.3 and 26.7.4).
fn central_share(t: f64, freedom: u32) -> f64 {
    let degrees = f64::from(freedom);
    let cos_squared = degrees / (degrees + t * t);
    let sin = t / (degrees + t * t).sqrt();
    let is_odd = freedom % 2 == 1;
    let (mut term, mut sum) = if is_odd { (cos_squared.sqrt(), 0.0) } else { (1.0, 0.0) };
    for step in (u32::from(is_odd)..freedom.saturating_sub(1)).step_by(2) {
        sum += term;
        let step = f64::from(step);
        term *= cos_squared * (step + 1.0) / (step + 2.0);
    }
    if is_odd { (libm::atan(t / degrees.sqrt()) + sin * sum) * 2.0 / PI } else { sin * sum }
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut spread = Self::default();
        values.into_iter().for_each(|value| spread.add(value));
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_the_textbook() {
        let spread: Spread = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
        assert_eq!((spread.mean(), spread.of_all()), (Some(5.0), 2.0));
        assert_eq!(spread.of_sample(), Some((32.0_f64 / 7.0).sqrt()));
        assert_eq!(Spread::from_iter([3.0]).of_sample(), None);
        assert_eq!(Spread::default().mean(), None);
    }

    #[test]
    fn intervals_are_those_of_the_table_of_students_t() {
        // Percentiles as printed in tables of the distribution.
        let table = [
            (1, 12.7062),
            (2, 4.3027),
            (3, 3.1824),
            (4, 2.7764),
            (7, 2.3646),
            (30, 2.0423),
            (49, 2.0096),
            (120, 1.9799),
        ];
        for (freedom, t) in table {
            let found = student_95(freedom);
            assert!((found - t).abs() < 5e-5, "{freedom}: {found}");
        }
        let spread: Spread = [1.0, 2.0, 3.0, 4.0].into_iter().collect();
        // 3.1824 * 1.29099 / 2
        assert!((spread.interval_95().unwrap() - 2.0543).abs() < 1e-4);
        assert_eq!(Spread::from_iter([3.0]).interval_95(), None);
    }
}
